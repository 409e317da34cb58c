/** The short form of the soak (test/long/soak.ts): a churn of flows on a live interface, none lost, nothing left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './long/soak.ts';
import { asRoot } from './support/veth.ts';

test('12 seconds of churn at 1,000 flows a second: nothing is lost', async () => {
  if (!asRoot(import.meta.url)) return;
  const { samples, code, summary } = await soak({ seconds: 12, flows: 1000, speed: 10, every: 4, args: ['--max-flows', '50000'] });
  const last = samples.at(-1);
  assert.ok(last !== undefined);
  assert.deepEqual(last.losses, {}, summary);
  assert.ok(last.created > 4000, `${last.created} flows`);
  assert.ok(last.packets > 4 * 4000, `${last.packets} packets`);
  assert.equal(code, 0, summary);
  assert.match(summary, /^Losses: nothing lost$/m);
});
