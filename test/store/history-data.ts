/** Entries and alerts that the tests of histories store: rows of events, as the script host makes them, and alerts about them. */
import type { Alert } from '../../src/alerts/alert.ts';
import { properText } from '../../src/flows/export.ts';
import { FIELDS, type FieldValue } from '../../src/flows/fields.ts';
import type { EventView } from '../../src/flows/view.ts';
import type { FlowEntry, FlowRow, HistoryQuery } from '../../src/store/history.ts';
import { FLOW_NAMES, FLOWS, NAMES_OF_FLOWS, viewOf } from '../filter/flows.ts';
import type { EventOf } from '../support/events.ts';

/** 2024-01-01, µs. */
export const START = 1_704_067_200_000_000;

function proper(value: FieldValue): FieldValue {
  if (typeof value === 'string') return properText(value);
  return typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([key, member]) => [properText(key), proper(member)]))
    : value;
}

export function rowOf(view: EventView): FlowRow {
  const row: Record<string, FieldValue> = {};
  for (const field of FIELDS) {
    const value = field.read(view);
    if (value !== undefined) row[field.key] = proper(value);
  }
  return row;
}

export const flowRow = (of: EventOf): FlowRow => rowOf(viewOf(of, NAMES_OF_FLOWS));

export const entry = (of: EventOf, more: Partial<FlowEntry> = {}): FlowEntry => ({
  time: START,
  interface: 'eth0',
  ended: true,
  flow: flowRow(of),
  ...more,
});

/** Those of test/filter/flows.ts, a second apart; their ids are k3x9-0-1, k3x9-0-2 … */
export const ENTRIES: readonly FlowEntry[] = FLOW_NAMES.map((name, i) => entry({ ...FLOWS[name], seq: i + 1 }, { time: START + i * 1e6 }));

export const idOf = ({ flow }: FlowEntry): string => flow['flow.id'] as string;

export const everything: HistoryQuery = { filter: '', sort: 'flow.id', descending: false, limit: 10_000, offset: 0 };

export const alertOf = (id: string, more: Partial<Alert> = {}): Alert => ({
  schema: 2,
  id,
  time: START,
  interface: 'eth0',
  type: 'flow_low_goodput',
  severity: 'warning',
  score: 50,
  script: 'low_goodput',
  version: 'abc123',
  callback: 'periodicUpdate',
  visit: 3,
  statusBefore: 0,
  status: 8,
  forStatus: 3,
  flow: (ENTRIES[0] as FlowEntry).flow,
  info: { ratio: 0.25, texts: ['a "b"', '\u0000', 'ü'] },
  reason: { goodput_bytes: 12 },
  shadow: false,
  title: 'Low goodput',
  description: 'Few of the bytes are payload',
  count: 1,
  firstTime: START,
  lastTime: START,
  bytes: 1000,
  packets: 10,
  secondary: false,
  state: 'new',
  by: '',
  comment: '',
  changed: 0,
  ...more,
});
