/** Where a running flowpatrol answers: known to the one that serves (socket.ts) and the one that asks (client.ts). */
import { join, relative } from 'node:path';

/** What every path begins with. */
export const API = '/api/v1';

const SOCKET_FILE = 'control.sock';

/** Bytes of `sun_path` without the final 0 (unix(7)). */
const LONGEST_PATH = 107;

/** The control socket cannot be used. */
export class SocketError extends Error {}

/** The shorter one of the absolute path and the one from where we are: the system takes no long ones. */
export function socketPath(directory: string): string {
  const path = join(directory, SOCKET_FILE);
  const near = relative('.', path);
  const shortest = near.length < path.length ? near : path;
  if (Buffer.byteLength(shortest) <= LONGEST_PATH) return shortest;
  throw new SocketError(`the path of the control socket is longer than ${LONGEST_PATH} bytes: ${path}`);
}
