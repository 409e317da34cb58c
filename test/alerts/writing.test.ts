/** The way into the history by properties: whatever fails in between, what was put is stored in its newest state, and told once as new. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Alert } from '../../src/alerts/alert.ts';
import { type AlertEvent, createWriting } from '../../src/alerts/writing.ts';
import { alertOf } from '../notify/support.ts';
import { handClock, testHistory } from './support.ts';

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ put: fc.integer({ min: 1, max: 700 }) }) },
  { weight: 4, arbitrary: fc.record({ touch: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ edit: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ turn: fc.integer({ min: 0, max: 3000 }) }) },
  { weight: 1, arbitrary: fc.record({ failing: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ flush: true }) },
);

test('property: nothing is lost, nothing is told before it is stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = handClock();
      const history = testHistory();
      const events: AlertEvent[] = [];
      const announced: string[] = [];
      const newest = new Map<string, Alert>(); // what it should come to
      const writing = createWriting({
        history,
        clock,
        held: () => undefined,
        replaced() {},
        announce(fresh) {
          for (const { id } of fresh) assert.ok(!history.rows.has(id), 'it is not stored yet');
          announced.push(...fresh.map(({ id }) => id));
        },
        tell(batch) {
          for (const { alert } of batch) assert.equal(history.rows.get(alert.id), alert, 'it is stored');
          events.push(...batch);
        },
        failed() {},
      });
      const one = (n: number): Alert | undefined => [...newest.values()][n % Math.max(1, newest.size)];
      for (const each of steps) {
        if ('put' in each) {
          for (let i = 0; i < each.put; i++) {
            const alert = alertOf();
            newest.set(alert.id, alert);
            writing.put(alert, true);
          }
        } else if ('touch' in each) {
          // the intake touches what it holds: the newest state that there is
          const id = one(each.touch)?.id;
          const alert = id === undefined ? undefined : (writing.waiting(id) ?? history.rows.get(id));
          if (alert === undefined) continue;
          const next = { ...alert, count: alert.count + 1 };
          newest.set(next.id, { ...(newest.get(next.id) as Alert), count: next.count });
          writing.touch(next);
        } else if ('edit' in each) {
          const alert = one(each.edit);
          if (alert === undefined) continue;
          newest.set(alert.id, { ...alert, state: 'closed', by: 'ann' });
          writing.edit(alert.id, (was) => ({ ...was, state: 'closed', by: 'ann' }));
        } else if ('turn' in each) await clock.turn(each.turn);
        else if ('failing' in each) history.failing = each.failing ? 'disk full' : undefined;
        else if (history.failing === undefined) await writing.flush();
      }
      history.failing = undefined;
      await writing.flush();
      assert.deepEqual(new Map([...history.rows].sort()), new Map([...newest].sort()));
      const told = Map.groupBy(events, ({ alert }) => alert.id);
      assert.equal(told.size, newest.size);
      for (const [id, of] of told) {
        assert.deepEqual(
          of.map(({ type }) => type === 'new'),
          of.map((_, i) => i === 0),
          'new once, and first',
        );
        assert.deepEqual(of.at(-1)?.alert, newest.get(id));
      }
      assert.equal(await writing.close(), 0);
    }),
    { numRuns: 100 },
  );
});

test('changes of alerts that nobody has do nothing, and hold nothing up', async () => {
  const history = testHistory();
  const writing = createWriting({
    history,
    clock: handClock(),
    held: () => undefined,
    replaced() {},
    announce() {},
    tell() {},
    failed() {},
  });
  for (let i = 0; i < 250; i++) writing.edit(`nobody${i}`, (alert) => alert);
  await writing.flush();
  assert.equal(history.writes.length, 0);
});
