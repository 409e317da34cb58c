/** Every status: what sets it and what just misses it, through decoder, engine and nDPI; the alerts of the core; changes in mid-run. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { idIn, PRIORITY, predominant, STATUSES, statusById } from '../../src/flows/statuses.ts';
import { DevicesError, readDevices } from '../../src/hosts/devices.ts';
import { isPreference, type Preferences, preferenceValue } from '../../src/preferences.ts';
import { CAPTURES } from '../support/golden.ts';
import { ACK, ethernet, extension, FIN, fragment6, icmp, ipv4, ipv6, PSH, RST, SYN, tcp, udp } from '../support/packets.ts';
import type { TimedFrame } from '../support/play.ts';
import { type Change, lists, START_US, type StatusPlayOptions, type Told, watch, withPreferences } from './status-play.ts';
import { tlsFlow } from './tls-flow.ts';

const CLIENT = '10.0.0.1';
const SERVER = '10.0.0.2';
const REMOTE = '198.51.100.7';
const START_S = START_US / 1e6;
/** UDP without an answer, and "some risk": they come with much of what is tested here. */
const NO_ANSWER = 30;
const RISK = 33;

interface Ends {
  readonly from?: string;
  readonly to?: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly back?: boolean;
}
const datagram = (at: number, data: Uint8Array | string = 'hello', ends: Ends = {}): TimedFrame => {
  const a = { ip: ends.from ?? CLIENT, port: ends.fromPort ?? 50000 };
  const b = { ip: ends.to ?? SERVER, port: ends.toPort ?? 7777 };
  const [from, to] = ends.back === true ? [b, a] : [a, b];
  const layer = udp({ from: from.port, to: to.port }, data);
  const ip = a.ip.includes(':') ? ipv6 : ipv4;
  return { at, bytes: ethernet({}, ip({ from: from.ip, to: to.ip }, layer)) };
};

const segment = (
  at: number,
  flags: number,
  of: { back?: boolean; seq?: number; ack?: number; data?: Uint8Array | string; port?: number; to?: string } = {},
): TimedFrame => {
  const port = of.port ?? 8000;
  const [source, target, from, to] = of.back === true ? [of.to ?? SERVER, CLIENT, port, 40000] : [CLIENT, of.to ?? SERVER, 40000, port];
  return {
    at,
    bytes: ethernet({}, ipv4({ from: source, to: target }, tcp({ from, to, flags, seq: of.seq ?? 0, ack: of.ack ?? 0 }, of.data ?? ''))),
  };
};
const opened = (at = 1, port?: number): TimedFrame[] => {
  const to = port === undefined ? {} : { port };
  return [
    segment(at, SYN, { ...to, seq: 100 }),
    segment(at + 0.01, SYN | ACK, { ...to, back: true, seq: 500, ack: 101 }),
    segment(at + 0.02, ACK, { ...to, seq: 101, ack: 501 }),
  ];
};
/** Data of the client as the first behind the handshake. */
const data = (at: number, bytes: number, seq = 101): TimedFrame => segment(at, ACK, { seq, ack: 501, data: 'x'.repeat(bytes) });
/** A flow of others, so that visits go on until then. */
const until = (at: number): TimedFrame => datagram(at, 'later', { fromPort: 1, back: false, toPort: 2 });

const query = (...labels: readonly string[]): Buffer =>
  Buffer.from(
    `\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\x00\x00\x01\x00\x01`,
    'latin1',
  );
const ask = (at: number, name: string, ends: Ends = {}): TimedFrame => datagram(at, query(...name.split('.')), { toPort: 53, ...ends });
const ntp = Buffer.concat([Buffer.of(0x1b), Buffer.alloc(47)]);
const dhcp = (op: 1 | 2): Buffer => {
  const message = Buffer.alloc(260);
  message.set([op, 1, 6], 0);
  message.writeUInt32BE(0x63825363, 236);
  message.set([53, 1, op, 255], 240);
  return message;
};

/** A page fetched by HTTP. */
const web = (type: string, start: string): TimedFrame[] => {
  const request = 'GET /a.txt HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Mozilla/5.0\r\n\r\n';
  const answer = `HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\n${start.padEnd(100, '.')}`;
  return [
    ...opened(1, 80),
    segment(1.03, ACK | PSH, { port: 80, seq: 101, ack: 501, data: request }),
    segment(1.04, ACK | PSH, { port: 80, back: true, seq: 501, ack: 101 + request.length, data: answer }),
  ];
};
const program = (): TimedFrame[] => web('application/x-msdownload', 'MZ');
const offer = (from: string): TimedFrame => datagram(1, dhcp(2), { from, to: '255.255.255.255', fromPort: 67, toPort: 68 });
/** The begin of a mail, by turns of server and client. */
const mail = (): TimedFrame[] => {
  const lines = ['220 mail.example.org ESMTP\r\n', 'EHLO a.example\r\n', '250 hi\r\n', 'MAIL FROM:<a@b>\r\n', '250 ok\r\n'];
  let next = 501;
  let other = 101;
  return [
    ...opened(1, 25),
    ...lines.map((line, i) => {
      const frame = segment(1.03 + i / 100, ACK | PSH, { port: 25, back: i % 2 === 0, seq: next, ack: other, data: line });
      [next, other] = [other, next + line.length];
      return frame;
    }),
  ];
};

/** Statuses of flow 1 at its last event. */
const atEnd = (frames: readonly TimedFrame[], options: StatusPlayOptions = {}): readonly number[] =>
  watch(frames, options).events.findLast(({ flow }) => flow === 1)?.statuses ?? [];
/** `second: statuses` of each statusChanged of flow 1. */
const changesOf = (events: readonly Told[]): string[] =>
  events
    .filter(({ flow, callbacks }) => flow === 1 && callbacks.includes('statusChanged'))
    .map(({ at, statuses }) => `${at}: ${statuses.join(' ')}`);
const has = (id: number, frames: readonly TimedFrame[], options: StatusPlayOptions = {}): boolean => atEnd(frames, options).includes(id);
const sets = (id: number, frames: readonly TimedFrame[], options: StatusPlayOptions = {}): void =>
  assert.ok(has(id, frames, options), `status ${id} is not set: ${atEnd(frames, options).join(' ')}`);
const misses = (id: number, frames: readonly TimedFrame[], options: StatusPlayOptions = {}): void =>
  assert.ok(!has(id, frames, options), `status ${id} is set`);

describe('TCP', () => {
  test('4 low goodput: under 40 % after 60 s; 3 when the flow ends', () => {
    const { events } = watch([...opened(), data(61, 144), until(200)]);
    assert.deepEqual(changesOf(events), ['65: 4', '125: 3']);
    assert.deepEqual(changesOf(watch([...opened(), data(60.9, 144), until(200)]).events), [], '59 s');
    assert.deepEqual(changesOf(watch([...opened(), data(61, 145), until(200)]).events), [], '40 %');
  });

  test('4 goes when payload comes', () => {
    const { events } = watch([...opened(), data(61, 100), data(71, 1400, 201), until(200)]);
    assert.deepEqual(changesOf(events), ['65: 4', '75: ']);
  });

  test('9 refused: a reset instead; none after a regular close', () => {
    assert.deepEqual(changesOf(watch([...opened(), segment(61, RST, { back: true, seq: 501 }), until(200)]).events), ['65: 9', '80: 3']);
    assert.deepEqual(changesOf(watch([...opened(), segment(60.9, RST, { back: true, seq: 501 }), until(200)]).events), [], 'a quick reset');
    const closed = [
      ...opened(),
      segment(61, FIN | ACK, { seq: 101, ack: 501 }),
      segment(61.1, FIN | ACK, { back: true, seq: 501, ack: 102 }),
    ];
    assert.deepEqual(changesOf(watch([...closed, segment(61.2, RST, { seq: 102 }), until(200)]).events), ['65: 4', '80: 3']);
  });

  test('5 SYN probing: at the end, where no handshake was completed', () => {
    assert.deepEqual(changesOf(watch([segment(1, SYN, { seq: 100 }), until(100)]).events), ['20: 5']);
    assert.deepEqual(changesOf(watch([...opened().slice(0, 2), until(100)]).events), ['20: 5']);
    assert.deepEqual(changesOf(watch([...opened(), until(100)]).events), []);
    misses(5, [datagram(1)]);
  });

  const late = (...seconds: readonly number[]): Change[] =>
    seconds.map((second) => ({ at: 9999, make: (engine) => void engine.advance(START_US + second * 1e6, 1e9) }));

  test('7 probing: a server silent for over 120 s, as a visit that comes late sees it', () => {
    const alone = segment(0, ACK, { seq: 100, data: 'anyone?' });
    const manual = (...seconds: readonly number[]): string[] =>
      changesOf(watch([alone], { manual: true, changes: late(...seconds) }).events);
    assert.deepEqual(manual(5, 121, 125), ['125: 7']);
    assert.deepEqual(manual(5, 119, 120), [], 'exactly 120 s');
    const answered = [alone, segment(0, ACK, { back: true, seq: 1, data: 'yes' })];
    assert.deepEqual(changesOf(watch(answered, { manual: true, changes: late(5, 121, 125) }).events), []);
    const syn = watch([segment(0, SYN)], { manual: true, changes: late(5, 121, 125) });
    assert.deepEqual(changesOf(syn.events), ['125: 5 7']);
    assert.equal(syn.events.at(-1)?.line['flow.status'], 5);
    assert.deepEqual(changesOf(watch([datagram(0)], { manual: true, changes: late(5, 121, 125) }).events), ['10: 30'], 'TCP only');
  });

  test('20 not purged: no silence lets a flow stay, so it is never set', () => {
    for (const frame of [segment(0, SYN), datagram(0), ...opened(0)]) {
      const { events } = watch([frame], { manual: true, changes: late(5, 500, 1000, 5000) });
      assert.ok(events.every(({ statuses }) => !statuses.includes(20)));
      assert.equal(events.at(-1)?.line['flow.end_reason'], 'idle');
    }
  });

  /** The client sends `packets` packets with the handshake's, the last `again` of them once more. */
  const repeated = (packets: number, again: number): TimedFrame[] => {
    const fresh = packets - 2 - again;
    const frames = Array.from({ length: fresh }, (_, i) => data(1.1 + i * 0.05, 100, 101 + i * 100));
    const last = frames.length - 1;
    return [...opened(), ...frames, ...Array.from({ length: again }, (_, i) => data(6 + i * 0.05, 100, 101 + last * 100))];
  };

  test('6 and 22: over 5 issues, and over a tenth or a third of the packets', () => {
    assert.deepEqual(atEnd(repeated(59, 6)), [6], '6 > 5.9 whole');
    assert.deepEqual(atEnd(repeated(60, 6)), [], '6 of 60');
    assert.deepEqual(atEnd(repeated(18, 6)), [6], '6 of 18');
    assert.deepEqual(atEnd(repeated(17, 6)), [22], '6 > 5.67 whole');
    assert.deepEqual(atEnd(repeated(12, 5)), [], 'five are none');
  });

  test('6 comes and goes with packets', () => {
    const more = Array.from({ length: 20 }, (_, i) => data(16 + i * 0.05, 100, 101 + 51 * 100 + i * 100));
    const { events } = watch([...repeated(59, 6), ...more, until(30)]);
    assert.deepEqual(changesOf(events).slice(0, 2), ['10: 6', '20: ']);
  });

  test('packets only: 3, 4, 5, 7 and 9 are not told of flow records', () => {
    const records = { packetInterface: false };
    for (const frames of [
      [...opened(), data(61, 100), until(200)],
      [segment(1, SYN), until(100)],
      [...opened(), segment(61, RST, { back: true }), until(100)],
    ]) {
      assert.deepEqual(changesOf(watch(frames, records).events), []);
    }
    const lateVisit = { manual: true, packetInterface: false, changes: late(5, 121, 125) };
    assert.deepEqual(changesOf(watch([segment(0, ACK)], lateVisit).events), []);
    assert.deepEqual(atEnd(repeated(17, 6), records), [22], 'records count issues');
  });
});

describe('TLS', () => {
  const cases: readonly [asked: string, common: string, names: readonly string[], mismatch: boolean, why: string][] = [
    ['www.example.org', 'www.example.org', [], false, 'common name'],
    ['WWW.Example.ORG', 'www.example.org', [], false, 'case'],
    ['www.example.org', 'WWW.EXAMPLE.ORG', [], false, 'case'],
    ['www.example.org', 'example.org', [], true, 'another common name'],
    ['www.example.org', '', [], false, 'no name in the certificate'],
    ['', 'www.example.org', [], false, 'no name asked for'],
    ['www.example.org', 'other.example.net', ['a.example', 'www.example.org'], false, 'alternative name'],
    ['www.example.org', 'www.example.org', ['a.example'], false, 'common name beside others'],
    ['www.example.org', 'other.example.net', ['a.example'], true, 'neither'],
    ['www.example.org', '', ['a.example'], true, 'alternative names alone'],
    ['www.example.org', '', ['*.example.org'], false, 'a star is one label'],
    ['a.www.example.org', '', ['*.example.org'], true, 'not two labels'],
    ['example.org', '', ['*.example.org'], true, 'not none'],
    ['xexample.org', '', ['*.example.org'], true, 'a label ends at its dot'],
    ['.example.org', '', ['*.example.org'], true, 'an empty label is none'],
    ['a.www.example.org', '*.example.org', [], false, 'of a common name the rest is contained'],
    ['example.org', '*.example.org', [], true, 'rest is not contained'],
    [`${'a'.repeat(60)}.${'b'.repeat(18)}.example.org`, 'other.example.net', [], false, 'a name that nDPI cuts'],
    [`${'a'.repeat(60)}.${'b'.repeat(5)}.example.org`, 'other.example.net', [], true, '78 characters'],
  ];
  test('10 certificate mismatch: common name, alternative names, stars', () => {
    for (const [asked, common, names, mismatch, why] of cases) {
      const flow = tlsFlow({ ...(asked === '' ? {} : { asked }), common, names });
      assert.equal(has(10, flow), mismatch, `${asked} against ${common} and ${names.join(', ')}: ${why}`);
    }
    misses(10, tlsFlow({ asked: 'www.example.org', withoutCertificate: true }));
    misses(10, tlsFlow({ asked: 'www.example.org', common: 'example.net' }), { packetInterface: false });
  });

  test('23 unsafe cipher, 25 old version, 29 self-signed', () => {
    const good = atEnd(tlsFlow({ asked: 'a.example', common: 'a.example' }));
    assert.deepEqual(good, [RISK], 'nDPI finds something in any short handshake');
    sets(23, tlsFlow({ cipher: 0x0005 }));
    misses(23, tlsFlow({ cipher: 0xc030 }));
    for (const version of [0x0300, 0x0301, 0x0302]) sets(25, tlsFlow({ version }));
    misses(25, tlsFlow({ version: 0x0303 }));
    sets(29, tlsFlow({ common: 'a.example', selfSigned: true }));
    misses(29, tlsFlow({ common: 'a.example' }));
    const records = atEnd(tlsFlow({ cipher: 5, version: 0x0301, selfSigned: true }), { packetInterface: false });
    for (const id of [23, 25, 29, RISK]) assert.ok(records.includes(id), `records can tell ${id}`);
  });

  test('28 expired: not valid at the time of the flow, to the second', () => {
    sets(28, tlsFlow({ notAfter: START_S }));
    misses(28, tlsFlow({ notAfter: START_S + 1 }));
    sets(28, tlsFlow({ notBefore: START_S + 2 }));
    misses(28, tlsFlow({ notBefore: START_S + 1 }));
    misses(28, tlsFlow({ notAfter: START_S, withoutCertificate: true }));
  });

  test('27 malicious signature: JA3 of client or server on a list', () => {
    const line = watch(tlsFlow()).events.at(-1)?.line ?? {};
    for (const end of ['client', 'server']) {
      const hash = String(line[`protos.tls.ja3.${end}_hash`]);
      const of = (lines: string): StatusPlayOptions => ({ policy: { lists: lists({ lines, format: 'ja3_suricata_csv' }) } });
      sets(27, tlsFlow(), of(`${hash.toUpperCase()},bad\n`));
      misses(27, tlsFlow(), of(`${hash.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))},bad\n`));
    }
  });

  test('31 known protocol on another port', () => {
    sets(31, tlsFlow({ serverPort: 9999 }));
    misses(31, tlsFlow({ serverPort: 443 }));
  });
});

describe('DNS', () => {
  const label = (length: number, letter = 'a'): string => letter.repeat(length);
  const names: readonly [labels: readonly string[], invalid: boolean, carries: boolean][] = [
    [['www', 'example', 'org'], false, false],
    [[label(60), label(35)], false, false], // 96 characters
    [[label(60), label(36)], true, false], // 97
    [[label(60), label(24), 'example', 'org'], true, true], // 97
    [['a\x1fb', 'org'], true, false],
    [['a\x7fb', 'org'], true, false],
    [['a\xe4b', 'org'], true, false],
    [['a b~', 'org'], false, false], // 0x20 and 0x7e can be printed
    [[label(51), 'example', 'org'], false, false],
    [[label(52), 'example', 'org'], false, true],
    [[label(26), label(25), 'example', 'org'], false, false], // dots carry nothing
    [[label(26), label(26), 'example', 'org'], false, true],
    [[...'0123456789abcdef0123456789abcdef', 'ip6', 'arpa'], false, false], // every reverse name of IPv6
  ];
  test('11 invalid names, 38 names that can carry data', () => {
    for (const [labels, invalid, carries] of names) {
      const found = atEnd([datagram(1, query(...labels), { toPort: 53 })]);
      assert.equal(found.includes(11), invalid, `11: ${labels.join('.')}`);
      assert.equal(found.includes(38), carries, `38: ${labels.join('.')}`);
    }
  });
  test('over TCP the message follows its length (RFC 1035, 4.2.2)', () => {
    const over = (message: Buffer): TimedFrame[] => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      return [...opened(1, 53), segment(1.1, ACK | PSH, { port: 53, seq: 101, ack: 501, data: Buffer.concat([length, message]) })];
    };
    for (const id of [11, 38]) sets(id, over(query(label(60), label(60), 'example', 'org')));
    for (const id of [11, 38]) misses(id, over(query('a', 'example', 'org')));
  });
  test('answers, other protocols and flow records do not count', () => {
    const long = query(label(60), label(60), 'example', 'org');
    const answer = Buffer.from(long);
    answer[2] = 0x81;
    for (const id of [11, 38]) {
      sets(id, [datagram(1, long, { toPort: 53 })]);
      misses(id, [ask(1, 'a.example'), datagram(1.1, answer, { toPort: 53, back: true })]);
      misses(id, [datagram(1, long, { toPort: 7777 })]);
      misses(id, [datagram(1, long, { toPort: 53 })], { packetInterface: false });
    }
  });
});

describe('ICMP', () => {
  const echo = (length: number, type = 8): TimedFrame[] => [
    { at: 1, bytes: ethernet({}, ipv4({}, icmp({ type }, 'x'.repeat(length - 8)))) },
  ];
  const echo6 = (length: number, type = 128): TimedFrame[] => [
    { at: 1, bytes: ethernet({}, ipv6({}, icmp({ type, v6: true }, 'x'.repeat(length - 8)))) },
  ];
  test('24 data exfiltration: echoes over 128 bytes, of IPv6 over 256, header included', () => {
    for (const type of [0, 8]) {
      sets(24, echo(129, type));
      misses(24, echo(128, type));
    }
    for (const type of [128, 129]) {
      sets(24, echo6(257, type));
      misses(24, echo6(256, type));
    }
    misses(24, echo(500, 11));
    misses(24, echo6(500, 3));
  });
  test('extension headers of IPv6 are no data', () => {
    const of = (length: number): TimedFrame[] => [
      { at: 1, bytes: ethernet({}, ipv6({}, extension(60, extension(43, icmp({ v6: true }, 'x'.repeat(length - 8)))))) },
    ];
    misses(24, of(256));
    sets(24, of(257));
  });
  test('24 of an echo in fragments: its first one says how long it is, the others are data', () => {
    const whole = icmp({}, 'x'.repeat(300));
    const parts = (from: number): TimedFrame[] => [
      { at: 1, bytes: ethernet({}, ipv4({ protocol: 1, moreFragments: true }, whole.subarray(0, from))) },
      { at: 1.1, bytes: ethernet({}, ipv4({ protocol: 1, fragmentOffset: from }, whole.subarray(from))) },
    ];
    sets(24, parts(200));
    misses(24, parts(200).slice(1)); // it looks like nothing
    sets(24, [
      { at: 1, bytes: ethernet({}, ipv6({}, fragment6({ id: 1, more: true, protocol: 58 }, icmp({ v6: true }, 'x'.repeat(300))))) },
    ]);
    misses(24, [
      { at: 1, bytes: ethernet({}, ipv6({}, fragment6({ id: 1, offset: 8, protocol: 58 }, icmp({ v6: true }, 'x'.repeat(300))))) },
    ]);
  });
  test('24 stays once set', () => {
    const { events } = watch([...echo(129), ...[11, 21, 31].map((at) => ({ ...(echo(64)[0] as TimedFrame), at })), until(40)]);
    assert.deepEqual(changesOf(events), ['5: 24']);
  });

  const quoted = (inner: Uint8Array): Record<string, unknown> | undefined => {
    const [event] = watch([{ at: 1, bytes: ethernet({}, ipv4({}, icmp({ type: 3, code: 3 }, inner))) }]).events;
    return JSON.parse(String(event?.line.status_info)) as Record<string, unknown>;
  };
  test('the quoted packet of a port unreachable, whole or cut', () => {
    const inner = ipv4({ from: '10.0.0.7', to: '192.0.2.9' }, udp({ from: 1234, to: 53 }, 'x'));
    assert.equal(quoted(inner)?.['icmp.unreach.src_port'], 1234);
    assert.equal(quoted(inner)?.['icmp.unreach.dst_ip'], '192.0.2.9');
    assert.equal(quoted(inner.subarray(0, 24))?.['icmp.unreach.dst_port'], 53, 'just the ports');
    for (let length = 0; length < 24; length++) assert.equal(quoted(inner.subarray(0, length))?.['icmp.unreach.src_port'], undefined);
    assert.equal(quoted(ipv4({ fragmentOffset: 8 }, udp({}, 'x')))?.['icmp.unreach.src_port'], undefined, 'a later fragment has no ports');
    assert.equal(quoted(ipv4({}, tcp({})))?.['icmp.unreach.src_port'], undefined);
  });
});

describe('ends', () => {
  test('12 remote to remote', () => {
    const of = (from: string, to: string): boolean => has(12, [datagram(1, 'x', { from, to })]);
    assert.equal(of(REMOTE, '203.0.113.9'), true);
    assert.equal(of(REMOTE, SERVER), false);
    assert.equal(of(CLIENT, REMOTE), false);
    for (const to of ['224.0.0.1', '239.1.1.1', '255.255.255.255']) assert.equal(of(REMOTE, to), false, to);
    assert.equal(of(REMOTE, '223.255.255.255'), true);
    assert.equal(of('0.0.0.0', REMOTE), false);
    assert.equal(of('2001:db8::1', '2001:db8::2'), true);
    assert.equal(of('2001:db8::1', 'ff02::1'), false);
    assert.equal(of('2001:db8::1', 'fd00::1'), false);
    assert.equal(of('fe80::1', 'fe80::2'), false);
    assert.equal(of('::', '2001:db8::2'), false);
  });

  test('30 UDP without an answer', () => {
    sets(NO_ANSWER, [datagram(1)]);
    misses(NO_ANSWER, [datagram(1), datagram(1.1, 'yes', { back: true })]);
    misses(NO_ANSWER, [datagram(1, 'x', { to: '239.1.1.1' })]);
    misses(NO_ANSWER, [datagram(1, 'x', { from: '0.0.0.0' })]);
    misses(NO_ANSWER, [datagram(1, '<34>1 2020-01-01T00:00:00Z host app - - - hello', { toPort: 514 })], {});
    misses(NO_ANSWER, [segment(1, SYN)]);
    const { events } = watch([datagram(1), datagram(11, 'yes', { back: true }), until(20)]);
    assert.deepEqual(changesOf(events), ['10: 30', '15: '], 'not before detection has ended: it may be a protocol without answers');
    assert.deepEqual(changesOf(watch([datagram(1), datagram(7, 'yes', { back: true }), until(20)]).events), []);
  });

  test('13 blacklisted: an address, a name, the category', () => {
    const of = (lines: string, category = 100): StatusPlayOptions => ({ policy: { lists: lists({ lines, category }) } });
    sets(13, [ask(1, 'a.example')], of(SERVER));
    sets(13, [ask(1, 'a.example')], of('10.0.0.0/24'));
    misses(13, [ask(1, 'a.example')], of('10.0.0.3'));
    sets(13, [ask(1, 'www.bad.example')], of('bad.example'));
    misses(13, [ask(1, 'www.notbad.example')], of('bad.example'));
    sets(13, [datagram(1, 'x', { from: 'fd00::1', to: '2001:db8::9' })], of('2001:db8::/64'));
    misses(13, [datagram(1, 'x', { from: 'fd00::1', to: '2001:db8:0:1::9' })], of('2001:db8::/64'));
    misses(13, [ask(1, 'a.example')], of(SERVER, 101));
  });

  test('15 mining: the category that detection or a list gives', () => {
    const of = (category: number): StatusPlayOptions => ({ policy: { lists: lists({ lines: 'pool.example', category }) } });
    sets(15, [ask(1, 'eu.pool.example')], of(99));
    misses(15, [ask(1, 'eu.pool.example')], of(98));
    misses(15, [ask(1, 'eu.spool.example')], of(99));
  });

  test('17 and 18 elephants: over the threshold, one end local', () => {
    const frames = (from: string, to: string): TimedFrame[] => [
      datagram(1, 'x'.repeat(1282), { from, to }),
      datagram(1.1, 'x'.repeat(1282), { from, to }), // 2 × (1282 + 42) = 2648 bytes
      datagram(1.2, 'y'.repeat(1282), { from, to, back: true }), // 1324 bytes
    ];
    const over = (up: number, down: number): StatusPlayOptions => ({
      preferences: { elephant_flow_local_to_remote_bytes: up, elephant_flow_remote_to_local_bytes: down },
    });
    assert.deepEqual(atEnd(frames(CLIENT, REMOTE), over(2648, 1324)), [], 'equal is not over');
    assert.deepEqual(atEnd(frames(CLIENT, REMOTE), over(2647, 1324)), [17]);
    assert.deepEqual(atEnd(frames(CLIENT, REMOTE), over(2648, 1323)), [18]);
    assert.deepEqual(atEnd(frames(REMOTE, CLIENT), over(1323, 2648)), [17], 'the server is the local end');
    assert.deepEqual(atEnd(frames(REMOTE, CLIENT), over(1324, 2647)), [18]);
    assert.deepEqual(atEnd(frames(CLIENT, SERVER), over(1024, 1024)), [], 'both local');
    assert.deepEqual(atEnd(frames(REMOTE, '203.0.113.9'), over(1024, 1024)), [12], 'both remote');
    const transfer = { ...over(1024, 1024), policy: { lists: lists({ lines: REMOTE, category: 4 }) } };
    assert.deepEqual(atEnd(frames(CLIENT, REMOTE), transfer), [], 'data transfer is what they are for');
  });

  test('19 long-lived', () => {
    const of = (seconds: number, to = SERVER): TimedFrame[] => [datagram(1, 'x', { to }), datagram(1 + seconds, 'x', { to })];
    const limit: Partial<Preferences> = { longlived_flow_duration: 20 };
    assert.deepEqual(atEnd(of(20), { preferences: limit }), [NO_ANSWER]);
    assert.deepEqual(atEnd(of(21), { preferences: limit }), [19, NO_ANSWER]);
    assert.deepEqual(atEnd(of(21, '239.1.1.1'), { preferences: limit }), [], 'to a group');
    assert.deepEqual(
      atEnd(of(21), { preferences: limit, policy: { lists: lists({ lines: SERVER, category: 11 }) } }),
      [NO_ANSWER],
      'a database',
    );
  });

  test('21 IDS: severity of the alert is that of the worst', () => {
    const told = (severe: boolean): Told | undefined => watch([datagram(1)], { ids: { frame: datagram(1), severe } }).events.at(-1);
    assert.deepEqual(told(false)?.statuses, [21, NO_ANSWER]);
    assert.equal(told(false)?.alert?.severity, 'warning');
    assert.equal(told(true)?.alert?.severity, 'error');
    misses(21, [datagram(1)], { ids: { frame: datagram(1, 'x', { fromPort: 9 }), severe: true } });
  });

  test('26 dangerous protocol', () => {
    // the first frame of the capture: NetBIOS with SMBv1
    const file = readFileSync(`${CAPTURES}windows-network.pcap`);
    const frame = file.subarray(40, 40 + file.readUInt32LE(32));
    sets(26, [{ at: 1, bytes: frame }]);
    misses(26, [ask(1, 'a.example')]);
  });

  test('32 file transfer, 33 any risk', () => {
    assert.deepEqual(atEnd(web('text/plain', 'hello')), []);
    const [event] = watch(program()).events.slice(-1);
    assert.deepEqual(event?.statuses, [32, 33]);
    assert.equal(event?.line.status_map, 2 ** 32 + 2 ** 33, 'exact above 32 bits');
    assert.equal(event?.line['flow.status'], 32);
  });
});

describe('device types', () => {
  const policy = `
    device printer: 10.0.0.0/28, 02:00:00:00:00:99   # printers
    device server: 10.0.0.2
    forbid printer client: DNS, BitTorrent
    forbid server server: * except NTP, HTTP
  `;
  const options: StatusPlayOptions = { policy: { devices: readDevices(policy, 'policy') } };
  test('16: the client, the server, the smallest network, the MAC', () => {
    sets(16, [ask(1, 'a.example', { to: '10.0.9.9' })], options);
    misses(16, [ask(1, 'a.example', { from: '10.0.0.16', to: '10.0.9.9' })], options);
    sets(16, [ask(1, 'a.example', { from: '10.0.0.16' })], options);
    misses(16, [datagram(1, ntp, { from: '10.0.0.16', fromPort: 123, toPort: 123 })], options);
    misses(16, [ask(1, 'a.example', { from: '10.0.0.2', to: '10.0.9.9' })], options);
    misses(16, [ask(1, 'a.example', { from: '10.0.9.9', to: '10.0.0.3' })], options);
    const frame = ethernet(
      { from: '02:00:00:00:00:99' },
      ipv4({ from: '10.9.9.9', to: '10.0.9.9' }, udp({ to: 53 }, query('a', 'example'))),
    );
    sets(16, [{ at: 1, bytes: frame }], options);
    misses(16, [ask(1, 'a.example', { to: '10.0.9.9' })]);
  });
  test('the event says whose', () => {
    const info = (frames: TimedFrame[]): Record<string, unknown> =>
      JSON.parse(String(watch(frames, options).events.at(-1)?.line.status_info)) as Record<string, unknown>;
    assert.equal(info([ask(1, 'a.example', { to: '10.0.9.9' })]).devproto_forbidden_peer, 'cli');
    assert.equal(info([ask(1, 'a.example', { from: '10.0.0.16' })]).devproto_forbidden_peer, 'srv');
    assert.equal(info([ask(1, 'a.example', { from: '10.0.0.16' })])['srv.devtype'], 2);
  });
  test('what is wrong in a policy is told with its line', () => {
    const wrong = (text: string, message: RegExp): void =>
      assert.throws(
        () => readDevices(text, 'p'),
        (error: Error) => error instanceof DevicesError && message.test(error.message),
      );
    wrong('\nallow printer: DNS', /^p:2: /);
    wrong('device printer client: 10.0.0.1', /takes no role/);
    wrong('device printer: 10.0.0.300', /neither an address/);
    wrong('device a: 10.0.0.1\ndevice b: 10.0.0.1', /^p:2: .*'a' already/);
    wrong('device unknown: 10.0.0.1', /no type/);
    wrong('forbid printer client: DNS', /declare it above/);
    wrong('device a: 10.0.0.1\nforbid a: DNS', /client or server/);
    wrong('device a: 10.0.0.1\nforbid a client: DNS except NTP', /needs '\*'/);
    wrong('device a: 10.0.0.1\nforbid a client:', /no protocol/);
  });
  test('the example of the guide is read', () => {
    const guide = readFileSync(new URL('../../docs/guides/statuses.md', import.meta.url), 'utf8');
    const example = /```\n(device [\s\S]*?)```/.exec(guide)?.[1] ?? '';
    assert.deepEqual(readDevices(example, 'guide').types, ['unknown', 'printer']);
  });
});

describe('expected servers', () => {
  const discover = datagram(1, dhcp(1), { from: '0.0.0.0', to: '255.255.255.255', fromPort: 68, toPort: 67 });
  test('35 DNS: addresses and networks, also of IPv6; nothing expected is anything', () => {
    const of = (servers: string, to = SERVER): boolean =>
      has(35, [ask(1, 'a.example', { from: to.includes(':') ? 'fd00::1' : CLIENT, to })], { preferences: { dns_servers: servers } });
    assert.equal(of(''), false);
    assert.equal(of(SERVER), false);
    assert.equal(of('10.0.0.3'), true);
    assert.equal(of('10.0.0.8, 10.0.0.0/30'), false);
    assert.equal(of('10.0.0.4/30'), true);
    assert.equal(of('fd00::53'), true, 'none of IPv4 is expected');
    assert.equal(of('fd00::/64', 'fd00::53'), false);
    assert.equal(of('fd00:0:0:1::/64', 'fd00::53'), true);
  });
  test('34 DHCP: who offers is the server, and a broadcast address is none', () => {
    const preferences = { dhcp_servers: '10.0.0.53' };
    misses(34, [discover], { preferences });
    misses(34, [offer('10.0.0.53')], { preferences });
    sets(34, [offer('10.0.0.66')], { preferences });
    sets(34, [datagram(1, dhcp(1), { fromPort: 68, toPort: 67 })], { preferences });
    misses(34, [offer('10.0.0.66')]);
  });
  test('36 NTP, 37 SMTP', () => {
    const time = [datagram(1, ntp, { fromPort: 123, toPort: 123 })];
    sets(36, time, { preferences: { ntp_servers: '10.0.0.3' } });
    misses(36, time, { preferences: { ntp_servers: '10.0.0.2' } });
    sets(37, mail(), { preferences: { smtp_servers: '10.0.0.3' } });
    misses(37, mail(), { preferences: { smtp_servers: '10.0.0.2' } });
  });
});

describe('the declaration', () => {
  test('1, 2, 8, 14 and those for scripts are declared and never set; bit 0 is never set', () => {
    assert.deepEqual(
      STATUSES.filter(({ condition }) => condition === undefined).map(({ id }) => id),
      [0, 1, 2, 8, 14, 39, 40, 41, 42, 43, 44],
    );
  });

  test('of each pair of neighbours the stronger is predominant', () => {
    assert.deepEqual(
      PRIORITY.toSorted((x, y) => x - y),
      STATUSES.map(({ id }) => id).slice(1),
    );
    const half = (ids: readonly number[], which: number): number =>
      ids.filter((id) => id >> 5 === which).reduce((bits, id) => bits | (1 << (id & 31)), 0) >>> 0;
    for (let i = 1; i < PRIORITY.length; i++) {
      const pair = PRIORITY.slice(i - 1, i + 1);
      assert.equal(predominant(half(pair, 0), half(pair, 1)), pair[0], pair.join(' and '));
      const rest = PRIORITY.slice(i);
      assert.equal(predominant(half(rest, 0), half(rest, 1)), rest[0]);
    }
    // 2019's, strongest first
    const of2019 = [20, 13, 26, 16, 27, 15, 21, 22, 6, 11, 9, 4, 3, 10, 5, 7, 12, 19, 17, 18, 24, 14, 23, 25];
    assert.deepEqual(
      PRIORITY.filter((id) => of2019.includes(id)),
      of2019,
    );
  });

  test('ids of 4.0 and 4.2', () => {
    const names4 = [
      ['normal', 'blacklisted', 'blacklisted_country', 'blocked', 'data_exfiltration', 'device_protocol_not_allowed'],
      ['dns_data_exfiltration', 'dns_invalid_query', 'elephant_local_to_remote', 'elephant_remote_to_local', 'external_alert', 'longlived'],
      ['low_goodput', 'malicious_signature', 'not_purged', 'potentially_dangerous', 'remote_to_remote', 'suspicious_tcp_probing'],
      ['suspicious_tcp_syn_probing', 'tcp_connection_issues', 'tcp_connection_refused', 'tcp_severe_connection_issues'],
      ['tls_certificate_expired', 'tls_certificate_mismatch', 'tls_old_protocol_version', 'tls_unsafe_ciphers', 'udp_unidirectional'],
      ['web_mining_detected', 'tls_certificate_selfsigned', 'suspicious_file_transfer', 'known_proto_on_non_std_port', 'flow_risk'],
      ['unexpected_dhcp_server', 'unexpected_dns_server', 'unexpected_smtp_server', 'unexpected_ntp_server'],
    ].flat();
    const renamed: Readonly<Record<string, string>> = {
      ids_alert: 'external_alert',
      ssl_certificate_mismatch: 'tls_certificate_mismatch',
      ssl_old_protocol_version: 'tls_old_protocol_version',
      ssl_unsafe_ciphers: 'tls_unsafe_ciphers',
    };
    for (const status of STATUSES) {
      const { name } = status;
      const short = name.replace(/^status_/, '');
      const ofUser = /^user_0(\d)$/.exec(short)?.[1];
      const id = ofUser === undefined ? names4.indexOf(renamed[short] ?? short) : 58 + Number(ofUser);
      assert.equal(idIn('4.2', status) ?? -1, id, name);
      assert.equal(idIn('4.0', status) ?? -1, id >= 28 && id <= 35 ? -1 : id, `${name}: 28 to 35 came with 4.2`);
      assert.equal(idIn('2019', status), status.id, name);
    }
  });

  test('severity, alert type and preference of each', () => {
    const of = (ids: readonly number[], severity: string, type: string, alert: boolean | string): void => {
      for (const id of ids) {
        const status = statusById.get(id);
        assert.deepEqual([status?.severity, status?.alertType, status?.alert], [severity, type, alert], `status ${id}`);
      }
    };
    of([1, 2, 3, 4, 6, 22], 'warning', 'alert_connection_issues', false);
    of([5, 7, 9], 'warning', 'suspicious_activity', 'probing_alerts');
    of([8], 'warning', '', false);
    of([10, 23, 25], 'warning', 'potentially_dangerous_protocol', 'ssl_alerts');
    of([11], 'warning', 'suspicious_activity', 'dns_alerts');
    of([12], 'warning', 'remote_to_remote', 'remote_to_remote_alerts');
    of([13], 'error', 'flow_blacklisted', 'host_blacklist');
    of([14], 'info', 'flow_blocked', 'dropped_flows_alerts');
    of([15], 'warning', 'web_mining', 'mining_alerts');
    of([16], 'warning', 'alert_device_protocol_not_allowed', 'device_protocols_alerts');
    of([17, 18], 'warning', 'flow_misbehaviour', 'elephant_flows_alerts');
    of([19], 'warning', 'flow_misbehaviour', 'longlived_flows_alerts');
    of([20], 'warning', 'alert_connection_issues', true);
    of([21], 'warning', 'ids_alert', 'ids_alerts');
    of([24], 'warning', 'flow_misbehaviour', 'data_exfiltration_alerts');
    of([26], 'error', 'potentially_dangerous_protocol', 'potentially_dangerous_protocols_alerts');
    of([27], 'warning', 'malicious_signature', 'host_blacklist');
    of([28, 29], 'error', 'potentially_dangerous_protocol', 'ssl_alerts');
    of([30], 'info', 'flow_misbehaviour', 'udp_unidirectional_alerts');
    of([31], 'info', 'suspicious_activity', 'non_standard_port_alerts');
    of([32], 'error', 'suspicious_activity', 'file_transfer_alerts');
    of([33], 'warning', 'suspicious_activity', 'flow_risk_alerts');
    of([34, 35, 36, 37], 'error', 'suspicious_activity', 'unexpected_server_alerts');
    of([38], 'error', 'flow_misbehaviour', 'data_exfiltration_alerts');
    of([39], 'error', 'blacklisted_country', false);
  });
});

describe('alerts of the core', () => {
  const bad: StatusPlayOptions = { policy: { lists: lists({ lines: SERVER }) } };
  const ticks = (...seconds: readonly number[]): TimedFrame[] => seconds.map((at) => datagram(at));
  const prefs = (at: number, changed: Partial<Preferences>): Change => ({
    at,
    make: (engine) => engine.configure({ preferences: withPreferences(changed) }),
  });

  test('one a flow, at the visit; the flow is alerted in later events', () => {
    const { events, counter } = watch([...ticks(1, 11, 21), until(100)], bad);
    const own = events.filter(({ flow }) => flow === 1);
    assert.deepEqual(
      own.map(({ at, alert }) => (alert === undefined ? [at] : [at, alert.forStatus])),
      [[5, 13], [10], [85]],
    );
    assert.deepEqual(
      own.map(({ line }) => line['flow.alerted']),
      [undefined, true, true],
    );
    assert.deepEqual(
      own.map(({ line }) => line.alerted_status),
      [undefined, 13, 13],
    );
    assert.equal(counter('alerts.core'), 2, 'and one of the later flow');
    assert.equal(own[0]?.alert?.type, 'flow_blacklisted');
    assert.equal(own[0]?.alert?.severity, 'error');
  });

  test('for the predominant status alone: a weaker one whose preference is on raises none', () => {
    const both = { preferences: { longlived_flow_duration: 5 }, policy: { lists: lists({ lines: SERVER, category: 99 }) } };
    const frames = [...ticks(1, 11), until(100)];
    const first = (options: StatusPlayOptions): unknown =>
      watch(frames, options).events.find(({ alert }) => alert !== undefined)?.alert?.forStatus;
    assert.equal(first({ preferences: both.preferences }), 19);
    assert.equal(first(both), 15);
    const quiet = { ...both, preferences: { ...both.preferences, mining_alerts: false } };
    assert.equal(first(quiet), undefined);
  });

  test('switched off, all or one', () => {
    assert.equal(watch(ticks(1, 11), { ...bad, preferences: { disable_alerts_generation: true } }).counter('alerts.core'), 0);
    assert.equal(watch(ticks(1, 11), { ...bad, preferences: { host_blacklist: false } }).counter('alerts.core'), 0);
    assert.equal(watch(ticks(1), {}).counter('alerts.core'), 0, 'status 30 is off by default');
  });

  test('switched on in mid-run: at the next visit, in an event without callbacks', () => {
    const { events, counter } = watch([...ticks(1), until(31)], { changes: [prefs(21, { udp_unidirectional_alerts: true })] });
    const [alerted] = events.filter(({ alert }) => alert !== undefined);
    assert.equal(alerted?.at, 25);
    assert.deepEqual(alerted?.callbacks, []);
    assert.equal(alerted?.line['flow.alerted'], undefined);
    assert.equal(counter('alerts.core'), 2, 'that of the later flow too');
  });

  test('the preferences that the guide names are there, and take what it gives them', () => {
    const guide = readFileSync(new URL('../../docs/guides/statuses.md', import.meta.url), 'utf8');
    const given = [...guide.matchAll(/(?:prefs set |--pref )(\w+)[ =]([\w./:]+)/g)].map(([, name = '', value = '']) => ({ name, value }));
    assert.ok(given.length >= 3);
    for (const { name, value } of given) assert.ok(isPreference(name) && preferenceValue(name, value) !== undefined, name);
    for (const [, name = ''] of guide.matchAll(/`(\w+_(?:alerts|bytes|duration|servers|blacklist|generation))`/g))
      assert.ok(isPreference(name), name);
  });

  const raised = (frames: readonly TimedFrame[], options: StatusPlayOptions): unknown =>
    watch(frames, options).events.findLast(({ flow, alert }) => flow === 1 && alert !== undefined)?.alert?.forStatus;

  test('each alert about a later status by its preference', () => {
    const servers = { dhcp_servers: '10.0.0.53', dns_servers: '10.0.0.53', ntp_servers: '10.0.0.53', smtp_servers: '10.0.0.53' };
    const time = [datagram(1, ntp, { fromPort: 123, toPort: 123 })];
    const cases: readonly [id: number, frames: readonly TimedFrame[], preference: keyof Preferences][] = [
      [28, tlsFlow({ notAfter: START_S }), 'ssl_alerts'],
      [29, tlsFlow({ common: 'a.example', selfSigned: true }), 'ssl_alerts'],
      [30, [datagram(1)], 'udp_unidirectional_alerts'],
      [31, tlsFlow({ serverPort: 9999 }), 'non_standard_port_alerts'],
      [32, program(), 'file_transfer_alerts'],
      [33, tlsFlow(), 'flow_risk_alerts'],
      [34, [offer('10.0.0.66')], 'unexpected_server_alerts'],
      [35, [ask(1, 'a.example')], 'unexpected_server_alerts'],
      [36, time, 'unexpected_server_alerts'],
      [37, mail(), 'unexpected_server_alerts'],
      [38, [ask(1, `${'x'.repeat(60)}.example.org`, { to: '10.0.0.53' })], 'data_exfiltration_alerts'],
    ];
    for (const [id, frames, preference] of cases) {
      assert.equal(raised(frames, { preferences: { ...servers, [preference]: true } }), id);
      assert.equal(raised(frames, { preferences: { ...servers, [preference]: false } }), undefined, `${id}: ${preference}`);
    }
    // every one of them has a case
    assert.deepEqual(
      STATUSES.filter(({ id, condition }) => id >= 28 && condition !== undefined).map(({ id }) => id),
      cases.map(([id]) => id),
    );
  });

  test('each alert of 2019 by its preference', () => {
    const remote = [datagram(1, 'x', { from: REMOTE, to: '203.0.113.9' })];
    assert.equal(raised(remote, {}), undefined);
    assert.equal(raised(remote, { preferences: { remote_to_remote_alerts: true } }), 12);
    assert.equal(raised([segment(1, SYN)], { preferences: { probing_alerts: true } }), 5);
    assert.equal(raised(tlsFlow({ version: 0x0301 }), { preferences: { ssl_alerts: true } }), 25);
    assert.equal(raised([ask(1, '\x01.example')], { preferences: { dns_alerts: true } }), 11);
    assert.equal(raised([ask(1, `${'x'.repeat(60)}.example.org`)], {}), 38);
  });
});

describe('changes while it runs', () => {
  const every = (seconds: number, count: number, of = (at: number): TimedFrame => datagram(at)): TimedFrame[] =>
    Array.from({ length: count }, (_, i) => of(1 + i * seconds));
  const take = (at: number, policy: Parameters<Parameters<Change['make']>[0]['configure']>[0]): Change => ({
    at,
    make: (engine) => engine.configure(policy),
  });

  test('a list with the address comes and goes: status, flag and category, at the next visit', () => {
    const changes = [take(11, { lists: lists({ lines: SERVER }) }), take(21, { lists: lists() })];
    for (const [first, detected] of [
      [datagram(1), 10],
      [ask(1, 'a.example'), 5],
    ] as const) {
      const { events } = watch([first, until(40)], { changes });
      const own = events.filter(({ flow }) => flow === 1);
      assert.deepEqual(changesOf(events), [`${detected}: 30`, '15: 13 30', '25: 30']);
      const before = own[0]?.line['proto.ndpi_cat'];
      assert.deepEqual(
        own
          .filter(({ callbacks }) => callbacks.includes('statusChanged'))
          .map(({ line }) => [line['srv.blacklisted'], line['proto.ndpi_cat']]),
        [
          [false, before],
          [true, 'Malware'],
          [false, own.at(-1)?.line['proto.ndpi_cat']],
        ],
      );
    }
  });

  test('a list with the name, with JA3', () => {
    const named = [take(11, { lists: lists({ lines: 'bad.example' }) }), take(21, { lists: lists() })];
    assert.deepEqual(changesOf(watch([ask(1, 'www.bad.example'), until(40)], { changes: named }).events), ['5: 30', '15: 13 30', '25: 30']);
    const hash = String(watch(tlsFlow()).events.at(-1)?.line['protos.tls.ja3.client_hash']);
    const ja3 = [take(11, { lists: lists({ lines: `${hash},x`, format: 'ja3_suricata_csv' }) }), take(21, { lists: lists() })];
    const { events } = watch([...tlsFlow(), until(40)], { changes: ja3 });
    const told = changesOf(events);
    assert.equal(told.length, 3, told.join('; '));
    assert.match(told[1] ?? '', /^15: .*\b27\b/);
    assert.doesNotMatch(told[2] ?? '', /\b27\b/);
  });

  test('thresholds', () => {
    const changes = [
      take(21, { preferences: withPreferences({ longlived_flow_duration: 5 }) }),
      take(31, { preferences: withPreferences({ longlived_flow_duration: 50 }) }),
    ];
    assert.deepEqual(changesOf(watch([...every(6, 3), until(40)], { changes }).events), ['20: 30', '25: 19 30', '35: 30']);
  });

  test('maximum idleness, at the next visit', () => {
    const changes = [take(21, { preferences: withPreferences({ flow_max_idle: 10 }) })];
    const { events } = watch([datagram(1), until(60)], { changes });
    assert.equal(events.find(({ flow, callbacks }) => flow === 1 && callbacks.includes('idle'))?.at, 25);
  });

  test('the visit period', () => {
    const changes = [take(21, { preferences: withPreferences({ housekeeping_frequency: 2 }) })];
    const { events } = watch([datagram(1), ask(21, 'a.example', { fromPort: 9 }), until(60)], { changes });
    assert.equal(events.find(({ flow }) => flow === 2)?.at, 22);
  });

  test('device types and expected servers', () => {
    const devices = readDevices(`device desk: ${CLIENT}\nforbid desk client: DNS`, 'p');
    const changes = [
      take(11, { devices }),
      take(21, { preferences: withPreferences({ dns_servers: '10.0.0.53' }) }),
      take(31, { devices: readDevices('', '') }),
    ];
    assert.deepEqual(changesOf(watch([ask(1, 'a.example'), until(45)], { changes }).events), [
      '5: 30',
      '15: 16 30',
      '25: 16 30 35',
      '35: 30 35',
    ]);
  });

  test('two changes before a visit are both taken over', () => {
    const changes = [take(11, { lists: lists({ lines: SERVER }) }), take(12, { preferences: withPreferences({ host_blacklist: false }) })];
    const { events, counter } = watch([datagram(1), until(20)], { changes });
    assert.deepEqual(changesOf(events), ['10: 30', '15: 13 30']);
    assert.equal(counter('alerts.core'), 0);
  });
});
