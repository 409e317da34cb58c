/**
 * What one TCP segment says about its flow: handshake, latencies, closing, and sequence problems.
 *
 * Sequence analysis, per direction, by the rules that Wireshark documents for `tcp.analysis.*` (User's Guide, 7.5): a segment
 * beyond the next expected number means a gap (lost); one before it is a keep-alive, out of order (close to the last segment)
 * or a retransmission. Latencies: lifecycle 12.5.
 */
import { S_ACK, S_FLAGS, S_PAYLOAD, S_SEQ, S_WINDOW } from '../packet/batch.ts';
import {
  D_ACK,
  D_LAST,
  D_LAST_SEQ,
  D_NEXT_SEQ,
  D_SPARE,
  D_TCP_FLAGS,
  D_WINDOW,
  P_KEEP_ALIVE,
  P_LOST,
  P_OUT_OF_ORDER,
  P_RETRANSMITTED,
  R_ACK,
  R_ANSWER,
  R_DIR,
  R_DIR_BYTES,
  R_FIRST,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_REQUEST,
  R_SYN,
  R_SYN_ACK,
  STATE_CLOSING,
  STATE_SYN,
  STATE_SYN_ACK,
  STATE_TWH_OK,
  STATE_TWH_OVER,
} from './record.ts';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** FIN, SYN, RST, PSH, ACK, URG: ECN bits say nothing about the handshake (RFC 3168). */
const CLASSIC_FLAGS = 0x3f;

/** Wireshark's limit for "out of order" where the round-trip time is unknown, µs. */
const OUT_OF_ORDER_US = 3000;

/** `tcp(scratch words, scratch word of the packet, record word, direction, state, time in µs)` returns the new state. */
export type TcpAnalysis = (words: Int32Array, w: number, r: number, direction: number, state: number, time: number) => number;

export function createTcpAnalysis(i32: Int32Array, u32: Uint32Array, u16: Uint16Array, f64: Float64Array): TcpAnalysis {
  /** µs since the flow's first packet, plus 1 so that 0 can say "not seen"; saturates after 71 minutes. */
  const since = (r: number, time: number): number => {
    const us = time - (f64[(r + (R_FIRST >> 2)) >> 1] as number) + 1;
    return us > 0xffffffff ? 0xffffffff : us;
  };

  const problem = (r: number, direction: number, which: number): void => {
    const at = r + ((R_PROBLEMS + direction * R_PROBLEMS_BYTES + which) >> 2);
    u32[at] = (u32[at] as number) + 1;
  };

  const handshake = (r: number, flags: number, direction: number, state: number, time: number): number => {
    if (flags === SYN) {
      if (direction === 0 && u32[r + (R_SYN >> 2)] === 0) u32[r + (R_SYN >> 2)] = since(r, time);
      return state | STATE_SYN;
    }
    if (flags === (SYN | ACK)) {
      if (u32[r + (R_SYN_ACK >> 2)] === 0) u32[r + (R_SYN_ACK >> 2)] = since(r, time);
      return state | STATE_SYN_ACK;
    }
    if (flags === ACK && (state & STATE_SYN) !== 0 && (state & STATE_SYN_ACK) !== 0) {
      u32[r + (R_ACK >> 2)] = since(r, time);
      return state | STATE_TWH_OVER | STATE_TWH_OK;
    }
    return state | STATE_TWH_OVER;
  };

  /** Round-trip time of the handshake in µs, or Wireshark's default: within it a late segment counts as out of order. */
  const outOfOrderLimit = (r: number): number => {
    const syn = u32[r + (R_SYN >> 2)] as number;
    const ack = u32[r + (R_ACK >> 2)] as number;
    return syn !== 0 && ack > syn ? ack - syn : OUT_OF_ORDER_US;
  };

  const sequence = (words: Int32Array, w: number, r: number, direction: number, flags: number, time: number): void => {
    const line = r + ((R_DIR + direction * R_DIR_BYTES) >> 2);
    const seq = words[w + S_SEQ] as number;
    const payload = words[w + S_PAYLOAD] as number;
    const end = (seq + payload + ((flags & SYN) !== 0 ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0)) | 0;
    const valid = line * 2 + (D_SPARE >> 1);
    if (u16[valid] === 0) {
      u16[valid] = 1;
      i32[line + (D_NEXT_SEQ >> 2)] = end;
    } else {
      const next = i32[line + (D_NEXT_SEQ >> 2)] as number;
      const ahead = (seq - next) | 0;
      if (ahead > 0) {
        if ((flags & RST) === 0) problem(r, direction, P_LOST);
      } else if (ahead === -1 && payload <= 1 && (flags & (SYN | FIN | RST)) === 0) {
        problem(r, direction, P_KEEP_ALIVE);
      } else if (ahead < 0 && end !== seq && !(payload > 1 && ahead === -1)) {
        const last = f64[(line + (D_LAST >> 2)) >> 1] as number;
        const close = time - last < outOfOrderLimit(r);
        problem(r, direction, close && end !== next && seq !== i32[line + (D_LAST_SEQ >> 2)] ? P_OUT_OF_ORDER : P_RETRANSMITTED);
      }
      if (((end - next) | 0) > 0) i32[line + (D_NEXT_SEQ >> 2)] = end;
    }
    if (end !== seq) i32[line + (D_LAST_SEQ >> 2)] = seq;
  };

  return (words, w, r, direction, state, time) => {
    const flags = (words[w + S_FLAGS] as number) & 0xff;
    const line = r + ((R_DIR + direction * R_DIR_BYTES) >> 2);
    sequence(words, w, r, direction, flags, time);
    u16[line * 2 + (D_TCP_FLAGS >> 1)] = (u16[line * 2 + (D_TCP_FLAGS >> 1)] as number) | flags;
    i32[line + (D_ACK >> 2)] = words[w + S_ACK] as number;
    u32[line + (D_WINDOW >> 2)] = (words[w + S_WINDOW] as number) >>> 16;
    if ((state & STATE_TWH_OVER) === 0) state = handshake(r, flags & CLASSIC_FLAGS, direction, state, time);
    if ((flags & (FIN | RST)) !== 0) state |= STATE_CLOSING;
    if ((words[w + S_PAYLOAD] as number) > 0 && u32[r + (R_ANSWER >> 2)] === 0) {
      if (direction === 0) u32[r + (R_REQUEST >> 2)] = since(r, time);
      else if (u32[r + (R_REQUEST >> 2)] !== 0) u32[r + (R_ANSWER >> 2)] = since(r, time) - (u32[r + (R_REQUEST >> 2)] as number) + 1;
    }
    return state;
  };
}
