/**
 * What `flowpatrol top` shows, and what keys and answers make of it. Pure: a state and what happened in, the next state and what is to
 * be done out. Drawn by render.ts, driven by top.ts.
 *
 *   table ──/──► filter ──Enter, accepted──► table        table ──Enter──► details ──Esc──► table
 */
import type { FlowList, FlowRow } from '../../api/rows.ts';
import type { InterfaceStatus, Status } from '../../api/status.ts';
import type { FlowQuery } from '../../patrol-types.ts';
import { columnsThatFit, type TableField } from '../flow-table.ts';

export interface FilterMistake {
  readonly message: string;
  readonly hint: string;
  readonly position: number;
  readonly length: number;
}

/** Per second. */
export interface Rates {
  readonly packets: number;
  readonly bytes: number;
}

export interface TopState {
  readonly mode: 'table' | 'filter' | 'details';
  readonly columns: number;
  readonly rows: number;
  /** Candidates for columns, most wanted first; `chosen`: all of them are shown. */
  readonly fields: readonly TableField[];
  readonly chosen: boolean;
  readonly query: FlowQuery;
  readonly paused: boolean;
  /** Of the last answer. */
  readonly list: FlowList | undefined;
  readonly status: Status | undefined;
  readonly rates: Rates;
  /** Why there is no answer, `''` if there is one. */
  readonly trouble: string;
  /** Position in the list, and the first row that is shown. */
  readonly selected: number;
  readonly first: number;
  /** The filter that is being written, and where the next character goes. */
  readonly draft: string;
  readonly cursor: number;
  readonly mistake: FilterMistake | undefined;
  /** The flow that is shown whole. */
  readonly details: FlowRow | undefined;
  /** It was not found any more when it was asked for last. */
  readonly ended: boolean;
  readonly scroll: number;
}

/** A key as node:readline names it. */
export interface Key {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

/** What is to be done after a key. */
export type Effect = 'nothing' | 'quit' | 'ask' | 'try filter' | 'ask details';

export interface Next {
  readonly state: TopState;
  readonly effect: Effect;
}

const next = (state: TopState, effect: Effect = 'nothing'): Next => ({ state, effect });

/** Lines above and below the rows: two of header, filter, titles; help. */
const FRAME_LINES = 5;
/** Title and help around the fields of a flow. */
const DETAIL_FRAME_LINES = 2;

export const rowsShown = (state: TopState): number => Math.max(1, state.rows - FRAME_LINES - (state.mistake === undefined ? 0 : 2));
export const detailsShown = (state: TopState): number => Math.max(1, state.rows - DETAIL_FRAME_LINES);

export const visibleFields = ({ fields, chosen, columns }: TopState): readonly TableField[] =>
  chosen ? fields : columnsThatFit(fields, columns);

export function initialState(of: Pick<TopState, 'columns' | 'rows' | 'fields' | 'chosen' | 'query'>): TopState {
  return {
    ...of,
    mode: 'table',
    paused: false,
    list: undefined,
    status: undefined,
    rates: { packets: 0, bytes: 0 },
    trouble: '',
    selected: 0,
    first: 0,
    draft: '',
    cursor: 0,
    mistake: undefined,
    details: undefined,
    ended: false,
    scroll: 0,
  };
}

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

/** The selection within the list, and the rows around it on the screen. */
function settled(state: TopState): TopState {
  const many = state.list?.flows.length ?? 0;
  const shown = rowsShown(state);
  const selected = clamp(state.selected, 0, Math.max(0, many - 1));
  const first = clamp(state.first, Math.max(0, selected - shown + 1), selected);
  return { ...state, selected, first: Math.min(first, Math.max(0, many - shown)) };
}

const select = (state: TopState, selected: number): Next => next(settled({ ...state, selected }));

export const selectedRow = ({ list, selected }: TopState): FlowRow | undefined => list?.flows[selected];

const idOf = (row: FlowRow | undefined): unknown => row?.['flow.id'];

export const resized = (state: TopState, columns: number, rows: number): TopState => settled({ ...state, columns, rows });

const total = (status: Status, of: (one: InterfaceStatus) => number): number => status.interfaces.reduce((sum, one) => sum + of(one), 0);

/** Rates between two answers. A counter that runs back belongs to another run. */
function ratesOf(before: Status | undefined, now: Status): Rates {
  const seconds = before === undefined ? 0 : now.uptime - before.uptime;
  if (before === undefined || seconds <= 0) return { packets: 0, bytes: 0 };
  const rate = (of: (one: InterfaceStatus) => number): number => Math.max(0, (total(now, of) - total(before, of)) / seconds);
  return { packets: rate((one) => one.packets), bytes: rate((one) => one.bytes) };
}

/** The selection stays on its flow where that is still in the list. */
export function answered(state: TopState, status: Status, list: FlowList): TopState {
  const id = idOf(selectedRow(state));
  const at = id === undefined ? -1 : list.flows.findIndex((row) => idOf(row) === id);
  return settled({
    ...state,
    status,
    rates: ratesOf(state.status, status),
    list,
    trouble: '',
    selected: at >= 0 ? at : state.selected,
  });
}

/** Nobody answers: what was there stays on the screen. */
export const unanswered = (state: TopState, trouble: string): TopState => ({ ...state, trouble });

/** The draft is a filter, and this is its answer. */
export const filterAccepted = (state: TopState, filter: string, status: Status, list: FlowList): TopState =>
  answered(
    { ...state, mode: 'table', mistake: undefined, query: { ...state.query, filter }, selected: 0, first: 0, list: undefined },
    status,
    list,
  );

/** The draft is none: the old filter stays. */
export const filterRefused = (state: TopState, mistake: FilterMistake): TopState => settled({ ...state, mistake });

/** All fields of the flow that is shown; undefined: it has ended, and what is known of it stays. */
export const detailed = (state: TopState, row: FlowRow | undefined): TopState =>
  row === undefined ? { ...state, ended: true } : { ...state, details: row, ended: false };

function sortBy(state: TopState, step: number): Next {
  const keys = visibleFields(state)
    .filter(({ field }) => field.type !== 'table')
    .map(({ field }) => field.key);
  const at = keys.indexOf(state.query.sort);
  const sort = keys[at < 0 ? 0 : (at + step + keys.length) % keys.length] ?? state.query.sort;
  return next({ ...state, query: { ...state.query, sort } }, 'ask');
}

function inTable(state: TopState, { name, sequence }: Key): Next {
  const many = state.list?.flows.length ?? 0;
  const page = rowsShown(state);
  switch (sequence) {
    case '<':
      return sortBy(state, -1);
    case '>':
      return sortBy(state, 1);
    case '/':
      return next({ ...state, mode: 'filter', draft: state.query.filter, cursor: state.query.filter.length });
    case 'G':
      return select(state, many - 1);
  }
  switch (name) {
    case 'q':
      return next(state, 'quit');
    case 'up':
    case 'k':
      return select(state, state.selected - 1);
    case 'down':
    case 'j':
      return select(state, state.selected + 1);
    case 'pageup':
      return select(state, state.selected - page);
    case 'pagedown':
      return select(state, state.selected + page);
    case 'home':
    case 'g':
      return select(state, 0);
    case 'end':
      return select(state, many - 1);
    case 's':
    case 'right':
      return sortBy(state, 1);
    case 'left':
      return sortBy(state, -1);
    case 'r':
      return next({ ...state, query: { ...state.query, descending: !state.query.descending } }, 'ask');
    case 'p':
    case 'space':
      return next({ ...state, paused: !state.paused }, state.paused ? 'ask' : 'nothing');
    case 'return':
    case 'enter': {
      const row = selectedRow(state);
      return row === undefined ? next(state) : next({ ...state, mode: 'details', details: row, ended: false, scroll: 0 }, 'ask details');
    }
    default:
      return next(state);
  }
}

function inFilter(state: TopState, { name, sequence = '', ctrl, meta }: Key): Next {
  const { draft, cursor } = state;
  const edited = (text: string, at: number): Next => next({ ...state, draft: text, cursor: at });
  switch (name) {
    case 'return':
    case 'enter':
      return next(state, 'try filter');
    case 'escape':
      return next(settled({ ...state, mode: 'table', mistake: undefined }));
    case 'backspace':
      return cursor === 0 ? next(state) : edited(draft.slice(0, cursor - 1) + draft.slice(cursor), cursor - 1);
    case 'delete':
      return edited(draft.slice(0, cursor) + draft.slice(cursor + 1), cursor);
    case 'left':
      return edited(draft, Math.max(0, cursor - 1));
    case 'right':
      return edited(draft, Math.min(draft.length, cursor + 1));
    case 'home':
      return edited(draft, 0);
    case 'end':
      return edited(draft, draft.length);
  }
  if (ctrl === true) {
    if (name === 'u') return edited(draft.slice(cursor), 0);
    if (name === 'a') return edited(draft, 0);
    if (name === 'e') return edited(draft, draft.length);
    return next(state);
  }
  if (meta === true || sequence === '' || /\p{Cc}/u.test(sequence)) return next(state);
  return edited(draft.slice(0, cursor) + sequence + draft.slice(cursor), cursor + sequence.length);
}

function inDetails(state: TopState, { name }: Key): Next {
  const page = detailsShown(state);
  const scrolled = (scroll: number): Next => next({ ...state, scroll: Math.max(0, scroll) });
  switch (name) {
    case 'q':
    case 'escape':
    case 'return':
    case 'enter':
    case 'backspace':
      return next({ ...state, mode: 'table', details: undefined });
    case 'up':
    case 'k':
      return scrolled(state.scroll - 1);
    case 'down':
    case 'j':
      return scrolled(state.scroll + 1);
    case 'pageup':
      return scrolled(state.scroll - page);
    case 'pagedown':
    case 'space':
      return scrolled(state.scroll + page);
    case 'home':
    case 'g':
      return scrolled(0);
    default:
      return next(state);
  }
}

export function press(state: TopState, key: Key): Next {
  if (key.ctrl === true && key.name === 'c') return next(state, 'quit');
  switch (state.mode) {
    case 'table':
      return inTable(state, key);
    case 'filter':
      return inFilter(state, key);
    case 'details':
      return inDetails(state, key);
  }
}
