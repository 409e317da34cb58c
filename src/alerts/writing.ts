/**
 * The way of alerts into the history: what is put here is stored, in batches, and told to listeners afterwards; so whatever was shown or
 * sent is there after any end of the program. One write is under way at a time, and the newest state of an alert is the one that is
 * written. Called by the intake.
 *
 *   put(alert), edit(id) ──► waiting ──putAlerts──► history ──► listeners
 */
import type { History } from '../store/history.ts';
import type { Alert } from './alert.ts';
import type { Clock } from './clock.ts';

export interface AlertEvent {
  readonly type: 'new' | 'changed';
  readonly alert: Alert;
}

export type AlertListener = (events: readonly AlertEvent[]) => void;

export interface Writing {
  /** An alert, new or changed. */
  put(alert: Alert, isNew: boolean): void;
  /** A repetition was counted: it is written within a second, with those that come until then. */
  touch(alert: Alert): void;
  /** Changes an alert wherever it is: here, in the intake, in the history. `undefined` leaves it as it is. */
  edit(id: string, change: (alert: Alert) => Alert | undefined): void;
  /** Newest state of an alert that is on its way. */
  waiting(id: string): Alert | undefined;
  readonly size: number;
  /** Resolves when alerts on their way are fewer than `most`, or the history fails: then waiting helps nobody. */
  below(most: number): Promise<void>;
  /** All that was put before is stored. Rejects when the history fails. */
  flush(): Promise<void>;
  /** Tries once more, and gives up. @returns alerts that are lost */
  close(): Promise<number>;
}

export interface WritingOptions {
  readonly history: Pick<History, 'putAlerts' | 'alert'>;
  readonly clock: Clock;
  /** An alert that can still be repeated, as the intake has it. */
  readonly held: (id: string) => Alert | undefined;
  /** Its state has changed. */
  readonly replaced: (alert: Alert) => void;
  readonly tell: AlertListener;
  readonly failed: (error: Error) => void;
}

const MOST_AT_ONCE = 500;
const TOUCH_MS = 1000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

interface Waiter {
  readonly done: () => boolean;
  readonly resolve: (_?: unknown) => void;
  /** Absent: a failure is as good. */
  readonly reject?: (error: Error) => void;
}

export function createWriting({ history, clock, held, replaced, tell, failed }: WritingOptions): Writing {
  const waiting = new Map<string, Alert>();
  const touched = new Map<string, Alert>();
  const unannounced = new Set<string>();
  const edits: { readonly id: string; readonly change: (alert: Alert) => Alert | undefined }[] = [];
  let waiters: Waiter[] = [];
  let cancelTouch: (() => void) | undefined;
  let cancelRetry: (() => void) | undefined;
  let retryMs = FIRST_RETRY_MS;
  let running: Promise<void> | undefined;
  let closed = false;

  const settle = (): void => {
    for (const waiter of waiters.filter(({ done }) => done())) waiter.resolve();
    waiters = waiters.filter(({ done }) => !done());
  };

  const untouch = (): void => {
    cancelTouch?.();
    cancelTouch = undefined;
    for (const [id, alert] of touched) waiting.set(id, alert);
    touched.clear();
  };

  async function applyEdits(): Promise<void> {
    for (let edit = edits[0]; edit !== undefined; edit = edits[0]) {
      const { id, change } = edit;
      const near = (): Alert | undefined => touched.get(id) ?? waiting.get(id) ?? held(id);
      const stored = near() === undefined ? await history.alert(id) : undefined; // it stays in the row while that fails
      edits.shift();
      const alert = near() ?? stored;
      const next = alert === undefined ? undefined : change(alert);
      if (next === undefined) continue;
      touched.delete(id);
      waiting.set(id, next);
      replaced(next);
    }
  }

  async function write(): Promise<void> {
    while (edits.length > 0 || waiting.size > 0) {
      if (edits.length > 0) await applyEdits();
      const batch = [...waiting.values()].slice(0, MOST_AT_ONCE);
      if (batch.length === 0) continue;
      await history.putAlerts(batch);
      retryMs = FIRST_RETRY_MS;
      const events = batch.map((alert): AlertEvent => {
        const isNew = unannounced.delete(alert.id);
        if (waiting.get(alert.id) === alert) waiting.delete(alert.id);
        return { type: isNew ? 'new' : 'changed', alert };
      });
      tell(events);
      settle();
    }
  }

  function run(): Promise<void> {
    cancelRetry?.();
    cancelRetry = undefined;
    running ??= Promise.resolve() // what comes in the same turn goes in one batch
      .then(write)
      .catch((error: Error) => {
        failed(error);
        for (const { resolve, reject } of waiters.splice(0)) (reject ?? resolve)(error);
        if (closed) return;
        cancelRetry = clock.after(retryMs, () => void run());
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      })
      .finally(() => {
        running = undefined;
        settle();
        if (cancelRetry === undefined && !closed && (waiting.size > 0 || edits.length > 0)) void run();
      });
    return running;
  }

  /** After a failure the retry decides when it goes on. */
  const go = (): void => {
    if (cancelRetry === undefined) void run();
  };

  const until = async (done: () => boolean, failing: boolean): Promise<void> => {
    if (done()) return;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiters.push({ done, resolve, ...(failing ? { reject } : {}) });
    await promise;
  };

  const idle = (): boolean => waiting.size === 0 && touched.size === 0 && edits.length === 0;

  return {
    put(alert, isNew) {
      if (isNew) unannounced.add(alert.id);
      touched.delete(alert.id);
      waiting.set(alert.id, alert);
      go();
    },
    touch(alert) {
      if (waiting.has(alert.id)) waiting.set(alert.id, alert);
      else touched.set(alert.id, alert);
      if (touched.size === 0 || cancelTouch !== undefined) return;
      cancelTouch = clock.after(TOUCH_MS, () => {
        untouch();
        go();
      });
    },
    edit(id, change) {
      edits.push({ id, change });
      go();
    },
    waiting: (id) => touched.get(id) ?? waiting.get(id),
    get size() {
      return waiting.size;
    },
    below: (most) => until(() => waiting.size < most, false),
    flush() {
      untouch();
      const done = until(idle, true);
      if (!idle()) void run();
      return done;
    },
    async close() {
      untouch();
      await run();
      closed = true;
      cancelRetry?.();
      const lost = unannounced.size;
      waiting.clear();
      unannounced.clear();
      for (const { resolve } of waiters.splice(0)) resolve();
      return lost;
    },
  };
}
