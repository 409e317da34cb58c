/**
 * What can go wrong with a request, declared once: the stable code, the HTTP status and a title. Answers are problem details
 * (RFC 9457): `application/problem+json` with `type` (`urn:flowpatrol:problem:CODE`), `title`, `status`, `detail`, and `code`.
 */
import type { Context } from 'hono';
import type { FilterError } from '../filter/filter.ts';

export const PROBLEMS = {
  'not-found': { status: 404, title: 'There is no such resource' },
  'unknown-preference': { status: 404, title: 'There is no such preference' },
  'unknown-script': { status: 404, title: 'There is no such script' },
  'unknown-interface': { status: 404, title: 'There is no such interface' },
  'unknown-field': { status: 400, title: 'Flows have no such field' },
  'wrong-parameter': { status: 400, title: 'A parameter is unknown or has a wrong value' },
  /** `position`, `length`: which part of the filter; `reason`: the code of the filter language. */
  'wrong-filter': { status: 400, title: 'The filter cannot be used' },
  'wrong-value': { status: 422, title: 'The preference does not take this value' },
  'wrong-body': { status: 400, title: 'The body is not the JSON that is wanted' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'not-stored': { status: 500, title: 'The data directory could not be written' },
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

export const problemAnswer = (c: Context, problem: Problem): Response =>
  c.body(JSON.stringify(problemBody(problem)), PROBLEMS[problem.code].status, { 'content-type': 'application/problem+json' });
