/**
 * The control socket: the programming interface on a Unix socket in the data directory, for the user who runs flowpatrol alone
 * (mode 0600). Nothing listens on the network. Called by the command line, before the first packet.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { SocketError, socketPath } from './address.ts';

/** Does somebody answer there? */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // the socket is made within the call, so nobody can connect before its mode is right
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await once(server, 'listening');
}

export interface ControlSocket {
  readonly path: string;
  /** Ends what is being answered, and takes the file away. */
  close(): Promise<void>;
}

/** @throws SocketError */
export async function serveControl(api: Hono, directory: string): Promise<ControlSocket> {
  const path = socketPath(directory);
  const server = createServer(getRequestListener(api.fetch));
  try {
    await listen(server, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      if (await answers(path)) throw new SocketError(`another process answers at ${path}`);
      rmSync(path); // left by a process that was killed
      await listen(server, path);
    });
  } catch (error) {
    if (error instanceof SocketError) throw error;
    throw new SocketError(`the control socket cannot be made: ${(error as Error).message}`);
  }
  server.unref();
  return {
    path,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
