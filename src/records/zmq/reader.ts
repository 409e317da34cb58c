/**
 * The sockets of a ZMQ interface: endpoints in, messages of probes out. Endpoints without encryption are read by our own few lines of
 * ZMTP (plain.ts), which cost a sixth of libzmq; encrypted ones by libzmq (curve.ts). Called by the interface's thread.
 *
 *   const reader = await openZmqReader({ endpoints: parseZmqEndpoints(text), keyDirectory, counters, now, notice }, decoder.message);
 */
import { zmqCounter } from './counters.ts';
import { keyAdvice, openCurve } from './curve.ts';
import type { ZmqEndpoint } from './endpoint.ts';
import { type KeyPair, ownKeyPair, readKeyFile } from './keys.ts';
import { type OpenEndpoint, openConnecting, openListening, type Receiver } from './plain.ts';
import { createEndpointState, type EndpointState, type EndpointStatus, type Notice } from './status.ts';

export type { EndpointStatus, Notice } from './status.ts';

export interface ZmqReaderOptions {
  readonly endpoints: readonly ZmqEndpoint[];
  /** Where our own key pair is kept: made there when an endpoint needs it. */
  readonly keyDirectory: string;
  /** As many as ZMQ_COUNTERS. */
  readonly counters: Float64Array;
  /** µs since 1970. */
  now(): number;
  /** Told when an endpoint's state changes: for the log. */
  notice?(notice: Notice): void;
}

export interface ZmqReader {
  status(): EndpointStatus[];
  /** Our public keys in Z85 by endpoint, for those that are encrypted: what the user enters at the probe. */
  publicKeys(): ReadonlyMap<string, string>;
  /** After it no message comes. */
  close(): Promise<void>;
}

const NO_MESSAGES =
  'connected, but nothing arrives: does the probe export to this endpoint (--zmq), does it see traffic, and is its encryption off?';

/**
 * Opens all endpoints. Those that connect try until the probe is there.
 * @param onMessage the bytes are valid during the call only
 * @throws Error when an endpoint cannot be listened on or a key cannot be had; what was opened is closed again
 */
export async function openZmqReader(
  { endpoints, keyDirectory, counters, now, notice = () => {} }: ZmqReaderOptions,
  onMessage: (endpoint: string, header: Uint8Array, payload: Uint8Array) => void,
): Promise<ZmqReader> {
  const connections = zmqCounter('zmq.connections');
  const failures = zmqCounter('zmq.connections.failed');
  const messages = zmqCounter('zmq.messages');
  const rejected = zmqCounter('zmq.rejected.frames');
  const states: EndpointState[] = [];
  const opened: OpenEndpoint[] = [];
  const publicKeys = new Map<string, string>();

  const receiver: Receiver = {
    message: onMessage,
    rejected() {
      counters[messages]++;
      counters[rejected]++;
    },
  };
  const stateOf = (endpoint: ZmqEndpoint, silence: string): EndpointState => {
    const state = createEndpointState({
      endpoint,
      now,
      notice,
      silence,
      onConnection(failed) {
        counters[failed ? failures : connections]++;
      },
    });
    states.push(state);
    return state;
  };
  const keysOf = ({ curve }: ZmqEndpoint): KeyPair => (typeof curve === 'object' ? readKeyFile(curve.keyFile) : ownKeyPair(keyDirectory));

  const close = async (): Promise<void> => {
    await Promise.all(opened.map((endpoint) => endpoint.close()));
  };

  try {
    for (const endpoint of endpoints) {
      if (endpoint.curve !== undefined) {
        const pair = keysOf(endpoint);
        publicKeys.set(endpoint.text, pair.publicKey);
        opened.push(await openCurve(endpoint, pair, receiver, stateOf(endpoint, `connected, but nothing arrives: ${keyAdvice(pair)}`)));
      } else if (endpoint.bind) opened.push(await openListening(endpoint, receiver, stateOf(endpoint, NO_MESSAGES)));
      else opened.push(openConnecting(endpoint, receiver, stateOf(endpoint, NO_MESSAGES)));
    }
  } catch (error) {
    await close();
    throw error;
  }

  return { status: () => states.map((state) => state.status()), publicKeys: () => publicKeys, close };
}
