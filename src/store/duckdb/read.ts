/** What statements answer: columns of DuckDB in, values and rows out. Called by flows.ts, alerts.ts, series.ts. */
import type { DuckDBConnection, DuckDBMaterializedResult, DuckDBValue } from '@duckdb/node-api';
import type { FieldValue } from '../../flows/fields.ts';
import type { FlowEntry } from '../history.ts';
import { columnList, FIELD_COLUMNS } from './columns.ts';
import type { Parameters } from './parameters.ts';

export const ask = (connection: DuckDBConnection, statement: string, { values, types }: Parameters): Promise<DuckDBMaterializedResult> =>
  connection.run(statement, [...values], [...types]);

/** Rows as arrays; whole numbers are numbers. */
export async function rowsOf(result: DuckDBMaterializedResult): Promise<(string | number | boolean | null)[][]> {
  const rows = await result.getRows();
  return rows.map((row) =>
    row.map((value: DuckDBValue) => (typeof value === 'bigint' ? Number(value) : (value as string | number | boolean | null))),
  );
}

/** The first value of the first row, as a number. */
export async function numberOf(result: DuckDBMaterializedResult): Promise<number> {
  return Number((await rowsOf(result))[0]?.[0] ?? 0);
}

/** What {@link readEntries} reads; before it may stand one column, by which rows are told apart. */
export const ENTRY_COLUMNS = `"_time", "_interface", "_ended", "_rest", ${columnList(FIELD_COLUMNS)}`;

const OWN = 4;

/** @param result of `SELECT place, ENTRY_COLUMNS` @returns entries by place */
export async function readEntries(result: DuckDBMaterializedResult): Promise<Map<number, FlowEntry>> {
  const entries = new Map<number, FlowEntry>();
  for (const row of await rowsOf(result)) {
    const [place, time, name, ended, rest] = row as [number, number, string, boolean, string | null];
    const flow: Record<string, FieldValue> = {};
    for (const [i, { key, type }] of FIELD_COLUMNS.entries()) {
      const value = row[i + OWN + 1];
      if (value === null || value === undefined) continue;
      flow[key as string] = type === 'JSON' ? (JSON.parse(value as string) as FieldValue) : value;
    }
    if (rest !== null) Object.assign(flow, JSON.parse(rest));
    entries.set(place, { time, interface: name, ended, flow });
  }
  return entries;
}
