/** How an endpoint is doing: the state that both kinds of sockets (plain.ts, curve.ts) keep, and what users are told of it. */
import type { ZmqEndpoint } from './endpoint.ts';

/** Connected, and nothing came for so long: something is wrong, µs. */
export const NOTHING_AFTER = 15_000_000;

export interface EndpointStatus {
  readonly endpoint: string;
  readonly bind: boolean;
  readonly encrypted: boolean;
  /** Where we listen, once we do: with the port that the system chose. */
  readonly address: string;
  /** Probes that are connected now. */
  readonly peers: number;
  readonly connections: number;
  /** Connections that ended in the handshake. */
  readonly failures: number;
  readonly messages: number;
  /** What is wrong and what to do; '' for nothing. */
  readonly problem: string;
}

export interface Notice {
  readonly endpoint: string;
  readonly level: 'info' | 'warn';
  readonly text: string;
}

export interface EndpointState {
  listening(address: string): void;
  connected(): void;
  disconnected(): void;
  /** The connection was made and is of no use. */
  handshakeFailed(why: string): void;
  /** There is no connection. */
  unreachable(why: string): void;
  message(): void;
  status(): EndpointStatus;
}

export interface StateOptions {
  readonly endpoint: ZmqEndpoint;
  /** µs since 1970. */
  now(): number;
  /** Told of what changes; the same is told once. */
  notice(notice: Notice): void;
  /** Counted for all endpoints together. */
  onConnection(failed: boolean): void;
  /** Why nothing may arrive although probes connect. */
  readonly silence: string;
}

export function createEndpointState({ endpoint, now, notice, onConnection, silence }: StateOptions): EndpointState {
  let address = '';
  let peers = 0;
  let connections = 0;
  let failures = 0;
  let messages = 0;
  let heard = false;
  let since = 0;
  let problem = '';
  let told = '';

  const tell = (level: 'info' | 'warn', text: string): void => {
    if (text === told) return;
    told = text;
    notice({ endpoint: endpoint.text, level, text });
  };

  return {
    listening(at) {
      address = at;
      tell('info', `listening on ${at}`);
    },
    connected() {
      if (peers++ === 0) {
        since = now();
        heard = false;
      }
      connections++;
      problem = '';
      onConnection(false);
      tell('info', endpoint.bind ? 'a probe is connected' : 'connected');
    },
    disconnected() {
      peers = Math.max(0, peers - 1);
      tell('info', 'a connection has ended');
    },
    handshakeFailed(why) {
      failures++;
      problem = why;
      onConnection(true);
      tell('warn', why);
    },
    unreachable(why) {
      problem = why;
      tell('warn', why);
    },
    message() {
      messages++;
      heard = true;
    },
    status: () => ({
      endpoint: endpoint.text,
      bind: endpoint.bind,
      encrypted: endpoint.curve !== undefined,
      address,
      peers,
      connections,
      failures,
      messages,
      problem: problem === '' && peers > 0 && !heard && now() - since >= NOTHING_AFTER ? silence : problem,
    }),
  };
}
