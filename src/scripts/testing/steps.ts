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
  /** From this step on every script is announced before it is called: one of them did not return, and nobody knows which. */
  readonly careful: number;
}

export interface Steps {
  /** Of a script host. A script that did not return here is refused. */
  guard<T>(path: string, what: 'load' | 'unload', work: () => T): T;
  /** The scripts that are to be left out from the next {@link call} on. */
  leftOut(): readonly Stuck[];
  /** One callback of one event. */
  call(callback: Callback, work: (careful: boolean) => void): void;
  /** The script of this file is about to be called. */
  starting(path: string): void;
  /** Scripts that were left out or refused so far. */
  ended(): number;
}

/** @param named takes the number by which WATCH_SCRIPT has a path. @param refused takes a sentence about a script that is not loaded */
export function createSteps(
  { watch: words, stuck, careful }: StepsData,
  named: (number: number, path: string) => void,
  refused: (line: string) => void,
): Steps {
  const watch = new Int32Array(words);
  const numbers = new Map<string, number>();
  let calls = 0;
  let step = 0;
  let ended = 0;
  Atomics.store(watch, WATCH_THREAD, native.threadId());

  function announce(path: string): void {
    let number = numbers.get(path);
    if (number === undefined) {
      number = numbers.size + 1;
      numbers.set(path, number);
      named(number, path);
    }
    Atomics.store(watch, WATCH_SCRIPT, number);
    Atomics.store(watch, WATCH_CALLS, ++calls); // the time of each script counts for itself
  }

  function within<T>(callback: number, path: string | undefined, work: () => T): T {
    watch[WATCH_CALLBACK] = callback;
    watch[WATCH_STEP] = step;
    Atomics.store(watch, WATCH_CALLS, ++calls);
    if (path === undefined) Atomics.store(watch, WATCH_SCRIPT, 0);
    else announce(path);
    Atomics.store(watch, WATCH_STATE, HOST_IN_CALL);
    try {
      return work();
    } finally {
      // where the other thread has decided to end this one, nothing of the call is told
      if (Atomics.compareExchange(watch, WATCH_STATE, HOST_IN_CALL, HOST_IDLE) === HOST_ENDED) Atomics.wait(watch, WATCH_STATE, HOST_ENDED);
    }
  }

  return {
    guard(path, what, work) {
      step++;
      const [found] = stuck.get(step) ?? [];
      if (found === undefined) return within(what === 'load' ? CALL_LOAD : CALL_UNLOAD, path, work);
      ended++;
      const why = `its ${what === 'load' ? 'setup' : 'teardown'}() ${found.why}`;
      refused(`${path}: ${why}`);
      if (what === 'load') throw new Error(`${path.slice(path.lastIndexOf('/') + 1)}: ${why}`);
      return undefined as never; // nothing comes of a teardown
    },

    leftOut() {
      const found = stuck.get(step + 1) ?? [];
      ended += found.length;
      return found;
    },

    call(callback, work) {
      step++;
      within(CALLBACKS.indexOf(callback), undefined, () => work(step >= careful));
    },

    starting: announce,
    ended: () => ended,
  };
}
