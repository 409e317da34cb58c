import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALIASES } from '../../src/filter/aliases.ts';
import { compileFilter, FilterError, type FilterErrorCode, filterFields } from '../../src/filter/filter.ts';
import { FIELDS } from '../../src/flows/fields.ts';
import { NAMES } from '../support/events.ts';
import { FLOW_NAMES, FLOWS, type FlowName, NAMES_OF_FLOWS, viewOf } from './flows.ts';

const found = (text: string): FlowName[] => {
  const filter = compileFilter(text, NAMES_OF_FLOWS);
  return FLOW_NAMES.filter((name) => filter.matches(viewOf(FLOWS[name])));
};

/** Filters, and the flows that they find. */
const cases = (rows: Readonly<Record<string, readonly FlowName[]>>): void => {
  for (const [text, flows] of Object.entries(rows)) test(text || 'the empty filter', () => assert.deepEqual(found(text), flows));
};

describe('joining', () =>
  cases({
    '': FLOW_NAMES,
    '  \n ': FLOW_NAMES,
    'l4 == tcp and port == 443': ['tls'],
    'L4 = TCP AND Port = 443': ['tls'],
    'l4==tcp&&port==443||proto==DNS': ['tls', 'dns'],
    'port == 443 or l4 == udp and port == 80': ['tls'],
    '(port == 443 or l4 == udp) and port == 53': ['dns'],
    'not l4 == tcp and not l4 == udp': ['ping6', 'ping'],
    '!(l4 == tcp or l4 == udp)': ['ping6', 'ping'],
    'not not l4 == udp': ['dns'],
    'l4 not in {tcp, udp}': ['ping6', 'ping'],
    'host not contains example': ['dns', 'ping6', 'ping', 'refused', 'alpn'],
    'l4 == tcp and bytes > 1K and status == blacklisted and port == 443': ['tls'],
    'port == 443 or port == 53 or port == 8080 or vlan == 7': ['tls', 'dns', 'ping', 'refused'],
  }));

describe('numbers and times', () =>
  cases({
    'bytes > 2M': ['tls'],
    'bytes >= 80 and bytes <= 80': ['dns'],
    'bytes in {80, 174}': ['dns', 'refused'],
    'bytes in {1..80, 100..200}': ['dns', 'refused'],
    'bytes in 80..174': ['dns', 'refused'],
    'packets < 1': ['ping6', 'ping', 'alpn'],
    'bytes == 0x50': ['dns'],
    'bytes > -1 and bytes < .1k and bytes != 0': ['dns'],
    'duration == 90s': ['tls'],
    'duration >= 1.5m and duration < 1h': ['tls'],
    'duration > 60': ['tls'],
    'tcp.appl_latency == 250ms': ['tls'],
    'tcp.appl_latency > 0.2s': ['tls'],
    'first > 2019-10-01': ['dns'],
    'first == "2019-09-30T16:00:51Z"': ['tls'],
    'first == 2019-09-30T18:00:51+02:00': ['tls'],
    'first in 2019-09-30..2019-10-01': ['tls'],
  }));

describe('addresses', () =>
  cases({
    'ip == 10.0.0.5': ['dns', 'ping'],
    'ip != 10.0.0.5': ['tls', 'ping6', 'refused', 'alpn'],
    'server == 10.0.0.0/24': ['dns', 'ping'],
    'ip in {10.0.0.9, 203.0.113.128/25}': ['dns', 'refused'],
    'client in 10.1.2.3/8': ['dns', 'ping'],
    'server in 10.0.0.8..10.0.0.76': ['dns'],
    'ip in 0.0.0.0/0': ['tls', 'dns', 'ping', 'refused', 'alpn'],
    'ip in ::/0': ['ping6'],
    'cli.ip == 2001:DB8:0:0::0001': ['ping6'],
    'ip in 2001:db8:0:1::/64': ['ping6'],
    'ip in 2001:db8:0:2::/64': [],
    'server in 2001:db8::..2001:db8:0:1::2': ['ping6'],
    'ip in {2001:db8::2, 10.0.0.77}': ['ping'],
    'mac == 00:11:22:AA:BB:CC': ['tls'],
    'cli.mac in {00-11-22-aa-bb-00..00-11-22-aa-bb-ff}': ['tls'],
    'mac == 0011.22aa.bbcc': ['tls'],
    'cli.mac matches ^00:11:22': ['tls'],
    'mac contains "11:22:aa"': ['tls'],
  }));

describe('names', () =>
  cases({
    'proto == TLS': ['tls', 'alpn'],
    'proto == google': ['tls'],
    'proto == tls.GOOGLE': ['tls'],
    'l7 == Unknown': ['ping6', 'ping', 'refused'],
    'protocol in {DNS, Google}': ['tls', 'dns'],
    'proto != TLS': ['dns', 'ping6', 'ping', 'refused'],
    'proto matches "^tls\\."': ['tls'],
    'proto.ndpi == TLS': ['alpn'],
    'l4 == 58': ['ping6'],
    'l4 in {ICMP, IPv6-ICMP}': ['ping6', 'ping'],
    'category == web': ['tls'],
    'breed == acceptable': ['tls'],
    'status == blacklisted': ['tls'],
    'status == status_blacklisted': ['tls'],
    'status == "tls certificate mismatch"': ['tls'],
    'status == 13': ['tls'],
    'status in {6, 22}': ['refused'],
    'status contains tcp': ['refused'],
    'status matches "^tcp_.*refused$"': ['refused'],
    'status == normal': ['dns', 'ping6', 'ping', 'alpn'],
    'status == 0': ['dns', 'ping6', 'ping', 'alpn'],
    'status != normal': ['tls', 'refused'],
    'status != blacklisted': ['dns', 'ping6', 'ping', 'refused', 'alpn'],
    status: ['tls', 'refused'],
    risk: ['tls'],
    'risk contains SELF': ['tls'],
    'risk == "Clear-Text Credentials"': ['tls'],
    'risk in {35}': ['tls'],
    'risk != 35': [],
    'risk != 36': ['tls'],
    'flow_risk == 6': ['tls'],
  }));

describe('texts, tables, presence', () =>
  cases({
    'host == WWW.EXAMPLE.ORG': ['tls'],
    "host == 'www.example.org'": ['tls'],
    'host_server_name contains Example': ['tls'],
    'host ~ "^www\\.ex.*\\.(org|com)$"': ['tls'],
    'host_server_name in {a, www.example.org}': ['tls'],
    'query contains "ex"': ['dns'],
    'network == 192.168.0.0/16': ['tls'],
    'protos.tls.client_alpn contains "h2,"': ['tls'],
    'protos.tls.subjectDN contains "*."': ['tls'],
    'PROTOS.TLS.SUBJECTdn contains "cn="': ['tls'],
    'icmp.type == 8': ['ping'],
    'icmp.type >= 8 and icmp.code == 0': ['ping6', 'ping'],
    icmp: ['ping6', 'ping'],
    'tos.client.DSCP == 0 and vlan == 7': ['ping'],
    host_server_name: ['tls', 'alpn'],
    'flow.idle': ['ping6'],
    'flow.idle == yes': ['ping6'],
    'flow.idle != false': ['ping6'],
    'not flow.idle and vlan == 7': ['ping'],
    tcp_reset: ['refused'],
    'tcp_reset == false': ['tls', 'alpn'],
    'tcp_reset != true': ['tls', 'alpn'],
    'cli.vlan': ['ping'],
  }));

describe('missing values', () =>
  cases({
    'host_server_name == x': [],
    'host_server_name != x': ['tls', 'alpn'],
    'not host_server_name == x': FLOW_NAMES,
    'icmp.type != 8': ['ping6'],
    'tcp.appl_latency < 1': ['refused', 'alpn'],
  }));

test('values in bytes of UTF-8 are compared as text, whatever the case of their letters', () => {
  const view = viewOf({ application: 'TLS', details: { host_server_name: 'MÜNCHEN.example' } });
  assert.equal(compileFilter('host_server_name == münchen.EXAMPLE', NAMES).matches(view), true);
  assert.equal(compileFilter('host_server_name ~ "^.ünchen"', NAMES).matches(view), true);
  assert.equal(compileFilter('host_server_name ~ "^m.nchen"', NAMES).matches(view), true);
});

test('statuses and risks above bit 31', () => {
  const view = viewOf({ status: 2 ** 40, risks: [39] });
  assert.equal(compileFilter('status == 40 and risk == "Risk 39"', NAMES).matches(view), true);
  assert.equal(compileFilter('status == 8 or risk == 7', NAMES).matches(view), false);
});

test('one predicate goes from event to event', () => {
  const filter = compileFilter('proto == TLS and port == 443', NAMES_OF_FLOWS);
  assert.deepEqual(
    [...FLOW_NAMES, ...FLOW_NAMES].filter((name) => filter.matches(viewOf(FLOWS[name]))),
    ['tls', 'tls'],
  );
});

test('without detection no name is unknown', () => {
  const names = { ...NAMES, protocols: [], categories: [], breeds: [] };
  assert.equal(compileFilter('proto == Quake or category == x or breed == y', names).matches(viewOf({}, names)), false);
  assert.equal(compileFilter('proto == Unknown', names).matches(viewOf({}, names)), true);
});

test('the keys that are read', () => {
  assert.deepEqual(compileFilter('', NAMES).fields, []);
  assert.deepEqual(compileFilter('ip == 10.0.0.1 and icmp.type == 8 or status and cli.ip != 10.0.0.2', NAMES).fields, [
    'cli.ip',
    'srv.ip',
    'icmp',
    'status_map',
  ]);
});

describe('mistakes', () => {
  /** Filter with the wrong part in «», code, message, hint. */
  const rows: readonly [string, FilterErrorCode, RegExp, RegExp][] = [
    ['«byts» > 1', 'unknown-field', /no field "byts"/, /did you mean "bytes"\?/],
    ['bytes > 1 and «alpn» == h2', 'unknown-field', /"alpn"/, /"protos.tls.client_alpn"/],
    ['«tos.client.DSPC» == 8', 'unknown-field', /"tos.client.DSPC"/, /"tos.client.DSCP"/],
    ['«zzzzzzzz»', 'unknown-field', /"zzzzzzzz"/, /flow-info.md/],
    ['bytes «contains» x', 'wrong-operator', /"bytes" is a number/, /==, !=, </],
    ['host «>» a', 'wrong-operator', /"host" is a text/, /contains, matches/],
    ['ip «contains» 10.', 'wrong-operator', /"ip" is an address/, /10\.0\.0\.0\/8/],
    ['tos «==» 1', 'wrong-operator', /"tos" is a table/, /tos.client, tos.server/],
    ['flow.idle «in» {true}', 'wrong-operator', /true or false/, /==, !=/],
    ['bytes > «10X»', 'wrong-value', /"10X" is not/, /10K/],
    ['bytes > «10s»', 'wrong-value', /"10s" is not/, /10K/],
    ['bytes > «""»', 'wrong-value', /is a number/, /10K/],
    ['bytes > «1e999»', 'wrong-value', /is a number/, /10K/],
    ['duration > «5M»', 'wrong-value', /span of time/, /5m/],
    ['first > «10m»', 'wrong-value', /moment/, /2019-09-30/],
    ['first > «2019-02-30»', 'wrong-value', /moment/, /2019-09-30/],
    ['port in {80, «90..85», 3}', 'wrong-value', /range "90..85" is empty/, /smaller end first/],
    ['ip == «10.0.0»', 'wrong-value', /neither address nor network/, /10\.0\.0\.0\/8/],
    ['ip == «10.0.0.0/33»', 'wrong-value', /neither address nor network/, /./],
    ['ip == «fe80::1%eth0»', 'wrong-value', /neither address nor network/, /./],
    ['ip in «10.0.0.1..2001:db8::1»', 'wrong-value', /one family/, /do not mix/],
    ['ip in «10.0.0.9..10.0.0.1»', 'wrong-value', /is empty/, /./],
    ['mac == «00:11:22»', 'wrong-value', /MAC address/, /matches/],
    ['flow.idle == «maybe»', 'wrong-value', /neither/, /not flow.idle/],
    ['host in {«a..b»}', 'wrong-value', /range/, /quotes/],
    ['proto == «TSL»', 'unknown-name', /no value "TSL"/, /"TLS"/],
    ['proto == «TLS.Gogle»', 'unknown-name', /no value "Gogle"/, /"Google"/],
    ['l4 == «tpc»', 'unknown-name', /no value "tpc"/, /"TCP"/],
    ['status in {6, «blaklisted»}', 'unknown-name', /"blaklisted"/, /"blacklisted"/],
    ['risk == «64»', 'unknown-name', /"64"/, /contains/],
    ['host ~ «"(a"»', 'wrong-pattern', /missing closing \): `\(a`/, /RE2/],
    ['host ~ «"(?=a)"»', 'wrong-pattern', /no regular expression/, /look-around/],
    ['host ~ «"a{1001}"»', 'wrong-pattern', /no regular expression/, /RE2/],
    ['host ~ «"(.{1,30}){1,30}x"»', 'wrong-pattern', /too large: \d+ steps/, /smaller numbers/],
    [`host ~ «${'a'.repeat(513)}»`, 'wrong-pattern', /513 characters/, /shorter/],
    ['a == 1 «b» == 2', 'syntax', /"b" stands where "and" or "or"/, /joined/],
    ['a ==«»', 'syntax', /ends where a value/, /./],
    ['a == «and» b', 'syntax', /"and" stands where a value/, /quotes/],
    ['(a«»', 'syntax', /ends where "\)"/, /every "\("/],
    ['a«)»', 'syntax', /"\)" stands/, /./],
    ['and', 'syntax', /name of a field/, /./],
    ['port in {«}»', 'syntax', /a value/, /./],
    ['port in {80 «90»}', 'syntax', /"," or "}"/, /\{80, 443/],
    ['port in «80..»', 'syntax', /no range/, /8000\.\.8999/],
    ['port in «1..2..3»', 'syntax', /no range/, /./],
    ['port == «1..2»', 'syntax', /range does not go with "=="/, /in \{1\.\.2\}/],
    ['a «&» b', 'syntax', /"&"/, /&&/],
    ['a == «[»', 'syntax', /"\["/, /quotes/],
    ['a == «"x»', 'syntax', /no end/, /close it with "/],
  ];
  for (const [marked, code, message, hint] of rows) {
    test(marked, () => {
      const text = marked.replace(/[«»]/g, '');
      assert.throws(
        () => compileFilter(text, NAMES_OF_FLOWS),
        (error) => {
          assert.ok(error instanceof FilterError);
          assert.equal(error.code, code);
          assert.match(error.message, message);
          assert.match(error.hint, hint);
          const [from, to] = [error.position, error.position + error.length];
          if (marked.includes('«')) assert.equal(`${text.slice(0, from)}«${text.slice(from, to)}»${text.slice(to)}`, marked);
          return true;
        },
      );
    });
  }
});

describe('limits', () => {
  const code = (text: string): string => {
    try {
      compileFilter(text, NAMES);
      return 'none';
    } catch (error) {
      assert.ok(error instanceof FilterError);
      return error.code;
    }
  };
  test('4 KiB of text', () => {
    assert.equal(code(`port == 1${' '.repeat(4096 - 9)}`), 'none');
    assert.equal(code(`port == 1${' '.repeat(4096 - 8)}`), 'too-long');
    assert.equal(code('x'.repeat(10_000_000)), 'too-long');
  });
  test('100 levels', () => {
    assert.equal(code(`${'('.repeat(100)}port == 1${')'.repeat(100)}`), 'none');
    assert.equal(code(`${'('.repeat(101)}port == 1${')'.repeat(101)}`), 'too-deep');
    assert.equal(code(`${'!'.repeat(100)}flow.idle`), 'none');
    assert.equal(code(`${'!'.repeat(4000)}flow.idle`), 'too-deep');
    assert.equal(code(`${'!('.repeat(50)}l4 not in {tcp}${')'.repeat(50)}`), 'too-deep');
  });
  test('long lists and chains', () => {
    const ports = Array.from({ length: 700 }, (_, i) => 1000 + i * 2);
    const filter = compileFilter(`port in {${ports.join(',')}}`, NAMES);
    assert.equal(filter.matches(viewOf({ serverPort: 2398 })), true);
    assert.equal(filter.matches(viewOf({ serverPort: 2399 })), false);
    assert.equal(code(Array<string>(500).fill('vlan').join(' or ')), 'none');
  });
  test('the time of a pattern grows with the text alone', () => {
    const view = viewOf({ application: 'TLS', details: { host_server_name: 'a'.repeat(60_000) } });
    for (const pattern of ['(a+)+$b', '(a|a)*b', '(a*)*(a*)*b', '([a-z]+)*=', '(.?){240}!', '.{0,400}!', '([a-z]{0,200}){2}!']) {
      const filter = compileFilter(`host_server_name matches "${pattern}"`, NAMES);
      const cpu = process.cpuUsage();
      for (let i = 0; i < 20; i++) assert.equal(filter.matches(view), false);
      assert.ok(process.cpuUsage(cpu).user < 2e6, pattern);
    }
  });
});

describe('fields', () => {
  test('all fields that can be there are listed, and every alias', () => {
    const names = filterFields().map((field) => field.name);
    assert.deepEqual(
      FIELDS.filter((field) => !field.never && !names.includes(field.key)).map((field) => field.key),
      [],
    );
    assert.deepEqual(
      ALIASES.filter(({ name }) => !names.includes(name)),
      [],
    );
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length, 'a name has one meaning');
  });
  test('every listed name and operator compiles', () => {
    const value = {
      number: '1',
      text: 'x',
      bool: 'true',
      address: '10.0.0.1',
      mac: '00:00:00:00:00:00',
      name: '',
      bits: '1',
      table: '',
      any: '1',
    };
    for (const { name, kind, operators } of filterFields()) {
      compileFilter(name, NAMES);
      const names = kind === 'name' ? { ...NAMES, protocols: [], categories: [], breeds: [] } : NAMES;
      for (const op of operators) compileFilter(`${name} ${op} ${kind === 'name' ? (name === 'l4' ? '6' : 'x') : value[kind]}`, names);
    }
  });
  test('what completion needs', () => {
    const by = new Map(filterFields().map((field) => [field.name, field]));
    assert.deepEqual(by.get('duration')?.unit, 's');
    assert.deepEqual(by.get('ip'), {
      name: 'ip',
      kind: 'address',
      doc: 'address of either end',
      keys: ['cli.ip', 'srv.ip'],
      alias: true,
      operators: ['==', '!=', 'in'],
    });
    assert.equal(by.get('interarrival.cli2srv.avg')?.unit, 'ms');
  });
});
