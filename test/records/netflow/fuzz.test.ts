/** Mutated messages, a short run; the long one is test/long/fuzz-netflow.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzNetflow } from '../../long/fuzz-netflow.ts';

test('30,000 mutated messages: nothing throws, all are counted, every reason occurs', () => {
  const { messages, decoded, refused, records, counters } = fuzzNetflow({ messages: 30_000, seed: 20260101 });
  assert.equal(messages, decoded + refused);
  assert.ok(records > 10_000);
  const reasons = [
    'refused.short',
    'refused.version',
    'refused.length',
    'refused.set',
    'sets.damaged',
    'sets.reserved',
    'templates.damaged',
    'records.damaged',
  ];
  for (const reason of reasons) assert.ok(counters[`netflow.${reason}`] > 0, reason);
});
