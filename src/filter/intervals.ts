/** Is a number in one of many intervals? Ports, sizes, IPv4 networks, MAC addresses: all of them are asked this way. */
import type { Interval } from './literals.ts';

/** @param intervals both ends belong to them. @returns a test; it never takes more than a binary search */
export function inIntervals(intervals: readonly Interval[]): (value: number) => boolean {
  const merged: { low: number; high: number }[] = [];
  for (const { low, high } of [...intervals].sort((a, b) => a.low - b.low)) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last.high) last.high = Math.max(last.high, high);
    else merged.push({ low, high });
  }
  const [only] = merged;
  if (only === undefined) return () => false;
  const { low, high } = only;
  if (merged.length === 1) return low === high ? (value) => value === low : (value) => value >= low && value <= high;

  const lows = Float64Array.from(merged, (interval) => interval.low);
  const highs = Float64Array.from(merged, (interval) => interval.high);
  return (value) => {
    let from = 0;
    let to = lows.length; // the first interval that begins behind the value
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((lows[middle] as number) <= value) from = middle + 1;
      else to = middle;
    }
    return from > 0 && value <= (highs[from - 1] as number);
  };
}
