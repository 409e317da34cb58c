/**
 * What the main thread asks of an interface thread that never turns an event loop: policies, alerts of an intrusion detection
 * system, queries for flows. A word in shared memory says that something has come; it is then taken from the port. What scripts want of
 * flows comes through ports of its own, straight from their hosts.
 *
 *   main ──port──► poll(): policy, alerts, a new query      work(): some flows of the query under way ──answer──► main
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { FlowEngine } from '../flows/engine.ts';
import type { FlowOverride } from '../flows/overrides.ts';
import type { Policy } from '../flows/policy.ts';
import { createSelection } from '../flows/selection.ts';
import { createEventView, type Names } from '../flows/view.ts';
import { openLists } from '../hosts/lists/lookup.ts';
import type { IdsMatcher } from './ids.ts';
import { CONTROL_COMMANDS, type InterfaceCommand, type InterfaceMessage } from './protocol.ts';

/** Records that a query looks at before packets are read again. */
const SLICE_RECORDS = 4096;
/** Flows that it takes in that time. */
const SLICE_FLOWS = 512;

interface Query {
  readonly id: number;
  readonly selection: ReturnType<typeof createSelection>;
}

export interface Commands {
  /** Takes what has come. Cheap when nothing has. */
  poll(): void;
  /** Takes what has come, for `poll` but for queries: in the middle of a visit nothing else may change. */
  pollQueries(): void;
  /** Takes what scripts want of flows. */
  pollChanges(): void;
  /** Changes for flows that have ended by now. */
  readonly late: number;
  /** Goes on with queries. @returns true while there is one */
  work(): boolean;
  /** Finishes all queries: the flows are about to end. */
  finish(): void;
}

export function createCommands(
  port: MessagePort,
  control: Int32Array,
  engine: FlowEngine,
  matcher: IdsMatcher,
  names: Names,
  say: (message: InterfaceMessage) => void,
): Commands {
  const view = createEventView(names);
  const queries: Query[] = [];
  /** What is answered now: queries that have come together share one look at each flow, so that more of them cost little more. */
  const underWay: Query[] = [];
  let cursor = 1;
  const changes: MessagePort[] = [];
  const put: InterfaceCommand[] = []; // came in the middle of a visit
  let taken = 0;
  let late = 0;

  const take = (command: InterfaceCommand): void => {
    switch (command.type) {
      case 'policy': {
        const { preferences, lists } = command;
        const changed: Partial<Policy> = {
          ...(preferences === undefined ? {} : { preferences }),
          ...(lists === undefined ? {} : { lists: openLists(lists) }),
        };
        engine.configure(changed);
        break;
      }
      case 'changes':
        changes.push(command.port);
        break;
      case 'alerts':
        matcher.add(command.alerts);
        break;
      case 'query':
        try {
          queries.push({ id: command.id, selection: createSelection(command.query, names) });
        } catch (error) {
          say({ type: 'query-failed', id: command.id, error: error as Error });
        }
        break;
    }
  };

  const receive = (to: (command: InterfaceCommand) => void): void => {
    const posted = Atomics.load(control, CONTROL_COMMANDS);
    while (taken !== posted) {
      const received = receiveMessageOnPort(port) as { message: InterfaceCommand } | undefined;
      if (received === undefined) return; // it is on its way
      taken++;
      to(received.message);
    }
  };

  /** @returns false: there is nothing to answer */
  const begin = (): boolean => {
    if (underWay.length > 0) return true;
    underWay.push(...queries.splice(0));
    cursor = 1;
    return underWay.length > 0;
  };

  /** @returns false: all flows have been looked at */
  const advance = (records: number, flows: number): boolean => {
    const limit = engine.limit();
    const stop = Math.min(limit, cursor + records);
    let left = flows;
    while (cursor < stop && left > 0) {
      const length = engine.snapshot(cursor++);
      if (length === 0) continue;
      view.set(engine.snapshots, 0);
      for (const { selection } of underWay) selection.offer(engine.snapshots, 0, length, view);
      left--;
    }
    return cursor < limit;
  };

  const answer = ({ id, selection }: Query): void => {
    const { names: _names, interface: _interface, ...found } = selection.answer();
    say({ type: 'answer', id, ...found });
  };

  return {
    get late() {
      return late;
    },
    pollChanges() {
      for (const from of changes) {
        for (;;) {
          const received = receiveMessageOnPort(from) as { message: FlowOverride } | undefined;
          if (received === undefined) break;
          if (!engine.override(received.message)) late++;
        }
      }
    },
    poll() {
      if (put.length > 0) for (const command of put.splice(0)) take(command);
      receive(take);
    },
    pollQueries() {
      receive((command) => (command.type === 'query' ? take(command) : put.push(command)));
    },
    work() {
      if (!begin()) return false;
      if (advance(SLICE_RECORDS, SLICE_FLOWS)) return true;
      for (const query of underWay.splice(0)) answer(query);
      return queries.length > 0;
    },
    finish() {
      while (begin()) {
        advance(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
        for (const query of underWay.splice(0)) answer(query);
      }
    },
  };
}
