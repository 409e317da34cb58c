/** The life of a flow, sequence by sequence, on packet time with the real nDPI. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ACK, ethernet, FIN, icmp, ipv4, ipv6, PSH, SYN, tcp, udp } from '../support/packets.ts';
import { type PlayedEvent, play, type TimedFrame } from '../support/play.ts';

const CLIENT = '10.0.0.1';
const SERVER = '10.0.0.2';

/** One TCP segment between two hosts; `back` from server to client. */
const segment = (
  at: number,
  flags: number,
  options: { back?: boolean; seq?: number; ack?: number; data?: string; port?: number } = {},
): TimedFrame => {
  const client = options.port ?? 40000;
  const [from, to] = options.back ? [443, client] : [client, 443];
  const [source, target] = options.back ? [SERVER, CLIENT] : [CLIENT, SERVER];
  const layer = tcp({ from, to, flags, seq: options.seq ?? 0, ack: options.ack ?? 0 }, options.data ?? '');
  return { at, bytes: ethernet({}, ipv4({ from: source, to: target }, layer)) };
};

/** Status 30: UDP without an answer. */
const NO_ANSWER = 1 << 30;
const REMOTE_TO_REMOTE = 1 << 12;

const datagram = (at: number, data = 'hello', options: { from?: string; to?: string; port?: number; back?: boolean } = {}): TimedFrame => {
  const client = options.port ?? 50000;
  const ends = { from: options.from ?? CLIENT, to: options.to ?? SERVER };
  const [from, to] = options.back ? [ends.to, ends.from] : [ends.from, ends.to];
  return { at, bytes: ethernet({}, ipv4({ from, to }, udp(options.back ? { from: 7777, to: client } : { from: client, to: 7777 }, data))) };
};

const handshake = (at: number): TimedFrame[] => [
  segment(at, SYN, { seq: 100 }),
  segment(at + 0.01, SYN | ACK, { back: true, seq: 500, ack: 101 }),
  segment(at + 0.02, ACK, { seq: 101, ack: 501 }),
];

/** `callback@second` of each event of a flow. */
const calls = (events: readonly PlayedEvent[], flow = 1): string[] =>
  events.filter((event) => event.flow === flow).flatMap((event) => event.callbacks.map((name) => `${name}@${event.at}`));

test('a single unknown datagram: given up after 5 s of silence, idle after 60 s', () => {
  const { events } = play([datagram(1), datagram(100, 'later', { port: 1 })]);
  // silence is measured at visits, and must be over the limit: 10 - 1 > 5, 65 - 1 > 60
  // nobody answers: status 30, which waits for the protocol
  assert.deepEqual(calls(events), ['protocolDetected@10', 'statusChanged@10', 'idle@65']);
});

test('idle never comes earlier than the rule allows', () => {
  const { events } = play([datagram(5), datagram(200, 'x', { port: 1 })]);
  assert.deepEqual(calls(events).at(-1), 'idle@70', 'at 65 the silence is 60 s, not over 60 s');
});

test('a SYN without answer: detection is given up after 5 s, the flow ends after 15 s', () => {
  const { events } = play([segment(1, SYN), datagram(100)]);
  assert.deepEqual(calls(events), ['protocolDetected@10', 'statusChanged@20', 'idle@20']);
  assert.equal(events.find((event) => event.flow === 1 && event.at === 20)?.status, 1 << 5);
});

test('a finished connection ends after 15 s, an open one after 60 s', () => {
  const open = play([...handshake(1), datagram(100)]);
  assert.equal(calls(open.events).at(-1), 'idle@65');
  const closed = play([...handshake(1), segment(2, FIN | ACK, { seq: 101 }), datagram(100)]);
  assert.equal(calls(closed.events).at(-1), 'idle@20');
});

test('a SYN with ECN bits is a handshake too (RFC 3168)', () => {
  const frames = [
    segment(1, SYN | 0xc0, { seq: 100 }),
    segment(1.01, SYN | ACK | 0x40, { back: true, seq: 500, ack: 101 }),
    segment(1.02, ACK, { seq: 101, ack: 501 }),
    datagram(100),
  ];
  assert.equal(calls(play(frames).events).at(-1), 'idle@65');
});

test('the same endpoints after idle are a new flow', () => {
  const { events, counter } = play([datagram(1), datagram(120)]);
  assert.equal(counter('flows.created'), 2);
  assert.deepEqual(calls(events, 2), ['protocolDetected@120', 'statusChanged@120', 'idle@120'], 'the end of the file is the last visit');
  assert.equal(events.at(-1)?.end, 'end of file');
});

test('periodicUpdate: first on the flow’s own duration, then on the visits’ clock', () => {
  const frames = Array.from({ length: 19 }, (_, i) => datagram(1 + i * 50, 'tick'));
  const { events } = play(frames);
  const periodic = calls(events).filter((call) => call.startsWith('periodicUpdate'));
  // duration reaches 300 s with the packet at 301, the next visit is at 305; then every 300 s
  assert.deepEqual(periodic, ['periodicUpdate@305', 'periodicUpdate@605']);
});

test('visits between packets happen even where the capture is silent', () => {
  const { events, counter } = play([datagram(1), datagram(1000)]);
  assert.deepEqual(calls(events), ['protocolDetected@10', 'statusChanged@10', 'idle@65']);
  // at 5, 10 … 65; then the table is empty and the clock jumps to the next packet; then the last visit
  assert.equal(counter('visits'), 14);
});

test('a visit sees its own numbers: *.last since the previous visit, throughput over it', () => {
  const size = datagram(1).bytes.length;
  const frames = [1, 6, 7, 8, 303, 304].map((at) => datagram(at, 'hello', { from: '198.51.100.7', to: '203.0.113.9' }));
  const { events } = play(frames, { maxIdle: 3600, preferences: { longlived_flow_duration: 5 } });
  const status = events.find((event) => event.callbacks.includes('statusChanged') && event.at > 5);
  assert.equal(status?.at, 10, 'seven seconds after the first packet the flow is long-lived');
  assert.equal(status?.status, REMOTE_TO_REMOTE | (1 << 19));
  assert.equal(status?.statusBefore, REMOTE_TO_REMOTE);
  assert.equal(status?.lastBytes, 3 * size);
  assert.equal(status?.rate, Math.fround((3 * size) / 5));
  assert.equal(status?.trend, 1);
});

test('remote to remote and blacklists set their bits at the first visit', () => {
  const file = join(tmpdir(), `flowpatrol-blacklist-${process.pid}.txt`);
  writeFileSync(file, '# bad\n203.0.113.0/24\n');
  const { events } = play([datagram(1, 'x', { from: '198.51.100.7', to: '203.0.113.9' })], { blacklists: [file] });
  assert.equal(events.at(-1)?.status, NO_ANSWER | REMOTE_TO_REMOTE | (1 << 13));
  const multicast = play([datagram(1, 'x', { from: '198.51.100.7', to: '239.1.1.1' })]);
  assert.equal(multicast.events.at(-1)?.status, 0, 'multicast is nobody’s remote host');
});

test('a host name on a blacklist, or below one, sets the bit of the flow that asks for it', () => {
  const file = join(tmpdir(), `flowpatrol-names-${process.pid}.txt`);
  writeFileSync(file, 'example.org\n');
  const question = (name: string): string =>
    `\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00${name
      .split('.')
      .map((label) => String.fromCharCode(label.length) + label)
      .join('')}\x00\x00\x01\x00\x01`;
  const ask = (at: number, name: string, port: number): TimedFrame => ({
    at,
    bytes: ethernet({}, ipv4({ from: CLIENT, to: SERVER }, udp({ from: port, to: 53 }, question(name)))),
  });
  const { events } = play([ask(1, 'www.example.org', 1001), ask(1.1, 'www.example.net', 1002)], { blacklists: [file] });
  const status = (port: number): number | undefined => events.findLast((event) => event.clientPort === port)?.status;
  assert.equal(status(1001), NO_ANSWER | (1 << 13));
  assert.equal(status(1002), NO_ANSWER);
});

test('elephants: by direction, and only between local and remote', () => {
  const preferences = { elephant_flow_local_to_remote_bytes: 100, elephant_flow_remote_to_local_bytes: 1000 };
  const up = play([datagram(1, 'x'.repeat(200), { to: '198.51.100.1' })], { preferences });
  assert.equal(up.events.at(-1)?.status, NO_ANSWER | (1 << 17));
  const inside = play([datagram(1, 'x'.repeat(200))], { preferences });
  assert.equal(inside.events.at(-1)?.status, NO_ANSWER);
});

test('TCP problems: retransmitted, out of order, lost, keep-alive', () => {
  const data = (at: number, seq: number, text: string): TimedFrame => segment(at, ACK | PSH, { seq, ack: 501, data: text });
  const { events } = play([
    ...handshake(1),
    data(1.1, 101, 'aaaaaaaaaa'),
    data(1.2, 101, 'aaaaaaaaaa'), // again: retransmitted
    data(1.3, 121, 'cccccccccc'), // 111-120 are missing: a gap
    data(1.301, 111, 'bbbbbbbbbb'), // they come 1 ms later: out of order
    segment(1.9, ACK, { seq: 130, ack: 501, data: 'c' }), // next - 1, one byte: keep-alive
  ]);
  assert.deepEqual(events.at(-1)?.problems, [
    [1, 1, 1, 1],
    [0, 0, 0, 0],
  ]);
});

test('application latency: from the latest request to the first answer', () => {
  const { events } = play([
    ...handshake(1),
    segment(1.1, ACK | PSH, { seq: 101, data: 'GET' }),
    segment(1.2, ACK | PSH, { seq: 104, data: ' /' }),
    segment(1.25, ACK | PSH, { back: true, seq: 501, data: 'ok' }),
    segment(1.9, ACK | PSH, { back: true, seq: 503, data: 'more' }),
  ]);
  assert.equal(events.at(-1)?.answerUs, 50_000);
});

test('a full table: the longest silent flow ends early, with its callbacks, and is counted', () => {
  const frames = Array.from({ length: 12 }, (_, i) => datagram(1 + i / 10, 'x', { port: 1000 + i }));
  const { events, counter } = play(frames, { maxFlows: 8 });
  assert.ok(counter('flows.evicted') >= 4);
  const evicted = events.filter((event) => event.end === 'table full');
  assert.equal(evicted.length, counter('flows.evicted'));
  assert.equal(evicted[0]?.clientPort, 1000, 'the oldest goes first');
  assert.deepEqual(evicted[0]?.callbacks, ['protocolDetected', 'statusChanged', 'idle']);
  assert.equal(counter('flows.ended'), 12);
});

test('an ICMP error “port unreachable” is a flow of its own, an echo another', () => {
  const echo = { at: 1, bytes: ethernet({}, ipv4({ from: CLIENT, to: SERVER }, icmp({ type: 8 }, 'ping'))) };
  const embedded = ipv4({ from: SERVER, to: CLIENT }, udp({ from: 9, to: 10 }, 'data'));
  const error = { at: 1.1, bytes: ethernet({}, ipv4({ from: CLIENT, to: SERVER }, icmp({ type: 3, code: 3 }, embedded))) };
  assert.equal(play([echo, error]).counter('flows.created'), 2);
  assert.equal(play([echo, { ...echo, at: 2 }]).counter('flows.created'), 1);
});

test('IPv6 flows of different hosts stay apart, both directions are one flow', () => {
  const six = (at: number, from: string, to: string, a: number, b: number): TimedFrame => ({
    at,
    bytes: ethernet({}, ipv6({ from, to }, udp({ from: a, to: b }, 'six'))),
  });
  const { events, counter } = play([
    six(1, 'fd00::1', 'fd00::2', 1000, 2000),
    six(1.1, 'fd00::2', 'fd00::1', 2000, 1000),
    six(1.2, 'fd00::1', 'fd00::3', 1000, 2000),
  ]);
  assert.equal(counter('flows.created'), 2);
  assert.deepEqual(events.find((event) => event.flow === 1)?.packets, [1, 1]);
});

test('the same packets in any batches give the same events', () => {
  const frames = [...handshake(1), ...Array.from({ length: 40 }, (_, i) => datagram(1.05 + i * 7.3, 'x', { port: 1000 + (i % 5) }))];
  frames.sort((x, y) => x.at - y.at);
  const whole = play(frames).events;
  for (const cut of [1, 2, 7, 31]) assert.deepEqual(play(frames, { cut }).events, whole, `batches of ${cut}`);
});
