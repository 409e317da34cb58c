/**
 * An endpoint without encryption, over the sockets of Node: connects and reconnects, or listens. What has not been read waits in the
 * kernel and then at the probe; nothing is queued here. Called by reader.ts.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ZmqEndpoint } from './endpoint.ts';
import type { EndpointState } from './status.ts';
import { createZmtpPeer, type ZmtpPeer } from './zmtp.ts';

/** ms */
const FIRST_RETRY = 100;
const LONGEST_RETRY = 5000;
const HANDSHAKE = 30_000;
const KEEP_ALIVE = 30_000;
const READ_BYTES = 256 * 1024;
const MOST_PEERS = 1024;

export interface OpenEndpoint {
  close(): Promise<void>;
}

/** What comes from all endpoints. */
export interface Receiver {
  message(endpoint: string, header: Uint8Array, payload: Uint8Array): void;
  /** A message that has not two frames, or too large ones. */
  rejected(endpoint: string): void;
}

/** The connection speaks ZMTP from now on. */
function converse(socket: Socket, { text }: ZmqEndpoint, receiver: Receiver, state: EndpointState, isClosed: () => boolean): ZmtpPeer {
  let ready = false;
  let failed = false;
  const fail = (why: string): void => {
    failed = true;
    state.handshakeFailed(why);
    socket.destroy();
  };
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE);
  socket.setTimeout(HANDSHAKE, () => fail(`the peer says nothing for ${HANDSHAKE / 1000} s: is this the port of a probe?`));
  socket.once('close', () => {
    if (ready) state.disconnected();
    else if (!failed && !isClosed()) state.handshakeFailed('the peer ends the connection in the handshake: is this the port of a probe?');
  });
  return createZmtpPeer({
    send: (bytes) => void socket.write(bytes),
    ready() {
      ready = true;
      socket.setTimeout(0);
      state.connected();
    },
    message(header, payload) {
      state.message();
      receiver.message(text, header, payload);
    },
    rejected: () => receiver.rejected(text),
    failed: fail,
  });
}

/** Abstract names begin with a NUL on the wire. */
const socketPath = (path: string): string => (path.startsWith('@') ? `\0${path.slice(1)}` : path);

export function openConnecting(endpoint: ZmqEndpoint, receiver: Receiver, state: EndpointState): OpenEndpoint {
  const place = endpoint.transport === 'ipc' ? { path: socketPath(endpoint.path) } : { host: endpoint.host, port: endpoint.port };
  const buffer = Buffer.alloc(READ_BYTES);
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delay = FIRST_RETRY;
  let closed = false;

  const open = (): void => {
    let peer: ZmtpPeer | undefined;
    const made = connect({
      ...place,
      onread: {
        buffer,
        callback(length, bytes) {
          return peer?.feed((bytes as Buffer).subarray(0, length)) ?? false;
        },
      },
    });
    socket = made;
    made.once('connect', () => {
      const working = (): void => {
        delay = FIRST_RETRY;
        state.connected();
      };
      peer = converse(made, endpoint, receiver, { ...state, connected: working }, () => closed);
    });
    made.on('error', (error) => {
      if (!closed) state.unreachable(`cannot be reached (${error.message}): tried again and again`);
    });
    made.once('close', () => {
      if (closed) return;
      timer = setTimeout(open, delay);
      delay = Math.min(delay * 2, LONGEST_RETRY);
    });
  };
  open();

  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      if (socket === undefined || socket.destroyed) return;
      const ended = once(socket, 'close');
      socket.destroy();
      await ended;
    },
  };
}

/** Is somebody there? */
async function answers(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function listen(server: Server, endpoint: ZmqEndpoint): Promise<void> {
  if (endpoint.transport === 'ipc') server.listen(socketPath(endpoint.path));
  else if (endpoint.host === '*') server.listen(endpoint.port);
  else server.listen(endpoint.port, endpoint.host);
  await once(server, 'listening');
}

/** @throws Error when it cannot listen there */
export async function openListening(endpoint: ZmqEndpoint, receiver: Receiver, state: EndpointState): Promise<OpenEndpoint> {
  const sockets = new Set<Socket>();
  let closed = false;
  const server = createServer((socket) => {
    const peer = converse(socket, endpoint, receiver, state, () => closed);
    sockets.add(socket);
    socket.on('data', (chunk: Buffer) => peer.feed(chunk));
    socket.on('error', () => {}); // 'close' follows
    socket.once('close', () => sockets.delete(socket));
  });
  server.maxConnections = MOST_PEERS;
  try {
    await listen(server, endpoint).catch(async (error: NodeJS.ErrnoException) => {
      const { path } = endpoint;
      if (error.code !== 'EADDRINUSE' || endpoint.transport !== 'ipc' || path.startsWith('@') || (await answers(path))) throw error;
      rmSync(path); // left by a process that was killed
      await listen(server, endpoint);
    });
  } catch (error) {
    throw new Error(`${endpoint.text}: cannot listen there: ${(error as Error).message}`);
  }
  server.on('error', () => {}); // of accepting: the next one may work
  const at = server.address();
  const shown =
    typeof at === 'string' || at === null ? endpoint.path : `${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`;
  state.listening(shown);

  return {
    async close() {
      closed = true;
      const ended = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
}
