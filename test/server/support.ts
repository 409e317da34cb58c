/**
 * A real server on a free port, with users of each role, over the flows of a real capture; and a client that knows cookies and CSRF.
 * Called by the tests of this folder.
 */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/alerts/clock.ts';
import { createExclusions } from '../../src/alerts/exclusions.ts';
import { createAlertIntake } from '../../src/alerts/intake.ts';
import { alertTranslator } from '../../src/alerts/words.ts';
import type { ApiDependencies } from '../../src/api/dependencies.ts';
import { ROLES, type Role } from '../../src/api/roles.ts';
import { createNotifier } from '../../src/notify/notifier.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import { createAccess } from '../../src/server/access.ts';
import { type Accounts, createAccounts } from '../../src/server/accounts.ts';
import { type AuditLog, createAuditLog } from '../../src/server/audit.ts';
import { createHub, type Hub } from '../../src/server/hub.ts';
import { createWebServer, type WebServer } from '../../src/server/server.ts';
import { readPages } from '../../src/server/static.ts';
import type { Credentials } from '../../src/server/tls.ts';
import { createMemoryHistory } from '../../src/store/memory-history.ts';
import { createPreferenceBook } from '../../src/store/preferences.ts';
import { openSettings } from '../../src/store/settings.ts';
import { dependencies, QUIET, type Wanted } from '../api/support.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json<T = Record<string, unknown>>(): T;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface TestServer {
  readonly web: WebServer;
  readonly port: number;
  readonly accounts: Accounts;
  readonly auditLog: AuditLog;
  readonly hub: Hub;
  readonly parts: ApiDependencies;
  /** ms since 1970, and of the limiter; moves by hand. */
  readonly clock: { now: number };
  /** Without any session. */
  ask(path: string, ask?: Ask): Promise<Answer>;
  login(name: string, password?: string): Promise<Session>;
}

/** Somebody who is logged in, as a browser is. */
export interface Session {
  readonly cookie: string;
  readonly csrf: string;
  ask(path: string, ask?: Ask): Promise<Answer>;
}

export const PASSWORD = 'correct horse 42';

interface Options extends Wanted {
  readonly tls?: Credentials & { readonly own: boolean };
  readonly names?: readonly string[];
  /** Folder of pages. */
  readonly pages?: string;
}

/** Users are called by their roles. */
export async function startServer(
  t: Pick<TestContext, 'after'> | { after(done: () => Promise<void>): void },
  options: Options = {},
): Promise<TestServer> {
  const { tls, names = [], pages = '/nowhere', ...wanted } = options;
  const clock = { now: Date.UTC(2024, 0, 1) };
  const settings = openSettings(undefined);
  const accounts = createAccounts(settings, () => clock.now);
  const auditLog = createAuditLog(settings, () => clock.now);
  const history = createMemoryHistory();
  const exclusions = createExclusions(settings, systemClock);
  const alerts = createAlertIntake({
    history,
    exclusions,
    preferences: () => DEFAULT_PREFERENCES,
    translate: alertTranslator('en'),
    clock: systemClock,
    log: QUIET,
  });
  const hub = createHub();
  for (const role of ROLES) await accounts.addUser(role, PASSWORD, role);
  const access = createAccess({ accounts, audit: auditLog, port: 3000, tls: tls !== undefined, steady: () => clock.now });
  const parts: ApiDependencies = {
    ...dependencies(wanted),
    preferences: createPreferenceBook({ settings, commandLine: {} }),
    accounts,
    auditLog,
    audit: (deed) => auditLog.add(deed),
    access,
    history,
    alerts,
    exclusions,
    notifier: createNotifier({ settings, history, clock: systemClock, log: QUIET }),
    hub,
    ...wanted,
  };
  const web = createWebServer({ dependencies: parts, access, pages: readPages(pages), names, tls, ready: () => true });
  await web.listen({ address: '127.0.0.1', port: 0 });
  t.after(async () => {
    hub.close();
    await web.close();
  });
  const port = Number(new URL(web.url()).port);

  function ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const options = { host: '127.0.0.1', port, path, method, headers: { ...headers }, agent: false, rejectUnauthorized: false } as const;
    const asking = (tls === undefined ? httpRequest : httpsRequest)(options, (answer) => {
      text(answer).then(
        (found) =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: found,
            json: <T>() => JSON.parse(found) as T,
          }),
        reject,
      );
    });
    asking.on('error', reject);
    asking.end(body);
    return promise;
  }

  return {
    web,
    port,
    accounts,
    auditLog,
    hub,
    parts,
    clock,
    ask,
    async login(name, password = PASSWORD) {
      const answer = await ask('/api/v1/session', { method: 'POST', body: JSON.stringify({ name, password }) });
      if (answer.status !== 200) throw new Error(answer.text);
      const cookie = (answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
      const { csrf } = answer.json<{ csrf: string }>();
      return {
        cookie,
        csrf,
        ask: (path, wish = {}) => ask(path, { ...wish, headers: { cookie, 'x-csrf-token': csrf, ...wish.headers } }),
      };
    },
  };
}

export const json = (value: unknown): Pick<Ask, 'body'> => ({ body: JSON.stringify(value) });
export type { Role };
