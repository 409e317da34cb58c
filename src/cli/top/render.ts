/** A state of `flowpatrol top` as lines for a terminal: exactly as many as it has, none wider. Pure; top.ts paints them. */
import type { FlowRow } from '../../api/rows.ts';
import { FIELDS } from '../../flows/fields.ts';
import { cellText, headerLine, layout, markedFilter, rowLine } from '../flow-table.ts';
import { bits, cellsOf, clock, count, fit, printable, short } from '../format.ts';
import { detailsShown, rowsShown, type TopState, visibleFields } from './state.ts';

export type LineStyle = 'plain' | 'title' | 'selected' | 'dim' | 'error';

export interface Line {
  readonly text: string;
  readonly style: LineStyle;
}

export interface Frame {
  readonly lines: readonly Line[];
  /** Where the cursor stands, from 0; undefined = it is hidden. */
  readonly cursor?: { readonly row: number; readonly column: number };
}

const line = (text: string, style: LineStyle = 'plain'): Line => ({ text, style });

function headLine({ status, trouble }: TopState): Line {
  if (trouble !== '') return line(trouble, 'error');
  if (status === undefined) return line('flowpatrol: asking …', 'dim');
  const interfaces = status.interfaces.map(({ name, state }) => `${printable(name)}${state === 'running' ? '' : ` (${state})`}`);
  return line(`flowpatrol ${status.version}  up ${clock(status.uptime)}  ${interfaces.join('  ')}`);
}

function figuresLine({ status, rates }: TopState): Line {
  if (status === undefined) return line('');
  const sum = (of: 'activeFlows' | 'alerts' | 'losses'): number => status.interfaces.reduce((all, one) => all + one[of], 0);
  const losses = sum('losses');
  return line(
    [
      `flows ${count(sum('activeFlows'))}`,
      `${short(rates.packets)} pkt/s`,
      `${bits(rates.bytes * 8)}/s`,
      `alerts ${count(sum('alerts'))}`,
      losses === 0 ? 'no losses' : `losses ${count(losses)}`,
    ].join('  '),
    losses === 0 ? 'plain' : 'error',
  );
}

/** Text from `first` on, so that the cursor is in sight. */
function draftLine(state: TopState): { readonly text: string; readonly column: number } {
  const prompt = 'Filter: ';
  const room = Math.max(1, state.columns - prompt.length - 1);
  const first = Math.max(0, state.cursor - room);
  return {
    text: prompt + printable(state.draft.slice(first)),
    column: prompt.length + cellsOf(printable(state.draft.slice(first, state.cursor))),
  };
}

function filterLine(state: TopState): Line {
  if (state.mode === 'filter') return line(draftLine(state).text, 'title');
  const { list, query, paused } = state;
  const shown = list === undefined ? '' : `${count(list.matched)} of ${count(list.total)} flows`;
  const filter = query.filter === '' ? 'no filter' : `filter: ${printable(query.filter)}`;
  return line([paused ? 'PAUSED' : '', shown, filter].filter((part) => part !== '').join('  '), paused ? 'title' : 'dim');
}

/** Below the draft: the signs, and what is wrong. */
function mistakeLines({ mistake, draft, cursor, columns }: TopState): Line[] {
  if (mistake === undefined) return [];
  const first = Math.max(0, cursor - Math.max(1, columns - 9));
  const [, signs] = markedFilter(draft.slice(first), { ...mistake, position: Math.max(0, mistake.position - first) });
  return [line(`        ${signs}`, 'error'), line(`${mistake.message}${mistake.hint === '' ? '' : ` ${mistake.hint}`}`, 'error')];
}

const TABLE_HELP = '↑↓ move  <> sort  r turn  / filter  p pause  Enter details  q quit';
const FILTER_HELP = 'Enter take  Esc leave as it was  an empty filter shows all';
const DETAILS_HELP = '↑↓ scroll  Esc back';

function tableFrame(state: TopState): Frame {
  const fields = visibleFields(state);
  const rows = state.list?.flows ?? [];
  const shown = rows.slice(state.first, state.first + rowsShown(state));
  const of = layout(fields, shown, state.columns, true);
  const sorted = fields.map((field) => {
    if (field.field.key !== state.query.sort) return field;
    return { ...field, title: `${field.title}${state.query.descending ? '▼' : '▲'}` };
  });
  const body = shown.map((row, i) => line(rowLine(of, row), state.first + i === state.selected ? 'selected' : 'plain'));
  const empty = Array.from({ length: rowsShown(state) - body.length }, () => line(''));
  const lines = [
    headLine(state),
    figuresLine(state),
    filterLine(state),
    ...mistakeLines(state),
    line(headerLine({ ...of, fields: sorted }), 'title'),
    ...body,
    ...empty,
    line(state.mode === 'filter' ? FILTER_HELP : TABLE_HELP, 'dim'),
  ];
  return state.mode === 'filter' ? { lines, cursor: { row: 2, column: draftLine(state).column } } : { lines };
}

/** Breaks a text where the line is full. */
function chunks(text: string, width: number): string[] {
  const found: string[] = [''];
  let cells = 0;
  for (const character of text) {
    const more = cellsOf(character);
    if (cells + more > width) {
      found.push('');
      cells = 0;
    }
    found[found.length - 1] += character;
    cells += more;
  }
  return found;
}

const KEY_WIDTH = 30;

/** Every field of a flow that says something, one below the other. */
export function detailLines(row: FlowRow, columns: number): string[] {
  const said = FIELDS.map((field) => ({ key: field.key, text: cellText(field, row[field.key]) })).filter(({ text }) => text !== '');
  const keyWidth = Math.min(KEY_WIDTH, Math.max(...said.map(({ key }) => key.length)));
  const width = Math.max(10, columns - keyWidth - 2);
  return said.flatMap(({ key, text }) => {
    const head = key.length > keyWidth ? [key] : [];
    return [...head, ...chunks(text, width).map((part, i) => `${(i === 0 && head.length === 0 ? key : '').padEnd(keyWidth)}  ${part}`)];
  });
}

function detailsFrame(state: TopState): Frame {
  const { details, ended, columns } = state;
  const lines = details === undefined ? [] : detailLines(details, columns);
  const room = detailsShown(state);
  const scroll = Math.min(state.scroll, Math.max(0, lines.length - room));
  const title = `Flow ${String(details?.['flow.id'] ?? '')} on ${printable(String(details?.interface ?? ''))}${ended ? ', it has ended' : ''}`;
  const body = lines.slice(scroll, scroll + room).map((text) => line(text));
  const rest = lines.length > scroll + room ? `  ${lines.length - scroll - room} more below` : '';
  return {
    lines: [line(title, 'title'), ...body, ...Array.from({ length: room - body.length }, () => line('')), line(DETAILS_HELP + rest, 'dim')],
  };
}

/** The most that `scroll` can be. */
export const lastScroll = (state: TopState): number =>
  state.details === undefined ? 0 : Math.max(0, detailLines(state.details, state.columns).length - detailsShown(state));

export function render(state: TopState): Frame {
  const frame = state.mode === 'details' ? detailsFrame(state) : tableFrame(state);
  const lines = frame.lines.slice(0, state.rows).map(({ text, style }) => ({ text: fit(text, state.columns).trimEnd(), style }));
  return { ...frame, lines };
}
