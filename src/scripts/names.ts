/**
 * Names of hosts between a script host and the main thread: what its book learns goes out, what reverse DNS finds comes in.
 * Called by the script host.
 */
import { CALLBACK_BIT, E_CALLBACKS } from '../flows/event.ts';
import { STATE_CLIENT_UNICAST, STATE_SERVER_UNICAST } from '../flows/record.ts';
import type { EventView } from '../flows/view.ts';
import type { LearningBook } from '../hosts/host-book.ts';
import type { HostData, HostMessage } from '../interfaces/protocol.ts';

/** Addresses handed to reverse DNS at once; more wait for their next event. */
const MOST_NAMELESS = 1000;

export interface NameExchange {
  /** Takes the names out of an event, and notes which of its ends have none. */
  learn(view: EventView): void;
  /** Sends what was learned, and which addresses have no name. */
  exchange(): void;
  /** Names that reverse DNS has found. */
  found(names: readonly { readonly address: string; readonly name: string }[]): void;
}

export function createNameExchange({ config, outbox }: HostData, book: LearningBook, say: (message: HostMessage) => void): NameExchange {
  // somebody may ask for names: the programming interface, or a table of flows
  const shared = config.dataDirectory !== undefined || config.flowQuery !== undefined || outbox !== undefined;
  const nameless = new Set<string>();
  const isNew = (view: EventView): boolean => ((view.bytes()[view.offset() + E_CALLBACKS] as number) & CALLBACK_BIT.protocolDetected) !== 0;
  const note = (view: EventView): void => {
    if (nameless.size >= MOST_NAMELESS) return;
    if ((view.state() & STATE_CLIENT_UNICAST) !== 0 && view.clientFacts().name === '') nameless.add(view.client());
    if ((view.state() & STATE_SERVER_UNICAST) !== 0 && view.serverFacts().name === '') nameless.add(view.server());
  };
  return {
    learn(view) {
      if (!isNew(view)) return; // its details are in by then
      book.learn(view);
      if (config.resolveNames) note(view);
    },
    exchange() {
      const learned = book.takeLearned();
      if (shared && learned.length > 0) say({ type: 'names', names: learned });
      if (nameless.size > 0) {
        say({ type: 'nameless', addresses: [...nameless] });
        nameless.clear();
      }
    },
    found(named) {
      for (const { address, name } of named) book.put(address, name, 'reverse');
    },
  };
}
