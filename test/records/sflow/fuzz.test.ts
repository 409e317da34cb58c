/** The short form of test/long/fuzz-sflow.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzSflow } from '../../long/fuzz-sflow.ts';

for (const seed of [1, 2]) {
  test(`20,000 mutated datagrams, seed ${seed}`, () => {
    const { samples, damaged, flows } = fuzzSflow({ messages: 20_000, seed });
    assert.ok(samples > 10_000 && damaged > 1000 && flows > 1000, `${samples} samples, ${damaged} damaged, ${flows} events`);
  });
}
