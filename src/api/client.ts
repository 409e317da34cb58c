/** Asks a running flowpatrol over its control socket. Called by `flowpatrol top` and `flowpatrol prefs`. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { API, socketPath } from './address.ts';
import type { ProblemBody } from './problems.ts';

/** Nobody answers at the socket of this directory. */
export class NotRunning extends Error {}

/** The request was understood and refused. */
export class Refused extends Error {
  readonly problem: ProblemBody;

  constructor(problem: ProblemBody) {
    super(problem.detail);
    this.problem = problem;
  }
}

const LONGEST_MS = 15_000;

/**
 * @param path below the version: `/status`
 * @returns the JSON of the answer, as its resource declares it
 * @throws NotRunning, Refused, SocketError, and what the system says (EACCES)
 */
export async function ask<T>(directory: string, method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T> {
  const asking = request({
    socketPath: socketPath(directory),
    method,
    path: API + path,
    agent: false, // a connection that is kept would be one to a process that has ended
    signal: AbortSignal.timeout(LONGEST_MS),
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
  });
  asking.end(body === undefined ? undefined : JSON.stringify(body));
  let answer: IncomingMessage;
  try {
    [answer] = (await once(asking, 'response')) as [IncomingMessage];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') throw new NotRunning(`no flowpatrol runs with ${directory}`);
    throw error;
  }
  const content = await json(answer);
  if ((answer.statusCode ?? 500) >= 400) throw new Refused(content as ProblemBody);
  return content as T;
}
