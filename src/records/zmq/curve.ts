/**
 * An endpoint with encryption (CURVE), over libzmq in the package `zeromq`, which is loaded when the first one is opened. The collector is the
 * server of the encryption, whoever connects: probes know its public key and make up their own. Called by reader.ts.
 */
import type { Subscriber } from 'zeromq';
import type { ZmqEndpoint } from './endpoint.ts';
import { hexForm, type KeyPair } from './keys.ts';
import type { OpenEndpoint, Receiver } from './plain.ts';
import type { EndpointState } from './status.ts';

/** Messages that may wait for us, per probe: a pause of a second at 100,000 messages/s. */
export const HIGH_WATER_MARK = 100_000;
const RECEIVE_BUFFER = 8 << 20;
const LARGEST_FRAME = 16 << 20;

const address = ({ transport, host, port, path }: ZmqEndpoint): string => {
  if (transport === 'ipc') return `ipc://${path}`;
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port === 0 ? '*' : port}`;
};

/** What a user has to check when probes connect and say nothing. */
export const keyAdvice = (pair: KeyPair): string =>
  `the probe must have our public key: --zmq-encryption-key '${pair.publicKey}' (or ${hexForm(pair.publicKey)})`;

/** @throws Error when the package is missing or it cannot listen there */
export async function openCurve(endpoint: ZmqEndpoint, pair: KeyPair, receiver: Receiver, state: EndpointState): Promise<OpenEndpoint> {
  const zeromq = await import('zeromq').catch((error: Error) => {
    throw new Error(`${endpoint.text}: encryption needs the package zeromq, which cannot be loaded (${error.message}); run npm ci`);
  });
  const socket: Subscriber = new zeromq.Subscriber({
    curveServer: true,
    curveSecretKey: pair.secretKey,
    receiveHighWaterMark: HIGH_WATER_MARK,
    receiveBufferSize: RECEIVE_BUFFER,
    maxMessageSize: LARGEST_FRAME,
    tcpKeepalive: 1,
    tcpKeepaliveIdle: 30,
    tcpKeepaliveCount: 3,
    tcpKeepaliveInterval: 3,
    reconnectInterval: 100,
    reconnectMaxInterval: 5000,
    linger: 0,
    ipv6: endpoint.host.includes(':') || endpoint.host === '*',
  });
  let closed = false;
  /** Connections whose handshake succeeded, by address: their end is a disconnection, that of others a failure. */
  let shaken = 0;

  const { events } = socket;
  events.on('handshake', () => {
    shaken++;
    state.connected();
  });
  events.on('disconnect', () => {
    if (closed || shaken === 0) return;
    shaken--;
    state.disconnected();
  });
  const failed = (what: string) => () => {
    if (!closed)
      state.handshakeFailed(
        `a peer connects and the handshake fails (${what}): ${keyAdvice(pair)}; a probe without encryption needs an endpoint without ?curve`,
      );
  };
  events.on('handshake:error:protocol', failed('wrong key, or no encryption'));
  events.on('handshake:error:auth', failed('not admitted'));
  events.on('handshake:error:other', failed('cut off'));

  socket.subscribe('');
  try {
    if (endpoint.bind) await socket.bind(address(endpoint));
    else socket.connect(address(endpoint));
  } catch (error) {
    socket.close();
    throw new Error(`${endpoint.text}: cannot ${endpoint.bind ? 'listen' : 'connect'} there: ${(error as Error).message}`);
  }
  if (endpoint.bind) state.listening((socket.lastEndpoint ?? '').replace(/^\w+:\/\//, ''));

  const receive = async (): Promise<void> => {
    for await (const frames of socket) {
      if (frames.length !== 2) receiver.rejected(endpoint.text);
      else {
        state.message();
        receiver.message(endpoint.text, frames[0], frames[1]);
      }
    }
  };
  const receiving = receive().catch((error: Error) => {
    if (!closed) state.unreachable(`no longer read: ${error.message}`);
  });

  return {
    async close() {
      closed = true;
      socket.close();
      await receiving;
    },
  };
}
