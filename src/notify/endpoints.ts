/**
 * Endpoints and dead letters as they are kept in the settings file. Endpoints have secrets in it: with the first one the file becomes
 * readable to its owner alone. Called by notifier.ts.
 */
import { chmodSync, existsSync } from 'node:fs';
import type { Settings } from '../store/settings.ts';
import { isKind, type KindName } from './kinds.ts';
import type { SettingValues } from './settings.ts';

export interface StoredEndpoint {
  readonly id: number;
  readonly name: string;
  readonly kind: KindName;
  readonly enabled: boolean;
  readonly filter: string;
  /** s */
  readonly pause: number;
  /** With the secrets. */
  readonly settings: SettingValues;
}

/** Alerts that could not be delivered. */
export interface DeadLetter {
  readonly id: number;
  readonly endpoint: number;
  /** When it was given up, ms since 1970. */
  readonly time: number;
  /** Ids; the alerts are in the history. */
  readonly alerts: readonly string[];
  readonly attempts: number;
  readonly error: string;
}

/** Dead letters of one endpoint; the oldest goes first. */
const MOST_LETTERS = 1000;

export interface EndpointStore {
  all(): StoredEndpoint[];
  /** @returns its id. @throws when the name is taken */
  add(endpoint: Omit<StoredEndpoint, 'id'>): number;
  put(endpoint: StoredEndpoint): void;
  /** With its dead letters. */
  remove(id: number): void;
  bury(letter: Omit<DeadLetter, 'id'>): void;
  /** The newest first. @param endpoint undefined = of all */
  letters(endpoint?: number): DeadLetter[];
  /** @returns letters that there were */
  discard(ids: readonly number[]): number;
}

export function createEndpointStore({ database }: Settings, report: (text: string) => void = () => {}): EndpointStore {
  const rows = database.prepare('SELECT * FROM notify_endpoints ORDER BY name');
  const insert = database.prepare(
    'INSERT INTO notify_endpoints (name, enabled, filter, pause, config) VALUES (?, ?, ?, ?, ?) RETURNING id',
  );
  const update = database.prepare('UPDATE notify_endpoints SET name = ?, enabled = ?, filter = ?, pause = ?, config = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM notify_endpoints WHERE id = ?');
  const bury = database.prepare('INSERT INTO notify_dead_letters (endpoint, time, alerts, attempts, error) VALUES (?, ?, ?, ?, ?)');
  const trim = database.prepare(
    `DELETE FROM notify_dead_letters WHERE endpoint = ?1 AND id NOT IN
       (SELECT id FROM notify_dead_letters WHERE endpoint = ?1 ORDER BY id DESC LIMIT ${MOST_LETTERS})`,
  );
  const letters = database.prepare('SELECT * FROM notify_dead_letters WHERE ?1 IS NULL OR endpoint = ?1 ORDER BY id DESC');
  const discard = database.prepare('DELETE FROM notify_dead_letters WHERE id = ?');
  const forget = database.prepare('DELETE FROM notify_dead_letters WHERE endpoint = ?');

  /** Settings are secrets of others: passwords, tokens. */
  const protect = (): void => {
    const file = database.location();
    if (file === null) return;
    for (const each of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(each)) chmodSync(each, 0o600);
  };
  const config = ({ kind, settings }: Pick<StoredEndpoint, 'kind' | 'settings'>): string => JSON.stringify({ kind, settings });

  return {
    all: () =>
      rows.all().flatMap((row) => {
        const {
          id,
          name,
          enabled,
          filter,
          pause,
          config: text,
        } = row as { id: number; name: string; filter: string; pause: number } & {
          enabled: number;
          config: string;
        };
        const { kind, settings } = JSON.parse(text) as { kind: unknown; settings: SettingValues };
        if (isKind(kind)) return [{ id, name, kind, enabled: enabled !== 0, filter, pause, settings }];
        report(`the notification '${name}' is of a kind that this flowpatrol does not know; it is left alone`);
        return [];
      }),
    add(endpoint) {
      const { name, enabled, filter, pause } = endpoint;
      protect();
      return (insert.get(name, enabled ? 1 : 0, filter, pause, config(endpoint)) as { id: number }).id;
    },
    put(endpoint) {
      const { id, name, enabled, filter, pause } = endpoint;
      update.run(name, enabled ? 1 : 0, filter, pause, config(endpoint), id);
    },
    remove(id) {
      remove.run(id);
      forget.run(id);
    },
    bury({ endpoint, time, alerts, attempts, error }) {
      bury.run(endpoint, time, JSON.stringify(alerts), attempts, error);
      trim.run(endpoint);
    },
    letters: (endpoint) =>
      letters.all(endpoint ?? null).map((row) => {
        const { alerts, ...rest } = row as unknown as Omit<DeadLetter, 'alerts'> & { alerts: string };
        return { ...rest, alerts: JSON.parse(alerts) as string[] };
      }),
    discard: (ids) => ids.reduce((sum, id) => sum + Number(discard.run(id).changes), 0),
  };
}
