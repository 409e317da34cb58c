/**
 * How often something may be tried: so many times within a window, per key (an address, a user). Keys that nobody has used for a
 * window are forgotten; there are never more than {@link MOST_KEYS}.
 */
export interface Limiter {
  /** Counts one attempt. @returns 0, or the seconds until the next one may be made: then it is not counted */
  attempt(key: string): number;
  /** It was a good one: the key is free again. */
  succeeded(key: string): void;
}

const MOST_KEYS = 10_000;

/** @param now ms, of any clock that does not run back */
export function createLimiter({ most, windowMs, now }: { most: number; windowMs: number; now: () => number }): Limiter {
  /** In the order of their first attempt. */
  const windows = new Map<string, { since: number; used: number }>();
  return {
    attempt(key) {
      const time = now();
      for (const [old, { since }] of windows) {
        if (time - since < windowMs && windows.size <= MOST_KEYS) break;
        windows.delete(old);
      }
      let window = windows.get(key);
      if (window === undefined || time - window.since >= windowMs) {
        windows.delete(key);
        windows.set(key, (window = { since: time, used: 0 }));
      }
      if (window.used >= most) return Math.ceil((window.since + windowMs - time) / 1000);
      window.used++;
      return 0;
    },
    succeeded: (key) => void windows.delete(key),
  };
}
