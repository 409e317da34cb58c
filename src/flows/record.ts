/**
 * Layout of a flow record: six cache lines (384 bytes) in one buffer that is seen through several typed arrays.
 *
 *   line 0  key, hash, state, times, statuses                  every packet, every visit
 *   line 1  client to server: counters, lengths, TCP sequence  packets of that direction
 *   line 2  server to client: the same
 *   line 3  inter-arrival times of both directions, 32 bytes each
 *   line 4  what the last visit saw; throughput                visits only
 *   line 5  TCP problems, handshake times, MAC addresses       rarely
 *
 * All offsets are in bytes. Direction 0 is client to server, direction 1 server to client; the key (a, b) is in
 * canonical order, and {@link STATE_CLIENT_IS_B} says which end the client is. A lifecycle event carries a copy of
 * the record as it stands here: layout changes are format changes (`EVENT_VERSION`).
 */
export const RECORD_BYTES = 384;

// line 0
export const R_A = 0; //          i32  as in the scratch
export const R_B = 4; //          i32
export const R_PORTS = 8; //      i32
export const R_PV = 12; //        i32  IP protocol | vlan << 8 | IPv6 << 24
export const R_HASH = 16; //      i32
export const R_STATE = 20; //     i32  STATE_*
export const R_FIRST = 24; //     f64  µs since 1970: first packet
export const R_LAST = 32; //      f64  µs: last packet
export const R_STATUS = 40; //    u32 low, u32 high: the bitmap at the last visit
export const R_SEQ = 48; //       u32  number of the flow on its interface, from 1 on, mod 2^32
export const R_FACTS = 52; //     u32  FACT_*
export const R_V6 = 56; //        i32  slot in the table of IPv6 addresses, 0 = none
export const R_DETAIL = 60; //    i32  block in the detail arena, 0 = none

// lines 1 and 2: R_DIR + direction * R_DIR_BYTES + D_*
export const R_DIR = 64;
export const R_DIR_BYTES = 64;
export const D_BYTES = 0; //      f64  bytes on the wire
export const D_GOODPUT = 8; //    f64  payload bytes
export const D_LEN_SQUARES = 16; // f64 sum of the squared frame lengths
export const D_LAST = 24; //      f64  µs: last packet of this direction
export const D_PACKETS = 32; //   u32
export const D_NEXT_SEQ = 36; //  u32  next expected TCP sequence number, 0 = none seen
export const D_ACK = 40; //       u32  TCP acknowledgement number of the last segment, 0 = none seen
export const D_MIN_LEN = 44; //   u16  shortest frame
export const D_MAX_LEN = 46; //   u16  longest frame
export const D_TCP_FLAGS = 48; // u16  low byte: all TCP flags seen, ORed; the client's high byte: round-trip time, see tcp.ts
export const D_ISN = 50; //       u16  32768 | low 15 bits of the initial TCP sequence number, 0 = not known
export const D_ADVANCED = 52; //  u32  µs after first (28 bits, modulo) at which D_NEXT_SEQ grew << 4 | SEEN_* of tcp.ts
export const D_WINDOW = 56; //    u32  last TCP window, unscaled
export const D_FRAGMENTS = 60; // u32  IP fragments

// line 3: R_IAT + direction * R_IAT_BYTES + I_*
export const R_IAT = 192;
export const R_IAT_BYTES = 32;
export const I_SUM = 0; //        f64  sum of the inter-arrival times, ms
export const I_SQUARES = 8; //    f64  sum of their squares, ms²
export const I_COUNT = 16; //     u32
export const I_MIN = 20; //       u32  ms
export const I_MAX = 24; //       u32  ms
export const I_EXTRA = 28; //     direction 0: u8 TOS client, u8 TOS server, u8 ICMP type, u8 ICMP code; direction 1: u32 µs after first at which the protocol was known

// line 4
export const R_PREV_BYTES0 = 256; // f64 bytes, client to server, at the last visit
export const R_PREV_BYTES1 = 264; // f64 server to client
export const R_PREV_PACKETS0 = 272; // u32
export const R_PREV_PACKETS1 = 276; // u32
export const R_PREV_GOODPUT = 280; // f64 payload bytes of both directions
export const R_BPS0 = 288; //     f32  bytes/s, client to server
export const R_BPS1 = 292; //     f32  bytes/s, server to client
export const R_PPS0 = 296; //     f32  packets/s
export const R_PPS1 = 300; //     f32
export const R_TOP_BPS = 304; //  f32  highest sum of both directions so far
export const R_TOP_PPS = 308; //  f32
export const R_TREND_BPS = 312; // u8  TREND_*
export const R_TREND_PPS = 313; // u8
export const R_NET0 = 314; //     u8   index of the client's local network + 1, 0 = remote
export const R_NET1 = 315; //     u8   the server's
export const R_PERIODIC = 316; // u32  s since 1970: visit of the last periodicUpdate, 0 = none yet

// line 5: R_PROBLEMS + direction * 16 + P_*
export const R_PROBLEMS = 320;
export const R_PROBLEMS_BYTES = 16;
export const P_RETRANSMITTED = 0; // u32 packets
export const P_OUT_OF_ORDER = 4; //  u32
export const P_LOST = 8; //          u32
export const P_KEEP_ALIVE = 12; //   u32
export const R_MAC0 = 352; //     6 bytes: MAC of the client, zeros if unknown
export const R_MAC1 = 358; //     6 bytes: MAC of the server
export const R_SYN = 364; //      u32  µs after first, +1; 0 = not seen
export const R_SYN_ACK = 368; //  u32
export const R_ACK = 372; //      u32
export const R_REQUEST = 376; //  u32  latest client payload before the first answer: the same modulo 2^32, never 0
export const R_ANSWER = 380; //   u32  appl. latency in µs + 1; 0 = not measured

/** Packets counted for detection, saturating at 255. */
export const STATE_PACKETS = 0xff;
export const STATE_TWH_OVER = 1 << 8;
export const STATE_TWH_OK = 1 << 9;
export const STATE_SYN = 1 << 10;
export const STATE_SYN_ACK = 1 << 11;
/** FIN or RST was seen in some direction. */
export const STATE_CLOSING = 1 << 12;
/** The protocol is known, or was given up and guessed. */
export const STATE_DETECTED = 1 << 13;
/** Detection needs no further packet; its memory is free. */
export const STATE_DISSECTED = 1 << 14;
/** `protocolDetected` was called. */
export const STATE_REPORTED = 1 << 15;
/** Visited at least once. */
export const STATE_VISITED = 1 << 16;
/** The last visit: never visited again. */
export const STATE_IDLE = 1 << 17;
export const STATE_CLIENT_BLACKLISTED = 1 << 19;
export const STATE_SERVER_BLACKLISTED = 1 << 20;
/** A packet came since the last visit. */
export const STATE_TOUCHED = 1 << 21;
export const STATE_CLIENT_UNICAST = 1 << 22;
export const STATE_SERVER_UNICAST = 1 << 23;
/** The host name of the flow is on a blacklist. */
export const STATE_NAME_BLACKLISTED = 1 << 24;
/** The throughput is not settled at zero: visits must compute it. */
export const STATE_RATE = 1 << 25;
/** The core has raised its alert about the flow. */
export const STATE_ALERTED = 1 << 26;
/** Packets were shown to detection. */
export const STATE_SHOWN = 1 << 18;
export const STATE_BLACKLISTED = STATE_CLIENT_BLACKLISTED | STATE_SERVER_BLACKLISTED | STATE_NAME_BLACKLISTED;
/** The endpoints of the key are swapped: the client is b. */
export const STATE_CLIENT_IS_B = 1 << 31;

/** Sticky facts that statuses stand on. */
/** An ICMP echo was longer than 128 bytes, an ICMPv6 one longer than 256. */
export const FACT_LONG_ECHO = 1 << 0;
/** A DNS query name was over 96 bytes long, or had characters that cannot be printed. */
export const FACT_DNS_INVALID = 1 << 1;
/** A DNS query name was long enough to carry data. */
export const FACT_DNS_DATA = 1 << 2;
/** The JA3 of the client, of the server, is on a list. */
export const FACT_JA3_CLIENT = 1 << 3;
export const FACT_JA3_SERVER = 1 << 4;
/** An intrusion detection system reported the flow; with its highest severity. */
export const FACT_IDS = 1 << 5;
export const FACT_IDS_SEVERE = 1 << 6;
/** The device type of the client, of the server, forbids the protocol. */
export const FACT_DEVICE_CLIENT = 1 << 7;
export const FACT_DEVICE_SERVER = 1 << 8;
/** What detection knows has changed since the last visit. */
export const FACT_DETAILS_NEW = 1 << 9;
/** Bits 24 to 31: id of the status that the core raised its alert for. */
export const FACT_ALERT_SHIFT = 24;

export const TREND_UNKNOWN = 0;
export const TREND_UP = 1;
export const TREND_DOWN = 2;
export const TREND_STABLE = 3;

/*
 * Detail block: what detection found. It is written by the addon, kept in the detail arena and copied whole into events.
 *
 *   0 u16 application protocol   2 u16 master protocol   4 u16 category   6 u8 breed   7 u8 confidence
 *   8 u64 risks (bit = nDPI risk id)
 *  16 entries up to the end of the block: u16 detail id, u16 length, bytes (text as nDPI gives it; numbers as {@link readNumber} says)
 *
 * The detail ids are positions in the list of names that goes with the events (`Names.details`).
 */
export const DETAIL_APP = 0;
export const DETAIL_MASTER = 2;
export const DETAIL_CATEGORY = 4;
export const DETAIL_BREED = 6;
export const DETAIL_CONFIDENCE = 7;
export const DETAIL_RISKS = 8;
export const DETAIL_ENTRIES = 16;

/** A number of a detail block: 1, 2 or 4 bytes are an unsigned integer, 8 a double. @returns undefined for another length */
export function readNumber(view: DataView, at: number, length: number): number | undefined {
  switch (length) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true);
    case 4:
      return view.getUint32(at, true);
    case 8:
      return view.getFloat64(at, true);
    default:
      return undefined;
  }
}
