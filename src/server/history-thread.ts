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

/**
 * @param failed takes what the store could not do by itself
 * @throws HistoryError when the store cannot be used
 */
export async function startHistory(data: HistoryData, failed: (message: string) => void): Promise<HistoryThread> {
  const worker = new Worker(new URL('./history-worker.ts', import.meta.url), { workerData: data });
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  const sources = new Map<Names, number>();
  const opened = Promise.withResolvers<void>();
  let ids = 0;
  let losses: readonly LossSnapshot[] = [];
  let over: Error | undefined;

  const end = (error: Error): void => {
    over = error;
    opened.reject(error);
    for (const { reject } of asked.values()) reject(error);
    asked.clear();
  };
  worker.on('message', (reply: HistoryReply) => {
    if ('id' in reply) {
      const waiting = asked.get(reply.id);
      asked.delete(reply.id);
      if ('error' in reply) waiting?.reject(errorOf(reply.error));
      else waiting?.resolve(reply.value);
      return;
    }
    switch (reply.type) {
      case 'ready':
        opened.resolve();
        break;
      case 'unusable':
        opened.reject(errorOf(reply.error));
        break;
      case 'losses':
        losses = reply.losses;
        break;
      case 'failed':
        failed(reply.message);
        break;
    }
  });
  worker.on('error', (error) => {
    failed(`its thread has ended: ${(error as Error).message}`);
    end(new HistoryError(`the thread of the history has ended: ${(error as Error).message}`));
  });
  worker.on('exit', () => end(over ?? new HistoryError('the history is closed')));

  const tell = (request: HistoryRequest): void => worker.postMessage(request);
  function ask<T>(command: HistoryCommand, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    if (over !== undefined) return Promise.reject(over);
    const id = ++ids;
    const waiting = Promise.withResolvers<unknown>();
    asked.set(id, waiting);
    worker.postMessage({ id, ...command }, [...transfer]);
    return waiting.promise as Promise<T>;
  }

  try {
    await opened.promise;
  } catch (error) {
    await worker.terminate();
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
        await worker.terminate();
      },
    },
    async record(batch, { interface: name, names, live }) {
      const known = sources.get(names);
      const source = known ?? sources.size;
      sources.set(names, source);
      const { length } = batch;
      try {
        await ask({ type: 'record', batch, source, interface: name, live, ...(known === undefined ? { names } : {}) }, [batch.buffer]);
      } catch (error) {
        failed(`${length} bytes of flows: ${(error as Error).message}`);
      }
    },
    figures: ({ interfaces }) => tell({ type: 'figures', snapshot: { interfaces } }),
    alerts: (events) => tell({ type: 'alerts', events }),
    learned: (names) => tell({ type: 'learned', names }),
    losses: () => losses,
    flush: () => ask({ type: 'flush' }),
  };
}
