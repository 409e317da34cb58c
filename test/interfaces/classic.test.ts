/** Our reader of classic pcap files against libpcap, on whole, cut and damaged files. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { classicHeader, openClassic } from '../../src/interfaces/pcap/classic.ts';
import { SOURCE_END } from '../../src/interfaces/source.ts';
import { native } from '../../src/native.ts';
import { BATCH_PACKETS, createBatch, FRAME_WORDS, readable } from '../../src/packet/batch.ts';
import { pcapFile } from '../support/packets.ts';

interface Packet {
  readonly time: number;
  readonly wire: number;
  readonly bytes: string;
}

interface Reading {
  readonly packets: readonly Packet[];
  readonly failed: boolean;
}

function collect(read: (batch: ReturnType<typeof createBatch>) => number): Reading {
  const batch = createBatch(1);
  const packets: Packet[] = [];
  for (;;) {
    const count = read(batch);
    if (count < 0) return { packets, failed: count !== SOURCE_END };
    for (let i = 0; i < count; i++) {
      const [at = 0, captured = 0, wire = 0] = batch.frames.subarray(i * FRAME_WORDS, (i + 1) * FRAME_WORDS);
      // libpcap takes seconds and fraction as signed, the format says unsigned: both differ by multiples of 2^32
      const time = (((batch.times[i] as number) % 2 ** 32) + 2 ** 32) % 2 ** 32;
      packets.push({
        time,
        wire,
        bytes: Buffer.from(batch.bytes.subarray(at, at + captured)).toString('base64'),
      });
    }
  }
}

function byLibpcap(path: string): Reading {
  const pcap = native.pcapOpenFile(path, '');
  try {
    return collect((batch) => native.pcapRead(pcap, readable(batch), batch.frames, batch.times, BATCH_PACKETS));
  } finally {
    native.pcapClose(pcap);
  }
}

function byUs(path: string, file: Buffer): Reading {
  const header = classicHeader(file.subarray(0, 24));
  assert.ok(header);
  const source = openClassic(path, file.length, header);
  try {
    return collect((batch) => source.read(batch));
  } finally {
    source.close();
  }
}

const captures = readdirSync('test/captures')
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => join('test/captures', name));

test('every capture: the same packets, times and lengths as libpcap', () => {
  assert.ok(captures.length > 5);
  for (const path of captures) {
    const file = readFileSync(path);
    assert.deepEqual(byUs(path, file), byLibpcap(path), path);
  }
});

test('cut anywhere, or damaged in a record header: the same packets, then the same verdict', () => {
  const file = readFileSync('test/captures/http-dns.pcap');
  const path = join(tmpdir(), `flowpatrol-classic-${process.pid}.pcap`);
  fc.assert(
    fc.property(
      fc.integer({ min: 24, max: file.length }),
      fc.option(fc.tuple(fc.nat(file.length - 25), fc.integer({ min: 0, max: 255 }))),
      (length, damage) => {
        const bytes = Buffer.from(file.subarray(0, length));
        const at = damage === null ? 0 : 24 + damage[0];
        if (damage !== null && at < length) bytes[at] = damage[1];
        writeFileSync(path, bytes);
        assert.deepEqual(byUs(path, bytes), byLibpcap(path));
      },
    ),
    { numRuns: 200 },
  );
});

test('a wire length of 2 GiB and more is no negative number', () => {
  const path = join(tmpdir(), `flowpatrol-wire-${process.pid}.pcap`);
  const file = Buffer.from(pcapFile([{ time: 1e15, bytes: new Uint8Array(60), wire: 0xffffffff }]));
  writeFileSync(path, file);
  try {
    const read = byUs(path, file);
    assert.equal(read.packets[0]?.wire, 0x7fffffff);
    assert.deepEqual(read, byLibpcap(path));
  } finally {
    rmSync(path);
  }
});

test('nanoseconds and the other byte order', () => {
  const path = join(tmpdir(), `flowpatrol-order-${process.pid}.pcap`);
  for (const magic of [0xa1b2c3d4, 0xa1b23c4d]) {
    for (const little of [true, false]) {
      const file = Buffer.alloc(24 + 16 + 4);
      const view = new DataView(file.buffer, file.byteOffset);
      view.setUint32(0, magic, little);
      view.setUint16(4, 2, little);
      view.setUint16(6, 4, little);
      view.setUint32(16, 65_535, little);
      view.setUint32(20, 1, little);
      for (const [i, value] of [1_700_000_000, 123_456, 4, 1500].entries()) view.setUint32(24 + i * 4, value, little);
      writeFileSync(path, file);
      const reading = byUs(path, file);
      assert.deepEqual(reading, byLibpcap(path));
      assert.equal(reading.packets[0]?.time, (1_700_000_000e6 + (magic === 0xa1b2c3d4 ? 123_456 : 123)) % 2 ** 32);
    }
  }
});
