/**
 * Names of hosts in the main thread: those that the script hosts learn, and those that reverse DNS finds for them when asked.
 *
 *   script hosts ──learned, nameless──► NameService ──found──► script hosts; book ──► rows of the programming interface
 */
import { type HostData, type LearningBook, openHostBook } from './host-book.ts';
import type { LearnedName } from './names.ts';
import { createResolver, systemReverse } from './resolver.ts';

/** How often answers are handed out, ms. */
const TAKE_MS = 250;

export interface NameService {
  readonly book: LearningBook;
  learned(names: readonly LearnedName[]): void;
  /** Asks reverse DNS, if the user wants it. */
  nameless(addresses: readonly string[]): void;
  /** Questions that reverse DNS had no room for. */
  dropped(): number;
  close(): void;
}

export interface NameServiceOptions {
  readonly hosts: HostData;
  readonly resolve: boolean;
  /** Names that reverse DNS has found. */
  readonly onFound: (names: readonly { readonly address: string; readonly name: string }[]) => void;
  /** All names that come in, from wherever. */
  readonly onNames: (names: readonly LearnedName[]) => void;
}

export function createNameService({ hosts, resolve, onFound, onNames }: NameServiceOptions): NameService {
  const book = openHostBook(hosts);
  const dns = resolve ? systemReverse() : undefined;
  const resolver = dns && createResolver({ reverse: dns.reverse, now: () => performance.now() });
  const taking =
    resolver &&
    setInterval(() => {
      const found = resolver.take();
      if (found.length === 0) return;
      for (const { address, name } of found) book.put(address, name, 'reverse');
      onFound(found);
      onNames(found.map(({ address, name }) => ({ address, name, source: 'reverse' })));
    }, TAKE_MS);
  taking?.unref();
  return {
    book,
    learned(names) {
      for (const { address, name, source } of names) book.put(address, name, source);
      book.takeLearned();
      onNames(names);
    },
    nameless(addresses) {
      for (const address of addresses) resolver?.ask(address);
    },
    dropped: () => resolver?.counters.dropped ?? 0,
    close() {
      clearInterval(taking);
      resolver?.close();
      dns?.cancel();
    },
  };
}
