/**
 * Packets that stand for many (sFlow): the table has counted one, the rest is added here.
 *
 *   decoded packet + sampling rate ──► counters of its flow, scaled; what a sample cannot tell is taken back
 *
 * Between two samples of a connection most segments are missing, so sequence problems mean nothing, and neither does a handshake that
 * was not seen: only FIN and RST make such a flow end early. Called by the flow engine after a batch is in the table.
 */
import { F_TCP, S_CUT, S_FLAGS, S_FRAME, S_L3, S_L3_LENGTH, S_PAYLOAD, S_WIRE, SCRATCH_WORDS, type Scratch } from '../packet/batch.ts';
import {
  D_GOODPUT,
  D_LEN_SQUARES,
  D_PACKETS,
  R_DIR,
  R_DIR_BYTES,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_STATE,
  STATE_TWH_OK,
  STATE_TWH_OVER,
} from './record.ts';
import { RECORD_DOUBLES, RECORD_WORDS, type Records } from './table.ts';

/** Packet `index` of the scratch, counted once in flow `id`, stands for `rate` packets. */
export type Scale = (id: number, scratch: Scratch, index: number, rate: number) => void;

const MOST_PACKETS = 0xffffffff;

export function createScale({ i32, u32, f64 }: Records): Scale {
  return (id, { words }, index, rate) => {
    const w = index * SCRATCH_WORDS;
    const r = id * RECORD_WORDS;
    const flags = words[w + S_FLAGS];
    const direction = (flags ^ i32[r + (R_STATE >> 2)]) >>> 31;
    const line = r + ((R_DIR + direction * R_DIR_BYTES) >> 2);
    const d = id * RECORD_DOUBLES + ((R_DIR + direction * R_DIR_BYTES) >> 3);
    const length = words[w + S_WIRE];
    const more = rate - 1;
    f64[d] = Math.min(f64[d] + length * more, Number.MAX_SAFE_INTEGER);
    u32[line + (D_PACKETS >> 2)] = Math.min(u32[line + (D_PACKETS >> 2)] + more, MOST_PACKETS);
    f64[d + (D_LEN_SQUARES >> 3)] += length * length * more;
    const payload = words[w + S_PAYLOAD];
    if (payload > 0) {
      // a sample has the first bytes of a packet only: what it lacks is payload; of TCP the table knows that already
      const isTcp = (flags & F_TCP) !== 0;
      const cut = isTcp ? words[w + S_CUT] : 0;
      const missing = isTcp ? cut : Math.max(0, length - (words[w + S_L3] - words[w + S_FRAME] + words[w + S_L3_LENGTH]));
      f64[d + (D_GOODPUT >> 3)] += (payload + missing) * rate - payload - cut;
    }
    if ((flags & F_TCP) === 0) return;
    i32[r + (R_STATE >> 2)] |= STATE_TWH_OK | STATE_TWH_OVER;
    for (let at = (R_PROBLEMS >> 2) + r; at < r + ((R_PROBLEMS + 2 * R_PROBLEMS_BYTES) >> 2); at++) u32[at] = 0;
  };
}
