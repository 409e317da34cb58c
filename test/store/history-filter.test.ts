/** A filter finds the same flows everywhere: live (compileFilter), in rows in memory, in columns; and the same alerts. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Alert, SEVERITIES } from '../../src/alerts/alert.ts';
import { compileAlertFilter } from '../../src/alerts/filter.ts';
import { compileFilter, filterFields } from '../../src/filter/filter.ts';
import { R_ANSWER } from '../../src/flows/record.ts';
import { type DuckHistory, openDuckHistory } from '../../src/store/duckdb/history.ts';
import { compileRowFilter } from '../../src/store/row-filter.ts';
import { FLOWS, NAMES_OF_FLOWS, viewOf } from '../filter/flows.ts';
import type { EventOf } from '../support/events.ts';
import { alertOf, entry, everything, rowOf } from './history-data.ts';

// flows: few values each, so that filters hit

const four = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.1.0.1', '192.168.0.7', '255.255.255.255', '0.0.0.0');
const six = fc.constantFrom(
  '2001:db8::1',
  '2001:db8:0:1::1',
  'fe80::1',
  '::1',
  '::ffff:10.0.0.1',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
);
const mac = fc.constantFrom('00:11:22:33:44:55', 'ff:ff:ff:ff:ff:ff', '80:00:00:00:00:00');
const port = fc.constantFrom(0, 53, 80, 443, 8080, 65_535);
const HOSTS = ['www.example.org', 'Example.ORG', 'a.b', 'MÜNCHEN.example', 'x y \'z\' "w" \\v %_', 'two\nlines', ''];

const flow: fc.Arbitrary<EventOf> = fc
  .record({
    ends: fc.oneof(fc.tuple(four, four), fc.tuple(six, six)),
    clientPort: port,
    serverPort: port,
    macs: fc.tuple(mac, mac),
    l4: fc.constantFrom(1, 6, 17, 58, 99),
    vlan: fc.constantFrom(0, 7),
    application: fc.option(fc.constantFrom('TLS', 'DNS', 'HTTP', 'Google', 'Unknown'), { nil: undefined }),
    master: fc.constantFrom('Unknown', 'TLS', 'HTTP'),
    category: fc.constantFrom('Unspecified', 'Web', 'VPN'),
    breed: fc.constantFrom('Safe', 'Tracker/Ads'),
    host: fc.option(fc.constantFrom(...HOSTS), { nil: undefined }),
    status: fc.constantFrom(0, 2 ** 6, 2 ** 13, 2 ** 13 + 2 ** 10, 2 ** 40, 2 ** 31),
    risks: fc.subarray([6, 31, 35]),
    first: fc.integer({ min: 0, max: 4000 }),
    length: fc.integer({ min: 0, max: 4000 }),
    bytes: fc.constantFrom(0, 60, 1024, 10_240, 65_000),
    answer: fc.constantFrom(0, 1, 250_001, 2_000_001),
    networks: fc.tuple(fc.constantFrom(-1, 0, 1), fc.constantFrom(-1, 0)),
  })
  .map(({ ends, macs, networks, application, master, category, breed, risks, first, length, bytes, host, answer, ...same }) => ({
    ...same,
    client: ends[0],
    server: ends[1],
    clientMac: macs[0],
    serverMac: macs[1],
    clientNetwork: networks[0],
    serverNetwork: networks[1],
    first: first * 1e6,
    last: (first + length) * 1e6,
    cli2srv: { lengths: bytes === 0 ? [] : [bytes] },
    record: { u32: { [R_ANSWER]: answer } },
    ...(application === undefined
      ? {}
      : { application, master, category, breed, risks, ...(host === undefined ? {} : { details: { host_server_name: host } }) }),
  }));

// filters: fields with values that fit them

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
const leaf = (fields: readonly string[], operators: readonly string[], values: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...fields), fc.constantFrom(...operators), fc.constantFrom(...values))
    .map(([field, operator, value]) => `${field} ${operator} ${quoted(value)}`);
const list = (fields: readonly string[], items: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...fields), fc.constantFrom('in', 'not in'), fc.array(fc.constantFrom(...items), { minLength: 1, maxLength: 4 }))
    .map(([field, operator, of]) => `${field} ${operator} {${of.join(', ')}}`);

const EQUAL = ['==', '!='];
const ORDER = [...EQUAL, '<', '<=', '>', '>='];
const PATTERNS = ['^www', 'e.*e$', '(a|x)[. ]', 'ü', '^$', '\\w', '\\.', "'", 'o.l', '[[:upper:]]$', 'é|org'];
const texts = (fields: readonly string[], values: readonly string[]): fc.Arbitrary<string>[] => [
  leaf(fields, [...EQUAL, 'contains', 'not contains'], values),
  leaf(fields, ['matches', 'not matches'], PATTERNS),
  list(fields, values.map(quoted)),
];
const NETWORKS = [
  '10.0.0.0/8',
  '10.0.0.1/31',
  '0.0.0.0/0',
  '10.0.0.1',
  '2001:db8::/64',
  '::/0',
  '2001:DB8:0:1::0001',
  'fe80::1/128',
  '::ffff:10.0.0.1',
];

const fieldLeaves: fc.Arbitrary<string>[] = [
  leaf(['port', 'cli.port', 'bytes', 'vlan', 'cli.vlan', 'icmp.type', 'srv2cli.tcp_flags', 'throughput'], ORDER, [
    '0',
    '53',
    '1K',
    '60',
    '-1',
    '1.5',
    '0x50',
    '2G',
  ]),
  list(['port', 'bytes', 'srv.port', 'ICMP.code'], ['0', '53..80', '1K', '60..10K', '0.5..1.5']),
  leaf(['duration', 'tcp.appl_latency'], ORDER, ['0', '10', '250ms', '2s', '5m', '1h', '250', '2000']),
  leaf(['first', 'seen.last'], ORDER, ['0', '1000', '1970-01-01', '1970-01-01T00:20:00Z']),
  leaf(['ip', 'client', 'srv.ip'], EQUAL, NETWORKS),
  list(['ip', 'cli.ip', 'server'], [...NETWORKS, '10.0.0.0..10.0.255.7', '2001:db8::..2001:db8:0:1::2']),
  leaf(['mac', 'srv.mac'], EQUAL, ['00-11-22-33-44-55', 'ffff.ffff.ffff']),
  leaf(['mac', 'cli.mac'], ['matches', 'contains'], ['^00:11', '44', 'FF']),
  list(['mac'], ['00:11:22:00:00:00..00:11:22:ff:ff:ff', '80:00:00:00:00:00']),
  ...texts(
    ['host_server_name', 'HOST_SERVER_NAME', 'info', 'srv.network', 'flow.id'],
    [...HOSTS, 'EXAMPLE', 'münchen.EXAMPLE', '10.0.0.0/8', 'k3x9-0-5'],
  ),
  ...texts(['proto', 'l7'], ['TLS', 'google', 'TLS.Google', 'http.tls', 'http', 'unknown']),
  ...texts(['l4'], ['tcp', '6', '17', 'IPv6-ICMP', '99']),
  ...texts(['category', 'breed'], ['web', 'VPN', 'safe']).slice(1, 2),
  ...texts(['category'], ['web', 'VPN', 'Unspecified']),
  ...texts(['status'], ['blacklisted', 'normal', '0', '13', 'TCP Connection Issues', '40', '31', '8']),
  leaf(['risk', 'flow_risk'], [...EQUAL, 'in', 'not in'], ['self-signed cert', '6', '31', 'Risk 31', '35', 'clear-text credentials']),
  leaf(['risk'], ['contains', 'matches'], ['self', '^clear', 'risk', 'e', '3', '^6']),
  leaf(['tcp_reset', 'flow.idle', 'cli.private'], EQUAL, ['true', 'no']),
  fc.constantFrom(
    'vlan',
    'cli.vlan',
    'host_server_name',
    'icmp',
    'status',
    'risk',
    'tcp_reset',
    'proto',
    'ip',
    'info',
    'mac',
    'tos',
    'tos.client.DSCP',
  ),
];

const treeOf = (leaves: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(...leaves),
      tie('node').map((of) => `not (${of})`),
      fc
        .tuple(fc.constantFrom('and', 'or'), fc.array(tie('node'), { minLength: 2, maxLength: 3 }))
        .map(([word, parts]) => parts.map((part) => `(${part})`).join(` ${word} `)),
    ),
  })).node;

const SEED = 20_240_101;
const EVENTS: readonly EventOf[] = [...Object.values(FLOWS), ...fc.sample(flow, { numRuns: 250, seed: SEED })].map((of, i) => ({
  ...of,
  seq: i + 1,
}));
const VIEWS = EVENTS.map((of) => viewOf(of));
const ROWS = VIEWS.map(rowOf);
const ENTRIES = EVENTS.map((of, i) => entry(of, { ended: i % 3 > 0 }));

describe('filters', () => {
  let directory: string;
  let history: DuckHistory;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'history-filter-'));
    history = await openDuckHistory({ directory, lingerMs: 0, names: NAMES_OF_FLOWS });
    await history.appendFlows(ENTRIES);
    await history.putAlerts(ALERTS);
  });
  after(async () => {
    await history.close();
    await rm(directory, { recursive: true });
  });

  async function sameFlows(filter: string): Promise<void> {
    const live = compileFilter(filter, NAMES_OF_FLOWS);
    const inMemory = compileRowFilter(filter, NAMES_OF_FLOWS);
    const expected = VIEWS.filter((view) => live.matches(view)).map((view) => view.flowId());
    assert.deepEqual(
      ROWS.filter(inMemory).map((row) => row['flow.id']),
      expected,
      `in memory: ${filter}`,
    );
    // by sums, which read nothing of the rows but the id
    const found = await history.top({ filter, by: 'flow.id', of: 'flows', limit: 10_000 });
    assert.deepEqual(
      found.map(({ value }) => value),
      expected.toSorted(),
      `in columns: ${filter}`,
    );
  }

  test('random filters find the same flows', async () => {
    await fc.assert(fc.asyncProperty(treeOf(fieldLeaves), sameFlows), {
      numRuns: 250,
      ...(process.env.FLOWPATROL_LONG === undefined ? { seed: SEED } : {}),
    });
  });

  test('every name that a filter may use can be asked', async () => {
    const VALUES: Readonly<Record<string, string>> = {
      number: '> 1',
      text: 'contains "e"',
      bool: '== true',
      address: '== 10.0.0.0/8',
      mac: 'matches "1"',
      name: 'contains "t"',
      bits: 'contains "e"',
    };
    for (const { name, kind } of filterFields()) {
      await sameFlows(name);
      if (VALUES[kind] !== undefined) await sameFlows(`${name} ${VALUES[kind]}`);
    }
    for (const filter of ['icmp.unreach.src_ip', 'icmp.unreach.src_port > 1', 'TOS.client.dscp == 0']) await sameFlows(filter);
  });

  const ALERTS: readonly Alert[] = ENTRIES.map(({ flow: row }, i) =>
    alertOf(`a${String(i).padStart(4, '0')}`, {
      flow: row,
      severity: SEVERITIES[i % SEVERITIES.length] as Alert['severity'],
      score: (i * 37) % 300,
      script: i % 2 === 0 ? 'low_goodput' : 'Blacklisted Hosts',
      callback: i % 5 === 0 ? '' : 'statusChanged',
      shadow: i % 7 === 0,
      secondary: i % 4 === 0,
      state: i % 3 === 0 ? 'new' : 'closed',
      by: i % 3 === 0 ? '' : 'ann',
      count: i,
    }),
  );

  const alertLeaves = [
    ...texts(
      ['script', 'type', 'callback', 'interface', 'id', 'title', 'state', 'by', 'description'],
      ['low_goodput', 'ETH0', 'ann', 'closed', 'blacklisted hosts', ''],
    ),
    ...texts(['host', 'domain'], ['example.org', '*.Example.org', '.b', 'www.example.org', '10.0.0.1', 'ample.org']),
    ...texts(['direction'], ['outgoing', 'internal', 'remote to local', 'external']),
    leaf(['severity'], ORDER, ['info', 'Warning', 'critical']),
    leaf(['severity'], ['contains', 'matches'], ['err', 'r$']),
    list(['severity'], ['error', 'alert']),
    leaf(['score', 'count'], ORDER, ['0', '37', '100']),
    list(['score'], ['0..50', '111']),
    leaf(['shadow', 'secondary'], EQUAL, ['true', 'no']),
    fc.constantFrom('shadow', 'by', 'callback', 'severity', 'host', 'domain', 'count'),
    ...fieldLeaves,
  ];

  test('random filters find the same alerts', async () => {
    const sameAlerts = async (filter: string): Promise<void> => {
      const { matches } = compileAlertFilter(filter);
      const { rows } = await history.alerts({ ...everything, filter, sort: 'id' });
      assert.deepEqual(
        rows.map(({ id }) => id),
        ALERTS.filter(matches).map(({ id }) => id),
        filter,
      );
    };
    await fc.assert(fc.asyncProperty(treeOf(alertLeaves), sameAlerts), {
      numRuns: 250,
      ...(process.env.FLOWPATROL_LONG === undefined ? { seed: SEED } : {}),
    });
  });
});
