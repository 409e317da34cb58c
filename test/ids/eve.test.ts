import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { IdsAlert } from '../../src/ids/alert.ts';
import { eveTime, readEve } from '../../src/ids/eve.ts';
import { eve } from './records.ts';

const alertOf = (changes: object = {}, alert: object = {}): IdsAlert => {
  const result = readEve(eve(changes, alert));
  if (typeof result === 'string') assert.fail(`refused as ${result}`);
  return result;
};
const shown = (alert: IdsAlert): Record<string, unknown> => JSON.parse(alert.json) as Record<string, unknown>;

test('an alert becomes its tuple and what the flow shows', () => {
  const { json, ...tuple } = alertOf();
  assert.deepEqual(tuple, {
    time: Date.UTC(2024, 0, 2, 1, 4, 5) * 1000 + 678_901,
    protocol: 6,
    source: '192.0.2.1',
    destination: '198.51.100.2',
    sourcePort: 1025,
    destinationPort: 80,
    vlan: 0,
    severity: 1,
  });
  assert.equal(
    json,
    '{"signature":"EXAMPLE login from abroad","signature_id":2000001,"gid":1,"rev":3,"category":"Attempted Login","severity":1,' +
      '"action":"allowed","flow_id":586497171462735,"app_proto":"http","metadata":{"created_at":["2024_01_01"]}}',
  );
});

describe('times', () => {
  const noon = Date.UTC(2024, 5, 1, 12) * 1000;
  for (const [text, us] of [
    ['2024-06-01T12:00:00.000001+0000', noon + 1],
    ['2024-06-01T12:00:00Z', noon],
    ['2024-06-01T12:00:00.5', noon + 500_000],
    ['2024-06-01T14:00:00.000000+0200', noon],
    ['2024-06-01T06:30:00.000000-05:30', noon],
    ['2024-06-01T12:00:00.123456789Z', noon + 123_456],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29) * 1000],
    ['2023-02-29T00:00:00Z', undefined],
    ['2024-13-01T00:00:00Z', undefined],
    ['2024-06-01T24:00:00Z', undefined],
    ['1969-12-31T23:59:59Z', undefined],
    ['2024-06-01 12:00:00', undefined],
    ['', undefined],
  ] as const) {
    test(text || 'nothing', () => assert.equal(eveTime(text), us));
  }
});

describe('tuples', () => {
  for (const [text, number] of [
    ['TCP', 6],
    ['udp', 17],
    ['SCTP', 132],
    ['ICMP', 1],
    ['IPv6-ICMP', 58],
    ['GRE', 47],
    ['089', 89],
    [103, 103],
  ] as const) {
    test(`protocol ${text} is ${number}`, () => assert.equal(alertOf({ proto: text }).protocol, number));
  }

  for (const [value, vlan] of [
    [[100], 100],
    [[7, 100], 100],
    [3603, 3603],
    [[], 0],
    [null, 0],
  ] as const) {
    test(`vlan ${JSON.stringify(value)} is ${vlan}`, () => assert.equal(alertOf({ vlan: value }).vlan, vlan));
  }

  test('ICMP has type and code in the place of ports', () => {
    const alert = alertOf({ proto: 'ICMP', icmp_type: 8, icmp_code: 1, src_port: undefined, dest_port: undefined });
    assert.deepEqual([alert.sourcePort, alert.destinationPort], [8, 1]);
  });

  test('IPv6, with and without leading zeros', () => {
    const alert = alertOf({ src_ip: '2001:0db8:0000:0000:0000:0000:0000:0004', dest_ip: '2001:db8::2' });
    assert.deepEqual([alert.source, alert.destination], ['2001:0db8:0000:0000:0000:0000:0000:0004', '2001:db8::2']);
  });

  test('severity is that of the rule, 3 without one', () => {
    assert.equal(alertOf({}, { severity: 2 }).severity, 2);
    assert.equal(alertOf({}, { severity: undefined }).severity, 3);
    assert.equal(alertOf({}, { severity: 0 }).severity, 3);
    assert.equal(alertOf({}, { severity: 'high' }).severity, 3);
  });

  for (const [what, changes] of [
    ['one address only', { dest_ip: undefined }],
    ['two families', { dest_ip: '2001:db8::2' }],
    ['no address', { src_ip: '192.0.2.256' }],
    ['a zone', { src_ip: 'fe80::1%eth0', dest_ip: 'fe80::2' }],
    ['an unknown protocol', { proto: 'WARP' }],
    ['a protocol beyond 255', { proto: '256' }],
    ['TCP without ports', { src_port: undefined }],
    ['a port beyond 65535', { dest_port: 65536 }],
    ['a port as text', { dest_port: '80' }],
    ['a VLAN beyond 4095', { vlan: [4096] }],
    ['no time', { timestamp: undefined }],
    ['no alert object', { alert: 1 }],
  ] as const) {
    test(`${what} is damage`, () => assert.equal(readEve(eve(changes)), 'malformed'));
  }
});

describe('other lines', () => {
  for (const [line, reason] of [
    [eve({ event_type: 'dns' }), 'other'],
    ['{"event_type":"flow","flow":{"alerted":true}}', 'other'],
    [eve({ src_ip: undefined, dest_ip: undefined }), 'withoutAddresses'],
    ['', 'malformed'],
    ['no JSON', 'malformed'],
    ['[]', 'malformed'],
    ['{"event_type":"flow"', 'malformed'],
    [eve().slice(0, -1), 'malformed'],
    [`${eve()}}`, 'malformed'],
    [`x ${eve()}`, 'malformed'],
    ['{"event_type":["alert"]}', 'malformed'],
    [`{"event_type":"alert","alert":${'['.repeat(60_000)}`, 'malformed'],
    [`{"alert"${' '.repeat(70_000)}}`, 'tooLong'],
    [' '.repeat(60_000), 'malformed'],
  ] as const) {
    test(`${line.slice(0, 40)}… is ${reason}`, () => assert.equal(readEve(line), reason));
  }

  test('a cookie before the record is skipped', () => {
    assert.equal(typeof readEve(`@cee: ${eve()}`), 'object');
    assert.equal(typeof readEve(`@cee:${eve()}\r`), 'object');
  });
});

describe('what the flow shows', () => {
  test('is ASCII, also of other letters', () => {
    const alert = alertOf({}, { signature: 'ключ 🔑 \u0000"' });
    assert.match(alert.json, /^[ -~]+$/);
    assert.equal(shown(alert).signature, 'ключ 🔑 \u0000"');
  });

  test('long texts are cut between characters', () => {
    const { signature } = shown(alertOf({}, { signature: '🔑'.repeat(1000) }));
    assert.match(signature as string, /^(?:🔑)+\.\.\.$/u);
  });

  test('metadata that do not fit are left out one by one', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, ['x'.repeat(50)]]));
    const alert = alertOf({}, { metadata: { deep: { a: 1 }, list: [[1]], huge: 'y'.repeat(5000), ...many } });
    const { metadata } = shown(alert) as { metadata: Record<string, unknown> };
    assert.ok(alert.json.length <= 2048 && alert.json.length > 1900, `${alert.json.length}`);
    assert.deepEqual(Object.keys(metadata).slice(0, 2), ['huge', 'key0']);
    assert.equal('deep' in metadata || 'list' in metadata, false);
  });

  test('values of other types are left out', () => {
    assert.deepEqual(Object.keys(shown(alertOf({ flow_id: {} }, { rev: null, gid: [{}], metadata: [] }))), [
      'signature',
      'signature_id',
      'category',
      'severity',
      'action',
      'app_proto',
    ]);
  });

  test('is a JSON object of at most 2 KiB of ASCII, whatever the record says', () => {
    const value = fc.jsonValue();
    fc.assert(
      fc.property(
        fc.record({
          signature: value,
          signature_id: value,
          gid: value,
          category: fc.string({ unit: 'binary', maxLength: 4000 }),
          action: value,
        }),
        fc.dictionary(fc.string(), value),
        value,
        (alert, metadata, flowId) => {
          const { json } = alertOf({ flow_id: flowId, app_proto: flowId }, { ...alert, metadata });
          assert.ok(json.length <= 2048);
          assert.match(json, /^[ -~]+$/);
          assert.equal(typeof JSON.parse(json), 'object');
        },
      ),
    );
  });
});

test('no line throws, and an alert is always whole', () => {
  const json = fc.json({ maxDepth: 3 });
  const damaged = fc.tuple(fc.nat(400), fc.nat(20), fc.string({ maxLength: 5 })).map(([at, length, text]) => {
    const line = eve();
    return line.slice(0, at) + text + line.slice(at + length);
  });
  const fields = fc
    .dictionary(fc.constantFrom('src_ip', 'dest_ip', 'src_port', 'proto', 'vlan', 'timestamp', 'alert', 'icmp_type'), fc.jsonValue())
    .map((changes) => eve(changes));
  fc.assert(
    fc.property(fc.oneof(fc.string(), json, damaged, fields), (line) => {
      const result = readEve(line);
      if (typeof result === 'string') return;
      assert.ok(Number.isSafeInteger(result.time) && result.time >= 0);
      for (const number of [result.sourcePort, result.destinationPort]) assert.ok(number >= 0 && number <= 65535);
      assert.ok(result.protocol <= 255 && result.vlan <= 4095 && result.severity >= 1);
    }),
    { numRuns: 2000 },
  );
});
