/**
 * The rows of the table of flows, away from the thread that draws: asks for them, parses and formats them, and hands out those that are
 * seen. So a table of 100,000 flows costs the page what some forty rows cost.
 *
 *   page ──ask, window, follow──► here ──fetch /flows, sorted by the server──► rows ──those of the window──► page
 */
import type { ProblemBody } from '../../../src/api/problems.ts';
import type { FlowList, FlowRow } from '../../../src/api/rows.ts';
import { createFormats, type Formats } from './format.ts';
import type { FromTable, TableColumn, TableRow, ToTable, Window } from './table-messages.ts';

const EVERY_MS = 2000;
/** Rows that are asked for at least, and beyond what is seen: scrolling finds them there. */
const LEAST = 200;
const AHEAD = 100;

let asked: Extract<ToTable, { type: 'ask' }> | undefined;
let formats: Formats = createFormats('en');
let flows: readonly FlowRow[] = [];
let seen: Window = { from: 0, to: 60 };
let following = true;
let limit = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let control: AbortController | undefined;

const say = (message: FromTable): void => postMessage(message);

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const cell = (row: FlowRow, { key, unit }: TableColumn, statuses: readonly string[]): string => {
  const value = row[key];
  if (key === 'flow.status') return value === 0 ? '' : (statuses[value as number] ?? String(value));
  if (typeof value === 'number' && unit === undefined) return value === 0 && key === 'vlan' ? '' : String(value);
  return formats.value(value, unit);
};

function rowsOf({ from, to }: Window): TableRow[] {
  const { columns = [], statuses = [] } = asked ?? {};
  return flows.slice(from, to).map((row) => ({
    id: String(row['flow.id']),
    alerted: row['flow.alerted'] === true,
    cells: columns.map((column) => cut(cell(row, column, statuses), column.characters)),
  }));
}

const show = (): void => say({ type: 'rows', from: seen.from, rows: rowsOf(seen) });

async function ask(): Promise<void> {
  clearTimeout(timer);
  control?.abort();
  if (asked === undefined) return;
  const { url } = asked;
  const mine = new AbortController();
  control = mine;
  limit = Math.min(MOST_FLOWS, Math.max(LEAST, Math.ceil((seen.to + AHEAD) / LEAST) * LEAST));
  try {
    const response = await fetch(`${url}&limit=${limit}`, { signal: mine.signal, credentials: 'same-origin' });
    const answer: unknown = await response.json();
    if (mine.signal.aborted || !following) return;
    if (!response.ok) {
      say({ type: 'problem', problem: answer as ProblemBody, message: (answer as ProblemBody).detail });
      return;
    }
    const list = answer as FlowList;
    const { matched, total, packets, bytes } = list;
    flows = list.flows;
    say({ type: 'table', matched, total, packets, bytes, loaded: flows.length });
    show();
  } catch (error) {
    if (mine.signal.aborted) return;
    say({ type: 'problem', problem: undefined, message: (error as Error).message });
  } finally {
    if (control === mine && following) timer = setTimeout(() => void ask(), EVERY_MS);
  }
}

addEventListener('message', ({ data }: MessageEvent<ToTable>): void => {
  switch (data.type) {
    case 'ask': {
      const same = asked?.url === data.url;
      asked = data;
      formats = createFormats(data.language);
      if (same) show();
      else {
        following = true;
        flows = [];
        void ask();
      }
      break;
    }
    case 'window':
      seen = data.window;
      show();
      // more than was asked for is looked at
      if (following && seen.to > flows.length && limit < MOST_FLOWS && flows.length >= limit) void ask();
      break;
    case 'follow':
      following = data.on;
      if (following) void ask();
      else {
        clearTimeout(timer);
        control?.abort();
      }
      break;
    case 'again':
      following = true;
      void ask();
  }
});
