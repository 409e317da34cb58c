/**
 * The benchmark's own tools, tiny: captures are the same twice and hold what they say; the C programs agree with them and with
 * each other, by two different ways of counting flows. Speed is no test.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Capture, makeCaptures } from '../bench/make-captures.ts';
import { readFrames } from '../bench/pcap-file.ts';
import { buildC, measure } from '../bench/processes.ts';
import { replicate } from '../bench/replicate.ts';
import { makeSmallFlows } from '../bench/small-flows.ts';

const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-bench-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

// the corpus of this test: 40 small flows in one file, 25 others in another one
const corpus = join(folder, 'corpus');
mkdirSync(corpus);
makeSmallFlows(join(corpus, 'a.pcap'), { seed: 5, flows: 40 });
makeSmallFlows(join(corpus, 'b.pcap'), { seed: 6, flows: 25 });

const sizes = { realPackets: 1000, realFlows: 300, smallFlows: 500 };
const make = (name: string, seed: number) => makeCaptures({ cache: join(folder, name), corpus, sizes, seed });
const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Ones' complement sum of 16-bit words (RFC 1071): 0xffff over what carries a right checksum. */
function sum(bytes: Buffer, start = 0): number {
  let total = start;
  for (let i = 0; i < bytes.length; i += 2) total += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

/** Walks the records of a little-endian pcap file; shares nothing with the code that wrote it. */
function walk(path: string): { packets: number; flows: number; ordered: boolean; wrongChecksums: number; span: number } {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString('hex', 0, 8), 'd4c3b2a102000400');
  assert.equal(bytes.readUInt32LE(20), 1);
  const flows = new Set<string>();
  let packets = 0;
  let wrongChecksums = 0;
  let ordered = true;
  let first = 0;
  let before = 0;
  let at = 24;
  for (; at < bytes.length; packets++) {
    const time = bytes.readUInt32LE(at) * 1e6 + bytes.readUInt32LE(at + 4);
    const frame = bytes.subarray(at + 16, at + 16 + bytes.readUInt32LE(at + 8));
    if (packets === 0) first = time;
    if (time < before) ordered = false;
    before = time;
    const header = frame.subarray(14, 34);
    const transport = frame.subarray(34);
    const pseudo = sum(header.subarray(12), (header[9] as number) + transport.length);
    if (sum(header) !== 0xffff || sum(transport, pseudo) !== 0xffff) wrongChecksums++;
    const ends = [0, 1].map((i) => `${header.toString('hex', 12 + 4 * i, 16 + 4 * i)}:${transport.readUInt16BE(2 * i)}`).sort();
    flows.add(`${header[9]} ${ends.join(' ')}`);
    at += 16 + frame.length;
  }
  assert.equal(at, bytes.length);
  return { packets, flows: flows.size, ordered, wrongChecksums, span: before - first };
}

const one = make('one', 7);
const captures: [string, Capture][] = [
  ['real', one.real as Capture],
  ['small', one.small],
];

test('the same seed and corpus make the same bytes, another seed does not', () => {
  const two = make('two', 7);
  const three = make('three', 8);
  assert.equal(digest((one.real as Capture).path), digest((two.real as Capture).path));
  assert.equal(digest(one.small.path), digest(two.small.path));
  assert.notEqual(digest((one.real as Capture).path), digest((three.real as Capture).path));
  assert.notEqual(digest(one.small.path), digest(three.small.path));
});

test('what is in the cache is taken from there', () => {
  const before = digest(one.small.path);
  assert.deepEqual(make('one', 7), one);
  assert.equal(digest(one.small.path), before);
});

for (const [name, capture] of captures) {
  test(`${name}: packets, flows, order of time and checksums are as said`, () => {
    const { span, ...found } = walk(capture.path);
    assert.deepEqual(found, { packets: capture.packets, flows: capture.flows, ordered: true, wrongChecksums: 0 });
    assert.ok(span < 60e6);
    assert.equal(readFrames(capture.path)?.times.length, capture.packets);
  });

  test(`${name}: the C programs agree on packets and flows`, () => {
    const floor = measure([buildC('floor'), capture.path, '--flows']);
    const limit = measure([buildC('limit'), capture.path, '1000', '--no-idle']);
    const detecting = measure([buildC('limit-dpi'), capture.path, '1000', '--no-idle']);
    assert.equal(floor.status, 0, floor.stderr);
    assert.equal(limit.status, 0, limit.stderr);
    assert.equal(detecting.stdout, limit.stdout, detecting.stderr);
    assert.ok(Number(/^(\d+) packets were shown/.exec(detecting.stderr)?.[1]) > capture.flows, detecting.stderr);
    const { packets, flows } = JSON.parse(floor.stdout) as Record<string, number>;
    assert.deepEqual({ packets, flows }, { packets: capture.packets, flows: capture.flows });
    const table = JSON.parse(limit.stdout) as Record<string, number>;
    assert.deepEqual([table.packets, table.ip, table.flows, table.refused], [capture.packets, capture.packets, capture.flows, 0]);
    assert.ok((table.visits as number) >= 9);
  });
}

test('no small flow goes idle before the end', () => {
  const limit = measure([buildC('limit'), one.small.path, '1000']);
  const { flows, peak } = JSON.parse(limit.stdout) as Record<string, number>;
  assert.deepEqual([flows, peak], [sizes.smallFlows, sizes.smallFlows]);
});

test('a corpus without captures, or with too few, is an error', () => {
  const none = join(folder, 'none');
  mkdirSync(none);
  assert.throws(() => replicate(join(folder, 'x.pcap'), { corpus: none, seed: 1, packets: 1, flows: 1 }), /holds no pcap file/);
  assert.throws(() => replicate(join(folder, 'x.pcap'), { corpus, seed: 1, packets: 10, flows: 100_000 }), /too small/);
});

test('measure reports the CPU, memory and status of its child', () => {
  const burn = measure([
    process.execPath,
    '-e',
    'const a = Buffer.alloc(60 << 20, 1); const t = process.cpuUsage(); while (process.cpuUsage(t).user < 1e5); process.exit(a[0] + 2)',
  ]);
  assert.equal(burn.status, 3);
  assert.ok(burn.cpu > 0.1 && burn.cpu < 60, `${burn.cpu}`);
  assert.ok(burn.memory > 60 << 20 && burn.memory < 2000 * 2 ** 20, `${burn.memory}`);
  assert.equal(measure(['this-command-does-not-exist']).status, 127);
});
