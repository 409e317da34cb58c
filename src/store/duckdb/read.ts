/** What statements answer: columns of DuckDB in, values and rows out. Called by flows.ts, alerts.ts, series.ts. */
import type { DuckDBConnection, DuckDBMaterializedResult, DuckDBValue } from '@duckdb/node-api';
import type { FieldValue } from '../../flows/fields.ts';
import type { FlowEntry } from '../history.ts';
import { type Column, FIELD_COLUMNS, quoted } from './columns.ts';
import type { Parameters } from './parameters.ts';

/**
 * A statement, with what is bound to it. Each step of one is a turn in libuv's pool and one of the event loop, which rows of the history
 * keep busy: a question takes as few of them as it can.
 */
export async function ask(
  connection: DuckDBConnection,
  statement: string,
  { values, types }: Parameters,
): Promise<DuckDBMaterializedResult> {
  if (values.length === 0) return connection.run(statement);
  const prepared = await connection.prepare(statement);
  try {
    prepared.bind([...values], [...types]);
    return await prepared.run();
  } finally {
    prepared.destroySync();
  }
}

/** Rows as arrays; whole numbers are numbers. */
export async function rowsOf(result: DuckDBMaterializedResult): Promise<(string | number | boolean | null)[][]> {
  const all: (string | number | boolean | null)[][] = [];
  for (let i = 0; i < result.chunkCount; i++) {
    for (const row of result.getChunk(i).getRows()) {
      all.push(row.map((value: DuckDBValue) => (typeof value === 'bigint' ? Number(value) : (value as string | number | boolean | null))));
    }
  }
  return all;
}

/** The first value of the first row, as a number. */
export async function numberOf(result: DuckDBMaterializedResult): Promise<number> {
  return Number((await rowsOf(result))[0]?.[0] ?? 0);
}

/** What is read of the rows of a page. */
export interface EntryColumns {
  readonly sql: string;
  readonly fields: readonly Column[];
}

const OWN = ['"_time"', '"_interface"', '"_ended"'] as const;

/** @param keys of the rows, all without it: every column that is read costs a page of scattered rows some milliseconds */
export function entryColumns(keys?: readonly string[]): EntryColumns {
  const wanted = keys === undefined ? undefined : new Set(keys);
  const fields = FIELD_COLUMNS.filter(({ key }) => wanted === undefined || wanted.has(key as string));
  // what no column takes is a part of the whole row alone
  const rest = wanted === undefined ? '"_rest"' : 'NULL';
  return { sql: [...OWN, rest, ...fields.map(({ name }) => quoted(name))].join(', '), fields };
}

/** @param result of `SELECT <columns.sql>` */
export async function readEntries(result: DuckDBMaterializedResult, { fields }: EntryColumns): Promise<FlowEntry[]> {
  return (await rowsOf(result)).map((row) => {
    const [time, name, ended, rest] = row as [number, string, boolean, string | null];
    const flow: Record<string, FieldValue> = {};
    for (const [i, { key, type }] of fields.entries()) {
      const value = row[i + OWN.length + 1];
      if (value === null || value === undefined) continue;
      flow[key as string] = type === 'JSON' ? (JSON.parse(value as string) as FieldValue) : value;
    }
    if (rest !== null) Object.assign(flow, JSON.parse(rest));
    return { time, interface: name, ended, flow };
  });
}
