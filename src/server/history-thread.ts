/**
 * The history in a thread of its own, seen from the main thread: the contract of src/store/history.ts, and the way of flows into it.
 * Called by the command line (src/cli/keeping.ts).
 *
 *   history.flows(…) ──message──► history-worker.ts ──message──► promise        record(batch) ──transferred──► recorder
 */
import { Worker } from 'node:worker_threads';
import type { AlertEvent } from '../alerts/writing.ts';
import { FilterError, type FilterErrorCode } from '../filter/filter.ts';
import type { Names } from '../flows/view.ts';
import type { LearnedName } from '../hosts/names.ts';
import type { LossSnapshot, Snapshot } from '../patrol-types.ts';
import type { BatchSource, FlowBatch } from '../scripts/outbox.ts';
import type { History } from '../store/history.ts';
import { HistoryError } from '../store/history-checks.ts';
import {
  HISTORY_METHODS,
  type HistoryCommand,
  type HistoryData,
  type HistoryReply,
  type HistoryRequest,
  type SentError,
} from './history-protocol.ts';

export interface HistoryThread {
  /** `close` ends the thread. */
  readonly history: History;
  /** Never rejects; resolves when the batch is handed over to the store. */
  record(batch: FlowBatch, of: BatchSource): Promise<void>;
  figures(snapshot: Snapshot): void;
  alerts(events: readonly AlertEvent[]): void;
  /** Names of hosts, for rows. */
  learned(names: readonly LearnedName[]): void;
  /** As they were within the last second. */
  losses(): readonly LossSnapshot[];
  flush(): Promise<void>;
}

function errorOf({ kind, message, filter }: SentError): Error {
  if (kind === 'history') return new HistoryError(message);
  if (kind === 'filter' && filter !== undefined) return new FilterError(filter.code as FilterErrorCode, message, filter, filter.hint);
  return new Error(message);
}

/** Losses of the same name become one. */
function added(some: readonly LossSnapshot[], more: readonly LossSnapshot[]): LossSnapshot[] {
  const all = new Map(some.map((loss) => [loss.name, loss]));
  for (const loss of more) all.set(loss.name, { ...loss, value: loss.value + (all.get(loss.name)?.value ?? 0) });
  return [...all.values()];
}

/** A thread that ends so often after so short a time is not started at once again, ms. */
const SHORT_LIFE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;
/** How often a question is asked: one that ends the thread twice is not asked a third time. */
const MOST_TRIES = 2;

interface Asked {
  readonly command: HistoryCommand;
  readonly transfer: readonly ArrayBuffer[];
  readonly answer: PromiseWithResolvers<unknown>;
  /** With the thread that lives now. */
  sent: boolean;
  tries: number;
}

/** Events of a batch: each begins with its length. */
function countEvents(batch: FlowBatch): number {
  const lengths = new DataView(batch.buffer, batch.byteOffset);
  let count = 0;
  for (let at = 0; at < batch.length; at += lengths.getUint32(at, true)) count++;
  return count;
}

/**
 * A thread that has ended by an error is started again. What was asked of it is asked of the next one, so alerts that wait for the disk
 * are stored there; flows that it had not stored yet are counted.
 * @param failed takes what the store could not do by itself
 * @param names all that are known of hosts, for a thread that takes the place of another
 * @throws HistoryError when the store cannot be used
 */
export async function startHistory(
  data: HistoryData,
  failed: (message: string) => void,
  names: () => readonly LearnedName[] = () => [],
): Promise<HistoryThread> {
  const asked = new Map<number, Asked>();
  let sources = new Map<Names, number>();
  let ids = 0;
  let losses: readonly LossSnapshot[] = [];
  /** Of threads that have ended, and of their flows. */
  let earlier: readonly LossSnapshot[] = [];
  let restarts = 0;
  let lostFlows = 0;
  /** Flows that the thread was given, and those that it has told to be done with. */
  let given = 0;
  let recorded = 0;
  let pause = 0;
  let over: Error | undefined;
  let worker: Worker | undefined;
  let up = false;

  function send(id: number, each: Asked): void {
    const { command } = each;
    each.sent = true;
    each.tries++;
    if (command.type !== 'record') {
      worker?.postMessage({ id, ...command });
      return;
    }
    given += countEvents(command.batch);
    const known = sources.has(command.names as Names);
    const source = sources.get(command.names as Names) ?? sources.size;
    sources.set(command.names as Names, source);
    const { names, ...rest } = command;
    worker?.postMessage({ id, ...rest, source, ...(known ? {} : { names }) }, [...each.transfer]);
  }

  function end(error: Error): void {
    over = error;
    for (const { answer } of asked.values()) answer.reject(error);
    asked.clear();
  }

  /** The thread is gone, without having been asked to. */
  function replace(reason: string, began: number): void {
    up = false;
    restarts++;
    const gone = given - recorded;
    lostFlows += gone;
    earlier = added(earlier, losses);
    losses = [];
    given = 0;
    recorded = 0;
    sources = new Map();
    for (const [id, each] of asked) {
      if (!each.sent) continue;
      each.sent = false;
      if (each.command.type === 'record') {
        each.answer.resolve(undefined); // it went with the thread, and is counted
        asked.delete(id);
      } else if (each.tries >= MOST_TRIES) {
        each.answer.reject(new HistoryError(`the thread of the history has ended: ${reason}`));
        asked.delete(id);
      }
    }
    failed(`its thread has ended: ${reason}; it is started again${gone === 0 ? '' : `, ${gone} flows were not stored`}`);
    pause = performance.now() - began > SHORT_LIFE_MS ? 0 : Math.min(LONGEST_PAUSE_MS, Math.max(100, pause * 2));
    const again = (): void => {
      const opened = start();
      opened.catch((error: Error) => replace(error.message, performance.now()));
    };
    if (restarts === 1) again();
    else setTimeout(again, pause);
  }

  function start(): Promise<void> {
    const opened = Promise.withResolvers<void>();
    const began = performance.now();
    const own = new Worker(new URL('./history-worker.ts', import.meta.url), { workerData: data });
    worker = own;
    let reason = 'it has left';
    let ready = false;
    own.on('message', (reply: HistoryReply) => {
      if ('id' in reply) {
        const waiting = asked.get(reply.id);
        asked.delete(reply.id);
        if ('error' in reply) waiting?.answer.reject(errorOf(reply.error));
        else waiting?.answer.resolve(reply.value);
        return;
      }
      switch (reply.type) {
        case 'ready':
          up = true;
          ready = true;
          opened.resolve();
          tell({ type: 'learned', names: names() });
          for (const [id, each] of asked) if (!each.sent) send(id, each);
          break;
        case 'unusable':
          opened.reject(errorOf(reply.error));
          break;
        case 'losses':
          ({ losses, recorded } = reply);
          break;
        case 'ending':
          up = false;
          reason = reply.reason;
          break;
        case 'failed':
          failed(reply.message);
          break;
      }
    });
    own.on('error', (error) => {
      reason = (error as Error).message;
    });
    own.on('exit', () => {
      // in a turn of its own: its last answers come in this one, and who closes the history has not read them yet
      setImmediate(() => {
        if (over !== undefined) return end(over);
        if (ready) replace(reason, began);
        else opened.reject(new HistoryError(`the thread of the history has ended: ${reason}`));
      });
    });
    return opened.promise;
  }

  const tell = (request: HistoryRequest): void => {
    if (up) worker?.postMessage(request);
  };
  function ask<T>(command: HistoryCommand, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    if (over !== undefined) return Promise.reject(over);
    const id = ++ids;
    const each: Asked = { command, transfer, answer: Promise.withResolvers<unknown>(), sent: false, tries: 0 };
    asked.set(id, each);
    if (up) send(id, each);
    return each.answer.promise as Promise<T>;
  }

  try {
    await start();
  } catch (error) {
    over = error as Error;
    await worker?.terminate();
    throw error;
  }

  const methods = Object.fromEntries(
    HISTORY_METHODS.map((method) => [method, (...args: readonly unknown[]) => ask({ type: 'call', method, args })]),
  ) as unknown as History;

  return {
    history: {
      ...methods,
      async close() {
        await methods.close();
        end(new HistoryError('the history is closed'));
        await worker?.terminate();
      },
    },
    async record(batch, { interface: name, names, live }) {
      const { length } = batch;
      try {
        await ask({ type: 'record', batch, source: 0, interface: name, live, names }, [batch.buffer]);
      } catch (error) {
        failed(`${length} bytes of flows: ${(error as Error).message}`);
      }
    },
    figures: ({ interfaces }) => tell({ type: 'figures', snapshot: { interfaces } }),
    alerts: (events) => tell({ type: 'alerts', events }),
    learned: (names) => tell({ type: 'learned', names }),
    losses: () =>
      added(added(earlier, losses), [
        { name: 'history.flows', help: 'flow records that the history did not take', value: lostFlows },
        {
          name: 'history.restarts',
          help: 'ends of the thread of the history by an error; what was asked of it was asked again',
          value: restarts,
        },
      ]).filter(({ value }) => value > 0),
    flush: () => ask({ type: 'flush' }),
  };
}
