/** The short form of test/long/reload.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf, reload } from '../long/reload.ts';

test('300 reloads under load: every event is seen once by whichever version runs, and nothing of the versions that are gone is kept', async () => {
  const tenth = await reload(30);
  const result = await reload(300);
  assert.deepEqual(faultsOf(result, tenth), []);
  assert.ok(result.versions > 20, `${result.versions} versions`);
});
