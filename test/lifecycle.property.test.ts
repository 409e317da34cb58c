/**
 * What the flow lifecycle promises, on random conversations that go through the whole pipeline.
 *
 * Enters: packets of UDP, TCP and ICMP among a few ends, with gaps from nothing to minutes. Leaves: for each promise of
 * docs/architecture.md a check of the events. Seeds are printed on failure (FLOWPATROL_SEED repeats a run).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Callback, EndReason } from '../src/flows/event.ts';
import { eventLine } from '../src/flows/export.ts';
import { D_BYTES, D_PACKETS, R_DIR, R_DIR_BYTES, R_FIRST, R_LAST } from '../src/flows/record.ts';
import {
  ACK,
  type CapturedPacket,
  ethernet,
  FIN,
  icmp,
  ipv4,
  ipv6,
  type Layer,
  pcapFile,
  RST,
  SYN,
  tcp,
  udp,
  vlan,
} from './support/packets.ts';
import { type CaptureRun, type RunOptions, runCapture } from './support/run-capture.ts';

const SECOND = 1e6;
const START = 1_700_000_000 * SECOND;
/** TCP flows that close, or never opened, may end after so much silence (docs/architecture.md). */
const EARLY_US = 15 * SECOND;
const PERIODIC_FACTOR = 5;
const TCP = 6;

const parameters = {
  numRuns: 60,
  seed: Number(process.env.FLOWPATROL_SEED ?? 20_190_424),
};

let file = '';
let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'flowpatrol-lifecycle-'));
  file = join(folder, 'random.pcap');
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A packet before it has a time and bytes. */
interface Step {
  /** µs since the packet before. */
  readonly gap: number;
  readonly l4: 'udp' | 'tcp' | 'icmp';
  readonly v6: boolean;
  readonly tag: number;
  readonly from: number;
  readonly to: number;
  readonly ports: readonly [number, number];
  readonly flags: number;
  readonly seq: number;
  readonly payload: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  gap: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 2 * SECOND }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 200 }).map((seconds) => seconds * SECOND) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 * SECOND }) },
  ),
  l4: fc.constantFrom('udp', 'tcp', 'icmp'),
  v6: fc.boolean(),
  tag: fc.constantFrom(0, 0, 7),
  from: fc.integer({ min: 1, max: 2 }),
  to: fc.integer({ min: 1, max: 3 }),
  ports: fc.tuple(fc.constantFrom(53, 1234), fc.constantFrom(53, 80)),
  flags: fc.constantFrom(ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST),
  seq: fc.integer({ min: 0, max: 0xffffffff }),
  payload: fc.integer({ min: 0, max: 60 }),
});

/** Few flows with many packets: random steps, each repeated with its own gap, so that flows grow old. */
const conversation = fc
  .array(fc.tuple(step, fc.integer({ min: 1, max: 12 }), fc.boolean()), { minLength: 1, maxLength: 14 })
  .map((runs) =>
    runs.flatMap(([of, times, answered]) =>
      Array.from({ length: times }, (_, i) =>
        answered && i % 2 === 1 ? { ...of, from: of.to, to: of.from, ports: [of.ports[1], of.ports[0]] as const } : of,
      ),
    ),
  );

const setting = fc.record({
  visitPeriod: fc.constantFrom(1, 5),
  maxIdle: fc.constantFrom(4, 20, 60),
});

function frame(of: Step): Uint8Array {
  const payload = new Uint8Array(of.payload).fill(0x55);
  const [from, to] = of.ports;
  const l4 =
    of.l4 === 'udp'
      ? udp({ from, to }, payload)
      : of.l4 === 'tcp'
        ? tcp({ from, to, flags: of.flags, seq: of.seq }, payload)
        : icmp({ v6: of.v6 }, payload);
  const l3 = of.v6
    ? ipv6({ from: `2001:db8::${of.from}`, to: `2001:db8::${of.to}` }, l4)
    : ipv4({ from: `10.0.0.${of.from}`, to: `10.0.0.${of.to}` }, l4);
  return ethernet({}, of.tag === 0 ? l3 : vlan({ id: of.tag }, l3 as Layer));
}

function packetsOf(steps: readonly Step[]): CapturedPacket[] {
  let time = START;
  return steps.map((of) => {
    time += of.gap;
    return { time, bytes: frame(of) };
  });
}

/** An event as the checks want it. */
interface Seen {
  readonly seq: number;
  readonly time: number;
  readonly visit: number;
  readonly callbacks: readonly Callback[];
  readonly end: EndReason;
  readonly l4: number;
  readonly first: number;
  readonly last: number;
  readonly packets: number;
  readonly bytes: number;
  readonly lines: readonly string[];
}

function run(packets: readonly CapturedPacket[], options: RunOptions): { events: Seen[]; run: CaptureRun } {
  writeFileSync(file, pcapFile(packets));
  const events: Seen[] = [];
  const result = runCapture(file, options, (view) => {
    const callbacks = view.callbacks();
    events.push({
      seq: view.seq(),
      time: view.time(),
      visit: view.visit(),
      callbacks,
      end: view.endReason(),
      l4: view.l4(),
      first: view.f64(R_FIRST),
      last: view.f64(R_LAST),
      packets: view.u32(R_DIR + D_PACKETS) + view.u32(R_DIR + R_DIR_BYTES + D_PACKETS),
      bytes: view.f64(R_DIR + D_BYTES) + view.f64(R_DIR + R_DIR_BYTES + D_BYTES),
      lines: callbacks.map((callback) => eventLine(view, callback)),
    });
  });
  return { events, run: result };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What holds for the events of one flow, in their order, whatever the settings. */
function checkFlow(events: readonly Seen[]): void {
  const calls = events.flatMap(({ callbacks }) => callbacks);
  assert.equal(calls.filter((callback) => callback === 'protocolDetected').length, 1, 'protocolDetected once');
  assert.equal(calls.filter((callback) => callback === 'idle').length, 1, 'idle once');
  assert.equal(calls.at(-1), 'idle', 'nothing after idle');
  for (const [i, event] of events.entries()) {
    assert.equal(event.end !== '', i === events.length - 1, 'a reason for the end at the end only');
    assert.ok(!(event.callbacks.includes('idle') && event.callbacks.includes('periodicUpdate')), 'idle or periodicUpdate');
    const before = events[i - 1];
    if (before === undefined) continue;
    assert.ok(
      event.time >= before.time && event.packets >= before.packets && event.last >= before.last,
      'time and counters never run back',
    );
  }
}

function checkTotals(events: readonly Seen[], packets: readonly CapturedPacket[], { counters }: CaptureRun): void {
  const flows = Map.groupBy(events, ({ seq }) => seq);
  for (const of of flows.values()) checkFlow(of);
  const ended = events.filter(({ callbacks }) => callbacks.includes('idle'));
  assert.equal(sum(ended.map((event) => event.packets)), packets.length, 'packets of all flows');
  assert.equal(sum(ended.map((event) => event.bytes)), sum(packets.map(({ bytes }) => bytes.length)), 'bytes of all flows');
  assert.equal(counters['flows.created'], flows.size);
  assert.equal(counters['flows.ended'], flows.size);
  assert.equal(counters.events, events.length);
  for (const callback of ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle'] as const) {
    assert.equal(counters[`callbacks.${callback}`] ?? 0, events.filter(({ callbacks }) => callbacks.includes(callback)).length, callback);
  }
  assert.equal(counters['flows.evicted'] ?? 0, events.filter(({ end }) => end === 'table full').length);
}

/** Visits fall on the grid, in order, and each flow ends at the first visit at which the rule says so. */
function checkVisits(events: readonly Seen[], visitPeriod: number, maxIdle: number): void {
  const period = visitPeriod * SECOND;
  const idle = maxIdle * SECOND;
  for (const [i, event] of events.entries()) {
    const before = events[i - 1];
    if (before !== undefined) {
      assert.ok(event.visit >= before.visit && event.time >= before.time, 'visits in order');
      if (event.visit === before.visit) assert.equal(event.time, before.time, 'one time a visit');
      else assert.ok(event.time > before.time || event.end === 'end of file', 'one visit a time');
    }
    if (event.end !== 'end of file') assert.equal(event.time % period, 0, 'visits on the grid');
    const silent = event.time - event.last;
    if (event.end === 'idle') {
      const earliest = event.l4 === TCP ? Math.min(EARLY_US, idle) : idle;
      const latest = event.l4 === TCP ? Math.max(EARLY_US, idle) : idle;
      assert.ok(silent > earliest, `idle after ${silent} µs of silence`);
      assert.ok(silent <= latest + period, `idle only after ${silent} µs of silence`);
    } else if (event.end === '') {
      assert.ok(silent <= (event.l4 === TCP ? Math.max(EARLY_US, idle) : idle), 'not idle');
    }
  }
  for (const flow of Map.groupBy(events, ({ seq }) => seq).values()) {
    const updates = flow.filter(({ callbacks }) => callbacks.includes('periodicUpdate'));
    for (const [i, event] of updates.entries()) {
      assert.ok(event.last - event.first >= PERIODIC_FACTOR * idle, 'no periodicUpdate of a young flow');
      const before = updates[i - 1];
      if (before !== undefined) assert.ok(event.time - before.time >= PERIODIC_FACTOR * idle, 'periodicUpdate too soon');
    }
  }
}

/** Packets of each UDP and ICMP flow in the order of their beginning: a model that knows nothing of records and tables. */
function modelFlows(steps: readonly Step[], visitPeriod: number, maxIdle: number): number[] {
  const period = visitPeriod * SECOND;
  const flows: { packets: number }[] = [];
  const open = new Map<string, { packets: number; last: number }>();
  let time = START;
  for (const of of steps) {
    time += of.gap;
    if (of.l4 === 'tcp') continue;
    const ends = [of.from, of.to].map((address, i) => (of.l4 === 'icmp' ? `${address}` : `${address}:${of.ports[i]}`)).sort();
    const key = [of.l4, of.v6, of.tag, ...ends].join(' ');
    let flow = open.get(key);
    const lastVisit = Math.floor(time / period) * period;
    if (flow === undefined || lastVisit - flow.last > maxIdle * SECOND) {
      flow = { packets: 0, last: 0 };
      open.set(key, flow);
      flows.push(flow);
    }
    flow.packets++;
    flow.last = time;
  }
  return flows.map(({ packets }) => packets);
}

describe('lifecycle of random conversations', () => {
  it('calls what it promises, when it promises, and loses nothing', () => {
    fc.assert(
      fc.property(conversation, setting, (steps, { visitPeriod, maxIdle }) => {
        const packets = packetsOf(steps);
        const { events, run: result } = run(packets, { visitPeriod, maxIdle });
        checkTotals(events, packets, result);
        checkVisits(events, visitPeriod, maxIdle);
        const others = events.filter(({ l4, callbacks }) => l4 !== TCP && callbacks.includes('idle')).sort((x, y) => x.seq - y.seq);
        assert.deepEqual(
          others.map((event) => event.packets),
          modelFlows(steps, visitPeriod, maxIdle),
        );
      }),
      parameters,
    );
  });

  it('does not depend on how packets come in batches', () => {
    fc.assert(
      fc.property(
        conversation,
        setting,
        fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(3, 1000),
        (steps, of, sizes, maxFlows) => {
          const packets = packetsOf(steps);
          const lines = (options: RunOptions): string[] =>
            run(packets, { ...of, maxFlows, ...options }).events.flatMap((event) => event.lines);
          let turn = 0;
          assert.deepEqual(lines({ batchPackets: () => sizes[turn++ % sizes.length] as number }), lines({ batchPackets: 1 }));
        },
      ),
      parameters,
    );
  });

  it('adds up when the table is full', () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 1, max: 4 }), (steps, maxFlows) => {
        const packets = packetsOf(steps);
        const { events, run: result } = run(packets, { maxFlows });
        checkTotals(events, packets, result);
        assert.ok((result.counters['flows.peak'] ?? 0) <= maxFlows);
      }),
      parameters,
    );
  });
});
