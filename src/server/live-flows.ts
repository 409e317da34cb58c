/**
 * The flows that live now, asked again and again for those who listen: who asks the same gets the same answer, and an interface that
 * is slow is not asked anew before it has answered.
 *
 *   listen(query) ──► one timer a query ──► queryFlows ──► every listener of it
 */
import { type FlowList, flowList } from '../api/rows.ts';
import type { Field } from '../flows/fields/field.ts';
import type { HostBook } from '../hosts/book.ts';
import type { FlowAnswer, FlowQuery } from '../patrol-types.ts';

export interface LiveFlows {
  /** @returns takes the listener away */
  listen(query: FlowQuery, fields: readonly Field[] | undefined, listener: (list: FlowList) => void): () => void;
}

export interface LiveFlowsOptions {
  readonly ask: (query: FlowQuery) => Promise<FlowAnswer[]>;
  readonly hosts?: HostBook | undefined;
  /** Time between two answers, ms. */
  readonly period?: number;
}

export function createLiveFlows({ ask, hosts, period = 2000 }: LiveFlowsOptions): LiveFlows {
  interface Shared {
    readonly listeners: Set<(list: FlowList) => void>;
    readonly timer: NodeJS.Timeout;
  }
  const queries = new Map<string, Shared>();

  function start(query: FlowQuery, fields: readonly Field[] | undefined): Shared {
    let asking = false;
    const listeners = new Set<(list: FlowList) => void>();
    const look = async (): Promise<void> => {
      if (asking) return;
      asking = true;
      try {
        const list = flowList(query, await ask(query), fields, hosts);
        for (const listener of listeners) listener(list);
      } catch {
        // an interface that did not answer, or a filter that no longer fits one: the next time
      } finally {
        asking = false;
      }
    };
    setImmediate(() => void look());
    return { listeners, timer: setInterval(() => void look(), period).unref() };
  }

  return {
    listen(query, fields, listener) {
      const key = JSON.stringify([query, fields?.map((field) => field.key)]);
      const shared = queries.get(key) ?? start(query, fields);
      queries.set(key, shared);
      shared.listeners.add(listener);
      return () => {
        shared.listeners.delete(listener);
        if (shared.listeners.size > 0 || queries.get(key) !== shared) return;
        clearInterval(shared.timer);
        queries.delete(key);
      };
    },
  };
}
