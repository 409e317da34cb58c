/**
 * The history of a run without a data directory: the contract of history.ts over arrays, bounded; when it is full the oldest go, and are
 * counted. Made by the main thread.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Alert, SEVERITIES } from '../alerts/alert.ts';
import { compileAlertFilter } from '../alerts/filter.ts';
import type { FieldValue } from '../flows/fields.ts';
import { addressKey } from './duckdb/columns.ts';
import type { FilterNames } from './filter-check.ts';
import {
  type AlertGroup,
  type AlertScope,
  type FieldsQuery,
  type FlowEntry,
  type FlowRow,
  type History,
  type HistoryQuery,
  type Page,
  plainEntry,
  type Rows,
  type Scope,
  type SeriesPoint,
} from './history.ts';
import {
  ALERT_GROUPS,
  checkFields,
  checkPage,
  checkTop,
  columnField,
  flowFigures,
  isAlertSort,
  seriesStep,
  severityRank,
} from './history-checks.ts';
import { compileRowFilter } from './row-filter.ts';

export interface MemoryHistoryOptions {
  /** 100,000 without it. */
  readonly mostFlows?: number;
  /** 20,000 without it. */
  readonly mostAlerts?: number;
  /** Points of figures over time; 200,000 without it. */
  readonly mostPoints?: number;
  /** nDPI's names, so that a filter with a misspelt one is refused. */
  readonly names?: FilterNames;
  /** µs since 1970, by the wall clock: when entries are stored. */
  readonly clock?: () => number;
}

export interface MemoryHistory extends History {
  /** Entries that went because there was no room for them. */
  figures(): { readonly flowsDropped: number; readonly alertsDropped: number; readonly pointsDropped: number };
}

interface Kept<T> {
  readonly value: T;
  readonly stored: number;
}

/** Newest last, one of each id; the oldest go when it is full. */
function createShelf<T>(most: number): {
  put(id: string, value: T, stored: number): void;
  get(id: string): T | undefined;
  values(): T[];
  /** @returns how many went */
  retain(isKept: (kept: Kept<T>, left: number) => boolean): number;
  readonly dropped: number;
} {
  const kept = new Map<string, Kept<T>>();
  let dropped = 0;
  return {
    get dropped() {
      return dropped;
    },
    put(id, value, stored) {
      kept.delete(id);
      kept.set(id, { value, stored });
      if (kept.size <= most) return;
      kept.delete(kept.keys().next().value as string);
      dropped++;
    },
    get: (id) => kept.get(id)?.value,
    values: () => [...kept.values()].map(({ value }) => value),
    retain(isKept) {
      const before = kept.size;
      for (const [id, each] of kept) if (!isKept(each, kept.size)) kept.delete(id);
      return before - kept.size;
    },
  };
}

type Sortable = string | number | boolean | undefined;

/** What is missing or an empty text comes last, whichever way it goes. */
function compareValues(a: Sortable, b: Sortable, descending: boolean): number {
  const [noA, noB] = [a === undefined || a === '', b === undefined || b === ''];
  if (noA || noB) return Number(noA) - Number(noB);
  if (a === b) return 0;
  return (a as number) < (b as number) === descending ? 1 : -1;
}

function page<T>(
  all: readonly T[],
  { limit, offset, descending }: HistoryQuery,
  value: (of: T) => Sortable,
  id: (of: T) => string,
): Rows<T> {
  const sorted = all.toSorted((a, b) => compareValues(value(a), value(b), descending) || compareValues(id(a), id(b), false));
  return { rows: sorted.slice(offset, offset + limit), total: all.length };
}

/** @throws HistoryError */
function flowOrder(key: string): (flow: FlowEntry['flow']) => Sortable {
  if (key === 'cli.ip' || key === 'srv.ip') return (flow) => addressKey(flow[key]);
  columnField(key, 'sorted');
  return (flow) => flow[key] as Sortable;
}

/** @param alerts one at least */
function alertGroup(value: AlertGroup['value'], alerts: readonly Alert[]): AlertGroup {
  const counts = SEVERITIES.map((severity) => [severity, alerts.filter((alert) => alert.severity === severity).length] as const);
  const there = counts.filter(([, count]) => count > 0);
  const [severity] = there.at(-1) as (typeof counts)[number];
  const all = (of: (alert: Alert) => number): number[] => alerts.map(of);
  return {
    ...(value === undefined ? {} : { value }),
    count: alerts.length,
    raised: alerts.reduce((sum, { count }) => sum + count, 0),
    firstTime: Math.min(...all(({ firstTime }) => firstTime)),
    lastTime: Math.max(...all(({ lastTime }) => lastTime)),
    score: Math.max(...all(({ score }) => score)),
    severity,
    severities: Object.fromEntries(there),
  };
}

const idOf = ({ flow }: FlowEntry): string => String(flow['flow.id']);

export function createMemoryHistory(options: MemoryHistoryOptions = {}): MemoryHistory {
  const { mostFlows = 100_000, mostAlerts = 20_000, mostPoints = 200_000, names } = options;
  const clock = options.clock ?? (() => Date.now() * 1000);
  const flows = createShelf<FlowEntry>(mostFlows);
  const alerts = createShelf<Alert>(mostAlerts);
  let points: Kept<SeriesPoint>[] = [];
  let pointsDropped = 0;

  function flowsOf({ filter, interface: name, from, to }: Scope): FlowEntry[] {
    const matches = compileRowFilter(filter, names);
    return flows
      .values()
      .filter(
        (entry) =>
          (name === undefined || entry.interface === name) &&
          (from === undefined || entry.time >= from) &&
          (to === undefined || entry.time <= to) &&
          matches(entry.flow),
      );
  }

  function alertsOf({ filter, interface: name, from, to, states, shadow }: AlertScope): Alert[] {
    const { matches } = compileAlertFilter(filter);
    return alerts
      .values()
      .filter(
        (alert) =>
          (name === undefined || alert.interface === name) &&
          (from === undefined || alert.lastTime >= from) &&
          (to === undefined || alert.firstTime <= to) &&
          (shadow === undefined || alert.shadow === shadow) &&
          (states === undefined || states.includes(alert.state)) &&
          matches(alert),
      );
  }

  return {
    async appendFlows(entries) {
      const now = clock();
      for (const entry of entries.map(plainEntry)) flows.put(idOf(entry), entry, now);
    },
    async putAlerts(given) {
      const now = clock();
      for (const alert of given) alerts.put(alert.id, alert, now);
    },
    async appendSeries(given) {
      const stored = clock();
      for (const value of given) points.push({ value, stored });
      const excess = points.length - mostPoints;
      if (excess <= 0) return;
      points = points.slice(excess);
      pointsDropped += excess;
    },
    async flows(query: FieldsQuery) {
      checkPage(query);
      checkFields(query);
      const order = query.sort === 'time' ? undefined : flowOrder(query.sort);
      const { rows, total } = page(flowsOf(query), query, ({ time, flow }) => (order === undefined ? time : order(flow)), idOf);
      const { fields } = query;
      if (fields === undefined) return { rows, total };
      const wanted = new Set(fields);
      const few = (flow: FlowRow): FlowRow => Object.fromEntries(Object.entries(flow).filter(([key]) => wanted.has(key)));
      return { rows: rows.map((entry) => ({ ...entry, flow: few(entry.flow) })), total };
    },
    flow: async (id) => flows.get(id),
    async alerts(query) {
      checkPage(query);
      const { sort } = query;
      const order = isAlertSort(sort)
        ? (alert: Alert) => (sort === 'severity' ? severityRank(alert.severity) : alert[sort])
        : (
            (of) => (alert: Alert) =>
              of(alert.flow)
          )(flowOrder(sort));
      return page(alertsOf(query), query, order, ({ id }) => id);
    },
    alert: async (id) => alerts.get(id),
    async alertGroups(query) {
      checkPage(query);
      const { by, sort, limit, offset } = query;
      const of = ALERT_GROUPS[by];
      const groupedBy = (alert: Alert): AlertGroup['value'] => {
        const value = isAlertSort(of) ? alert[of] : alert.flow[of];
        return value === '' ? undefined : (value as AlertGroup['value']);
      };
      const weight = (group: AlertGroup): number => (sort === 'severity' ? severityRank(group.severity) : group[sort]);
      const groups = [...Map.groupBy(alertsOf(query), groupedBy)]
        .map(([value, alerts]) => alertGroup(value, alerts))
        .sort((a, b) => weight(b) - weight(a) || b.count - a.count || compareValues(a.value, b.value, false));
      return { rows: groups.slice(offset, offset + limit), total: groups.length };
    },
    async top(query) {
      checkTop(query);
      const { key } = columnField(query.by, 'grouped');
      const sums = new Map<FieldValue, number>();
      for (const { flow } of flowsOf(query)) {
        const value = flow[key];
        if (value !== undefined) sums.set(value, (sums.get(value) ?? 0) + (query.of === 'flows' ? 1 : Number(flow[query.of] ?? 0)));
      }
      return [...sums]
        .map(([value, sum]) => ({ value, sum }))
        .sort((a, b) => b.sum - a.sum || (a.value < b.value ? -1 : 1))
        .slice(0, query.limit);
    },
    async series(query) {
      const { step, rollUp } = seriesStep(query);
      const { filter } = query;
      const width = rollUp * 1e6;
      const start = Math.floor(query.from / step) * step;
      const wanted = new Set(query.names);
      const sums = new Map<string, { -readonly [K in keyof SeriesPoint]: SeriesPoint[K] }>();
      const figures = filter === undefined ? [] : flowFigures(query);
      const given: Iterable<SeriesPoint> =
        filter === undefined
          ? points.map(({ value }) => value)
          : flowsOf({ ...query, filter, from: start }).flatMap(({ time, interface: name, flow }) =>
              figures.map((figure) => ({ time, interface: name, name: figure, value: figure === 'flows' ? 1 : Number(flow[figure] ?? 0) })),
            );
      for (const point of given) {
        const at = Math.floor(point.time / width) * width;
        if (at < start || at > query.to || !wanted.has(point.name)) continue;
        if (query.interface !== undefined && point.interface !== query.interface) continue;
        const time = Math.floor(at / step) * step;
        const key = JSON.stringify([time, point.interface, point.name]);
        const sum = sums.get(key);
        if (sum === undefined) sums.set(key, { ...point, time });
        else sum.value += point.value;
      }
      return [...sums.values()].sort(
        (a, b) => a.time - b.time || compareValues(a.interface, b.interface, false) || compareValues(a.name, b.name, false),
      );
    },
    async exportFlows(query: Omit<HistoryQuery, keyof Page>, format, file) {
      const found = flowsOf(query);
      const directory = await mkdtemp(join(tmpdir(), 'flowpatrol-export-'));
      try {
        // the same files as those of a history on disk, Parquet among them
        const { openDuckHistory } = await import('./duckdb/history.ts');
        const scratch = await openDuckHistory({ directory, lingerMs: 0, mostWaiting: Number.POSITIVE_INFINITY });
        try {
          await scratch.appendFlows(found);
          return await scratch.exportFlows({ filter: '', sort: query.sort, descending: query.descending }, format, file);
        } finally {
          await scratch.close();
        }
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
    /** Bytes are bounded by the numbers of entries. */
    async retain(retention, now) {
      const before = now - retention.seconds * 1e6;
      const kept = points.filter(({ stored }) => stored >= before);
      const goneBefore = points.length - kept.length;
      points = kept;
      return (
        goneBefore +
        flows.retain(({ stored }) => stored >= before) +
        alerts.retain(({ stored }, left) => stored >= before && left <= retention.mostAlerts)
      );
    },
    figures: () => ({ flowsDropped: flows.dropped, alertsDropped: alerts.dropped, pointsDropped }),
    async close() {},
  };
}
