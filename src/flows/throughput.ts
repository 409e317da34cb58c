/** Throughput and trends of a flow between two visits (lifecycle 12.3), and the counters that the next visit counts from. */
import * as record from './record.ts';
import type { Records } from './table.ts';
import * as tables from './table.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const {
  D_BYTES,
  D_GOODPUT,
  D_PACKETS,
  R_BPS0,
  R_BPS1,
  R_DIR,
  R_DIR_BYTES,
  R_PPS0,
  R_PPS1,
  R_PREV_BYTES0,
  R_PREV_BYTES1,
  R_PREV_GOODPUT,
  R_PREV_PACKETS0,
  R_PREV_PACKETS1,
  R_STATE,
  R_TOP_BPS,
  R_TOP_PPS,
  R_TREND_BPS,
  R_TREND_PPS,
  RECORD_BYTES,
  STATE_RATE,
  TREND_DOWN,
  TREND_STABLE,
  TREND_UP,
} = record;
const { RECORD_DOUBLES, RECORD_WORDS } = tables;

export interface Throughput {
  /** Plain average since the previous visit, `dt` µs ago. */
  update(id: number, dt: number): void;
  /** The visit's counters become those that the next visit counts from. */
  keep(id: number): void;
}

const CLIENT = R_DIR;
const SERVER = R_DIR + R_DIR_BYTES;

export function createThroughput({ i32, u32, f32, f64, u8 }: Records): Throughput {
  const trend = (now: number, before: number): number => (now > before ? TREND_UP : now < before ? TREND_DOWN : TREND_STABLE);
  return {
    update(id, dt) {
      const r = id * RECORD_WORDS;
      const d = id * RECORD_DOUBLES;
      const scale = 1e6 / dt;
      const bps0 = ((f64[d + ((CLIENT + D_BYTES) >> 3)] as number) - (f64[d + (R_PREV_BYTES0 >> 3)] as number)) * scale;
      const bps1 = ((f64[d + ((SERVER + D_BYTES) >> 3)] as number) - (f64[d + (R_PREV_BYTES1 >> 3)] as number)) * scale;
      const pps0 = ((u32[r + ((CLIENT + D_PACKETS) >> 2)] as number) - (u32[r + (R_PREV_PACKETS0 >> 2)] as number)) * scale;
      const pps1 = ((u32[r + ((SERVER + D_PACKETS) >> 2)] as number) - (u32[r + (R_PREV_PACKETS1 >> 2)] as number)) * scale;
      const bps = Math.fround(Math.fround(bps0) + Math.fround(bps1)); // as the old one is added up: equal traffic is stable
      const pps = Math.fround(Math.fround(pps0) + Math.fround(pps1));
      const oldBps = Math.fround((f32[r + (R_BPS0 >> 2)] as number) + (f32[r + (R_BPS1 >> 2)] as number));
      const oldPps = Math.fround((f32[r + (R_PPS0 >> 2)] as number) + (f32[r + (R_PPS1 >> 2)] as number));
      u8[id * RECORD_BYTES + R_TREND_BPS] = trend(bps, oldBps);
      u8[id * RECORD_BYTES + R_TREND_PPS] = trend(pps, oldPps);
      f32[r + (R_BPS0 >> 2)] = bps0;
      f32[r + (R_BPS1 >> 2)] = bps1;
      f32[r + (R_PPS0 >> 2)] = pps0;
      f32[r + (R_PPS1 >> 2)] = pps1;
      const state = i32[r + (R_STATE >> 2)] as number;
      i32[r + (R_STATE >> 2)] = bps === 0 && oldBps === 0 ? state & ~STATE_RATE : state | STATE_RATE;
      if (bps > (f32[r + (R_TOP_BPS >> 2)] as number)) f32[r + (R_TOP_BPS >> 2)] = bps;
      if (pps > (f32[r + (R_TOP_PPS >> 2)] as number)) f32[r + (R_TOP_PPS >> 2)] = pps;
    },
    keep(id) {
      const r = id * RECORD_WORDS;
      const d = id * RECORD_DOUBLES;
      f64[d + (R_PREV_BYTES0 >> 3)] = f64[d + ((CLIENT + D_BYTES) >> 3)] as number;
      f64[d + (R_PREV_BYTES1 >> 3)] = f64[d + ((SERVER + D_BYTES) >> 3)] as number;
      u32[r + (R_PREV_PACKETS0 >> 2)] = u32[r + ((CLIENT + D_PACKETS) >> 2)] as number;
      u32[r + (R_PREV_PACKETS1 >> 2)] = u32[r + ((SERVER + D_PACKETS) >> 2)] as number;
      f64[d + (R_PREV_GOODPUT >> 3)] = (f64[d + ((CLIENT + D_GOODPUT) >> 3)] as number) + (f64[d + ((SERVER + D_GOODPUT) >> 3)] as number);
    },
  };
}
