/**
 * Classic pcap files of Ethernet frames: read whole into arrays, written through one large buffer.
 *
 * Called by make-captures.ts. The product reads captures through libpcap; this is only the benchmark's own tool.
 */
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const ETHERNET = 1;

export interface Frames {
  /** The bytes that hold all frames. */
  readonly bytes: Buffer;
  /** Per frame: offset in `bytes`, captured length, length on the wire (bytes). */
  readonly offsets: number[];
  readonly captured: number[];
  readonly wire: number[];
  /** Per frame: µs since 1970. */
  readonly times: number[];
}

/** @returns undefined for what is not a classic pcap file of Ethernet frames; a frame that is cut off at the end is left out */
export function readFrames(path: string): Frames | undefined {
  const bytes = readFileSync(path);
  if (bytes.length < HEADER_BYTES) return undefined;
  const isMagic = (magic: number): boolean => magic === MICROSECONDS || magic === NANOSECONDS;
  const little = isMagic(bytes.readUInt32LE(0));
  if (!little && !isMagic(bytes.readUInt32BE(0))) return undefined;
  const u32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if ((u32(20) & 0xffff) !== ETHERNET) return undefined;
  const fraction = u32(0) === NANOSECONDS ? 1000 : 1;
  const frames: Frames = { bytes, offsets: [], captured: [], wire: [], times: [] };
  for (let at = HEADER_BYTES; at + RECORD_BYTES <= bytes.length; ) {
    const length = u32(at + 8);
    if (at + RECORD_BYTES + length > bytes.length) break;
    frames.offsets.push(at + RECORD_BYTES);
    frames.captured.push(length);
    frames.wire.push(u32(at + 12));
    frames.times.push(u32(at) * 1e6 + Math.floor(u32(at + 4) / fraction));
    at += RECORD_BYTES + length;
  }
  return frames;
}

export interface PcapWriter {
  /**
   * Room for one frame. The caller writes `captured` bytes at the returned offset of `bytes` before the next call.
   * @param time µs since 1970
   */
  frame(time: number, captured: number, wire: number): number;
  readonly bytes: Buffer;
  /** The file appears under its name only here, so that a run that was broken off leaves no half capture. */
  close(): void;
}

export function createPcapWriter(path: string): PcapWriter {
  const aside = `${path}.${process.pid}.tmp`;
  const file = openSync(aside, 'w');
  const bytes = Buffer.allocUnsafe(8 << 20);
  let used = HEADER_BYTES;
  bytes.fill(0, 0, HEADER_BYTES);
  bytes.writeUInt32LE(MICROSECONDS, 0);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(4, 6);
  bytes.writeUInt32LE(262144, 16);
  bytes.writeUInt32LE(ETHERNET, 20);
  const flush = (): void => {
    for (let done = 0; done < used; ) done += writeSync(file, bytes, done, used - done);
    used = 0;
  };
  return {
    bytes,
    frame(time, captured, wire) {
      if (used + RECORD_BYTES + captured > bytes.length) flush();
      const seconds = Math.floor(time / 1e6);
      bytes.writeUInt32LE(seconds, used);
      bytes.writeUInt32LE(time - seconds * 1e6, used + 4);
      bytes.writeUInt32LE(captured, used + 8);
      bytes.writeUInt32LE(wire, used + 12);
      const at = used + RECORD_BYTES;
      used = at + captured;
      return at;
    },
    close() {
      flush();
      closeSync(file);
      renameSync(aside, path);
    },
  };
}
