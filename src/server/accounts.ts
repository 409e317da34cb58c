/**
 * Users, their sessions and their tokens, in the settings file (in memory without a data directory). What lets somebody in is kept
 * as a hash alone: a copy of the file lets nobody in.
 *
 *   name, password ──login──► session id (cookie) + CSRF token      session id, token ──►  Who
 *
 * Called by access.ts (who is it?) and by the programming interface (session.ts, accounts.ts of src/api).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ROLES, type Role, type Who, weaker } from '../api/roles.ts';
import type { Settings } from '../store/settings.ts';
import { hashPassword, isPassword } from './passwords.ts';

/** A session that nobody uses ends after so long, and in any case after the other, ms. */
const IDLE_MS = 12 * 3600e3;
const SESSION_MS = 7 * 24 * 3600e3;
/** The last use is written so often, ms. */
const TOUCH_MS = 60e3;
/** Password checks at one time: each takes 32 MiB. */
const MOST_CHECKS = 4;
const MOST_WAITING = 32;

const TOKEN_PREFIX = 'fpt_';

export interface User {
  readonly name: string;
  readonly role: Role;
  /** ms since 1970. */
  readonly created: number;
}

export interface Token {
  readonly id: string;
  /** What it is for. */
  readonly name: string;
  readonly user: string;
  readonly role: Role;
  readonly created: number;
  /** ms since 1970; undefined = never. */
  readonly expires: number | undefined;
  readonly lastUsed: number | undefined;
}

export interface Session {
  /** Goes into the cookie, and is kept nowhere. */
  readonly secret: string;
  readonly csrf: string;
  readonly user: User;
  /** ms since 1970: the latest end. */
  readonly expires: number;
}

/** What is known of a session that somebody has shown. */
export interface Shown {
  readonly who: Who;
  /** Is this the CSRF token of the session? */
  isCsrf(text: string): boolean;
  readonly csrf: string;
}

export interface Accounts {
  users(): User[];
  user(name: string): User | undefined;
  /** @returns false where the name is taken */
  addUser(name: string, password: string, role: Role): Promise<boolean>;
  /** What changes ends the sessions of the user, but `except` (Who.id). */
  changeUser(name: string, change: { readonly password?: string; readonly role?: Role }, except?: string): Promise<void>;
  /** With sessions and tokens. */
  removeUser(name: string): void;
  /** undefined: it is not the password, or there is no such user (which takes as long to say); 'busy': too many at one time. */
  checkPassword(name: string, password: string): Promise<User | undefined | 'busy'>;
  /** A new session, whatever there was before. */
  openSession(user: User, address: string): Session;
  session(secret: string, address: string): Shown | undefined;
  /** @param id of Who */
  closeSession(id: string): void;
  tokens(user?: string): Token[];
  /** @returns the text of the token, which is kept nowhere */
  addToken(wanted: { readonly name: string; readonly user: string; readonly role: Role; readonly expires?: number | undefined }): {
    readonly token: Token;
    readonly text: string;
  };
  removeToken(id: string): void;
  token(text: string, address: string): Who | undefined;
  /** Is whoever this was still somebody? For answers that go on and on. */
  still(who: Who): boolean;
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
const random = (): string => randomBytes(32).toString('base64url');
const roleOf = (word: unknown): Role => ROLES.find((role) => role === word) ?? 'viewer';

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(hashOf(one)), Buffer.from(hashOf(other))];
  return timingSafeEqual(a, b);
}

interface SessionRow {
  readonly id: string;
  readonly user: string;
  readonly csrf: string;
  readonly expires: number;
  readonly used: number;
}

/** @param now ms since 1970 */
export function createAccounts({ database }: Settings, now: () => number): Accounts {
  const sql = {
    users: database.prepare('SELECT name, role, created FROM users ORDER BY name'),
    user: database.prepare('SELECT name, role, created, hash FROM users WHERE name = ?'),
    addUser: database.prepare('INSERT OR IGNORE INTO users (name, hash, role, created) VALUES (?, ?, ?, ?)'),
    setHash: database.prepare('UPDATE users SET hash = ? WHERE name = ?'),
    setRole: database.prepare('UPDATE users SET role = ? WHERE name = ?'),
    removeUser: database.prepare('DELETE FROM users WHERE name = ?'),
    addSession: database.prepare('INSERT INTO sessions (id, user, csrf, created, expires, used, address) VALUES (?, ?, ?, ?, ?, ?, ?)'),
    session: database.prepare('SELECT id, user, csrf, expires, used FROM sessions WHERE id = ?'),
    touch: database.prepare('UPDATE sessions SET used = ?, address = ? WHERE id = ?'),
    closeSession: database.prepare('DELETE FROM sessions WHERE id = ?'),
    closeSessions: database.prepare('DELETE FROM sessions WHERE user = ? AND id <> ?'),
    expire: database.prepare('DELETE FROM sessions WHERE expires < ? OR used < ?'),
    tokens: database.prepare('SELECT id, name, user, role, created, expires, used FROM tokens ORDER BY created, id'),
    addToken: database.prepare('INSERT INTO tokens (id, hash, name, user, role, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)'),
    token: database.prepare('SELECT id, user, role, expires, used FROM tokens WHERE hash = ?'),
    tokenById: database.prepare('SELECT user, expires FROM tokens WHERE id = ?'),
    touchToken: database.prepare('UPDATE tokens SET used = ? WHERE id = ?'),
    removeToken: database.prepare('DELETE FROM tokens WHERE id = ?'),
    removeTokens: database.prepare('DELETE FROM tokens WHERE user = ?'),
  };
  /** Checked against where there is no such user, so that the answer takes as long. */
  const nobody = hashPassword(random());
  let checking = 0;
  const waiting: (() => void)[] = [];

  const userOf = (row: unknown): User | undefined => {
    if (row === undefined) return undefined;
    const { name, role, created } = row as { name: string; role: string; created: number };
    return { name, role: roleOf(role), created };
  };
  const user = (name: string): User | undefined => userOf(sql.user.get(name));

  const alive = (row: SessionRow | undefined): row is SessionRow =>
    row !== undefined && row.expires >= now() && row.used >= now() - IDLE_MS;

  return {
    users: () => sql.users.all().map((row) => userOf(row) as User),
    user,
    async addUser(name, password, role) {
      if (user(name) !== undefined) return false;
      return Number(sql.addUser.run(name, await hashPassword(password), role, now()).changes) === 1;
    },
    async changeUser(name, { password, role }, except = '') {
      if (password !== undefined) sql.setHash.run(await hashPassword(password), name);
      if (role !== undefined) sql.setRole.run(role, name);
      sql.closeSessions.run(name, except);
    },
    removeUser(name) {
      sql.removeUser.run(name);
      sql.closeSessions.run(name, '');
      sql.removeTokens.run(name);
    },
    async checkPassword(name, password) {
      if (checking >= MOST_CHECKS) {
        if (waiting.length >= MOST_WAITING) return 'busy';
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      checking++;
      try {
        const row = sql.user.get(name) as { hash: string } | undefined;
        const right = await isPassword(password, row?.hash ?? (await nobody));
        return right && row !== undefined ? user(name) : undefined;
      } finally {
        checking--;
        waiting.shift()?.();
      }
    },
    openSession(of, address) {
      const time = now();
      sql.expire.run(time, time - IDLE_MS);
      const [secret, csrf] = [random(), random()];
      const expires = time + SESSION_MS;
      sql.addSession.run(hashOf(secret), of.name, csrf, time, expires, time, address);
      return { secret, csrf, user: of, expires };
    },
    session(secret, address) {
      const row = sql.session.get(hashOf(secret)) as SessionRow | undefined;
      if (!alive(row)) return undefined;
      const of = user(row.user);
      if (of === undefined) return undefined;
      if (now() - row.used > TOUCH_MS) sql.touch.run(now(), address, row.id);
      const { csrf } = row;
      return { who: { name: of.name, role: of.role, via: 'session', id: row.id, address }, csrf, isCsrf: (text) => sameText(text, csrf) };
    },
    closeSession: (id) => void sql.closeSession.run(id),
    tokens: (of) =>
      sql.tokens
        .all()
        .map((row) => {
          const { used, expires, role, ...rest } = row as unknown as Token & { used: number | null; expires: number | null };
          return { ...rest, role: roleOf(role), expires: expires ?? undefined, lastUsed: used ?? undefined };
        })
        .filter((token) => of === undefined || token.user === of),
    addToken({ name, user: of, role, expires }) {
      const id = randomBytes(8).toString('hex');
      const text = TOKEN_PREFIX + random();
      const created = now();
      sql.addToken.run(id, hashOf(text), name, of, role, created, expires ?? null);
      return { token: { id, name, user: of, role, created, expires, lastUsed: undefined }, text };
    },
    removeToken: (id) => void sql.removeToken.run(id),
    token(text, address) {
      if (!text.startsWith(TOKEN_PREFIX)) return undefined;
      const row = sql.token.get(hashOf(text)) as
        | { id: string; user: string; role: string; expires: number | null; used: number | null }
        | undefined;
      if (row === undefined || (row.expires ?? Number.POSITIVE_INFINITY) < now()) return undefined;
      const of = user(row.user);
      if (of === undefined) return undefined;
      if (now() - (row.used ?? 0) > TOUCH_MS) sql.touchToken.run(now(), row.id);
      // a token may never do more than its user, also when that one may less by now
      return { name: of.name, role: weaker(roleOf(row.role), of.role), via: 'token', id: row.id, address };
    },
    still({ via, id, name }) {
      if (via === 'socket') return true;
      if (user(name) === undefined) return false;
      if (via === 'session') return alive(sql.session.get(id) as SessionRow | undefined);
      const row = sql.tokenById.get(id) as { user: string; expires: number | null } | undefined;
      return row !== undefined && (row.expires ?? Number.POSITIVE_INFINITY) >= now();
    },
  };
}
