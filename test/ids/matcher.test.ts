import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { COUNTERS } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { createEventView } from '../../src/flows/view.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import type { IdsAlert } from '../../src/ids/alert.ts';
import {
  createIdsMatcher,
  EXPIRE_US,
  type IdsMatcher,
  MAX_WAITING,
  MAX_WAITING_CAPTURE,
  type ReportAlert,
} from '../../src/interfaces/ids.ts';
import {
  createBatch,
  createScratch,
  F_FROM_B,
  FRAME_WORDS,
  PV_IPV6,
  S_FLAGS,
  S_HASH,
  S_L3,
  S_PV,
  SCRATCH_WORDS,
} from '../../src/packet/batch.ts';
import { createDecoder, DECODE_COUNTERS, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { ethernet, icmp, ipv4, ipv6, type Layer, SYN, tcp, udp, vlan } from '../support/packets.ts';
import { namesFor } from '../support/play.ts';

const START = 1_600_000_000_000_000;
const SECOND = 1e6;

const alert = (changes: Partial<IdsAlert> = {}): IdsAlert => ({
  time: START,
  protocol: 6,
  source: '10.0.0.1',
  destination: '10.0.0.2',
  sourcePort: 1025,
  destinationPort: 80,
  vlan: 0,
  severity: 2,
  json: '{"signature_id":1}',
  ...changes,
});

/** The other direction of the same flow. */
const reversed = ({ source, destination, sourcePort, destinationPort, ...rest }: IdsAlert): IdsAlert => ({
  ...rest,
  source: destination,
  destination: source,
  sourcePort: destinationPort,
  destinationPort: sourcePort,
});

/** What tells one flow from another: the key words, and the 16 bytes of both addresses in canonical order for IPv6. */
function keyOf(words: Int32Array, index: number, chunk: Uint8Array): string {
  const entry = words.subarray(index * SCRATCH_WORDS, (index + 1) * SCRATCH_WORDS);
  const key = [...entry.subarray(0, S_HASH + 1)].join();
  if ((entry[S_PV] as number) < PV_IPV6) return key;
  const l3 = entry[S_L3] as number;
  const source = chunk.slice(l3 + 8, l3 + 24).join();
  const destination = chunk.slice(l3 + 24, l3 + 40).join();
  return ((entry[S_FLAGS] as number) & F_FROM_B) !== 0 ? `${key} ${destination} ${source}` : `${key} ${source} ${destination}`;
}

function decodeFrame(frame: Uint8Array, seed: number): string {
  const batch = createBatch(1);
  batch.bytes.set(frame);
  batch.frames.set([0, frame.length, frame.length]);
  batch.count = 1;
  const scratch = createScratch();
  createDecoder(DEFAULT_DECODE_OPTIONS, new Float64Array(DECODE_COUNTERS.length), seed).decode(batch, 0, scratch);
  assert.equal(scratch.count, 1);
  return keyOf(scratch.words, 0, batch.bytes);
}

const port = fc.integer({ min: 0, max: 65535 });
const byte = fc.integer({ min: 0, max: 255 });
const four = fc.tuple(byte, byte, byte, byte).map((parts) => parts.join('.'));
const six = fc
  .array(fc.integer({ min: 0, max: 65535 }), { minLength: 8, maxLength: 8 })
  .map((words) => words.map((word) => word.toString(16)).join(':'));
const sctp = (from: number, to: number): Layer => {
  const header = new Uint8Array(12);
  header.set([from >> 8, from & 255, to >> 8, to & 255]);
  return Object.assign(header, { protocol: 132 });
};

test('the key is that of a real packet of the flow, in either direction', () => {
  const tuple = fc.record({
    ends: fc.oneof(
      fc.tuple(four, four),
      fc.tuple(six, six),
      four.map((end) => [end, end] as const),
    ),
    ports: fc.tuple(port, port),
    protocol: fc.constantFrom(1, 6, 17, 132, 50),
    vlan: fc.constantFrom(0, 1, 100, 4095),
    seed: fc.integer(),
    swapped: fc.boolean(),
  });
  fc.assert(
    fc.property(tuple, ({ ends: [from, to], ports, protocol: asked, vlan: id, seed, swapped }) => {
      const v6 = from.includes(':');
      const protocol = asked === 1 && v6 ? 58 : asked;
      const [sourcePort, destinationPort] = protocol === 1 || protocol === 58 ? [8, 0] : protocol === 50 ? [0, 0] : ports;
      fc.pre(protocol !== 17 || (sourcePort !== 2152 && destinationPort !== 2152));
      const layers: Record<number, Layer> = {
        1: icmp({ type: 8 }),
        6: tcp({ from: sourcePort, to: destinationPort, flags: SYN }, 'payload'),
        17: udp({ from: sourcePort, to: destinationPort }, 'payload'),
        58: icmp({ v6: true, type: 8 }),
        132: sctp(sourcePort, destinationPort),
        50: Object.assign(new Uint8Array(16), { protocol: 50 }),
      };
      const ip = v6 ? ipv6({ from, to }, layers[protocol]) : ipv4({ from, to }, layers[protocol]);
      const frame = ethernet({}, id === 0 ? ip : vlan({ id }, ip));
      const keys: string[] = [];
      const report: ReportAlert = (scratch, chunk, index) => keys.push(keyOf(scratch.words, index, chunk)) > 0;
      const matcher = createIdsMatcher({ report, seed, live: true, maxWaiting: 2 });
      const about = alert({ protocol, source: from, destination: to, sourcePort, destinationPort, vlan: id });
      const icmpLike = protocol === 1 || protocol === 58;
      matcher.add([swapped ? { ...reversed(about), ...(icmpLike ? { sourcePort, destinationPort } : {}) } : about]);
      matcher.retry(START);
      assert.deepEqual(keys, [decodeFrame(frame, seed)]);
    }),
    { numRuns: 500 },
  );
});

describe('waiting', () => {
  /** A matcher whose flows are those of the source ports in `flows`. */
  const withFlows = (
    live: boolean,
    maxWaiting = 10,
  ): { matcher: IdsMatcher; flows: Set<string>; reported: [string, boolean][]; times: number[] } => {
    const flows = new Set<string>();
    const reported: [string, boolean][] = [];
    const times: number[] = [];
    const report: ReportAlert = (scratch, _chunk, index, json, severe) => {
      times.push(scratch.times[index] as number);
      if (!flows.has(json)) return false;
      reported.push([json, severe]);
      return true;
    };
    return { matcher: createIdsMatcher({ report, seed: 1, live, maxWaiting }), flows, reported, times };
  };
  const numbers = ({ waiting, matched, expired, dropped, refused }: IdsMatcher): object => ({
    waiting,
    matched,
    expired,
    dropped,
    refused,
  });

  test('until the flow is there', () => {
    const { matcher, flows, reported } = withFlows(true);
    matcher.add([alert({ json: 'a', severity: 1 }), alert({ json: 'b' })]);
    assert.equal(matcher.waiting, 2);
    flows.add('b');
    matcher.retry(START);
    assert.deepEqual(reported, [['b', false]]);
    flows.add('a');
    matcher.retry(START + 5 * SECOND);
    matcher.retry(START + 10 * SECOND);
    assert.deepEqual(reported, [
      ['b', false],
      ['a', true],
    ]);
    assert.deepEqual(numbers(matcher), { waiting: 0, matched: 2, expired: 0, dropped: 0, refused: 0 });
  });

  test('until the clock has reached the time of the alert, which is that of the packet shown', () => {
    const { matcher, flows, times } = withFlows(true);
    flows.add('a');
    matcher.add([alert({ json: 'a', time: START + 1 })]);
    matcher.retry(START);
    assert.equal(matcher.waiting, 1);
    matcher.retry(START + 1);
    assert.equal(matcher.matched, 1);
    assert.deepEqual(times, [START + 1]);
  });

  test('60 s after its own time on live interfaces', () => {
    const { matcher } = withFlows(true);
    matcher.add([alert()]);
    matcher.retry(START + EXPIRE_US);
    assert.equal(matcher.waiting, 1);
    matcher.retry(START + EXPIRE_US + 1);
    assert.deepEqual(numbers(matcher), { waiting: 0, matched: 0, expired: 1, dropped: 0, refused: 0 });
  });

  test('an old alert has one chance', () => {
    const { matcher, flows } = withFlows(true);
    flows.add('a');
    matcher.add([alert({ json: 'a' }), alert({ json: 'b' })]);
    matcher.retry(START + 1000 * SECOND);
    assert.deepEqual(numbers(matcher), { waiting: 0, matched: 1, expired: 1, dropped: 0, refused: 0 });
  });

  test('to the end of a capture, where those of later times have their chance too', () => {
    const { matcher, flows } = withFlows(false);
    matcher.add([alert({ json: 'a' }), alert({ json: 'late', time: START + 1e12 })]);
    matcher.retry(START + 1000 * SECOND);
    assert.equal(matcher.waiting, 2);
    flows.add('late');
    matcher.retry(Number.POSITIVE_INFINITY);
    assert.deepEqual(numbers(matcher), { waiting: 1, matched: 1, expired: 0, dropped: 0, refused: 0 });
  });

  test('the oldest make room for new ones, and places are used again', () => {
    const { matcher, flows, reported } = withFlows(true, 3);
    for (const json of ['a', 'b', 'c', 'd', 'e']) matcher.add([alert({ json })]);
    for (const json of ['a', 'b', 'c', 'd', 'e']) flows.add(json);
    matcher.retry(START);
    assert.deepEqual(
      reported.map(([json]) => json),
      ['c', 'd', 'e'],
    );
    assert.deepEqual(numbers(matcher), { waiting: 0, matched: 3, expired: 0, dropped: 2, refused: 0 });
    for (let round = 0; round < 5; round++) {
      matcher.add([alert({ json: 'a' }), alert({ json: 'b' }), alert({ json: 'c' })]);
      matcher.retry(START);
    }
    assert.deepEqual(numbers(matcher), { waiting: 0, matched: 18, expired: 0, dropped: 2, refused: 0 });
  });

  test('10,000 on live interfaces, ten times as many with captures, where all come before the first packet', () => {
    for (const live of [true, false]) {
      const most = live ? MAX_WAITING : MAX_WAITING_CAPTURE;
      const keys = new Set<string>();
      const report: ReportAlert = (scratch, chunk, index) => keys.add(keyOf(scratch.words, index, chunk)).size > 0;
      const matcher = createIdsMatcher({ report, seed: 1, live });
      matcher.add(Array.from({ length: most + 1 }, (_, i) => alert({ sourcePort: i & 0xffff, vlan: i >> 16 })));
      assert.deepEqual(numbers(matcher), { waiting: most, matched: 0, expired: 0, dropped: 1, refused: 0 });
      matcher.retry(START);
      assert.equal(keys.size, most); // each has kept its own key while the memory grew
      assert.equal(matcher.matched, most);
    }
  });

  test('what no flow can be about is refused', () => {
    const { matcher } = withFlows(true);
    matcher.add([alert({ protocol: 44, source: '2001:db8::1', destination: '2001:db8::2' })]);
    matcher.retry(START);
    assert.deepEqual(numbers(matcher), { waiting: 0, matched: 0, expired: 0, dropped: 0, refused: 1 });
  });
});

test('the real engine: the flow of the alert, and no other, gets status 21 and shows the alert', () => {
  const names = namesFor(undefined, []);
  const bytes = new Uint8Array(64 << 10);
  const view = createEventView(names);
  const ended = new Map<string, { status: boolean; shown: string | undefined }>();
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows: 100,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi: undefined,
    names,
    localNetworks: createPrefixSet(),
    policy: DEFAULT_POLICY,
    counters: new Float64Array(COUNTERS.length),
    visitsInline: true,
    sink: {
      bytes,
      reserve: () => 0,
      commit() {
        view.set(bytes, 0);
        const flow = `${view.client()} ${view.clientPort()} ${view.vlan()}`;
        ended.set(flow, { status: (view.status() & (1 << 21)) !== 0, shown: view.text('ids.alert') });
      },
    },
  });
  const seed = 4711;
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, new Float64Array(DECODE_COUNTERS.length), seed);
  const matcher = createIdsMatcher({ report: engine.report, seed, live: false });
  const batch = createBatch(1);
  const scratch = createScratch();
  const play = (time: number, frame: Uint8Array): void => {
    batch.bytes.set(frame);
    batch.frames.set([0, frame.length, frame.length, ...new Array<number>(FRAME_WORDS).fill(0)]);
    batch.times[0] = time;
    batch.count = 1;
    decoder.decode(batch, 0, scratch);
    engine.process(scratch, batch.bytes);
    matcher.retry(engine.clock());
  };
  const six = { source: '2001:db8::1', destination: '2001:db8::2' };
  matcher.add([
    reversed(alert({ time: START + 2 * SECOND, json: '{"signature_id":4}' })),
    alert({ ...six, protocol: 17, sourcePort: 5, destinationPort: 53, vlan: 7, json: '{"signature_id":6}' }),
    alert({ sourcePort: 9, json: '{"signature_id":9}' }),
  ]);
  const v6 = ipv6({ from: six.source, to: six.destination }, udp({ from: 5, to: 53 }, 'x'));
  play(START + 1 * SECOND, ethernet({}, ipv4({}, tcp({ from: 1025, to: 80, flags: SYN }))));
  play(START + 1 * SECOND, ethernet({}, ipv4({}, tcp({ from: 1026, to: 80, flags: SYN }))));
  play(START + 1 * SECOND, ethernet({}, v6));
  play(START + 1 * SECOND, ethernet({}, vlan({ id: 7 }, v6)));
  assert.equal(matcher.matched, 1); // the IPv4 one is two seconds in
  play(START + 2 * SECOND, ethernet({}, ipv4({}, udp({ from: 1, to: 2 }, 'x'))));
  assert.deepEqual([matcher.matched, matcher.waiting], [2, 1]);
  engine.finish('end of file');
  assert.deepEqual(ended.get('10.0.0.1 1025 0'), { status: true, shown: '{"signature_id":4}' });
  assert.deepEqual(ended.get('2001:db8::1 5 7'), { status: true, shown: '{"signature_id":6}' });
  for (const flow of ['10.0.0.1 1026 0', '2001:db8::1 5 0', '10.0.0.1 1 0']) {
    assert.deepEqual(ended.get(flow), { status: false, shown: undefined }, flow);
  }
});
