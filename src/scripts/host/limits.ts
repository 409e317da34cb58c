/**
 * What scripts may use of time and memory, looked at with the measured events: who uses more than the same part for all, who uses too much
 * time (live interfaces), and who grew most where a language holds too much memory. Called by host.ts.
 */
import type { Callback } from '../../flows/event.ts';
import type { EventView } from '../../flows/view.ts';
import type { Language, Runtime } from '../runtime.ts';
import { type Script, type ScriptSet, usedUs } from './scripts.ts';

/** Memory of all Lua scripts of a host together; beyond it the one that grew most is switched off. */
export const MEMORY_LIMIT = 64 << 20;
/** Memory by which the host's thread may grow: V8 does not tell TypeScript from Lua, which may take 256 MiB of it (lua/wasm.ts). */
const TYPESCRIPT_LIMIT = 512 << 20;
/** Stretch of the interface's clock over which parts of the time are compared, µs. */
const FAIR_US = 1e6;

export interface Limits {
  /** Much memory is in use: every call is to be measured. */
  heavy(): boolean;
  /** Once a second of the interface's clock. @param time µs */
  compareTime(time: number): void;
  limitMemory(view: EventView, callback: Callback): void;
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
  const { lua } = runtimes;
  let comparedAt = 0;
  let heavy = false;

  return {
    heavy: () => heavy || lua.memory(false) > MEMORY_LIMIT / 2,

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
      heavy = false;
      for (const runtime of Object.values(runtimes)) {
        const limit = runtime === lua ? MEMORY_LIMIT : TYPESCRIPT_LIMIT;
        const bytes = runtime.memory(false);
        heavy ||= bytes > limit / 2;
        if (bytes <= limit || runtime.memory(true) <= limit) continue;
        const [worst] = scripts
          .called()
          .filter(({ loaded }) => loaded?.runtime === runtime)
          .sort((x, y) => y.grown - x.grown);
        if (worst === undefined) continue;
        const reason = `the scripts hold more than ${limit >> 20} MiB of memory, and it grew most`;
        worst.breaker.open(view.time(), reason);
        scripts.profileOf(worst, callback).tally.failed('memory');
        switchedOff(worst, reason);
        reload(worst);
        runtime.memory(true);
      }
    },
  };
}
