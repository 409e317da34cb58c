/** The whole program, killed at moments by chance: what it has shown is there afterwards. test/long/kill-program.ts does it 50 times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kill } from '../long/killing.ts';

test('four kills under load: no shown alert and no state is lost, and receivers get all', async () => {
  const { wrong, shown, alerts, changed } = await kill({ kills: 4, seed: 3, rate: 100 });
  assert.deepEqual(wrong, []);
  for (const [way, count] of Object.entries(shown)) assert.ok(count > 20, `${count} alerts were shown by ${way}`);
  assert.ok(alerts >= shown.stream && changed > 0, `${alerts} alerts, ${changed} changed`);
});
