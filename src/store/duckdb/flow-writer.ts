/**
 * Writes flows: entries in one by one or in thousands, transactions out. Called by history.ts.
 *
 *   append ──► waiting ──a batch, one transaction──► flows    ended: one row a flow
 *                                              └──► living   not ended: the newest entry of each flow
 *
 * A batch is exactly a row group, which goes to its place at once (rows beyond it would go by the write-ahead log), or what has come in a few
 * seconds. Nothing follows the entry of an ended flow, so no query has to look for the
 * last entry of a flow: what `living` has of it goes in the same transaction.
 */
import { type DuckDBConnection, listValue } from '@duckdb/node-api';
import { type FlowEntry, plainEntry } from '../history.ts';
import { HistoryError } from '../history-checks.ts';
import { createRowSource, type StoredRow } from './chunks.ts';
import { FLOW_COLUMNS } from './columns.ts';
import { ROW_GROUP } from './database.ts';
import type { Lane } from './lane.ts';
import { numberOf } from './read.ts';

export interface FlowWriter {
  /** @returns when the entries are on disk. @throws HistoryError when they are not, and never will be */
  append(entries: readonly FlowEntry[]): Promise<void>;
  /** Writes what waits, without waiting for more. */
  flush(): Promise<void>;
  /** The newest entry of a flow among those that are not stored yet. */
  find(id: string): FlowEntry | undefined;
  /**
   * `_stored` of the last batch of ended flows that is stored: those of later ones are larger. undefined: the clock has gone back, and they
   * may not be.
   */
  lastBatch(): number | undefined;
  /** `_stored` of the first of the last batches that make a row group together. */
  recent(): number;
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

/** µs: a clock that is put right by less is waited for. */
const MOST_BACK = 60e6;
/** Entries that are looked at between two turns of the event loop. */
const SLICE = 2048;

interface Batch {
  readonly done: PromiseWithResolvers<void>;
  readonly entries: FlowEntry[];
}

const newBatch = (): Batch => {
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {}); // whoever appended hears of it
  return { done, entries: [] };
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function idOf(entry: FlowEntry): string {
  const { event } = entry;
  if (event === undefined) return String(entry.flow['flow.id']);
  event.view.set(event.bytes, event.at);
  return event.view.flowId();
}

export async function createFlowWriter({ lane, clock, lingerMs, mostWaiting }: FlowWriterOptions): Promise<FlowWriter> {
  const source = await lane.run(async (connection) => createRowSource(connection, 'entries_of_flows', FLOW_COLUMNS, ROW_GROUP));
  /** Ids that have a row in `living`. */
  const living = await lane.run(
    async (connection) => new Set((await (await connection.run('SELECT flow_id FROM flows.living')).getRows()).map(([id]) => String(id))),
  );
  /** Of the newest rows of `flows`. */
  let last = await lane.run(async (connection) => numberOf(await connection.run('SELECT max("_stored") FROM flows.flows')));
  /** Rows of each batch by its `_stored`, of the last ones. */
  const lately: { readonly stored: number; readonly rows: number }[] = [{ stored: last, rows: 0 }];
  /** Batches come in the order of their `_stored`. */
  let inOrder = true;
  /** The last one is of entries that come now; the others are full. */
  const batches = [newBatch()];
  /** What is being written. */
  let writing = newBatch();
  /** Entries in the batches. */
  let waiting = 0;
  let timer: NodeJS.Timeout | undefined;
  let hurried = false;
  let working: Promise<void> | undefined;
  let stored = 0;
  let lost = 0;
  let transactions = 0;

  /** When the batch that is written now is stored: no two have the same. */
  function stamp(): number {
    const now = clock();
    if (now <= last - MOST_BACK) inOrder = false;
    return inOrder ? Math.max(now, last + 1) : now;
  }

  /** @returns what holds once the transaction does */
  async function write(connection: DuckDBConnection): Promise<() => void> {
    const now = stamp();
    const rowOf = (entry: FlowEntry): StoredRow => {
      const own = { _time: entry.time, _stored: now, _interface: entry.interface, _ended: entry.ended };
      return entry.event === undefined ? { own, flow: entry.flow } : { own, event: entry.event };
    };
    const ended: StoredRow[] = [];
    /** The newest entry of each flow that has not ended. */
    const newest = new Map<string, FlowEntry>();
    const outdated = new Set<string>();
    for (const [i, entry] of writing.entries.entries()) {
      if (i % SLICE === SLICE - 1) await nextTurn();
      if (entry.ended) ended.push(rowOf(entry));
      if (entry.ended && living.size === 0 && newest.size === 0) continue;
      const id = idOf(entry);
      if (living.has(id)) outdated.add(id);
      if (entry.ended) newest.delete(id);
      else newest.set(id, entry);
    }
    if (outdated.size > 0) {
      await connection.run('DELETE FROM flows.living WHERE flow_id IN (SELECT unnest($1))', [listValue([...outdated])]);
    }
    if (ended.length > 0) await source.insertInto(connection, 'flows.flows', ended);
    if (newest.size > 0) await source.insertInto(connection, 'flows.living', [...newest.values()].map(rowOf));
    return () => {
      if (ended.length > 0) {
        last = now;
        lately.push({ stored: now, rows: ended.length });
        let rows = lately.reduce((sum, batch) => sum + batch.rows, 0);
        while (rows - (lately[0] as { rows: number }).rows >= ROW_GROUP) rows -= (lately.shift() as { rows: number }).rows;
      }
      for (const id of outdated) living.delete(id);
      for (const id of newest.keys()) living.add(id);
    };
  }

  async function commit(): Promise<void> {
    writing = batches.shift() as Batch;
    if (batches.length === 0) batches.push(newBatch());
    const { done, entries } = writing;
    waiting -= entries.length;
    if (waiting === 0) {
      hurried = false;
      clearTimeout(timer);
      timer = undefined;
    }
    try {
      (await lane.transaction(write))();
      stored += entries.length;
      transactions++;
      done.resolve();
    } catch (error) {
      lost += entries.length;
      done.reject(new HistoryError(`${entries.length} flows could not be stored: ${(error as Error).message}; is there room on the disk?`));
    }
    writing = newBatch();
  }

  const isDue = (): boolean => waiting > 0 && (hurried || batches.length > 1 || lingerMs === 0);

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
    lastBatch: () => (inOrder ? last : undefined),
    recent: () => lately[0]?.stored ?? 0,
    get stored() {
      return stored;
    },
    get lost() {
      return lost;
    },
    get batches() {
      return transactions;
    },
    append(entries) {
      if (entries.length === 0) return Promise.resolve();
      if (waiting + entries.length > mostWaiting) {
        lost += entries.length;
        const reason = `${waiting} others wait, ${mostWaiting} are the most: the disk is too slow for them`;
        return Promise.reject(new HistoryError(`${entries.length} flows were not stored: ${reason}`));
      }
      const done: Promise<void>[] = [];
      for (let at = 0; at < entries.length; ) {
        const last = batches.at(-1) as Batch;
        const end = Math.min(entries.length, at + ROW_GROUP - last.entries.length);
        for (; at < end; at++) last.entries.push(entries[at] as FlowEntry);
        done.push(last.done.promise);
        if (last.entries.length === ROW_GROUP) batches.push(newBatch());
      }
      waiting += entries.length;
      timer ??= setTimeout(() => {
        hurried = true;
        start();
      }, lingerMs).unref();
      start();
      return Promise.all(done).then(() => {});
    },
    find(id) {
      const isIt = (entry: FlowEntry): boolean => idOf(entry) === id;
      const found = batches.findLast(({ entries }) => entries.some(isIt))?.entries.findLast(isIt) ?? writing.entries.findLast(isIt);
      return found === undefined ? undefined : plainEntry(found);
    },
    flush,
  };
}
