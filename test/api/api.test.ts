/** The programming interface: each resource asked directly, and its problems. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileAlertFilter, MEMBERS } from '../../src/alerts/filter.ts';
import { createApi } from '../../src/api/app.ts';
import { PROBLEMS, type ProblemBody, type ProblemCode } from '../../src/api/problems.ts';
import type { FlowList } from '../../src/api/rows.ts';
import { compileFilter, FilterError, filterFields } from '../../src/filter/filter.ts';
import { NO_NAMES } from '../../src/filter/objects.ts';
import { FIELDS } from '../../src/flows/fields.ts';
import type { ListStatus } from '../../src/hosts/lists/store.ts';
import { PREFERENCE_NAMES } from '../../src/preferences.ts';
import { compileRowFilter } from '../../src/store/row-filter.ts';
import { asAdmin, dependencies, type Flows, flowsOf, hostsOver, QUIET, queryOver, SNAPSHOT, type Wanted } from './support.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
}

const asks =
  (wanted: Wanted = {}) =>
  async (path: string, init?: RequestInit): Promise<Answer> => {
    const answer = await createApi(dependencies(wanted), asAdmin).request(`/api/v1${path}`, init);
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', body: await answer.json() };
  };

const ok = async (answer: Promise<Answer>): Promise<unknown> => {
  const { status, body } = await answer;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

async function problem(answer: Promise<Answer>, code: ProblemCode): Promise<ProblemBody> {
  const { status, type, body } = await answer;
  const found = body as ProblemBody;
  assert.equal(found.code, code, JSON.stringify(body));
  assert.equal(type, 'application/problem+json');
  assert.deepEqual([status, found.status, found.title], [PROBLEMS[code].status, PROBLEMS[code].status, PROBLEMS[code].title]);
  assert.equal(found.type, `urn:flowpatrol:problem:${code}`);
  assert.ok(found.detail.length > 0);
  return found;
}

test('status: small, with rates to be made of it', async () => {
  assert.deepEqual(await ok(asks()('/status')), {
    version: '1.2.3',
    started: '2024-01-01T00:00:00.000Z',
    uptime: 12.5,
    interfaces: [
      {
        ...{ id: 0, name: 'eth0', kind: 'packet', state: 'running', clock: 1e15 },
        ...{ packets: 10, bytes: 2000, flows: 4, activeFlows: 3, alerts: 1, losses: 2 },
      },
    ],
    losses: [{ interface: 'eth0', name: 'drops.kernel', help: 'packets the kernel dropped', value: 2 }],
  });
});

test('interfaces, scripts and lists are what the patrol says', async () => {
  assert.deepEqual(await ok(asks()('/interfaces')), { interfaces: SNAPSHOT.interfaces });
  assert.deepEqual(await ok(asks()('/scripts')), { scripts: [] });
  const list: ListStatus = {
    ...{ name: 'bad', category: 100, format: 'auto' as const, source: '/bad', entries: 3, rejected: 0, firstRejected: '' },
    ...{ lastUpdate: 1, lastError: '', errors: 0 },
  };
  assert.deepEqual(await ok(asks({ listStatus: () => [list] })('/lists')), { lists: [list] });
});

describe('flows', () => {
  const flows = flowsOf('demo.pcap');
  const ask = asks({ queryFlows: queryOver([flows]) });
  const list = async (query: string): Promise<FlowList> => (await ok(ask(`/flows${query}`))) as FlowList;

  test('all of them, the largest first, with all fields that they have', async () => {
    const { matched, total, flows: rows, bytes, packets, interfaces } = await list('');
    assert.equal(total, flows.events.length);
    assert.equal(matched, total);
    assert.equal(rows.length, Math.min(100, total));
    const sizes = rows.map((row) => row.bytes as number);
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    );
    assert.ok(bytes >= sizes.reduce((sum, size) => sum + size, 0) && packets > 0);
    assert.deepEqual(interfaces, [{ name: 'test', matched: total, total }]);
    const always = FIELDS.filter((field) => field.when === undefined).map((field) => field.key);
    for (const row of rows) for (const key of always) assert.ok(key in row, key);
    assert.equal(rows[0]?.interface, 'test');
  });

  test('filter, sort, order, limit and fields', async () => {
    const dns = await list('?filter=port%20%3D%3D%2053&sort=cli.port&order=asc&limit=2&fields=cli.port,proto.ndpi');
    assert.ok(dns.matched >= 2 && dns.matched < dns.total);
    assert.deepEqual(Object.keys(dns.flows[0] as object), ['interface', 'cli.port', 'proto.ndpi']);
    assert.equal(dns.flows.length, 2);
    assert.ok((dns.flows[0]?.['cli.port'] as number) < (dns.flows[1]?.['cli.port'] as number));
    // short names of the filter language, in any case
    assert.deepEqual(Object.keys((await list('?fields=Client,SENT,status')).flows[0] as object), [
      'interface',
      'cli.ip',
      'cli2srv.bytes',
      'flow.status',
    ]);
  });

  test('several interfaces are one list', async () => {
    const both = (await ok(asks({ queryFlows: queryOver([flows, flows]) })('/flows?limit=3'))) as FlowList;
    assert.equal(both.total, 2 * flows.events.length);
    assert.equal(both.flows.length, 3);
    assert.equal(both.flows[0]?.bytes, both.flows[1]?.bytes);
  });

  test('one interface of several', async () => {
    const other: Flows = { events: flows.events.slice(0, 3), names: { ...flows.names, interfaceName: 'eth 1' } };
    const several = asks({ queryFlows: queryOver([flows, other]), queryHosts: hostsOver([flows, other]) });
    const { total, matched, interfaces, flows: rows } = (await ok(several('/flows?interface=eth%201'))) as FlowList;
    assert.deepEqual([total, matched, interfaces], [3, 3, [{ name: 'eth 1', matched: 3, total: 3 }]]);
    assert.ok(rows.length === 3 && rows.every((row) => row.interface === 'eth 1'));
    assert.equal(((await ok(several('/flows?interface=eth2'))) as FlowList).total, 0);
    const { hosts } = (await ok(several('/hosts?interface=eth%201'))) as { hosts: { interface: string; flows: number }[] };
    assert.ok(hosts.every((host) => host.interface === 'eth 1'));
    assert.equal(
      hosts.reduce((sum, host) => sum + host.flows, 0),
      6,
    );
  });

  test('problems', async () => {
    const filter = await problem(ask('/flows?filter=port%20%3D%3D%2053%20and%20byts%20%3E%201'), 'wrong-filter');
    assert.deepEqual([filter.reason, filter.position, filter.length, filter.hint], ['unknown-field', 15, 4, 'did you mean "bytes"?']);
    await problem(ask('/flows?filter=('), 'wrong-filter');
    await problem(asks()('/flows?filter=('), 'wrong-filter'); // also without an interface that would find it out
    assert.equal((await problem(ask('/flows?sort=byte'), 'unknown-field')).hint, 'did you mean bytes?');
    await problem(ask('/flows?sort=tos'), 'wrong-parameter');
    await problem(ask('/flows?fields=bytes,nonsense'), 'unknown-field');
    await problem(ask('/flows?order=up'), 'wrong-parameter');
    for (const limit of ['0', '-1', '10001', '1e3', 'all']) await problem(ask(`/flows?limit=${limit}`), 'wrong-parameter');
    assert.equal((await problem(ask('/flows?filtr=x'), 'wrong-parameter')).hint, 'did you mean filter?');
  });

  test('a mistake of ours is logged, and said', async () => {
    const logged: string[] = [];
    const broken = asks({
      queryFlows: async () => {
        throw new Error('the thread is gone');
      },
      log: { ...QUIET, error: (_, message) => logged.push(message) },
    });
    assert.equal((await problem(broken('/flows'), 'internal')).detail, 'the thread is gone');
    assert.deepEqual(logged, ['the programming interface failed: the thread is gone']);
  });
});

test('declarations: every name that a filter may use, with operators that it takes', async () => {
  interface Declared {
    readonly filterNames: readonly { name: string; type: string; doc: string; of: string[] }[];
    readonly filterOperators: Readonly<Record<string, readonly string[]>>;
  }
  const { filterNames, filterOperators } = (await ok(asks()('/fields'))) as Declared;
  const accepts = (work: () => unknown): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof FilterError && !['unknown-field', 'wrong-operator'].includes(error.code)) return true;
      return false;
    }
  };
  const compile: Readonly<Record<string, (text: string) => unknown>> = {
    ...{ flows: (text) => compileFilter(text, NO_NAMES), history: (text) => compileRowFilter(text), alerts: compileAlertFilter },
  };
  for (const { name, type, doc, of } of filterNames) {
    assert.ok(doc !== '' && of.length > 0, name);
    const operators = filterOperators[type];
    assert.ok(operators !== undefined, `${name}: ${type}`);
    for (const filter of of) {
      const lines = [name, ...operators.map((operator) => `${name} ${operator} ${operator === 'in' ? '{1}' : '1'}`)];
      for (const line of lines)
        assert.ok(
          accepts(() => compile[filter]?.(line)),
          `${filter}: ${line}`,
        );
    }
  }
  for (const filter of Object.keys(compile)) {
    const names = filterNames.flatMap(({ name, of }) => (of.includes(filter) ? [name] : []));
    assert.equal(new Set(names).size, names.length, filter);
    for (const { name } of filterFields()) assert.ok(names.includes(name), `${filter}: ${name}`);
  }
  const ofAlerts = filterNames.filter(({ of }) => of.includes('alerts')).map(({ name }) => name);
  for (const { name } of MEMBERS) assert.ok(ofAlerts.includes(name), name);
});

describe('preferences', () => {
  const put = (value: unknown): RequestInit => ({ method: 'PUT', body: JSON.stringify({ value }) });

  test('all, each with where it comes from', async () => {
    const { preferences } = (await ok(asks({ commandLine: { flow_max_idle: 30 } })('/preferences'))) as { preferences: unknown[] };
    assert.equal(preferences.length, PREFERENCE_NAMES.length);
    assert.deepEqual(preferences[1], {
      ...{ name: 'flow_max_idle', group: 'visits', type: 'int', value: 30, origin: 'command line', default: 60 },
      ...{ range: { from: 1, to: 3600 }, unit: 's', doc: 'silence after which a flow is over' },
    });
  });

  test('set, get, reset; the patrol is told', async () => {
    const changes: unknown[] = [];
    const api = createApi(dependencies({ changed: (values) => changes.push(values) }), asAdmin);
    const path = '/api/v1/preferences/elephant_flow_local_to_remote_bytes';
    for (const given of [2048, '2K']) assert.equal((await api.request(path, put(given))).status, 200);
    const { value, origin } = (await (await api.request(path)).json()) as { value: number; origin: string };
    assert.deepEqual([value, origin], [2048, 'stored']);
    assert.equal((await api.request(path, { method: 'DELETE' })).status, 200);
    assert.deepEqual(changes, [{ elephant_flow_local_to_remote_bytes: 2048 }, { elephant_flow_local_to_remote_bytes: 2 ** 30 }]);
  });

  test('problems', async () => {
    const ask = asks();
    assert.equal((await problem(ask('/preferences/flow_max_idel'), 'unknown-preference')).hint, 'did you mean flow_max_idle?');
    await problem(ask('/preferences/constructor', put(1)), 'unknown-preference');
    const value = await problem(ask('/preferences/flow_max_idle', put(0)), 'wrong-value');
    assert.equal(value.detail, "flow_max_idle: '0' is not a whole number from 1 to 3600 (s)");
    for (const body of ['', '5', '{}', '{"value":null}', '{"value":[1]}']) {
      await problem(ask('/preferences/flow_max_idle', { method: 'PUT', body }), 'wrong-body');
    }
    await problem(ask('/preferences/flow_max_idle', { method: 'PUT', body: 'x'.repeat(70_000) }), 'body-too-large');
  });
});

test('what is not there', async () => {
  await problem(asks()('/flow'), 'not-found');
  await problem(asks()('/status', { method: 'POST' }), 'not-found');
  const outside = await createApi(dependencies(), asAdmin).request('/elsewhere');
  assert.equal(outside.status, 404);
});
