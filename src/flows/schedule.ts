/**
 * Which flows a visit has to look at: those that packets or new details have touched since the last one, and those whose time has
 * come. A visit of a million flows reads two dense arrays instead of a million records.
 *
 *   table, detection ──touch──► bit per flow ┐
 *   visit ──due time──► second per flow ─────┴─► next visit: isDue(id, second)
 */
import { native } from '../native.ts';

/** Never looked at: a free record. */
const NEVER = 0xffffffff;
/** A second by which every flow is due, a free record not. */
export const EVERY_FLOW = NEVER - 1;

export interface Schedule {
  /** One bit per flow, set by the table at a flow's first packet since the last visit. */
  readonly touched: Uint32Array;
  touch(id: number): void;
  isDue(id: number, second: number): boolean;
  /** The flow was visited: untouched, it is looked at again in a visit at `us` (µs since 1970) or later. */
  visited(id: number, us: number): void;
  removed(id: number): void;
  /** All flows are looked at in the next visit. @param limit one more than the highest id */
  all(limit: number): void;
}

export function createSchedule(maxFlows: number): Schedule {
  const touched = new Uint32Array(native.allocate(((maxFlows >> 5) + 2) * 4));
  const due = new Uint32Array(native.allocate((maxFlows + 1) * 4)); // second since 1970; 0 = at the next visit
  return {
    touched,
    touch(id) {
      touched[id >> 5] = (touched[id >> 5] as number) | (1 << (id & 31));
    },
    isDue: (id, second) => (due[id] as number) <= second || (((touched[id >> 5] as number) >>> (id & 31)) & 1) === 1,
    visited(id, us) {
      touched[id >> 5] = (touched[id >> 5] as number) & ~(1 << (id & 31));
      due[id] = us >= EVERY_FLOW * 1e6 ? EVERY_FLOW : Math.floor(us / 1e6);
    },
    removed(id) {
      touched[id >> 5] = (touched[id >> 5] as number) & ~(1 << (id & 31));
      due[id] = NEVER;
    },
    all(limit) {
      for (let id = 1; id < limit; id++) if (due[id] !== NEVER) due[id] = 0;
    },
  };
}
