/** Visits that are not spread come up for air: whoever has questions may ask them in between, and the events stay in their order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import { E_END, E_SEQ, END_REASONS } from '../../src/flows/event.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { BATCH_PACKETS, createBatch, createScratch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { ethernet, ipv4, udp } from '../support/packets.ts';
import { namesFor } from '../support/play.ts';

const FLOWS = 20_000;
const START_US = 1_600_000_000_000_000;
const LATER_US = 120_000_000;

test('in the middle of each visit of many flows flows can be looked at; the events are the same', () => {
  const counters = new Float64Array(COUNTERS.length);
  const bytes = new Uint8Array(64 << 10);
  const event = new DataView(bytes.buffer);
  const flows: number[] = [];
  const between: { readonly visits: number; readonly ended: number; readonly active: number }[] = [];
  const value = (name: string): number => counters[counterIndex(name)] as number;
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows: FLOWS + 1,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi: undefined,
    names: namesFor(undefined, []),
    localNetworks: createPrefixSet(),
    policy: { ...DEFAULT_POLICY, preferences: { ...DEFAULT_POLICY.preferences, flow_max_idle: 3600 } },
    counters,
    visitsInline: true,
    sink: {
      bytes,
      reserve: () => 0,
      commit() {
        if (END_REASONS[event.getUint8(E_END)] === 'end of file') flows.push(event.getFloat64(E_SEQ, true));
      },
    },
    between() {
      let active = 0;
      for (let id = 1; id < engine.limit(); id++) if (engine.look().at(id)) active++;
      between.push({ visits: value('visits'), ended: flows.length, active });
    },
  });
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START), 1);
  const batch = createBatch(1);
  const scratch = createScratch();
  const frames = Array.from({ length: FLOWS + 1 }, (_, i) => ethernet({}, ipv4({}, udp({ from: 1024 + i }, 'x'))));
  for (let first = 0; first < frames.length; ) {
    let at = 0;
    batch.count = 0;
    for (; first < frames.length && batch.count < BATCH_PACKETS; first++) {
      const frame = frames[first] as Uint8Array;
      batch.bytes.set(frame, at);
      batch.frames.set([at, frame.length, frame.length], batch.count * FRAME_WORDS);
      batch.times[batch.count++] = START_US + (first === FLOWS ? LATER_US : 0); // the last one brings the visits
      at += frame.length;
    }
    for (let from = 0; from < batch.count; ) {
      from = decoder.decode(batch, from, scratch);
      engine.process(scratch, batch.bytes);
    }
  }
  const midway = between.filter(({ visits }) => visits === 0);
  assert.ok(midway.length >= 4, `${midway.length} times in the first visit`);
  assert.ok(midway.every(({ active }) => active === FLOWS));
  engine.finish('end of file');
  assert.deepEqual(
    flows,
    Array.from({ length: FLOWS + 1 }, (_, i) => i + 1),
  );
  const ending = between.filter(({ ended }) => ended > 0 && ended <= FLOWS);
  assert.ok(ending.length >= 4, `${ending.length} times in the last visit`);
  assert.ok(ending.every(({ ended, active }) => ended + active === FLOWS + 1));
  assert.equal(value('flows.ended'), FLOWS + 1);
});
