/** A capture that comes through a pipe: what has come is read, and nothing is waited for; the rest is as in a file. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { openFile } from '../../src/interfaces/pcap/source.ts';
import { type PacketSource, SOURCE_END, SOURCE_FAILED } from '../../src/interfaces/source.ts';
import { native, type PcapHandle } from '../../src/native.ts';
import { createBatch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { CAPTURES } from '../support/golden.ts';
import { pcapFile } from '../support/packets.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-pipe-'));
after(() => rmSync(scratch, { recursive: true }));
const batch = createBatch(1);

interface Packet {
  readonly bytes: string;
  readonly time: number;
  readonly linkType: number;
}

/** One read. @returns its packets, or what it says beside a number */
function read(source: PacketSource): Packet[] | number {
  const count = source.read(batch);
  if (count < 0) return count;
  return Array.from({ length: batch.count }, (_, i) => {
    const [at = 0, length = 0] = batch.frames.subarray(i * FRAME_WORDS);
    return {
      bytes: Buffer.from(batch.bytes.subarray(at, at + length)).toString('hex'),
      time: batch.times[i] as number,
      linkType: batch.linkType,
    };
  });
}

/** All that is there by now: reads until one finds nothing. */
function readAll(source: PacketSource): { packets: Packet[]; end: number } {
  const packets: Packet[] = [];
  for (;;) {
    const some = read(source);
    if (typeof some === 'number') return { packets, end: some };
    if (some.length === 0) return { packets, end: 0 };
    packets.push(...some);
  }
}

let pipes = 0;
function pipe(filter = ''): { source: PacketSource; write: (bytes: Uint8Array) => void; close: () => void } {
  const path = join(scratch, `pipe-${pipes++}`);
  execFileSync('mkfifo', [path]);
  const source = openFile(path, filter); // before anybody writes
  const fd = openSync(path, 'w');
  return { source, write: (bytes) => assert.equal(writeSync(fd, bytes), bytes.length), close: () => closeSync(fd) };
}

const inFile = (name: string, filter = ''): Packet[] => {
  const source = openFile(CAPTURES + name, filter);
  const { packets, end } = readAll(source);
  source.close();
  assert.equal(end, SOURCE_END);
  return packets;
};

for (const [name, filter] of [
  ['http-dns.pcap', ''],
  ['http-dns.pcap', 'udp port 53'],
  ['mqtt.pcapng', ''],
  ['mqtt.pcapng', 'tcp'],
] as const)
  describe(`${name}, filter '${filter}'`, () => {
    const bytes = readFileSync(CAPTURES + name);
    assert.ok(bytes.length < 65_536, 'a pipe holds it');
    const expected = inFile(name, filter);

    test('however it is cut, each packet comes with its last byte', () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) => {
          const { source, write, close } = pipe(filter);
          const packets: Packet[] = [];
          let from = 0;
          for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
            write(bytes.subarray(from, to));
            from = to;
            const now = readAll(source);
            assert.equal(now.end, 0, 'the pipe is open');
            packets.push(...now.packets);
          }
          close();
          const { packets: more, end } = readAll(source);
          source.close();
          assert.deepEqual([[...packets, ...more], end], [expected, SOURCE_END]);
        }),
        { numRuns: 40 },
      );
    });
  });

for (const options of [{}, { bigEndian: true }, { ns: true }])
  test(`nothing is held back: one packet, and the next one; ${JSON.stringify(options)}`, () => {
    const { source, write, close } = pipe();
    const came = (): number[] => {
      const { packets, end } = readAll(source);
      assert.equal(end, 0);
      return packets.map(({ time }) => time);
    };
    assert.deepEqual(came(), [], 'nothing was written');
    const [first, second] = [1e6, 2e6].map((time) => pcapFile([{ time, bytes: new Uint8Array(60) }], options)) as [Uint8Array, Uint8Array];
    write(first.subarray(0, 24));
    assert.deepEqual(came(), []);
    write(first.subarray(24));
    assert.deepEqual(came(), [1e6]);
    write(second.subarray(24, 64));
    assert.deepEqual(came(), [], 'half of it');
    write(second.subarray(64));
    assert.deepEqual(came(), [2e6]);
    close();
    assert.equal(readAll(source).end, SOURCE_END);
    assert.equal(source.position(), 24 + 2 * 76);
    source.close();
  });

test('a packet that is cut off by the end is damage, and those before it are read', () => {
  const { source, write, close } = pipe();
  write(readFileSync(`${CAPTURES}http-dns.pcap`).subarray(0, 5000));
  close();
  const { packets, end } = readAll(source);
  assert.equal(end, SOURCE_FAILED);
  assert.match(source.error(), /truncated/);
  assert.deepEqual(packets, inFile('http-dns.pcap').slice(0, packets.length));
  source.close();
});

test('a length that makes no sense is damage, and is not waited for', () => {
  const { source, write, close } = pipe();
  const bytes = Buffer.from(readFileSync(`${CAPTURES}http-dns.pcap`).subarray(0, 5000));
  const first = 24 + 16 + bytes.readUInt32LE(24 + 8);
  bytes.writeUInt32LE(0xffffffff, first + 8);
  write(bytes);
  const { packets, end } = readAll(source);
  assert.deepEqual([packets.length, end], [1, SOURCE_FAILED]);
  close();
  source.close();
});

test('damage of any kind says through a pipe what it says in a file', () => {
  const words = (error: unknown): string => (error as Error).message.replace(/^\S+: |^flowpatrol\S+ /, '');
  /** Packets, how it ended, what libpcap says. */
  const outcome = (open: () => PcapHandle): [number, number, string] => {
    let packets = 0;
    try {
      const pcap = open();
      for (;;) {
        const count = native.pcapRead(pcap, batch.bytes, batch.frames, batch.times, 16);
        if (count >= 0) packets += count;
        else return [packets, count, native.pcapError(pcap)];
      }
    } catch (error) {
      return [packets, 0, words(error)];
    }
  };
  const captures = ['http-dns.pcap', 'mqtt.pcapng'].map((name) => readFileSync(CAPTURES + name));
  const spot = fc.record({ at: fc.nat(3000), value: fc.constantFrom(0, 1, 4, 6, 0x0a, 0x7f, 0x80, 0xff) });
  const path = join(scratch, 'damaged');
  fc.assert(
    fc.property(
      fc.constantFrom(...captures),
      fc.array(spot, { maxLength: 6 }),
      fc.integer({ min: 0, max: 9000 }),
      (whole, spots, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const { at, value } of spots) if (at < bytes.length) bytes[at] = value;
        writeFileSync(path, bytes);
        const fifo = join(scratch, `pipe-${pipes++}`);
        execFileSync('mkfifo', [fifo]);
        const open = (): PcapHandle => {
          const pcap = native.pcapOpenStream(fifo, '');
          const fd = openSync(fifo, 'w');
          writeSync(fd, bytes);
          closeSync(fd);
          return pcap;
        };
        assert.deepEqual(
          outcome(open),
          outcome(() => native.pcapOpenFile(path, '')),
        );
      },
    ),
    { numRuns: 300 },
  );
});

describe('what is no capture is said when it has come', () => {
  for (const [what, bytes] of [
    ['a text', Buffer.from('no capture at all, but long enough')],
    ['nothing', Buffer.alloc(0)],
    ['half a header', pcapFile([]).subarray(0, 12)],
  ] as const)
    test(what, () => {
      const { source, write, close } = pipe();
      write(bytes);
      close();
      const readOn = (): void => {
        while (typeof read(source) !== 'number');
      };
      assert.throws(readOn, { code: 'EPCAP', message: /it is no capture in the format pcap or pcapng/ });
    });

  test('and a filter that cannot be read', () => {
    const { source, write } = pipe('no such word');
    write(pcapFile([]));
    assert.throws(() => readAll(source), { code: 'EFILTER' });
  });
});
