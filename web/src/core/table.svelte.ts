/** The page's side of the worker of the table of flows. */
import type { ProblemBody } from '../../../src/api/problems.ts';
import { ApiError, Offline } from './api.ts';
import type { FromTable, TableRow, TableState, ToTable, Window } from './table-messages.ts';

export interface FlowTable {
  readonly state: TableState | undefined;
  readonly rows: readonly TableRow[];
  /** Number of the first of the rows. */
  readonly from: number;
  readonly error: Error | undefined;
  readonly following: boolean;
  ask(question: Omit<Extract<ToTable, { type: 'ask' }>, 'type'>): void;
  look(window: Window): void;
  follow(on: boolean): void;
  again(): void;
}

/** Rows that are held above and below those that are seen: a scroll finds them there. */
const AROUND = 150;

const errorOf = (problem: ProblemBody | undefined, message: string): Error =>
  problem === undefined ? new Offline(message) : new ApiError(problem);

/** Called while a component is made; the worker ends with it. */
export function createFlowTable(): FlowTable {
  let state = $state.raw<TableState>();
  let rows = $state.raw<readonly TableRow[]>([]);
  let from = $state(0);
  let error = $state.raw<Error>();
  let following = $state(true);

  /** Rows that the worker was asked for: more than are seen. */
  let held: Window = { from: 0, to: 0 };

  const worker = new Worker(new URL('./table.worker.ts', import.meta.url), { type: 'module' });
  $effect(() => () => worker.terminate());
  const say = (message: ToTable): void => worker.postMessage(message);
  worker.onmessage = ({ data }: MessageEvent<FromTable>) => {
    switch (data.type) {
      case 'table': {
        const { type: _, ...figures } = data;
        state = figures;
        error = undefined;
        break;
      }
      case 'rows':
        rows = data.rows;
        from = data.from;
        break;
      case 'problem':
        error = errorOf(data.problem, data.message);
    }
  };

  return {
    get state() {
      return state;
    },
    get rows() {
      return rows;
    },
    get from() {
      return from;
    },
    get error() {
      return error;
    },
    get following() {
      return following;
    },
    ask: (question) => say({ type: 'ask', ...question }),
    look(window) {
      // a message in every frame of a scroll would be work in every frame
      if (window.from >= held.from && window.to <= held.to) return;
      held = { from: Math.max(0, window.from - AROUND), to: window.to + AROUND };
      say({ type: 'window', window: held });
    },
    follow(on) {
      following = on;
      say({ type: 'follow', on });
    },
    again() {
      error = undefined;
      following = true;
      say({ type: 'again' });
    },
  };
}
