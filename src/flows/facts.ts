/**
 * What the conditions of the statuses may ask of a flow: a cursor over the records of the table.
 *
 *   visit ──at(id, time, ending)──► FlowFacts ──► conditions (statuses.ts)
 *
 * Nothing is copied and nothing allocated, except where a condition asks for a text.
 */
import type { DetailArena } from './details.ts';
import { idleLimit } from './idle.ts';
import * as record from './record.ts';
import type { Records } from './table.ts';
import * as tables from './table.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const {
  D_BYTES,
  D_GOODPUT,
  D_PACKETS,
  D_TCP_FLAGS,
  DETAIL_APP,
  DETAIL_BREED,
  DETAIL_CATEGORY,
  DETAIL_MASTER,
  DETAIL_RISKS,
  P_LOST,
  P_OUT_OF_ORDER,
  P_RETRANSMITTED,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FACTS,
  R_FIRST,
  R_LAST,
  R_NET0,
  R_NET1,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_PV,
  R_STATE,
  STATE_CLIENT_UNICAST,
  STATE_DETECTED,
  STATE_SERVER_UNICAST,
  STATE_TWH_OVER,
} = record;
const { RECORD_DOUBLES, RECORD_WORDS } = tables;

/** 0 client to server, 1 server to client. */
export type Direction = 0 | 1;

const UDP = 17;
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** Lifecycle 12.4: payload under 40 % in a flow of a minute or more. */
const LOW_GOODPUT_SECONDS = 60;
const LOW_GOODPUT_PERCENT = 40;

export interface FlowFacts {
  /** Moves the cursor. @param now µs, the visit's time; @param ending the visit is the flow's last */
  at(id: number, now: number, ending: boolean): void;
  readonly ending: () => boolean;
  /** µs since the last packet. */
  readonly silence: () => number;
  /** Silence after which it ends, µs. */
  readonly idleLimit: (maxIdleUs: number) => number;
  /** Whole seconds from the second of the first packet to that of the last. */
  readonly seconds: () => number;
  /** µs since 1970. */
  readonly firstSeen: () => number;
  /** IP protocol number. */
  readonly protocol: () => number;
  readonly packets: (direction: Direction) => number;
  readonly bytes: (direction: Direction) => number;
  /** Retransmitted, out-of-order and lost segments of a direction (keep-alives are none). */
  readonly issues: (direction: Direction) => number;
  readonly handshakeOver: () => boolean;
  /** RST was seen, and the flow had not closed regularly before (lifecycle 12.5). */
  readonly isReset: () => boolean;
  readonly lowGoodput: () => boolean;
  readonly isLocal: (end: Direction) => boolean;
  readonly isUnicast: (end: Direction) => boolean;
  /** FACT_* or STATE_* bits. */
  readonly fact: (bits: number) => boolean;
  readonly state: (bits: number) => boolean;
  /** Has detection spoken? The following are 0, false or '' before it has. */
  readonly hasDetails: () => boolean;
  readonly category: () => number;
  readonly breed: () => number;
  readonly application: () => number;
  /** Is it the application or the master protocol? @param protocol nDPI id */
  readonly is: (protocol: number) => boolean;
  /** @param risk nDPI risk id */
  readonly hasRisk: (risk: number) => boolean;
  readonly hasAnyRisk: () => boolean;
  /** @param detail id of a detail */
  readonly number: (detail: number) => number;
  readonly text: (detail: number) => string;
}

export function createFlowFacts(records: Records, details: DetailArena): FlowFacts {
  const { i32, u32, u16, u8, f64 } = records;
  let r = 0; // record, in words
  let d = 0; // record, in doubles
  let head = 0; // detail block, byte offset; 0 = none
  let handle = 0;
  let time = 0;
  let last = false;

  const line = (direction: Direction): number => (R_DIR + direction * R_DIR_BYTES) >> 2;
  const packets = (direction: Direction): number => u32[r + line(direction) + (D_PACKETS >> 2)] as number;
  const bytes = (direction: Direction): number => f64[d + (line(direction) >> 1) + (D_BYTES >> 3)] as number;
  const goodput = (direction: Direction): number => f64[d + (line(direction) >> 1) + (D_GOODPUT >> 3)] as number;
  const flags = (direction: Direction): number => (u16[(r + line(direction)) * 2 + (D_TCP_FLAGS >> 1)] as number) & 0xff;
  const protocol = (): number => (i32[r + (R_PV >> 2)] as number) & 0xff;
  const state = (bits: number): boolean => ((i32[r + (R_STATE >> 2)] as number) & bits) !== 0;
  const seconds = (): number =>
    Math.floor((f64[d + (R_LAST >> 3)] as number) / 1e6) - Math.floor((f64[d + (R_FIRST >> 3)] as number) / 1e6);

  return {
    at(id, now, ending) {
      r = id * RECORD_WORDS;
      d = id * RECORD_DOUBLES;
      time = now;
      last = ending;
      handle = state(STATE_DETECTED) ? (i32[r + (R_DETAIL >> 2)] as number) : 0;
      head = handle === 0 ? 0 : details.offset(handle);
    },
    ending: () => last,
    silence: () => time - (f64[d + (R_LAST >> 3)] as number),
    idleLimit: (maxIdleUs) => idleLimit(i32[r + (R_STATE >> 2)] as number, i32[r + (R_PV >> 2)] as number, maxIdleUs),
    seconds,
    firstSeen: () => f64[d + (R_FIRST >> 3)] as number,
    protocol,
    packets,
    bytes,
    issues(direction) {
      const at = r + ((R_PROBLEMS + direction * R_PROBLEMS_BYTES) >> 2);
      return (
        (u32[at + (P_RETRANSMITTED >> 2)] as number) + (u32[at + (P_OUT_OF_ORDER >> 2)] as number) + (u32[at + (P_LOST >> 2)] as number)
      );
    },
    handshakeOver: () => state(STATE_TWH_OVER),
    isReset() {
      const closed = SYN | ACK | FIN;
      if ((flags(0) & closed) === closed && (flags(1) & closed) === closed) return false;
      return ((flags(0) | flags(1)) & RST) !== 0;
    },
    lowGoodput() {
      if (protocol() === UDP || seconds() < LOW_GOODPUT_SECONDS) return false;
      return Math.floor(((goodput(0) + goodput(1)) * 100) / (bytes(0) + bytes(1) + 1)) < LOW_GOODPUT_PERCENT;
    },
    isLocal: (end) => u8[r * 4 + (end === 0 ? R_NET0 : R_NET1)] !== 0,
    isUnicast: (end) => state(end === 0 ? STATE_CLIENT_UNICAST : STATE_SERVER_UNICAST),
    fact: (bits) => ((u32[r + (R_FACTS >> 2)] as number) & bits) !== 0,
    state,
    hasDetails: () => head !== 0,
    category: () => (head === 0 ? 0 : (details.u16[(head + DETAIL_CATEGORY) >> 1] as number)),
    breed: () => (head === 0 ? 0 : (details.bytes[head + DETAIL_BREED] as number)),
    application: () => (head === 0 ? 0 : (details.u16[(head + DETAIL_APP) >> 1] as number)),
    is: (id) => head !== 0 && id !== 0 && (details.u16[(head + DETAIL_APP) >> 1] === id || details.u16[(head + DETAIL_MASTER) >> 1] === id),
    hasRisk: (risk) => head !== 0 && (((details.u32[((head + DETAIL_RISKS) >> 2) + (risk >> 5)] as number) >>> (risk & 31)) & 1) === 1,
    hasAnyRisk: () => head !== 0 && (details.u32[(head + DETAIL_RISKS) >> 2] !== 0 || details.u32[((head + DETAIL_RISKS) >> 2) + 1] !== 0),
    number: (detail) => (handle === 0 ? 0 : details.number(handle, detail)),
    text: (detail) => (handle === 0 ? '' : details.text(handle, detail)),
  };
}
