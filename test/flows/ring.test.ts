/** The ring of events: order, room, wrapping, closing; and across threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { createRingBuffer, createRingReader, createRingWriter } from '../../src/flows/ring.ts';

const put = (writer: ReturnType<typeof createRingWriter>, length: number, value: number): boolean => {
  const at = writer.reserve(length);
  if (at < 0) return false;
  const view = new DataView(writer.bytes.buffer, writer.bytes.byteOffset + at, length);
  view.setUint32(0, length, true);
  view.setUint32(4, value, true);
  writer.commit(length);
  return true;
};

const take = (reader: ReturnType<typeof createRingReader>): number | undefined => {
  const at = reader.next(0);
  if (at < 0) return undefined;
  const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + at);
  const value = view.getUint32(4, true);
  reader.release(view.getUint32(0, true));
  return value;
};

test('what goes in comes out, once, in order, whatever the sizes and turns', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(0)), { maxLength: 400 }), (steps) => {
      const shared = createRingBuffer(1024);
      const writer = createRingWriter(shared);
      const reader = createRingReader(shared);
      const expected: number[] = [];
      let next = 0;
      for (const step of steps) {
        if (step === 0) assert.equal(take(reader), expected.shift());
        else if (put(writer, step * 8, next)) expected.push(next++);
        else assert.ok(expected.length > 0, 'an empty ring takes every event of at most half its size');
      }
      for (const value of expected) assert.equal(take(reader), value);
      assert.equal(reader.next(0), -1);
      writer.close();
      assert.equal(reader.next(0), -2);
    }),
  );
});

test('a full ring says so, and has room again when the reader has read', () => {
  const shared = createRingBuffer(256);
  const writer = createRingWriter(shared);
  const reader = createRingReader(shared);
  assert.ok(put(writer, 128, 1));
  assert.ok(put(writer, 128, 2));
  assert.equal(put(writer, 8, 3), false);
  assert.equal(take(reader), 1);
  assert.ok(put(writer, 8, 3));
  assert.throws(() => writer.reserve(136), RangeError);
});

test('two threads: a reader that starts late gets everything from a writer that waits for it', async () => {
  const shared = createRingBuffer(4096);
  const total = 20_000;
  const code = `
    import { createRingWriter } from ${JSON.stringify(new URL('../../src/flows/ring.ts', import.meta.url).href)};
    import { workerData } from 'node:worker_threads';
    const writer = createRingWriter(workerData.shared);
    for (let i = 0; i < workerData.total; i++) {
      const length = 8 + (i % 40) * 8;
      let at = writer.reserve(length);
      while (at < 0) { writer.waitForRoom(length); at = writer.reserve(length); }
      const view = new DataView(writer.bytes.buffer, writer.bytes.byteOffset + at, length);
      view.setUint32(0, length, true);
      view.setUint32(4, i, true);
      writer.commit(length);
    }
    writer.close();`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: { shared, total } });
  const reader = createRingReader(shared);
  let count = 0;
  for (;;) {
    const at = reader.next(1);
    if (at === -2) break;
    if (at === -1) {
      await new Promise(setImmediate);
      continue;
    }
    const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + at);
    assert.equal(view.getUint32(4, true), count++);
    reader.release(view.getUint32(0, true));
  }
  assert.equal(count, total);
  await worker.terminate();
});
