/**
 * Fuzzing of sFlow: datagrams, mutated, through the decoder, the packet decoder and the flow engine. Nothing may be thrown, every datagram
 * must be counted once, flows must be clean, memory bounded.
 *
 *   node test/long/fuzz-sflow.ts                                   2 million datagrams
 *   node test/long/fuzz-sflow.ts --messages 100000 --seed 7
 *
 * The short form is test/records/sflow/fuzz.test.ts.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { namesOf } from '../../src/dpi/names.ts';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { D_BYTES, D_PACKETS, R_DIR, R_DIR_BYTES } from '../../src/flows/record.ts';
import { createEventView } from '../../src/flows/view.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { native } from '../../src/native.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { SFLOW_COUNTERS, type SflowCounterName, sflowCounter } from '../../src/records/sflow/counters.ts';
import { createSflowDecoder } from '../../src/records/sflow/decoder.ts';
import { createSamplePackets } from '../../src/records/sflow/packets.ts';
import { ACK, ethernet, ipv4, ipv6, tcp, udp, vlan } from '../support/packets.ts';
import * as make from '../support/records/sflow.ts';

export interface FuzzResult {
  readonly messages: number;
  readonly samples: number;
  readonly flows: number;
  readonly damaged: number;
  /** Growth of heap and buffers from the first tenth to the end. */
  readonly grownMiB: number;
  readonly seconds: number;
}

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

const HEADERS = [
  ethernet({}, ipv4({ from: '10.0.0.1', to: '8.8.8.8' }, udp({ from: 40_000, to: 53 }, new Uint8Array(30)))),
  ethernet(
    {},
    vlan({ id: 7 }, ipv4({ from: '10.0.0.2', to: '192.0.2.1' }, tcp({ from: 50_000, to: 443, flags: ACK }, new Uint8Array(40)))),
  ),
  ethernet({}, ipv6({ from: 'fd00::1', to: '2001:db8::1' }, udp({ from: 1, to: 443 }, new Uint8Array(60)))),
];
const FIELDS = { length: 900, protocol: 6, from: '10.0.0.9', to: '10.0.0.10', srcPort: 1, dstPort: 22, flags: 2 };
const BODIES: readonly Uint8Array[] = [
  make.sflow({}, [make.flowSample({ rate: 512 }, [make.rawHeader(HEADERS[0] as Uint8Array), make.switchFields(10, 20)])]),
  make.sflow({ agent: '2001:db8::9', subAgent: 3 }, [
    make.flowSample({ expanded: true, rate: 1 }, [make.rawHeader(HEADERS[1] as Uint8Array), make.routerFields('203.0.113.9', 24, 16)]),
    make.flowSample({ sequence: 2 }, [
      make.ipFields({ ...FIELDS, from: 'fd00::1', to: 'fd00::2' }),
      make.ethernetFields(914, '02:00:00:00:00:01', '02:00:00:00:00:02', 0x86dd),
    ]),
    make.counterSample({}, [make.genericCounters({ inOctets: 2 ** 40 })]),
  ]),
  make.sflow({}, [
    make.flowSample({}, [make.rawHeader(HEADERS[2] as Uint8Array)]),
    make.flowSample({}, [make.ipFields(FIELDS)]),
    make.discardSample(),
    make.unknownSample(),
  ]),
];
/** Words that lengths and counts are replaced by. */
const WORDS = [0, 1, 4, 11, 12, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 1001, 1002];

/** @throws AssertionError when something is not as it must be */
export function fuzzSflow({ messages, seed }: { messages: number; seed: number }): FuzzResult {
  const next = random(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  const mutate = (body: Uint8Array): Uint8Array => {
    const out = Buffer.from(body);
    for (let times = below(4); times > 0; times--) {
      const at = below(out.length);
      if (next() < 0.5) out[at] = below(256);
      else out.writeUInt32BE(WORDS[below(WORDS.length)] as number, Math.min(at & ~3, out.length - 4));
    }
    return next() < 0.1 ? out.subarray(0, below(out.length + 1)) : out;
  };

  const dpi = native.dpiCreate(4096);
  const names = namesOf(native, dpi, { localNetworks: [], interfaceName: 'fuzz', run: 'fuzz', packetInterface: true, sampled: true });
  const counters = new Float64Array(COUNTERS.length);
  const ours = new Float64Array(SFLOW_COUNTERS.length);
  const bytes = new Uint8Array(64 << 10);
  const view = createEventView(names);
  let flows = 0;
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows: 4096,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi,
    names,
    localNetworks: createPrefixSet(),
    policy: DEFAULT_POLICY,
    counters,
    visitsInline: false,
    sink: {
      bytes,
      reserve: () => 0,
      commit() {
        view.set(bytes, 0);
        flows++;
        for (let direction = 0; direction < 2; direction++) {
          const line = R_DIR + direction * R_DIR_BYTES;
          const sum = view.f64(line + D_BYTES);
          assert.ok(Number.isSafeInteger(sum) && sum >= 0, `bytes ${sum}`);
          assert.equal(sum === 0, view.u32(line + D_PACKETS) === 0);
        }
        const more = view.text('moreinfo');
        if (more !== undefined) JSON.parse(more);
      },
    },
  });
  const { decode } = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START), seed);
  const packets = createSamplePackets(engine, decode);
  const decoder = createSflowDecoder(packets, ours);
  const count = (name: SflowCounterName): number => ours[sflowCounter(name)] as number;
  const memory = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  let clock = 1_700_000_000e6;
  let before = 0;
  const began = performance.now();
  for (let i = 0; i < messages; i++) {
    if (i === Math.floor(messages / 10)) before = memory();
    clock += 10_000;
    while (engine.advance(clock, 1000));
    packets.at(clock);
    decoder.datagram('192.0.2.1', mutate(BODIES[below(BODIES.length)] as Uint8Array), clock);
  }
  engine.finish('shutdown');
  const grownMiB = (memory() - before) / 2 ** 20;
  assert.equal(count('sflow.datagrams'), messages);
  assert.equal(count('sflow.samples.flow') - count('sflow.samples.unreadable'), counters[counterIndex('packets')]);
  assert.equal(counters[counterIndex('flows.created')], counters[counterIndex('flows.ended')]);
  assert.ok(decoder.agents().length <= 1024);
  native.dpiClose(dpi);
  return {
    messages,
    samples: count('sflow.samples.flow'),
    flows,
    damaged: count('sflow.refused.damaged') + count('sflow.refused.version'),
    grownMiB,
    seconds: (performance.now() - began) / 1000,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { messages: { type: 'string', default: '2000000' }, seed: { type: 'string', default: '1' } } });
  const result = fuzzSflow({ messages: Number(values.messages), seed: Number(values.seed) });
  console.log(result);
  assert.ok(result.grownMiB < 32, `memory grew by ${result.grownMiB} MiB`);
}
