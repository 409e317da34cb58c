/** Alerts as they are raised, a clock that is turned by hand, and a history in memory that can be made to fail. */
import type { Alert, RaisedFlowAlert } from '../../src/alerts/alert.ts';
import type { Clock } from '../../src/alerts/clock.ts';
import type { History } from '../../src/store/history.ts';
import { createMemoryHistory } from '../../src/store/memory-history.ts';

/** 2026-01-01T00:00:00Z, µs. */
export const START = 1_767_225_600_000_000;
export const SECOND = 1_000_000;

export interface RaisedOf extends Partial<RaisedFlowAlert> {
  readonly client?: string;
  readonly server?: string;
  /** s after {@link START}. */
  readonly at?: number;
  /** Number of the flow. */
  readonly of?: number;
}

export function raised({ client = '10.0.0.1', server = '198.51.100.7', at = 0, of = 1, ...rest }: RaisedOf = {}): RaisedFlowAlert {
  return {
    time: START + at * SECOND,
    interface: 'eth0',
    type: 'suspicious_activity',
    severity: 'warning',
    score: 50,
    script: 'watch',
    version: 'abcdef012345',
    callback: 'statusChanged',
    visit: 1,
    statusBefore: 0,
    status: 64,
    forStatus: -1,
    reason: { bytes: 1000 },
    shadow: false,
    ...rest,
    flow: {
      'flow.id': `run-0-${of}`,
      vlan: 0,
      'cli.ip': client,
      'srv.ip': server,
      'cli.port': 40_000 + of,
      'srv.port': 443,
      'proto.l4': 'TCP',
      'proto.l4_id': 6,
      'proto.ndpi': 'TLS.Google',
      'proto.ndpi_app': 'Google',
      bytes: 1000,
      packets: 10,
      ...rest.flow,
    },
  };
}

export interface HandClock extends Clock {
  /** Turns it, and runs what is due on the way, with all that follows from it. */
  turn(ms: number): Promise<void>;
  /** Tasks that wait. */
  readonly waiting: number;
}

/** All that has been resolved has its turn. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function handClock(startMs = START / 1000): HandClock {
  let now = startMs;
  let tasks: { readonly at: number; readonly run: () => void }[] = [];
  return {
    now: () => now,
    after(ms, run) {
      const task = { at: now + ms, run };
      tasks.push(task);
      return () => {
        tasks = tasks.filter((other) => other !== task);
      };
    },
    async turn(ms) {
      const end = now + ms;
      for (;;) {
        await settled();
        const [next] = tasks.sort((a, b) => a.at - b.at);
        if (next === undefined || next.at > end) break;
        tasks = tasks.slice(1);
        now = next.at;
        next.run();
      }
      now = end;
      await settled();
    },
    get waiting() {
      return tasks.length;
    },
  };
}

export interface TestHistory extends Pick<History, 'putAlerts' | 'alert' | 'alerts'> {
  /** In the order of their first writing. */
  readonly rows: ReadonlyMap<string, Alert>;
  /** Alerts of each call of putAlerts. */
  readonly writes: readonly (readonly Alert[])[];
  /** undefined = it works. */
  failing: string | undefined;
  /** It waits until this is called off. */
  hold(): () => void;
}

/** The history in memory, with a look into it. */
export function testHistory(): TestHistory {
  const memory = createMemoryHistory();
  const rows = new Map<string, Alert>();
  const writes: (readonly Alert[])[] = [];
  let held: Promise<void> | undefined;
  const history: TestHistory = {
    rows,
    writes,
    failing: undefined,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    async putAlerts(alerts) {
      await held;
      if (history.failing !== undefined) throw new Error(history.failing);
      await memory.putAlerts(alerts);
      writes.push(alerts);
      for (const alert of alerts) rows.set(alert.id, alert);
    },
    alert: memory.alert,
    alerts: memory.alerts,
  };
  return history;
}
