/** The short form of the soak (test/long/soak.ts): a churn of flows on a live interface, none lost, nothing left behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { soak } from './long/soak.ts';

const root = process.getuid?.() === 0;

test('12 seconds of churn at 1,000 flows a second: nothing is lost', async () => {
  if (!root) {
    const again = spawnSync('sudo', ['-n', process.execPath, '--test', fileURLToPath(import.meta.url)], { encoding: 'utf8' });
    assert.equal(again.status, 0, `needs root: run the tests as root, or let sudo run without a password\n${again.stdout}${again.stderr}`);
    return;
  }
  const { samples, code, summary } = await soak({ seconds: 12, flows: 1000, speed: 10, every: 4, args: ['--max-flows', '50000'] });
  const last = samples.at(-1);
  assert.ok(last !== undefined);
  assert.deepEqual(last.losses, {}, summary);
  assert.ok(last.created > 4000, `${last.created} flows`);
  assert.ok(last.packets > 4 * 4000, `${last.packets} packets`);
  assert.equal(code, 0, summary);
  assert.match(summary, /^Losses: nothing lost$/m);
});
