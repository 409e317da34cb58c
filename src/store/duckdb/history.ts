/**
 * The history on disk: a data directory in, a {@link History} out. Opened by the main thread, once; another process that opens the same
 * directory is refused.
 *
 *   writer of flows ── flows.duckdb ──┐
 *   writer of alerts ─ alerts.duckdb ─┼── pages, alerts, sums, exports and retention: lanes of their own
 *
 * A lane is a connection with its queue: a long export keeps neither a page nor an append waiting, and no page waits for a sum. From time to
 * time the file of flows is closed and opened again, between what the lanes do, so that memory does not grow with what was written.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FilterNames } from '../filter-check.ts';
import type { History } from '../history.ts';
import { HistoryError } from '../history-checks.ts';
import { createAlertStore } from './alerts.ts';
import { type DatabaseName, openDatabase } from './database.ts';
import { createFlowReader } from './flow-reader.ts';
import { createFlowWriter } from './flow-writer.ts';
import { createLane, type Held, type Lane } from './lane.ts';
import { retain } from './retention.ts';
import { createSeriesStore } from './series.ts';

/** Bytes of a write-ahead log at which it is emptied; what is in it is read again at a start after a crash. */
const MOST_WAL = 12 << 20;

export interface DuckHistoryOptions {
  /** Made where it is not there. */
  readonly directory: string;
  /** Of DuckDB, beside the memory of the program; 256 without it. */
  readonly memoryLimitMiB?: number;
  /** Of DuckDB; 1 without it: a second one waits in a busy loop while JavaScript fills a chunk of rows, which doubles what a row costs. */
  readonly threads?: number;
  /** How long flows wait for others to be written with, ms; 10,000 without it. 0: every append is written at once. */
  readonly lingerMs?: number;
  /** Flows that wait at most while the disk is slow; 100,000 without it. More are refused and counted. */
  readonly mostWaiting?: number;
  /** Batches of figures that a roll-up takes; 60 without it. */
  readonly rollUpBatches?: number;
  /** Rows that are written before the file of flows is opened anew; 500,000 without it. */
  readonly renewRows?: number;
  /** nDPI's names, so that a filter with a misspelt one is refused. */
  readonly names?: FilterNames;
  /** µs since 1970, by the wall clock: when entries are stored. */
  readonly clock?: () => number;
  /** Takes what went wrong without an answer to anybody: a checkpoint that failed. Its data are safe, in the write-ahead log. */
  readonly failed?: (error: Error) => void;
}

/** Since the start. */
export interface HistoryFigures {
  readonly flowsStored: number;
  /** Not stored: the disk was full, or too slow. */
  readonly flowsLost: number;
  readonly flowBatches: number;
  readonly alertsStored: number;
  readonly alertBatches: number;
  readonly pointsStored: number;
  /** Write-ahead logs that could not be emptied: the next start reads them. */
  readonly checkpointsFailed: number;
  /** Bytes of the files and of their write-ahead logs now. */
  readonly fileBytes: number;
  readonly walBytes: number;
}

export interface DuckHistory extends History {
  figures(): HistoryFigures;
  /** Writes the flows that wait for others, at once. */
  flush(): Promise<void>;
}

/**
 * @throws HistoryError when the files are in use, damaged, or of a newer version
 * @example const history = await openDuckHistory({ directory: '/var/lib/flowpatrol' })
 */
export async function openDuckHistory(options: DuckHistoryOptions): Promise<DuckHistory> {
  const { directory, memoryLimitMiB = 256, threads = 1, lingerMs = 10_000, mostWaiting = 100_000, rollUpBatches = 60, names } = options;
  const { renewRows = 500_000 } = options;
  const { failed = () => {} } = options;
  let checkpointsFailed = 0;
  const clock = options.clock ?? (() => Date.now() * 1000);
  const database = await openDatabase({ directory, memoryLimitMiB, threads });
  const lane = async (): Promise<Lane> => createLane(await database.connect());
  const [flowLane, alertLane, exports] = [await lane(), await lane(), await lane()];
  const [pages, alertPages, sums] = [await lane(), await lane(), await lane()];
  const writer = await createFlowWriter({ lane: flowLane, clock, lingerMs, mostWaiting });
  const alerts = await createAlertStore(alertLane, alertPages, clock, names);
  const series = await createSeriesStore(flowLane, pages, clock, rollUpBatches);
  const reader = createFlowReader({ pages, sums, exports, stamps: writer, names });

  /** All that works on a file, in the order in which it is waited for: pages wait for the shortest time. */
  const lanesOf: Readonly<Record<DatabaseName, readonly [exports: Lane, writer: Lane, ...Lane[]]>> = {
    flows: [exports, flowLane, sums, pages],
    alerts: [exports, alertLane, alertPages],
  };

  /** Nobody reads or writes the file meanwhile. */
  async function alone(name: DatabaseName, work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    const held: Held[] = [];
    try {
      for (const each of lanesOf[name]) held.push(await each.hold());
      await work((held[1] as Held).connection);
    } finally {
      for (const { release } of held) release();
    }
  }

  /** Empties the log: that makes the next start quick, and what cannot be done now the next start does. @returns whether it was done */
  async function empty(connection: DuckDBConnection, name: DatabaseName): Promise<boolean> {
    try {
      await connection.run(`CHECKPOINT ${name}`);
      return true;
    } catch (error) {
      checkpointsFailed++;
      const reason = `${(error as Error).message}; is there room on the disk?`;
      failed(new HistoryError(`the log of ${name} in ${directory} could not be emptied: ${reason}`));
      return false;
    }
  }

  const checkpoint = (name: DatabaseName): Promise<void> => alone(name, async (connection) => void (await empty(connection, name)));

  /** What is done with a file beside answers and rows, if something is. */
  const tidying = new Map<DatabaseName, Promise<void>>();
  /** Where that is done next. */
  const nextWal: Record<DatabaseName, number> = { flows: MOST_WAL, alerts: MOST_WAL };
  let nextRenewal = renewRows;

  function tidy(name: DatabaseName): void {
    const isOld = name === 'flows' && writer.stored >= nextRenewal;
    if (tidying.has(name) || (!isOld && database.walBytes(name) < nextWal[name])) return;
    const done = alone(name, async (connection) => {
      if (isOld) nextRenewal = writer.stored + renewRows;
      if ((await empty(connection, name)) && isOld) await database.renew(connection, name);
      // one that could not be emptied is tried again when it has grown as much
      nextWal[name] = database.walBytes(name) + MOST_WAL;
    }).finally(() => tidying.delete(name));
    tidying.set(name, done);
  }

  return {
    flows: reader.flows,
    top: reader.top,
    exportFlows: reader.exportFlows,
    flow: async (id) => writer.find(id) ?? reader.flow(id),
    async appendFlows(flows) {
      await writer.append(flows);
      tidy('flows');
    },
    flush: writer.flush,
    async putAlerts(given) {
      await alerts.put(given);
      tidy('alerts');
    },
    alerts: alerts.alerts,
    alert: alerts.alert,
    alertGroups: alerts.alertGroups,
    async appendSeries(points) {
      await series.append(points);
      tidy('flows');
    },
    series: (query) => (query.filter === undefined ? series.series(query) : reader.series(query)),
    retain: (retention, now) =>
      retain({ database, writer: flowLane, alerts: alertLane, keeper: exports, checkpoint, forget: reader.forget }, retention, now),
    figures: () => ({
      flowsStored: writer.stored,
      flowsLost: writer.lost,
      flowBatches: writer.batches,
      alertsStored: alerts.stored,
      alertBatches: alerts.batches,
      pointsStored: series.stored,
      checkpointsFailed,
      fileBytes: database.fileBytes(),
      walBytes: database.walBytes(),
    }),
    async close() {
      await writer.flush();
      await alerts.close();
      await Promise.all(tidying.values());
      await checkpoint('flows');
      await checkpoint('alerts');
      await Promise.all([flowLane, alertLane, exports, pages, alertPages, sums].map((each) => each.close()));
      database.close();
    },
  };
}
