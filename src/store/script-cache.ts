/**
 * The `ntop` cache of the scripts, kept between runs: a table of settings.db in the data directory, or nothing where there is none.
 *
 *   script hosts ──CacheChange──► store() ──► settings.db ──load()──► caches of the next run
 *
 * Called by the main thread. Times to live are kept as the times at which they end.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CacheChange } from '../scripts/cache.ts';
import { SETTINGS_FILE, SettingsError } from './settings.ts';

export interface CacheStore {
  /** @param now s since 1970: what is over by then is deleted */
  load(now: number): CacheChange[];
  /** @throws SettingsError; then none of the changes is stored */
  store(changes: readonly CacheChange[]): void;
  close(): void;
}

/** How long a writer waits for another process, ms. */
const BUSY_MS = 2000;

/** A text has the part ''; a list is a JSON array. Bytes in Latin-1 form are text here too. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS script_cache (
  key TEXT NOT NULL, part TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, until REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (key, part)) STRICT, WITHOUT ROWID`;

interface Row {
  readonly key: string;
  readonly part: string;
  readonly kind: 'text' | 'field' | 'member' | 'list';
  readonly value: string;
  readonly until: number;
}

function changesOf({ key, part, kind, value, until }: Row): CacheChange[] {
  if (kind === 'text') return [{ type: 'text', key, value, until }];
  const change: CacheChange =
    kind === 'field'
      ? { type: 'field', key, field: part, value }
      : kind === 'member'
        ? { type: 'member', key, member: part, there: true }
        : { type: 'list', key, values: JSON.parse(value) as string[] };
  return until === 0 ? [change] : [change, { type: 'until', key, until }];
}

/**
 * @param directory must be there; undefined = nothing is kept
 * @throws SettingsError
 */
export function openCacheStore(directory: string | undefined): CacheStore {
  if (directory === undefined) return { load: () => [], store() {}, close() {} };
  const file = join(directory, SETTINGS_FILE);
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new SettingsError(`${file}: the cache of the scripts cannot be used: ${(error as Error).message}`);
    }
  };
  const database = guarded(() => {
    const opened = new DatabaseSync(file, { timeout: BUSY_MS });
    opened.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
    return opened;
  });
  const all = database.prepare('SELECT key, part, kind, value, until FROM script_cache ORDER BY key, part');
  const over = database.prepare('DELETE FROM script_cache WHERE until > 0 AND until <= ?');
  const untilOf = database.prepare('SELECT max(until) AS until FROM script_cache WHERE key = ?');
  const put = database.prepare(
    `INSERT INTO script_cache VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key, part) DO UPDATE SET kind = excluded.kind, value = excluded.value, until = excluded.until`,
  );
  const others = database.prepare('DELETE FROM script_cache WHERE key = ? AND kind <> ?');
  const remove = database.prepare('DELETE FROM script_cache WHERE key = ?');
  const removePart = database.prepare('DELETE FROM script_cache WHERE key = ? AND part = ?');
  const setUntil = database.prepare('UPDATE script_cache SET until = ? WHERE key = ?');

  /** A part lives as long as those that are there. */
  function write(key: string, part: string, kind: Row['kind'], value: string, until?: number): void {
    others.run(key, kind);
    put.run(key, part, kind, value, until ?? (untilOf.get(key) as { until: number | null }).until ?? 0);
  }

  function storeOne(change: CacheChange): void {
    const { key } = change;
    switch (change.type) {
      case 'delete':
        remove.run(key);
        break;
      case 'text':
        write(key, '', 'text', change.value, change.until);
        break;
      case 'field':
        if (change.value === undefined) removePart.run(key, change.field);
        else write(key, change.field, 'field', change.value);
        break;
      case 'member':
        if (change.there) write(key, change.member, 'member', '');
        else removePart.run(key, change.member);
        break;
      case 'list':
        write(key, '', 'list', JSON.stringify(change.values));
        break;
      case 'until':
        setUntil.run(change.until, key);
        break;
    }
  }

  return {
    load: (now) =>
      guarded(() => {
        over.run(now);
        return (all.all() as unknown as Row[]).flatMap(changesOf);
      }),
    store(changes) {
      if (changes.length === 0) return;
      guarded(() => {
        database.exec('BEGIN IMMEDIATE');
        try {
          for (const change of changes) storeOne(change);
          database.exec('COMMIT');
        } catch (error) {
          database.exec('ROLLBACK');
          throw error;
        }
      });
    },
    close: () => database.close(),
  };
}
