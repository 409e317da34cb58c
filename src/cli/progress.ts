/**
 * The one line at the bottom of a terminal: two samples in, text out. Captures get a bar with rate and time left, network
 * interfaces their rates. Pure; main.ts takes the samples once a second.
 */
import type { Snapshot } from '../patrol-types.ts';
import { bits, bytes, clock, count, cut, short } from './format.ts';

/** Everything that the line needs, summed over the interfaces. */
export interface Sample {
  /** Monotonic, ms. */
  readonly at: number;
  readonly live: boolean;
  readonly packets: number;
  readonly bytes: number;
  readonly activeFlows: number;
  readonly flows: number;
  readonly alerts: number;
  readonly losses: number;
  /** Bytes of the capture files read and in all; size 0 where nothing is known. */
  readonly position: number;
  readonly size: number;
  /** Names of the interfaces that are away. */
  readonly lost: readonly string[];
}

export function sampleOf(snapshot: Snapshot, at: number): Sample {
  const { interfaces } = snapshot;
  const total = (name: string): number => interfaces.reduce((sum, of) => sum + (of.counters[name] ?? 0), 0);
  const known = interfaces.every((of) => of.kind === 'pcap' && of.size > 0);
  return {
    at,
    live: interfaces.some((of) => of.kind !== 'pcap'),
    packets: total('packets'),
    bytes: total('bytes'),
    activeFlows: total('flows.active'),
    flows: total('flows.created'),
    alerts: total('alerts'),
    losses: interfaces.reduce((sum, of) => sum + of.losses.reduce((of, loss) => of + loss.value, 0), 0),
    position: known ? interfaces.reduce((sum, of) => sum + (of.state === 'ended' ? of.size : Math.max(0, of.position)), 0) : 0,
    size: known ? interfaces.reduce((sum, of) => sum + of.size, 0) : 0,
    lost: interfaces.filter((of) => of.state === 'lost').map((of) => of.name),
  };
}

const bar = (share: number, width: number): string => {
  const full = Math.round(share * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
};

/**
 * @param first sample at the start of the run
 * @param before sample of the last redraw
 */
export function statusLine(now: Sample, before: Sample, first: Sample, columns: number): string {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const packets = (now.packets - before.packets) / seconds;
  const traffic = (now.bytes - before.bytes) / seconds;
  const parts: string[] = [];
  if (now.size > 0) {
    const share = Math.min(1, now.position / now.size);
    const rate = (now.position - first.position) / Math.max(1, now.at - first.at);
    const left = rate > 0 ? `${clock((now.size - now.position) / rate / 1000)} left` : '';
    parts.push(
      `${bar(share, columns >= 100 ? 24 : 12)} ${Math.floor(share * 100)} %`,
      `${short(packets)} pkt/s`,
      `${bytes(traffic)}/s`,
      left,
    );
  } else {
    parts.push(clock((now.at - first.at) / 1000), `${short(packets)} pkt/s`, now.live ? `${bits(traffic * 8)}/s` : `${bytes(traffic)}/s`);
  }
  parts.push(
    `flows ${count(now.live ? now.activeFlows : now.flows)}`,
    `alerts ${count(now.alerts)}`,
    now.losses === 0 ? 'no losses' : `losses ${count(now.losses)}`,
    ...now.lost.map((name) => `${name} is away`),
  );
  return cut(parts.filter((part) => part !== '').join('  '), columns - 1);
}
