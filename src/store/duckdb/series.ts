/**
 * Figures over time and their roll-ups. Called by history.ts.
 *
 *   appendSeries ──batch n──► series_1 (as they come) ──► series_60 ──► series_3600 (sums of a minute, of an hour)
 *                                   └── mark: up to which batch ──┘
 *
 * A roll-up takes batches by their numbers, not by their times, so points of an old capture or of an interface that is late are taken like
 * any others; several sums of one minute are added when they are read. What a roll-up has not taken yet is added from the finer series:
 * every series is complete at any time.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SeriesPoint, SeriesQuery } from '../history.ts';
import { ROLL_UPS, seriesStep } from '../history-checks.ts';
import type { Lane } from './lane.ts';
import { createParameters, type Parameters } from './parameters.ts';
import { ask, numberOf, rowsOf } from './read.ts';

export interface SeriesStore {
  append(points: readonly SeriesPoint[]): Promise<void>;
  series(query: SeriesQuery): Promise<SeriesPoint[]>;
  readonly stored: number;
}

/** Rows of a statement: each takes four parameters. */
const MOST_VALUES = 500;

const tableOf = (step: number): string => `flows.series_${step}`;

/**
 * From `start` on, rows of a series and what it has not taken of the finer ones, as (time, interface, name, value); times are its own. The
 * marks are read in the same statement: a roll-up may come between two.
 */
function whole(level: number, start: number): string {
  const width = (ROLL_UPS[level] as number) * 1e6;
  const part = (step: number, taken: string): string =>
    `SELECT time // ${width} * ${width} AS time, interface, name, value FROM ${tableOf(step)} WHERE time >= ${start}${taken}`;
  const parts = [part(ROLL_UPS[level] as number, '')];
  for (let finer = level - 1; finer >= 0; finer--) {
    const mark = `SELECT coalesce(max(batch), 0) FROM flows.series_marks WHERE step = ${ROLL_UPS[finer + 1]}`;
    parts.push(part(ROLL_UPS[finer] as number, ` AND batch > (${mark})`));
  }
  return parts.join(' UNION ALL ');
}

/** By level, but for the finest: up to which batch it has taken the finer series. */
async function marksOf(connection: DuckDBConnection): Promise<number[]> {
  const rows = await rowsOf(await connection.run('SELECT step, max(batch) FROM flows.series_marks GROUP BY step'));
  const known = new Map(rows.map(([step, batch]) => [step as number, batch as number]));
  return ROLL_UPS.map((step) => known.get(step) ?? 0);
}

/** @param every batches that a roll-up takes at once: of 60, one a second, sums of minutes are made every minute, of hours every hour */
export async function createSeriesStore(writer: Lane, queries: Lane, clock: () => number, every: number): Promise<SeriesStore> {
  /** By level: batches up to it are there. */
  const marks = await writer.run(async (connection) => {
    const found = await marksOf(connection);
    const last = await numberOf(await connection.run(`SELECT max(batch) FROM ${tableOf(1)}`));
    return [Math.max(last, found[1] as number), ...found.slice(1)];
  });
  let given = marks[0] as number;
  /** Roll-ups of minutes since the last one of hours. */
  let sinceHour = 0;
  let stored = 0;

  /** Takes what is new in the finer series. */
  const rollUp = (level: 1 | 2): Promise<void> =>
    writer
      .transaction(async (connection) => {
        const [finer, coarser] = [ROLL_UPS[level - 1] as number, ROLL_UPS[level] as number];
        const upTo = marks[level - 1] as number;
        const width = coarser * 1e6;
        await connection.run(
          `INSERT INTO ${tableOf(coarser)} SELECT ${upTo}, ${clock()}, time // ${width} * ${width}, interface, name, sum(value) ` +
            `FROM ${tableOf(finer)} WHERE batch > ${marks[level]} AND batch <= ${upTo} GROUP BY ALL`,
        );
        await connection.run(`DELETE FROM flows.series_marks WHERE step = ${coarser}`);
        await connection.run(`INSERT INTO flows.series_marks VALUES (${coarser}, ${upTo})`);
        return upTo;
      })
      .then((upTo) => {
        marks[level] = upTo;
      });

  async function rollUpWhatIsDue(): Promise<void> {
    if ((marks[0] as number) - (marks[1] as number) < every) return;
    await rollUp(1);
    if (++sinceHour < every) return;
    sinceHour = 0;
    await rollUp(2);
  }

  function conditions({ names, interface: name, to }: SeriesQuery, start: number, parameters: Parameters): string {
    const list = names.length === 0 ? 'false' : `name IN (${names.map((each) => parameters.text(each)).join(', ')})`;
    const of = name === undefined ? '' : ` AND interface = ${parameters.text(name)}`;
    return `${list}${of} AND time >= ${start} AND time <= ${Math.floor(to)}`;
  }

  return {
    get stored() {
      return stored;
    },
    async append(points) {
      if (points.length === 0) return;
      const batch = ++given;
      await writer.transaction(async (connection) => {
        const now = clock();
        for (let i = 0; i < points.length; i += MOST_VALUES) {
          const parameters = createParameters();
          const rows = points.slice(i, i + MOST_VALUES).map((point) => {
            const time = parameters.number(Math.floor(point.time));
            return `(${batch}, ${now}, ${time}, ${parameters.text(point.interface)}, ${parameters.text(point.name)}, ${parameters.number(point.value)})`;
          });
          await ask(connection, `INSERT INTO ${tableOf(1)} VALUES ${rows.join(', ')}`, parameters);
        }
        marks[0] = batch;
      });
      stored += points.length;
      await rollUpWhatIsDue();
    },
    async series(query) {
      const { step: wanted, rollUp: finest } = seriesStep(query);
      return queries.run(async (connection) => {
        for (let level = (ROLL_UPS as readonly number[]).indexOf(finest); ; level++) {
          const step = Math.max(wanted, (ROLL_UPS[level] as number) * 1e6);
          const start = Math.floor(query.from / step) * step;
          const parameters = createParameters();
          const statement =
            `SELECT time // ${step} * ${step} AS begin, interface, name, sum(value) FROM (${whole(level, start)}) ` +
            `WHERE ${conditions(query, start, parameters)} GROUP BY ALL ORDER BY begin, interface, name`;
          const rows = await rowsOf(await ask(connection, statement, parameters));
          const next = ROLL_UPS[level + 1];
          // retention takes the finer series first: what begins later than the coarser one has lost its beginning
          if (next !== undefined) {
            const again = createParameters();
            const earlier = conditions({ ...query, to: (rows[0]?.[0] as number | undefined) ?? query.to }, start, again);
            const width = next * 1e6;
            const begins = rows[0] === undefined ? Number.POSITIVE_INFINITY : Math.floor((rows[0][0] as number) / width) * width;
            const found = await rowsOf(await ask(connection, `SELECT min(time) FROM ${tableOf(next)} WHERE ${earlier}`, again));
            const first = found[0]?.[0];
            if (typeof first === 'number' && first < begins) continue;
          }
          return rows.map(([time, of, name, value]): SeriesPoint => ({ time, interface: of, name, value }) as SeriesPoint);
        }
      });
    },
  };
}
