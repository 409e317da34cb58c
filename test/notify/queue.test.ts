/** The queue of an endpoint, by a clock that is turned by hand: order, batches, retries, dead letters, what there is no room for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Alert } from '../../src/alerts/alert.ts';
import { backOff, createQueue, MOST_ATTEMPTS, MOST_WAITING, type Queue, type QueueOptions } from '../../src/notify/queue.ts';
import { type Delivery, DeliveryError } from '../../src/notify/transport.ts';
import { type HandClock, handClock, settled } from '../alerts/support.ts';
import { alertOf } from './support.ts';

interface Play {
  readonly queue: Queue;
  readonly clock: HandClock;
  readonly sent: Delivery[];
  readonly dead: { readonly ids: readonly string[]; readonly attempts: number; readonly error: string }[];
  /** undefined = it works. */
  error: Error | undefined;
  /** It waits until this is called off. */
  hold(): () => void;
}

function play(options: Partial<QueueOptions> = {}, most = 10): Play {
  const clock = handClock();
  const sent: Delivery[] = [];
  const dead: Play['dead'] = [];
  let held: Promise<void> | undefined;
  let deliveries = 0;
  const run: Play = {
    clock,
    sent,
    dead,
    error: undefined,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    queue: createQueue({
      transport: {
        most,
        async send(delivery) {
          sent.push(delivery);
          await held;
          if (run.error !== undefined) throw run.error;
        },
        close() {},
      },
      clock,
      pauseMs: 0,
      random: () => 0.999,
      newId: () => `d${++deliveries}`,
      begun() {},
      done() {},
      dead: (alerts, attempts, error) => dead.push({ ids: alerts.map(({ id }) => id), attempts, error }),
      ...options,
    }),
  };
  return run;
}

const alerts = (count: number): Alert[] => Array.from({ length: count }, () => alertOf());
const idsOf = (deliveries: readonly Delivery[]): string[] => deliveries.flatMap((delivery) => delivery.alerts.map(({ id }) => id));

test('alerts go in order, those of one turn together, no more than fit', async () => {
  const { queue, sent } = play();
  const all = alerts(25);
  for (const alert of all) queue.push(alert);
  await queue.drained();
  assert.deepEqual(
    sent.map(({ alerts: batch }) => batch.length),
    [10, 10, 5],
  );
  assert.deepEqual(
    idsOf(sent),
    all.map(({ id }) => id),
  );
  assert.deepEqual(queue.state().counters, { queued: 25, resumed: 0, delivered: 25, failures: 0, dead: 0, dropped: 0 });
});

test('a failed delivery is tried again with growing waits, under the same id', async () => {
  const run = play();
  run.error = new Error('refused');
  run.queue.push(alertOf());
  await settled();
  const waits: number[] = [];
  for (let i = 0; i < MOST_ATTEMPTS - 1; i++) {
    const { againAt = 0, error } = run.queue.state();
    assert.equal(error, 'refused');
    waits.push(Math.round((againAt - run.clock.now()) / 1000));
    await run.clock.turn(againAt - run.clock.now());
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512]);
  assert.equal(run.sent.length, MOST_ATTEMPTS);
  assert.deepEqual([...new Set(run.sent.map(({ id }) => id))], ['d1']);
  assert.deepEqual(
    run.dead.map(({ attempts, error }) => [attempts, error]),
    [[MOST_ATTEMPTS, 'refused']],
  );
  run.error = undefined;
  run.queue.push(alertOf());
  await run.queue.drained();
  assert.deepEqual(run.queue.state().counters, { queued: 2, resumed: 0, delivered: 1, failures: MOST_ATTEMPTS, dead: 1, dropped: 0 });
  assert.equal(run.queue.state().error, undefined);
});

test('what is refused for good is a dead letter at once, and the next one has its turn', async () => {
  const run = play({}, 1);
  run.error = new DeliveryError('no such room', true);
  for (const alert of alerts(3)) run.queue.push(alert);
  await run.queue.drained();
  assert.equal(run.dead.length, 3);
  assert.equal(run.sent.length, 3);
});

test('a receiver may ask for more time', async () => {
  const run = play();
  run.error = new DeliveryError('busy', false, 90_000);
  run.queue.push(alertOf());
  await settled();
  await run.clock.turn(89_000);
  assert.equal(run.sent.length, 1);
  run.error = undefined;
  await run.clock.turn(1000);
  assert.equal(run.queue.state().counters.delivered, 1);
});

test('between deliveries is a pause, and what comes meanwhile goes together; at the end nobody waits', async () => {
  const run = play({ pauseMs: 60_000 });
  for (const alert of alerts(4)) {
    run.queue.push(alert);
    await run.clock.turn(10_000);
  }
  assert.equal(run.sent.length, 1);
  await run.clock.turn(60_000);
  assert.deepEqual(
    run.sent.map(({ alerts: batch }) => batch.length),
    [1, 3],
  );
  for (const alert of alerts(15)) run.queue.push(alert);
  await run.queue.drained();
  assert.equal(run.queue.state().counters.delivered, 19);
});

test('a full queue blocks nobody: what there is no room for is counted', async () => {
  const run = play();
  const release = run.hold();
  const taken = alerts(MOST_WAITING + 50).filter((alert) => run.queue.push(alert));
  assert.equal(taken.length, MOST_WAITING);
  release();
  await run.queue.drained();
  assert.deepEqual(run.queue.state().counters, {
    queued: MOST_WAITING,
    resumed: 0,
    delivered: MOST_WAITING,
    failures: 0,
    dead: 0,
    dropped: 50,
  });
});

test('a queue that is closed gives back what it has, and its successor goes on', async () => {
  const run = play();
  run.error = new Error('refused');
  const all = alerts(12);
  for (const alert of all) run.queue.push(alert);
  await settled();
  const { counters } = run.queue.state();
  const left = run.queue.close();
  assert.deepEqual(left, all);
  const next = play({ before: { counters, waiting: left } });
  await next.queue.drained();
  assert.deepEqual(next.queue.state().counters, { queued: 12, resumed: 0, delivered: 12, failures: 1, dead: 0, dropped: 0 });
  await run.clock.turn(1e6);
  assert.equal(run.sent.length, 1, 'the old one is silent');
});

test('property: waits grow to ten minutes and no further, half of them at least', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
      const wait = backOff(failures, random);
      const full = Math.min(600_000, 2000 * 2 ** (failures - 1));
      assert.ok(wait >= full / 2 && wait < full);
    }),
  );
});

test('property: queued = delivered + dead + waiting, whatever happens', async () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ turn: fc.integer({ min: 0, max: 2_000_000 }) }),
    fc.record({ error: fc.constantFrom(undefined, 'permanent', 'passing') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const run = play();
      let pushed = 0;
      for (const each of steps) {
        if ('push' in each) {
          pushed += each.push;
          for (const alert of alerts(each.push)) run.queue.push(alert);
        } else if ('turn' in each) await run.clock.turn(each.turn);
        else run.error = each.error === undefined ? undefined : new DeliveryError(each.error, each.error === 'permanent');
        const { counters, waiting } = run.queue.state();
        assert.equal(counters.queued, counters.delivered + counters.dead + waiting);
        assert.equal(counters.queued + counters.dropped, pushed);
      }
    }),
    { numRuns: 60 },
  );
});
