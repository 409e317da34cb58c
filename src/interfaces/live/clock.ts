/**
 * The clock of a live interface: the system's, but it never stands still for long. Where the system's clock is set back, flows would
 * not be visited until it has caught up; so a step back is taken out. One per interface, also over losing and reopening it.
 */
import { native } from '../../native.ts';

/** A step back by more than this is taken out; smaller ones are clamped by the decoder, packet by packet. */
const STEP_US = 2_000_000;

export interface SteadyClock {
  /** Replaces capture times (µs since 1970) by the interface's. */
  adjust(times: Float64Array, count: number): void;
  /** µs since 1970. */
  now(): number;
}

export function createSteadyClock(): SteadyClock {
  let latest = 0;
  let shift = 0; // what this clock is ahead of the system's

  const steady = (time: number): number => {
    if (time + shift < latest - STEP_US) shift = latest - time;
    if (time + shift > latest) latest = time + shift;
    return time + shift;
  };

  return {
    adjust(times, count) {
      for (let i = 0; i < count; i++) times[i] = steady(times[i] as number);
    },
    now: () => steady(native.wallClock()),
  };
}
