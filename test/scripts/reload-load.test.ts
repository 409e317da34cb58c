/** The short form of test/long/reload.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reload } from '../long/reload.ts';

test('300 reloads under load: every event is seen once by whichever version runs', async () => {
  const { events, seen, seenBeside, doubled, versions, lostState } = await reload(300);
  assert.equal(seen, events);
  assert.equal(seenBeside, events);
  assert.equal(doubled, 0);
  assert.ok(versions > 10, `${versions} versions`);
  assert.equal(lostState, 0);
});
