/**
 * What is kept between runs: a SQLite file in the data directory, or memory where there is none.
 *
 * Enters: the data directory. Leaves: stored preferences, checked when they are read. Called by the main thread, and by
 * `flowpatrol prefs` where nothing runs; both may have the file open at once.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isPreference, PreferenceError, type PreferenceName, type Preferences, preferenceValue } from '../preferences.ts';

export interface Settings {
  /** For the other stores that keep a table in it: script-switches.ts. */
  readonly database: DatabaseSync;
  /** What is stored and valid; the rest is reported, and ignored. */
  preferences(): Partial<Preferences>;
  /** @param value checked: what `preferenceValue` gives */
  setPreference(name: PreferenceName, value: boolean | number | string): void;
  /** Takes the stored value away. */
  resetPreference(name: PreferenceName): void;
  close(): void;
}

/** The file cannot be used. */
export class SettingsError extends Error {}

export const SETTINGS_FILE = 'settings.db';
const MEMORY = ':memory:';

/** How long a writer waits for another process, ms. */
const BUSY_MS = 2000;

/** What makes version n + 1 of version n. Only ever appended to: `user_version` says how many of them a file has seen. */
const MIGRATIONS: readonly string[] = [
  'CREATE TABLE preferences (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID',
  // script-switches.ts; interface '' = every one
  'CREATE TABLE script_switches (interface TEXT, key TEXT, state TEXT NOT NULL, PRIMARY KEY (interface, key)) STRICT, WITHOUT ROWID',
  // src/alerts/exclusions.ts, times of the traffic, µs; src/notify/endpoints.ts, its configuration and ids of alerts as JSON
  `CREATE TABLE alert_exclusions (id INTEGER PRIMARY KEY AUTOINCREMENT, filter TEXT NOT NULL, comment TEXT NOT NULL, owner TEXT NOT NULL,
     created INTEGER NOT NULL, starts INTEGER, expires INTEGER, hits INTEGER NOT NULL DEFAULT 0, last_hit INTEGER) STRICT;
   CREATE TABLE notify_endpoints (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL,
     filter TEXT NOT NULL, pause INTEGER NOT NULL, config TEXT NOT NULL) STRICT;
   CREATE TABLE notify_dead_letters (id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint INTEGER NOT NULL, time INTEGER NOT NULL,
     alerts TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL) STRICT`,
  // server/accounts.ts; times in ms since 1970, `id` of a session and `hash` of a token are hashes of secrets
  `CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT NOT NULL, role TEXT NOT NULL, created REAL NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE sessions (id TEXT PRIMARY KEY, user TEXT NOT NULL, csrf TEXT NOT NULL, created REAL NOT NULL, expires REAL NOT NULL,
     used REAL NOT NULL, address TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE tokens (id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL,
     created REAL NOT NULL, expires REAL, used REAL) STRICT, WITHOUT ROWID;
   CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, user TEXT NOT NULL, via TEXT NOT NULL,
     address TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL) STRICT`,
  // src/notify/pending.ts
  `CREATE TABLE notify_pending (id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint INTEGER NOT NULL, alert TEXT NOT NULL,
     delivery TEXT NOT NULL DEFAULT '', UNIQUE (endpoint, alert)) STRICT`,
];

function migrate(database: DatabaseSync, file: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > MIGRATIONS.length) {
    throw new SettingsError(`${file} was written by a newer flowpatrol (version ${version}, this one knows ${MIGRATIONS.length})`);
  }
  if (version === MIGRATIONS.length) return;
  database.exec('BEGIN IMMEDIATE');
  // another process may have been faster
  const { user_version: now } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  for (const step of MIGRATIONS.slice(now)) database.exec(step);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
}

function open(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_MS });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    migrate(database, file);
    if (file !== MEMORY) chmodSync(file, 0o600); // hashes of passwords, secrets of notifications
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(`${file} cannot be used: ${(error as Error).message}`);
  }
}

/**
 * @param directory must be there; undefined = nothing is kept
 * @param report takes a sentence about each stored value that is ignored
 * @throws SettingsError
 */
export function openSettings(directory: string | undefined, report: (text: string) => void = () => {}): Settings {
  const file = directory === undefined ? MEMORY : join(directory, SETTINGS_FILE);
  const database = open(file);
  const all = database.prepare('SELECT name, value FROM preferences ORDER BY name');
  const put = database.prepare('INSERT INTO preferences VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value');
  const remove = database.prepare('DELETE FROM preferences WHERE name = ?');

  return {
    database,
    preferences() {
      const found: [string, boolean | number | string][] = [];
      for (const { name, value } of all.all() as { name: string; value: string }[]) {
        if (!isPreference(name)) {
          report(`${file}: there is no preference ${name}; its stored value is ignored`);
          continue;
        }
        try {
          found.push([name, preferenceValue(name, value)]);
        } catch (error) {
          if (!(error instanceof PreferenceError)) throw error;
          report(`${file}: ${error.message}; the stored value is ignored`);
        }
      }
      return Object.fromEntries(found) as Partial<Preferences>;
    },
    setPreference: (name, value) => void put.run(name, String(value)),
    resetPreference: (name) => void remove.run(name),
    close: () => database.close(),
  };
}
