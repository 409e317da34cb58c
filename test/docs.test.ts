import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stalePages } from '../docs/generate.ts';

test('the pages made from the code are up to date', () => {
  assert.deepEqual(stalePages(), []);
});

test('docs/generate.ts --check agrees', () => {
  const run = spawnSync(process.execPath, [fileURLToPath(new URL('../docs/generate.ts', import.meta.url)), '--check'], {
    encoding: 'utf8',
  });
  assert.equal(run.stderr, '');
  assert.equal(run.status, 0);
});
