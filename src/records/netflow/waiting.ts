/**
 * Data sets that came before their template: they wait for it within limits, oldest first, and are decoded once it has come.
 * Templates are sent seldom (Cisco: every 30 minutes), and after a restart of either side data come first.
 */
import { netflowCounter } from './counters.ts';
import type { Domain } from './exporters.ts';

const WAITING = netflowCounter('sets.waiting');
const WAITED = netflowCounter('sets.waited');
const REFUSED = netflowCounter('sets.waiting.refused');
const EXPIRED = netflowCounter('sets.waiting.expired');

/** Counted for each set beside its bytes: the objects around them. */
const OVERHEAD = 256;

export interface WaitingSet {
  readonly domain: Domain;
  readonly template: number;
  /** From the first record on. */
  readonly bytes: Buffer;
  /** Of its message: µs since 1970, ms of uptime or -1, µs when it came. */
  readonly sent: number;
  readonly uptime: number;
  readonly arrived: number;
}

export interface WaitingLimits {
  /** Bytes in all and of one domain. */
  readonly bytes: number;
  readonly bytesOfDomain: number;
  /** s. */
  readonly seconds: number;
}

export interface Waiting {
  add(set: WaitingSet): void;
  /** Those of a template, which then wait no longer. */
  take(domain: Domain, template: number): WaitingSet[];
  /** Gives up what has waited for too long. @param now µs */
  expire(now: number): void;
  forget(domain: Domain): void;
}

export function createWaiting(limits: WaitingLimits, counters: Float64Array): Waiting {
  let sets: WaitingSet[] = [];
  let bytes = 0;

  const remove = (gone: (set: WaitingSet) => boolean): WaitingSet[] => {
    const removed: WaitingSet[] = [];
    sets = sets.filter((set) => {
      if (!gone(set)) return true;
      removed.push(set);
      bytes -= set.bytes.length + OVERHEAD;
      set.domain.waiting -= set.bytes.length + OVERHEAD;
      return false;
    });
    return removed;
  };

  return {
    add(set) {
      const size = set.bytes.length + OVERHEAD;
      if (bytes + size > limits.bytes || set.domain.waiting + size > limits.bytesOfDomain) {
        counters[REFUSED]++;
        return;
      }
      bytes += size;
      set.domain.waiting += size;
      sets.push(set);
      counters[WAITING]++;
    },
    take(domain, template) {
      if (domain.waiting === 0) return [];
      const taken = remove((set) => set.domain === domain && set.template === template);
      counters[WAITED] += taken.length;
      return taken;
    },
    expire(now) {
      const before = now - limits.seconds * 1e6;
      if (sets.length === 0 || sets[0].arrived >= before) return;
      counters[EXPIRED] += remove((set) => set.arrived < before).length;
    },
    forget(domain) {
      if (domain.waiting > 0) counters[EXPIRED] += remove((set) => set.domain === domain).length;
    },
  };
}
