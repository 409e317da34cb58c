/** Endpoints: kept, with secrets that never come out; their filters; tests; dead letters; what happens at the end. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Alert } from '../../src/alerts/alert.ts';
import { FilterError } from '../../src/filter/filter.ts';
import { createNotifier, type EndpointRequest, type Notifier, type NotifierOptions } from '../../src/notify/notifier.ts';
import { EndpointError } from '../../src/notify/settings.ts';
import { openSettings, type Settings } from '../../src/store/settings.ts';
import { type HandClock, handClock, type TestHistory, testHistory } from '../alerts/support.ts';
import { alertOf, type HttpServer, httpServer } from './support.ts';

interface Play {
  readonly notifier: Notifier;
  readonly clock: HandClock;
  readonly history: TestHistory;
  readonly said: string[];
}

function play(settings: Settings = openSettings(undefined), more: Partial<NotifierOptions> = {}): Play {
  const clock = handClock();
  const history = testHistory();
  const said: string[] = [];
  const notifier = createNotifier({
    ...{ settings, history, clock },
    random: () => 0,
    ...more,
    log: { warn: (_, text) => said.push(text), info() {} },
  });
  return { notifier, clock, history, said };
}

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-notifier-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const webhook = (url: string, more: Partial<EndpointRequest> = {}): EndpointRequest => ({
  name: 'hook',
  kind: 'webhook',
  settings: { url, secret: 'hush' },
  ...more,
});

const tell = ({ notifier }: Play, alerts: readonly Alert[], type: 'new' | 'changed' = 'new'): void =>
  notifier.tell(alerts.map((alert) => ({ type, alert })));

const ids = (server: HttpServer): string[] =>
  server.received.flatMap(({ body }) => (JSON.parse(body) as { alerts: { id: string }[] }).alerts.map(({ id }) => id));

test('an endpoint gets new alerts that pass its filter, and each only once', async (t) => {
  const server = await httpServer(t);
  const run = play();
  run.notifier.add(webhook(server.url, { filter: 'severity >= error and not domain == example.org' }));
  const wanted = alertOf({ severity: 'critical' });
  tell(run, [
    alertOf(),
    wanted,
    alertOf({ severity: 'error', flow: { host_server_name: 'www.example.org' } }),
    alertOf({ severity: 'error', shadow: true }),
  ]);
  tell(run, [wanted], 'changed');
  await run.notifier.close(60_000);
  assert.deepEqual(ids(server), [wanted.id]);
});

describe('endpoints', () => {
  test('are there after a restart, and their secrets never come out', async (t) => {
    const folder = scratch(t);
    const server = await httpServer(t);
    const settings = openSettings(folder);
    const first = play(settings);
    const added = first.notifier.add(webhook(server.url));
    first.notifier.add({ name: 'room', kind: 'chat', settings: { url: 'https://hooks.example/services/T0/B0/token', service: 'teams' } });
    const text = JSON.stringify([added, ...first.notifier.list()]);
    assert.ok(!/hush|token"|services/.test(text), text);
    assert.deepEqual(added.settings, { url: server.url, secret: '…' });
    assert.deepEqual(first.notifier.get(2)?.settings, { service: 'teams', url: 'https://hooks.example/…' });
    assert.equal(statSync(join(folder, 'settings.db')).mode & 0o077, 0, 'others cannot read the file');
    await first.notifier.close(0);
    settings.close();

    const again = openSettings(folder);
    t.after(() => again.close());
    const second = play(again);
    assert.deepEqual(
      second.notifier.list().map(({ name, kind, pause }) => [name, kind, pause]),
      [
        ['hook', 'webhook', 0],
        ['room', 'chat', 5],
      ],
    );
    // a change without the secret keeps it
    assert.equal(second.notifier.update(added.id, { name: 'renamed', settings: { authorization: 'Bearer x' } })?.name, 'renamed');
    tell(second, [alertOf()]);
    await second.notifier.close(60_000);
    const { headers } = server.received[0] as { headers: Record<string, string> };
    assert.match(headers['x-flowpatrol-signature'] ?? '', /^t=\d+,v1=[0-9a-f]{64}$/);
    assert.equal(headers.authorization, 'Bearer x');
  });

  test('a secret can be taken away', async (t) => {
    const server = await httpServer(t);
    const run = play();
    const { id } = run.notifier.add(webhook(server.url));
    assert.deepEqual(run.notifier.update(id, { settings: { secret: null } })?.settings, { url: server.url });
    await run.notifier.test(id, alertOf());
    assert.equal(server.received[0]?.headers['x-flowpatrol-signature'], undefined);
  });

  test('that cannot be are refused, with what is wanted', () => {
    const { notifier } = play();
    const refused = (request: Partial<Record<keyof EndpointRequest, unknown>>, message: RegExp): void =>
      assert.throws(
        () => notifier.add({ ...webhook('https://a.example/'), ...request } as EndpointRequest),
        (error) => error instanceof EndpointError && message.test(error.message),
        String(message),
      );
    refused({ kind: 'pigeon' }, /kind: one of webhook, mail/);
    refused({ kind: 'constructor' }, /kind: one of/);
    refused({ name: ' ' }, /name/);
    refused({ pause: -1 }, /pause/);
    refused({ settings: {} }, /url is missing: where alerts are posted/);
    refused({ settings: { url: 'ftp://a' } }, /https:\/\/ or http:\/\//);
    refused({ settings: { url: 'file:///etc/passwd' } }, /https:\/\//);
    refused({ settings: { url: 'https://a.example', colour: 'red' } }, /no setting 'colour'/);
    refused({ settings: { url: 'https://a.example', authorization: 'a\r\nb: c' } }, /control characters/);
    refused({ settings: { url: 'https://a.example', ca: 'x' } }, /PEM/);
    refused({ kind: 'mail', settings: { host: 'a', from: 'x', to: ['a@b'] } }, /from: 'x' is not like/);
    refused({ kind: 'mail', settings: { host: 'a', from: 'x@y', to: [] } }, /to is missing|to: 1 to 20/);
    refused({ kind: 'mail', settings: { host: 'a', from: 'x@y', to: ['a@b\nBcc: c@d'] } }, /control characters/);
    refused({ kind: 'mail', settings: { host: 'a', port: 99_999, from: 'x@y', to: ['a@b'] } }, /port: a whole number/);
    refused({ kind: 'syslog', settings: { host: 'a', facility: 'loud' } }, /facility: one of kern/);
    refused({ kind: 'file', settings: { path: 'relative' } }, /path/);
    assert.throws(() => notifier.add(webhook('https://a.example', { filter: 'severity >= loud' })), FilterError);
    notifier.add(webhook('https://a.example'));
    refused({}, /there is an endpoint 'hook' already/);
    assert.throws(() => notifier.update(1, { filter: '(' }), FilterError);
    assert.equal(notifier.get(1)?.filter, '');
    assert.equal(notifier.update(7, {}), undefined);
  });

  test('one whose filter does not work any more says so and gets nothing', () => {
    const settings = openSettings(undefined);
    const first = play(settings);
    first.notifier.add(webhook('http://127.0.0.1:1/'));
    settings.database.exec("UPDATE notify_endpoints SET filter = 'gone == 1'");
    const later = play(settings);
    tell(later, [alertOf()]);
    assert.match(later.notifier.get(1)?.broken ?? '', /no field "gone"/);
    assert.equal(later.notifier.counters().queued, 0);
    assert.equal(later.notifier.update(1, { filter: '' })?.broken, undefined);
  });

  test('one that is off gets nothing; one that is removed leaves its counts', async (t) => {
    const server = await httpServer(t);
    server.answer = (response) => void response.writeHead(503).end();
    const run = play();
    const { id } = run.notifier.add(webhook(server.url));
    run.notifier.update(id, { enabled: false });
    tell(run, [alertOf()]);
    run.notifier.update(id, { enabled: true });
    tell(run, [alertOf(), alertOf()]);
    assert.equal(run.notifier.remove(id), 2);
    assert.deepEqual([run.notifier.counters().queued, run.notifier.counters().dropped], [2, 2]);
    assert.equal(run.notifier.remove(id), undefined);
  });
});

test('"send this alert as a test" goes past filter and queue and says what happened', async (t) => {
  const server = await httpServer(t);
  const run = play();
  const { id } = run.notifier.add(webhook(server.url, { filter: 'severity >= critical', enabled: false }));
  assert.deepEqual(await run.notifier.test(id, alertOf({ severity: 'info' })), { delivered: true, ms: 0 });
  assert.equal((JSON.parse(server.received[0]?.body ?? '') as { test: boolean }).test, true);
  server.answer = (response) => void response.writeHead(404).end('no such hook');
  assert.deepEqual(await run.notifier.test(id, alertOf()), {
    delivered: false,
    error: 'the receiver answered 404: no such hook',
    ms: 0,
  });
  assert.equal(await run.notifier.test(99, alertOf()), undefined);
  assert.deepEqual(run.notifier.counters(), { queued: 0, resumed: 0, delivered: 0, failures: 0, dead: 0, dropped: 0 });
});

test('what fails is tried again; what is refused is a dead letter that can be sent again', async (t) => {
  const folder = scratch(t);
  const settings = openSettings(folder);
  t.after(() => settings.close());
  const server = await httpServer(t);
  const run = play(settings);
  const { id } = run.notifier.add(webhook(server.url));
  const [first, second] = [alertOf(), alertOf()];
  await run.history.putAlerts([first, second]);
  const { promise: failedOnce, resolve } = Promise.withResolvers<void>();
  server.answer = (response) => {
    response.writeHead(503).end();
    response.on('close', resolve);
  };
  tell(run, [first]);
  await failedOnce;
  while (run.notifier.get(id)?.againAt === undefined) await run.clock.turn(0);
  server.answer = (response) => void response.writeHead(400).end('nonsense');
  await run.clock.turn(1000);
  while (run.notifier.deadLetters().length === 0) await run.clock.turn(0);
  const [letter] = run.notifier.deadLetters(id);
  assert.deepEqual(
    [letter?.alerts, letter?.attempts, letter?.error, letter?.time],
    [[first.id], 2, 'the receiver answered 400: nonsense', run.clock.now()],
  );
  assert.equal(server.received[0]?.headers['x-flowpatrol-delivery'], server.received[1]?.headers['x-flowpatrol-delivery']);
  assert.equal(run.said.length, 1);

  server.answer = (response) => void response.writeHead(200).end();
  assert.equal(await run.notifier.resend([letter?.id as number]), 1);
  await run.notifier.close(60_000);
  assert.deepEqual(run.notifier.deadLetters(), []);
  assert.deepEqual(ids(server), [first.id, first.id, first.id]);
});

describe('after a kill', () => {
  /** A run that ends without a word while its receiver answers nothing. @returns the settings as the next run finds them */
  async function killed(t: TestContext, server: HttpServer, alerts: readonly Alert[], expected: readonly Alert[] = alerts): Promise<Play> {
    const folder = scratch(t);
    const settings = openSettings(folder);
    const first = play(settings);
    first.notifier.add(webhook(server.url, { filter: 'script == watch' }));
    await first.history.putAlerts(alerts);
    first.notifier.expect(expected);
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    server.answer = () => resolve();
    for (const alert of alerts) {
      tell(first, [alert]);
      await first.clock.turn(0);
    }
    if (alerts.length > 0) await asked;
    settings.close();
    const again = openSettings(folder);
    t.after(() => again.close());
    server.answer = (response) => void response.writeHead(204).end();
    return { ...play(again, { history: first.history }), history: first.history };
  }

  test('what was not delivered is, under the id of the delivery that was under way', async (t) => {
    const server = await httpServer(t);
    const alerts = [alertOf(), alertOf(), alertOf()];
    const run = await killed(t, server, alerts, [...alerts, alertOf({ script: 'other' })]);
    assert.equal(await run.notifier.resume(), 3);
    const late = alertOf();
    tell(run, [late]);
    while (run.notifier.counters().delivered < 4) await run.clock.turn(0);
    const [first, ...rest] = server.received.map(({ headers }) => headers['x-flowpatrol-delivery']);
    assert.equal(rest[0], first);
    assert.deepEqual(ids(server).slice(1), [...alerts.map(({ id }) => id), late.id]);
    const { resumed, queued, delivered } = run.notifier.counters();
    assert.deepEqual({ resumed, queued, delivered }, { resumed: 3, queued: 4, delivered: 4 });
  });

  test('nothing comes again that was delivered, is a dead letter, or never came into the history', async (t) => {
    const server = await httpServer(t);
    const [kept, refused] = [alertOf(), alertOf()];
    const run = await killed(t, server, [kept], [kept, alertOf()]);
    assert.equal(await run.notifier.resume(), 1);
    while ((run.notifier.get(1)?.counters.delivered ?? 0) < 1) await run.clock.turn(0);
    server.answer = (response) => void response.writeHead(400).end();
    await run.history.putAlerts([refused]);
    run.notifier.expect([refused]);
    tell(run, [refused]);
    while (run.notifier.deadLetters().length === 0) await run.clock.turn(0);
    assert.equal(await run.notifier.resume(), 0);
    // a letter that is sent again waits like any other
    server.answer = () => {};
    assert.equal(await run.notifier.resend(run.notifier.deadLetters().map(({ id }) => id)), 1);
    assert.deepEqual(run.notifier.deadLetters(), []);
    assert.equal(await run.notifier.resume(), 1);
  });

  test('an endpoint that is removed takes what waits with it', async (t) => {
    const server = await httpServer(t);
    const run = await killed(t, server, [alertOf()]);
    run.notifier.remove(1);
    assert.equal(await run.notifier.resume(), 0);
  });
});

test('at the end what waits is sent, and what cannot be is said', async (t) => {
  const server = await httpServer(t);
  const gone = play();
  gone.notifier.add(webhook('http://127.0.0.1:1/'));
  const good = play();
  good.notifier.add(webhook(server.url, { pause: 600 }));
  tell(gone, [alertOf()]);
  for (let i = 0; i < 3; i++) {
    tell(good, [alertOf()]);
    await good.clock.turn(0);
  }
  await Promise.all([good.notifier.close(60_000), gone.notifier.close(60_000)]);
  assert.equal(ids(server).length, 3);
  assert.match(gone.said.at(-1) ?? '', /^1 notifications were not delivered before the end/);
});

test('kinds that are not allowed can neither be added nor changed; those that are there work on', async (t) => {
  const server = await httpServer(t);
  const settings = openSettings(undefined);
  const { id } = play(settings).notifier.add(webhook(server.url));
  const run = play(settings, { kinds: ['mail'] });
  assert.throws(() => run.notifier.add(webhook('https://a.example', { name: 'other' })), /of the kind 'webhook' may not be added/);
  assert.throws(() => run.notifier.update(id, { filter: '' }), EndpointError);
  tell(run, [alertOf()]);
  await run.notifier.close(60_000);
  assert.equal(ids(server).length, 1);
});

test('endpoints are kept as text that names their kind', () => {
  const settings = openSettings(undefined);
  const run = play(settings);
  run.notifier.add({ name: 'log', kind: 'file', settings: { path: '/tmp/x.jsonl' } });
  settings.database.exec(`UPDATE notify_endpoints SET config = '{"kind":"pigeon","settings":{}}'`);
  const later = play(settings);
  assert.deepEqual(later.notifier.list(), []);
  assert.match(later.said[0] as string, /of a kind that this flowpatrol does not know/);
});
