/**
 * Captures whose times are impossible: a pcapng with a resolution of seconds can hold any 64-bit number of them. The flow
 * engine walks its visits from packet to packet, so such a time must not reach it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ethernet, ipv4, udp } from './support/packets.ts';
import { runCapture } from './support/run-capture.ts';

let file = '';
let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'flowpatrol-time-'));
  file = join(folder, 'times.pcapng');
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A block of draft-ietf-opsawg-pcapng: type, length, body padded to 4 bytes, length. */
function block(type: number, body: Buffer): Buffer {
  const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32LE(type, 0);
  ends.writeUInt32LE(padded.length + 12, 4);
  return Buffer.concat([ends, padded, ends.subarray(4)]);
}

const words = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

/** A capture of one UDP packet at each time, in seconds. */
function capture(times: readonly bigint[]): Buffer {
  const frame = ethernet({}, ipv4({}, udp({}, 'x')));
  const section = block(0x0a0d0d0a, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff));
  const resolution = words(0x0001_0009, 0, 0); // option if_tsresol, one byte: 10^-0; then the end of the options
  const description = block(1, Buffer.concat([words(1, 65535), resolution]));
  const packets = times.map((time) =>
    block(6, Buffer.concat([words(0, Number(time >> 32n), Number(time & 0xffffffffn), frame.length, frame.length), frame])),
  );
  return Buffer.concat([section, description, ...packets]);
}

describe('impossible times', () => {
  for (const [name, times, odd] of [
    ['in the middle', [1000n, 2n ** 62n, 2n ** 62n + 1n, 1001n], 2],
    ['from the start', [2n ** 62n, 2n ** 63n - 1n, 5n], 2],
    ['negative', [7n, 2n ** 64n - 5n, 8n], 1],
  ] as const) {
    it(`${name} are counted, and the packets kept`, () => {
      writeFileSync(file, capture(times));
      let ended = 0;
      const { counters } = runCapture(file, {}, (view) => {
        if (view.callbacks().includes('idle')) ended++;
      });
      assert.equal(counters.decoded, times.length);
      assert.equal(counters['time-ran-back'], odd);
      assert.equal(ended, counters['flows.created']);
    });
  }
});
