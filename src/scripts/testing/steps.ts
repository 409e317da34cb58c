/**
 * The calls into scripts in a worker that another thread watches (watched.ts), one step each: a script is loaded, unloaded, or all scripts
 * have one callback of one event. The same work has the same steps in every worker, so a script that did not return at a step is left out
 * at that step by the next worker. Called by player.ts and load.ts.
 */
import { CALLBACKS, type Callback } from '../../flows/event.ts';
import {
  CALL_LOAD,
  CALL_UNLOAD,
  HOST_ENDED,
  HOST_IDLE,
  HOST_IN_CALL,
  WATCH_CALLBACK,
  WATCH_CALLS,
  WATCH_SCRIPT,
  WATCH_STATE,
  WATCH_THREAD,
  WATCH_WORDS,
} from '../../interfaces/protocol.ts';
import { native } from '../../native.ts';
import type { ScriptVersion } from '../runtime.ts';

/** Position of the number of the step behind those of WATCH_*. */
export const WATCH_STEP = WATCH_WORDS;
export const STEP_WORDS = WATCH_WORDS + 1;

/** A script that did not return. */
export interface Stuck {
  readonly path: string;
  /** `did not return for 200 ms of CPU time` */
  readonly why: string;
}

/** What a worker is told of those before it. */
export interface StepsData {
  /** STEP_WORDS words. */
  readonly watch: SharedArrayBuffer;
  readonly stuck: ReadonlyMap<number, readonly Stuck[]>;
}

export interface Steps {
  /** Of a script host. A script that did not return here is refused. */
  guard<T>(number: number, version: ScriptVersion, what: 'load' | 'unload', work: () => T): T;
  /** Of a script host. */
  readonly running: Int32Array;
  /** The scripts that are to be left out from the next {@link call} on. */
  leftOut(): readonly Stuck[];
  /** One callback of one event. */
  call(callback: Callback, work: () => void): void;
  /** Scripts that were left out or refused so far. */
  ended(): number;
}

/** @param named takes the number by which WATCH_SCRIPT has a version of this path. @param refused takes a sentence about a script that is not loaded */
export function createSteps(
  { watch: words, stuck }: StepsData,
  named: (number: number, path: string) => void,
  refused: (line: string) => void,
): Steps {
  const watch = new Int32Array(words);
  let calls = 0;
  let step = 0;
  let ended = 0;
  Atomics.store(watch, WATCH_THREAD, native.threadId());

  function within<T>(callback: number, script: number, work: () => T): T {
    watch[WATCH_CALLBACK] = callback;
    watch[WATCH_STEP] = step;
    watch[WATCH_SCRIPT] = script;
    Atomics.store(watch, WATCH_CALLS, ++calls);
    Atomics.store(watch, WATCH_STATE, HOST_IN_CALL);
    try {
      return work();
    } finally {
      // where the other thread has decided to end this one, nothing of the call is told
      if (Atomics.compareExchange(watch, WATCH_STATE, HOST_IN_CALL, HOST_IDLE) === HOST_ENDED) Atomics.wait(watch, WATCH_STATE, HOST_ENDED);
    }
  }

  return {
    running: watch.subarray(WATCH_SCRIPT, WATCH_SCRIPT + 1),

    guard(number, { file, path }, what, work) {
      step++;
      if (what === 'load') named(number, path);
      const [found] = stuck.get(step) ?? [];
      if (found === undefined) return within(what === 'load' ? CALL_LOAD : CALL_UNLOAD, number, work);
      ended++;
      const why = `its ${what === 'load' ? 'setup' : 'teardown'}() ${found.why}`;
      refused(`${path}: ${why}`);
      if (what === 'load') throw new Error(`${file}: ${why}`);
      return undefined as never; // nothing comes of a teardown
    },

    leftOut() {
      const found = stuck.get(step + 1) ?? [];
      ended += found.length;
      return found;
    },

    call(callback, work) {
      step++;
      within(CALLBACKS.indexOf(callback), 0, work);
    },

    ended: () => ended,
  };
}
