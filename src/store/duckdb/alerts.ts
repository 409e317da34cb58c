/**
 * Alerts in the history. Called by history.ts.
 *
 *   putAlerts ──► those of all that wait, in one transaction ──► on disk ──► the promise resolves
 *
 * The whole alert is kept as JSON; beside it are columns for what lists sort by and filters ask, those of its flow among them.
 */
import { listValue } from '@duckdb/node-api';
import { type Alert, SEVERITIES, type Severity } from '../../alerts/alert.ts';
import type { FilterNames } from '../filter-check.ts';
import type { AlertGroup, AlertGroupsQuery, AlertQuery, AlertScope, Rows } from '../history.ts';
import {
  ALERT_GROUPS,
  type AlertGrouping,
  type AlertGroupSort,
  type AlertSort,
  checkPage,
  HistoryError,
  isAlertSort,
  severityRank,
} from '../history-checks.ts';
import { createRowSource, type OwnValues } from './chunks.ts';
import { ALERT_COLUMNS, columnOf } from './columns.ts';
import { filterSql } from './filter-sql.ts';
import { orderOf } from './flow-reader.ts';
import type { Lane } from './lane.ts';
import { createParameters, type Parameters } from './parameters.ts';
import { ask, numberOf, rowsOf } from './read.ts';
import { CHUNK_ROWS } from './targets.ts';

export interface AlertStore {
  put(alerts: readonly Alert[]): Promise<void>;
  alerts(query: AlertQuery): Promise<Rows<Alert>>;
  alert(id: string): Promise<Alert | undefined>;
  alertGroups(query: AlertGroupsQuery): Promise<Rows<AlertGroup>>;
  readonly stored: number;
  readonly batches: number;
  close(): Promise<void>;
}

const SORT_COLUMNS: Readonly<Record<AlertSort, string>> = {
  id: '"_id"',
  time: '"_time"',
  interface: '"_interface"',
  type: '"_type"',
  severity: '"_rank"',
  score: '"_score"',
  script: '"_script"',
  version: '"_version"',
  callback: '"_callback"',
  title: '"_title"',
  description: '"_description"',
  count: '"_count"',
  firstTime: '"_first"',
  lastTime: '"_last"',
  bytes: '"_bytes"',
  packets: '"_packets"',
  shadow: '"_shadow"',
  secondary: '"_secondary"',
  state: '"_state"',
  by: '"_by"',
  comment: '"_comment"',
  changed: '"_changed"',
};

const TEXTS: ReadonlySet<AlertSort> = new Set([
  'interface',
  'type',
  'script',
  'version',
  'callback',
  'title',
  'description',
  'by',
  'comment',
]);

function orderOfAlerts(sort: string): string {
  if (!isAlertSort(sort)) return orderOf(sort);
  return TEXTS.has(sort) ? `nullif(${SORT_COLUMNS[sort]}, '')` : SORT_COLUMNS[sort];
}

function whereOf({ filter, interface: name, from, to, states, shadow }: AlertScope, parameters: Parameters, names?: FilterNames): string {
  const conditions = [filterSql(filter, 'alerts', parameters, names)];
  if (name !== undefined) conditions.push(`"_interface" = ${parameters.text(name)}`);
  if (from !== undefined) conditions.push(`"_last" >= ${parameters.number(from)}`);
  if (to !== undefined) conditions.push(`"_first" <= ${parameters.number(to)}`);
  if (shadow !== undefined) conditions.push(shadow ? '"_shadow"' : 'NOT "_shadow"');
  if (states !== undefined) {
    conditions.push(states.length === 0 ? 'false' : `"_state" IN (${states.map((state) => parameters.text(state)).join(', ')})`);
  }
  return conditions.join(' AND ');
}

/** What has no value is one group. */
function groupSql(by: AlertGrouping): string {
  const of = ALERT_GROUPS[by];
  const column = isAlertSort(of) ? `"_${of}"` : columnOf(of);
  return by === 'port' || by === 'status' ? column : `nullif(${column}, '')`;
}

const GROUP_ORDER: Readonly<Record<AlertGroupSort, string>> = {
  count: 'alerts',
  lastTime: 'latest',
  severity: 'strongest',
  score: 'highest',
};
const GROUP_FIGURES = [
  ...['count(*) AS alerts', 'sum("_count")', 'min("_first")', 'max("_last") AS latest', 'max("_score") AS highest'],
  'max("_rank") AS strongest',
  ...SEVERITIES.map((_, rank) => `count(*) FILTER (WHERE "_rank" = ${rank})`),
].join(', ');

function groupOf([value, count, raised, firstTime, lastTime, score, rank, ...counts]: readonly (
  | string
  | number
  | boolean
  | null
)[]): AlertGroup {
  const severities = SEVERITIES.map((severity, i) => [severity, counts[i]] as const).filter(([, of]) => of !== 0);
  return {
    ...(value === null ? {} : { value: value as string | number }),
    ...{ count: count as number, raised: raised as number, firstTime: firstTime as number, lastTime: lastTime as number },
    ...{ score: score as number, severity: SEVERITIES[rank as number] as Severity, severities: Object.fromEntries(severities) },
  };
}

const valuesOf = (alert: Alert, stored: number): OwnValues => ({
  _id: alert.id,
  _stored: stored,
  _interface: alert.interface,
  _type: alert.type,
  _severity: alert.severity,
  _rank: severityRank(alert.severity),
  _script: alert.script,
  _version: alert.version,
  _callback: alert.callback,
  _title: alert.title,
  _description: alert.description,
  _state: alert.state,
  _by: alert.by,
  _comment: alert.comment,
  _time: alert.time,
  _first: alert.firstTime,
  _last: alert.lastTime,
  _score: alert.score,
  _count: alert.count,
  _bytes: alert.bytes,
  _packets: alert.packets,
  _changed: alert.changed,
  _shadow: alert.shadow,
  _secondary: alert.secondary,
  _alert: JSON.stringify(alert),
});

export async function createAlertStore(writer: Lane, queries: Lane, clock: () => number, names?: FilterNames): Promise<AlertStore> {
  const source = await writer.run(async (connection) => createRowSource(connection, 'rows_of_alerts', ALERT_COLUMNS, CHUNK_ROWS));
  /** Put while another transaction runs: they share the next one. */
  let next = new Map<string, Alert>();
  let planned: Promise<void> | undefined;
  let stored = 0;
  let batches = 0;

  async function write(): Promise<void> {
    await writer.run(async () => {}); // the one before has ended: what came meanwhile goes together
    const batch = next;
    next = new Map();
    planned = undefined;
    try {
      await writer.transaction(async (connection) => {
        const now = clock();
        await connection.run('DELETE FROM alerts.alerts WHERE "_id" IN (SELECT unnest($1))', [listValue([...batch.keys()])]);
        const rows = [...batch.values()].map((alert) => ({ own: valuesOf(alert, now), flow: alert.flow }));
        await source.insertInto(connection, 'alerts.alerts', rows);
      });
    } catch (error) {
      throw new HistoryError(`${batch.size} alerts could not be stored: ${(error as Error).message}; is there room on the disk?`);
    }
    stored += batch.size;
    batches++;
  }

  return {
    get stored() {
      return stored;
    },
    get batches() {
      return batches;
    },
    put(alerts) {
      if (alerts.length === 0) return Promise.resolve();
      for (const alert of alerts) next.set(alert.id, alert);
      return (planned ??= write());
    },
    async alerts(query) {
      checkPage(query);
      const order = orderOfAlerts(query.sort);
      const parameters = createParameters();
      const where = whereOf(query, parameters, names);
      const sorted = `ORDER BY ${order} ${query.descending ? 'DESC' : 'ASC'} NULLS LAST, "_id"`;
      // whole alerts are read of the page alone
      const page = `SELECT rowid FROM alerts.alerts WHERE ${where} ${sorted} LIMIT ${query.limit} OFFSET ${query.offset}`;
      return queries.snapshot(async (connection) => {
        const total = await numberOf(await ask(connection, `SELECT count(*) FROM alerts.alerts WHERE ${where}`, parameters));
        const rows = await rowsOf(
          await ask(connection, `SELECT "_alert" FROM alerts.alerts WHERE rowid IN (${page}) ${sorted}`, parameters),
        );
        return { rows: rows.map(([text]) => JSON.parse(text as string) as Alert), total };
      });
    },
    alert: (id) =>
      queries.run(async (connection) => {
        const rows = await rowsOf(await connection.run('SELECT "_alert" FROM alerts.alerts WHERE "_id" = $1', [id]));
        return rows[0] === undefined ? undefined : (JSON.parse(rows[0][0] as string) as Alert);
      }),
    async alertGroups(query) {
      checkPage(query);
      const parameters = createParameters();
      const from = `FROM alerts.alerts WHERE ${whereOf(query, parameters, names)}`;
      const of = groupSql(query.by);
      const page =
        `SELECT ${of} AS value, ${GROUP_FIGURES} ${from} GROUP BY 1 ` +
        `ORDER BY ${GROUP_ORDER[query.sort]} DESC, alerts DESC, value NULLS LAST LIMIT ${query.limit} OFFSET ${query.offset}`;
      return queries.snapshot(async (connection) => {
        const rows = await rowsOf(await ask(connection, page, parameters));
        const total = await numberOf(await ask(connection, `SELECT count(*) FROM (SELECT DISTINCT ${of} ${from})`, parameters));
        return { rows: rows.map(groupOf), total };
      });
    },
    async close() {
      await planned;
    },
  };
}
