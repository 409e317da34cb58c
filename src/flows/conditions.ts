/**
 * The conditions of the statuses, as functions of a flow record (what each status is: statuses.ts).
 *
 * Called by the visit for flows whose inputs changed. Statuses of this stage: 6, 12, 13, 15, 17, 18, 19, 22, 25.
 */

import type { DetailArena } from './details.ts';
import {
  D_BYTES,
  D_PACKETS,
  DETAIL_CATEGORY,
  P_LOST,
  P_OUT_OF_ORDER,
  P_RETRANSMITTED,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FIRST,
  R_LAST,
  R_NET0,
  R_NET1,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_PV,
  R_STATE,
  RECORD_BYTES,
  STATE_BLACKLISTED,
  STATE_CLIENT_UNICAST,
  STATE_DETECTED,
  STATE_SERVER_UNICAST,
} from './record.ts';
import type { Records } from './table.ts';
import { RECORD_DOUBLES, RECORD_WORDS } from './table.ts';

export interface Thresholds {
  /** Status 17 and 18: bytes from which on a transfer is an elephant. */
  readonly elephantBytes: { readonly localToRemote: number; readonly remoteToLocal: number };
  /** Status 19: seconds. */
  readonly longLivedSeconds: number;
}

/** The original's defaults: 1 GiB, 12 h. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  elephantBytes: { localToRemote: 2 ** 30, remoteToLocal: 2 ** 30 },
  longLivedSeconds: 43_200,
};

// nDPI 4.2 category ids (ndpi_typedefs.h)
const CATEGORY_DATA_TRANSFER = 4;
const CATEGORY_DATABASE = 11;
const CATEGORY_MINING = 99;
const CATEGORY_MALWARE = 100;
const TCP = 6;
const TLS_1_2 = 0x0303;

/** @param tlsVersionId detail id of the TLS version. @returns a function from record id to the low 32 bits of the bitmap */
export function createConditions(
  records: Records,
  details: DetailArena,
  tlsVersionId: number,
  thresholds: Thresholds,
): (id: number) => number {
  const { i32, u32, u8, f64 } = records;

  /** Bit 22 (severe: over a third of the packets), bit 6 (over a tenth), or 0, for one direction. */
  const tcpIssues = (r: number, direction: number): number => {
    const at = r + ((R_PROBLEMS + direction * R_PROBLEMS_BYTES) >> 2);
    const issues =
      (u32[at + (P_RETRANSMITTED >> 2)] as number) + (u32[at + (P_OUT_OF_ORDER >> 2)] as number) + (u32[at + (P_LOST >> 2)] as number);
    if (issues <= 5) return 0;
    const packets = u32[r + ((R_DIR + direction * R_DIR_BYTES + D_PACKETS) >> 2)] as number;
    if (issues > Math.floor(packets / 3)) return 1 << 22;
    return issues > Math.floor(packets / 10) ? 1 << 6 : 0;
  };

  return (id) => {
    const r = id * RECORD_WORDS;
    const d = id * RECORD_DOUBLES;
    const state = i32[r + (R_STATE >> 2)] as number;
    const clientLocal = u8[id * RECORD_BYTES + R_NET0] !== 0;
    const serverLocal = u8[id * RECORD_BYTES + R_NET1] !== 0;
    const handle = (state & STATE_DETECTED) !== 0 ? (i32[r + (R_DETAIL >> 2)] as number) : 0;
    const category = handle === 0 ? 0 : (details.u16[(details.offset(handle) + DETAIL_CATEGORY) >> 1] as number);
    let bits = 0;

    if (((i32[r + (R_PV >> 2)] as number) & 0xff) === TCP) bits |= tcpIssues(r, 0) | tcpIssues(r, 1);
    if (!clientLocal && !serverLocal && (state & STATE_CLIENT_UNICAST) !== 0 && (state & STATE_SERVER_UNICAST) !== 0) bits |= 1 << 12;
    if ((state & STATE_BLACKLISTED) !== 0 || category === CATEGORY_MALWARE) bits |= 1 << 13;
    if (category === CATEGORY_MINING) bits |= 1 << 15;
    if (clientLocal !== serverLocal && category !== CATEGORY_DATA_TRANSFER) {
      const up = f64[d + ((R_DIR + D_BYTES) >> 3)] as number;
      const down = f64[d + ((R_DIR + R_DIR_BYTES + D_BYTES) >> 3)] as number;
      if ((clientLocal ? up : down) > thresholds.elephantBytes.localToRemote) bits |= 1 << 17;
      if ((clientLocal ? down : up) > thresholds.elephantBytes.remoteToLocal) bits |= 1 << 18;
    }
    const seconds = ((f64[d + (R_LAST >> 3)] as number) - (f64[d + (R_FIRST >> 3)] as number)) / 1e6;
    if (seconds > thresholds.longLivedSeconds && category !== CATEGORY_DATABASE && (state & STATE_SERVER_UNICAST) !== 0) bits |= 1 << 19;
    if (handle !== 0) {
      const version = details.number(handle, tlsVersionId); // RFC 8446, 4.1.2: the version word
      if (version > 0 && version < TLS_1_2) bits |= 1 << 25;
    }
    return bits;
  };
}
