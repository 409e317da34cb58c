/** What every store of history says of a question that it cannot answer. Called by duckdb/ and memory-history.ts. */
import { SEVERITIES } from '../alerts/alert.ts';
import { type Field, fieldByKey } from '../flows/fields.ts';
import { isSortable } from '../flows/selection.ts';
import { nearest } from '../nearest.ts';
import type { FieldsQuery, Page, SeriesQuery, TopQuery } from './history.ts';

/** The question is wrong, or the store cannot be used; the message says what to do. */
export class HistoryError extends Error {}

const MOST_ROWS = 10_000;

const meant = (word: string, names: readonly string[]): string => {
  const near = nearest(word, names);
  return near === undefined ? '' : `; did you mean ${near}?`;
};

export function checkPage({ limit, offset }: Page): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_ROWS) {
    throw new HistoryError(`limit: ${limit} is not a whole number from 1 to ${MOST_ROWS}`);
  }
  if (!Number.isSafeInteger(offset) || offset < 0) throw new HistoryError(`offset: ${offset} is not a whole number from 0 on`);
}

export function checkFields({ fields = [] }: FieldsQuery): void {
  const unknown = fields.find((key) => !fieldByKey.has(key));
  if (unknown !== undefined) throw new HistoryError(`there is no field ${unknown}${meant(unknown, [...fieldByKey.keys()])}`);
}

/** A field that has one value in each row. */
export function columnField(key: string, what: 'sorted' | 'grouped'): Field {
  const field = fieldByKey.get(key);
  if (field === undefined) throw new HistoryError(`there is no field ${key}${meant(key, [...fieldByKey.keys()])}`);
  if (!isSortable(field)) throw new HistoryError(`flows cannot be ${what} by ${key}: it is a table`);
  return field;
}

/** Members that lists of alerts are sorted by, beside the fields of their flows. */
export const ALERT_SORTS = [
  ...(['id', 'time', 'interface', 'type', 'severity', 'score', 'script', 'version', 'callback', 'title', 'description', 'count'] as const),
  ...(['firstTime', 'lastTime', 'bytes', 'packets', 'shadow', 'secondary', 'state', 'by', 'comment', 'changed'] as const),
] as const;
export type AlertSort = (typeof ALERT_SORTS)[number];

export const isAlertSort = (name: string): name is AlertSort => (ALERT_SORTS as readonly string[]).includes(name);

/** What alerts are grouped by, and where it is read: a member of theirs, or a field of their flow. A filter may ask for each of these. */
export const ALERT_GROUPS = {
  ...{ script: 'script', type: 'type', severity: 'severity', state: 'state', interface: 'interface', callback: 'callback' },
  ...{ client: 'cli.ip', server: 'srv.ip', port: 'srv.port', protocol: 'proto.ndpi', status: 'flow.status' },
  ...{ name: 'host_server_name', country: 'srv.country' },
} as const satisfies Readonly<Record<string, string>>;
export type AlertGrouping = keyof typeof ALERT_GROUPS;
export const ALERT_GROUPINGS = Object.keys(ALERT_GROUPS) as readonly AlertGrouping[];

/** What groups are sorted by, the most first; then come the number of alerts and the value. */
export const ALERT_GROUP_SORTS = ['count', 'lastTime', 'severity', 'score'] as const;
export type AlertGroupSort = (typeof ALERT_GROUP_SORTS)[number];

/** Place of a severity, from weak to strong. */
export const severityRank = (severity: string): number => (SEVERITIES as readonly string[]).indexOf(severity);

export function checkTop({ of, limit }: TopQuery): void {
  checkPage({ limit, offset: 0 });
  if (!['bytes', 'packets', 'flows'].includes(of)) throw new HistoryError(`of: ${of} is none of bytes, packets, flows`);
}

/** Figures that flows which match a filter add up to. */
export const FLOW_FIGURES = ['bytes', 'packets', 'flows'] as const;
export type FlowFigure = (typeof FLOW_FIGURES)[number];

/** @throws HistoryError for a figure that flows do not add up to */
export function flowFigures({ names }: SeriesQuery): FlowFigure[] {
  return names.map((name) => {
    const figure = FLOW_FIGURES.find((each) => each === name);
    if (figure !== undefined) return figure;
    throw new HistoryError(`names: with a filter there is no figure ${name}; there are ${FLOW_FIGURES.join(', ')}`);
  });
}

/** Steps of the roll-ups, s. */
export const ROLL_UPS = [1, 60, 3600] as const;

/**
 * The step of the points of an answer: no finer than asked for, and a multiple of the roll-up's.
 * @returns µs
 */
export function seriesStep({ from, to, points }: SeriesQuery): { readonly step: number; readonly rollUp: number } {
  if (!(to >= from)) throw new HistoryError(`from ${from} lies behind to ${to}`);
  if (!Number.isSafeInteger(points) || points < 1) throw new HistoryError(`points: ${points} is not a whole number from 1 on`);
  const least = Math.max(1, (to - from + 1) / 1e6 / points);
  const rollUp = ROLL_UPS.findLast((seconds) => seconds <= least) ?? 1;
  return { step: Math.ceil(least / rollUp) * rollUp * 1e6, rollUp };
}
