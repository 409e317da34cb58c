/** Puts frames through a decoder and gives the scratch entries back as plain objects. For the decoder's tests. */
import {
  BATCH_PACKETS,
  createScratch,
  F_ETHERNET,
  F_FRAGMENT,
  F_FROM_B,
  F_NO_DPI,
  F_TCP,
  F_TCP_FLAGS,
  FRAME_WORDS,
  type PacketBatch,
  PV_IPV6,
  S_ACK,
  S_CUT,
  S_FLAGS,
  S_FRAME,
  S_ICMP,
  S_L3,
  S_L3_LENGTH,
  S_PAYLOAD,
  S_PORTS,
  S_PV,
  S_SEQ,
  S_WINDOW,
  S_WIRE,
  SCRATCH_WORDS,
  type Scratch,
} from '../../src/packet/batch.ts';
import { decodeCounter } from '../../src/packet/counters.ts';
import {
  createDecoder,
  DECODE_COUNTERS,
  DEFAULT_DECODE_OPTIONS,
  type DecodeCounterName,
  type DecodeOptions,
} from '../../src/packet/decode.ts';

export interface Frame {
  readonly bytes: Uint8Array;
  readonly time?: number;
  readonly wire?: number;
}

/** Frames one after the other in a chunk, the first one not at its beginning. */
export function batchOf(frames: readonly Frame[], linkType = 1): PacketBatch {
  const bytes = new Uint8Array(3 + frames.reduce((sum, frame) => sum + frame.bytes.length, 0));
  const places = new Int32Array(frames.length * FRAME_WORDS);
  const times = new Float64Array(frames.length);
  let at = 3;
  frames.forEach((frame, i) => {
    bytes.set(frame.bytes, at);
    places.set([at, frame.bytes.length, frame.wire ?? frame.bytes.length], i * FRAME_WORDS);
    times[i] = frame.time ?? 1e15 + i;
    at += frame.bytes.length;
  });
  return { bytes, frames: places, times, count: frames.length, linkType };
}

export interface Run {
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly counters: Float64Array;
}

/** Decodes whole batches; `capacity` entries fit in the scratch, so small ones split the batch. */
export function run(
  batches: readonly PacketBatch[],
  settings: { options?: DecodeOptions; seed?: number; fastPath?: boolean; capacity?: number } = {},
): Run {
  const counters = new Float64Array(DECODE_COUNTERS.length);
  const decoder = createDecoder(settings.options ?? DEFAULT_DECODE_OPTIONS, counters, settings.seed ?? 1, settings.fastPath ?? true);
  const capacity = settings.capacity ?? BATCH_PACKETS;
  const full = createScratch();
  const scratch: Scratch = {
    words: full.words.subarray(0, capacity * SCRATCH_WORDS),
    times: full.times.subarray(0, capacity),
    count: 0,
  };
  const words: number[] = [];
  const times: number[] = [];
  for (const batch of batches) {
    let next = 0;
    while (next < batch.count) {
      next = decoder.decode(batch, next, scratch);
      words.push(...scratch.words.subarray(0, scratch.count * SCRATCH_WORDS));
      times.push(...scratch.times.subarray(0, scratch.count));
    }
  }
  return { words: Int32Array.from(words), times: Float64Array.from(times), counters };
}

/** An entry as a person would say it. Fields that are 0, false or usual are left out. */
export interface Entry {
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
  readonly vlan?: number;
  readonly tcp?: { flags: number; seq: number; ack: number; window: number };
  readonly payload?: number;
  readonly icmp?: [type: number, code: number];
  /** Payload bytes that IP announces and the capture has not. */
  readonly cut?: number;
  readonly tosTtl: [tos: number, ttl: number];
  readonly fragment?: true;
  /** Offset of the innermost IP header in its frame, captured bytes from there on, bytes on the wire. */
  readonly at: [l3: number, length: number, wire: number];
}

const ip = (bytes: Uint8Array): string => {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] << 8) | bytes[i * 2 + 1]).toString(16));
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
};

/** Entry `index` of a run over one batch. Ends are put back in the packet's direction: from source to destination. */
export function entryOf(batch: PacketBatch, { words }: Run, index: number): Entry {
  const at = (word: number): number => words[index * SCRATCH_WORDS + word];
  const flags = at(S_FLAGS);
  const pv = at(S_PV);
  const v6 = pv >= PV_IPV6;
  const l3 = at(S_L3);
  const protocol = pv & 0xff;
  const fromB = (flags & F_FROM_B) !== 0;
  const ports = at(S_PORTS);
  const swap = fromB && protocol !== 1;
  const sport = swap ? ports & 0xffff : ports >>> 16;
  const dport = swap ? ports >>> 16 : ports & 0xffff;
  const size = v6 ? 16 : 4;
  const source = l3 + (v6 ? 8 : 12);
  if (!v6) {
    const ends = [source, source + 4].map((p) => new DataView(batch.bytes.buffer).getInt32(p));
    if (fromB) ends.reverse();
    if (ends[0] !== at(0) || ends[1] !== at(1)) throw new Error('the key is not that of the addresses at l3');
  }
  const window = at(S_WINDOW);
  const hasPorts = protocol === 6 || protocol === 17 || protocol === 132;
  const end = (p: number, port: number): string => `${ip(batch.bytes.subarray(p, p + size))}${hasPorts ? ` ${port}` : ''}`;
  return {
    from: end(source, sport),
    to: end(source + size, dport),
    protocol,
    ...(((pv >> 8) & 0xfff) !== 0 && { vlan: (pv >> 8) & 0xfff }),
    ...((flags & F_TCP) !== 0 && {
      tcp: { flags: flags & F_TCP_FLAGS, seq: at(S_SEQ) >>> 0, ack: at(S_ACK) >>> 0, window: window >>> 16 },
    }),
    ...(at(S_PAYLOAD) !== 0 && { payload: at(S_PAYLOAD) }),
    ...(at(S_CUT) !== 0 && protocol === 6 && { cut: at(S_CUT) }),
    ...(at(S_ICMP) !== 0 && protocol !== 6 && { icmp: [at(S_ICMP) >> 8, at(S_ICMP) & 0xff] as [number, number] }),
    tosTtl: [(window >> 8) & 0xff, window & 0xff],
    ...((flags & F_FRAGMENT) !== 0 && (flags & F_NO_DPI) !== 0 && { fragment: true as const }),
    at: [l3 - at(S_FRAME), at(S_L3_LENGTH), at(S_WIRE)],
  };
}

/** Counters that are not 0, without `packets`, `bytes` and `decoded`. */
export function counted({ counters }: Run): Partial<Record<DecodeCounterName, number>> {
  const result: Partial<Record<DecodeCounterName, number>> = {};
  DECODE_COUNTERS.forEach(({ name }, i) => {
    if (counters[i] !== 0 && !['packets', 'bytes', 'decoded'].includes(name)) result[name] = counters[i];
  });
  return result;
}

/** `packets` and what the sum in counters.ts says they are. */
export function balance({ counters }: Run): [packets: number, sum: number] {
  let sum = counters[decodeCounter('decoded')];
  DECODE_COUNTERS.forEach(({ kind }, i) => {
    if (kind !== 'info') sum += counters[i];
  });
  return [counters[decodeCounter('packets')], sum];
}

export const hasEthernet = ({ words }: Run, index: number): boolean => (words[index * SCRATCH_WORDS + S_FLAGS] & F_ETHERNET) !== 0;
