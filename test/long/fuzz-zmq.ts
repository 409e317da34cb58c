/**
 * Fuzzing of the ZMQ reader: messages of probes, mutated, into the decoder and into the wire protocol. Nothing may be thrown, every
 * message must be counted once, records must be clean, memory bounded.
 *
 *   node test/long/fuzz-zmq.ts                                   4 million messages
 *   node test/long/fuzz-zmq.ts --messages 100000 --seed 7
 *
 * Bodies are mutated before they are compressed, too, so that zlib does not keep the mutations from the readers. The short form is
 * test/records/zmq/fuzz.test.ts.
 */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { FlowRecord } from '../../src/records/flow-record.ts';
import { ZMQ_COUNTERS, zmqCounter } from '../../src/records/zmq/counters.ts';
import { createZmqDecoder } from '../../src/records/zmq/decoder.ts';
import { TOPICS } from '../../src/records/zmq/header.ts';
import { createZmtpPeer } from '../../src/records/zmq/zmtp.ts';
import { afterNul, header, type Layout, zlib } from '../records/zmq/encode.ts';
import { AGENT, COUNTER_JSON, LISTENING_PORTS, SNMP_INTERFACES, VECTORS } from '../records/zmq/vectors.ts';

export interface FuzzResult {
  readonly messages: number;
  readonly records: number;
  readonly rejected: Readonly<Record<string, number>>;
  /** CPU time of the slowest message, with collections of garbage. */
  readonly slowestMs: number;
  /** Growth of heap and buffers from the first tenth to the end. */
  readonly grownMiB: number;
  readonly seconds: number;
}

const BASE = 1_700_000_020e6;

/** mulberry32 (public domain): numbers from 0 to 1. */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const BODIES: Buffer[] = [
  ...Object.values(VECTORS).map(({ payload }) => payload),
  ...[AGENT, COUNTER_JSON, LISTENING_PORTS, SNMP_INTERFACES].map((text) => Buffer.from(text)),
  Buffer.from(
    '{"8":"192.0.2.1","json":"{\\"a\\":[1,{\\"b\\":null}]}","57660":"\\u00e9\\ud83d\\ude00","57981":18446744073709551615,"1":-5e-3}',
  ),
];
/** What breaks readers: numbers at their limits, beginnings and ends of everything. */
const TOKENS = [
  ...['"', '\\', '\\u', '\\ud83d', '{', '}', '[', ']', ',', ':', '-', '1e309', '99999999999999999999', 'null', '\0', '\n', '[[[[[[[[[['],
  ...['\xff\xff\xff\xff', '\x7f\xff', '\x80\x00', '\x01\x01', '\x2b', '\xbb\xff\xff', '\x25', '\x29', '\x2c\x01', '\x0d', '\x78\x9c'],
].map((text) => Buffer.from(text, 'latin1'));

/** @throws AssertionError when something is not as it must be */
export async function fuzzZmq({ messages, seed }: { messages: number; seed: number }): Promise<FuzzResult> {
  const next = random(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)];

  const mutate = (bytes: Buffer): Buffer => {
    let out = Buffer.from(bytes);
    for (let times = below(4); times > 0; times--) {
      const at = below(out.length + 1);
      switch (below(7)) {
        case 0:
          if (at < out.length) out[at] ^= 1 << below(8);
          break;
        case 1:
          if (at < out.length) out[at] = below(256);
          break;
        case 2:
          out = out.subarray(0, at);
          break;
        case 3:
          out = Buffer.concat([out.subarray(0, at), pick(TOKENS), out.subarray(at)]);
          break;
        case 4:
          out = Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + 1 + below(8)))]);
          break;
        case 5: {
          const other = pick(BODIES);
          out = Buffer.concat([out.subarray(0, at), other.subarray(below(other.length + 1))]).subarray(0, 8192);
          break;
        }
        default:
          out = Buffer.concat([out, out.subarray(at)]).subarray(0, 8192);
      }
    }
    return out;
  };

  const counters = new Float64Array(ZMQ_COUNTERS.length);
  let records = 0;
  let events = 0;
  let time = BASE;
  const decoder = createZmqDecoder({
    sink: {
      record(record) {
        records++;
        checkRecord(record, time);
      },
      event: () => events++,
    },
    counters,
    now: () => (time += 10),
  });

  const wire = (stream: Buffer): void => {
    let failures = 0;
    const peer = createZmtpPeer({
      send() {},
      ready() {},
      message: (head, payload) => decoder.message('wire', head, payload),
      rejected() {},
      failed: () => failures++,
    });
    for (let at = 0; at < stream.length; ) {
      const end = at + 1 + below(400);
      if (!peer.feed(stream.subarray(at, end))) break;
      at = end;
    }
    assert.ok(failures <= 1);
  };

  const one = (): void => {
    const flags = below(8);
    const version = below(12) === 0 ? below(256) : below(5);
    const topic = below(8) === 0 ? pick(TOPICS) : pick(['flow', 'flow', 'flow', 'event', 'counter', 'template', 'option'] as const);
    const layout = pick<Layout>([24, 28, 36, 36, 40]);
    const head = header(layout, {
      topic,
      version: version & 255,
      id: below(0x1_0000_0000),
      source: below(below(50) === 0 ? 5000 : 4),
      flags,
    });
    const body = mutate(pick(BODIES));
    const packing = below(5);
    const payload = packing === 0 ? afterNul(body) : packing === 1 ? zlib(body) : body;
    decoder.message(
      pick(['tcp://a:1', 'tcp://b:1']),
      below(10) === 0 ? mutate(head) : head,
      packing < 2 && below(4) === 0 ? mutate(payload) : payload,
    );
  };

  const memory = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  /** ms of this thread: others share the machine. */
  const cpu = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };

  const began = performance.now();
  let slowest = 0;
  let before = 0;
  for (let i = 0; i < messages; i++) {
    if (i % 256 === 0) await turn(); // as between reads of a socket: zlib frees what failed
    if (i === Math.floor(messages / 10)) before = memory();
    const start = cpu();
    if (i % 16 === 0) wire(mutate(Buffer.concat([WIRE_START, frames(mutate(pick(BODIES)))])));
    else one();
    slowest = Math.max(slowest, cpu() - start);
  }
  const seconds = (performance.now() - began) / 1000;

  const total = (pattern: RegExp): number => ZMQ_COUNTERS.reduce((sum, { name }, i) => sum + (pattern.test(name) ? counters[i] : 0), 0);
  assert.equal(counters[zmqCounter('zmq.messages')], total(/^zmq\.(topics|rejected)\./), 'every message is counted once');
  assert.equal(counters[zmqCounter('zmq.records')], records);
  assert.ok(decoder.probes().length <= 1024);
  const rejected = Object.fromEntries(
    ZMQ_COUNTERS.flatMap(({ name }, i) => (name.startsWith('zmq.rejected.') && counters[i] > 0 ? [[name.slice(13), counters[i]]] : [])),
  );
  return { messages, records, rejected, slowestMs: slowest, grownMiB: (memory() - before) / 2 ** 20, seconds };
}

const WIRE_START = Buffer.concat([
  Buffer.from(`ff00000000000000017f0300${Buffer.from('NULL').toString('hex')}${'00'.repeat(48)}`, 'hex'),
  Buffer.from('\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB', 'latin1'),
]);

function frames(payload: Buffer): Buffer {
  const head = header(28);
  const length = Buffer.alloc(8);
  length.writeUInt32BE(payload.length, 4);
  const message = Buffer.concat([Buffer.of(1, head.length), head, Buffer.of(2), length, payload]);
  return Buffer.concat([message, Buffer.from('\x04\x07\x04PING\0\x05', 'latin1'), message]);
}

/** What a record must be, whatever it was made of. */
function checkRecord(record: FlowRecord, now: number): void {
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'number') assert.ok(Number.isFinite(value) && value >= -1, `${name} = ${value}`);
    if (typeof value === 'string') assert.ok(isLatin1(value), name);
  }
  assert.ok(record.srcPort <= 65535 && record.dstPort <= 65535 && record.protocol <= 255 && record.vlan <= 4095);
  assert.ok(record.ipVersion === 4 || record.ipVersion === 6);
  assert.ok(record.first <= record.last && record.last <= now + 60e6);
  assert.ok(record.samplingRate >= 1);
  assert.equal(record.details.length % 2, 0);
  assert.ok(record.details.every((text) => isLatin1(text)));
  assert.ok(record.more.length % 2 === 0 && record.more.length <= 128);
  assert.ok(record.more.every((value) => (typeof value === 'number' ? Number.isFinite(value) : isLatin1(value))));
  for (const text of [
    record.srcProcess,
    record.dstProcess,
    record.srcContainer,
    record.dstContainer,
    record.srcTcpInfo,
    record.dstTcpInfo,
  ]) {
    if (text !== '') JSON.parse(text);
  }
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return false;
  return true;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { messages: { type: 'string', default: '4000000' }, seed: { type: 'string', default: '1' } } });
  const { rejected, ...result } = await fuzzZmq({ messages: Number(values.messages), seed: Number(values.seed) });
  console.log(result);
  console.log('rejected', rejected);
  assert.ok(result.grownMiB < 32, `memory grew by ${result.grownMiB} MiB`);
}
