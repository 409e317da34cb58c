/**
 * Statistics of real captures against values that are computed from the packets in the obvious way.
 *
 * The test reads classic pcap files itself (Ethernet, one VLAN tag, IPv4, IPv6, TCP, UDP; no fragments, no tunnels) and compares each flow
 * whose packets are all of that kind with the line that would be exported about it: counters, lengths, inter-arrival times, latencies;
 * and throughput with its trend, from the counters that the events before it show.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CAPTURES } from '../support/golden.ts';
import { exportCapture } from '../support/run-capture.ts';

interface Seen {
  /** µs. */
  readonly time: number;
  readonly from: string;
  readonly to: string;
  readonly l4: 'TCP' | 'UDP';
  readonly wire: number;
  readonly payload: number;
  readonly flags: number;
}

type Line = Readonly<Record<string, number>>;
const parse = (line: string): Line => JSON.parse(line);

const ip6 = (bytes: Buffer): string => bytes.toString('hex');

/** Packets of a classic pcap file of little-endian µs; undefined for what is not read. */
function readPcap(path: string): (Seen | undefined)[] {
  const file = readFileSync(path);
  assert.equal(file.readUInt32LE(0), 0xa1b2c3d4, 'a classic pcap file');
  const packets: (Seen | undefined)[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const time = file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4);
    const captured = file.readUInt32LE(at + 8);
    packets.push(readFrame(file.subarray(at + 16, at + 16 + captured), time, file.readUInt32LE(at + 12)));
    at += 16 + captured;
  }
  return packets;
}

function readFrame(frame: Buffer, time: number, wire: number): Seen | undefined {
  const type = frame.readUInt16BE(12);
  const isV4 = type === 0x0800;
  if (!isV4 && type !== 0x86dd) return undefined;
  const ip = frame.subarray(14);
  if (isV4 && (ip.readUInt16BE(6) & 0x3fff) !== 0) return undefined;
  const l4 = { 6: 'TCP', 17: 'UDP' }[isV4 ? ip[9] : ip[6]] as 'TCP' | 'UDP' | undefined;
  if (l4 === undefined) return undefined;
  const header = isV4 ? (ip[0] & 15) * 4 : 40;
  const end = isV4 ? ip.readUInt16BE(2) : 40 + ip.readUInt16BE(4);
  const [source, target] = isV4 ? [ip.subarray(12, 16), ip.subarray(16, 20)] : [ip.subarray(8, 24), ip.subarray(24, 40)];
  const segment = ip.subarray(header, end);
  const text = (bytes: Buffer): string => (isV4 ? bytes.join('.') : ip6(bytes));
  return {
    ...{ time, wire, l4 },
    from: `${text(source)} ${segment.readUInt16BE(0)}`,
    to: `${text(target)} ${segment.readUInt16BE(2)}`,
    payload: segment.length - (l4 === 'TCP' ? (segment[12] >> 4) * 4 : 8),
    flags: l4 === 'TCP' ? segment[13] : 0,
  };
}

const expand = (ip: string): string => {
  if (!ip.includes(':')) return ip;
  const [head, tail] = ip.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const words = tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return words.map((word) => word.padStart(4, '0')).join('');
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);
const deviation = (values: readonly number[]): number => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

const near = (actual: unknown, expected: number, about: string): void => {
  const close = typeof actual === 'number' && Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected));
  assert.ok(close, `${about}: ${String(actual)}, computed ${expected}`);
};

function checkDirection(line: Line, prefix: string, packets: readonly Seen[]): void {
  const lengths = packets.map(({ wire }) => wire);
  const gaps = packets.flatMap(({ time, flags }, i) => {
    const ms = i === 0 ? 0 : Math.floor((time - packets[i - 1].time) / 1000);
    return ms > 0 && (flags & 7) === 0 ? [ms] : [];
  });
  const expected = {
    bytes: sum(lengths),
    packets: packets.length,
    goodput_bytes: sum(packets.map(({ payload }) => payload)),
    'pkt_len.min': lengths.length === 0 ? 0 : Math.min(...lengths),
    'pkt_len.max': Math.max(0, ...lengths),
    'pkt_len.avg': Math.trunc(mean(lengths)),
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(line[`${prefix}.${key}`], value, `${prefix}.${key}`);
  assert.ok(Math.abs(line[`${prefix}.pkt_len.stddev`] - deviation(lengths)) <= 1, `${prefix}.pkt_len.stddev`);
  const arrival = line[`interarrival.${prefix}`] as unknown as Line;
  near(arrival.min, gaps.length === 0 ? 0 : Math.min(...gaps), 'shortest gap');
  near(arrival.max, Math.max(0, ...gaps), 'longest gap');
  near(arrival.avg, mean(gaps), 'mean gap');
  near(arrival.stddev, deviation(gaps), 'deviation of the gaps');
}

/** Lifecycle 12.5: halves of the handshake's steps, and the wait for the first answer, ms. */
function checkLatencies(line: Line, packets: readonly Seen[]): void {
  const client = packets[0].from;
  const fromClient = (packet: Seen): boolean => packet.from === client;
  const syn = packets.find((packet) => fromClient(packet) && (packet.flags & 0x3f) === 2);
  const synAck = packets.find((packet) => !fromClient(packet) && (packet.flags & 0x3f) === 18);
  const over = packets.findIndex(({ flags }) => (flags & 0x3f) !== 2 && (flags & 0x3f) !== 18);
  const ack = over >= 0 && (packets[over].flags & 0x3f) === 16 && syn && synAck ? packets[over] : undefined;
  near(line['tcp.nw_latency.server'], syn && synAck ? (synAck.time - syn.time) / 2000 : 0, 'latency of the server');
  near(line['tcp.nw_latency.client'], synAck && ack ? (ack.time - synAck.time) / 2000 : 0, 'latency of the client');
  const answer = packets.findIndex(
    (packet, i) => !fromClient(packet) && packet.payload > 0 && packets.slice(0, i).some((other) => fromClient(other) && other.payload > 0),
  );
  const request = packets.slice(0, Math.max(0, answer)).findLast((packet) => fromClient(packet) && packet.payload > 0);
  near(line['tcp.appl_latency'], request === undefined ? 0 : (packets[answer].time - request.time) / 1000, 'latency of the application');
}

/** Bytes of the packets in the period that ends with the visit at `time`, per second; the trend against the period before. */
function checkThroughput(event: Line, packets: readonly Seen[], period: number): void {
  const at = Math.round(event.time * 1e6);
  const rate = (end: number): number => {
    const first = Math.floor(packets[0].time / period) * period + period; // the first visit only begins to count
    if (end <= first) return 0;
    return (sum(packets.filter(({ time }) => time >= end - period && time < end).map(({ wire }) => wire)) * 1e6) / period;
  };
  near(event.throughput_bps, rate(at), `throughput at ${event.time}`);
  if (rate(at) === rate(at - period)) return;
  assert.equal(event.throughput_trend_bps, rate(at) > rate(at - period) ? 1 : 2, `trend at ${event.time}`);
}

const keyOf = (l4: string, ends: readonly string[]): string => `${l4} ${[...ends].sort().join(' ')}`;
const PERIOD = 1e6;

describe('statistics of real captures', () => {
  for (const capture of [
    'demo',
    'http-dns',
    'ipv6',
    'irc',
    'lost-segment',
    'quic',
    'retransmissions',
    'ssh-icmp',
    'tls-1.1',
    'windows-network',
  ]) {
    it(capture, () => {
      const path = `${CAPTURES}${capture}.pcap`;
      const flows = Map.groupBy(
        readPcap(path).filter((packet) => packet !== undefined),
        ({ l4, from, to }) => keyOf(l4, [from, to]),
      );
      const run = exportCapture(path, { visitPeriod: PERIOD / 1e6 });
      const lines = run.flows.map(parse);
      const key = (line: Readonly<Record<string, unknown>>): string =>
        keyOf(
          String(line['proto.l4']),
          ['cli', 'srv'].map((end) => `${expand(String(line[`${end}.ip`]))} ${line[`${end}.port`]}`),
        );
      const byKey = Map.groupBy(lines, key);
      let checked = 0;
      for (const [name, packets] of flows) {
        const of = byKey.get(name) ?? [];
        // the same ends again after an end, other tunnels or fragments: not what this reader can tell apart
        if (of.length !== 1 || of[0].packets !== packets.length || packets.some(({ time }, i) => i > 0 && time < packets[i - 1].time))
          continue;
        const client = packets[0].from;
        checkDirection(
          of[0],
          'cli2srv',
          packets.filter(({ from }) => from === client),
        );
        checkDirection(
          of[0],
          'srv2cli',
          packets.filter(({ from }) => from !== client),
        );
        if (packets[0].l4 === 'TCP') checkLatencies(of[0], packets);
        for (const line of run.events) {
          const event = parse(line);
          if (key(event) === name && !line.includes('"flow.end_reason":"end of file"')) checkThroughput(event, packets, PERIOD);
        }
        checked++;
      }
      assert.ok(checked > 0 && checked >= flows.size * 0.7, `${checked} of ${flows.size} flows could be checked`);
    });
  }
});
