/**
 * Who asks over the network? The one place that decides it: a token in `Authorization`, or the session of a cookie; for a session also
 * whether the request was meant (CSRF). And the way in: name and password, not too often.
 *
 *   request ──► Authorization: Bearer ──────────────────────────► token ──► Who
 *          └──► cookie ──► Origin, X-CSRF-Token where it changes something ──► session ──► Who
 */
import type { IncomingMessage } from 'node:http';
import { Problem } from '../api/problems.ts';
import { SOCKET_USER, type Who } from '../api/roles.ts';
import type { Accounts, Session, Shown, User } from './accounts.ts';
import type { AuditLog } from './audit.ts';
import { createLimiter } from './limiter.ts';

/** Attempts to log in: from an address, as a user. */
const WINDOW_MS = 5 * 60e3;
const MOST_BY_ADDRESS = 10;
const MOST_BY_USER = 30;

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface AccessOptions {
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  /** Part of the name of the cookie: cookies know no ports. */
  readonly port: number;
  readonly tls: boolean;
  /** ms, of a clock that does not run back. */
  readonly steady: () => number;
}

export interface Access {
  identify(request: Request, environment: unknown): Who | undefined;
  /** The session of a request, with its CSRF token. */
  shown(request: Request, environment: unknown): Shown | undefined;
  /** @throws Problem */
  login(
    request: Request,
    environment: unknown,
    name: string,
    password: string,
  ): Promise<{ readonly session: Session; readonly user: User }>;
  /** Values of Set-Cookie. */
  cookie(session: Session): string;
  noCookie(): string;
  addressOf(environment: unknown): string;
}

/** Where a connection comes from: IPv4 as such also where it came as a part of IPv6. '' on a Unix socket. */
export function addressOf(environment: unknown): string {
  const { incoming } = (environment ?? {}) as { incoming?: IncomingMessage };
  return (incoming?.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** One who has a /64 of IPv6 has 2^64 addresses, and is still one. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('%')[0]?.split('::') ?? [];
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? [] : Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}

/** Browsers say where a request comes from; what says nothing is no browser, or one that keeps to SameSite. */
function checkOrigin(request: Request): void {
  const refuse = (what: string): never => {
    throw new Problem('not-from-here', what, { hint: 'open the page that this server serves' });
  };
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  if (origin !== null) {
    const host = URL.canParse(origin) ? new URL(origin).host : '';
    if (host === '' || host !== (request.headers.get('host') ?? new URL(request.url).host))
      refuse(`The origin ${origin} is not this server.`);
  } else if (site !== null && site !== 'same-origin' && site !== 'none') refuse(`The request comes from another site (${site}).`);
}

export function createAccess({ accounts, audit, port, tls, steady }: AccessOptions): Access {
  // with the prefix a browser takes the cookie from this host alone, over TLS (RFC 6265bis, 4.1.3.2)
  const name = `${tls ? '__Host-' : ''}flowpatrol-${port}`;
  const attributes = `Path=/; HttpOnly; SameSite=Strict${tls ? '; Secure' : ''}`;
  const byAddress = createLimiter({ most: MOST_BY_ADDRESS, windowMs: WINDOW_MS, now: steady });
  const byUser = createLimiter({ most: MOST_BY_USER, windowMs: WINDOW_MS, now: steady });

  function secretOf(request: Request): string | undefined {
    for (const part of (request.headers.get('cookie') ?? '').split(';')) {
      const [key, value] = part.trim().split('=', 2);
      if (key === name && value !== undefined) return value;
    }
    return undefined;
  }

  function shown(request: Request, environment: unknown): Shown | undefined {
    const secret = secretOf(request);
    return secret === undefined ? undefined : accounts.session(secret, addressOf(environment));
  }

  return {
    shown,
    addressOf,
    identify(request, environment) {
      const authorization = request.headers.get('authorization');
      if (authorization !== null) {
        const [scheme = '', text = ''] = authorization.split(' ');
        const who = scheme.toLowerCase() === 'bearer' ? accounts.token(text, addressOf(environment)) : undefined;
        // whoever shows a token means that token: a session beside it does not make it good
        if (who === undefined) throw new Problem('wrong-token', 'The token is unknown, revoked or has expired.');
        return who;
      }
      const changes = !SAFE.has(request.method);
      if (changes) checkOrigin(request);
      const session = shown(request, environment);
      if (session !== undefined && changes && !session.isCsrf(request.headers.get('x-csrf-token') ?? '')) {
        // logging in anew needs no old session
        if (request.method === 'POST' && new URL(request.url).pathname.endsWith('/session')) return undefined;
        throw new Problem('not-from-here', 'The header X-CSRF-Token is missing or wrong.', { hint: 'GET /session tells it' });
      }
      return session?.who;
    },
    async login(request, environment, userName, password) {
      const address = addressOf(environment);
      const note = (outcome: string): void =>
        audit.add({ who: { ...SOCKET_USER, name: userName.slice(0, 100), via: 'session', address }, action: 'login', detail: '', outcome });
      const wait = Math.max(byAddress.attempt(networkOf(address)), byUser.attempt(userName));
      if (wait > 0) {
        note('too-often');
        throw new Problem('too-often', `Too many attempts: again in ${wait} s.`, { retryAfter: wait });
      }
      const user = await accounts.checkPassword(userName, password);
      if (user === 'busy') throw new Problem('too-busy', 'Too many attempts at one time.', { retryAfter: 5 });
      if (user === undefined) {
        note('wrong-password');
        throw new Problem('wrong-password', 'Name and password do not fit.');
      }
      byAddress.succeeded(networkOf(address));
      byUser.succeeded(userName);
      // never the session that was there before: somebody else may know it
      const before = shown(request, environment);
      if (before !== undefined) accounts.closeSession(before.who.id);
      note('done');
      return { session: accounts.openSession(user, address), user };
    },
    cookie: ({ secret, expires }) => `${name}=${secret}; ${attributes}; Expires=${new Date(expires).toUTCString()}`,
    noCookie: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}
