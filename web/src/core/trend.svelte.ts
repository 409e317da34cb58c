/** The newest values of counters, by key, for small lines beside them: how much they grew from one look to the next. */
import { untrack } from 'svelte';

const MOST = 60;

export interface Trend {
  /** Takes the counters as they are now. */
  look(counters: ReadonlyMap<string, number>): void;
  values(key: string): readonly number[];
}

export function createTrend(): Trend {
  const last = new Map<string, number>();
  let grown = $state.raw<ReadonlyMap<string, readonly number[]>>(new Map());
  return {
    look(counters) {
      const next = new Map(untrack(() => grown)); // it is called by effects, which must not wait for what they write
      for (const [key, value] of counters) {
        const before = last.get(key);
        last.set(key, value);
        if (before !== undefined) next.set(key, [...(next.get(key) ?? []), Math.max(0, value - before)].slice(-MOST));
      }
      grown = next;
    },
    values: (key) => grown.get(key) ?? [],
  };
}
