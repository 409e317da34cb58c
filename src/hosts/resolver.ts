/**
 * Reverse DNS: names that are registered for addresses. Runs on the main thread, and only when the user asked for it; what it finds
 * goes into the books with `put(address, name, 'reverse')`.
 *
 *   ask(address) ──► queue ──► at most 8 questions at a time ──► take()
 *
 * Answers are kept for an hour, "no name" and failures for 5 minutes: the same address is asked again only after that.
 */
import { promises as dns } from 'node:dns';
import { createGenerations } from './generations.ts';
import { cleanName } from './names.ts';

export interface ResolverOptions {
  /** @returns names of an address, the first is taken; rejects when there is none (`systemReverse` is the real one) */
  readonly reverse: (address: string) => Promise<readonly string[]>;
  /** ms; only differences count. */
  readonly now: () => number;
  readonly concurrency?: number;
  readonly queue?: number;
  readonly cache?: number;
  /** ms. */
  readonly ttl?: number;
  readonly negativeTtl?: number;
}

export interface Resolver {
  /** @param address IPv4 or IPv6 text */
  ask(address: string): void;
  /** Names found since the last call. Addresses that are asked for again within their time come out once. */
  take(): { readonly address: string; readonly name: string }[];
  /** Fulfilled when nothing is under way. */
  settled(): Promise<void>;
  /** Forgets what waits; what is under way comes to its end. */
  close(): void;
  readonly counters: {
    /** Questions sent. */
    readonly asked: number;
    readonly resolved: number;
    /** No name, or no answer. */
    readonly failed: number;
    /** Questions not sent, because too many waited, and names not taken. */
    readonly dropped: number;
  };
}

const HOUR = 3_600_000;
const FIVE_MINUTES = 300_000;

export function createResolver(options: ResolverOptions): Resolver {
  const { reverse, now, concurrency = 8, queue = 1000, cache = 65_536, ttl = HOUR, negativeTtl = FIVE_MINUTES } = options;
  /** When an address may be asked again, ms; Infinity while it waits or is under way. */
  const again = createGenerations<string, number>(cache);
  const counters = { asked: 0, resolved: 0, failed: 0, dropped: 0 };
  const waiting: string[] = [];
  let underWay = 0;
  let found: { address: string; name: string }[] = [];
  let idle: (() => void)[] = [];

  const answered = (address: string, name: string): void => {
    again.set(address, now() + (name === '' ? negativeTtl : ttl));
    if (name === '') {
      counters.failed++;
      return;
    }
    counters.resolved++;
    if (found.length < cache) found.push({ address, name });
    else counters.dropped++;
  };

  const next = async (address: string): Promise<void> => {
    underWay++;
    counters.asked++;
    try {
      const [first = ''] = await reverse(address);
      answered(address, cleanName(Buffer.from(first, 'utf8').toString('latin1')));
    } catch {
      answered(address, '');
    }
    underWay--;
    pump();
  };

  const pump = (): void => {
    while (underWay < concurrency && waiting.length > 0) void next(waiting.shift() as string);
    if (underWay > 0) return;
    for (const done of idle) done();
    idle = [];
  };

  return {
    counters,
    ask(address) {
      const time = again.get(address);
      if (time !== undefined && now() < time) return;
      if (waiting.length >= queue) {
        counters.dropped++;
        return;
      }
      again.set(address, Number.POSITIVE_INFINITY);
      waiting.push(address);
      pump();
    },
    take() {
      const taken = found;
      found = [];
      return taken;
    },
    settled: () => (underWay === 0 ? Promise.resolve() : new Promise((done) => idle.push(done))),
    close() {
      waiting.length = 0;
    },
  };
}

/**
 * Questions to the system's name servers, or to others; given up after 2 seconds and a second try.
 * @param servers `address` or `address:port`
 */
export function systemReverse(servers?: readonly string[]): { reverse: ResolverOptions['reverse']; cancel(): void } {
  const resolver = new dns.Resolver({ timeout: 2000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return { reverse: (address) => resolver.reverse(address), cancel: () => resolver.cancel() };
}
