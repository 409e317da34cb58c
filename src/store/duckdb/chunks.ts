/**
 * Rows as columns: objects in, what DuckDB inserts out, without looking at single values. Called by flow-writer.ts and alerts.ts.
 *
 *   { _time, …, } { 'cli.ip': …, bytes: … } ──► one array and one bitmap of validity per column ──► data chunk
 *
 * What fits no column (a key of a newer version, a value of another type) goes into `_rest`, as JSON: nothing is lost.
 */
import { BIGINT, BOOLEAN, DOUBLE, type DuckDBConnection, type DuckDBDataChunk, DuckDBTableFunction, VARCHAR } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { FieldValue } from '../../flows/fields.ts';
import type { FlowRow } from '../history.ts';
import { addressKey, type Column, columnList } from './columns.ts';

/** Rows of a chunk. DuckDB takes up to 2,048; fewer keep the main thread for some milliseconds only. */
const CHUNK_ROWS = 512;

/** Values of the store's own columns; what is absent is NULL. */
export type OwnValues = Readonly<Record<string, string | number | boolean | undefined>>;

export interface StoredRow {
  readonly own: OwnValues;
  readonly flow: FlowRow;
}

interface Target {
  /** Bits of the rows that have a value. */
  readonly valid: Uint8Array<ArrayBuffer>;
  /** In the layout of the column. */
  readonly data: Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
  /** Texts that do not fit there, by rows: DuckDB takes them one by one. */
  readonly long?: [row: number, text: string][];
  /** @returns false for a value that is none of the column's */
  readonly put: (row: number, value: FieldValue) => boolean;
}

const TWO_32 = 2 ** 32;

/** `duckdb_string_t`: the length in four bytes, then a text of up to 12 bytes and zeros, or where a longer one lies. */
const STRING_BYTES = 16;
const INLINE = 12;

/** Writes a short text of ASCII, as most are, in its place. @returns its length; 0 for every other text */
function inline(text: string, data: Uint8Array, at: number): number {
  const begin = at + STRING_BYTES - INLINE;
  data.fill(0, at, at + STRING_BYTES);
  if (text.length > INLINE) return 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      data.fill(0, begin, begin + i);
      return 0;
    }
    data[begin + i] = code;
  }
  return text.length;
}

/** As the rows come; JSON is a text until it is in its column. */
const TYPES = { BIGINT, DOUBLE, BOOLEAN, VARCHAR, JSON: VARCHAR } as const;

/** JSON that DuckDB accepts: halves of surrogate pairs, which texts of JavaScript may have, are none. */
function jsonOf(value: FieldValue): string {
  const text = JSON.stringify(value);
  if (!/\\ud[89a-f]/.test(text)) return text;
  return JSON.stringify(value, (_, each) => (typeof each === 'string' ? each.toWellFormed() : each));
}

function createTarget(type: Column['type']): Target {
  const valid = new Uint8Array(CHUNK_ROWS / 8);
  const target = { valid };
  const set = (row: number): true => {
    valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
    return true;
  };
  switch (type) {
    case 'BIGINT': {
      const data = new Int32Array(CHUNK_ROWS * 2); // two's complement, low half first: no BigInt is made
      const put = (row: number, value: FieldValue): boolean => {
        if (!Number.isSafeInteger(value)) return false;
        const high = Math.floor((value as number) / TWO_32);
        data[row * 2] = (value as number) - high * TWO_32;
        data[row * 2 + 1] = high;
        return set(row);
      };
      return { ...target, data, put };
    }
    case 'DOUBLE': {
      const data = new Float64Array(CHUNK_ROWS);
      const put = (row: number, value: FieldValue): boolean => {
        if (typeof value !== 'number') return false;
        data[row] = value;
        return set(row);
      };
      return { ...target, data, put };
    }
    case 'BOOLEAN': {
      const data = new Uint8Array(CHUNK_ROWS);
      const put = (row: number, value: FieldValue): boolean => {
        if (typeof value !== 'boolean') return false;
        data[row] = value ? 1 : 0;
        return set(row);
      };
      return { ...target, data, put };
    }
    default: {
      const isText = type === 'VARCHAR';
      const data = new Uint8Array(CHUNK_ROWS * STRING_BYTES);
      const lengths = new Uint32Array(data.buffer);
      const long: [number, string][] = [];
      const put = (row: number, value: FieldValue): boolean => {
        if (typeof value !== (isText ? 'string' : 'object')) return false;
        const text = isText ? (value as string) : jsonOf(value);
        const length = inline(text, data, row * STRING_BYTES);
        lengths[row * (STRING_BYTES / 4)] = length;
        if (length < text.length) long.push([row, text]);
        return set(row);
      };
      return { ...target, data, long, put };
    }
  }
}

export interface RowSource {
  /** Inserts rows into a table that has the columns, within the transaction of the connection. One call at a time. */
  insertInto(connection: DuckDBConnection, table: string, rows: readonly StoredRow[]): Promise<void>;
}

/**
 * A table function that DuckDB's threads pull rows from, a chunk at a time, while they compress and write what they have.
 * @param name unique in the instance of the connection
 */
export function createRowSource(connection: DuckDBConnection, name: string, columns: readonly Column[]): RowSource {
  const targets = columns.map(({ type }) => createTarget(type));
  const byKey = new Map(columns.map(({ key, name: column }, i) => [key ?? column, targets[i] as Target]));
  const rest = byKey.get('_rest') as Target;
  const list = columnList(columns);
  let rows: readonly StoredRow[] = [];
  let next = 0;

  function put(at: number, { own, flow }: StoredRow): void {
    const putOwn = (key: string, value: FieldValue | undefined): void => {
      if (value !== undefined) byKey.get(key)?.put(at, value);
    };
    for (const key in own) putOwn(key, own[key]);
    putOwn('_client', addressKey(flow['cli.ip']));
    putOwn('_server', addressKey(flow['srv.ip']));
    let left: Record<string, FieldValue> | undefined;
    for (const key in flow) {
      const value = flow[key] as FieldValue | undefined;
      if (value === undefined || (byKey.get(key)?.put(at, value) ?? false)) continue;
      left ??= {};
      left[key] = value;
    }
    if (left !== undefined) rest.put(at, left);
  }

  function fill(chunk: DuckDBDataChunk): void {
    const count = Math.min(CHUNK_ROWS, rows.length - next);
    chunk.rowCount = count;
    if (count === 0) return;
    for (const { valid, long } of targets) {
      valid.fill(0);
      if (long !== undefined) long.length = 0;
    }
    for (let i = 0; i < count; i++) put(i, rows[next++] as StoredRow);
    for (const [i, { valid, data, long }] of targets.entries()) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, i);
      duckdb.copy_data_to_vector(vector, 0, data.buffer, 0, (data.byteLength / CHUNK_ROWS) * count);
      for (const [row, text] of long ?? []) duckdb.vector_assign_string_element(vector, row, text);
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
    }
  }

  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      bindFunction(info) {
        for (const { name: column, type } of columns) info.addResultColumn(column, TYPES[type]);
        info.setCardinality(rows.length, true);
      },
      initFunction() {},
      mainFunction: (_, chunk) => fill(chunk),
    }),
  );

  return {
    async insertInto(own, table, given) {
      rows = given;
      next = 0;
      try {
        await own.run(`INSERT INTO ${table} (${list}) SELECT ${list} FROM ${name}()`);
      } finally {
        rows = [];
      }
    },
  };
}
