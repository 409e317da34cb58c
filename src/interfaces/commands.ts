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
import type { Names } from '../flows/view.ts';
import { EMPTY_BOOK, type HostBook } from '../hosts/book.ts';
import { type LearningBook, openHostBook } from '../hosts/host-book.ts';
import { openLists } from '../hosts/lists/lookup.ts';
import { type LearnedName, unpackNames } from '../hosts/names.ts';
import type { IdsMatcher } from './ids.ts';
import { CONTROL_COMMANDS, type InterfaceCommand, type InterfaceMessage } from './protocol.ts';
import { createQuestions } from './questions.ts';

/** What changes no flow. */
const OF_QUESTIONS: ReadonlySet<InterfaceCommand['type']> = new Set(['query', 'forget', 'book', 'names']);

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
  say: (message: InterfaceMessage, transfer?: readonly ArrayBuffer[]) => void,
): Commands {
  let book: LearningBook | undefined;
  const waiting: (() => readonly LearnedName[])[] = []; // to be put into the book, a part at a time, before questions go on
  const learn = (found: readonly LearnedName[]): void => {
    for (const { address, name, source } of found) book?.put(address, name, source);
  };
  const hosts: HostBook = {
    facts: (bytes, at, ipv6) => (book ?? EMPTY_BOOK).facts(bytes, at, ipv6),
    pool: (bytes, at, ipv6, mac) => (book ?? EMPTY_BOOK).pool(bytes, at, ipv6, mac),
    vendor: (bytes, mac) => (book ?? EMPTY_BOOK).vendor(bytes, mac),
  };
  const questions = createQuestions(engine, names, hosts, say);
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
          questions.ask(command);
        } catch (error) {
          say({ type: 'query-failed', id: command.id, error: error as Error });
        }
        break;
      case 'forget':
        questions.forget(command.id);
        break;
      case 'book':
        book = openHostBook(command.hosts);
        for (let part = 0; part < command.names.ends.length; part++) waiting.push(() => unpackNames(command.names, part));
        break;
      case 'names':
        waiting.push(() => command.names);
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
      receive((command) => (OF_QUESTIONS.has(command.type) ? take(command) : put.push(command)));
    },
    work() {
      const next = waiting.shift();
      if (next === undefined) return questions.work();
      learn(next());
      return true;
    },
    finish() {
      for (const next of waiting.splice(0)) learn(next());
      questions.finish();
    },
  };
}
