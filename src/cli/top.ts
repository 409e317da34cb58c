/**
 * `flowpatrol top`: the flows of the flowpatrol that runs with a data directory. Asks the control socket, draws on the terminal, and
 * leaves the terminal as it was however it ends. Called by main.ts. What keys do stands in top/state.ts, what is drawn in top/render.ts.
 */
import { writeSync } from 'node:fs';
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { ask, Refused } from '../api/client.ts';
import type { FlowList } from '../api/rows.ts';
import type { Status } from '../api/status.ts';
import type { FlowQuery } from '../patrol-types.ts';
import { CommandError, usageError } from './errors.ts';
import { fieldsOf, markedFilter, usualFields } from './flow-table.ts';
import { type Output, queryOf, show, tableFields } from './flows.ts';
import { controlError } from './prefs.ts';
import { type Frame, type LineStyle, lastScroll, render } from './top/render.ts';
import {
  answered,
  detailed,
  type Effect,
  filterAccepted,
  filterRefused,
  initialState,
  type Key,
  press,
  resized,
  selectedRow,
  type TopState,
  unanswered,
  visibleFields,
} from './top/state.ts';
import type { ViewOptions } from './view-options.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const STYLES: Readonly<Record<LineStyle, string>> = {
  plain: '',
  title: '\u001b[1m',
  selected: '\u001b[7m',
  dim: '\u001b[2m',
  error: '\u001b[1;31m',
};
const PLAIN = '\u001b[0m';

const flowsPath = ({ filter, sort, descending, limit }: FlowQuery, fields: readonly string[]): string => {
  const query = new URLSearchParams({ filter, sort, order: descending ? 'desc' : 'asc', limit: String(limit) });
  if (fields.length > 0) query.set('fields', fields.join(','));
  return `/flows?${query}`;
};

const paint = ({ lines, cursor }: Frame): string => {
  const drawn = lines.map(({ text, style }) => `${STYLES[style]}${text}${style === 'plain' ? '' : PLAIN}\u001b[K`).join('\r\n');
  const at = cursor === undefined ? '\u001b[?25l' : `\u001b[${cursor.row + 1};${cursor.column + 1}H\u001b[?25h`;
  return `\u001b[H${drawn}\u001b[J${at}`;
};

/** What a request that failed says, as one of ours. */
function asCommandError(error: unknown, directory: string, filter: string): Error {
  if (!(error instanceof Refused)) return controlError(error, directory);
  const { code, detail, hint = '', position = 0, length = 1 } = error.problem;
  if (code !== 'wrong-filter') return usageError(detail, hint);
  return usageError(`--filter: ${detail}`, [...markedFilter(filter, { position, length }), ...(hint === '' ? [] : [hint])].join('\n'));
}

async function once(directory: string, view: ViewOptions, output: Output, note: (line: string) => void): Promise<number> {
  const query = queryOf(view);
  const fields = tableFields(view, output.terminal ? output.columns : Number.POSITIVE_INFINITY, true);
  const keys = view.json && view.columns.length === 0 ? [] : fields.map(({ field }) => field.key);
  try {
    show(await ask<FlowList>(directory, 'GET', flowsPath(query, keys)), fields, view, output, note);
    return 0;
  } catch (error) {
    throw asCommandError(error, directory, query.filter);
  }
}

interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

/** @returns when the user has had enough */
async function live(directory: string, view: ViewOptions, { input, output }: Terminal): Promise<number> {
  const fields = view.columns.length > 0 ? fieldsOf(view.columns) : usualFields(true);
  const size = (): [number, number] => [Math.max(20, output.columns || 80), Math.max(8, output.rows || 24)];
  const [columns, rows] = size();
  let state: TopState = initialState({ columns, rows, fields, chosen: view.columns.length > 0, query: queryOf(view) });
  const { promise: over, resolve: quit } = Promise.withResolvers<void>();
  /** Number of the newest question: the answers to older ones are not shown. */
  let asked = 0;
  let trying = false;

  let drawing = true;
  /** An answer may come when the screen is no longer ours. */
  const draw = (): void => {
    if (drawing) output.write(paint(render(state)));
  };
  const keysOf = (of: TopState): string[] => [...new Set([...visibleFields(of).map(({ field }) => field.key), 'flow.id'])];

  const fetchAll = (query: FlowQuery): Promise<[Status, FlowList]> =>
    Promise.all([ask<Status>(directory, 'GET', '/status'), ask<FlowList>(directory, 'GET', flowsPath(query, keysOf(state)))]);

  /** Asks, and shows the answer unless a newer question is under way. */
  async function refresh(): Promise<void> {
    const mine = ++asked;
    try {
      const [status, list] = await fetchAll(state.query);
      if (mine === asked) state = answered(state, status, list);
    } catch (error) {
      if (mine === asked) state = unanswered(state, asCommandError(error, directory, state.query.filter).message);
    }
  }

  async function tryFilter(): Promise<void> {
    if (trying) return;
    const filter = state.draft.trim();
    trying = true;
    asked++;
    try {
      const [status, list] = await fetchAll({ ...state.query, filter });
      state = filterAccepted(state, filter, status, list);
    } catch (error) {
      if (error instanceof Refused) {
        const { detail: message, hint = '', position = 0, length = 1 } = error.problem;
        const skipped = state.draft.length - state.draft.trimStart().length;
        state = filterRefused(state, { message, hint, position: position + skipped, length });
      } else {
        state = unanswered(state, asCommandError(error, directory, filter).message);
      }
    } finally {
      trying = false;
    }
  }

  async function askDetails(): Promise<void> {
    const id = selectedRow(state)?.['flow.id'];
    try {
      const query = { ...state.query, filter: `flow.id == "${String(id)}"`, limit: 1 };
      const { flows } = await ask<FlowList>(directory, 'GET', flowsPath(query, []));
      if (state.details?.['flow.id'] === id) state = detailed(state, flows[0]);
    } catch (error) {
      state = unanswered(state, asCommandError(error, directory, '').message);
    }
  }

  const effects: Readonly<Record<Effect, () => Promise<void> | undefined>> = {
    nothing: () => undefined,
    quit: () => void quit() as undefined,
    ask: refresh,
    'try filter': tryFilter,
    'ask details': askDetails,
  };

  const onKey = (_: string | undefined, key: Key): void => {
    const next = press(state, key);
    state = { ...next.state, scroll: Math.min(next.state.scroll, lastScroll(next.state)) };
    draw();
    void effects[next.effect]()?.then(draw);
  };
  const onResize = (): void => {
    state = resized(state, ...size());
    draw();
  };
  const restore = (): void => {
    drawing = false;
    if (input.isTTY) input.setRawMode(false);
    writeSync(process.stdout.fd, LEAVE); // at once: the process may be about to end
  };

  // where an error ends the process it is written after this, on the screen that stays
  process.once('uncaughtExceptionMonitor', restore);
  const ended = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (): void => quit();
  for (const signal of ended) process.once(signal, onSignal);
  emitKeypressEvents(input);
  input.setRawMode(true);
  output.write(ENTER);
  draw();
  input.on('keypress', onKey);
  output.on('resize', onResize);
  let polling = false;
  const timer = setInterval(() => {
    if (state.paused || polling || trying) return;
    polling = true;
    void refresh().then(() => {
      polling = false;
      draw();
    });
  }, view.interval * 1000);
  try {
    await Promise.race([refresh().then(draw), over]);
    await over;
  } finally {
    clearInterval(timer);
    input.off('keypress', onKey);
    output.off('resize', onResize);
    for (const signal of ended) process.off(signal, onSignal);
    process.off('uncaughtExceptionMonitor', restore);
    input.pause();
    restore();
  }
  return 0;
}

/** @returns the exit code */
export async function top(
  directory: string,
  view: ViewOptions,
  terminal: Terminal,
  output: Output,
  note: (line: string) => void,
): Promise<number> {
  if (view.once || view.json || !output.terminal) return once(directory, view, output, note);
  if (!terminal.input.isTTY) throw usageError('top takes keys from a terminal, and standard input is none', '--once prints one table');
  try {
    // so that wrong options and a directory without a flowpatrol are errors before the screen changes
    await ask<FlowList>(directory, 'GET', flowsPath({ ...queryOf(view), limit: 1 }, ['bytes']));
  } catch (error) {
    throw error instanceof CommandError ? error : asCommandError(error, directory, view.filter);
  }
  return live(directory, view, terminal);
}
