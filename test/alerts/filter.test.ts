/** The filter language over alerts: members of their own, the fields of their flow, and that it says what filters of flows say. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileAlertFilter } from '../../src/alerts/filter.ts';
import { flowOf } from '../../src/alerts/raise.ts';
import { compileFilter, FilterError } from '../../src/filter/filter.ts';
import { STATE_SERVER_BLACKLISTED } from '../../src/flows/record.ts';
import { createEventView } from '../../src/flows/view.ts';
import { type EventOf, event, NAMES } from '../support/events.ts';
import { type RaisedOf, raised } from './support.ts';

const matches = (line: string, of: RaisedOf = {}): boolean => compileAlertFilter(line).matches(raised(of));

describe('members of alerts', () => {
  const NAMED: RaisedOf = { flow: { host_server_name: 'www.Example.org', 'cli.host': 'laptop.lan [IPv6]', 'cli.localhost': true } };
  const cases: readonly (readonly [string, RaisedOf, boolean])[] = [
    ['', {}, true],
    ['script == watch', {}, true],
    ['script in {a, watch}', {}, true],
    ['not script == watch', {}, false],
    ['type == suspicious_activity and severity == WARNING', {}, true],
    ['severity >= warning', {}, true],
    ['severity > warning', {}, false],
    ['severity < error', {}, true],
    ['severity in {error, critical}', { severity: 'critical' }, true],
    ['severity != warning', {}, false],
    ['severity != error', {}, true],
    ['severity contains warn', {}, true],
    ['score >= 50', {}, true],
    ['score > 50 or interface == eth0', {}, true],
    ['score in {1..49}', {}, false],
    ['score != 50', {}, false],
    ['shadow', {}, false],
    ['shadow', { shadow: true }, true],
    ['not shadow == true', {}, true],
    ['host == 10.0.0.1', {}, true],
    ['host contains laptop', NAMED, true],
    ['domain == example.org', NAMED, true],
    ['domain == www.example.org', NAMED, true],
    ['domain == ple.org', NAMED, false],
    ['domain in {*.example.org, other.example}', NAMED, true],
    ['domain == lan', NAMED, true],
    ['domain != example.org', NAMED, false],
    ['domain != example.org', {}, false], // there is none
    ['domain', {}, false],
    ['direction == outgoing', NAMED, true],
    ['direction == external', {}, true],
    ['direction == "local to remote"', NAMED, true],
    ['count > 1', {}, false], // it is not one of the store yet
  ];
  for (const [line, of, expected] of cases)
    test(`${line || '(empty)'} ${expected ? 'holds' : 'does not'}`, () => {
      assert.equal(matches(line, of), expected);
    });
});

test('what is misspelt, and what does not go together, is said with its place', () => {
  const wrong = (line: string, code: string, hint: RegExp): void => {
    assert.throws(
      () => compileAlertFilter(line),
      (error) => error instanceof FilterError && error.code === code && hint.test(`${error.message} ${error.hint}`),
      line,
    );
  };
  wrong('severty == error', 'unknown-field', /did you mean "severity"/);
  wrong('severity >= eror', 'wrong-value', /did you mean "error"/);
  wrong('severity == loud', 'wrong-value', /one of debug/);
  wrong('script > a', 'wrong-operator', /does not go with ">"/);
  wrong('ip contains 10', 'wrong-operator', /does not go with/);
  wrong('port == http', 'wrong-value', /number/);
  wrong('(script == a', 'syntax', /"\)"/);
});

test('says which members and fields it reads', () => {
  assert.deepEqual(compileAlertFilter('severity >= error and ip == 10.0.0.1 and icmp.type == 3').fields, [
    'severity',
    'cli.ip',
    'srv.ip',
    'icmp',
  ]);
});

describe('fields of the flow', () => {
  const flows: readonly EventOf[] = [
    {
      client: '10.1.2.3',
      server: '192.0.2.1',
      clientPort: 50_000,
      serverPort: 443,
      l4: 6,
      application: 'Google',
      master: 'TLS',
      category: 'Web',
      breed: 'Dangerous',
      risks: [3, 33],
      status: 2 ** 13 + 2 ** 33,
      state: STATE_SERVER_BLACKLISTED,
      details: { host_server_name: 'www.example.org' },
    },
    { client: '10.0.0.9', server: '10.0.0.10', l4: 6, application: 'Unknown', master: 'TLS', risks: [14] }, // the carrier alone is known
    { client: '2001:db8::1', server: '2001:db8::2:1', l4: 58, application: 'ICMP', vlan: 12, status: 0 },
    { client: '10.0.0.9', server: '10.0.0.10', clientPort: 5353, serverPort: 53, l4: 17, status: 64, seq: 5, time: 1e15 },
  ];
  const lines = [
    ...['ip == 10.0.0.0/8', 'ip != 10.1.2.3', 'client in {10.1.2.3, 2001:db8::/64}', 'server == 2001:db8::2:1', 'ip == 2001:db8::/32'],
    ...['server in {192.0.2.0..192.0.2.9}', 'port == 443', 'port in {1..1024}', 'srv.port != 53', 'vlan == 12', 'vlan > 0', 'bytes > 1K'],
    ...[
      'proto == TLS',
      'proto == TLS.Google',
      'proto == google',
      'proto != TLS',
      'proto contains goo',
      'proto matches "^t.s"',
      'proto == DNS',
      'proto == Unknown',
    ],
    ...['l4 == TCP', 'l4 == 58', 'l4 in {UDP, TCP}', 'category == Web', 'category != Web', 'breed == Dangerous', 'breed contains safe'],
    ...[
      'status == blacklisted',
      'status == normal',
      'status != normal',
      'status',
      'status in {6, 13}',
      'status contains issue',
      'status == 33',
    ],
    ...['flow.status == 13', 'srv.blacklisted', 'not srv.blacklisted', 'srv.blacklisted == false', 'cli.private', 'host contains example'],
    ...[
      'network == 10.0.0.0/8',
      'network',
      'mac == 00:00:00:00:00:00',
      'mac matches "^00"',
      'duration < 10s',
      'first > 2000-01-01',
      'icmp',
    ],
    ...['icmp.type == 0', 'query', 'url contains x', 'flow.id contains k3x9', 'seen.last == 0', 'risk', 'throughput >= 0', 'flow_risk'],
    ...['risk contains 4', 'risk matches "^3"', 'risk == 14', 'risk != 14', 'risk in {3, 14}'],
  ];
  test('compare as they do in filters of flows', () => {
    for (const of of flows) {
      const view = createEventView(NAMES);
      view.set(event(of), 0);
      const alert = { ...raised(), flow: flowOf(view) };
      for (const line of lines) {
        assert.equal(compileAlertFilter(line).matches(alert), compileFilter(line, NAMES).matches(view), `${line} ${JSON.stringify(of)}`);
      }
    }
  });

  test('compare as they do, however lines are put together', () => {
    const part = fc.constantFrom(...lines);
    const { line } = fc.letrec<{ line: string }>((tie) => ({
      line: fc.oneof(
        { maxDepth: 3 },
        part,
        tie('line').map((of) => `not (${of})`),
        fc.tuple(tie('line'), fc.constantFrom('and', 'or'), tie('line')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
      ),
    }));
    fc.assert(
      fc.property(line, fc.constantFrom(...flows), (text, of) => {
        const view = createEventView(NAMES);
        view.set(event(of), 0);
        assert.equal(compileAlertFilter(text).matches({ ...raised(), flow: flowOf(view) }), compileFilter(text, NAMES).matches(view));
      }),
    );
  });

  test('risks are known by text and by number', () => {
    const view = createEventView(NAMES);
    view.set(event(flows[0] as EventOf), 0);
    const alert = { ...raised(), flow: flowOf(view) };
    for (const line of ['risk == 33', 'risk == "Risk 3"', 'risk contains 33', 'risk != 4'])
      assert.ok(compileAlertFilter(line).matches(alert), line);
    assert.ok(!compileAlertFilter('risk == 4').matches(alert));
  });
});
