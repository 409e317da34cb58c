/**
 * What happens, told to everybody who listens: alerts and statistics, as server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Nobody is waited for.
 *
 *   publish(topic, data) ──► the last events of each topic (for those who come back) ──► a bounded queue per client ──► socket
 *
 *   event: alerts
 *   id: RUN.ALERTS.STATS      how many events of each topic there were: with it a client that comes back gets what it missed,
 *   data: {…}                 or an event `gap` that says how many of them are gone
 */
import { randomBytes } from 'node:crypto';

export const TOPICS = ['alerts', 'stats'] as const;
export type Topic = (typeof TOPICS)[number];

/** Events that are kept for those who come back. */
const KEPT: Readonly<Record<Topic, number>> = { alerts: 2000, stats: 120 };
/** Events that wait for a slow client; then the oldest goes. */
const MOST_WAITING = 1000;
export const MOST_CLIENTS = 100;

interface Event {
  readonly topic: Topic;
  /** Of its topic, from 1 on. */
  readonly number: number;
  /** Of all topics: their order. */
  readonly order: number;
  readonly data: unknown;
  readonly frame: string;
}

export interface ListenOptions {
  readonly topics: ReadonlySet<Topic>;
  /** Id of the last event that the client has, as it gave it. */
  readonly after?: string | undefined;
  /** Leaves out what it does not want. */
  readonly wants?: (topic: Topic, data: unknown) => boolean;
  /** Asked at every beat: may it still listen? */
  readonly still: () => boolean;
  /** The client has gone, or was sent away. */
  readonly closed?: () => void;
}

export interface Listener {
  readonly stream: ReadableStream<Uint8Array>;
  /** An event for this client alone, not repeated to one who comes back. */
  tell(event: string, data: unknown): void;
}

export interface HubFigures {
  readonly clients: number;
  /** Events that slow clients did not get, from the start on. */
  readonly dropped: number;
}

export interface Hub {
  publish(topic: Topic, data: unknown): void;
  /** @returns undefined where too many listen already */
  listen(options: ListenOptions): Listener | undefined;
  /** A sign of life to all; those who may no more are sent away. */
  beat(): void;
  figures(): HubFigures;
  close(): void;
}

const text = new TextEncoder();
/** JSON has no line ends of its own: one line of data. */
const frameOf = (event: string, data: unknown, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;

/** One who listens. */
interface Client {
  readonly options: ListenOptions;
  push(frame: string): void;
  close(): void;
}

export function createHub(): Hub {
  const run = randomBytes(6).toString('base64url');
  const counts: Record<Topic, number> = { alerts: 0, stats: 0 };
  const kept: Record<Topic, Event[]> = { alerts: [], stats: [] };
  const clients = new Set<Client>();
  let order = 0;
  let dropped = 0;

  const id = (): string => [run, ...TOPICS.map((topic) => counts[topic])].join('.');

  /** What somebody missed: of each topic the number of the last event that they have. */
  function missedSince(after: string, { topics, wants }: ListenOptions): string[] {
    const [of, ...numbers] = after.split('.');
    const wanted = TOPICS.filter((topic) => topics.has(topic));
    // another run of the program: how many, nobody knows
    if (of !== run) return wanted.map((topic) => frameOf('gap', { topic, missed: null }, id()));
    const gaps: string[] = [];
    const events: Event[] = [];
    for (const topic of wanted) {
      const last = Number(numbers[TOPICS.indexOf(topic)] ?? 0) || 0;
      const missing = kept[topic].filter((event) => event.number > last);
      const oldest = missing[0]?.number ?? counts[topic] + 1;
      if (oldest > last + 1) gaps.push(frameOf('gap', { topic, missed: oldest - last - 1 }));
      events.push(...missing.filter(({ data }) => wants?.(topic, data) !== false));
    }
    return [...gaps, ...events.sort((a, b) => a.order - b.order).map(({ frame }) => frame)];
  }

  function open(options: ListenOptions): Listener & Client {
    let queue: string[] = [];
    let lost = 0;
    let wake: (() => void) | undefined;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      clients.delete(client);
      wake?.();
      options.closed?.();
    };
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          while (queue.length === 0 && !over) await new Promise<void>((resolve) => (wake = resolve));
          if (queue.length === 0) {
            controller.close();
            return;
          }
          const gap = lost === 0 ? '' : frameOf('gap', { missed: lost });
          const frames = queue;
          queue = [];
          lost = 0;
          controller.enqueue(text.encode(gap + frames.join('')));
        },
        cancel: end,
      },
      { highWaterMark: 0 },
    );
    const client = {
      options,
      stream,
      push(frame: string) {
        if (over) return;
        if (queue.length >= MOST_WAITING) {
          queue.shift();
          lost++;
          dropped++;
        }
        queue.push(frame);
        wake?.();
      },
      tell: (event: string, data: unknown) => client.push(frameOf(event, data)),
      close: end,
    };
    return client;
  }

  return {
    publish(topic, data) {
      counts[topic]++;
      const frame = frameOf(topic, data, id());
      const events = kept[topic];
      events.push({ topic, number: counts[topic], order: order++, data, frame });
      if (events.length > KEPT[topic]) events.shift();
      for (const client of clients) {
        if (client.options.topics.has(topic) && client.options.wants?.(topic, data) !== false) client.push(frame);
      }
    },
    listen(options) {
      if (clients.size >= MOST_CLIENTS) return undefined;
      const client = open(options);
      // without an event the client knows where it stands, should it lose the connection before the first
      client.push(`retry: 2000\n${frameOf('hello', { topics: [...options.topics] }, options.after === undefined ? id() : undefined)}`);
      if (options.after !== undefined) for (const frame of missedSince(options.after, options)) client.push(frame);
      clients.add(client);
      return client;
    },
    beat() {
      for (const client of clients) {
        if (client.options.still()) client.push(':\n\n');
        else client.close();
      }
    },
    figures: () => ({ clients: clients.size, dropped }),
    close() {
      for (const client of clients) client.close();
    },
  };
}
