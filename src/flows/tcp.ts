/**
 * What one TCP segment says about its flow: handshake, latencies, closing, and sequence problems.
 *
 * Sequence analysis follows what Wireshark 4.0 documents for `tcp.analysis.*` (User's Guide, 7.5) and how it behaves. A segment
 *
 *   beyond the next expected number                              follows a gap: lost, once a gap (not RST)
 *   of 0 or 1 bytes, one before it                               is a keep-alive (not SYN, FIN, RST)
 *   of data that the other end has acknowledged already          is retransmitted (spurious)
 *   before it, where two duplicate ACKs of the last 20 ms asked  is retransmitted (fast)
 *   before it, soon after it last grew, and not its own tail     is out of order
 *   before it otherwise                                          is retransmitted
 *
 * "Soon" is the round-trip time of the handshake, or 3 ms. The last three need data, SYN or FIN. A SYN with another initial
 * number begins a new connection on the same ports. As in Wireshark, number 0 says "not known". Latencies: lifecycle 12.5.
 */
import * as batch from '../packet/batch.ts';
import * as record from './record.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { S_ACK, S_CUT, S_FLAGS, S_PAYLOAD, S_SEQ, S_WINDOW } = batch;
const {
  D_ACK,
  D_ADVANCED,
  D_ISN,
  D_LAST,
  D_NEXT_SEQ,
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
  R_LAST,
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
} = record;

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** FIN, SYN, RST, PSH, ACK, URG: ECN bits say nothing about the handshake (RFC 3168). */
const CLASSIC_FLAGS = 0x3f;

/** Wireshark's limit for "out of order" where the round-trip time is unknown, µs. */
const OUT_OF_ORDER_US = 3000;
/** So long after the last duplicate ACK a segment can be the fast retransmission that it asked for, µs. */
const FAST_US = 20_000;

// low bits of D_ADVANCED: what the direction's last segments were
/** Duplicate ACKs in a row, at most 3. */
const SEEN_DUPLICATES = 3;
const SEEN_KEEP_ALIVE = 4;
const SEEN_PROBE = 8;
const SEEN_BITS = 4;
const SEEN = (1 << SEEN_BITS) - 1;

const isnMark = (isn: number): number => 0x8000 | (isn & 0x7fff);

/**
 * `tcp(scratch words, scratch word of the packet, record word, direction, state)` returns the new state. The packet's time is already in the
 * record, as the flow's last: V8 would put a double that is handed on into a box of its own, one a packet.
 */
export type TcpAnalysis = (words: Int32Array, w: number, r: number, direction: number, state: number) => number;

export function createTcpAnalysis(i32: Int32Array, u32: Uint32Array, u16: Uint16Array, f64: Float64Array): TcpAnalysis {
  /** Time of the packet in hand, µs since 1970. */
  const timeOf = (r: number): number => f64[(r + (R_LAST >> 2)) >> 1] as number;

  /** µs since the flow's first packet, plus 1 so that 0 can say "not seen"; saturates after 71 minutes. */
  const since = (r: number): number => {
    const us = timeOf(r) - (f64[(r + (R_FIRST >> 2)) >> 1] as number) + 1;
    return us > 0xffffffff ? 0xffffffff : us;
  };

  /** The same modulo 71 minutes: what is waited for may come later than that after the flow's first packet. */
  const clock = (r: number): number => (timeOf(r) - (f64[(r + (R_FIRST >> 2)) >> 1] as number) + 1) >>> 0 || 1;

  const problem = (r: number, direction: number, which: number): void => {
    const at = r + ((R_PROBLEMS + direction * R_PROBLEMS_BYTES + which) >> 2);
    u32[at] = (u32[at] as number) + 1;
  };

  const handshake = (r: number, flags: number, direction: number, state: number): number => {
    if (flags === SYN) {
      if (direction === 0 && u32[r + (R_SYN >> 2)] === 0) u32[r + (R_SYN >> 2)] = since(r);
      return state | STATE_SYN;
    }
    if (flags === (SYN | ACK)) {
      if (u32[r + (R_SYN_ACK >> 2)] === 0) u32[r + (R_SYN_ACK >> 2)] = since(r);
      return state | STATE_SYN_ACK;
    }
    if (flags === ACK && (state & STATE_SYN) !== 0 && (state & STATE_SYN_ACK) !== 0) {
      u32[r + (R_ACK >> 2)] = since(r);
      return state | STATE_TWH_OVER | STATE_TWH_OK;
    }
    return state | STATE_TWH_OVER;
  };

  /**
   * Keeps the time from the last SYN to the first ACK as round-trip time, the high byte of the client's D_TCP_FLAGS: 8 × log2 of
   * the µs, 0 = not known. A logarithm, because there is no room for more and 5 % do no harm.
   */
  const keepRoundTrip = (words: Int32Array, w: number, r: number, direction: number): void => {
    const line = r + ((R_DIR + direction * R_DIR_BYTES) >> 2);
    const next = i32[line + (D_NEXT_SEQ >> 2)] as number;
    if (next !== 0 && next !== words[w + S_SEQ]) return;
    const own = ((u16[line * 2 + (D_TCP_FLAGS >> 1)] as number) & (SYN | ACK)) === SYN; // this end has sent nothing but its SYN
    const asked = own ? direction : direction ^ 1;
    const us = timeOf(r) - (f64[(r + ((R_DIR + asked * R_DIR_BYTES + D_LAST) >> 2)) >> 1] as number);
    const at = r * 2 + ((R_DIR + D_TCP_FLAGS) >> 1);
    if (us > 1) u16[at] = ((u16[at] as number) & 0xff) | (Math.min(255, Math.round(8 * Math.log2(us))) << 8);
  };

  /** Within this many µs a late segment counts as out of order. */
  const outOfOrderLimit = (r: number): number => {
    const roundTrip = (u16[r * 2 + ((R_DIR + D_TCP_FLAGS) >> 1)] as number) >> 8;
    return roundTrip === 0 ? OUT_OF_ORDER_US : 2 ** (roundTrip / 8);
  };

  const forget = (line: number): void => {
    i32[line + (D_NEXT_SEQ >> 2)] = 0;
    i32[line + (D_ACK >> 2)] = 0;
    i32[line + (D_ADVANCED >> 2)] = 0;
    u16[line * 2 + (D_ISN >> 1)] = 0;
  };

  /**
   * Initial numbers, at a SYN or where this end has acknowledged nothing yet. A SYN with another number than before is a new
   * connection on the same ports; the same number is the old SYN again.
   */
  const initial = (line: number, other: number, seq: number, ack: number, flags: number): void => {
    const own = line * 2 + (D_ISN >> 1);
    const others = other * 2 + (D_ISN >> 1);
    if ((flags & (SYN | ACK)) === SYN && u16[own] !== 0) {
      if (u16[own] !== isnMark(seq)) {
        forget(line);
        forget(other);
      } else if (((u16[line * 2 + (D_TCP_FLAGS >> 1)] as number) & RST) !== 0) {
        i32[line + (D_NEXT_SEQ >> 2)] = seq + 1; // a RST may have carried any number (RFC 9293 3.10.7.1)
      }
    }
    if (u16[own] === 0) u16[own] = isnMark((flags & SYN) !== 0 ? seq : seq - 1);
    if ((flags & ACK) !== 0 && u16[others] === 0) u16[others] = isnMark(ack - 1);
  };

  /** Time as D_ADVANCED has it: µs since the flow's first packet, the low 28 bits, above the SEEN_* bits. */
  const stamp = (r: number): number => ((timeOf(r) - (f64[(r + (R_FIRST >> 2)) >> 1] as number)) | 0) << SEEN_BITS;

  /** Is it soon after the direction's next number last grew, at `grew`? Without a segment since then it is the direction's last one that says so. */
  const isSoon = (r: number, line: number, grew: number): boolean => {
    const limit = outOfOrderLimit(r);
    if (timeOf(r) - (f64[(line + (D_LAST >> 2)) >> 1] as number) >= limit) return false;
    return (stamp(r) - (grew & ~SEEN)) >>> SEEN_BITS < limit;
  };

  const sequence = (words: Int32Array, w: number, r: number, direction: number, flags: number): void => {
    const line = r + ((R_DIR + direction * R_DIR_BYTES) >> 2);
    const other = r + ((R_DIR + (direction ^ 1) * R_DIR_BYTES) >> 2);
    const seq = words[w + S_SEQ] as number;
    const ack = words[w + S_ACK] as number;
    const payload = (words[w + S_PAYLOAD] as number) + (words[w + S_CUT] as number);
    const plain = (flags & (SYN | FIN | RST)) === 0;
    const end = (seq + payload + ((flags & (SYN | FIN)) !== 0 ? 1 : 0)) | 0;
    if (i32[line + (D_ACK >> 2)] === 0 || (flags & SYN) !== 0) initial(line, other, seq, ack, flags);

    const lastAck = i32[line + (D_ACK >> 2)] as number;
    const next = i32[line + (D_NEXT_SEQ >> 2)] as number;
    const ahead = next === 0 ? 0 : (seq - next) | 0;
    const before = i32[line + (D_ADVANCED >> 2)] as number;
    let seen = ack === lastAck ? before & SEEN_DUPLICATES : 0;
    if (ahead > 0) {
      if ((flags & RST) === 0) problem(r, direction, P_LOST);
    } else if (ahead === -1 && payload <= 1 && plain) {
      problem(r, direction, P_KEEP_ALIVE);
      seen |= SEEN_KEEP_ALIVE;
    } else if (seq === next && payload <= 1 && i32[other + (D_NEXT_SEQ >> 2)] !== 0) {
      if (payload === 1) {
        if (u32[other + (D_WINDOW >> 2)] === 0) seen |= SEEN_PROBE;
      } else if (ack === lastAck && plain && seen < SEEN_DUPLICATES) {
        const window = (words[w + S_WINDOW] as number) >>> 16;
        const answer = ((i32[other + (D_ADVANCED >> 2)] as number) & SEEN_KEEP_ALIVE) !== 0;
        if (window !== 0 && window === u32[line + (D_WINDOW >> 2)] && !answer) seen++;
      }
    }

    if (end !== seq && (seen & SEEN_KEEP_ALIVE) === 0) {
      const acked = i32[other + (D_ACK >> 2)] as number;
      if (payload > 0 && acked !== 0 && ((seq + payload - acked) | 0) <= 0) {
        problem(r, direction, P_RETRANSMITTED);
      } else if (ahead < -1 || (ahead === -1 && payload <= 1)) {
        const fast =
          seq === acked &&
          ((i32[other + (D_ADVANCED >> 2)] as number) & SEEN_DUPLICATES) >= 2 &&
          timeOf(r) - (f64[(other + (D_LAST >> 2)) >> 1] as number) < FAST_US;
        const late = !fast && end !== next && isSoon(r, line, before);
        problem(r, direction, late ? P_OUT_OF_ORDER : P_RETRANSMITTED);
      }
    }

    if ((next === 0 || ((end - next) | 0) > 0) && (seen & SEEN_PROBE) === 0) {
      i32[line + (D_NEXT_SEQ >> 2)] = end;
      i32[line + (D_ADVANCED >> 2)] = stamp(r) | seen;
    } else {
      i32[line + (D_ADVANCED >> 2)] = (before & ~SEEN) | seen;
    }
    i32[line + (D_ACK >> 2)] = ack;
    u32[line + (D_WINDOW >> 2)] = (words[w + S_WINDOW] as number) >>> 16;
  };

  return (words, w, r, direction, state) => {
    const flags = (words[w + S_FLAGS] as number) & 0xff;
    const line = r + ((R_DIR + direction * R_DIR_BYTES) >> 2);
    if ((state & (STATE_SYN | STATE_TWH_OVER)) === STATE_SYN && (flags & (SYN | ACK)) === ACK) keepRoundTrip(words, w, r, direction);
    sequence(words, w, r, direction, flags);
    u16[line * 2 + (D_TCP_FLAGS >> 1)] = (u16[line * 2 + (D_TCP_FLAGS >> 1)] as number) | flags;
    if ((state & STATE_TWH_OVER) === 0) state = handshake(r, flags & CLASSIC_FLAGS, direction, state);
    if ((flags & (FIN | RST)) !== 0) state |= STATE_CLOSING;
    if ((words[w + S_PAYLOAD] as number) > 0 && u32[r + (R_ANSWER >> 2)] === 0) {
      if (direction === 0) u32[r + (R_REQUEST >> 2)] = clock(r);
      else if (u32[r + (R_REQUEST >> 2)] !== 0) u32[r + (R_ANSWER >> 2)] = ((clock(r) - (u32[r + (R_REQUEST >> 2)] as number)) >>> 0) + 1;
    }
    return state;
  };
}
