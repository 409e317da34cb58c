/** Server-sent events over real HTTP: what was missed comes again, what is gone is said, a slow client holds up nobody. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { createHub, type Hub, MOST_CLIENTS } from '../../src/server/hub.ts';
import { flowsOf, queryOver } from '../api/support.ts';
import { startServer, type TestServer } from './support.ts';

interface Event {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

interface Reader {
  /** The next event; undefined when the server has ended it. */
  next(): Promise<Event>;
  /** The next `count` of them. */
  take(count: number): Promise<Event[]>;
  close(): void;
}

async function* eventsOf(answer: AsyncIterable<Uint8Array>): AsyncGenerator<Event> {
  let text = '';
  for await (const part of answer) {
    text += Buffer.from(part).toString('utf8');
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const value = (name: string): string | undefined => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      if (value('event') !== undefined) yield { event: value('event') ?? '', id: value('id'), data: JSON.parse(value('data') ?? '{}') };
    }
  }
}

const readerOf = (events: AsyncGenerator<Event>): Pick<Reader, 'next' | 'take'> => {
  const next = async (): Promise<Event> => (await events.next()).value as Event;
  return {
    next,
    async take(count) {
      const found: Event[] = [];
      while (found.length < count) found.push(await next());
      return found;
    },
  };
};

async function open(server: TestServer, path: string, headers: Record<string, string>): Promise<Reader> {
  const asking: ClientRequest = request({ host: '127.0.0.1', port: server.port, path: `/api/v1/stream${path}`, headers, agent: false });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers['content-type'], 'text/event-stream');
  asking.on('error', () => {});
  answer.on('error', () => {});
  return { ...readerOf(eventsOf(answer)), close: () => asking.destroy() };
}

const numbers = (events: readonly Event[]): unknown[] => events.map(({ data }) => data.n);

test('who comes back gets what was missed; what is gone is said', async (t) => {
  const server = await startServer(t);
  const { cookie } = await server.login('viewer');
  const { hub } = server;
  const first = await open(server, '?topics=stats', { cookie });
  const hello = await first.next();
  assert.deepEqual([hello.event, hello.data], ['hello', { topics: ['stats'] }]);
  for (const n of [1, 2, 3]) hub.publish('stats', { n });
  const seen = await first.take(3);
  assert.deepEqual(numbers(seen), [1, 2, 3]);
  first.close();

  for (const n of [4, 5]) hub.publish('stats', { n });
  const again = await open(server, '?topics=stats', { cookie, 'last-event-id': seen[1]?.id ?? '' });
  assert.equal((await again.next()).event, 'hello');
  assert.deepEqual(numbers(await again.take(3)), [3, 4, 5]);
  again.close();

  // from a hello alone, too
  const early = await open(server, `?topics=stats&after=${hello.id}`, { cookie });
  assert.equal((await early.next()).event, 'hello');
  assert.deepEqual(numbers(await early.take(5)), [1, 2, 3, 4, 5]);
  early.close();

  for (let n = 6; n <= 205; n++) hub.publish('stats', { n });
  const late = await open(server, '?topics=stats', { cookie, 'last-event-id': seen[1]?.id ?? '' });
  assert.equal((await late.next()).event, 'hello');
  const gap = await late.next();
  assert.deepEqual([gap.event, gap.data], ['gap', { topic: 'stats', missed: 205 - 120 - 2 }]);
  assert.equal((await late.next()).data.n, 205 - 120 + 1);
  late.close();

  const other = await open(server, '?topics=stats', { cookie, 'last-event-id': 'anotherrun.7.9' });
  assert.equal((await other.next()).event, 'hello');
  const unknown = await other.next();
  assert.deepEqual([unknown.event, unknown.data], ['gap', { topic: 'stats', missed: null }]);
  assert.ok(unknown.id !== undefined);
  other.close();
});

test('alerts that a filter leaves out, and topics', async (t) => {
  const server = await startServer(t);
  const { cookie } = await server.login('viewer');
  const alert = (script: string) => ({ type: 'new', alert: { script, flow: {}, severity: 'error', type: 'x', reason: {} }, n: script });
  const filtered = await open(server, `?topics=alerts&alert-filter=${encodeURIComponent('script == "beacon"')}`, { cookie });
  const hello = await filtered.next();
  for (const script of ['other', 'beacon', 'other', 'beacon']) server.hub.publish('alerts', alert(script));
  server.hub.publish('stats', { n: 'stats' });
  assert.deepEqual(numbers(await filtered.take(2)), ['beacon', 'beacon']);
  const again = await open(server, `?topics=alerts,stats&after=${hello.id}&alert-filter=${encodeURIComponent('script == "beacon"')}`, {
    cookie,
  });
  assert.deepEqual(numbers((await again.take(4)).slice(1)), ['beacon', 'beacon', 'stats']);
  for (const path of ['?topics=odd', '?topics=alerts&alert-filter=(', '?filter=(', '?sort=nonsense', '?limit=0']) {
    const answer = await server.ask(`/api/v1/stream${path}`, { headers: { cookie } });
    assert.equal(answer.status, 400, path);
  }
});

test('live flows come at once, and again; the same question is asked once', async (t) => {
  const flows = flowsOf('demo.pcap');
  const answer = queryOver([flows]);
  let asked = 0;
  const server = await startServer(t, {
    queryFlows(query, signal) {
      asked++;
      return answer(query, signal);
    },
  });
  const { cookie } = await server.login('viewer');
  const path = '?topics=flows&filter=port%20%3D%3D%2053&limit=2&fields=cli.ip,bytes';
  const readers = [await open(server, path, { cookie }), await open(server, path, { cookie })] as const;
  for (const reader of readers) {
    assert.deepEqual((await reader.next()).data, { topics: [] });
    const { event, id, data } = await reader.next();
    assert.deepEqual([event, id], ['flows', undefined]);
    assert.equal((data.flows as unknown[]).length, 2);
    assert.deepEqual(Object.keys((data.flows as object[])[0] ?? {}), ['interface', 'cli.ip', 'bytes']);
  }
  assert.ok(asked <= 2, `${asked} questions`); // the second listener may have come between two
});

test('who may no more is sent away at the next beat', async (t) => {
  const server = await startServer(t);
  const viewer = await server.login('viewer');
  const { text: token, token: made } = server.accounts.addToken({ name: 'x', user: 'viewer', role: 'viewer' });
  const bySession = await open(server, '', { cookie: viewer.cookie });
  const byToken = await open(server, '', { authorization: `Bearer ${token}` });
  await Promise.all([bySession.next(), byToken.next()]);
  server.hub.beat();
  assert.equal(server.hub.figures().clients, 2);
  await viewer.ask('/api/v1/session', { method: 'DELETE' });
  server.hub.beat();
  assert.equal(await bySession.next(), undefined);
  assert.equal(server.hub.figures().clients, 1);
  server.accounts.removeToken(made.id);
  server.hub.beat();
  assert.equal(await byToken.next(), undefined);
  assert.equal(server.hub.figures().clients, 0);
});

test('clients that go are forgotten; more than there is room for are refused', async (t) => {
  const server = await startServer(t);
  const { cookie } = await server.login('viewer');
  const reader = await open(server, '', { cookie });
  await reader.next();
  const gone = new Promise<void>((resolve) => {
    const look = (): void => (server.hub.figures().clients === 0 ? resolve() : void setImmediate(look));
    reader.close();
    look();
  });
  await gone;
  const topics = new Set(['stats'] as const);
  for (let i = 0; i < MOST_CLIENTS; i++) assert.ok(server.hub.listen({ topics, still: () => true }) !== undefined);
  const refused = await server.ask('/api/v1/stream', { headers: { cookie } });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '30');
});

test('a client that does not read loses the oldest events, counted and said; nobody waits for it', async () => {
  const hub: Hub = createHub();
  const listener = hub.listen({ topics: new Set(['stats'] as const), still: () => true });
  assert.ok(listener !== undefined);
  for (let n = 1; n <= 2500; n++) hub.publish('stats', { n });
  assert.equal(hub.figures().dropped, 1501); // the hello is the oldest
  const reader = readerOf(eventsOf(listener.stream as unknown as AsyncIterable<Uint8Array>));
  const gap = await reader.next();
  assert.deepEqual([gap.event, gap.data], ['gap', { missed: 1501 }]);
  assert.equal((await reader.next()).data.n, 1501);
  hub.close();
});
