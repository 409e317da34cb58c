/** After kill -9 everything that was told to be stored is there; test/long/kill-store.ts does it 50 times. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { killAfter, look, nothingTold } from './history-kills.ts';

test('killed at a start, soon and later', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'history-kill-'));
  const told = nothingTold();
  for (const [run, lines] of [1, 2, 60, 200].entries()) {
    await killAfter(directory, `run${run}`, lines, told);
    assert.deepEqual((await look(directory, told)).missing, [], `killed after ${lines} lines`);
  }
  assert.ok(told.alerts.size > 50, `${told.alerts.size} alerts were told`);
  await rm(directory, { recursive: true });
});
