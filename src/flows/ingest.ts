/**
 * Flow records become flows: what a probe or an exporter says of a conversation goes to the record that its packets would go to.
 *
 *   FlowRecord ──key, client──► table ──► counters, times, flags, latencies, details, protocol ──► next visit
 *
 * The key is that of packets: VLAN, IP protocol, addresses, ports in canonical order (packet/decode.ts). Counters are added up, scaled
 * by the sampling rate. The protocol counts as detected at once: by ids, by name, else as nDPI guesses it from ports and addresses.
 *
 * Two times of a flow live in fields of its record that only packets use otherwise:
 *
 *   D_LAST of the client   clock at which its last record came: its silence is measured from there, because the clocks of
 *                          exporters differ and a record comes up to a time-out after the last packet
 *   D_LAST of the server   what its next throughput is measured from
 *
 * Called by the flow engine, record by record.
 */
import type { Guess } from '../dpi/guess.ts';
import { F_ETHERNET, F_FROM_B, PV_IPV6, S_A, S_B, S_FLAGS, S_FRAME, S_HASH, S_L3, S_PORTS, S_PV, SCRATCH_WORDS } from '../packet/batch.ts';
import { avalanche, createHash } from '../packet/hash.ts';
import { type FlowRecord, UNKNOWN } from '../records/flow-record.ts';
import { counterIndex } from './counters.ts';
import type { DetailArena } from './details.ts';
import * as record from './record.ts';
import { createRecordDetails } from './record-details.ts';
import type { Schedule } from './schedule.ts';
import { type FlowTable, RECORD_DOUBLES, RECORD_WORDS } from './table.ts';
import type { Throughput } from './throughput.ts';
import type { Names } from './view.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const {
  D_FRAGMENTS,
  D_LAST,
  D_PACKETS,
  D_TCP_FLAGS,
  D_WINDOW,
  FACT_DETAILS_NEW,
  I_EXTRA,
  P_LOST,
  P_OUT_OF_ORDER,
  P_RETRANSMITTED,
  R_ACK,
  R_ANSWER,
  R_BPS0,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FACTS,
  R_FIRST,
  R_IAT,
  R_LAST,
  R_MAC0,
  R_PPS0,
  R_PREV_BYTES0,
  R_PREV_BYTES1,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_STATE,
  R_SYN,
  R_SYN_ACK,
  RECORD_BYTES,
  STATE_CLOSING,
  STATE_DETECTED,
  STATE_DISSECTED,
  STATE_PACKETS,
  STATE_RATE,
  STATE_TOUCHED,
  STATE_TWH_OK,
  STATE_TWH_OVER,
} = record;

const TCP = 6;
const UDP = 17;
const SCTP = 132;
const ICMP = 1;
const ICMP_V6 = 58;
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const VLANS = 4096;
const SIGN = 1 << 31;
/** Further ahead of the interface's clock nothing can have happened, µs. */
const AHEAD_US = 60_000_000;
/** September 2001, µs: what is older is a time since some device was switched on. */
const OLDEST_US = 1e15;
const SHORTEST_RATE_US = 1_000_000;
const MOST_PACKETS = 0xffffffff;
const MOST_BYTES = Number.MAX_SAFE_INTEGER;
/** Offset of the Ethernet header in the chunk; an IPv6 header is before it. */
const FRAME = 40;

/** The clock at which the last record of a flow came: doubles from the start of its record. */
const ARRIVED = (R_DIR + D_LAST) >> 3;
/** What its next throughput is measured from. */
const RATE_FROM = (R_DIR + R_DIR_BYTES + D_LAST) >> 3;
export const RECORD_ARRIVED = ARRIVED;

export interface IngestOptions {
  readonly table: FlowTable;
  readonly details: DetailArena;
  readonly schedule: Schedule;
  readonly throughput: Throughput;
  readonly counters: Float64Array;
  readonly names: Names;
  /** Of the hash; secret where others choose the traffic. */
  readonly seed: number;
  /**
   * Exporters do not say who began (NetFlow), unless the record is `directed`: the end with the lower port serves, unless flags say otherwise.
   * False: they put the client first; only a source with the lower port that sent no SYN is not believed.
   */
  readonly oneWay: boolean;
  /** Absent: protocols that nobody names stay unknown. */
  readonly guess: Guess | undefined;
  /** Category << 8 | breed of each nDPI protocol. */
  readonly traits: Int32Array;
  /** The flow has a new detail block. */
  readonly collected: (id: number) => void;
}

export interface Ingest {
  /** @param clock of the interface, µs since 1970 */
  take(from: FlowRecord, clock: number): void;
  /** A visit: throughput since the last one that had traffic, or since the flow began; silence leaves the old one (lifecycle 12.3). */
  rate(id: number, tv: number): void;
}

const isMulticast4 = (address: number): boolean => address >>> 28 === 14 || address >>> 0 === 0xffffffff;

export function createIngest(options: IngestOptions): Ingest {
  const { table, details, schedule, throughput, counters, names, oneWay, guess } = options;
  const { i32, u32, u16, u8, f32, f64 } = table.records;
  const hash = createHash(options.seed);
  const addressHash = createHash(avalanche(options.seed + 1));
  const describe = createRecordDetails({ details, counters, names, traits: options.traits });
  const words = new Int32Array(SCRATCH_WORDS);
  const scratch = { words };
  /** Addresses of sender and receiver at 8, as in an IPv6 header; MAC addresses of receiver and sender at FRAME. */
  const chunk = new Uint8Array(FRAME + 12);
  const addresses = chunk.subarray(8, 40);
  words[S_L3] = 0;
  words[S_FRAME] = FRAME;
  const TAKEN = counterIndex('records');
  const PACKETS = counterIndex('records.packets');
  const BYTES = counterIndex('records.bytes');
  const REFUSED = counterIndex('records.refused');
  const AHEAD = counterIndex('records.ahead');
  const UNTIMED = counterIndex('records.untimed');
  const GUESSED = counterIndex('records.guessed');

  const putAddress = (at: number, address: Uint32Array, isIpv6: boolean): void => {
    for (let i = 0; i < (isIpv6 ? 4 : 1); i++, at += 4) {
      const word = address[i];
      chunk[at] = word >>> 24;
      chunk[at + 1] = word >>> 16;
      chunk[at + 2] = word >>> 8;
      chunk[at + 3] = word;
    }
  };

  const putMac = (bytes: Uint8Array, at: number, mac: number): void => {
    const high = mac > 0 ? Math.floor(mac / 2 ** 24) : 0;
    const low = mac > 0 ? mac % 2 ** 24 : 0;
    bytes[at] = high >>> 16;
    bytes[at + 1] = high >>> 8;
    bytes[at + 2] = high;
    bytes[at + 3] = low >>> 16;
    bytes[at + 4] = low >>> 8;
    bytes[at + 5] = low;
  };

  /** The answer to a ping, told for itself: its destination began. */
  const isEchoReply = (from: FlowRecord, protocol: number): boolean =>
    oneWay &&
    from.outPackets === 0 &&
    !from.directed &&
    (protocol === ICMP ? from.icmpType === 0 : protocol === ICMP_V6 && from.icmpType === 129);

  /** Is the destination the client? Asked of records whose source has the lower port. */
  const destinationBegan = (from: FlowRecord, protocol: number, isIpv6: boolean): boolean => {
    if (from.directed) return false;
    if (isIpv6 ? from.src[0] >>> 24 === 0xff || from.dst[0] >>> 24 === 0xff : isMulticast4(from.src[0]) || isMulticast4(from.dst[0])) {
      return false;
    }
    if (oneWay) {
      if (protocol !== TCP) return true;
      if (from.outPackets === 0 && from.outBytes === 0) return (from.srcTcpFlags & (SYN | ACK)) !== SYN;
      // both directions, and the exporter has put whichever end first (RFC 5103, 6.3: it may): a SYN without an answer is the client's
      return from.mergedFlags || (from.srcTcpFlags & SYN) === 0 || (from.dstTcpFlags & SYN) !== 0;
    }
    if (protocol === UDP) return false;
    return protocol !== TCP || from.mergedFlags || (from.srcTcpFlags & SYN) === 0;
  };

  /** Which of two ends comes first, as the decoder orders them: above 0, the source is b. */
  const compareEnds = (
    from: FlowRecord,
    isIpv6: boolean,
    source: number,
    destination: number,
    srcPort: number,
    dstPort: number,
  ): number => {
    if (source !== destination) {
      if (isIpv6) return source - destination;
      return (source ^ SIGN) > (destination ^ SIGN) ? 1 : -1;
    }
    if (isIpv6) {
      for (let i = 0; i < 4; i++) if (from.src[i] !== from.dst[i]) return from.src[i] - from.dst[i];
    }
    return srcPort - dstPort;
  };

  /** Record of the flow, made where there is none; scratch and chunk then say who the client is. */
  const find = (from: FlowRecord, protocol: number, clock: number): number => {
    const isIpv6 = from.ipVersion === 6;
    const hasPorts = protocol === TCP || protocol === UDP || protocol === SCTP;
    const srcPort = hasPorts ? from.srcPort & 0xffff : 0;
    const dstPort = hasPorts ? from.dstPort & 0xffff : 0;
    const { src, dst } = from;
    const source = isIpv6 ? addressHash(src[0] | 0, src[1] | 0, src[2] | 0, src[3] | 0) : src[0] | 0;
    const destination = isIpv6 ? addressHash(dst[0] | 0, dst[1] | 0, dst[2] | 0, dst[3] | 0) : dst[0] | 0;
    const sourceIsB = compareEnds(from, isIpv6, source, destination, srcPort, dstPort) > 0;
    const swapped = hasPorts ? srcPort < dstPort && srcPort !== 0 && destinationBegan(from, protocol, isIpv6) : isEchoReply(from, protocol);
    const a = sourceIsB ? destination : source;
    const b = sourceIsB ? source : destination;
    const ports = sourceIsB ? (dstPort << 16) | srcPort : (srcPort << 16) | dstPort;
    const pv = protocol | ((from.vlan < VLANS ? from.vlan : 0) << 8) | (isIpv6 ? PV_IPV6 : 0);
    words[S_A] = a;
    words[S_B] = b;
    words[S_PORTS] = ports;
    words[S_PV] = pv;
    words[S_HASH] = hash(a, b, ports, pv);
    let flags = sourceIsB !== swapped ? F_FROM_B : 0;
    if (isIpv6) {
      putAddress(swapped ? 24 : 8, src, true);
      putAddress(swapped ? 8 : 24, dst, true);
    }
    if (from.srcMac > 0 || from.dstMac > 0) {
      flags |= F_ETHERNET;
      putMac(chunk, FRAME + (swapped ? 0 : 6), from.srcMac);
      putMac(chunk, FRAME + (swapped ? 6 : 0), from.dstMac);
    }
    words[S_FLAGS] = flags;
    sourceFromB = sourceIsB;
    return table.obtain(scratch, chunk, clock);
  };
  let sourceFromB = false; // of the record that `find` has looked for: its source is end b

  /** What a counter of the record adds to the flow's. Those from the flow's start on may come late: then they add nothing. */
  const growth = (value: number, rate: number, before: number, absolute: boolean): number => {
    const scaled = Math.min(value * rate, MOST_BYTES);
    if (!absolute) return scaled;
    return scaled > before ? scaled - before : 0;
  };

  const count = (id: number, direction: number, from: FlowRecord, isSource: boolean, rate: number): void => {
    const { absolute } = from;
    const line = id * RECORD_WORDS + ((R_DIR + direction * R_DIR_BYTES) >> 2);
    const double = line >> 1;
    const packets = u32[line + (D_PACKETS >> 2)];
    const after = packets + growth(isSource ? from.inPackets : from.outPackets, rate, packets, absolute);
    const tos = isSource ? from.srcTos : from.dstTos;
    if (packets === 0 && tos !== 0) u8[id * RECORD_BYTES + R_IAT + I_EXTRA + direction] = tos;
    counters[PACKETS] += after - packets;
    u32[line + (D_PACKETS >> 2)] = after < MOST_PACKETS ? after : MOST_PACKETS;
    const bytes = f64[double];
    const moreBytes = growth(isSource ? from.inBytes : from.outBytes, rate, bytes, absolute);
    counters[BYTES] += moreBytes;
    f64[double] = Math.min(bytes + moreBytes, MOST_BYTES);
    const fragments = isSource ? from.srcFragments : from.dstFragments;
    if (fragments > 0) addTo(line + (D_FRAGMENTS >> 2), fragments, rate, absolute);
    if ((words[S_PV] & 0xff) === TCP) countTcp(id, direction, line, from, isSource, rate);
  };

  const addTo = (at: number, value: number, rate: number, absolute: boolean): void => {
    if (value > 0) u32[at] = Math.min(u32[at] + growth(value, rate, u32[at], absolute), MOST_PACKETS);
  };

  const countTcp = (id: number, direction: number, line: number, from: FlowRecord, isSource: boolean, rate: number): void => {
    const flags = isSource ? from.srcTcpFlags : from.dstTcpFlags;
    if (flags !== 0) u16[line * 2 + (D_TCP_FLAGS >> 1)] |= flags & 0xff;
    const window = isSource ? from.srcWindow : from.dstWindow;
    if (window > u32[line + (D_WINDOW >> 2)]) u32[line + (D_WINDOW >> 2)] = window;
    const resent = isSource ? from.srcRetransmitted : from.dstRetransmitted;
    const disordered = isSource ? from.srcOutOfOrder : from.dstOutOfOrder;
    const lost = isSource ? from.srcLost : from.dstLost;
    if (resent + disordered + lost === 0) return;
    const at = id * RECORD_WORDS + ((R_PROBLEMS + direction * R_PROBLEMS_BYTES) >> 2);
    addTo(at + (P_RETRANSMITTED >> 2), resent, rate, from.absolute);
    addTo(at + (P_OUT_OF_ORDER >> 2), disordered, rate, from.absolute);
    addTo(at + (P_LOST >> 2), lost, rate, from.absolute);
  };

  /** Latencies as the handshake that would have made them: the server's from SYN to SYN+ACK, the client's from there to the ACK. */
  const measure = (id: number, direction: number, from: FlowRecord): void => {
    const r = id * RECORD_WORDS;
    const client = direction === 0 ? from.clientLatency : from.serverLatency;
    const server = direction === 0 ? from.serverLatency : from.clientLatency;
    if ((client > 0 || server > 0) && u32[r + (R_SYN_ACK >> 2)] === 0) {
      const answered = 1 + 2 * Math.max(0, Math.round(server));
      u32[r + (R_SYN >> 2)] = server > 0 ? 1 : 0;
      u32[r + (R_SYN_ACK >> 2)] = answered;
      u32[r + (R_ACK >> 2)] = client > 0 ? answered + 2 * Math.round(client) : 0;
    }
    if (from.applicationLatency > 0 && direction === 0 && u32[r + (R_ANSWER >> 2)] === 0) {
      u32[r + (R_ANSWER >> 2)] = Math.round(from.applicationLatency) + 1;
    }
  };

  /** A first throughput, until the visit that measures it: what the record says of its own time. */
  const estimate = (id: number): void => {
    const d = id * RECORD_DOUBLES;
    const r = id * RECORD_WORDS;
    const seconds = (f64[d + (R_LAST >> 3)] - f64[d + (R_FIRST >> 3)]) / 1e6;
    if (seconds < 1) return;
    for (let direction = 0; direction < 2; direction++) {
      const line = (R_DIR + direction * R_DIR_BYTES) >> 2;
      f32[r + (R_BPS0 >> 2) + direction] = f64[d + (line >> 1)] / seconds;
      f32[r + (R_PPS0 >> 2) + direction] = u32[r + line + (D_PACKETS >> 2)] / seconds;
    }
  };

  /** MAC addresses that an earlier record of the flow did not have. */
  const fillMacs = (id: number, direction: number, from: FlowRecord): void => {
    const at = id * RECORD_BYTES + R_MAC0;
    const fill = (end: number, mac: number): void => {
      if (mac <= 0) return;
      for (let i = 0; i < 6; i++) if (u8[at + end * 6 + i] !== 0) return;
      putMac(u8, at + end * 6, mac);
    };
    fill(direction, from.srcMac);
    fill(direction ^ 1, from.dstMac);
  };

  const guessed = (id: number, clock: number): Uint8Array | undefined => {
    if (guess === undefined) return undefined;
    counters[GUESSED]++;
    const r = id * RECORD_WORDS;
    const clientIsB = i32[r + (R_STATE >> 2)] < 0;
    const isIpv6 = words[S_PV] >= PV_IPV6;
    if (!isIpv6) {
      one[0] = words[clientIsB ? S_B : S_A];
      putAddress(8, one, false);
      one[0] = words[clientIsB ? S_A : S_B];
      putAddress(24, one, false);
    }
    const [a, b] = [words[S_PORTS] >>> 16, words[S_PORTS] & 0xffff];
    return guess(isIpv6, words[S_PV] & 0xff, addresses, clientIsB ? b : a, clientIsB ? a : b, clock);
  };
  const one = new Uint32Array(1);

  return {
    take(from, clock) {
      const protocol = from.protocol & 0xff;
      const { src, dst } = from;
      if ((src[0] | dst[0]) === 0 && (from.ipVersion === 4 || (src[1] | src[2] | src[3] | dst[1] | dst[2] | dst[3]) === 0)) {
        counters[REFUSED]++;
        return;
      }
      counters[TAKEN]++;

      let last = from.last;
      if (!(last >= OLDEST_US)) {
        counters[UNTIMED]++;
        last = clock;
      } else if (last > clock + AHEAD_US) {
        counters[AHEAD]++;
        last = clock;
      }
      const first = from.first >= OLDEST_US && from.first <= last ? from.first : last;
      const rate = from.samplingRate > 1 ? from.samplingRate : 1;

      const id = find(from, protocol, clock);
      const r = id * RECORD_WORDS;
      const d = id * RECORD_DOUBLES;
      let state = i32[r + (R_STATE >> 2)];
      const direction = sourceFromB === state < 0 ? 0 : 1;
      const isNew = (state & STATE_PACKETS) === 0;
      if (isNew) {
        // a handshake that nobody has seen is none that is missing: only FIN and RST make a flow end early
        state |= 1 | STATE_DETECTED | STATE_DISSECTED | STATE_TWH_OVER | STATE_TWH_OK;
        f64[d + (R_FIRST >> 3)] = first;
        f64[d + (R_LAST >> 3)] = last;
        f64[d + ARRIVED] = clock;
        f64[d + RATE_FROM] = first;
      } else {
        if (first < f64[d + (R_FIRST >> 3)]) f64[d + (R_FIRST >> 3)] = first;
        if (from.inBytes > 0 || from.outBytes > 0) {
          if (last > f64[d + (R_LAST >> 3)]) f64[d + (R_LAST >> 3)] = last;
          f64[d + ARRIVED] = clock;
        }
        if (from.srcMac > 0 || from.dstMac > 0) fillMacs(id, direction, from);
      }
      if ((state & STATE_TOUCHED) === 0) {
        state |= STATE_TOUCHED;
        schedule.touch(id);
      }
      count(id, direction, from, true, rate);
      // a record of one direction touches the memory of one direction
      if (from.outPackets !== 0 || from.outBytes !== 0 || from.dstTcpFlags !== 0) count(id, direction ^ 1, from, false, rate);
      if (protocol === TCP) {
        if (((from.srcTcpFlags | from.dstTcpFlags) & (FIN | RST)) !== 0) state |= STATE_CLOSING;
        measure(id, direction, from);
      } else if ((protocol === ICMP || protocol === ICMP_V6) && (from.icmpType !== UNKNOWN || from.dstPort !== 0)) {
        // where it says nothing else: type << 8 | code in the place of the destination's port, as NetFlow has it
        const message = R_IAT + I_EXTRA + 2 + id * RECORD_BYTES;
        u8[message] = from.icmpType !== UNKNOWN ? from.icmpType : from.dstPort >> 8;
        u8[message + 1] = from.icmpType !== UNKNOWN ? Math.max(0, from.icmpCode) : from.dstPort;
      }
      i32[r + (R_STATE >> 2)] = state;

      const old = i32[r + (R_DETAIL >> 2)];
      const handle = isNew
        ? describe.begin(from, direction !== 0, describe.isNamed(from) ? undefined : guessed(id, clock))
        : describe.update(old, from, direction !== 0);
      if (isNew) estimate(id);
      if (handle === old && !describe.changed()) return;
      i32[r + (R_DETAIL >> 2)] = handle;
      u32[r + (R_FACTS >> 2)] |= FACT_DETAILS_NEW;
      if (handle !== 0) options.collected(id);
    },
    rate(id, tv) {
      const r = id * RECORD_WORDS;
      const d = id * RECORD_DOUBLES;
      const traffic =
        f64[d + (R_DIR >> 3)] - f64[d + (R_PREV_BYTES0 >> 3)] + f64[d + ((R_DIR + R_DIR_BYTES) >> 3)] - f64[d + (R_PREV_BYTES1 >> 3)];
      const dt = tv - f64[d + RATE_FROM];
      if (traffic <= 0 || dt < SHORTEST_RATE_US) return;
      throughput.update(id, dt);
      i32[r + (R_STATE >> 2)] &= ~STATE_RATE;
      f64[d + RATE_FROM] = tv;
    },
  };
}
