/**
 * The queue of an endpoint: alerts in, deliveries out, one at a time and in order. It never blocks who puts alerts in: what there is no
 * room for is counted.
 *
 *   push ──► waiting (at most 1000) ──► send ──► delivered
 *                                        │ fails
 *                                        ├──► again, after 2 s, 4 s, … 10 minutes (with jitter; at least what the receiver asks for)
 *                                        └──► dead letter: refused for good, or tried 10 times
 *
 * What begins, is delivered, or cannot be taken is told to who keeps it over restarts.
 */
import type { Alert } from '../alerts/alert.ts';
import type { Clock } from '../alerts/clock.ts';
import { DeliveryError, type Transport } from './transport.ts';

export const NOTIFY_COUNTERS = [
  { name: 'queued', help: 'alerts for this endpoint: delivered, dead and waiting ones', loss: false },
  { name: 'resumed', help: 'alerts that the run before had not delivered, queued again', loss: false },
  { name: 'delivered', help: 'alerts that were delivered', loss: false },
  { name: 'failures', help: 'deliveries that failed, each attempt', loss: false },
  { name: 'dead', help: 'alerts that could not be delivered: they are in the list of dead letters', loss: true },
  { name: 'dropped', help: 'alerts that there was no room for in the queue', loss: true },
] as const;
export type NotifyCounter = (typeof NOTIFY_COUNTERS)[number]['name'];
export type NotifyCounts = Readonly<Record<NotifyCounter, number>>;

export interface QueueState {
  readonly counters: NotifyCounts;
  /** Alerts that wait, those under way among them. */
  readonly waiting: number;
  /** Of the last attempt that failed, while none has gone well since. */
  readonly error?: string;
  /** ms since 1970: last delivery; when the failed one is tried again. */
  readonly deliveredAt?: number;
  readonly againAt?: number;
}

export interface Queue {
  /** @returns false: there is no room */
  push(alert: Alert): boolean;
  /**
   * What the run before has left; it goes in front of what came meanwhile.
   * @param begun the delivery that was under way: it goes again as it was, under its id
   */
  resume(waiting: readonly Alert[], begun?: { readonly id: string; readonly alerts: readonly Alert[] }): void;
  state(): QueueState;
  /** The end is near: pauses are left out. Resolves when nothing waits, or an attempt has failed and the next one is not now. */
  drained(): Promise<void>;
  /** Ends it. @returns alerts that were not delivered */
  close(): readonly Alert[];
}

export interface QueueOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** ms between two deliveries. */
  readonly pauseMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly dead: (alerts: readonly Alert[], attempts: number, error: string) => void;
  /** A delivery begins: its first attempt. */
  readonly begun: (alerts: readonly Alert[], id: string) => void;
  /** These are delivered, or dropped. */
  readonly done: (alerts: readonly Alert[]) => void;
  readonly newId: () => string;
  /** Of an endpoint that had a queue before. */
  readonly before?: { readonly counters: NotifyCounts; readonly waiting: readonly Alert[] };
}

export const MOST_WAITING = 1000;
export const MOST_ATTEMPTS = 10;
const FIRST_AGAIN_MS = 2000;
const LONGEST_AGAIN_MS = 600_000;

/** Half of it is by chance: endpoints that failed together do not come back together. */
export const backOff = (failures: number, random: number): number =>
  Math.min(LONGEST_AGAIN_MS, FIRST_AGAIN_MS * 2 ** (failures - 1)) * (0.5 + random / 2);

export function createQueue({ transport, clock, pauseMs, random, dead, begun, done, newId, before }: QueueOptions): Queue {
  const counters = Object.fromEntries(NOTIFY_COUNTERS.map(({ name }) => [name, before?.counters[name] ?? 0])) as Record<
    NotifyCounter,
    number
  >;
  let waiting: Alert[] = [...(before?.waiting ?? [])];
  let batch: Alert[] = []; // the delivery under way
  let id = '';
  let failures = 0;
  let sending = false;
  let cancel: (() => void) | undefined;
  let againAt: number | undefined;
  let error: string | undefined;
  let deliveredAt: number | undefined;
  let hurry = false;
  let closed = false;
  let waiters: (() => void)[] = [];

  const later = (ms: number): void => {
    cancel = clock.after(ms, () => {
      cancel = undefined;
      againAt = undefined;
      kick();
    });
  };

  const ended = (): void => {
    batch = [];
    failures = 0;
    if (pauseMs > 0 && !hurry) later(pauseMs);
  };

  function failed(reason: unknown): void {
    const { permanent, retryAfterMs } = reason instanceof DeliveryError ? reason : new DeliveryError((reason as Error).message);
    error = (reason as Error).message;
    counters.failures++;
    failures++;
    if (permanent || failures >= MOST_ATTEMPTS) {
      counters.dead += batch.length;
      dead(batch, failures, error);
      ended();
      return;
    }
    const wait = Math.max(retryAfterMs, backOff(failures, random()));
    againAt = clock.now() + wait;
    later(wait);
  }

  async function deliver(): Promise<void> {
    sending = true;
    try {
      await transport.send({ alerts: batch, id, test: false });
      if (closed) return; // it has been handed on, and may come twice
      counters.delivered += batch.length;
      deliveredAt = clock.now();
      error = undefined;
      done(batch);
      ended();
    } catch (reason) {
      if (!closed) failed(reason);
    } finally {
      sending = false;
      kick();
    }
  }

  function kick(): void {
    if (!closed && !sending && cancel === undefined && (batch.length > 0 || waiting.length > 0)) {
      if (batch.length === 0) {
        batch = waiting.slice(0, transport.most);
        waiting = waiting.slice(transport.most);
        id = newId();
        begun(batch, id);
      }
      void deliver();
      return;
    }
    if (!sending) for (const resolve of waiters.splice(0)) resolve();
  }

  const drop = (alerts: readonly Alert[]): void => {
    counters.dropped += alerts.length;
    done(alerts);
  };

  if (waiting.length > 0) kick();

  return {
    push(alert) {
      if (waiting.length + batch.length >= MOST_WAITING) {
        drop([alert]);
        return false;
      }
      counters.queued++;
      waiting.push(alert);
      // what comes in the same turn goes in one delivery
      if (!sending && cancel === undefined && waiting.length === 1) queueMicrotask(kick);
      return true;
    },
    resume(left, under = { id: '', alerts: [] }) {
      const again = batch.length === 0 && under.alerts.length > 0;
      if (again) {
        batch = [...under.alerts];
        ({ id } = under);
      }
      const others = again ? left : [...under.alerts, ...left];
      const room = Math.max(0, MOST_WAITING - waiting.length - batch.length);
      waiting.unshift(...others.slice(0, room));
      const taken = Math.min(others.length, room) + (again ? under.alerts.length : 0);
      counters.queued += taken;
      counters.resumed += taken;
      if (others.length > room) drop(others.slice(room));
      kick();
    },
    state: () => ({
      counters: { ...counters },
      waiting: waiting.length + batch.length,
      ...(error === undefined ? {} : { error }),
      ...(deliveredAt === undefined ? {} : { deliveredAt }),
      ...(againAt === undefined ? {} : { againAt }),
    }),
    drained() {
      hurry = true;
      if (againAt === undefined) {
        cancel?.();
        cancel = undefined;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.push(resolve);
      kick();
      return promise;
    },
    close() {
      closed = true;
      cancel?.();
      transport.close();
      for (const resolve of waiters.splice(0)) resolve();
      const left = [...batch, ...waiting];
      batch = [];
      waiting = [];
      waiters = [];
      return left;
    },
  };
}
