/** The short form of test/long/fuzz-zmq.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzZmq } from '../../long/fuzz-zmq.ts';

for (const seed of [1, 2]) {
  test(`20,000 mutated messages, seed ${seed}`, async () => {
    const { records, rejected, grownMiB } = await fuzzZmq({ messages: 20_000, seed });
    assert.ok(records > 2000, 'mutations leave enough that is read');
    for (const reason of ['header', 'version', 'inflate', 'json', 'tlv', 'content']) assert.ok(rejected[reason] > 0, reason);
    assert.ok(grownMiB < 64, `${grownMiB} MiB`);
  });
}
