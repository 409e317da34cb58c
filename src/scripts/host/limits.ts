/**
 * What scripts may use of time and memory, looked at with the measured events: who uses more than the same part for all, who uses too much
 * time (live interfaces), and who grew most where a language holds too much memory. Called by host.ts.
 */
import type { Callback } from '../../flows/event.ts';
import type { EventView } from '../../flows/view.ts';
import type { Language, Runtime } from '../runtime.ts';
import { type Script, type ScriptSet, usedUs } from './scripts.ts';

/** Memory of all scripts of one language in a host together; beyond it the one that grew most is switched off. */
export const MEMORY_LIMIT = 64 << 20;
/** What the heap of the thread may grow by between two collections that are made to see what is garbage in it. */
const HEAP_STEP = MEMORY_LIMIT / 4;
/** Stretch of the interface's clock over which parts of the time are compared, µs. */
const FAIR_US = 1e6;

export interface Limits {
  /** Much memory of Lua is in use: every call is to be measured. */
  heavy(): boolean;
  /** Once a second of the interface's clock. @param time µs */
  compareTime(time: number): void;
  limitMemory(view: EventView, callback: Callback): void;
  /** So much is in use that `relieve` has to find whose it is, before the next event. */
  overfull(): boolean;
  /** Weighs the scripts in TypeScript, and switches one off where they hold too much. @param view stands at the last event */
  relieve(view: EventView): Promise<void>;
}

interface LimitsOptions {
  readonly scripts: ScriptSet;
  readonly runtimes: Readonly<Record<Language, Runtime>>;
  /** Its breaker has opened. */
  readonly switchedOff: (script: Script, reason: string) => void;
  /** The same version anew: its variables are what takes the memory. */
  readonly reload: (script: Script) => void;
}

export function createLimits({ scripts, runtimes, switchedOff, reload }: LimitsOptions): Limits {
  const { lua, typescript } = runtimes;
  let comparedAt = 0;
  let lastCallback: Callback = 'protocolDetected';
  // Memory of TypeScript is that of the whole thread. Half full, the scripts are weighed, and full again: the difference is what grew.
  let weighAt = MEMORY_LIMIT / 2;
  let weights: ReadonlyMap<number, number> = new Map();
  /** What a weighing found to be no script's. */
  let others = 0;
  /** What the last collection has left. */
  let live = 0;
  let overfull = false;

  function switchOff(script: Script, view: EventView, callback: Callback): void {
    const reason = `the scripts hold more than ${MEMORY_LIMIT >> 20} MiB of memory, and it grew most`;
    script.breaker.open(view.time(), reason);
    scripts.profileOf(script, callback).tally.failed('memory');
    switchedOff(script, reason);
    reload(script);
    script.loaded?.runtime.memory(true);
  }

  function limitLua(view: EventView, callback: Callback): void {
    const bytes = lua.memory(false);
    if (bytes <= MEMORY_LIMIT || lua.memory(true) <= MEMORY_LIMIT) return;
    const [worst] = scripts
      .called()
      .filter(({ loaded }) => loaded?.runtime === lua)
      .sort((x, y) => y.grown - x.grown);
    if (worst !== undefined) switchOff(worst, view, callback);
  }

  function lookAtHeap(): void {
    const bytes = typescript.memory(false) - others;
    if (overfull || bytes <= Math.max(weighAt, live + HEAP_STEP)) return;
    live = typescript.memory(true) - others;
    overfull = live > weighAt;
  }

  return {
    heavy: () => lua.memory(false) > MEMORY_LIMIT / 2,

    compareTime(time) {
      if (time - comparedAt < FAIR_US) return;
      comparedAt = time;
      const running = scripts.called();
      const used = running.map((script) => {
        const total = usedUs(script);
        const since = total - script.usedBefore;
        script.usedBefore = total;
        const opened = script.breaker.broken === undefined ? script.breaker.used(time, total) : undefined;
        if (opened !== undefined) switchedOff(script, opened);
        return since;
      });
      const fair = used.reduce((sum, us) => sum + us, 0) / Math.max(1, running.length);
      running.forEach((script, i) => {
        script.greedy = (used[i] as number) > fair;
      });
    },

    limitMemory(view, callback) {
      lastCallback = callback;
      limitLua(view, callback);
      lookAtHeap();
    },

    overfull: () => overfull,

    async relieve(view) {
      const now = await typescript.weigh?.();
      overfull = false;
      if (now === undefined) return; // the next look tries again
      const grownBy = ({ loaded }: Script): number => (now.get(loaded?.number ?? 0) ?? 0) - (weights.get(loaded?.number ?? 0) ?? 0);
      live = [...now.values()].reduce((sum, bytes) => sum + bytes, 0);
      others = typescript.memory(false) - live;
      const [worst] =
        live <= MEMORY_LIMIT
          ? []
          : scripts
              .called()
              .filter(({ loaded }) => loaded?.runtime === typescript)
              .sort((x, y) => grownBy(y) - grownBy(x));
      if (worst !== undefined) {
        switchOff(worst, view, lastCallback);
        live = 0;
      }
      weights = now;
      weighAt = live > MEMORY_LIMIT / 2 ? MEMORY_LIMIT : MEMORY_LIMIT / 2;
    },
  };
}
