/**
 * Asks for flows: queries in; entries, sums and files out. Called by history.ts.
 *
 * The table is wide, so a page is found by the columns of its filter and order alone; then the rows of the page are read. Both see one
 * state of the tables. A page of what is largest begins among the rows that came last: as many of them as it needs say what no smaller row
 * has to be looked at for, which leaves few row groups where the order is one of time.
 */
import { rename, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FieldValue } from '../../flows/fields.ts';
import type { FilterNames } from '../filter-check.ts';
import type {
  ExportFormat,
  FieldsQuery,
  FlowEntry,
  HistoryQuery,
  Page,
  Rows,
  Scope,
  SeriesPoint,
  SeriesQuery,
  TopQuery,
} from '../history.ts';
import { checkFields, checkPage, checkTop, columnField, flowFigures, HistoryError, seriesStep } from '../history-checks.ts';
import { columnOf, FIELD_COLUMNS, quoted } from './columns.ts';
import { filterSql } from './filter-sql.ts';
import type { FlowWriter } from './flow-writer.ts';
import type { Lane } from './lane.ts';
import { createParameters, type Parameters } from './parameters.ts';
import { ask, entryColumns, numberOf, readEntries, rowsOf } from './read.ts';
import { createSums } from './sums.ts';

/** Tables of entries. */
const TABLES = ['flows.flows', 'flows.living'] as const;

/** Rows of a page that are looked for among the last ones first. */
const MOST_SAMPLED = 5000;

export interface FlowReader {
  flows(query: FieldsQuery): Promise<Rows<FlowEntry>>;
  flow(id: string): Promise<FlowEntry | undefined>;
  top(query: TopQuery): Promise<{ readonly value: FieldValue; readonly sum: number }[]>;
  /** Figures of the flows that match. */
  series(query: SeriesQuery): Promise<SeriesPoint[]>;
  exportFlows(query: Omit<HistoryQuery, keyof Page>, format: ExportFormat, file: string): Promise<number>;
  /** Rows of flows were taken away. */
  forget(): void;
}

/** Connections of their own, so that long answers keep no short ones waiting, and what they are told of the rows. */
export interface FlowReaderOptions {
  readonly pages: Lane;
  readonly sums: Lane;
  readonly exports: Lane;
  readonly stamps: Pick<FlowWriter, 'lastBatch' | 'recent'>;
  readonly names?: FilterNames | undefined;
}

/** What a column is sorted by: addresses by their bytes, and a text that is empty comes last, as one that is missing does. */
export function orderOf(key: string): string {
  if (key === 'time') return '"_time"';
  if (key === 'cli.ip') return '"_client"';
  if (key === 'srv.ip') return '"_server"';
  const { type } = columnField(key, 'sorted');
  return type === 'string' ? `nullif(${columnOf(key)}, '')` : columnOf(key);
}

function whereOf({ filter, interface: name, from, to }: Scope, parameters: Parameters, names?: FilterNames): string {
  const conditions = [filterSql(filter, 'flows', parameters, names)];
  if (name !== undefined) conditions.push(`"_interface" = ${parameters.text(name)}`);
  if (from !== undefined) conditions.push(`"_time" >= ${parameters.number(from)}`);
  if (to !== undefined) conditions.push(`"_time" <= ${parameters.number(to)}`);
  return conditions.join(' AND ');
}

const fromBoth = (columns: (table: number) => string, where: string): string =>
  TABLES.map((table, i) => `SELECT ${columns(i)} FROM ${table} WHERE ${where}`).join(' UNION ALL ');

/** How files are written. Lines of JSON have no member for what a flow does not have; no text in JSON has a \x01. */
const FORMATS: Readonly<Record<ExportFormat, string>> = {
  csv: 'FORMAT csv, HEADER true',
  jsonl: "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01'",
  parquet: 'FORMAT parquet, COMPRESSION zstd',
};

export function createFlowReader({ pages, sums, exports, stamps, names }: FlowReaderOptions): FlowReader {
  const remembered = createSums();

  async function countOf(connection: DuckDBConnection, scope: Scope, upTo: number | undefined): Promise<number> {
    const isAll = scope.filter === '' && scope.interface === undefined && scope.from === undefined && scope.to === undefined;
    if (isAll) return numberOf(await connection.run(`SELECT count(*) FROM (${fromBoth(() => '1', 'true')})`));
    const where = (parameters: Parameters): string => whereOf(scope, parameters, names);
    const [count] = await remembered.of(connection, { value: '0', amount: '1', where }, 1, upTo);
    return count?.sum ?? 0;
  }

  /** A value of the order that at least so many of the matching rows reach; undefined: there is none that helps. */
  async function leastRank(connection: DuckDBConnection, query: HistoryQuery, order: string): Promise<number | string | undefined> {
    const wanted = query.limit + query.offset;
    if (!query.descending || wanted > MOST_SAMPLED) return undefined;
    const parameters = createParameters();
    const where = `${whereOf(query, parameters, names)} AND "_stored" >= ${stamps.recent()}`;
    const statement =
      `SELECT rank FROM (SELECT ${order} AS rank FROM flows.flows WHERE ${where}) WHERE rank IS NOT NULL ` +
      `ORDER BY rank DESC LIMIT 1 OFFSET ${wanted - 1}`;
    const rank = (await rowsOf(await ask(connection, statement, parameters)))[0]?.[0];
    if (typeof rank === 'string') return rank;
    // whole numbers beyond it are not exact here
    return typeof rank === 'number' && Math.abs(rank) <= Number.MAX_SAFE_INTEGER ? rank : undefined;
  }

  /** The rows of a page, in its order. Numbers of rows hold until the next checkpoint, which waits for the lane. */
  async function readPage(
    connection: DuckDBConnection,
    { rank, where, order, keys }: { rank: string; where: string; order: string; keys?: readonly string[] | undefined },
    parameters: Parameters,
  ): Promise<FlowEntry[]> {
    const columns = entryColumns(keys);
    const found = fromBoth((table) => `${table} AS part, rowid AS place, ${rank} AS rank_, flow_id AS id_`, where);
    const rows = TABLES.map(
      (table, i) =>
        `SELECT ${rank} AS rank_, flow_id AS id_, ${columns.sql} FROM ${table} WHERE rowid IN (SELECT place FROM page WHERE part = ${i})`,
    );
    const statement =
      `WITH page AS MATERIALIZED (SELECT part, place FROM (${found}) ORDER BY ${order}) ` +
      `SELECT * EXCLUDE (rank_, id_) FROM (${rows.join(' UNION ALL ')}) ORDER BY ${order.replace(/ LIMIT .*/, '')}`;
    return readEntries(await ask(connection, statement, parameters), columns);
  }

  return {
    async flows(query) {
      checkPage(query);
      checkFields(query);
      const rank = orderOf(query.sort);
      const upTo = stamps.lastBatch();
      const sorted = `rank_ ${query.descending ? 'DESC' : 'ASC'} NULLS LAST, id_ LIMIT ${query.limit} OFFSET ${query.offset}`;
      return pages.snapshot(async (connection) => {
        const total = await countOf(connection, query, upTo);
        const least = await leastRank(connection, query, rank);
        const parameters = createParameters();
        const bound = typeof least === 'string' ? parameters.text(least) : least === undefined ? undefined : parameters.number(least);
        const where = `${whereOf(query, parameters, names)}${bound === undefined ? '' : ` AND ${rank} >= ${bound}`}`;
        return { rows: await readPage(connection, { rank, where, order: sorted, keys: query.fields }, parameters), total };
      });
    },
    flow: (id) =>
      pages.run(async (connection) => {
        const parameters = createParameters();
        const where = `flow_id = ${parameters.text(id)}`;
        // the entry of its end, if there is one
        const [entry] = await readPage(connection, { rank: '"_ended"', where, order: 'rank_ DESC, id_ LIMIT 1' }, parameters);
        return entry;
      }),
    async top(query) {
      checkTop(query);
      const { key } = columnField(query.by, 'grouped');
      const amount = query.of === 'flows' ? '1' : `coalesce(${columnOf(query.of)}, 0)`;
      const where = (parameters: Parameters): string => whereOf(query, parameters, names);
      const summed = { value: columnOf(key), amount, where };
      return sums.run((connection) => remembered.of(connection, summed, query.limit, stamps.lastBatch()));
    },
    async series(query) {
      const figures = flowFigures(query);
      const { step } = seriesStep(query);
      const parameters = createParameters();
      const where = whereOf({ filter: '', ...query, from: Math.floor(query.from / step) * step }, parameters, names);
      const columns = ['"_time"', '"_interface"', columnOf('bytes'), columnOf('packets')].join(', ');
      const statement =
        `SELECT "_time" // ${step} * ${step} AS begin, "_interface" AS of, coalesce(sum(${columnOf('bytes')}), 0)::DOUBLE AS bytes, ` +
        `coalesce(sum(${columnOf('packets')}), 0)::DOUBLE AS packets, count(*)::DOUBLE AS flows ` +
        `FROM (${fromBoth(() => columns, where)}) GROUP BY ALL ORDER BY begin, of`;
      const rows = await sums.run(async (connection) => rowsOf(await ask(connection, statement, parameters)));
      return rows.flatMap(([time, of, bytes, packets, flows]) => {
        const sums = { bytes, packets, flows };
        return figures.toSorted().map((name) => ({ time: time as number, interface: of as string, name, value: sums[name] as number }));
      });
    },
    async exportFlows(query, format, file) {
      const options = FORMATS[format];
      if (options === undefined) throw new HistoryError(`format: ${format} is none of ${Object.keys(FORMATS).join(', ')}`);
      const order = orderOf(query.sort);
      const parameters = createParameters();
      const where = whereOf(query, parameters, names);
      const columns = FIELD_COLUMNS.map(({ name, key }) => `${quoted(name)} AS ${quoted(key as string)}`).join(', ');
      const parts = TABLES.map(
        (table) =>
          `SELECT "_time" AS time, "_interface" AS interface, "_ended" AS ended, ${columns}, ${order} AS rank_ FROM ${table} ` +
          `WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${where})`,
      );
      const sorted = `FROM (${parts.join(' UNION ALL ')}) ORDER BY rank_ ${query.descending ? 'DESC' : 'ASC'} NULLS LAST, "flow.id"`;
      const rows =
        format === 'jsonl'
          ? `SELECT json_merge_patch('{}'::JSON, to_json(row)) FROM (SELECT * EXCLUDE (rank_) ${sorted}) row`
          : `SELECT * EXCLUDE (rank_) ${sorted}`;
      const unfinished = `${file}.part`;
      const statement = `COPY (${rows}) TO ${parameters.text(unfinished)} (${options})`;
      try {
        const count = await exports.run(async (connection) => numberOf(await ask(connection, statement, parameters)));
        await rename(unfinished, file);
        return count;
      } catch (error) {
        await rm(unfinished, { force: true });
        throw new HistoryError(`${file} could not be written: ${(error as Error).message.split('\n')[0]}`);
      }
    },
    forget: () => remembered.forget(),
  };
}
