/** Flows as JSON objects: events in, keys of `info` with proper text out. Called by GET /flows and by `flowpatrol flows`. */
import { properText } from '../flows/export.ts';
import type { Field, FieldValue } from '../flows/fields/field.ts';
import { FIELDS } from '../flows/fields.ts';
import { type AnsweredEvent, mergeAnswers } from '../flows/selection.ts';
import { createEventView, type EventView, type Names } from '../flows/view.ts';
import type { HostBook } from '../hosts/book.ts';
import type { FlowAnswer, FlowQuery } from '../patrol-types.ts';

export type Json = string | number | boolean | { readonly [key: string]: Json };

export interface FlowRow {
  /** Name of the interface, as given to `-i`; no field has this key. */
  readonly interface: string;
  readonly [key: string]: Json;
}

export interface FlowList {
  /** Flows that match, and all that there are. */
  readonly matched: number;
  readonly total: number;
  /** Of those that match. */
  readonly packets: number;
  readonly bytes: number;
  readonly interfaces: readonly { readonly name: string; readonly matched: number; readonly total: number }[];
  readonly flows: readonly FlowRow[];
}

function proper(value: FieldValue): Json {
  if (typeof value === 'string') return properText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : 0;
  if (typeof value === 'boolean') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [properText(key), proper(member)]));
}

function rowOf(view: EventView, name: string, fields: readonly Field[]): FlowRow {
  const row: Record<string, Json> = { interface: name };
  for (const field of fields) {
    const value = field.read(view);
    if (value !== undefined) row[field.key] = proper(value);
  }
  return row as FlowRow;
}

/** @param fields which keys the rows have; all without it */
export function flowList(query: FlowQuery, answers: readonly FlowAnswer[], fields: readonly Field[] = FIELDS, hosts?: HostBook): FlowList {
  const views = new Map<Names, EventView>();
  const viewOf = ({ names }: FlowAnswer): EventView => {
    const view = views.get(names) ?? createEventView(names, hosts);
    views.set(names, view);
    return view;
  };
  const row = ({ answer, bytes }: AnsweredEvent): FlowRow => {
    const view = viewOf(answer);
    view.set(bytes, 0);
    return rowOf(view, answer.interface, fields);
  };
  const total = (key: 'matched' | 'total' | 'packets' | 'bytes'): number => answers.reduce((sum, answer) => sum + answer[key], 0);
  return {
    matched: total('matched'),
    total: total('total'),
    packets: total('packets'),
    bytes: total('bytes'),
    interfaces: answers.map(({ interface: name, matched, total: all }) => ({ name, matched, total: all })),
    flows: mergeAnswers(query, answers, hosts).map(row),
  };
}
