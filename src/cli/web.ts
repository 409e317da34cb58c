/**
 * The web interface of a run: users and the first password, streams, uploads, the server. Called by run.ts; what it is made of stands
 * in src/server.
 *
 *   openWeb ──► listen ──► every second: statistics, figures ──► close
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { alertTranslator } from '../alerts/words.ts';
import type { ApiDependencies } from '../api/dependencies.ts';
import { statusOf } from '../api/status.ts';
import type { Config, WebAddress } from '../config.ts';
import type { Log, LossSnapshot, Patrol } from '../patrol-types.ts';
import { createAccess } from '../server/access.ts';
import { type Accounts, createAccounts } from '../server/accounts.ts';
import { createAuditLog } from '../server/audit.ts';
import { createHub, type Hub } from '../server/hub.ts';
import { isPassword, LONGEST_PASSWORD, randomPassword, SHORTEST_PASSWORD } from '../server/passwords.ts';
import { testScript } from '../server/script-test.ts';
import { createWebServer, ServerError } from '../server/server.ts';
import { readPages } from '../server/static.ts';
import { type Credentials, ownCredentials, readCredentials, TlsError } from '../server/tls.ts';
import { createUploads, type Uploads } from '../server/uploads.ts';
import type { Settings } from '../store/settings.ts';
import { runError, usageError } from './errors.ts';

export const ADMIN = 'admin';
/** Statistics. */
const TICK_MS = 1000;
const BEAT_MS = 15_000;

/** The first line of the file. @throws CommandError */
function passwordOf(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw runError(`--password-file: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const password = text.split(/\r?\n/, 1)[0] ?? '';
  if (password.length >= SHORTEST_PASSWORD && password.length <= LONGEST_PASSWORD) return password;
  throw usageError(
    `--password-file: the password in ${file} has ${password.length} characters`,
    `at least ${SHORTEST_PASSWORD}, in the first line`,
  );
}

/** There is always somebody who can get in. @returns the password that was made, to be shown once */
async function firstUser(accounts: Accounts, { database }: Settings, file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) {
    const password = passwordOf(file);
    const kept = database.prepare('SELECT hash FROM users WHERE name = ?').get(ADMIN) as { hash: string } | undefined;
    if (kept === undefined) await accounts.addUser(ADMIN, password, 'admin');
    else if (!(await isPassword(password, kept.hash))) await accounts.changeUser(ADMIN, { password, role: 'admin' });
    return undefined;
  }
  if (accounts.users().some(({ role }) => role === 'admin')) return undefined;
  const password = randomPassword();
  await accounts.addUser(ADMIN, password, 'admin');
  return password;
}

function credentialsOf({ tls, dataDirectory, webNames }: Config, { address }: WebAddress): (Credentials & { own: boolean }) | undefined {
  if (tls === undefined) return undefined;
  try {
    if (tls.cert !== undefined && tls.key !== undefined) return { ...readCredentials(tls.cert, tls.key), own: true };
    return { ...ownCredentials(dataDirectory, [address, ...webNames], Date.now()), own: false };
  } catch (error) {
    if (error instanceof TlsError) throw runError(`HTTPS: ${error.message}`, '--tls-self-signed makes a certificate');
    throw error;
  }
}

/** What the programming interface gets, on the socket too. */
export interface WebParts
  extends Required<Pick<ApiDependencies, 'accounts' | 'auditLog' | 'audit' | 'access' | 'hub' | 'uploads' | 'testScript'>> {
  readonly hub: Hub;
  readonly uploads: Uploads;
}

export interface Web {
  readonly parts: WebParts;
  /** Lines for people. @throws CommandError */
  listen(dependencies: ApiDependencies): Promise<string[]>;
  losses(): LossSnapshot[];
  close(): Promise<void>;
}

export interface WebOptions {
  readonly config: Config;
  readonly where: WebAddress;
  /** Folder of the project. */
  readonly project: string;
  readonly settings: Settings;
  readonly patrol: Patrol;
  readonly log: Log;
}

/** @throws CommandError */
export async function openWeb({ config, where, project, settings, patrol, log }: WebOptions): Promise<Web> {
  const accounts = createAccounts(settings, Date.now);
  const auditLog = createAuditLog(settings, Date.now);
  const password = await firstUser(accounts, settings, config.passwordFile);
  const tls = credentialsOf(config, where);
  const access = createAccess({ accounts, audit: auditLog, port: where.port, tls: tls !== undefined, steady: () => performance.now() });
  const hub = createHub();
  const uploads = createUploads({
    directory: config.dataDirectory,
    most: config.uploadLimit,
    start: (name, file) => patrol.addInterface(name, file),
    snapshot: () => patrol.snapshot(),
    now: Date.now,
  });
  const translate = alertTranslator(config.language, config.dataDirectory === undefined ? [] : [join(config.dataDirectory, 'locales')]);
  const timers: NodeJS.Timeout[] = [];
  let close = async (): Promise<void> => {};

  return {
    parts: {
      accounts,
      auditLog,
      audit: (deed) => auditLog.add(deed),
      access,
      hub,
      uploads,
      testScript: (script, capture) => testScript(script, capture, config, translate),
    },
    async listen(dependencies) {
      const server = createWebServer({
        dependencies,
        access,
        pages: readPages(join(project, 'web/dist')),
        names: config.webNames,
        tls,
        ready: () => patrol.snapshot().interfaces.every(({ state }) => state !== 'starting'),
      });
      try {
        await server.listen(where);
      } catch (error) {
        if (error instanceof ServerError) throw runError(error.message, error.hint);
        throw error;
      }
      close = () => server.close();
      timers.push(
        setInterval(() => hub.publish('stats', statusOf(dependencies)), TICK_MS).unref(),
        setInterval(() => hub.beat(), BEAT_MS).unref(),
      );
      const loopback = where.address === 'localhost' || where.address.startsWith('127.') || where.address === '::1';
      if (!loopback && tls === undefined) {
        log.warn(
          {},
          `the web interface is open to ${isIP(where.address) === 0 ? where.address : 'the network'} without encryption: --tls-self-signed, or --tls-cert and --tls-key`,
        );
      }
      return [
        `Web interface: ${server.url()}`,
        ...(tls === undefined || tls.own ? [] : [`  certificate, SHA-256: ${tls.fingerprint}`]),
        ...(password === undefined ? [] : [`  user ${ADMIN}, password ${password}  (shown this once)`]),
        ...(config.dataDirectory === undefined
          ? ['  Without -d DIR everything is in memory: users, settings and history end with this run.']
          : []),
      ];
    },
    losses: () =>
      [{ name: 'streams.dropped', help: 'events that slow clients of streams did not get', value: hub.figures().dropped }].filter(
        ({ value }) => value > 0,
      ),
    async close() {
      for (const timer of timers) clearInterval(timer);
      hub.close();
      uploads.close();
      await close();
    },
  };
}
