/**
 * In which order the scripts of each callback are called: rows of scripts of one language, made anew when something has changed. Called by
 * host.ts for each event.
 */
import { CALLBACK_BIT, CALLBACKS, type Callback } from '../../flows/event.ts';
import type { CallProfile } from '../profile.ts';
import type { Runtime } from '../runtime.ts';
import type { Loaded, Script, ScriptSet } from './scripts.ts';

/** Scripts of one language that are called in a row. */
export interface Segment {
  readonly runtime: Runtime;
  readonly scripts: readonly Script[];
  readonly profiles: readonly CallProfile[];
  /** Some may be left out for some flows. */
  readonly filtered: boolean;
  /** Position of the first in the row of its runtime, which has all scripts of its language. */
  readonly start: number;
}

export interface Plans {
  of(callback: Callback): readonly Segment[];
  /** Bits of the callbacks that some script has. */
  callbacks(): number;
  /** Scripts, versions, switches or filters have changed. */
  changed(): void;
}

export function createPlans(scripts: ScriptSet, runtimes: readonly Runtime[]): Plans {
  let plans: Readonly<Record<Callback, readonly Segment[]>> | undefined;

  function planOf(callback: Callback): Segment[] {
    const rows = new Map<Runtime, number[]>(runtimes.map((runtime) => [runtime, []]));
    const segments: { runtime: Runtime; scripts: Script[]; start: number }[] = [];
    for (const script of scripts.ordered()) {
      if (!scripts.isCalled(script) || !script.loaded?.definition.callbacks.includes(callback)) continue;
      const { runtime, number } = script.loaded;
      const row = rows.get(runtime) as number[];
      const last = segments.at(-1);
      if (last?.runtime === runtime) last.scripts.push(script);
      else segments.push({ runtime, scripts: [script], start: row.length });
      row.push(number);
    }
    for (const [runtime, row] of rows) runtime.arrange(callback, row);
    return segments.map((segment) => ({
      ...segment,
      profiles: segment.scripts.map((script) => scripts.profileOf(script, callback)),
      filtered: segment.scripts.some(
        ({ loaded, breaker }) => Object.keys((loaded as Loaded).definition.filter).length > 0 || breaker.broken !== undefined,
      ),
    }));
  }

  function made(): Readonly<Record<Callback, readonly Segment[]>> {
    plans ??= Object.fromEntries(CALLBACKS.map((callback) => [callback, planOf(callback)])) as unknown as Record<Callback, Segment[]>;
    return plans;
  }

  return {
    of: (callback) => (plans ?? made())[callback],
    callbacks: () => CALLBACKS.reduce((bits, callback) => (made()[callback].length === 0 ? bits : bits | CALLBACK_BIT[callback]), 0),
    changed() {
      plans = undefined;
    },
  };
}
