/**
 * Sums of the flows that match, by a value: top talkers, and how many there are. Called by flow-reader.ts.
 *
 *   first time ──► all rows of flows ──► sums, and up to which batch ──► remembered
 *   again      ──► rows of later batches alone ──► added                              living: always all of it
 *
 * Rows of `flows` never change, and come in the order of `_stored`, which DuckDB looks for in few row groups: a question that is asked again
 * and again costs what is new. Where there are too many values nothing is remembered. Retention makes it forget all.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FieldValue } from '../../flows/fields.ts';
import { createParameters, type Parameters } from './parameters.ts';
import { ask, rowsOf } from './read.ts';

export interface Summed {
  /** SQL of the value; rows without one do not count. */
  readonly value: string;
  /** SQL of a number that is never NULL. */
  readonly amount: string;
  /** Which rows. */
  readonly where: (parameters: Parameters) => string;
}

export interface Sum {
  readonly value: FieldValue;
  readonly sum: number;
}

export interface Sums {
  /**
   * The largest sums, of `limit` values at most.
   * @param upTo `_stored` of the last batch that was stored before the connection looked at the tables; undefined where a later one may have
   * an earlier time
   */
  of(connection: DuckDBConnection, summed: Summed, limit: number, upTo: number | undefined): Promise<Sum[]>;
  /** Rows of `flows` are gone. */
  forget(): void;
}

/** Questions that are remembered; the one that was not asked for the longest time goes. */
const MOST_QUESTIONS = 64;
/** Values of a question that is remembered. */
const MOST_VALUES = 5000;

/** Sums of all rows of `flows` up to a batch; undefined: there are too many. */
type Known = { readonly upTo: number; readonly sums: ReadonlyMap<FieldValue, number> } | undefined;

/** Two questions of one key ask for the same. */
function keyOf({ value, amount, where }: Summed): string {
  const parameters = createParameters();
  return [value, amount, where(parameters), ...parameters.values].join('\n');
}

const largestFirst = (a: Sum, b: Sum): number => b.sum - a.sum || (a.value < b.value ? -1 : 1);

export function createSums(): Sums {
  const questions = new Map<string, Known>();
  /** How often all was forgotten. */
  let forgotten = 0;

  function remember(key: string, known: Known, since: number): void {
    if (forgotten !== since) return; // made of rows that have gone meanwhile
    questions.delete(key);
    questions.set(key, known);
    if (questions.size > MOST_QUESTIONS) questions.delete(questions.keys().next().value as string);
  }

  /** @returns value, sum of both tables, and the part of it that is of flows, null without any */
  async function read(
    connection: DuckDBConnection,
    { value, amount, where }: Summed,
    batches: readonly [after: number, upTo: number] | undefined,
    limit: number,
  ): Promise<[FieldValue, number, number | null][]> {
    const parameters = createParameters();
    const of = where(parameters);
    const [ended, stored] =
      batches === undefined ? [of, 'NULL'] : [`${of} AND "_stored" > ${batches[0]} AND "_stored" <= ${batches[1]}`, 'sum(ended)::DOUBLE'];
    const columns = (own: string): string => `${value} AS value, ${amount} AS amount, ${own} AS ended`;
    const both = `SELECT ${columns(amount)} FROM flows.flows WHERE ${ended} UNION ALL SELECT ${columns('NULL')} FROM flows.living WHERE ${of}`;
    const statement =
      `SELECT value, coalesce(sum(amount), 0)::DOUBLE AS total, ${stored} FROM (${both}) WHERE value IS NOT NULL ` +
      `GROUP BY value ORDER BY total DESC, value LIMIT ${limit}`;
    return (await rowsOf(await ask(connection, statement, parameters))) as [FieldValue, number, number | null][];
  }

  return {
    async of(connection, summed, limit, upTo) {
      const key = keyOf(summed);
      const since = forgotten;
      const isNew = !questions.has(key);
      const known = questions.get(key);
      if (upTo === undefined || (!isNew && known === undefined)) {
        const rows = await read(connection, summed, undefined, limit);
        return rows.map(([value, sum]) => ({ value, sum }));
      }
      const rows = await read(connection, summed, [known?.upTo ?? -1, upTo], Math.max(limit, MOST_VALUES + 1));
      const sums = new Map(known?.sums);
      for (const [value, , stored] of rows) if (stored !== null) sums.set(value, (sums.get(value) ?? 0) + stored);
      const isWhole = rows.length <= MOST_VALUES && sums.size <= MOST_VALUES;
      remember(key, isWhole ? { upTo: Math.max(upTo, known?.upTo ?? 0), sums } : undefined, since);
      if (isNew) return rows.slice(0, limit).map(([value, sum]) => ({ value, sum }));
      if (!isWhole) return this.of(connection, summed, limit, upTo);
      const all = new Map(known?.sums);
      for (const [value, sum] of rows) all.set(value, (all.get(value) ?? 0) + sum);
      return [...all]
        .map(([value, sum]) => ({ value, sum }))
        .sort(largestFirst)
        .slice(0, limit);
    },
    forget() {
      forgotten++;
      questions.clear();
    },
  };
}
