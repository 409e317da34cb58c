/**
 * Statuses and scores that scripts have given to flows, beside what the conditions say.
 *
 *   FlowChangeOf (from a script host) ──► set() ──► next visit: bitmap = what is judged, with what is set, without what is cleared
 *
 * Few flows have any: the engine looks here only when there are some.
 */

/** What a script wants of a flow: `flow` and `seq` are those of the event that it was called for. */
export interface FlowOverride {
  readonly flow: number;
  readonly seq: number;
  readonly status?: { readonly id: number; readonly set: boolean };
  /** 0 to 65534. */
  readonly score?: number;
}

/** No script has given a score. */
export const NO_SCORE = 0xffff;

interface Entry {
  /** What the conditions have said. */
  low: number;
  high: number;
  setLow: number;
  setHigh: number;
  clearedLow: number;
  clearedHigh: number;
  score: number;
}

export interface Overrides {
  /** Flows that have any. */
  readonly size: number;
  /** @param low halves of the flow's bitmap now */
  set(change: FlowOverride, low: number, high: number): void;
  /** Where the conditions of the flow start from, if scripts have changed it. */
  judged(id: number): { readonly low: number; readonly high: number } | undefined;
  /** Keeps what the conditions say, and makes the bitmap of it. */
  apply(id: number, low: number, high: number): { readonly low: number; readonly high: number };
  /** {@link NO_SCORE} when there is none. */
  score(id: number): number;
  removed(id: number): void;
}

export function createOverrides(): Overrides {
  const entries = new Map<number, Entry>();
  return {
    get size() {
      return entries.size;
    },
    set({ flow, status, score }, low, high) {
      let entry = entries.get(flow);
      if (entry === undefined) {
        entry = { low, high, setLow: 0, setHigh: 0, clearedLow: 0, clearedHigh: 0, score: NO_SCORE };
        entries.set(flow, entry);
      }
      if (score !== undefined) entry.score = score;
      if (status === undefined) return;
      const bit = 1 << (status.id & 31);
      const [set, cleared] = status.set ? [bit, 0] : [0, bit];
      if (status.id < 32) {
        entry.setLow = (entry.setLow & ~bit) | set;
        entry.clearedLow = (entry.clearedLow & ~bit) | cleared;
      } else {
        entry.setHigh = (entry.setHigh & ~bit) | set;
        entry.clearedHigh = (entry.clearedHigh & ~bit) | cleared;
      }
    },
    judged: (id) => entries.get(id),
    apply(id, low, high) {
      const entry = entries.get(id) as Entry;
      entry.low = low;
      entry.high = high;
      return {
        low: ((low | entry.setLow) & ~entry.clearedLow) >>> 0,
        high: ((high | entry.setHigh) & ~entry.clearedHigh) >>> 0,
      };
    },
    score: (id) => (entries.size === 0 ? NO_SCORE : (entries.get(id)?.score ?? NO_SCORE)),
    removed(id) {
      entries.delete(id);
    },
  };
}
