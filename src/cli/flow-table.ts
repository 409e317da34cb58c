/**
 * Flows as a table on a terminal: rows as the programming interface has them in, lines out. Pure. Called by `flowpatrol flows` and
 * `flowpatrol top`.
 *
 *   fields that may be shown ──width──► columnsThatFit ──► layout(rows) ──► headerLine, rowLine
 *
 * What a field is called, how wide it usually is and what its unit is stands in its declaration (src/flows/fields).
 */
import { fieldNamed, fieldNames } from '../api/fields.ts';
import type { FlowRow, Json } from '../api/rows.ts';
import type { FilterError } from '../filter/filter.ts';
import { tableColumns } from '../flows/derived/table-columns.ts';
import type { Field } from '../flows/fields/field.ts';
import { FIELDS, fieldByKey } from '../flows/fields.ts';
import { isSortable } from '../flows/selection.ts';
import { statusById } from '../flows/statuses.ts';
import { type CommandError, usageError } from './errors.ts';
import { bits, bytes, cellsOf, count, duration, fit, printable, short } from './format.ts';
import { didYouMean } from './options.ts';

export interface TableField {
  readonly field: Field;
  readonly title: string;
  /** Cells of a usual value. */
  readonly width: number;
  readonly right: boolean;
}

/** Titles that are wider than what stands below them. */
const SHORT_TITLES: Readonly<Record<string, string>> = {
  'cli.port': 'Port',
  'srv.port': 'Port',
  'cli.country': 'CC',
  'srv.country': 'CC',
  throughput_bps: 'Speed',
};

/** Values that are written with a unit need another width than the number alone. */
const UNIT_WIDTHS: Readonly<Record<string, number>> = { bytes: 7, 'bytes/s': 11, 'bits/s': 11, s: 11 };

const declared = new Map(tableColumns(FIELDS).map((column) => [column.key, column]));

function tableField(field: Field): TableField {
  const column = declared.get(field.key);
  const numeric = field.type === 'int' || field.type === 'float';
  const title = SHORT_TITLES[field.key] ?? column?.title ?? field.key;
  const width = UNIT_WIDTHS[field.unit ?? ''] ?? column?.width ?? 10;
  return {
    field,
    title,
    width: Math.max(width, cellsOf(title)),
    right: numeric && field.key !== 'flow.status' && field.unit !== 's since 1970',
  };
}

/** Most wanted first; shown in the order of their declaration. */
const WANTED = [
  ...['cli.ip', 'cli.port', 'srv.ip', 'srv.port', 'proto.ndpi', 'bytes', 'throughput_bps', 'duration', 'info', 'proto.l4', 'packets'],
  ...['flow.status', 'srv.host', 'cli.host', 'seen.last'],
];

/** Fields that are shown where nobody has chosen, most wanted first. @param live flows that have ended have no speed */
export function usualFields(live: boolean): TableField[] {
  const shown = tableColumns(FIELDS).filter((column) => column.shown);
  const others = shown.map((column) => column.key).filter((key) => !WANTED.includes(key));
  return [...WANTED, ...others]
    .filter((key) => declared.get(key)?.shown === true && (live || key !== 'throughput_bps'))
    .map((key) => tableField(fieldByKey.get(key) as Field));
}

/** @throws CommandError for a name that no field has */
export function fieldsOf(names: readonly string[]): TableField[] {
  return names.map((name) => tableField(fieldOrError(name, '--columns')));
}

/** @throws CommandError */
export function sortFieldOf(name: string): Field {
  const field = fieldOrError(name, '--sort');
  if (!isSortable(field)) throw usageError(`--sort: ${field.key} is a table, flows cannot be sorted by it`);
  return field;
}

function fieldOrError(name: string, option: string): Field {
  const field = fieldNamed(name);
  if (field !== undefined) return field;
  throw usageError(
    `${option}: there is no field '${name}'`,
    didYouMean(name, fieldNames()) || 'docs/reference/flow-info.md lists the fields',
  );
}

/** The filter with a caret below what is wrong. */
export function filterError(filter: string, error: FilterError): CommandError {
  return usageError(`--filter: ${error.message}`, [...markedFilter(filter, error), ...(error.hint === '' ? [] : [error.hint])].join('\n'));
}

/** Two lines: the filter, and signs below the part that is meant. */
export function markedFilter(
  filter: string,
  { position, length }: { readonly position: number; readonly length: number },
): [string, string] {
  const before = printable(filter.slice(0, position));
  return [
    printable(filter),
    ' '.repeat(cellsOf(before)) + '^'.repeat(Math.max(1, cellsOf(printable(filter.slice(position, position + length))))),
  ];
}

const seconds = (value: number): string => (value < 60 ? `${value} s` : duration(value));
const moment = (value: number): string =>
  value > 0 && value < 8e12 ? new Date(value * 1000).toISOString().slice(0, 19).replace('T', ' ') : '';
const milliseconds = (value: number): string =>
  `${value >= 100 ? Math.round(value) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`;

function numberText({ key, unit }: Field, value: number): string {
  if (key === 'flow.status') return value === 0 ? '' : (statusById.get(value)?.title ?? String(value));
  if (key === 'score' && value < 0) return '';
  switch (unit) {
    case 'bytes':
      return bytes(value);
    case 'packets':
      return count(value);
    case 'bytes/s': // shown as network people read it
      return `${bits(value * 8)}/s`;
    case 'bits/s':
      return `${bits(value)}/s`;
    case 'packets/s':
      return `${short(value)}/s`;
    case 's since 1970':
      return moment(value);
    case 's':
      return seconds(value);
    case 'ms':
      return milliseconds(value);
    default:
      return String(value);
  }
}

/** A value as people read it; `''` where there is none. Times are UTC, as in filters. */
export function cellText(field: Field, value: Json | undefined): string {
  switch (typeof value) {
    case 'undefined':
      return '';
    case 'number':
      return numberText(field, value);
    case 'boolean':
      return value ? 'yes' : 'no';
    case 'string':
      return printable(value);
    default:
      return printable(JSON.stringify(value));
  }
}

/** A space between two columns. */
const totalWidth = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width, 0) + Math.max(0, widths.length - 1);

/** As many of the most wanted as the width holds, in the order of their declaration; the first one always. */
export function columnsThatFit(fields: readonly TableField[], width: number): TableField[] {
  const chosen: TableField[] = [];
  for (const field of fields) {
    if (chosen.length > 0 && totalWidth([...chosen, field].map((of) => of.width)) > width) continue;
    chosen.push(field);
  }
  return chosen.toSorted((a, b) => FIELDS.indexOf(a.field) - FIELDS.indexOf(b.field));
}

export interface Layout {
  readonly fields: readonly TableField[];
  readonly widths: readonly number[];
}

/** No column is made narrower than this. */
const NARROWEST = 4;

/**
 * How wide the columns are: as their usual values say; what is then left over goes to those whose values are cut.
 * @param width of the terminal; Infinity = nothing is cut
 * @param steady columns keep their places when other rows come
 */
export function layout(fields: readonly TableField[], rows: readonly FlowRow[], width: number, steady = false): Layout {
  const natural = fields.map(({ field, title }) =>
    rows.reduce((most, row) => Math.max(most, cellsOf(cellText(field, row[field.key]))), cellsOf(title)),
  );
  if (width === Number.POSITIVE_INFINITY) return { fields, widths: natural };
  const widths = fields.map((of, i) => (steady ? of.width : Math.min(natural[i] as number, of.width)));
  // texts first: a number that is cut says something else
  for (const numbers of [false, true]) {
    while (totalWidth(widths) > width) {
      const widest = widths.reduce(
        (at, of, i) => ((fields[i] as TableField).right === numbers && of > (widths[at] ?? NARROWEST) ? i : at),
        -1,
      );
      if (widest < 0) break;
      widths[widest] = (widths[widest] as number) - 1;
    }
  }
  for (let left = width - totalWidth(widths); left > 0; left--) {
    const cut = widths.findIndex((of, i) => of < (natural[i] as number));
    if (cut < 0) break;
    widths[cut] = (widths[cut] as number) + 1;
  }
  return { fields, widths };
}

/** Cells beside one another; the last one is not filled up. */
const joined = ({ fields, widths }: Layout, cells: readonly string[]): string =>
  cells
    .map((cell, i) => fit(cell, widths[i] as number, (fields[i] as TableField).right))
    .join(' ')
    .trimEnd();

export const headerLine = (of: Layout): string =>
  joined(
    of,
    of.fields.map(({ title }) => title),
  );

export const rowLine = (of: Layout, row: FlowRow): string =>
  joined(
    of,
    of.fields.map(({ field }) => cellText(field, row[field.key])),
  );

/** Flows for other programs: keys, then plain values; a tab or a line end within a value is a space. */
export function tabSeparated(fields: readonly TableField[], rows: readonly FlowRow[]): string[] {
  const plain = (value: Json | undefined): string =>
    value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return [
    fields.map(({ field }) => field.key).join('\t'),
    ...rows.map((row) => fields.map(({ field }) => plain(row[field.key]).replace(/[\p{Cc}\u2028\u2029]/gu, ' ')).join('\t')),
  ];
}
