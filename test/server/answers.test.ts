/** Every answer is what the OpenAPI document says it is: over flows of a real capture, its history and its alerts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Alert, RaisedFlowAlert } from '../../src/alerts/alert.ts';
import { flowOf } from '../../src/alerts/raise.ts';
import type { OpenApiDocument } from '../../src/api/openapi.ts';
import { createEventView } from '../../src/flows/view.ts';
import { EMPTY_BOOK } from '../../src/hosts/book.ts';
import { createRecorder } from '../../src/server/recorder.ts';
import { ALERT_GROUPINGS } from '../../src/store/history-checks.ts';
import { flowsOf, hostsOver, INTERFACE, queryOver, SNAPSHOT } from '../api/support.ts';
import { httpServer } from '../notify/support.ts';
import { json, type Session, startServer, type TestServer } from './support.ts';

const API = '/api/v1';
const flows = flowsOf('demo.pcap');

const raised = (index: number): RaisedFlowAlert => {
  const view = createEventView(flows.names);
  view.set(flows.events[index] as Uint8Array, 0);
  return {
    ...{ time: view.time(), interface: 'test', type: 'web_mining', severity: 'error', score: 100, script: 'beacon', version: 'abc' },
    ...{ callback: 'idle', visit: view.visit(), statusBefore: 0, status: view.status(), forStatus: -1, flow: flowOf(view) },
    ...{ info: { why: 'often' }, reason: { bytes: 7 }, shadow: false },
  };
};

/** A flow of another client and server: what is alike is counted on one alert. */
const other = flows.events.findIndex((event, i) => i > 0 && raised(i).flow['srv.ip'] !== raised(0).flow['srv.ip'] && event.length > 0);

describe('answers', () => {
  let server: TestServer;
  let admin: Session;
  let document: OpenApiDocument;
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true, binary: true } });
  const closing: (() => Promise<void>)[] = [];

  /** Asks, and holds the answer against the document. */
  async function valid<T>(path: string, method = 'get', body?: object): Promise<T> {
    const answer = await admin.ask(API + path, { method: method.toUpperCase(), ...(body && json(body)) });
    const [plain = ''] = path.split('?');
    const fits = (each: string): boolean => new RegExp(`^${each.replace(/\{\w+\}/g, '[^/]+')}$`).test(plain);
    const operation = [plain, ...Object.keys(document.paths).filter(fits)]
      .map((each) => document.paths[each]?.[method])
      .find((each) => each !== undefined);
    assert.ok(operation !== undefined, `${method} ${path} is not in the document`);
    const response = operation.responses[String(answer.status)];
    assert.ok(response !== undefined, `${method} ${path}: ${answer.status} is not declared: ${answer.text}`);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    const content = response.content as Record<string, { schema: object }>;
    const [type = ''] = (answer.headers['content-type'] ?? '').split(';');
    const schema = content[type]?.schema;
    if (type !== 'application/json') return answer.text as T;
    assert.ok(schema !== undefined, `${method} ${path}: ${type}`);
    const check = ajv.compile(schema);
    const value = answer.json<T>();
    assert.ok(check(value), `${method} ${path}: ${ajv.errorsText(check.errors)}\n${answer.text.slice(0, 500)}`);
    return value;
  }

  before(async () => {
    const stats = { calls: 1, failures: 0, failed: {}, skipped: { filter: 1 }, cpuUs: 3, meanUs: 3, p99Us: 4 };
    const script = {
      ...{ key: 'beacon', file: 'beacon.lua', path: '/s/beacon.lua', language: 'lua' as const, title: 'Beacon', description: '', prio: 0 },
      ...{ callbacks: ['idle' as const], state: 'on' as const, warnings: [], stats: { idle: stats }, alerts: 1, shadowAlerts: 0 },
      ...{ ownHost: false, stateLost: 0, share: 1, interface: 'eth0' },
    };
    server = await startServer(
      { after: (done: () => Promise<void>) => void closing.push(done) },
      { queryFlows: queryOver([flows]), queryHosts: hostsOver([flows]), snapshot: () => ({ ...SNAPSHOT, scripts: [script] }) },
    );
    admin = await server.login('admin');
    document = (await server.ask(`${API}/openapi.json`)).json<OpenApiDocument>();
    const { history, alerts } = server.parts;
    assert.ok(history !== undefined && alerts !== undefined);
    const recorder = createRecorder({ history, hosts: () => EMPTY_BOOK, failed: (error) => assert.fail(error) });
    const bytes = Buffer.concat(flows.events);
    const batch = new Uint8Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
    await recorder.take(batch, { interface: 'test', names: flows.names, live: false });
    await alerts.raised([raised(0), raised(other)], false);
    await alerts.flush();
  });
  after(async () => {
    for (const close of closing) await close();
  });

  test('the document: OpenAPI 3.1, every operation once, every answer with a schema', () => {
    assert.equal(document.openapi, '3.1.0');
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.length > 40, String(ids.length));
    for (const { operationId, responses, summary } of operations) {
      assert.ok(summary.length > 5, operationId);
      assert.ok(
        Object.keys(responses).some((status) => status.startsWith('2')),
        operationId,
      );
    }
  });

  test('the guide names every operation, with its role', () => {
    const guide = readFileSync(new URL('../../docs/guides/api.md', import.meta.url), 'utf8');
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { 'x-role': role }] of Object.entries(methods)) {
        if (path === '/uploads' || path.startsWith('/uploads/') || path.endsWith('/test')) continue; // not in this server
        assert.ok(guide.includes(`| \`${method.toUpperCase()} ${path}\` | ${role} |`), `${method.toUpperCase()} ${path} | ${role}`);
      }
    }
  });

  test('state: status, interfaces, losses, lists, metrics', async () => {
    await valid('/status');
    const { interfaces } = await valid<{ interfaces: unknown[] }>('/interfaces');
    assert.deepEqual(interfaces, [INTERFACE]);
    assert.deepEqual(await valid('/losses'), { losses: [{ interface: 'eth0', ...INTERFACE.losses[0] }] });
    await valid('/lists');
    const metrics = await server.ask('/metrics', { headers: { cookie: admin.cookie } });
    assert.match(metrics.text, /^flowpatrol_packets_total\{interface="eth0"\} 10$/m);
    assert.equal((await server.ask('/metrics')).status, 401);
    assert.deepEqual((await server.ask('/healthz')).json(), { status: 'ok' });
    assert.deepEqual((await server.ask('/readyz')).json(), { status: 'ready' });
  });

  test('flows: live, one of them, hosts, declarations', async () => {
    const list = await valid<{ flows: Record<string, unknown>[]; matched: number }>('/flows?limit=5');
    const id = list.flows[0]?.['flow.id'] as string;
    const one = await valid<{ flow: Record<string, unknown>; live: boolean }>(`/flows/${id}`);
    assert.equal(one.flow['flow.id'], id);
    assert.equal((await admin.ask(`${API}/flows/nothing`)).json<{ code: string }>().code, 'unknown-flow');
    const { hosts, total } = await valid<{ hosts: { address: string; bytes: number; flows: number }[]; total: number }>('/hosts?limit=3');
    assert.ok(total > 3 && hosts.length === 3);
    assert.ok((hosts[0]?.bytes ?? 0) >= (hosts[1]?.bytes ?? 0));
    const all = await valid<{ hosts: { asClient: number; asServer: number; flows: number; sent: number }[] }>(
      '/hosts?limit=1000&sort=address&order=asc',
    );
    assert.equal(
      all.hosts.reduce((sum, host) => sum + host.asClient, 0),
      list.matched,
    );
    assert.equal(
      all.hosts.reduce((sum, host) => sum + host.flows, 0),
      2 * list.matched,
    );
    const { fields, statuses } = await valid<{ fields: { key: string }[]; statuses: unknown[] }>('/fields');
    assert.ok(fields.some(({ key }) => key === 'cli.ip') && statuses.length > 20);
  });

  test('history: flows, top, series, a flow that is not live, export', async () => {
    const all = await valid<{ total: number; flows: { flow: Record<string, unknown> }[] }>(
      '/history/flows?limit=2&sort=bytes&fields=bytes,cli.ip',
    );
    assert.equal(all.total, flows.events.length);
    assert.deepEqual(Object.keys(all.flows[0]?.flow ?? {}).sort(), ['bytes', 'cli.ip']);
    const second = await valid<{ flows: unknown[] }>('/history/flows?limit=1&offset=1&sort=bytes&fields=bytes,cli.ip');
    assert.deepEqual(second.flows[0], all.flows[1]);
    const { top } = await valid<{ top: { value: string; sum: number }[] }>('/history/top?by=proto.ndpi&of=flows&limit=50');
    assert.equal(
      top.reduce((sum, { sum: of }) => sum + of, 0),
      flows.events.length,
    );
    const { points } = await valid<{ points: { value: number; name: string }[] }>(
      '/history/series?names=bytes,flows&from=1100000000000000&to=1200000000000000&points=5',
    );
    const sum = (name: string): number =>
      Math.round(points.filter((point) => point.name === name).reduce((total, { value }) => total + value, 0));
    assert.equal(sum('flows'), flows.events.length);
    const bytes = await valid<{ bytes: number }>('/flows?limit=1');
    assert.equal(sum('bytes'), bytes.bytes);
    const rows = await valid<{ flows: { time: number; flow: object }[] }>('/history/flows?sort=time&order=asc&limit=50&fields=time,bytes');
    assert.deepEqual(
      rows.flows.map(({ time }) => time),
      rows.flows.map(({ time }) => time).toSorted((a, b) => a - b),
    );
    assert.ok(rows.flows.every(({ flow }) => Object.keys(flow).join() === 'bytes'));
    const ofDns = await valid<typeof all>(`/history/flows?limit=1&filter=${encodeURIComponent('proto == DNS')}`);
    const matching = await valid<{ points: { value: number }[] }>(
      `/history/series?names=flows&from=1000000000000000&to=1900000000000000&points=5&filter=${encodeURIComponent('proto == DNS')}`,
    );
    assert.equal(
      matching.points.reduce((total, { value }) => total + value, 0),
      ofDns.total,
    );
    const csv = await admin.ask(`${API}/history/export?format=csv&filter=${encodeURIComponent('proto == DNS')}`);
    assert.equal(csv.headers['content-disposition'], 'attachment; filename="flows.csv"');
    assert.ok(csv.text.split('\n').length > 5);
    const csvOf = async (name: string): Promise<number> =>
      (await admin.ask(`${API}/history/export?format=csv&interface=${name}`)).text.trimEnd().split('\n').length - 1;
    for (const [name, count] of [
      ['test', flows.events.length],
      ['other', 0],
    ] as const) {
      assert.equal((await valid<{ total: number }>(`/history/flows?interface=${name}&limit=1`)).total, count);
      const { top: protocols } = await valid<{ top: { sum: number }[] }>(`/history/top?by=proto.ndpi&of=flows&limit=50&interface=${name}`);
      assert.equal(
        protocols.reduce((total, { sum: of }) => total + of, 0),
        count,
      );
      assert.equal(await csvOf(name), count);
      assert.equal((await valid<{ total: number }>(`/flows?interface=${name}`)).total, count);
      assert.equal((await valid<{ total: number }>(`/hosts?interface=${name}`)).total > 0, count > 0);
    }
    for (const path of [
      '/history/top?by=nonsense',
      '/history/flows?sort=tos',
      '/history/flows?filter=(',
      '/history/series?names=bytes&from=2&to=1',
    ]) {
      const answer = await admin.ask(API + path);
      assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.text}`);
    }
  });

  test('alerts: list, one, acknowledged, closed, opened again; with their flow', async () => {
    const { alerts, total } = await valid<{ alerts: { id: string; flow: Record<string, unknown> }[]; total: number }>(
      '/alerts?script=beacon',
    );
    assert.equal(total, 2);
    assert.equal((await valid<{ total: number }>('/alerts?interface=test')).total, 2);
    assert.equal((await valid<{ total: number }>('/alerts?interface=other')).total, 0);
    type Groups = { groups: { value?: unknown; count: number; severity: string; filter: string }[]; total: number };
    const groups = await valid<Groups>('/alerts/groups?by=script');
    assert.deepEqual(
      [groups.total, groups.groups.map(({ value, count, severity }) => [value, count, severity])],
      [1, [['beacon', 2, 'error']]],
    );
    assert.deepEqual(await valid('/alerts/groups?by=script&interface=test&state=new&shadow=false&filter=score%20%3E%201'), groups);
    for (const none of ['interface=other', 'shadow=true', 'to=1', 'state=closed', 'filter=score%20%3C%201']) {
      assert.deepEqual(await valid(`/alerts/groups?by=script&${none}`), { groups: [], total: 0 }, none);
    }
    // the line of a group is true of its alerts, and of no others
    for (const by of ALERT_GROUPINGS) {
      const of = await valid<Groups>(`/alerts/groups?by=${by}`);
      for (const { filter, count } of of.groups) {
        assert.equal((await valid<{ total: number }>(`/alerts?filter=${encodeURIComponent(filter)}`)).total, count, `${by}: ${filter}`);
      }
      assert.equal(
        of.groups.reduce((sum, { count }) => sum + count, 0),
        2,
        by,
      );
    }
    for (const wrong of ['by=nonsense', '', 'by=script&state=odd', 'by=script&limit=0', 'by=script&sort=colour']) {
      const refused = await admin.ask(`${API}/alerts/groups?${wrong}`);
      assert.deepEqual([refused.status, refused.json<{ code: string }>().code], [400, 'wrong-parameter'], wrong);
    }
    assert.equal((await admin.ask(`${API}/alerts/groups?by=script&filter=(`)).json<{ code: string }>().code, 'wrong-filter');
    const [first] = alerts;
    assert.ok(first !== undefined);
    await valid(`/alerts/${first.id}`);
    const change = { action: 'acknowledge', ids: [first.id], comment: 'known' };
    assert.deepEqual(await valid('/alerts/actions', 'post', change), { changed: 1, complete: true });
    const known = await valid<{ state: string; by: string; comment: string }>(`/alerts/${first.id}`);
    assert.deepEqual([known.state, known.by, known.comment], ['acknowledged', 'admin', 'known']);
    assert.equal((await valid<{ total: number }>('/alerts?state=acknowledged,closed')).total, 1);
    assert.deepEqual(await valid('/alerts/actions', 'post', { action: 'close', filter: 'script == beacon' }), {
      changed: 2,
      complete: true,
    });
    assert.equal((await valid<{ total: number }>('/alerts?state=new')).total, 0);
    const flow = await valid<{ alerts: { id: string }[] }>(`/flows/${String(first.flow['flow.id'])}`);
    assert.deepEqual(
      flow.alerts.map(({ id }) => id),
      [first.id],
    );
    for (const body of [{ action: 'close' }, { action: 'close', ids: [], filter: '' }]) {
      assert.equal((await admin.ask(`${API}/alerts/actions`, { method: 'POST', ...json(body) })).status, 422);
    }
    assert.equal((await admin.ask(`${API}/alerts?state=odd`)).status, 400);
    assert.equal((await admin.ask(`${API}/alerts?filter=nonsense%20%3D%3D%201`)).json<{ code: string }>().code, 'wrong-filter');
  });

  test('exclusions: from an alert, previewed, added, changed, taken away', async () => {
    const { alerts } = await valid<{ alerts: { id: string }[] }>('/alerts?limit=1');
    const { suggestions } = await valid<{ suggestions: { filter: string }[] }>(`/alerts/${alerts[0]?.id}/exclusion`);
    const [line] = suggestions;
    assert.ok(line !== undefined);
    const seen = await valid<{ matched: number }>('/exclusions/preview', 'post', { line: line.filter, from: 0, to: 2e15 });
    assert.ok(seen.matched >= 1);
    const made = await valid<{ id: number; owner: string }>('/exclusions', 'post', { filter: line.filter, comment: 'ours' });
    assert.equal(made.owner, 'admin');
    await valid(`/exclusions/${made.id}`, 'put', { filter: line.filter, comment: 'still ours', expires: 2e15 });
    assert.equal((await valid<{ exclusions: unknown[] }>('/exclusions')).exclusions.length, 1);
    await valid(`/exclusions/${made.id}`, 'delete');
    assert.equal((await admin.ask(`${API}/exclusions/${made.id}`, { method: 'DELETE' })).status, 404);
    assert.equal((await admin.ask(`${API}/exclusions`, { method: 'POST', ...json({ filter: '' }) })).status, 422);
  });

  test('notifications: kinds, added without showing its secret, changed, tested, taken away', async () => {
    const { kinds } = await valid<{ kinds: { kind: string }[] }>('/notifications');
    assert.ok(kinds.some(({ kind }) => kind === 'webhook'));
    const settings = { url: 'http://127.0.0.1:1/', secret: 'hush hush' };
    const made = await valid<{ id: number }>('/notifications', 'post', { name: 'hook', kind: 'webhook', settings });
    const listed = JSON.stringify(await valid('/notifications')) + JSON.stringify(server.auditLog.entries(10, undefined));
    assert.ok(!listed.includes('hush'));
    await valid(`/notifications/${made.id}`, 'put', { enabled: false, filter: 'severity >= error' });
    const outcome = await valid<{ delivered: boolean; error: string }>(`/notifications/${made.id}/test`, 'post', {});
    assert.equal(outcome.delivered, false);
    await valid(`/notifications/${made.id}`, 'delete');
    assert.equal(
      (await admin.ask(`${API}/notifications`, { method: 'POST', ...json({ name: 'x', kind: 'webhook', settings: {} }) })).status,
      422,
    );
  });

  test('dead letters: listed, sent again, thrown away', async (t) => {
    const receiver = await httpServer(t);
    receiver.answer = (response) => void response.writeHead(400).end('no');
    const made = await valid<{ id: number }>('/notifications', 'post', { name: 'deaf', kind: 'webhook', settings: { url: receiver.url } });
    const letters = async (): Promise<{ id: number; endpoint: number }[]> =>
      (await valid<{ letters: { id: number; endpoint: number }[] }>(`/dead-letters?notification=${made.id}&limit=10`)).letters;
    const [alert] = (await valid<{ alerts: Alert[] }>('/alerts?limit=1')).alerts as [Alert];
    server.parts.notifier?.tell([{ type: 'new', alert }]);
    while ((await letters()).length === 0);
    const letter = (await letters())[0] as { id: number };
    assert.equal((await valid<{ alerts: number }>(`/dead-letters/${letter.id}/retry`, 'post')).alerts, 1);
    while ((await letters()).length === 0);
    const again = (await letters())[0] as { id: number };
    assert.notEqual(again.id, letter.id);
    await valid(`/dead-letters/${again.id}`, 'delete');
    assert.deepEqual(await letters(), []);
    assert.equal((await admin.ask(`${API}/dead-letters/${again.id}`, { method: 'DELETE' })).status, 404);
    assert.deepEqual(await valid('/dead-letters/actions', 'post', { action: 'discard', ids: [again.id] }), { alerts: 0, discarded: 0 });
    await valid(`/notifications/${made.id}`, 'delete');
  });

  test('scripts, traces, preferences, users, tokens, audit, session', async () => {
    await valid('/scripts');
    await valid('/scripts/beacon');
    await valid('/scripts/beacon/switch', 'put', { state: 'shadow' });
    await valid('/explain');
    await valid('/explain?flow=x');
    await valid('/explain/filter');
    await valid('/explain/filter', 'put', { filter: 'srv.port = 22' });
    await valid('/preferences');
    await valid('/preferences/flow_max_idle', 'put', { value: 61 });
    await valid('/preferences/flow_max_idle');
    await valid('/preferences/flow_max_idle', 'delete');
    await valid('/users');
    await valid('/users', 'post', { name: 'anna', password: 'ten letters', role: 'viewer' });
    await valid('/users/anna', 'put', { role: 'operator' });
    await valid('/users/anna', 'delete');
    const { token } = await valid<{ token: { id: string } }>('/tokens', 'post', { name: 'x', role: 'viewer', expires: 2e12 });
    await valid('/tokens');
    await valid(`/tokens/${token.id}`, 'delete');
    await valid('/audit?limit=5');
    await valid('/session');
  });
});
