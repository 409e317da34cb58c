/**
 * The files of the history and their tables: a data directory in, connections out. Called by history.ts.
 *
 *   flows.duckdb    flows (ended), living (the newest entry of each flow that has not), series_* (figures over time)
 *   alerts.duckdb   alerts: a file of its own, so that no alert waits for a checkpoint of flows
 *
 * Row groups are small for a table this wide: a batch of {@link ROW_GROUP} rows is written to its place at once and not to the
 * write-ahead log, and no checkpoint has to write it again.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { makeFolder } from '../../folders.ts';
import { HistoryError } from '../history-checks.ts';
import { ALERT_COLUMNS, type Column, columnTypes, FLOW_COLUMNS, quoted } from './columns.ts';

export const ROW_GROUP = 16_384;

/** Bytes: a batch on its way takes one for each column. */
const BLOCK = 65_536;

/** DuckDB's own checkpoints come while statements read, and give rows other numbers: ours come between them (history.ts). */
const NO_CHECKPOINTS = '1TiB';

const FILES = { flows: 'flows.duckdb', alerts: 'alerts.duckdb' } as const;
export type DatabaseName = keyof typeof FILES;
const NAMES = Object.keys(FILES) as DatabaseName[];

const SERIES = ['series_1', 'series_60', 'series_3600'].map(
  (table) => `CREATE TABLE ${table} (batch BIGINT, stored BIGINT, time BIGINT, interface VARCHAR, name VARCHAR, value DOUBLE)`,
);

/** What makes version n + 1 of version n. Only ever appended to. Columns are looked after apart from it, by `addColumns`. */
const MIGRATIONS: Readonly<Record<DatabaseName, readonly (readonly string[])[]>> = {
  flows: [
    [
      `CREATE TABLE flows (${columnTypes(FLOW_COLUMNS)})`,
      `CREATE TABLE living (${columnTypes(FLOW_COLUMNS)})`,
      ...SERIES,
      // up to which batch of the finer series a roll-up has taken
      'CREATE TABLE series_marks (step BIGINT, batch BIGINT)',
    ],
  ],
  alerts: [[`CREATE TABLE alerts (${columnTypes(ALERT_COLUMNS)})`]],
};

const TABLES: Readonly<Record<DatabaseName, Readonly<Record<string, readonly Column[]>>>> = {
  flows: { flows: FLOW_COLUMNS, living: FLOW_COLUMNS },
  alerts: { alerts: ALERT_COLUMNS },
};

async function migrate(connection: DuckDBConnection, name: DatabaseName, file: string): Promise<void> {
  await connection.run(`USE ${name}`);
  await connection.run('BEGIN');
  await connection.run('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)');
  const reader = await connection.runAndReadAll('SELECT max(version) FROM schema_version');
  const version = Number(reader.getRows()[0]?.[0] ?? 0);
  const steps = MIGRATIONS[name];
  if (version > steps.length) {
    throw new HistoryError(`${file} was written by a newer flowpatrol (version ${version}, this one knows ${steps.length}); use that one`);
  }
  for (const step of steps.slice(version)) for (const statement of step) await connection.run(statement);
  if (version < steps.length) await connection.run(`INSERT INTO schema_version VALUES (${steps.length})`);
  for (const [table, columns] of Object.entries(TABLES[name])) await addColumns(connection, name, table, columns);
  await connection.run('COMMIT');
}

/** A field that is new since the file was written becomes a column; one whose type has changed keeps the values that fit. */
async function addColumns(connection: DuckDBConnection, name: string, table: string, columns: readonly Column[]): Promise<void> {
  const reader = await connection.runAndReadAll(
    'SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = $1 AND table_name = $2',
    [name, table],
  );
  const there = new Map(reader.getRows().map(([column, type]) => [String(column), String(type)]));
  for (const { name: column, type } of columns) {
    const before = there.get(column);
    if (before === undefined) await connection.run(`ALTER TABLE ${table} ADD COLUMN ${quoted(column)} ${type}`);
    else if (before !== type) {
      await connection.run(`ALTER TABLE ${table} ALTER ${quoted(column)} TYPE ${type} USING TRY_CAST(${quoted(column)} AS ${type})`);
    }
  }
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function wordsOf(error: unknown, file: string): HistoryError {
  if (error instanceof HistoryError) return error;
  const { message } = error as Error;
  if (/lock/i.test(message)) return new HistoryError(`${file} is in use by another process; end that, or give another data directory (-d)`);
  return new HistoryError(`${file} cannot be used: ${message.split('\n')[0]}; move it away to start with an empty history`);
}

export interface Database {
  connect(): Promise<DuckDBConnection>;
  /**
   * Closes a file and opens it again. What DuckDB knows of each column of each row group stays in memory from the moment it is written
   * (0.7 MiB a row group of flows, beside the memory limit); of a file that was just opened it is read when somebody asks.
   * No connection may work meanwhile. @throws HistoryError when it cannot be opened: nothing works then
   */
  renew(connection: DuckDBConnection, name: DatabaseName): Promise<void>;
  /** Bytes that hold data: blocks in use and write-ahead logs. Files keep the blocks that became free, for what comes next. */
  bytes(connection: DuckDBConnection): Promise<number>;
  /** Bytes of the write-ahead log of a file; of all without a name. */
  walBytes(name?: DatabaseName): number;
  /** Sizes of the files, with what is free in them. */
  fileBytes(): number;
  /** All connections must be closed. */
  close(): void;
}

export interface DatabaseOptions {
  /** Made where it is not there. */
  readonly directory: string;
  readonly memoryLimitMiB: number;
  readonly threads: number;
}

/** @throws HistoryError */
export async function openDatabase({ directory, memoryLimitMiB, threads }: DatabaseOptions): Promise<Database> {
  const spill = join(directory, 'history.tmp');
  try {
    makeFolder(directory);
  } catch (error) {
    throw new HistoryError((error as Error).message);
  }
  rmSync(spill, { recursive: true, force: true }); // of a run that was killed
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryLimitMiB}MiB`,
    temp_directory: spill,
    wal_autocheckpoint: NO_CHECKPOINTS,
    preserve_insertion_order: 'false',
    // nothing is loaded from anywhere
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const fileOf = (name: DatabaseName): string => join(directory, FILES[name]);
  const attachSql = (name: DatabaseName): string =>
    `ATTACH ${literal(fileOf(name))} AS ${name} (ROW_GROUP_SIZE ${ROW_GROUP}, BLOCK_SIZE ${BLOCK}, STORAGE_VERSION 'v1.4.0')`;

  /** Reads the write-ahead log again, if there is one. */
  async function attach(name: DatabaseName): Promise<void> {
    const file = fileOf(name);
    const connection = await instance.connect();
    try {
      await connection.run(attachSql(name));
      await migrate(connection, name, file);
    } catch (error) {
      throw wordsOf(error, file);
    } finally {
      connection.closeSync();
    }
  }

  const [refused] = (await Promise.allSettled(NAMES.map(attach))).filter((each) => each.status === 'rejected');
  if (refused !== undefined) {
    instance.closeSync();
    throw refused.reason;
  }

  const sizes = (suffix: string, names = NAMES): number =>
    names.reduce((sum, name) => sum + (statSync(join(directory, FILES[name] + suffix), { throwIfNoEntry: false })?.size ?? 0), 0);
  const walBytes = (name?: DatabaseName): number => sizes('.wal', name === undefined ? NAMES : [name]);

  return {
    connect: () => instance.connect(),
    async renew(connection, name) {
      await connection.run(`DETACH ${name}`);
      try {
        await connection.run(attachSql(name));
      } catch (error) {
        throw wordsOf(error, fileOf(name));
      }
    },
    async bytes(own) {
      const reader = await own.runAndReadAll(
        `SELECT coalesce(sum(used_blocks * block_size), 0)::DOUBLE FROM pragma_database_size() WHERE database_name IN ('flows', 'alerts')`,
      );
      return Number(reader.getRows()[0]?.[0] ?? 0) + walBytes();
    },
    walBytes,
    fileBytes: () => sizes(''),
    close: () => instance.closeSync(),
  };
}
