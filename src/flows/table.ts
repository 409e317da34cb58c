/**
 * The flow table: finds or makes the flow of each decoded packet and updates its record.
 *
 *   Scratch ──► touch bucket ──► find tag, touch record ──► update ──► requests for detection
 *
 * The passes over a batch let cache misses overlap (docs/architecture.md). Buckets: pairs of Int32 (hash, record), linear
 * probing, at most half full. Called by the flow engine only; one thread.
 */
import { native } from '../native.ts';
import type { Scratch } from '../packet/batch.ts';
import * as batch from '../packet/batch.ts';
import * as record from './record.ts';
import { createTcpAnalysis } from './tcp.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const {
  BATCH_PACKETS,
  F_ETHERNET,
  F_FRAGMENT,
  F_TCP,
  PV_IPV6,
  S_CUT,
  S_FLAGS,
  S_FRAME,
  S_HASH,
  S_L3,
  S_PAYLOAD,
  S_PORTS,
  S_PV,
  S_SLOT,
  S_WINDOW,
  S_WIRE,
  SCRATCH_WORDS,
} = batch;
const {
  D_FRAGMENTS,
  D_GOODPUT,
  D_LAST,
  D_LEN_SQUARES,
  D_MAX_LEN,
  D_MIN_LEN,
  D_PACKETS,
  I_COUNT,
  I_EXTRA,
  I_MAX,
  I_MIN,
  I_SQUARES,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FIRST,
  R_HASH,
  R_IAT,
  R_IAT_BYTES,
  R_LAST,
  R_MAC0,
  R_PV,
  R_SEQ,
  R_STATE,
  R_V6,
  RECORD_BYTES,
  STATE_CLIENT_IS_B,
  STATE_DISSECTED,
  STATE_PACKETS,
  STATE_TOUCHED,
} = record;

const WORDS = RECORD_BYTES / 4;
const DOUBLES = RECORD_BYTES / 8;
export const RECORD_WORDS = WORDS;
export const RECORD_DOUBLES = DOUBLES;

/** The records seen through every type they have. */
export interface Records {
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** 32 bytes a slot: the addresses of a and of b. */
  readonly v6: Uint8Array;
}

export interface TableHooks {
  /** A record was made; fill what depends on its endpoints. */
  created(id: number): void;
  /** The table is full for a packet of this time: end at least one flow through `remove`. */
  makeRoom(time: number): void;
  /** Packet `index` of the scratch updated flow `id`, whose detection is not over. */
  updated(id: number, index: number): void;
  /** Packet `index` is ICMP or ICMPv6; it may be a fragment. */
  icmp(id: number, scratch: Scratch, chunk: Uint8Array, index: number): void;
}

export interface FlowTable {
  readonly records: Records;
  /** Flows in the table. */
  active(): number;
  /** One more than the highest record ever used: visits walk 1 … limit - 1. */
  limit(): number;
  /** Updates flows by the packets `from` … `to - 1` of the scratch, whose headers lie in `chunk`. */
  update(scratch: Scratch, chunk: Uint8Array, from: number, to: number): void;
  /** Takes a flow out of the table; its record may be used again. */
  remove(id: number): void;
  /** Record of the flow of scratch entry 0, made where there is none; no packet is counted. `time` is that of a new flow. */
  obtain(scratch: Pick<Scratch, 'words'>, chunk: Uint8Array, time: number): number;
  /** Record of the flow that a decoded packet belongs to, 0 = there is none. */
  lookup(scratch: Scratch, chunk: Uint8Array, index: number): number;
  /** Number of a flow on its interface, from 1 on. */
  sequenceOf(id: number): number;
}

/** Words of a record at which its first lines begin. */
const CLIENT_LINE = R_DIR >> 2;
const SERVER_LINE = (R_DIR + R_DIR_BYTES) >> 2;
const IAT_LINE = R_IAT >> 2;
const ICMP = 1;
const ICMP_V6 = 58;

/** Length of the bucket array for a number of flows: a power of two, at least twice as many. */
const bucketCount = (maxFlows: number): number => {
  let count = 1024;
  while (count < maxFlows * 2) count *= 2;
  return count;
};

/** @param touchedBits one bit per flow, set at its first packet since the last visit (schedule.ts) */
export function createFlowTable(maxFlows: number, touchedBits: Uint32Array, hooks: TableHooks): FlowTable {
  const buffer = native.allocate((maxFlows + 1) * RECORD_BYTES);
  const u8 = new Uint8Array(buffer);
  const u16 = new Uint16Array(buffer);
  const i32 = new Int32Array(buffer);
  const u32 = new Uint32Array(buffer);
  const f32 = new Float32Array(buffer);
  const f64 = new Float64Array(buffer);
  const buckets = bucketCount(maxFlows);
  const mask = buckets - 1;
  const table = new Int32Array(native.allocate(buckets * 8));
  const freed = new Int32Array(native.allocate((maxFlows + 1) * 4));
  const v6 = new Uint8Array(native.allocate((maxFlows + 1) * 32));
  const freedV6 = new Int32Array(native.allocate((maxFlows + 1) * 4));
  const tcp = createTcpAnalysis(i32, u32, u16, f64);

  const candidates = new Int32Array(BATCH_PACKETS); // first word of the record that each packet of the batch will probably update

  let fresh = 1;
  let freedCount = 0;
  let freshV6 = 1;
  let freedV6Count = 0;
  let activeCount = 0;
  let createdCount = 0;
  let moved = false; // flows were removed since the find pass: its slots may be stale

  const records: Records = { buffer, u8, u16, i32, u32, f32, f64, v6 };

  /** Canonical order: the 32 bytes at `v6[slot * 32]` are a's address, then b's. The header has source, then destination. */
  const sameAddresses = (slot: number, chunk: Uint8Array, l3: number, fromB: boolean): boolean => {
    const base = slot * 32;
    const source = base + (fromB ? 16 : 0);
    const destination = base + (fromB ? 0 : 16);
    for (let i = 0; i < 16; i++) {
      if (v6[source + i] !== chunk[l3 + 8 + i] || v6[destination + i] !== chunk[l3 + 24 + i]) return false;
    }
    return true;
  };

  const keepAddresses = (id: number, chunk: Uint8Array, l3: number, fromB: boolean): void => {
    const slot = freedV6Count > 0 ? (freedV6[--freedV6Count] as number) : freshV6++;
    const base = slot * 32;
    const source = base + (fromB ? 16 : 0);
    const destination = base + (fromB ? 0 : 16);
    for (let i = 0; i < 16; i++) {
      v6[source + i] = chunk[l3 + 8 + i] as number;
      v6[destination + i] = chunk[l3 + 24 + i] as number;
    }
    i32[id * WORDS + (R_V6 >> 2)] = slot;
  };

  const create = (words: Int32Array, w: number, slot: number, chunk: Uint8Array, time: number): number => {
    const used = freedCount > 0;
    const id = used ? (freed[--freedCount] as number) : fresh++;
    const r = id * WORDS;
    const flags = words[w + S_FLAGS] as number;
    if (used) for (let i = r; i < r + WORDS; i++) i32[i] = 0; // a fresh record is zero already
    for (let i = 0; i < 5; i++) i32[r + i] = words[w + i] as number;
    i32[r + (R_STATE >> 2)] = flags & STATE_CLIENT_IS_B;
    f64[id * DOUBLES + (R_FIRST >> 3)] = time;
    u32[r + (R_SEQ >> 2)] = ++createdCount;
    if ((words[w + S_PV] as number) >= PV_IPV6) keepAddresses(id, chunk, words[w + S_L3] as number, flags < 0);
    if ((flags & F_ETHERNET) !== 0) {
      const frame = words[w + S_FRAME] as number;
      const mac = id * RECORD_BYTES + R_MAC0;
      for (let i = 0; i < 6; i++) {
        u8[mac + i] = chunk[frame + 6 + i] as number;
        u8[mac + 6 + i] = chunk[frame + i] as number;
      }
    }
    table[slot * 2] = words[w + S_HASH] as number;
    table[slot * 2 + 1] = id;
    activeCount++;
    hooks.created(id);
    return id;
  };

  let free = 0; // bucket at which the last search ended

  /** Record of the packet at scratch word `w`, 0 = there is none. `slot` is where the search begins. */
  const search = (words: Int32Array, w: number, slot: number, chunk: Uint8Array): number => {
    const hash = words[w + S_HASH] as number;
    const a = words[w] as number;
    const b = words[w + 1] as number;
    const ports = words[w + S_PORTS] as number;
    const pv = words[w + S_PV] as number;
    for (;;) {
      const id = table[slot * 2 + 1] as number;
      if (id === 0) break;
      if (table[slot * 2] === hash) {
        const r = id * WORDS;
        if (i32[r] === a && i32[r + 1] === b && i32[r + 2] === ports && i32[r + 3] === pv) {
          if (pv < PV_IPV6) return id;
          if (sameAddresses(i32[r + (R_V6 >> 2)] as number, chunk, words[w + S_L3] as number, (words[w + S_FLAGS] as number) < 0))
            return id;
        }
      }
      slot = (slot + 1) & mask;
    }
    free = slot;
    return 0;
  };

  /** Record of the packet, made where there is none. */
  const find = (words: Int32Array, w: number, slot: number, chunk: Uint8Array, time: number): number => {
    const known = search(words, w, slot, chunk);
    if (known !== 0) return known;
    slot = free;
    if (activeCount === maxFlows) {
      hooks.makeRoom(time);
      slot = (words[w + S_HASH] as number) & mask;
      while (table[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
    }
    return create(words, w, slot, chunk, time);
  };

  const update = (scratch: Scratch, chunk: Uint8Array, from: number, to: number): void => {
    const words = scratch.words;
    const times = scratch.times;
    moved = false;
    let touched = 0;
    let coming = 0; // new flows so far, as far as can be told before the update
    for (let i = from; i < to; i++) touched |= table[((words[(i * SCRATCH_WORDS) | S_HASH] as number) & mask) * 2 + 1] as number;
    for (let i = from; i < to; i++) {
      const w = i * SCRATCH_WORDS;
      const hash = words[w | S_HASH] as number;
      let slot = hash & mask;
      let id = table[slot * 2 + 1] as number;
      while (id !== 0 && table[slot * 2] !== hash) {
        slot = (slot + 1) & mask;
        id = table[slot * 2 + 1] as number;
      }
      if (id === 0) {
        slot = hash & mask;
        id = coming < freedCount ? (freed[freedCount - 1 - coming] as number) : Math.min(fresh + coming - freedCount, maxFlows);
        coming++;
      }
      words[w | S_SLOT] = slot;
      candidates[i] = id * WORDS;
    }
    for (let i = from; i < to; i++) {
      // the shorter this loop, the more of its misses are under way at once: which lines the update needs is not asked
      const r = candidates[i] as number;
      touched |= (i32[r] as number) | (i32[r + CLIENT_LINE] as number) | (i32[r + SERVER_LINE] as number) | (i32[r + IAT_LINE] as number);
    }
    freed[maxFlows] = touched; // the last entry is never used: it keeps the reads above from being optimised away

    for (let i = from; i < to; i++) {
      const w = i * SCRATCH_WORDS;
      const time = times[i] as number;
      const id = find(words, w, moved ? (words[w + S_HASH] as number) & mask : (words[w + S_SLOT] as number), chunk, time);
      const r = id * WORDS;
      const d = id * DOUBLES;
      const flags = words[w + S_FLAGS] as number;
      let state = i32[r + (R_STATE >> 2)] as number;
      const direction = (flags ^ state) >>> 31;
      if ((state & STATE_PACKETS) !== STATE_PACKETS) state++;
      if ((state & STATE_TOUCHED) === 0) {
        state |= STATE_TOUCHED;
        touchedBits[id >> 5] = (touchedBits[id >> 5] as number) | (1 << (id & 31));
      }
      f64[d + (R_LAST >> 3)] = time;

      const line = r + (R_DIR >> 2) + direction * (R_DIR_BYTES >> 2);
      const doubles = d + (R_DIR >> 3) + direction * (R_DIR_BYTES >> 3);
      const length = words[w + S_WIRE] as number;
      const packets = u32[line + (D_PACKETS >> 2)] as number;
      f64[doubles] = (f64[doubles] as number) + length;
      // what the capture has cut off was carried all the same
      const payload = (words[w + S_PAYLOAD] as number) + ((flags & F_TCP) === 0 ? 0 : (words[w + S_CUT] as number));
      f64[doubles + (D_GOODPUT >> 3)] = (f64[doubles + (D_GOODPUT >> 3)] as number) + payload;
      f64[doubles + (D_LEN_SQUARES >> 3)] = (f64[doubles + (D_LEN_SQUARES >> 3)] as number) + length * length;
      u32[line + (D_PACKETS >> 2)] = packets + 1;
      const lengths = line * 2 + (D_MIN_LEN >> 1);
      const clipped = length > 0xffff ? 0xffff : length;
      if (packets === 0) {
        u16[lengths] = clipped;
        u16[lengths + ((D_MAX_LEN - D_MIN_LEN) >> 1)] = clipped;
      } else {
        if (clipped < (u16[lengths] as number)) u16[lengths] = clipped;
        else if (clipped > (u16[lengths + 1] as number)) u16[lengths + 1] = clipped;
        // lifecycle 12.5: whole ms between packets of one direction; SYN, FIN and RST only move the reference time
        const gap = time - (f64[doubles + (D_LAST >> 3)] as number);
        if (gap >= 1000 && (flags & 7) === 0) {
          const ms = Math.min(Math.floor(gap / 1000), 0xffffffff);
          const iat = r + (R_IAT >> 2) + direction * (R_IAT_BYTES >> 2);
          const sums = d + (R_IAT >> 3) + direction * (R_IAT_BYTES >> 3);
          const count = u32[iat + (I_COUNT >> 2)] as number;
          f64[sums] = (f64[sums] as number) + ms;
          f64[sums + (I_SQUARES >> 3)] = (f64[sums + (I_SQUARES >> 3)] as number) + ms * ms;
          u32[iat + (I_COUNT >> 2)] = count + 1;
          if (count === 0 || ms < (u32[iat + (I_MIN >> 2)] as number)) u32[iat + (I_MIN >> 2)] = ms;
          if (ms > (u32[iat + (I_MAX >> 2)] as number)) u32[iat + (I_MAX >> 2)] = ms;
        }
      }
      if ((flags & F_FRAGMENT) !== 0) {
        // a part of a packet: its sequence numbers and types say nothing about the flow
        u32[line + (D_FRAGMENTS >> 2)] = (u32[line + (D_FRAGMENTS >> 2)] as number) + 1;
      } else if ((flags & F_TCP) !== 0) state = tcp(words, w, r, direction, state);
      const protocol = (words[w + S_PV] as number) & 0xff;
      if ((flags & F_TCP) === 0 && (protocol === ICMP || protocol === ICMP_V6)) hooks.icmp(id, scratch, chunk, i);
      f64[doubles + (D_LAST >> 3)] = time;
      if (packets === 0) u8[id * RECORD_BYTES + R_IAT + I_EXTRA + direction] = (words[w + S_WINDOW] as number) >> 8;
      i32[r + (R_STATE >> 2)] = state;
      if ((state & STATE_DISSECTED) === 0) hooks.updated(id, i);
    }
  };

  const remove = (id: number): void => {
    const r = id * WORDS;
    const hash = i32[r + (R_HASH >> 2)] as number;
    let slot = hash & mask;
    while (table[slot * 2 + 1] !== id) slot = (slot + 1) & mask;
    // backward shift: no tombstones, so probe lengths never grow (Knuth, TAOCP 3, 6.4, algorithm R)
    let hole = slot;
    for (let next = (slot + 1) & mask; table[next * 2 + 1] !== 0; next = (next + 1) & mask) {
      const home = (table[next * 2] as number) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        table[hole * 2] = table[next * 2] as number;
        table[hole * 2 + 1] = table[next * 2 + 1] as number;
        hole = next;
      }
    }
    table[hole * 2] = 0;
    table[hole * 2 + 1] = 0;
    if ((i32[r + (R_PV >> 2)] as number) >= PV_IPV6) freedV6[freedV6Count++] = i32[r + (R_V6 >> 2)] as number;
    i32[r + (R_STATE >> 2)] = 0; // a live flow has counted a packet: 0 means free
    i32[r + (R_DETAIL >> 2)] = 0;
    freed[freedCount++] = id;
    activeCount--;
    moved = true;
  };

  return {
    records,
    active: () => activeCount,
    limit: () => fresh,
    update,
    remove,
    obtain: ({ words }, chunk, time) => find(words, 0, (words[S_HASH] as number) & mask, chunk, time),
    lookup: ({ words }, chunk, index) =>
      search(words, index * SCRATCH_WORDS, (words[index * SCRATCH_WORDS + S_HASH] as number) & mask, chunk),
    sequenceOf: (id) => createdCount - ((createdCount - (u32[id * WORDS + (R_SEQ >> 2)] as number)) % 2 ** 32),
  };
}
