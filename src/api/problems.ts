/**
 * What can go wrong with a request, declared once: the stable code, the HTTP status and a title. Answers are problem details
 * (RFC 9457): `application/problem+json` with `type` (`urn:flowpatrol:problem:CODE`), `title`, `status`, `detail`, and `code`.
 */
import type { FilterError } from '../filter/filter.ts';

export const PROBLEMS = {
  'not-found': { status: 404, title: 'There is no such resource' },
  'not-authenticated': { status: 401, title: 'Nobody is logged in' },
  'wrong-password': { status: 401, title: 'Name and password do not fit' },
  'wrong-token': { status: 401, title: 'The token is unknown, revoked or has expired' },
  'not-allowed': { status: 403, title: 'The role does not allow this' },
  /** Cross-site request forgery: the origin, or the token of the session, is wrong. */
  'not-from-here': { status: 403, title: 'The request does not come from our own pages' },
  'wrong-host': { status: 421, title: 'The host name is not one of ours' },
  'too-often': { status: 429, title: 'Too many attempts' },
  'too-busy': { status: 503, title: 'Too much at one time' },
  'unknown-flow': { status: 404, title: 'There is no such flow' },
  'unknown-alert': { status: 404, title: 'There is no such alert' },
  'unknown-exclusion': { status: 404, title: 'There is no such exclusion' },
  'unknown-notification': { status: 404, title: 'There is no such notification' },
  'unknown-letter': { status: 404, title: 'There is no such dead letter' },
  'unknown-user': { status: 404, title: 'There is no such user' },
  'unknown-token': { status: 404, title: 'There is no such token' },
  'unknown-upload': { status: 404, title: 'There is no such upload' },
  'name-taken': { status: 409, title: 'The name is taken' },
  'last-admin': { status: 409, title: 'Nobody would be left who may change users' },
  'unknown-preference': { status: 404, title: 'There is no such preference' },
  'unknown-script': { status: 404, title: 'There is no such script' },
  'unknown-interface': { status: 404, title: 'There is no such interface' },
  'unknown-field': { status: 400, title: 'Flows have no such field' },
  'wrong-parameter': { status: 400, title: 'A parameter is unknown or has a wrong value' },
  /** `position`, `length`: which part of the filter; `reason`: the code of the filter language. */
  'wrong-filter': { status: 400, title: 'The filter cannot be used' },
  'wrong-value': { status: 422, title: 'The value is not one that can be taken' },
  'wrong-body': { status: 400, title: 'The body is not the JSON that is wanted' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'not-stored': { status: 500, title: 'The data directory could not be written' },
  'history-refused': { status: 422, title: 'The history cannot answer this' },
  'too-slow': { status: 503, title: 'An interface did not answer in time' },
  internal: { status: 500, title: 'A mistake in flowpatrol' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Members beyond those of every problem. */
export interface ProblemMore {
  /** What to do. */
  readonly hint?: string;
  readonly position?: number;
  readonly length?: number;
  readonly reason?: string;
  /** s until it is worth trying again; also in the header `Retry-After`. */
  readonly retryAfter?: number;
}

export interface ProblemBody extends ProblemMore {
  readonly type: string;
  readonly code: ProblemCode;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

/** Thrown by handlers; app.ts makes the answer of it. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly more: ProblemMore;

  constructor(code: ProblemCode, detail: string, more: ProblemMore = {}) {
    super(detail);
    this.code = code;
    this.more = more;
  }
}

/** Where and why a filter is wrong. */
export const filterProblem = ({ code, message, position, length, hint }: FilterError): Problem =>
  new Problem('wrong-filter', message, { reason: code, position, length, ...(hint === '' ? {} : { hint }) });

export const problemBody = ({ code, message, more }: Problem): ProblemBody => ({
  type: `urn:flowpatrol:problem:${code}`,
  code,
  ...PROBLEMS[code],
  detail: message,
  ...more,
});

export const problemResponse = (problem: Problem): Response =>
  new Response(JSON.stringify(problemBody(problem)), {
    status: PROBLEMS[problem.code].status,
    headers: {
      'content-type': 'application/problem+json',
      ...(problem.more.retryAfter === undefined ? {} : { 'retry-after': String(problem.more.retryAfter) }),
      ...(PROBLEMS[problem.code].status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
  });
