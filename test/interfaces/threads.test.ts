/** What capture threads of one interface share: the ring of events, the count of alerts, the gate where they begin together. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { createRingBuffer, createRingReader } from '../../src/flows/ring.ts';
import { createTally, TALLY_BYTES } from '../../src/interfaces/ids-tally.ts';
import { createGate, GATE_BYTES } from '../../src/interfaces/live/gate.ts';

test('three writers: every event of each comes out whole and in its order, and the ring ends with the last of them', async () => {
  const writers = 3;
  const total = 5000;
  const shared = createRingBuffer(4096, writers);
  const code = `
    import { createSharedRingWriter } from ${JSON.stringify(new URL('../../src/flows/ring.ts', import.meta.url).href)};
    import { workerData } from 'node:worker_threads';
    const { shared, total, writer } = workerData;
    const ring = createSharedRingWriter(shared);
    const words = new Uint32Array(ring.bytes.buffer, ring.bytes.byteOffset, ring.bytes.byteLength >> 2);
    for (let i = 0; i < total; i++) {
      const length = 16 + ((i * 7 + writer) % 30) * 8;
      let at = ring.reserve(length);
      while (at < 0) at = ring.reserve(length);
      words.fill(writer, at >> 2, (at + length) >> 2);
      words[at >> 2] = length;
      words[(at >> 2) + 1] = i;
      ring.commit(length);
    }
    ring.close();`;
  const workers = Array.from(
    { length: writers },
    (_, writer) => new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: { shared, total, writer } }),
  );
  const ended = workers.map((worker) => once(worker, 'exit'));
  const reader = createRingReader(shared);
  const words = new Uint32Array(reader.bytes.buffer, reader.bytes.byteOffset, reader.bytes.byteLength >> 2);
  const next = new Array<number>(writers).fill(0);
  for (;;) {
    const at = reader.next(1);
    if (at === -2) break;
    if (at === -1) {
      await new Promise(setImmediate);
      continue;
    }
    const length = words[at >> 2] as number;
    const [number, ...rest] = words.subarray((at >> 2) + 1, (at + length) >> 2);
    const writer = rest[0] as number;
    assert.ok(
      rest.every((word) => word === writer),
      'no other writer wrote into it',
    );
    assert.equal(number, next[writer]);
    next[writer] = (next[writer] as number) + 1;
    reader.release(length);
  }
  assert.deepEqual(next, new Array<number>(writers).fill(total));
  await Promise.all(ended);
});

test('an alert is counted once, as found if any thread had its flow, whatever the order', () => {
  // per alert and thread: is its flow there; and the order in which the threads are done with it
  const alert = fc.record({
    found: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(alert, { maxLength: 20 }), fc.nat({ max: 1 << 20 }), (alerts, first) => {
      const shared = new SharedArrayBuffer(TALLY_BYTES);
      const threads = [0, 1, 2].map(() => createTally(shared, 3));
      alerts.forEach(({ found, order }, i) => {
        const counted = order.filter((thread) => threads[thread]?.(first + i, found[thread] as boolean));
        assert.equal(counted.length, 1);
        assert.equal(found[counted[0] as number], found.includes(true));
      });
      assert.ok(
        new Int32Array(shared).every((word) => word === 0),
        'nothing is left for the next alerts of these places',
      );
    }),
    { numRuns: 50 },
  );
});

test('the gate opens when all are there, and closes when one leaves', () => {
  const shared = new SharedArrayBuffer(GATE_BYTES);
  const [one, two] = [createGate(shared, 2), createGate(shared, 2)];
  one.arrive();
  assert.equal(one.wait(0), false);
  two.arrive();
  assert.equal(one.wait(0), true);
  assert.equal(two.wait(0), true);
  two.leave();
  assert.equal(one.wait(0), false);
  two.arrive();
  assert.equal(one.wait(0), true);
});
