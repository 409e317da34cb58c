/**
 * The time-outs of an interface with several probes or exporters: the largest active and the largest idle one of those that were heard of
 * lately.
 *
 *   ProbeEvent ──► said() ──► current() ──► engine.timeouts
 */
import type { ProbeEvent } from '../../records/flow-record.ts';

/** Whoever was not heard of for so long counts no more, µs. */
const FORGOTTEN_US = 1_800_000_000;
const MOST_SOURCES = 4096;
/** No flow is kept for longer than a day, s. */
const LONGEST = 86_400;

export interface Timeouts {
  /** s; undefined = nobody has said. */
  readonly active: number | undefined;
  readonly idle: number | undefined;
}

export interface ProbeTimeouts {
  /** @param now µs */
  said(event: ProbeEvent, now: number): void;
  current(now: number): Timeouts;
}

interface Said {
  active: number | undefined;
  idle: number | undefined;
  heard: number;
}

const usable = (seconds: number | undefined): number | undefined =>
  seconds !== undefined && seconds > 0 ? Math.min(seconds, LONGEST) : undefined;

const largest = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** @param always counts whoever says what: the setting for exporters that say nothing */
export function createTimeouts(always: Timeouts = { active: undefined, idle: undefined }): ProbeTimeouts {
  const sources = new Map<string, Said>();
  return {
    said({ source, activeTimeout, idleTimeout }, now) {
      const of = { active: usable(activeTimeout), idle: usable(idleTimeout), heard: now };
      if (of.active === undefined && of.idle === undefined && !sources.has(source)) return;
      sources.delete(source); // the longest silent stay in front
      sources.set(source, of);
      if (sources.size <= MOST_SOURCES) return;
      for (const longestSilent of sources.keys()) {
        sources.delete(longestSilent);
        break;
      }
    },
    current(now) {
      for (const [source, { heard }] of sources) if (now - heard > FORGOTTEN_US) sources.delete(source);
      const all = [...sources.values(), always];
      return { active: largest(all.map(({ active }) => active)), idle: largest(all.map(({ idle }) => idle)) };
    },
  };
}
