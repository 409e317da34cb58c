/** A capture at its own speed: each packet once, in order, not before its time. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pace } from '../../src/interfaces/pcap/paced.ts';
import { openFile } from '../../src/interfaces/pcap/source.ts';
import { SOURCE_END } from '../../src/interfaces/source.ts';
import { native } from '../../src/native.ts';
import { createBatch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { ethernet, ipv4, pcapFile, udp } from '../support/packets.ts';

test('each packet is delivered once, not before its time, and a read that waits leaves the batch empty', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-paced-'));
  const file = join(folder, 'three.pcap');
  const after = [0, 60_000, 180_000]; // µs: longer than one read waits
  const sizes = [1, 2, 3];
  const packets = after.map((us, i) => ({ time: 1e15 + us, bytes: ethernet({}, ipv4({}, udp({}, 'x'.repeat(sizes[i] as number)))) }));
  writeFileSync(file, pcapFile(packets));
  const source = pace(openFile(file, ''));
  const batch = createBatch(1);
  const lengths: number[] = [];
  const times: number[] = [];
  let waited = 0;
  for (;;) {
    const count = source.read(batch);
    if (count === SOURCE_END) break;
    assert.ok(count >= 0, source.error());
    assert.equal(batch.count, count);
    if (count === 0) waited++;
    for (let i = 0; i < batch.count; i++) {
      lengths.push(batch.frames[i * FRAME_WORDS + 2] as number);
      times.push(batch.times[i] as number);
      assert.ok((batch.times[i] as number) <= native.wallClock(), 'not before its time');
    }
  }
  assert.equal(batch.count, 0);
  assert.ok(waited > 0, 'some read came back without a packet');
  assert.deepEqual(
    lengths,
    packets.map(({ bytes }) => bytes.length),
  );
  assert.deepEqual(
    times.map((time) => Math.round(time - (times[0] as number))),
    after,
  );
  source.close();
  rmSync(folder, { recursive: true, force: true });
});
