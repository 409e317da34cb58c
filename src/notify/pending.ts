/**
 * Alerts that are still to be delivered, in the settings file: what outlives any end of the program. Called by the notifier.
 *
 *   about to be stored ──expect──► row ──begun (its delivery has an id)──► delivered, or a dead letter: done
 *
 * A row is there before its alert is: so no alert that is in the history, and that an endpoint wants, is forgotten. Rows whose alerts
 * never came into the history are let go by the next start.
 */
import type { Settings } from '../store/settings.ts';

/** An alert for an endpoint. */
export interface Wanted {
  readonly endpoint: number;
  /** Its id. */
  readonly alert: string;
}

export interface Pending extends Wanted {
  /** Id of the delivery that was under way; '' = none. */
  readonly delivery: string;
}

export interface PendingStore {
  /** In the order of their coming. Those that are there already stay as they are. */
  expect(wanted: readonly Wanted[]): void;
  /** A delivery of these begins; what an endpoint had under way before is not any more. */
  begun(endpoint: number, alerts: readonly string[], delivery: string): void;
  done(endpoint: number, alerts: readonly string[]): void;
  /** The endpoint is gone. */
  forget(endpoint: number): void;
  all(): Pending[];
}

export function createPendingStore({ database }: Settings): PendingStore {
  const expect = database.prepare(
    `INSERT OR IGNORE INTO notify_pending (endpoint, alert) SELECT value ->> 'endpoint', value ->> 'alert' FROM json_each(?)`,
  );
  const begun = database.prepare(
    `UPDATE notify_pending SET delivery = iif(alert IN (SELECT value FROM json_each(?2)), ?3, '')
       WHERE endpoint = ?1 AND (delivery <> '' OR alert IN (SELECT value FROM json_each(?2)))`,
  );
  const done = database.prepare('DELETE FROM notify_pending WHERE endpoint = ? AND alert IN (SELECT value FROM json_each(?))');
  const forget = database.prepare('DELETE FROM notify_pending WHERE endpoint = ?');
  const all = database.prepare('SELECT endpoint, alert, delivery FROM notify_pending ORDER BY id');
  return {
    expect(wanted) {
      if (wanted.length > 0) expect.run(JSON.stringify(wanted));
    },
    begun: (endpoint, alerts, delivery) => void begun.run(endpoint, JSON.stringify(alerts), delivery),
    done: (endpoint, alerts) => void done.run(endpoint, JSON.stringify(alerts)),
    forget: (endpoint) => void forget.run(endpoint),
    all: () => all.all() as unknown as Pending[],
  };
}
