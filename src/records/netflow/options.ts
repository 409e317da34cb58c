/**
 * Options records: what an exporter says of itself and of its numbers. From the values of one record to its {@link Domain}:
 *
 *   sampling rates   samplingInterval 34 · sampler table 48, 50 · PSAMP selectors 302 with 305 and 306, 309 and 310, or 311 (RFC 5477)
 *   time-outs        flowActiveTimeout 36, flowIdleTimeout 37, s
 *   applications     applicationId 95, applicationName 96 (RFC 6759)
 *   uptime           systemInitTimeMilliseconds 160
 *   totals           what it has exported and dropped
 */
import { SCOPE_INTERFACE } from './elements.ts';
import type { Domain } from './exporters.ts';

const MOST_SAMPLERS = 4096;
const MOST_APPLICATIONS = 16384;
const MOST_RATE = 2 ** 24;
/** s; a longer time-out is a mistake or another unit. */
const MOST_TIMEOUT = 86_400;

const TOTALS: ReadonlyMap<number, string> = new Map([
  [40, 'exported.bytes'],
  [41, 'exported.messages'],
  [42, 'exported.flows'],
  [163, 'observed.flows'],
  [164, 'drops.ignored_packets'],
  [165, 'drops.ignored_bytes'],
  [166, 'drops.not_sent_flows'],
  [167, 'drops.not_sent_packets'],
  [168, 'drops.not_sent_bytes'],
]);

type Values = ReadonlyMap<number, number | string>;

const numberIn = (values: Values, key: number): number => {
  const value = values.get(key);
  return typeof value === 'number' ? value : 0;
};

/** Packets that one sampled packet stands for; 0 = the record does not say. */
function samplingRate(values: Values): number {
  const interval = numberIn(values, 305);
  const size = numberIn(values, 309);
  const probability = numberIn(values, 311);
  const rate =
    interval > 0
      ? (interval + numberIn(values, 306)) / interval
      : size > 0
        ? numberIn(values, 310) / size
        : probability > 0
          ? 1 / probability
          : numberIn(values, 50) || numberIn(values, 34);
  return rate >= 1 && rate <= MOST_RATE ? rate : 0;
}

export interface Learned {
  /** The time-outs or the totals are not what they were. */
  changed: boolean;
  /** Something that is kept over a restart is not what it was. */
  news: boolean;
  /** Entries that found no room. */
  refused: number;
}

const put = <Value>(map: Map<number, Value>, key: number, value: Value, most: number, learned: Learned): void => {
  if (map.get(key) === value) return;
  if (map.size >= most && !map.has(key)) {
    learned.refused++;
    return;
  }
  map.set(key, value);
  learned.news = true;
};

export function learn(domain: Domain, values: Values): Learned {
  const learned: Learned = { changed: false, news: false, refused: 0 };
  const rate = samplingRate(values);
  if (rate > 0) {
    const sampler = values.get(48) ?? values.get(302);
    const index = values.get(SCOPE_INTERFACE) ?? values.get(10);
    if (typeof sampler === 'number') put(domain.samplers, sampler, rate, MOST_SAMPLERS, learned);
    else if (typeof index === 'number' && index > 0) put(domain.interfaces, index, rate, MOST_SAMPLERS, learned);
    else if (domain.rate !== rate) {
      domain.rate = rate;
      learned.news = true;
    }
  }
  const application = numberIn(values, 95);
  const name = values.get(96);
  if (application > 0 && typeof name === 'string') put(domain.applications, application, name, MOST_APPLICATIONS, learned);
  const boot = numberIn(values, 160);
  if (boot > 0) domain.boot = boot;

  const { timeouts, totals } = domain;
  const [active, idle] = [numberIn(values, 36), numberIn(values, 37)];
  if (active > 0 && active <= MOST_TIMEOUT && active !== timeouts.active) {
    timeouts.active = active;
    learned.changed = learned.news = true;
  }
  if (idle > 0 && idle <= MOST_TIMEOUT && idle !== timeouts.idle) {
    timeouts.idle = idle;
    learned.changed = learned.news = true;
  }
  for (const [key, total] of TOTALS) {
    const value = values.get(key);
    if (typeof value === 'number' && totals[total] !== value) {
      totals[total] = value;
      learned.changed = true;
    }
  }
  return learned;
}
