/** What holds for all filters: an obvious interpreter agrees, canonical text keeps the meaning, nothing but FilterError is thrown. */
import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { FilterNode, Range } from '../../src/filter/ast.ts';
import { compileFilter, FilterError, filterFields, formatFilter, parseFilter } from '../../src/filter/filter.ts';
import { properText } from '../../src/flows/export.ts';
import { type FieldTable, type FieldValue, fieldByKey } from '../../src/flows/fields.ts';
import { R_ANSWER } from '../../src/flows/record.ts';
import { STATUSES } from '../../src/flows/statuses.ts';
import type { EventView } from '../../src/flows/view.ts';
import type { EventOf } from '../support/events.ts';
import { NAMES_OF_FLOWS, viewOf } from './flows.ts';

// flows: few values each, so that filters hit

const address4 = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.1.0.1', '192.168.0.7', '255.255.255.255', '0.0.0.0');
const address6 = fc.constantFrom(
  '2001:db8::1',
  '2001:db8::2',
  '2001:db8:0:1::1',
  'fe80::1',
  '::1',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
);
const mac = fc.constantFrom('00:11:22:33:44:55', 'ff:ff:ff:ff:ff:ff', '00:11:22:33:44:56', '80:00:00:00:00:00');
const port = fc.constantFrom(0, 53, 80, 443, 1024, 8080, 65_535);
const host = fc.constantFrom('www.example.org', 'Example.ORG', 'a.b', 'and', 'münchen.example', 'x y "z" \\w', '');
const seconds = fc.integer({ min: 0, max: 4000 });

const flow: fc.Arbitrary<EventOf> = fc
  .record({
    ends: fc.oneof(fc.tuple(address4, address4), fc.tuple(address6, address6)),
    clientPort: port,
    serverPort: port,
    macs: fc.tuple(mac, mac),
    l4: fc.constantFrom(1, 6, 17, 58, 99),
    vlan: fc.constantFrom(0, 7),
    application: fc.option(fc.constantFrom('TLS', 'DNS', 'HTTP', 'Google', 'Unknown'), { nil: undefined }),
    master: fc.constantFrom('Unknown', 'TLS', 'HTTP'),
    category: fc.constantFrom('Unspecified', 'Web', 'VPN'),
    host: fc.option(host, { nil: undefined }),
    status: fc.constantFrom(0, 2 ** 6, 2 ** 13, 2 ** 13 + 2 ** 10, 2 ** 40, 2 ** 31),
    risks: fc.subarray([6, 31, 35]),
    first: seconds,
    length: seconds,
    bytes: fc.constantFrom(0, 60, 1024, 10_240, 65_000),
    answer: fc.constantFrom(0, 1, 250_001, 2_000_001),
  })
  .map(
    ({
      ends: [client, server],
      macs: [clientMac, serverMac],
      application,
      master,
      category,
      risks,
      first,
      length,
      bytes,
      host,
      answer,
      ...same
    }) => ({
      ...same,
      client,
      server,
      clientMac,
      serverMac,
      first: first * 1e6,
      last: (first + length) * 1e6,
      cli2srv: { lengths: bytes === 0 ? [] : [bytes] },
      record: { u32: { [R_ANSWER]: answer } },
      ...(application === undefined
        ? {}
        : { application, master, category, risks, ...(host === undefined ? {} : { details: { host_server_name: host } }) }),
    }),
  );

// filters: fields with values that fit them

type Item = string | Range;
const range = <T>(value: fc.Arbitrary<T>, order: (a: T, b: T) => number): fc.Arbitrary<Range> =>
  fc.tuple(value, value).map((both) => {
    const [from, to] = both.sort(order);
    return { from: String(from), to: String(to) };
  });
const numbers = fc.constantFrom('0', '53', '80', '443', '8080', '1K', '10k', '60', '6', '-1', '1.5', '0x50', '2G');
const spans = fc.constantFrom('0', '10', '250ms', '2s', '5m', '1h', '1d', '250', '2000');
const moments = fc.constantFrom('0', '1000', '1970-01-01', '1970-01-01T00:20:00Z');
const texts = fc.constantFrom('www.example.org', 'EXAMPLE', 'a.b', 'and', 'MÜNCHEN.example', 'x y "z" \\w', '', 'a..b');
const patterns = fc.constantFrom('^www', 'e.*e$', '(a|x)[. ]', 'Ü', '^$', '\\w');
const addresses = fc.oneof(
  address4,
  address6,
  fc.constantFrom(
    '10.0.0.0/8',
    '10.0.0.1/31',
    '0.0.0.0/0',
    '2001:db8::/64',
    '2001:DB8::/32',
    '::/0',
    'fe80::1/128',
    '2001:db8::/127',
    '10.0.0.2/32',
  ),
);

const membership = (field: string, item: fc.Arbitrary<Item>): fc.Arbitrary<FilterNode> =>
  fc.array(item, { minLength: 1, maxLength: 4 }).map((list) => ({ kind: 'in', field, list }));
const compare = (field: string, op: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<FilterNode> =>
  fc.record({ kind: fc.constant('compare'), field: fc.constant(field), op: fc.constantFrom(...op), value }) as fc.Arbitrary<FilterNode>;

const EQUAL = ['==', '!='];
const ORDER = [...EQUAL, '<', '<=', '>', '>='];
const textual = (field: string, value: fc.Arbitrary<string>): fc.Arbitrary<FilterNode>[] => [
  compare(field, [...EQUAL, 'contains'], value),
  compare(field, ['matches'], patterns),
  membership(field, value),
];
const ordered = (field: string, value: fc.Arbitrary<string>, between: fc.Arbitrary<Range>): fc.Arbitrary<FilterNode>[] => [
  compare(field, ORDER, value),
  membership(field, fc.oneof(value, between)),
];
const portRange = range(fc.integer({ min: 0, max: 65_535 }), (a, b) => a - b);
const range4 = range(fc.integer({ min: 0, max: 255 }), (a, b) => a - b).map(({ from, to }) => ({
  from: `10.0.0.${from}`,
  to: `10.0.${to}.${to}`,
}));

const leaf: fc.Arbitrary<FilterNode> = fc.oneof(
  ...['port', 'cli.port', 'bytes', 'vlan', 'cli.vlan', 'icmp.type', 'srv2cli.tcp_flags'].flatMap((field) =>
    ordered(field, numbers, portRange),
  ),
  ...['duration', 'tcp.appl_latency'].flatMap((field) => ordered(field, spans, portRange)),
  ...['first', 'seen.last'].flatMap((field) => ordered(field, moments, portRange)),
  ...['ip', 'client', 'srv.ip'].flatMap((field) => [compare(field, EQUAL, addresses), membership(field, fc.oneof(addresses, range4))]),
  ...['mac', 'srv.mac'].flatMap((field) => [compare(field, EQUAL, mac), membership(field, mac)]),
  ...['host', 'host_server_name', 'HOST_SERVER_NAME', 'info'].flatMap((field) => textual(field, texts)),
  ...textual('proto', fc.constantFrom('TLS', 'google', 'TLS.Google', 'Unknown', 'http.tls')),
  ...textual('l4', fc.constantFrom('tcp', '6', '17', 'IPv6-ICMP', '99')),
  ...textual('category', fc.constantFrom('web', 'VPN', 'Unspecified')),
  ...textual('status', fc.constantFrom('blacklisted', 'normal', '0', '13', 'TCP Connection Issues', '40', '31', '8')),
  ...textual('risk', fc.constantFrom('self-signed cert', '6', '31', 'Risk 31', '35', 'clear-text credentials')),
  ...['tcp_reset', 'flow.idle'].map((field) => compare(field, EQUAL, fc.constantFrom('true', 'no'))),
  ...['vlan', 'cli.vlan', 'host_server_name', 'icmp', 'status', 'risk', 'tcp_reset', 'host', 'proto', 'ip', 'info'].map((field) =>
    fc.constant<FilterNode>({ kind: 'has', field }),
  ),
);
const { node } = fc.letrec<{ node: FilterNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constant('not'), of: tie('node') }) as fc.Arbitrary<FilterNode>,
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      of: fc.array(tie('node'), { minLength: 2, maxLength: 4 }),
    }) as fc.Arbitrary<FilterNode>,
  ),
}));

// the interpreter: values as `info` shows them, one rule after the other

const KIND = new Map(filterFields().map((field) => [field.name.toLowerCase(), field]));
const lower = (text: string): string => properText(text).toLowerCase();

function valuesOf(field: string, view: EventView): FieldValue[] {
  const { keys, name } = KIND.get(field.toLowerCase()) ?? { keys: ['icmp'], name: field };
  const values = keys.map((key) => fieldByKey.get(key)?.read(view));
  const member = keys[0] !== undefined && name.startsWith(`${keys[0]}.`) ? name.slice(keys[0].length + 1) : undefined;
  return values
    .map((value) => (member === undefined ? value : (value as FieldTable | undefined)?.[member]))
    .filter((value) => value !== undefined);
}

function number(text: string): number {
  const factors: Record<string, number> = { k: 1024, g: 1024 ** 3 };
  const letter = text.at(-1)?.toLowerCase() as string;
  return factors[letter] === undefined ? Number(text) : Number(text.slice(0, -1)) * factors[letter];
}
function inUnit(text: string, unit: string | undefined): number {
  if (unit === 's since 1970') return text.includes('-') ? Date.parse(text) / 1000 : Number(text);
  const found = /^([\d.]+)(ms|s|m|h|d)$/.exec(text);
  if (unit === undefined || found === null) return number(text);
  const ms = Number(found[1]) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[found[2] as string] as number);
  return unit === 'ms' ? ms : ms / 1000;
}

function isInAddresses(value: string, item: Item): boolean {
  const list = new BlockList();
  const first = typeof item === 'string' ? item : item.from;
  const family = first.includes(':') ? 'ipv6' : 'ipv4';
  if (typeof item !== 'string') list.addRange(item.from, item.to, family);
  else if (item.includes('/')) list.addSubnet(item.split('/')[0] as string, Number(item.split('/')[1]), family);
  else list.addAddress(item, family);
  return value.includes(':') === (family === 'ipv6') && list.check(value, family);
}

/** The names of what the flow has; for `==` numbers are names too. */
function namesOf(field: string, view: EventView, withNumbers: boolean): string[] {
  const read = (key: string): FieldValue | undefined => fieldByKey.get(key)?.read(view);
  if (field === 'proto') return [read('proto.ndpi') as string, ...(read('proto.ndpi') as string).split('.')];
  if (field === 'l4') return [read('proto.l4') as string, String(read('proto.l4_id'))];
  if (field === 'category') return [read('proto.ndpi_cat') as string];
  if (field === 'risk')
    return Object.entries(view.risksLow() + view.risksHigh() === 0 ? {} : (read('flow_risk') as FieldTable)).flatMap(([text, id]) =>
      withNumbers ? [text, String(id)] : [text],
    );
  const bits = BigInt(view.status());
  const ids = Array.from({ length: 64 }, (_, id) => id).filter((id) => ((bits >> BigInt(id)) & 1n) === 1n);
  if (ids.length === 0) return withNumbers ? ['normal', '0'] : ['normal'];
  return ids.flatMap((id) => {
    const status = STATUSES.find((one) => one.id === id);
    return [
      ...(status === undefined ? [] : [status.name, status.name.slice('status_'.length), status.title]),
      ...(withNumbers ? [String(id)] : []),
    ];
  });
}

function holds(node: FilterNode, view: EventView): boolean {
  switch (node.kind) {
    case 'all':
      return true;
    case 'not':
      return !holds(node.of, view);
    case 'and':
      return node.of.every((part) => holds(part, view));
    case 'or':
      return node.of.some((part) => holds(part, view));
  }
  const kind = KIND.get(node.field.toLowerCase())?.kind ?? 'number';
  const isNamed = kind === 'name' || kind === 'bits';
  if (node.kind === 'has') {
    if (node.field === 'status') return view.status() !== 0;
    if (node.field === 'risk') return namesOf('risk', view, false).length > 0;
    return isNamed || valuesOf(node.field, view).some((value) => value !== false && value !== '');
  }
  if (node.kind === 'compare' && node.op === '!=') {
    const there = isNamed ? namesOf(node.field, view, true).length > 0 : valuesOf(node.field, view).length > 0;
    return there && !holds({ ...node, op: '==' }, view);
  }
  const op = node.kind === 'in' ? '==' : node.op;
  const items: readonly Item[] = node.kind === 'in' ? node.list : [node.value];
  const values = isNamed ? namesOf(node.field, view, op === '==') : valuesOf(node.field, view);
  return values.some((value) => items.some((item) => compares(node.field, isNamed ? 'text' : kind, value, op, item)));
}

function compares(field: string, kind: string, value: FieldValue, op: string, item: Item): boolean {
  const unit = KIND.get(field.toLowerCase())?.unit;
  if (kind === 'address') return isInAddresses(value as string, item);
  if (kind === 'number' || kind === 'any') {
    if (typeof item !== 'string') return (value as number) >= inUnit(item.from, unit) && (value as number) <= inUnit(item.to, unit);
    const [a, b] = [value as number, inUnit(item, unit)];
    return op === '==' ? a === b : op === '<' ? a < b : op === '<=' ? a <= b : op === '>' ? a > b : a >= b;
  }
  const text = lower(String(value));
  const wanted = item as string;
  if (kind === 'bool') return value === (wanted === 'true');
  if (op === 'contains') return text.includes(wanted.toLowerCase());
  return op === 'matches' ? new RegExp(wanted, 'iu').test(properText(String(value))) : text === wanted.toLowerCase();
}

describe('filters', () => {
  test('the compiled predicate is what a slow and obvious interpreter says', () => {
    fc.assert(
      fc.property(node, fc.array(flow, { minLength: 1, maxLength: 8 }), (filter, flows) => {
        const compiled = compileFilter(formatFilter(filter), NAMES_OF_FLOWS);
        for (const of of flows) {
          const view = viewOf(of);
          assert.equal(compiled.matches(view), holds(filter, view), formatFilter(filter));
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('canonical text means the same and stays as it is', () => {
    fc.assert(
      fc.property(node, (filter) => {
        const text = formatFilter(filter);
        const parsed = parseFilter(text); // flattened, where `and` stood in `and`
        assert.deepEqual(parseFilter(formatFilter(parsed)), parsed);
        assert.deepEqual(JSON.parse(JSON.stringify(parsed)), parsed);
        assert.equal(formatFilter(parsed), formatFilter(parseFilter(formatFilter(parsed))));
      }),
      { numRuns: 1000 },
    );
  });

  const pieces = fc.constantFrom(
    ...[
      'and',
      'or',
      'not',
      'in',
      'contains',
      'matches',
      '~',
      '!',
      '&&',
      '||',
      '(',
      ')',
      '{',
      '}',
      ',',
      '==',
      '!=',
      '<',
      '>=',
      '=',
      '..',
      '1..2',
      '10K',
    ],
    ...[
      'bytes',
      'ip',
      'host',
      'proto',
      'status',
      'tos.client',
      'icmp.x',
      '10.0.0.0/8',
      '::/0',
      '"a',
      "'x y'",
      '"\\"\\\\d"',
      '\\',
      '[',
      '&',
      '\u0000',
      'ü',
      ' ',
      'tls',
      '6',
    ],
    ...['__proto__', 'constructor', 'toString', 'icmp.__proto__', 'tos.constructor', '(a|b)*', '(?P<n>a)', '\\pL', '\\C', 'a{1000}'],
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(' ')),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  const orFilterError = <T>(run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      assert.ok(error.message !== '' && error.position >= 0 && error.length >= 0);
      return undefined;
    }
  };

  test('no text throws anything but FilterError, and every one that parses keeps its node', () => {
    const view = viewOf({ l4: 1, application: 'TLS', details: { host_server_name: 'a' } });
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = orFilterError(() => parseFilter(text));
        if (parsed !== undefined) assert.deepEqual(parseFilter(formatFilter(parsed)), parsed);
        assert.equal(typeof (orFilterError(() => compileFilter(text, NAMES_OF_FLOWS))?.matches(view) ?? false), 'boolean');
      }),
      { numRuns: 5000 },
    );
  });
});
