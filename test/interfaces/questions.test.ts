/** Questions about the flows of a thread, answered a slice at a time while flows come and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COUNTERS, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import { fieldByKey } from '../../src/flows/fields.ts';
import { topHosts } from '../../src/flows/host-totals.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { createEventView } from '../../src/flows/view.ts';
import { EMPTY_BOOK } from '../../src/hosts/book.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { unpack } from '../../src/interfaces/packed-events.ts';
import type { ThreadAnswer } from '../../src/interfaces/protocol.ts';
import { createQuestions } from '../../src/interfaces/questions.ts';
import { BATCH_PACKETS, createBatch, createScratch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import type { FlowQuery } from '../../src/patrol-types.ts';
import { ethernet, ipv4, udp } from '../support/packets.ts';
import { namesFor } from '../support/play.ts';

const START_US = 1_600_000_000_000_000;
const IDLE_US = 100_000_000;
const NAMES = namesFor(undefined, []);
const QUERY: FlowQuery = { filter: '', sort: 'cli.port', descending: true, limit: 10 };

/** A thread's engine and its questions; flow `port` comes from that port, to one of two hosts. */
function world() {
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows: 60_000,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi: undefined,
    names: NAMES,
    localNetworks: createPrefixSet(),
    policy: { ...DEFAULT_POLICY, preferences: { ...DEFAULT_POLICY.preferences, flow_max_idle: 60 } },
    counters: new Float64Array(COUNTERS.length),
    visitsInline: true,
    sink: undefined,
  });
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, new Float64Array(COUNTERS.length).subarray(DECODE_COUNTERS_START), 1);
  const batch = createBatch(1);
  const scratch = createScratch();
  const answers = new Map<number, ThreadAnswer>();
  const questions = createQuestions(engine, NAMES, EMPTY_BOOK, (message) => {
    assert.ok(message.type === 'answer' && message.parts.length === 1);
    answers.set(message.id, message.parts[0] as ThreadAnswer);
  });
  let now = START_US;
  return {
    engine,
    questions,
    answers,
    /** A packet of each port, at one time. */
    packets(ports: readonly number[], after = 0) {
      now += after;
      for (let first = 0; first < ports.length; ) {
        let at = 0;
        batch.count = 0;
        for (; first < ports.length && batch.count < BATCH_PACKETS; first++) {
          const port = ports[first] as number;
          const frame = ethernet({}, ipv4({ to: port % 2 === 0 ? '10.0.0.2' : '10.0.0.3' }, udp({ from: port }, 'x')));
          batch.bytes.set(frame, at);
          batch.frames.set([at, frame.length, frame.length], batch.count * FRAME_WORDS);
          batch.times[batch.count++] = now;
          at += frame.length;
        }
        for (let from = 0; from < batch.count; ) {
          from = decoder.decode(batch, from, scratch);
          engine.process(scratch, batch.bytes);
        }
      }
    },
    ask: (id: number, query: Partial<FlowQuery> = {}, as: 'flows' | 'hosts' = 'flows') =>
      questions.ask({ type: 'query', id, query: { ...QUERY, ...query }, as }),
    ports(id: number): number[] {
      const view = createEventView(NAMES);
      return unpack(answers.get(id)?.flows ?? assert.fail(`no answer ${id}`))
        .toReversed()
        .map((bytes) => {
          view.set(bytes, 0);
          return Number(fieldByKey.get('cli.port')?.read(view));
        });
    },
  };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test('whenever a question comes in, it sees every flow once', () => {
  const { packets, ask, questions, answers, ports } = world();
  packets(range(1000, 31_000));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 }), (pauses) => {
      answers.clear();
      for (const [id, pause] of pauses.entries()) {
        ask(id, id % 2 === 0 ? {} : { filter: 'cli.port < 2000', descending: false, limit: 3 });
        for (let i = 0; i < pause; i++) questions.work();
      }
      while (questions.work());
      assert.equal(answers.size, pauses.length);
      for (const [id, { matched, total }] of answers) {
        assert.deepEqual([matched, total], [id % 2 === 0 ? 30_000 : 1000, 30_000]);
        assert.deepEqual(ports(id), id % 2 === 0 ? range(30_990, 31_000).toReversed() : [1000, 1001, 1002]);
      }
    }),
    { numRuns: 30 },
  );
});

test('flows that end while it is under way are left out, also where another one has their place; new ones are no harm', () => {
  const { packets, ask, questions, answers, ports, engine } = world();
  packets(range(1000, 21_000));
  ask(1, { limit: 10_000 });
  while (!answers.has(1) && questions.work());
  assert.equal(ports(1).length, 10_000);
  ask(2, { limit: 10_000 });
  for (let i = 0; i < 19; i++) questions.work(); // about all of them are looked at
  packets(range(1000, 11_000), IDLE_US); // the visit that this brings ends all; their places are taken
  packets(range(30_000, 40_000));
  while (questions.work());
  assert.equal(engine.limit(), 20_001, 'places are used again');
  const found = ports(2);
  assert.ok(found.every((port) => port < 11_000 || port >= 30_000));
  assert.deepEqual(
    found,
    found.toSorted((a, b) => b - a),
  );
  ask(3, { limit: 1 });
  while (questions.work());
  assert.deepEqual([answers.get(3)?.total, ports(3)], [20_000, [39_999]]);
});

test('hosts are added up from the flows that were picked', () => {
  const { packets, ask, questions, answers } = world();
  packets(range(1000, 2001));
  packets([1000, 1000]);
  ask(1, { limit: 10_000 }, 'hosts');
  ask(2, { limit: 2, sort: 'packets' }, 'hosts');
  while (questions.work());
  const of = (id: number) => topHosts([[answers.get(id)?.hosts ?? assert.fail()]], 'bytes', true, 10);
  const frame = ethernet({}, ipv4({}, udp({}, 'x'))).length;
  const all = of(1).hosts.map(({ address, asClient, asServer, sent, received }) => ({ address, asClient, asServer, sent, received }));
  assert.deepEqual(all, [
    { address: '10.0.0.1', asClient: 1001, asServer: 0, sent: 1003 * frame, received: 0 },
    { address: '10.0.0.2', asClient: 0, asServer: 501, sent: 0, received: 503 * frame },
    { address: '10.0.0.3', asClient: 0, asServer: 500, sent: 0, received: 500 * frame },
  ]);
  assert.deepEqual(
    of(2).hosts.map(({ asClient, asServer }) => asClient + asServer),
    [2, 1, 1],
  );
});

test('a question that nobody waits for costs nothing more; what is asked at the end is answered at once', () => {
  const { packets, ask, questions, answers } = world();
  packets(range(1000, 21_000));
  ask(1);
  questions.work();
  questions.forget(1);
  assert.equal(questions.work(), false);
  ask(2);
  ask(3, { limit: 5 });
  questions.finish();
  assert.deepEqual([...answers.keys()].toSorted(), [2, 3]);
  assert.throws(() => ask(4, { filter: 'prt == 1' }), /prt/);
});
