/**
 * De-duplication: which alert a new one is a repetition of, and what that one says afterwards. Called by the intake.
 *
 *   raised ──same key, within the window──► the open alert, with one more counted
 *
 * The key: interface, script, type, severity, status, VLAN, both addresses, IP and application protocol (reference: statuses, 4). The window
 * slides with each repetition, for a day at most: what goes on for longer is a new alert once a day.
 */
import type { Alert, RaisedFlowAlert } from './alert.ts';
import { createRecent } from './recent.ts';

/** Alerts that can be repeated at one time. Each is held with its flow: some 8 KB. */
export const MOST_OPEN = 4096;
const LONGEST_US = 86_400e6;
/** Flows of an alert whose counters are known, so that a flow which raises it again is not added twice. */
const MOST_FLOWS = 8;

interface Traffic {
  readonly bytes: number;
  readonly packets: number;
}

interface Open {
  alert: Alert;
  readonly key: string;
  /** Newest counters of the flows that raised it last, by id. */
  readonly flows: Map<string, Traffic>;
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

export const trafficOf = ({ flow }: RaisedFlowAlert): Traffic => ({ bytes: number(flow.bytes), packets: number(flow.packets) });
export const flowIdOf = ({ flow }: RaisedFlowAlert): string => String(flow['flow.id'] ?? '');

const keyOf = ({ interface: of, script, shadow, type, severity, forStatus, flow }: RaisedFlowAlert): string =>
  JSON.stringify([
    ...[of, script, shadow, type, severity, forStatus, flow.vlan],
    ...[flow['cli.ip'], flow['srv.ip'], flow['proto.l4'], flow['proto.ndpi']],
  ]);

export interface Merging {
  /** The alert that `raised` repeats, with it counted; undefined: it is the first of its kind. */
  merge(raised: RaisedFlowAlert): Alert | undefined;
  /** From now on it can be repeated. */
  open(alert: Alert): void;
  /** The alert as it is held here. */
  get(id: string): Alert | undefined;
  /** Takes over what has become of it otherwise. A closed one is repeated no more. */
  replace(alert: Alert): void;
  /** Lets go of what cannot be repeated any more. @param clock of the traffic of an interface, µs since 1970 */
  sweep(clock: (interfaceName: string) => number): void;
}

/** @param windowUs the one in force, µs; 0 = nothing is merged */
export function createMerging(windowUs: () => number): Merging {
  const byId = new Map<string, Open>();
  const byKey = createRecent<Open>(MOST_OPEN, ({ alert }) => byId.delete(alert.id));

  const close = ({ key, alert }: Open): void => {
    byId.delete(alert.id);
    byKey.delete(key);
  };

  return {
    merge(raised) {
      const open = byKey.get(keyOf(raised));
      if (open === undefined) return undefined;
      const { alert, flows } = open;
      const { time } = raised;
      const window = windowUs();
      const near = time <= alert.lastTime + window && time >= alert.firstTime - window;
      if (window === 0 || !near || Math.abs(time - alert.firstTime) > LONGEST_US) return undefined;
      const traffic = trafficOf(raised);
      const flow = flowIdOf(raised);
      const known = flows.get(flow) ?? { bytes: 0, packets: 0 };
      flows.delete(flow);
      flows.set(flow, traffic);
      if (flows.size > MOST_FLOWS) flows.delete(flows.keys().next().value as string);
      open.alert = {
        ...alert,
        score: Math.max(alert.score, raised.score),
        count: alert.count + 1,
        firstTime: Math.min(alert.firstTime, time),
        lastTime: Math.max(alert.lastTime, time),
        bytes: alert.bytes + traffic.bytes - known.bytes,
        packets: alert.packets + traffic.packets - known.packets,
      };
      byKey.set(open.key, open); // touched
      return open.alert;
    },

    open(alert) {
      const key = keyOf(alert);
      const before = byKey.get(key);
      if (before !== undefined) close(before);
      const open: Open = { alert, key, flows: new Map([[flowIdOf(alert), trafficOf(alert)]]) };
      byKey.set(key, open);
      byId.set(alert.id, open);
    },

    get: (id) => byId.get(id)?.alert,

    replace(alert) {
      const open = byId.get(alert.id);
      if (open === undefined) return;
      open.alert = alert;
      if (alert.state === 'closed') close(open);
    },

    sweep(clock) {
      const window = windowUs();
      for (const open of [...byId.values()]) if (open.alert.lastTime + window < clock(open.alert.interface)) close(open);
    },
  };
}
