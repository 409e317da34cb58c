/**
 * Takes away what is too old or too much: a policy in, a number of rows out. Called by history.ts.
 *
 * Age is the time since an entry was stored: a capture of two years ago that was read today is there as long as everything else of today.
 */
import type { Retention } from '../history.ts';
import { ROLL_UPS } from '../history-checks.ts';
import type { Database, DatabaseName } from './database.ts';
import type { Lane } from './lane.ts';
import { numberOf, rowsOf } from './read.ts';

/** Rows of a transaction. */
const BATCH = 100_000;

/** How long the finer series are kept at most, s: a day of seconds, two months of minutes. */
const SERIES_SECONDS: Readonly<Record<number, number>> = { 1: 86_400, 60: 62 * 86_400 };

/** Deletes are told of at a checkpoint at the earliest, so that what is still too much is looked at again. */
const MOST_ROUNDS = 4;

export interface RetentionOptions {
  readonly database: Database;
  /** Of flows. */
  readonly writer: Lane;
  readonly alerts: Lane;
  /** A lane of its own. */
  readonly keeper: Lane;
  readonly checkpoint: (name: DatabaseName) => Promise<void>;
  /** Rows of flows have gone. */
  readonly forget: () => void;
}

/** @param now µs since 1970, by the wall clock */
export async function retain(
  { database, writer, alerts, keeper, checkpoint, forget }: RetentionOptions,
  retention: Retention,
  now: number,
): Promise<number> {
  let gone = 0;

  /** In batches, between which others may write. */
  async function deleteStoredBefore(table: string, column: string, before: number, lane: Lane): Promise<void> {
    for (;;) {
      const deleted = await lane.run(async (connection) =>
        numberOf(
          await connection.run(
            `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${column} < ${Math.floor(before)} LIMIT ${BATCH})`,
          ),
        ),
      );
      gone += deleted;
      if (deleted > 0 && table === 'flows.flows') forget();
      if (deleted < BATCH) return;
    }
  }

  const checkpointAll = async (): Promise<void> => {
    await checkpoint('flows');
    await checkpoint('alerts');
  };

  const before = now - retention.seconds * 1e6;
  await deleteStoredBefore('flows.flows', '"_stored"', before, keeper);
  await deleteStoredBefore('flows.living', '"_stored"', before, writer);
  for (const step of ROLL_UPS) {
    const seconds = Math.min(SERIES_SECONDS[step] ?? retention.seconds, retention.seconds);
    await deleteStoredBefore(`flows.series_${step}`, 'stored', now - seconds * 1e6, keeper);
  }
  await deleteStoredBefore('alerts.alerts', '"_stored"', before, alerts);

  gone += await alerts.run(async (connection) => {
    const excess = (await numberOf(await connection.run('SELECT count(*) FROM alerts.alerts'))) - retention.mostAlerts;
    if (excess <= 0) return 0;
    const oldest = `SELECT rowid FROM alerts.alerts ORDER BY "_stored", "_id" LIMIT ${excess}`;
    return numberOf(await connection.run(`DELETE FROM alerts.alerts WHERE rowid IN (${oldest})`));
  });

  for (let round = 0; round < MOST_ROUNDS; round++) {
    const bytes = await keeper.run((connection) => database.bytes(connection));
    if (bytes <= retention.mostBytes) break;
    await checkpointAll();
    const inUse = await keeper.run((connection) => database.bytes(connection));
    if (inUse <= retention.mostBytes) break;
    // a little more than needed: the next call shall not have to do it again at once
    const share = Math.min(1, (1 - retention.mostBytes / inUse) * 1.1 + 0.02);
    const cut = await keeper.run(async (connection) => {
      const rows = await rowsOf(await connection.run(`SELECT quantile_disc("_stored", ${share})::DOUBLE FROM flows.flows`));
      return rows[0]?.[0] as number | null;
    });
    if (cut === null) break; // no flow is left
    await deleteStoredBefore('flows.flows', '"_stored"', cut + 1, keeper);
    await checkpointAll();
  }
  return gone;
}
