/** The short form of the load test (test/long/web.ts): a page, two streams and questions beside a churn of flows. Counts alone, no times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAPTURE_LOSSES, load } from './long/web.ts';
import { asRoot } from './support/veth.ts';

test('6 seconds at 500 flows a second: everything is answered, nothing is lost, every flow is kept', async () => {
  if (!asRoot(import.meta.url)) return;
  const result = await load({ seconds: 6, flows: 500, speed: 10, every: 4, questions: 5 });
  assert.deepEqual(result.refused, []);
  assert.deepEqual(result.complaints, []);
  for (const name of CAPTURE_LOSSES) assert.equal(result.losses[name] ?? 0, 0, `${name}: ${result.losses[name]}`);
  assert.ok(result.created > 1000, `${result.created} flows`);
  assert.equal(result.kept, result.created);
  const answered = Object.values(result.answers).reduce((sum, times) => sum + times.length, 0);
  assert.ok(answered >= 25, `${answered} answers`);
  const [alerts, flows] = result.streams;
  assert.ok((alerts?.stats ?? 0) >= 3 && (flows?.flows ?? 0) >= 1, JSON.stringify(result.streams));
  assert.ok(result.samples.length >= 1);
});
