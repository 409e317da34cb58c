/**
 * The circuit breaker of one script on a live interface: off after {@link FAILURES} failed calls in a row, or when it uses more than
 * {@link CPU_US_PER_MINUTE} in a minute; back by itself after a cooldown that doubles each time, or by hand.
 * Times are µs of the interface's clock.
 */

const FAILURES = 5;
const CPU_US_PER_MINUTE = 12e6;
const MINUTE_US = 60e6;
const FIRST_COOLDOWN_US = 60e6;
const LONGEST_COOLDOWN_US = 3600e6;
/** A script that was fine for so long starts again with the first cooldown. */
const FORGET_US = 2 * LONGEST_COOLDOWN_US;

export interface Broken {
  readonly reason: string;
  /** 0 = until it is switched on by hand. */
  readonly until: number;
}

export interface Breaker {
  readonly broken: Broken | undefined;
  /** @returns why the script is switched off now, if it is */
  failed(time: number, message: string): string | undefined;
  succeeded(): void;
  /** Estimated time of all its calls so far, µs. @returns why the script is switched off now, if it is */
  used(time: number, totalUs: number): string | undefined;
  /** Switches it off. */
  open(time: number, reason: string): void;
  /** Is its cooldown over? It is on again then. */
  cooled(time: number): boolean;
  /** On again by hand, or with a new version. */
  reset(): void;
}

export function createBreaker(): Breaker {
  let broken: Broken | undefined;
  let inARow = 0;
  let cooldown = FIRST_COOLDOWN_US;
  let closedAt = 0;
  let minute = 0;
  let usedBefore = 0;

  const open = (time: number, reason: string): void => {
    if (closedAt !== 0 && time - closedAt > FORGET_US) cooldown = FIRST_COOLDOWN_US;
    broken = { reason, until: time + cooldown };
    cooldown = Math.min(cooldown * 2, LONGEST_COOLDOWN_US);
    inARow = 0;
  };

  return {
    get broken() {
      return broken;
    },
    failed(time, message) {
      if (++inARow < FAILURES) return undefined;
      const reason = `${FAILURES} calls in a row failed, the last one with: ${message}`;
      open(time, reason);
      return reason;
    },
    succeeded() {
      inARow = 0;
    },
    used(time, totalUs) {
      const now = Math.floor(time / MINUTE_US);
      if (now !== minute) {
        minute = now;
        usedBefore = totalUs;
      }
      if (totalUs - usedBefore <= CPU_US_PER_MINUTE) return undefined;
      usedBefore = totalUs;
      const reason = `it used more than ${CPU_US_PER_MINUTE / 1e6} s of CPU time within a minute`;
      open(time, reason);
      return reason;
    },
    open,
    cooled(time) {
      if (broken === undefined || broken.until === 0 || time < broken.until) return false;
      broken = undefined;
      closedAt = time;
      return true;
    },
    reset() {
      broken = undefined;
      inARow = 0;
      cooldown = FIRST_COOLDOWN_US;
    },
  };
}
