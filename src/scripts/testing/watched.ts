/**
 * Work that calls scripts, in a thread of its own: one that does not return is ended, and the work is done anew without it.
 *
 *   work ──► worker.ts ──items, result──► caller
 *              │ a call takes more than its CPU time (the limits of a run, hosting/watch.ts)
 *              └ ended; the next worker does the same up to there, its items are known, and goes on without that script
 *
 * Called by `flowpatrol replay`, `explain`, `scripts list` and `scripts check`.
 */
import { Worker } from 'node:worker_threads';
import { FilterError, type FilterErrorCode } from '../../filter/errors.ts';
import type { Names } from '../../flows/view.ts';
import { WATCH_SCRIPT } from '../../interfaces/protocol.ts';
import { RecordingError } from '../../recording/format.ts';
import type { ExplainedCall } from '../explain.ts';
import type { FileChange } from '../host.ts';
import { endCall, watchCalls } from '../hosting/watch.ts';
import type { ScriptReport, ScriptSwitch } from '../report.ts';
import type { Difference, ReplayOptions, ReplaySummary } from './replay.ts';
import { STEP_WORDS, type StepsData, type Stuck, WATCH_STEP } from './steps.ts';

/** What a worker can do, by name: its task, what it tells on its way, and what it comes to. */
export interface Works {
  readonly load: { readonly task: LoadTask; readonly item: never; readonly result: ScriptReport[] };
  readonly replay: { readonly task: ReplayTask; readonly item: Difference; readonly result: ReplaySummary };
  readonly explain: { readonly task: ExplainTask; readonly item: ExplainedCall; readonly result: undefined };
}

export interface LoadTask {
  readonly names: Names;
  readonly directories: readonly string[];
  readonly language: string;
  readonly switches: ReadonlyMap<string, ScriptSwitch>;
  readonly files: readonly FileChange[];
}

export interface ReplayTask extends ReplayOptions {
  /** Path of the recording. */
  readonly recording: string;
}

export interface ExplainTask {
  readonly recording: string;
  /** Of the flows. */
  readonly filter: string;
  /** Absolute paths. */
  readonly scripts: readonly string[];
}

export type Work = { readonly [K in keyof Works]: { readonly name: K; readonly task: Works[K]['task'] } }[keyof Works];

export interface WorkerData {
  readonly work: Work;
  readonly steps: StepsData;
}

export type WorkerMessage =
  | { readonly type: 'item'; readonly item: unknown }
  /** A sentence about a script that did not return. */
  | { readonly type: 'note'; readonly line: string }
  | { readonly type: 'named'; readonly number: number; readonly path: string }
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'refused'; readonly message: string; readonly filter?: FilterFields };

type FilterFields = Pick<FilterError, 'code' | 'position' | 'length' | 'hint'> & { readonly code: FilterErrorCode };

/** How a worker came to its end. */
type End<T> = { readonly result: T } | { readonly step: number; readonly script: Stuck | undefined };

export interface Listener<I> {
  item(item: I): void;
  note(line: string): void;
}

/** @throws RecordingError, FilterError: what the work throws; Error: the worker died outside of a script */
export async function runWatched<K extends keyof Works>(
  name: K,
  task: Works[K]['task'],
  { item, note }: Listener<Works[K]['item']>,
): Promise<Works[K]['result']> {
  const stuck = new Map<number, Stuck[]>();
  let told = 0;
  for (;;) {
    let seen = 0;
    const end = await runOnce<Works[K]['result']>({ name, task } as Work, stuck, (message) => {
      if (++seen <= told) return;
      told = seen;
      if (message.type === 'item') item(message.item as Works[K]['item']);
      else note(message.line);
    });
    if ('result' in end) return end.result;
    if (end.script === undefined) throw new Error('a call of scripts does not return, and no script is to blame');
    stuck.set(end.step, [...(stuck.get(end.step) ?? []), end.script]);
  }
}

type Told = Extract<WorkerMessage, { type: 'item' | 'note' }>;

function runOnce<T>(work: Work, stuck: StepsData['stuck'], told: (message: Told) => void): Promise<End<T>> {
  const watch = new Int32Array(new SharedArrayBuffer(STEP_WORDS * 4));
  const workerData: WorkerData = { work, steps: { stuck, watch: watch.buffer } };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
  const paths = new Map<number, string>();
  return new Promise<End<T>>((resolve, reject) => {
    const end = async (why: string): Promise<void> => {
      unwatch();
      await worker.terminate();
      const path = paths.get(Atomics.load(watch, WATCH_SCRIPT));
      resolve({ step: watch[WATCH_STEP] as number, script: path === undefined ? undefined : { path, why } });
    };
    const done = (settle: () => void): void => {
      unwatch();
      void worker.terminate().then(settle);
    };

    const unwatch = watchCalls(watch, (why) => void end(why));
    worker.on('message', (message: WorkerMessage) => {
      switch (message.type) {
        case 'named':
          paths.set(message.number, message.path);
          break;
        case 'result':
          done(() => resolve({ result: message.result as T }));
          break;
        case 'refused': {
          const { message: text, filter } = message;
          done(() => reject(filter === undefined ? new RecordingError(text) : new FilterError(filter.code, text, filter, filter.hint)));
          break;
        }
        default:
          told(message);
      }
    });
    worker.on('error', (error) => {
      if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY' && endCall(watch))
        void end('used up the memory of its thread');
      else done(() => reject(error));
    });
  });
}
