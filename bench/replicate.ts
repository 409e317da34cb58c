/**
 * Real captures, replicated: every copy of every capture gets addresses of its own and a start of its own, and all copies are
 * merged by time, so that many different real conversations run at once.
 *
 *   corpus folder ──► frames in memory ──► (copy, frame) sorted by time ──► addresses and checksums rewritten ──► one pcap file
 *
 * Only IP addresses change. Payloads stay, so nDPI has the same work as on the original. Called by make-captures.ts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { avalanche } from '../src/packet/hash.ts';
import { createPcapWriter, readFrames } from './pcap-file.ts';

/** 2023-11-14 22:13:20 UTC: a multiple of every visit period in use. */
export const START_US = 1_700_000_000_000_000;
/** All copies lie within this time, µs. */
const SPAN_US = 60_000_000;
/** A capture that lasts longer is played faster, µs. */
const LONGEST_US = 30_000_000;
/** Longer silences within a capture are cut to this, µs. */
const LONGEST_GAP_US = 1_000_000;
/** Copies of one capture differ in 8 bits of each address at least. */
const MOST_COPIES = 256;

const ETHER_IPV4 = 0x0800;
const ETHER_IPV6 = 0x86dd;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;

interface Corpus {
  readonly bytes: Buffer;
  readonly captures: number;
  /** Flows over all captures, by 5-tuple and VLAN, that differ from copy to copy. */
  readonly flows: number;
  /** Flows between addresses that stay: the same in every copy. */
  readonly fixedFlows: number;
  /** Per packet. */
  readonly offsets: Int32Array;
  readonly captured: Int32Array;
  readonly wire: Int32Array;
  /** µs since the first packet of its capture, gaps and durations cut as said above. */
  readonly times: Float64Array;
  /** Index of its capture. */
  readonly capture: Int32Array;
  /** Offset of the IP header in the frame, 0 = no IP. */
  readonly l3: Int32Array;
  /** Offset in the frame of the checksum that covers the addresses, 0 = none. */
  readonly checksum: Int32Array;
  /** Duration of each capture, µs. */
  readonly durations: Float64Array;
}

/** Captures that the corpus marks as special (tunnels, fragments …): tools disagree on what their flows are. */
function specialCaptures(folder: string): Set<string> {
  const list = join(folder, '..', 'special.tsv');
  if (!existsSync(list)) return new Set();
  return new Set(
    readFileSync(list, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[0] as string),
  );
}

const moves4 = (first: number): boolean => first !== 0 && first !== 127 && first < 224;
const moves6 = (first: number): boolean => first !== 0xff && first !== 0;

/** Where the frame's IP header and transport checksum are, its flow as text, and whether that flow differs from copy to copy. */
function locate(frame: Buffer): { l3: number; checksum: number; flow: string; moves: boolean } {
  const none = { l3: 0, checksum: 0, flow: '', moves: false };
  if (frame.length < 34) return none;
  let l3 = 14;
  let type = frame.readUInt16BE(12);
  let vlan = 0;
  for (let tags = 0; tags < 2 && (type === 0x8100 || type === 0x88a8) && l3 + 4 <= frame.length; tags++) {
    vlan = frame.readUInt16BE(l3) & 0xfff;
    type = frame.readUInt16BE(l3 + 2);
    l3 += 4;
  }
  let l4 = 0;
  let protocol = 0;
  let addresses: [string, string];
  let moves: boolean;
  if (type === ETHER_IPV4 && l3 + 20 <= frame.length) {
    l4 = l3 + ((frame[l3] as number) & 15) * 4;
    protocol = frame[l3 + 9] as number;
    addresses = [frame.toString('hex', l3 + 12, l3 + 16), frame.toString('hex', l3 + 16, l3 + 20)];
    moves = moves4(frame[l3 + 12] as number) || moves4(frame[l3 + 16] as number);
    if ((frame.readUInt16BE(l3 + 6) & 0x1fff) !== 0) l4 = frame.length;
  } else if (type === ETHER_IPV6 && l3 + 40 <= frame.length) {
    l4 = l3 + 40;
    protocol = frame[l3 + 6] as number;
    addresses = [frame.toString('hex', l3 + 8, l3 + 24), frame.toString('hex', l3 + 24, l3 + 40)];
    moves = moves6(frame[l3 + 8] as number) || moves6(frame[l3 + 24] as number);
  } else {
    return none;
  }
  const ports: [number, number] = [0, 0];
  let checksum = 0;
  if (protocol === TCP && l4 + 20 <= frame.length) checksum = l4 + 16;
  else if (protocol === UDP && l4 + 8 <= frame.length && frame.readUInt16BE(l4 + 6) !== 0) checksum = l4 + 6;
  else if (protocol === ICMPV6 && type === ETHER_IPV6 && l4 + 4 <= frame.length) checksum = l4 + 2;
  if ((protocol === TCP || protocol === UDP) && l4 + 8 <= frame.length) {
    ports[0] = frame.readUInt16BE(l4);
    ports[1] = frame.readUInt16BE(l4 + 2);
  }
  const ends = [`${addresses[0]}:${ports[0]}`, `${addresses[1]}:${ports[1]}`].sort();
  return { l3, checksum, flow: `${vlan} ${protocol} ${ends.join(' ')}`, moves };
}

function readCorpus(folder: string): Corpus {
  const special = specialCaptures(folder);
  const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => /\.p?cap$/.test(name) && !special.has(name)).sort();
  const chunks: Buffer[] = [];
  const offsets: number[] = [];
  const captured: number[] = [];
  const wire: number[] = [];
  const times: number[] = [];
  const capture: number[] = [];
  const l3: number[] = [];
  const checksum: number[] = [];
  const durations: number[] = [];
  let base = 0;
  let flows = 0;
  const fixed = new Set<string>();
  for (const name of names) {
    const frames = readFrames(join(folder, name));
    if (frames === undefined || frames.times.length === 0) continue;
    const seen = new Set<string>();
    const first = times.length;
    let clock = 0;
    for (let i = 0; i < frames.times.length; i++) {
      const offset = frames.offsets[i] as number;
      const length = frames.captured[i] as number;
      const place = locate(frames.bytes.subarray(offset, offset + length));
      if (place.flow !== '') (place.moves ? seen : fixed).add(place.flow);
      if (i > 0) clock += Math.min(Math.max((frames.times[i] as number) - (frames.times[i - 1] as number), 0), LONGEST_GAP_US);
      offsets.push(base + offset);
      captured.push(length);
      wire.push(frames.wire[i] as number);
      times.push(clock);
      capture.push(durations.length);
      l3.push(place.l3);
      checksum.push(place.checksum);
    }
    if (clock > LONGEST_US) {
      const scale = LONGEST_US / clock;
      for (let i = first; i < times.length; i++) times[i] = Math.floor((times[i] as number) * scale);
      clock = LONGEST_US;
    }
    durations.push(clock);
    flows += seen.size;
    chunks.push(frames.bytes);
    base += frames.bytes.length;
  }
  return {
    bytes: Buffer.concat(chunks),
    captures: durations.length,
    flows,
    fixedFlows: fixed.size,
    offsets: Int32Array.from(offsets),
    captured: Int32Array.from(captured),
    wire: Int32Array.from(wire),
    times: Float64Array.from(times),
    capture: Int32Array.from(capture),
    l3: Int32Array.from(l3),
    checksum: Int32Array.from(checksum),
    durations: Float64Array.from(durations),
  };
}

/**
 * Gives an IPv4 address its place in a copy: XOR of the second and third byte (third only where the first two tell private from
 * public), which keeps different addresses different. Loopback, multicast, broadcast and 0.0.0.0 stay.
 * @returns what the Internet checksum changes by, as a sum of 16-bit words (RFC 1624)
 */
function move4(bytes: Buffer, at: number, key: number): number {
  const first = bytes[at] as number;
  if (!moves4(first)) return 0;
  const before = bytes.readUInt16BE(at) + bytes.readUInt16BE(at + 2);
  if (first !== 172 && first !== 192 && first !== 169) bytes[at + 1] = (bytes[at + 1] as number) ^ (key >>> 8);
  bytes[at + 2] = (bytes[at + 2] as number) ^ (key & 0xff);
  return bytes.readUInt16BE(at) + bytes.readUInt16BE(at + 2) - before;
}

/** The same for IPv6, in the first two bytes of the interface identifier. Multicast, `::` and `::1` stay. */
function move6(bytes: Buffer, at: number, key: number): number {
  if (!moves6(bytes[at] as number)) return 0;
  const before = bytes.readUInt16BE(at + 8);
  bytes.writeUInt16BE(before ^ key, at + 8);
  return (before ^ key) - before;
}

/** Brings an Internet checksum up to date: HC' = ~(~HC + change), in ones' complement (RFC 1624). */
function adjust(bytes: Buffer, at: number, change: number): void {
  let sum = (~bytes.readUInt16BE(at) & 0xffff) + change;
  sum = ((sum % 0xffff) + 0xffff) % 0xffff;
  bytes.writeUInt16BE(~sum & 0xffff, at);
}

export interface Replicated {
  readonly packets: number;
  /** Different 5-tuples, before any ends by idleness; about 1 in 1,000 meets another one after the move. */
  readonly flows: number;
  readonly captures: number;
  readonly copies: number;
}

export interface ReplicateOptions {
  readonly corpus: string;
  readonly seed: number;
  /** At least so many of both. */
  readonly packets: number;
  readonly flows: number;
}

/** @throws Error when the folder holds no usable capture, or too little of it */
export function replicate(path: string, options: ReplicateOptions): Replicated {
  const corpus = readCorpus(options.corpus);
  const size = corpus.times.length;
  if (corpus.flows === 0) throw new Error(`${options.corpus} holds no pcap file of Ethernet frames with IP packets`);
  const copies = Math.max(Math.ceil(options.packets / size), Math.ceil(options.flows / corpus.flows));
  if (copies > MOST_COPIES)
    throw new Error(`${options.corpus} is too small: ${copies} copies would be needed, ${MOST_COPIES} are possible`);

  const total = copies * size;
  if (SPAN_US * total > Number.MAX_SAFE_INTEGER) throw new Error('too many packets for one sort key');
  const order = new Float64Array(total);
  const keys = new Int32Array(copies * corpus.captures);
  const starts = new Float64Array(copies * corpus.captures);
  for (let copy = 0; copy < copies; copy++) {
    for (let capture = 0; capture < corpus.captures; capture++) {
      const at = copy * corpus.captures + capture;
      const own = avalanche(options.seed ^ Math.imul(capture + 1, 0x9e3779b1));
      const both = avalanche(own ^ Math.imul(copy + 1, 0x85ebca77));
      keys[at] = (both & 0xff00) | ((own + copy) & 0xff);
      starts[at] = Math.floor(((avalanche(both) >>> 0) / 2 ** 32) * (SPAN_US - (corpus.durations[capture] as number)));
    }
    for (let i = 0; i < size; i++) {
      const start = starts[copy * corpus.captures + (corpus.capture[i] as number)] as number;
      order[copy * size + i] = (start + (corpus.times[i] as number)) * total + copy * size + i;
    }
  }
  order.sort();

  const writer = createPcapWriter(path);
  const out = writer.bytes;
  for (let n = 0; n < total; n++) {
    const time = Math.floor((order[n] as number) / total);
    const index = (order[n] as number) - time * total;
    const copy = Math.floor(index / size);
    const i = index - copy * size;
    const length = corpus.captured[i] as number;
    const offset = corpus.offsets[i] as number;
    const at = writer.frame(START_US + time, length, corpus.wire[i] as number);
    corpus.bytes.copy(out, at, offset, offset + length);
    const l3 = corpus.l3[i] as number;
    if (l3 === 0) continue;
    const key = keys[copy * corpus.captures + (corpus.capture[i] as number)] as number;
    const ip = at + l3;
    let change: number;
    if ((out[ip] as number) >>> 4 === 4) {
      change = move4(out, ip + 12, key) + move4(out, ip + 16, key);
      adjust(out, ip + 10, change);
    } else {
      change = move6(out, ip + 8, key) + move6(out, ip + 24, key);
    }
    const checksum = corpus.checksum[i] as number;
    if (checksum !== 0) adjust(out, at + checksum, change);
  }
  writer.close();
  return { packets: total, flows: corpus.flows * copies + corpus.fixedFlows, captures: corpus.captures, copies };
}
