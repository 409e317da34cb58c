/** Decoding and the flow table allocate nothing per packet: what the heap grows by over many packets is far below a byte each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesOf } from '../../src/dpi/names.ts';
import { COUNTERS, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { native } from '../../src/native.ts';
import { BATCH_PACKETS, createScratch } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { batchOf } from './harness.ts';

const WARM_BATCHES = 4000;
/** In a round. So few that a byte per packet would not fill the young generation. */
const BATCHES = 400;
const ROUNDS = 11;

/** Ethernet, IPv4, TCP with one byte of payload; one of 64 clients, and every other packet the server's. */
function frame(i: number): Uint8Array {
  const bytes = new Uint8Array(55);
  const fromServer = i & 1;
  const client = [10, 0, 0, (i >> 1) & 63];
  const server = [192, 0, 2, 1];
  bytes.set([0x08, 0x00, 0x45, 0, 0, 41], 12);
  bytes.set([64, 6, 0, 0, ...(fromServer ? server : client), ...(fromServer ? client : server)], 22);
  bytes.set(fromServer ? [0, 80, 0x30, 0x39] : [0x30, 0x39, 0, 80], 34);
  bytes.set([0x50, 0x18, 1, 0], 46);
  return bytes;
}

test('a packet of a known flow allocates nothing', () => {
  const counters = new Float64Array(COUNTERS.length);
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows: 1024,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi: undefined,
    names: namesOf(native, undefined, { localNetworks: [], interfaceName: 'test', run: '0', packetInterface: true, sampled: false }),
    localNetworks: createPrefixSet(),
    policy: DEFAULT_POLICY,
    counters,
    sink: undefined,
    visitsInline: false,
  });
  const { decode } = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START, COUNTERS.length), 0);
  const batch = batchOf(Array.from({ length: BATCH_PACKETS }, (_, i) => ({ bytes: frame(i) })));
  const scratch = createScratch();
  let time = 1e15;
  const run = (batches: number): void => {
    for (let b = 0; b < batches; b++) {
      for (let i = 0; i < BATCH_PACKETS; i++) batch.times[i] = time + i * 10;
      time += BATCH_PACKETS * 10;
      decode(batch, 0, scratch);
      engine.process(scratch, batch.bytes);
    }
  };
  run(WARM_BATCHES);
  // a collection in between hides what was allocated; it falls into one round, or into few
  const growths = Array.from({ length: ROUNDS }, () => {
    const before = process.memoryUsage().heapUsed;
    run(BATCHES);
    return (process.memoryUsage().heapUsed - before) / (BATCHES * BATCH_PACKETS);
  });
  assert.equal(engine.limit(), 65);
  const median = growths.toSorted((x, y) => x - y)[ROUNDS >> 1] as number;
  assert.ok(median < 1, `${growths.map((bytes) => bytes.toFixed(3)).join(', ')} bytes a packet`);
});
