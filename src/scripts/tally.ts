/**
 * Counts of calls in memory that the main thread shares with the script hosts of an interface: they are exact whatever becomes of a
 * host, and go on in the next one. At any time a script runs in one host only, so each count has one writer.
 */
import { CALLBACK_BIT, CALLBACKS, type Callback } from '../flows/event.ts';
import type { CallbackStats, SkipReason } from './report.ts';
import type { FailureReason } from './runtime.ts';

const FAILURES: readonly FailureReason[] = ['error', 'budget', 'memory', 'ended'];
const SKIPS: readonly SkipReason[] = ['filter', 'broken', 'shed', 'queue full'];
const CALLS = 0;
const FAILED = 1;
const SKIPPED = FAILED + FAILURES.length;
const ALERTS = SKIPPED + SKIPS.length;
const SHADOW_ALERTS = ALERTS + 1;
const WORDS = SHADOW_ALERTS + 1;

/** Files whose counts are shared; those of more live with their host. */
const MOST_FILES = 1024;

export const createTallyBuffer = (): SharedArrayBuffer => new SharedArrayBuffer((MOST_FILES + 1) * CALLBACKS.length * WORDS * 8);

/** Counts of one callback of one script. */
export class Tally {
  readonly #counts: Float64Array;

  constructor(counts: Float64Array = new Float64Array(WORDS)) {
    this.#counts = counts;
  }

  #add(at: number, count: number): void {
    this.#counts[at] = (this.#counts[at] as number) + count;
  }

  get calls(): number {
    return this.#counts[CALLS] as number;
  }

  get alerts(): number {
    return this.#counts[ALERTS] as number;
  }

  get shadowAlerts(): number {
    return this.#counts[SHADOW_ALERTS] as number;
  }

  called(): void {
    this.#counts[CALLS] = (this.#counts[CALLS] as number) + 1;
  }

  failed(reason: FailureReason): void {
    this.#add(FAILED + FAILURES.indexOf(reason), 1);
  }

  skipped(reason: SkipReason, count = 1): void {
    this.#add(SKIPPED + SKIPS.indexOf(reason), count);
  }

  alerted(shadow: boolean): void {
    this.#add(shadow ? SHADOW_ALERTS : ALERTS, 1);
  }

  counts(): Pick<CallbackStats, 'calls' | 'failures' | 'failed' | 'skipped'> {
    const named = <K extends string>(names: readonly K[], from: number): Partial<Record<K, number>> =>
      Object.fromEntries(names.map((name, i) => [name, this.#counts[from + i] as number]).filter(([, count]) => count !== 0)) as Partial<
        Record<K, number>
      >;
    const failed = named(FAILURES, FAILED);
    return {
      calls: this.calls,
      failures: FAILURES.reduce((sum, reason) => sum + (failed[reason] ?? 0), 0),
      failed,
      skipped: named(SKIPS, SKIPPED),
    };
  }
}

export interface Tallies {
  /** @param file number of the script's file, from 1 on */
  of(file: number, callback: Callback): Tally;
  /**
   * Counts an event that the script does not get.
   * @param due bits (CALLBACK_BIT) of the event's callbacks. @param behind so many of them it has behind it
   */
  leftOut(file: number, due: number, reason: SkipReason, behind?: number): void;
}

/** @param mask bits of the callbacks that are called at all */
export function openTallies(shared: SharedArrayBuffer, mask: number): Tallies {
  const of = (file: number, callback: Callback): Tally => {
    if (file < 1 || file > MOST_FILES) return new Tally();
    return new Tally(new Float64Array(shared, (file * CALLBACKS.length + CALLBACKS.indexOf(callback)) * WORDS * 8, WORDS));
  };
  return {
    of,
    leftOut(file, due, reason, behind = 0) {
      let left = behind;
      for (const callback of CALLBACKS) {
        const bit = CALLBACK_BIT[callback];
        if ((due & bit) !== 0 && --left < 0 && (mask & bit) !== 0) of(file, callback).skipped(reason);
      }
    },
  };
}
