/**
 * Writes flows: entries in one by one or in thousands, transactions out. Called by history.ts.
 *
 *   append ──► waiting ──a batch, one transaction──► flows    ended: one row a flow
 *                                              └──► living   not ended: the newest entry of each flow
 *
 * A batch is a row group, or what has come in a few seconds. Nothing follows the entry of an ended flow, so no query has to look for the
 * last entry of a flow: what `living` has of it goes in the same transaction.
 */
import { type DuckDBConnection, listValue } from '@duckdb/node-api';
import type { FlowEntry } from '../history.ts';
import { HistoryError } from '../history-checks.ts';
import { createRowSource, type StoredRow } from './chunks.ts';
import { FLOW_COLUMNS } from './columns.ts';
import { ROW_GROUP } from './database.ts';
import type { Lane } from './lane.ts';

export interface FlowWriter {
  /** @returns when the entries are on disk. @throws HistoryError when they are not, and never will be */
  append(entries: readonly FlowEntry[]): Promise<void>;
  /** Writes what waits, without waiting for more. */
  flush(): Promise<void>;
  /** The newest entry of a flow among those that are not stored yet. */
  find(id: string): FlowEntry | undefined;
  /** Entries that were stored, and that were not; transactions. */
  readonly stored: number;
  readonly lost: number;
  readonly batches: number;
}

export interface FlowWriterOptions {
  readonly lane: Lane;
  /** µs since 1970, by the wall clock. */
  readonly clock: () => number;
  /** How long an entry waits for others at most, ms. */
  readonly lingerMs: number;
  /** Entries that wait at most while the disk is slow; more are refused. */
  readonly mostWaiting: number;
}

interface Batch {
  readonly done: PromiseWithResolvers<void>;
  readonly entries: FlowEntry[];
}

const newBatch = (): Batch => {
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {}); // whoever appended hears of it
  return { done, entries: [] };
};

const idOf = ({ flow }: FlowEntry): string => String(flow['flow.id']);

export async function createFlowWriter({ lane, clock, lingerMs, mostWaiting }: FlowWriterOptions): Promise<FlowWriter> {
  const source = await lane.run(async (connection) => createRowSource(connection, 'entries_of_flows', FLOW_COLUMNS));
  /** Ids that have a row in `living`. */
  const living = await lane.run(
    async (connection) => new Set((await (await connection.run('SELECT flow_id FROM flows.living')).getRows()).map(([id]) => String(id))),
  );
  /** Of entries that come now, and of those that are being written. */
  let batch = newBatch();
  let writing = newBatch();
  let timer: NodeJS.Timeout | undefined;
  let hurried = false;
  let working: Promise<void> | undefined;
  let stored = 0;
  let lost = 0;
  let batches = 0;

  /** @returns what holds once the transaction does */
  async function write(connection: DuckDBConnection): Promise<() => void> {
    const now = clock();
    const rowOf = ({ time, interface: name, ended, flow }: FlowEntry): StoredRow => ({
      own: { _time: time, _stored: now, _interface: name, _ended: ended },
      flow,
    });
    const ended: StoredRow[] = [];
    /** The newest entry of each flow that has not ended. */
    const newest = new Map<string, FlowEntry>();
    const outdated = new Set<string>();
    for (const entry of writing.entries) {
      const id = idOf(entry);
      if (living.has(id)) outdated.add(id);
      if (entry.ended) {
        newest.delete(id);
        ended.push(rowOf(entry));
      } else newest.set(id, entry);
    }
    if (outdated.size > 0) {
      await connection.run('DELETE FROM flows.living WHERE flow_id IN (SELECT unnest($1))', [listValue([...outdated])]);
    }
    if (ended.length > 0) await source.insertInto(connection, 'flows.flows', ended);
    if (newest.size > 0) await source.insertInto(connection, 'flows.living', [...newest.values()].map(rowOf));
    return () => {
      for (const id of outdated) living.delete(id);
      for (const id of newest.keys()) living.add(id);
    };
  }

  async function commit(): Promise<void> {
    writing = batch;
    batch = newBatch();
    hurried = false;
    clearTimeout(timer);
    timer = undefined;
    const { done, entries } = writing;
    try {
      (await lane.transaction(write))();
      stored += entries.length;
      batches++;
      done.resolve();
    } catch (error) {
      lost += entries.length;
      done.reject(new HistoryError(`${entries.length} flows could not be stored: ${(error as Error).message}; is there room on the disk?`));
    }
    writing = newBatch();
  }

  const isDue = (): boolean => batch.entries.length > 0 && (hurried || batch.entries.length >= ROW_GROUP || lingerMs === 0);

  async function work(): Promise<void> {
    while (isDue()) await commit();
    working = undefined;
  }

  const start = (): void => {
    if (isDue()) working ??= work();
  };

  async function flush(): Promise<void> {
    hurried = true;
    start();
    await working;
    hurried = false;
  }

  return {
    get stored() {
      return stored;
    },
    get lost() {
      return lost;
    },
    get batches() {
      return batches;
    },
    append(entries) {
      if (entries.length === 0) return Promise.resolve();
      const waiting = batch.entries.length;
      if (waiting + entries.length > mostWaiting) {
        lost += entries.length;
        const reason = `${waiting} others wait, ${mostWaiting} are the most: the disk is too slow for them`;
        return Promise.reject(new HistoryError(`${entries.length} flows were not stored: ${reason}`));
      }
      for (const entry of entries) batch.entries.push(entry);
      timer ??= setTimeout(() => {
        hurried = true;
        start();
      }, lingerMs).unref();
      const { promise } = batch.done;
      start();
      return promise;
    },
    find: (id) => batch.entries.findLast((entry) => idOf(entry) === id) ?? writing.entries.findLast((entry) => idOf(entry) === id),
    flush,
  };
}
