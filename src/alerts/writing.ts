/**
 * The way of alerts into the history: what is put here is stored, in batches, and told to listeners afterwards; so whatever was shown or
 * sent is there after any end of the program. One write is under way at a time, and the newest state of an alert is the one that is
 * written. Called by the intake.
 *
 *   put(alert), edit(id) ──► waiting ──new ones announced──► putAlerts ──► history ──► listeners
 */
import type { History } from '../store/history.ts';
import type { Alert } from './alert.ts';
import type { Clock } from './clock.ts';

export interface AlertEvent {
  readonly type: 'new' | 'changed';
  readonly alert: Alert;
}

export type AlertListener = (events: readonly AlertEvent[]) => void;

export type Change = (alert: Alert) => Alert | undefined;

export interface Writing {
  /** An alert, new or changed. */
  put(alert: Alert, isNew: boolean): void;
  /** A repetition was counted: it is written within a second (later where writing takes long), with those that come until then. */
  touch(alert: Alert): void;
  /**
   * Changes an alert wherever it is: here, in the intake, in the history. `undefined` leaves it as it is.
   * @param known as it was in the history a moment ago
   */
  edit(id: string, change: Change, known?: Alert): void;
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
  /** New alerts that are stored next: who has to hear of them whatever happens writes them down. Also called when that is tried again. */
  readonly announce: (alerts: readonly Alert[]) => void;
  readonly tell: AlertListener;
  readonly failed: (error: Error) => void;
}

const MOST_AT_ONCE = 500;
/** Alerts that are looked for in the history at one time. */
const MOST_SOUGHT = 100;
const TOUCH_MS = 1000;
/** Repetitions take this part of the store's time at most. */
const TOUCH_PART = 10;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

interface Edit {
  readonly id: string;
  readonly change: Change;
  readonly known: Alert | undefined;
}

interface Waiting {
  readonly alert: Alert;
  /** It is in no write before those of smaller numbers. */
  readonly number: number;
}

interface Waiter {
  readonly done: () => boolean;
  readonly resolve: (_?: unknown) => void;
  /** Absent: a failure is as good. */
  readonly reject?: (error: Error) => void;
}

export function createWriting({ history, clock, held, replaced, announce, tell, failed }: WritingOptions): Writing {
  const waiting = new Map<string, Waiting>(); // in the order of their numbers
  const touched = new Map<string, Alert>();
  const unannounced = new Set<string>();
  let edits: Edit[] = [];
  let editsMade = 0;
  let editsDone = 0;
  let numbers = 0;
  let waiters: Waiter[] = [];
  let cancelTouch: (() => void) | undefined;
  let cancelRetry: (() => void) | undefined;
  let retryMs = FIRST_RETRY_MS;
  let tookMs = 0;
  let running: Promise<void> | undefined;
  let closed = false;

  const settle = (): void => {
    const done = waiters.filter((waiter) => waiter.done());
    waiters = waiters.filter((waiter) => !done.includes(waiter));
    for (const { resolve } of done) resolve();
  };

  /** A newer state keeps the place of the older one. */
  const enqueue = (alert: Alert): void => {
    touched.delete(alert.id);
    waiting.set(alert.id, { alert, number: waiting.get(alert.id)?.number ?? numbers++ });
  };
  /** Everything with a smaller number is written. */
  const written = (number: number): boolean => (waiting.values().next().value?.number ?? number) >= number;

  const untouch = (): void => {
    cancelTouch?.();
    cancelTouch = undefined;
    for (const alert of touched.values()) enqueue(alert);
  };

  const near = (id: string): Alert | undefined => touched.get(id) ?? waiting.get(id)?.alert ?? held(id);

  async function applyEdits(): Promise<void> {
    const taken = edits.slice(0, MOST_SOUGHT);
    const stored = await Promise.all(taken.map(({ id, known }) => known ?? (near(id) === undefined ? history.alert(id) : undefined)));
    for (const [i, { id, change }] of taken.entries()) {
      const alert = near(id) ?? stored[i] ?? (await history.alert(id)); // it may have gone from here meanwhile
      edits.shift(); // it stays in the row while the history fails
      editsDone++;
      const next = alert === undefined ? undefined : change(alert);
      if (next === undefined) continue;
      enqueue(next);
      replaced(next);
    }
  }

  async function write(): Promise<void> {
    while (edits.length > 0 || waiting.size > 0) {
      if (edits.length > 0) await applyEdits();
      const batch = [...waiting.values()].slice(0, MOST_AT_ONCE).map(({ alert }) => alert);
      if (batch.length > 0) {
        const begun = clock.now();
        const fresh = batch.filter(({ id }) => unannounced.has(id));
        if (fresh.length > 0) announce(fresh);
        await history.putAlerts(batch);
        tookMs = clock.now() - begun;
        retryMs = FIRST_RETRY_MS;
        const events = batch.map((alert): AlertEvent => {
          const newest = waiting.get(alert.id)?.alert;
          waiting.delete(alert.id);
          if (newest !== undefined && newest !== alert) enqueue(newest); // it has changed meanwhile, and goes to the end of the row
          return { type: unannounced.delete(alert.id) ? 'new' : 'changed', alert };
        });
        tell(events);
      }
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
        if (!closed && (waiting.size > 0 || edits.length > 0)) go();
      });
    return running;
  }

  /** After a failure the retry decides when it goes on. */
  function go(): void {
    if (cancelRetry === undefined) void run();
  }

  async function until(done: () => boolean, failing: boolean): Promise<void> {
    if (done()) return;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiters.push({ done, resolve, ...(failing ? { reject } : {}) });
    await promise;
  }

  return {
    put(alert, isNew) {
      if (isNew) unannounced.add(alert.id);
      enqueue(alert);
      go();
    },
    touch(alert) {
      if (waiting.has(alert.id)) enqueue(alert);
      else touched.set(alert.id, alert);
      if (touched.size === 0 || cancelTouch !== undefined) return;
      cancelTouch = clock.after(Math.max(TOUCH_MS, tookMs * TOUCH_PART), () => {
        untouch();
        go();
      });
    },
    edit(id, change, known) {
      edits.push({ id, change, known });
      editsMade++;
      go();
    },
    waiting: (id) => touched.get(id) ?? waiting.get(id)?.alert,
    get size() {
      return waiting.size;
    },
    below: (most) => until(() => waiting.size < most, false),
    async flush() {
      untouch();
      if (waiting.size === 0 && edits.length === 0) return;
      void run(); // whatever the retry says
      const made = editsMade;
      await until(() => editsDone >= made, true);
      const number = numbers;
      await until(() => written(number), true);
    },
    async close() {
      untouch();
      await run();
      closed = true;
      cancelRetry?.();
      const lost = unannounced.size;
      waiting.clear();
      unannounced.clear();
      edits = [];
      for (const { resolve } of waiters.splice(0)) resolve();
      return lost;
    },
  };
}
