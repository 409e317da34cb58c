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
import { ENTRY_WEIGHT, type Told, type ToldMemory } from './told.ts';

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

export function learn(domain: Domain, values: Values, memory: ToldMemory): Learned {
  const learned: Learned = { changed: false, news: false, refused: 0 };
  /** To write to: sessions share what they have in common. */
  const own = (): Told => {
    learned.news = true;
    return (domain.told = memory.writable(domain.told));
  };
  const put = <Value>(tableOf: (told: Told) => Map<number, Value>, key: number, value: Value, most: number): void => {
    if (tableOf(domain.told).get(key) === value) return;
    const told = own();
    const table = tableOf(told);
    if (table.has(key) || (table.size < most && memory.grow(told, ENTRY_WEIGHT))) table.set(key, value);
    else learned.refused++;
  };

  const rate = samplingRate(values);
  if (rate > 0) {
    const sampler = values.get(48) ?? values.get(302);
    const index = values.get(SCOPE_INTERFACE) ?? values.get(10);
    if (typeof sampler === 'number') put((told) => told.samplers, sampler, rate, MOST_SAMPLERS);
    else if (typeof index === 'number' && index > 0) put((told) => told.interfaces, index, rate, MOST_SAMPLERS);
    else if (domain.told.rate !== rate) own().rate = rate;
  }
  const application = numberIn(values, 95);
  const name = values.get(96);
  if (application > 0 && typeof name === 'string') put((told) => told.applications, application, name, MOST_APPLICATIONS);
  const boot = numberIn(values, 160);
  if (boot > 0 && boot !== domain.told.boot) own().boot = boot;

  const [active, idle] = [numberIn(values, 36), numberIn(values, 37)];
  if (active > 0 && active <= MOST_TIMEOUT && active !== domain.told.activeTimeout) {
    own().activeTimeout = active;
    learned.changed = true;
  }
  if (idle > 0 && idle <= MOST_TIMEOUT && idle !== domain.told.idleTimeout) {
    own().idleTimeout = idle;
    learned.changed = true;
  }
  for (const [key, total] of TOTALS) {
    const value = values.get(key);
    if (typeof value === 'number' && domain.totals[total] !== value) {
      domain.totals[total] = value;
      learned.changed = true;
    }
  }
  return learned;
}
