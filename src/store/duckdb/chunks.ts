/**
 * Rows as columns: entries in, what DuckDB inserts out, without looking at single values. Called by flow-writer.ts and alerts.ts.
 *
 *   { _time, …, } { 'cli.ip': …, bytes: … } ──┐
 *   { _time, …, } lifecycle event ──FIELDS────┴──► targets.ts: one per column ──► data chunk
 *
 * Of an event no object is made: each field is read into its column. What fits no column (a key of a newer version, a value of another
 * type) goes into `_rest`, as JSON: nothing is lost.
 */
import { BIGINT, BOOLEAN, DOUBLE, type DuckDBConnection, type DuckDBDataChunk, DuckDBTableFunction, VARCHAR } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { E_CLIENT, E_SERVER } from '../../flows/event.ts';
import { FIELDS, type Field, type FieldValue } from '../../flows/fields.ts';
import type { EventView } from '../../flows/view.ts';
import type { FlowEvent, FlowRow } from '../history.ts';
import { addressKey, type Column, columnList, eventAddress } from './columns.ts';
import { createShapes, type Shapes } from './shapes.ts';
import { CHUNK_ROWS, createTarget, type Target } from './targets.ts';

/** Values of the store's own columns; what is absent is NULL. */
export type OwnValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** The fields are those of the event, if there is one. */
export type StoredRow =
  | { readonly own: OwnValues; readonly flow: FlowRow; readonly event?: undefined }
  | { readonly own: OwnValues; readonly event: FlowEvent };

const EVERY_FIELD: readonly number[] = FIELDS.map((_, place) => place);

/** As the rows come; JSON is a text until it is in its column. */
const TYPES = { BIGINT, DOUBLE, BOOLEAN, VARCHAR, JSON: VARCHAR } as const;

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
  const targetOf = (key: string): Target => byKey.get(key) as Target;
  const [rest, client, server] = [targetOf('_rest'), targetOf('_client'), targetOf('_server')];
  const fieldTargets = FIELDS.map(({ key }) => targetOf(key));
  const shapes = new WeakMap<EventView, Shapes>();
  const list = columnList(columns);
  let rows: readonly StoredRow[] = [];
  let next = 0;

  function putFlow(at: number, flow: FlowRow): void {
    const [from, to] = [addressKey(flow['cli.ip']), addressKey(flow['srv.ip'])];
    if (from !== undefined) client.put(at, from, false);
    if (to !== undefined) server.put(at, to, false);
    let left: Record<string, FieldValue> | undefined;
    for (const key in flow) {
      const value = flow[key] as FieldValue | undefined;
      if (value === undefined || (byKey.get(key)?.put(at, value, false) ?? false)) continue;
      left ??= {};
      left[key] = value;
    }
    if (left !== undefined) rest.put(at, left, false);
  }

  function putEvent(at: number, { view, bytes, at: offset }: FlowEvent): void {
    view.set(bytes, offset);
    client.put(at, eventAddress(bytes, offset + E_CLIENT, view.isIpv6()), false);
    server.put(at, eventAddress(bytes, offset + E_SERVER, view.isIpv6()), false);
    let left: Record<string, FieldValue> | undefined;
    const putField = (place: number, value: FieldValue | undefined): void => {
      if (value === undefined || (fieldTargets[place] as Target).put(at, value, true)) return;
      left ??= {};
      left[(FIELDS[place] as Field).key] = value;
    };
    let ofView = shapes.get(view);
    if (ofView === undefined) shapes.set(view, (ofView = createShapes(view, FIELDS)));
    const shape = ofView.of(bytes, offset);
    for (const { place, value } of shape?.fixed ?? []) putField(place, value);
    for (const place of shape?.varying ?? EVERY_FIELD) putField(place, (FIELDS[place] as Field).read(view));
    if (left !== undefined) rest.put(at, left, true);
  }

  function put(at: number, row: StoredRow): void {
    for (const key in row.own) {
      const value = row.own[key];
      if (value !== undefined) byKey.get(key)?.put(at, value, false);
    }
    if (row.event === undefined) putFlow(at, row.flow);
    else putEvent(at, row.event);
  }

  function fill(chunk: DuckDBDataChunk): void {
    const count = Math.min(CHUNK_ROWS, rows.length - next);
    chunk.rowCount = count;
    if (count === 0) return;
    for (let i = 0; i < count; i++) put(i, rows[next++] as StoredRow);
    for (const [i, target] of targets.entries()) target.moveTo(duckdb.data_chunk_get_vector(chunk.chunk, i), count);
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
