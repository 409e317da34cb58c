/**
 * What keeps a flood of different alerts away: the suppression window and the limit per host. Called by the intake, for alerts that
 * repeat none. Times are those of the traffic.
 */
import type { RaisedFlowAlert } from './alert.ts';
import { createRecent } from './recent.ts';

/** Clients and hosts that are remembered at one time. */
const MOST_HOSTS = 50_000;
const MINUTE_US = 60e6;

export interface Suppression {
  /** Is there silence about its script, type and client? */
  silent(alert: RaisedFlowAlert): boolean;
  /** It is shown: silence begins. */
  shown(alert: RaisedFlowAlert): void;
  sweep(clock: (interfaceName: string) => number): void;
}

/** @param windowUs the one in force, µs; 0 = never silent */
export function createSuppression(windowUs: () => number): Suppression {
  const shown = createRecent<{ readonly interface: string; readonly time: number }>(MOST_HOSTS);
  const keyOf = ({ interface: of, script, type, shadow, flow }: RaisedFlowAlert): string =>
    JSON.stringify([of, script, type, shadow, flow.vlan, flow['cli.ip']]);
  return {
    silent(alert) {
      const since = shown.get(keyOf(alert));
      return since !== undefined && Math.abs(alert.time - since.time) < windowUs();
    },
    shown(alert) {
      if (windowUs() > 0) shown.set(keyOf(alert), { interface: alert.interface, time: alert.time });
    },
    sweep: (clock) => shown.sweep((since) => since.time + windowUs() <= clock(since.interface)),
  };
}

interface Bucket {
  readonly interface: string;
  readonly tokens: number;
  /** Traffic time at which it had them, µs. */
  readonly time: number;
}

export interface HostLimit {
  /** May it be shown? Then it is charged to both of its ends. */
  allows(alert: RaisedFlowAlert): boolean;
  sweep(clock: (interfaceName: string) => number): void;
}

/**
 * A token bucket per end: as many alerts at once as there may be in a minute, then as they come back.
 * @param perMinute the limit in force; 0 = none
 */
export function createHostLimit(perMinute: () => number): HostLimit {
  const buckets = createRecent<Bucket>(MOST_HOSTS);
  const keyOf = ({ interface: of, shadow, flow }: RaisedFlowAlert, end: 'cli' | 'srv'): string =>
    JSON.stringify([of, shadow, flow.vlan, flow[`${end}.ip`]]);
  return {
    allows(alert) {
      const limit = perMinute();
      if (limit === 0) return true;
      const { time } = alert;
      const keys = [...new Set([keyOf(alert, 'cli'), keyOf(alert, 'srv')])];
      const left = keys.map((key) => {
        const bucket = buckets.get(key);
        if (bucket === undefined) return limit;
        return Math.min(limit, bucket.tokens + (Math.max(0, time - bucket.time) * limit) / MINUTE_US);
      });
      const allowed = left.every((tokens) => tokens >= 1);
      keys.forEach((key, i) => {
        const tokens = (left[i] as number) - (allowed ? 1 : 0);
        buckets.set(key, { interface: alert.interface, tokens, time: Math.max(time, buckets.get(key)?.time ?? 0) });
      });
      return allowed;
    },
    sweep: (clock) => buckets.sweep((bucket) => bucket.time + MINUTE_US <= clock(bucket.interface)),
  };
}
