/**
 * Rows as columns: entries in, what DuckDB inserts out, without looking at single values. Called by flow-writer.ts and alerts.ts.
 *
 *   { _time, …, } { 'cli.ip': …, bytes: … } ──┐
 *   { _time, …, } lifecycle event ──FIELDS────┴──► targets.ts: one per column ──block of rows──► chunks ──► INSERT
 *                                  in slices: the event loop goes on                             in DuckDB's thread, copied
 *
 * Of an event no object is made: each field is read into its column. Columns that no row of the block has are left out. What fits no column
 * (a key of a newer version, a value of another type) goes into `_rest`, as JSON: nothing is lost.
 */
import { BIGINT, BOOLEAN, DOUBLE, type DuckDBConnection, type DuckDBDataChunk, DuckDBTableFunction, VARCHAR } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { E_CLIENT, E_SERVER } from '../../flows/event.ts';
import { FIELDS, type Field, type FieldValue } from '../../flows/fields.ts';
import type { EventView } from '../../flows/view.ts';
import type { FlowEvent, FlowRow } from '../history.ts';
import { addressKey, type Column, columnList, eventAddress } from './columns.ts';
import { createShapes, type Shape, type Shapes } from './shapes.ts';
import { CHUNK_ROWS, createTarget, type Target } from './targets.ts';

/** Values of the store's own columns; what is absent is NULL. */
export type OwnValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** The fields are those of the event, if there is one. */
export type StoredRow =
  | { readonly own: OwnValues; readonly flow: FlowRow; readonly event?: undefined }
  | { readonly own: OwnValues; readonly event: FlowEvent };

/** Columns of the store that are made of the flow. */
const OF_FLOW: ReadonlySet<string> = new Set(['_rest', '_client', '_server']);

/** A field, and its column. */
interface Read {
  readonly field: Field;
  readonly target: Target;
}

/** What is put for an event of one shape. */
interface Plan {
  readonly varying: readonly Read[];
  readonly fixed: readonly (Read & { readonly value: FieldValue })[];
}

/** Rows that are made between two turns of the event loop: a question waits for no more than those, some milliseconds. */
const SLICE = 128;

/** As the rows come; JSON is a text until it is in its column. */
const TYPES = { BIGINT, DOUBLE, BOOLEAN, VARCHAR, JSON: VARCHAR } as const;

export interface RowSource {
  /** Inserts rows into a table that has the columns, within the transaction of the connection. One call at a time. */
  insertInto(connection: DuckDBConnection, table: string, rows: readonly StoredRow[]): Promise<void>;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * A table function that DuckDB's threads pull rows from, a chunk at a time, while they compress and write what they have.
 * @param name unique in the instance of the connection
 * @param block rows that are inserted at once
 */
export function createRowSource(connection: DuckDBConnection, name: string, columns: readonly Column[], block: number): RowSource {
  const targets = columns.map(({ type }) => createTarget(type, block));
  const byKey = new Map(columns.map(({ key, name: column }, i) => [key ?? column, targets[i] as Target]));
  const targetOf = (key: string): Target => byKey.get(key) as Target;
  const [rest, client, server] = [targetOf('_rest'), targetOf('_client'), targetOf('_server')];
  const owns = columns.flatMap(({ key, name: own }) =>
    key === undefined && !OF_FLOW.has(own) ? [{ name: own, target: targetOf(own) }] : [],
  );
  const reads = FIELDS.map((field): Read => ({ field, target: targetOf(field.key) }));
  const whole: Plan = { varying: reads, fixed: [] };
  const shapes = new WeakMap<EventView, Shapes>();
  const plans = new WeakMap<Shape, Plan>();
  /** Rows of the block, and its columns that have values. */
  let filled = 0;
  let used: { readonly column: Column; readonly target: Target }[] = [];
  let nextChunk = 0;

  function planOf(shape: Shape | undefined): Plan {
    if (shape === undefined) return whole;
    const known = plans.get(shape);
    if (known !== undefined) return known;
    const plan: Plan = {
      varying: shape.varying.map((place) => reads[place] as Read),
      fixed: shape.fixed.map(({ place, value }) => ({ ...(reads[place] as Read), value })),
    };
    plans.set(shape, plan);
    return plan;
  }

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
    const isIpv6 = view.isIpv6();
    client.put(at, eventAddress(bytes, offset + E_CLIENT, isIpv6), false);
    server.put(at, eventAddress(bytes, offset + E_SERVER, isIpv6), false);
    let ofView = shapes.get(view);
    if (ofView === undefined) shapes.set(view, (ofView = createShapes(view, FIELDS)));
    const { varying, fixed } = planOf(ofView.of(bytes, offset));
    let left: Record<string, FieldValue> | undefined;
    for (let i = 0; i < fixed.length; i++) {
      const { field, target, value } = fixed[i] as Plan['fixed'][number];
      if (!target.put(at, value, true)) (left ??= {})[field.key] = value;
    }
    for (let i = 0; i < varying.length; i++) {
      const { field, target } = varying[i] as Read;
      const value = field.read(view);
      if (value !== undefined && !target.put(at, value, true)) (left ??= {})[field.key] = value;
    }
    if (left !== undefined) rest.put(at, left, true);
  }

  function put(at: number, row: StoredRow): void {
    for (let i = 0; i < owns.length; i++) {
      const { name: own, target } = owns[i] as (typeof owns)[number];
      const value = row.own[own];
      if (value !== undefined) target.put(at, value, false);
    }
    if (row.event === undefined) putFlow(at, row.flow);
    else putEvent(at, row.event);
  }

  async function fill(rows: readonly StoredRow[]): Promise<void> {
    for (const target of targets) target.clear();
    for (let at = 0; at < rows.length; at++) {
      if (at % SLICE === SLICE - 1) await nextTurn();
      put(at, rows[at] as StoredRow);
    }
    filled = rows.length;
    used = columns.map((column, i) => ({ column, target: targets[i] as Target })).filter(({ target }) => target.isUsed());
    nextChunk = 0;
  }

  /** The next rows of the block, in DuckDB's chunk. */
  function give(chunk: DuckDBDataChunk): void {
    const count = Math.max(0, Math.min(CHUNK_ROWS, filled - nextChunk * CHUNK_ROWS));
    chunk.rowCount = count;
    if (count === 0) return;
    for (const [i, { target }] of used.entries()) target.moveTo(duckdb.data_chunk_get_vector(chunk.chunk, i), nextChunk, count);
    nextChunk++;
  }

  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      // asked anew for each block
      bindFunction(info) {
        for (const { column } of used) info.addResultColumn(column.name, TYPES[column.type]);
        info.setCardinality(filled, true);
      },
      initFunction() {},
      mainFunction: (_, chunk) => give(chunk),
    }),
  );

  return {
    async insertInto(own, table, rows) {
      for (let from = 0; from < rows.length; from += block) {
        await fill(rows.length <= block ? rows : rows.slice(from, from + block));
        const list = columnList(used.map(({ column }) => column));
        await own.run(`INSERT INTO ${table} (${list}) SELECT ${list} FROM ${name}()`);
      }
    },
  };
}
