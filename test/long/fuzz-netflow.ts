/**
 * Fuzzing of the NetFlow and IPFIX decoder: valid messages of every kind, mutated, some million of them.
 *
 *   node --expose-gc test/long/fuzz-netflow.ts [--messages 3000000] [--seed 1]
 *
 * Nothing may throw, every message is decoded or refused for one reason, what is kept stays within its limits, and records hold numbers
 * that can be. The short form is test/records/netflow/fuzz.test.ts.
 */
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { FlowRecord } from '../../src/records/flow-record.ts';
import { NETFLOW_COUNTERS } from '../../src/records/netflow/counters.ts';
import { createNetflowDecoder } from '../../src/records/netflow/decoder.ts';
import { createFraming } from '../../src/records/netflow/framing.ts';
import { ip, ipfix, ipfixOptions, ntp, set, template, u8, u16, u32, u64, v5, v9, v9Options, variable } from '../records/netflow/support.ts';

export interface FuzzFigures {
  readonly messages: number;
  readonly decoded: number;
  readonly refused: number;
  readonly records: number;
  readonly events: number;
  /** Least of V8 and of buffers in the first tenth and in the last one, MiB. */
  readonly memory: readonly [number, number];
  readonly counters: Readonly<Record<string, number>>;
}

const LIMITS = { domains: 64, templates: 32, fields: 4096, waitingBytes: 1 << 16, waitingBytesOfDomain: 1 << 13, waitingSeconds: 60 };

/** A seeded generator (mulberry32). @returns a whole number below `below` */
function createRandom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const ends = Buffer.concat([ip('192.0.2.1'), ip('198.51.100.2')]);
const FIELDS = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
  [22, 4],
  [21, 4],
] as const;
const row = Buffer.concat([ends, u16(1234), u16(443), u8(6), u32(1000), u32(10), u32(3_590_000), u32(3_599_000)]);
const BIFLOW = [
  [8, 4],
  [12, 4],
  [4, 1],
  [1, 8],
  [1, 8, 29305],
  [154, 8],
  [155, 8],
  [239, 1],
  [460, 0xffff],
  [188, 0xffff, 35632],
  [7777, 0xffff, 4242],
  [27, 0xffff],
  [118, 0xffff, 35632],
] as const;
const biflow = Buffer.concat([
  ends,
  u8(6),
  u64(1000),
  u64(2000),
  ntp(1_700_000_000_000_000),
  ntp(1_700_000_001_000_000),
  u8(2),
  variable('www.example.com'),
  variable('x'.repeat(300)),
  variable('', true),
  variable(Buffer.alloc(16, 1)),
  variable('91.126'),
]);
const NPROBE = [
  [8, 4],
  [12, 4],
  [4, 1],
  [57590, 2],
  [57981, 8],
  [57660, 12],
  [33000, 12],
  [45003, 10],
  [95, 4],
  [48, 1],
  [70, 3],
  [56, 6],
] as const;

const CORPUS: readonly Buffer[] = [
  v5([{}, {}, {}], { sampling: 0x4064 }),
  v9([set(0, template(256, FIELDS)), set(256, Buffer.concat([row, row, row]))]),
  v9([set(256, Buffer.concat([row, row]))], { sequence: 1 }),
  v9([
    set(
      1,
      v9Options(
        300,
        [[1, 4]],
        [
          [48, 1],
          [50, 4],
          [36, 2],
          [37, 2],
          [95, 4],
          [96, 8],
        ],
      ),
    ),
    set(300, Buffer.concat([u32(1), u8(1), u32(100), u16(60), u16(10), u32(5), Buffer.from('youtube\0')])),
  ]),
  v9([set(0, template(257, NPROBE)), set(257, Buffer.concat([ends, Buffer.alloc(61, 3)]))], { domain: 8 }),
  ipfix([set(2, template(256, BIFLOW)), set(256, Buffer.concat([biflow, biflow]), 0)]),
  ipfix([set(256, Buffer.concat([biflow, biflow, biflow]), 3)], { sequence: 2 }),
  ipfix([
    set(
      3,
      ipfixOptions(
        400,
        [[302, 4]],
        [
          [305, 4],
          [306, 4],
          [311, 8],
          [160, 8],
        ],
      ),
    ),
    set(400, Buffer.concat([u32(1), u32(1), u32(99), u64(0), u64(1_700_000_000_000)])),
  ]),
  ipfix([set(2, Buffer.concat([u16(256), u16(0), u16(2), u16(0)])), set(3, Buffer.concat([u16(3), u16(0)]))]),
  ipfix([set(2, Buffer.concat([template(500, FIELDS), template(501, BIFLOW), template(502, [[1, 0]])]))], { domain: 9 }),
  ipfix([]),
];
const INTERESTING = [0, 1, 2, 3, 4, 5, 9, 10, 15, 16, 20, 255, 256, 257, 400, 0x7fff, 0x8000, 0xfffe, 0xffff];

function createMutator(random: (below: number) => number): () => Buffer {
  const any = (): Buffer => CORPUS[random(CORPUS.length)];
  /** Mostly behind the header. */
  const place = (bytes: Buffer): number => (bytes.length > 24 && random(8) > 0 ? 16 + random(bytes.length - 17) : random(bytes.length - 1));
  const mutations: readonly ((bytes: Buffer) => Buffer)[] = [
    (bytes) => {
      if (bytes.length > 1) bytes[place(bytes)] ^= 1 << random(8);
      return bytes;
    },
    (bytes) => {
      if (bytes.length > 1) bytes[place(bytes)] = random(256);
      return bytes;
    },
    (bytes) => {
      if (bytes.length >= 2) bytes.writeUInt16BE(INTERESTING[random(INTERESTING.length)], place(bytes));
      return bytes;
    },
    (bytes) => bytes.subarray(0, random(bytes.length + 1)),
    (bytes) => Buffer.concat([bytes, any().subarray(random(30))]),
    (bytes) => {
      const at = random(bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, at), any().subarray(random(60)), bytes.subarray(at)]);
    },
    (bytes) => {
      const at = random(bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(12))]);
    },
  ];
  return () => {
    let bytes: Buffer = Buffer.from(any());
    for (let i = random(5); i > 0; i--) bytes = mutations[random(mutations.length)](bytes);
    if (bytes.length > 1500) bytes = bytes.subarray(0, 1500);
    // most messages of IPFIX say their length: what is behind the header is to be reached
    if (bytes.length >= 4 && bytes.readUInt16BE(0) === 10 && random(4) > 0) bytes.writeUInt16BE(bytes.length, 2);
    return bytes;
  };
}

/** A record that no exporter can have meant is a mistake of the decoder. */
function check(record: FlowRecord): void {
  for (const value of [
    record.inBytes,
    record.outBytes,
    record.inPackets,
    record.outPackets,
    record.first,
    record.last,
    record.samplingRate,
  ]) {
    if (!(value >= 0 && Number.isFinite(value))) assert.fail(`a record holds ${value}`);
  }
  if (record.first > record.last) assert.fail('a record ends before it begins');
  if (record.vlan > 4095 || record.srcPort > 65535 || record.dstPort > 65535 || record.srcTcpFlags > 255)
    assert.fail('a member is too large');
  if (record.more.length > 96 || record.details.length > 2 * 512) assert.fail('a record keeps too much');
}

const memory = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return Math.round((heapUsed + arrayBuffers) / 2 ** 20);
};

export function fuzzNetflow({ messages, seed }: { readonly messages: number; readonly seed: number }): FuzzFigures {
  const random = createRandom(seed);
  const next = createMutator(random);
  const counters = new Float64Array(NETFLOW_COUNTERS.length);
  let records = 0;
  let events = 0;
  const create = () =>
    createNetflowDecoder({
      sink: {
        record(record) {
          records++;
          check(record);
        },
        event() {
          events++;
        },
      },
      counters,
      limits: LIMITS,
    });
  let decoder = create();
  const framing = createFraming((bytes) => decoder.datagram('10.9.9.9', 1, bytes, at));
  let at = 1_700_000_000_000_000;
  let framed = 0;
  const least: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

  for (let i = 0; i < messages; i++) {
    at += random(100_000);
    const bytes = next();
    if (random(64) === 0) {
      const before = counters[0];
      framing.push(bytes);
      framed += counters[0] - before;
    } else decoder.datagram(`10.0.0.${random(8)}`, 1000 + random(3), bytes, at);
    if (i % 4096 === 0) {
      decoder.tick(at);
      if (i < messages / 10 && random(16) === 0) least[0] = Math.min(least[0], memory());
      if (i > messages * 0.9 && random(16) === 0) least[1] = Math.min(least[1], memory());
      const known = decoder.exporters();
      assert.ok(known.length <= LIMITS.domains);
      assert.ok(known.every(({ templates, waiting }) => templates <= LIMITS.templates && waiting <= LIMITS.waitingBytesOfDomain));
      assert.ok(known.reduce((sum, { waiting }) => sum + waiting, 0) <= LIMITS.waitingBytes);
      if (random(64) === 0) {
        const text = decoder.save();
        decoder = create();
        decoder.restore(text);
        assert.equal(decoder.save(), text);
      }
    }
  }
  const value = (name: string): number => counters[NETFLOW_COUNTERS.findIndex((counter) => counter.name === `netflow.${name}`)];
  const decoded = value('v5') + value('v9') + value('ipfix');
  const refused = value('refused.short') + value('refused.version') + value('refused.length') + value('refused.set');
  assert.equal(value('messages'), decoded + refused);
  assert.ok(framed > 0);
  return {
    messages: value('messages'),
    decoded,
    refused,
    records,
    events,
    memory: least,
    counters: Object.fromEntries(NETFLOW_COUNTERS.map(({ name }, i) => [name, counters[i]])),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({ options: { messages: { type: 'string', default: '3000000' }, seed: { type: 'string', default: '1' } } });
  const began = performance.now();
  const figures = fuzzNetflow({ messages: Number(values.messages), seed: Number(values.seed) });
  console.log(JSON.stringify(figures, undefined, 2));
  console.log(`${figures.messages} messages in ${((performance.now() - began) / 1000).toFixed(1)} s, nothing thrown`);
}
