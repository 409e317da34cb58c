/** The way of flows into the history: batches of a script host, what a slow store does to captures and live interfaces, figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert } from '../../src/alerts/alert.ts';
import { EMPTY_BOOK } from '../../src/hosts/book.ts';
import type { InterfaceSnapshot } from '../../src/patrol-types.ts';
import { createOutbox, type FlowBatch, OUTBOX_LOST, OUTBOX_UNDER_WAY, OUTBOX_WAITING, OUTBOX_WORDS } from '../../src/scripts/outbox.ts';
import { createRecorder } from '../../src/server/recorder.ts';
import type { FlowEntry, SeriesPoint } from '../../src/store/history.ts';
import { createMemoryHistory } from '../../src/store/memory-history.ts';
import { flowsOf, INTERFACE, SNAPSHOT } from '../api/support.ts';

const flows = flowsOf('demo.pcap');
const batchOf = (events: readonly Uint8Array[]): FlowBatch => {
  const all = new Uint8Array(events.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const event of events) {
    all.set(event, at);
    at += event.length;
  }
  return all;
};
const of = { interface: 'test', names: flows.names, live: false };
const fails = (error: Error): void => assert.fail(error);

test('the outbox of a host: whole events in batches, on the way until they are worked off', () => {
  const shared = new SharedArrayBuffer(OUTBOX_WORDS * 4);
  const words = new Int32Array(shared);
  const batches: FlowBatch[] = [];
  const outbox = createOutbox(true, shared, (batch) => batches.push(batch));
  let put = 0;
  const fill = (until: () => boolean): void => {
    for (; !until(); put++) {
      const event = flows.events[put % flows.events.length] as Uint8Array;
      outbox.put(event, 0, event.length);
    }
  };
  fill(() => batches.length === 2);
  assert.equal(words[OUTBOX_UNDER_WAY], 2);
  outbox.flush();
  assert.equal(words[OUTBOX_WAITING], 0);
  const bytes = batchOf(batches);
  const wanted = batchOf(Array.from({ length: put }, (_, i) => flows.events[i % flows.events.length] as Uint8Array));
  assert.deepEqual(Buffer.compare(bytes, wanted), 0);

  // nobody works them off: a live interface goes on without
  words[OUTBOX_UNDER_WAY] = 511;
  fill(() => batches.length === 4);
  const before = put;
  fill(() => put === before + 3000);
  outbox.flush();
  assert.equal(batches.length, 4);
  const told = batches.reduce((sum, batch) => {
    const view = new DataView(batch.buffer);
    let count = 0;
    for (let at = 0; at < batch.length; at += view.getUint32(at, true)) count++;
    return sum + count;
  }, 0);
  assert.equal(words[OUTBOX_LOST], put - told);
  words[OUTBOX_UNDER_WAY] = 0;
  fill(() => batches.length === 5);
});

test('every flow of a batch is a row, with proper text; a capture’s figures are those of its flows', async () => {
  const history = createMemoryHistory();
  const recorder = createRecorder({ history, hosts: () => EMPTY_BOOK, failed: fails });
  await recorder.take(batchOf(flows.events.slice(0, 60)), of);
  await recorder.take(batchOf(flows.events.slice(60)), of);
  const { rows, total } = await history.flows({ filter: '', sort: 'bytes', descending: true, limit: 1000, offset: 0 });
  assert.equal(total, flows.events.length);
  assert.ok(rows.every(({ ended, interface: name, time }) => ended && name === 'test' && time > 1e15));
  const bytes = rows.reduce((sum, { flow }) => sum + Number(flow.bytes), 0);
  const points = await history.series({ names: ['bytes', 'flows', 'protocol:DNS'], from: 0, to: 2e15, points: 10 });
  const sum = (name: string): number =>
    Math.round(points.filter((point) => point.name === name).reduce((total, { value }) => total + value, 0));
  assert.deepEqual([sum('bytes'), sum('flows')], [bytes, flows.events.length]);
  const dns = rows.filter(({ flow }) => flow['proto.ndpi'] === 'DNS').reduce((total, { flow }) => total + Number(flow.bytes), 0);
  assert.equal(sum('protocol:DNS'), dns);
});

test('while too many rows are not stored yet, a batch is not done; what the store refuses is counted', async () => {
  const stored: (() => void)[] = [];
  const failures: string[] = [];
  let refuse = false;
  const history = {
    appendFlows: (_: readonly FlowEntry[]): Promise<void> => {
      if (refuse) return Promise.reject(new Error('the disk is full'));
      const { promise, resolve } = Promise.withResolvers<void>();
      stored.push(resolve);
      return promise;
    },
    appendSeries: async (_: readonly SeriesPoint[]): Promise<void> => {},
  };
  const recorder = createRecorder({ history, hosts: () => EMPTY_BOOK, failed: (error) => failures.push(error.message) });
  const large = batchOf(Array.from({ length: 30_000 }, () => flows.events[0] as Uint8Array));
  await recorder.take(large, { ...of, live: true });
  let done = false;
  const second = recorder.take(large, { ...of, live: true }).then(() => (done = true));
  while (stored.length < 2) await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(done, false);
  stored[0]?.();
  await second;
  refuse = true;
  await recorder.take(batchOf(flows.events.slice(0, 3)), { ...of, live: true });
  await recorder.flush();
  assert.deepEqual(failures, ['the disk is full']);
  assert.deepEqual(
    recorder.losses().map(({ name, value }) => [name, value]),
    [['history.flows', 3]],
  );
});

test('figures of live interfaces: what came since the last look, at the time of the traffic', async () => {
  const history = createMemoryHistory();
  const recorder = createRecorder({ history, hosts: () => EMPTY_BOOK, failed: fails });
  const look = (clock: number, bytes: number, more: Partial<InterfaceSnapshot> = {}): void =>
    recorder.figures({
      ...SNAPSHOT,
      interfaces: [{ ...INTERFACE, clock, counters: { bytes, packets: bytes / 100 }, protocols: [], ...more }],
    });
  look(1e15, 1000);
  look(1e15 + 1e6, 1000);
  look(1e15 + 2e6, 1500);
  look(1e15 + 3e6, 9000, { kind: 'pcap' });
  const alert = { time: 1e15 + 4e6 + 7, interface: 'eth0' } as Alert;
  recorder.alerts([
    { type: 'new', alert },
    { type: 'new', alert },
    { type: 'changed', alert },
  ]);
  const alerts = await history.series({ names: ['alerts'], from: 1e15, to: 1e15 + 1e7, points: 1000 });
  assert.deepEqual(
    alerts.filter(({ value }) => value > 0).map(({ time, value }) => [time, value]),
    [[1e15 + 4e6, 2]],
  );
  const points = await history.series({ names: ['bytes', 'packets'], from: 1e15 - 1e7, to: 1e15 + 1e7, points: 1000 });
  assert.deepEqual(
    points.filter(({ name, value }) => name === 'bytes' && value > 0).map(({ time, value }) => [time, value]),
    [
      [1e15, 1000],
      [1e15 + 2e6, 500],
    ],
  );
});
