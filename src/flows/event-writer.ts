/**
 * Writes a lifecycle event (event.ts) for a flow record straight into the ring.
 */
import { PV_IPV6 } from '../packet/batch.ts';
import type { DetailArena } from './details.ts';
import {
  E_CALLBACKS,
  E_CLIENT,
  E_CLIENT_PORT,
  E_DETAIL,
  E_DETAIL_LENGTH,
  E_END,
  E_INTERFACE,
  E_LENGTH,
  E_RECORD,
  E_SEQ,
  E_SERVER,
  E_SERVER_PORT,
  E_STATUS_BEFORE,
  E_TIME,
  E_VERSION,
  E_VISIT,
  EVENT_VERSION,
} from './event.ts';
import { R_A, R_B, R_DETAIL, R_PORTS, R_PV, R_SEQ, R_STATE, R_V6 } from './record.ts';
import { RECORD_DOUBLES, RECORD_WORDS, type Records } from './table.ts';

export interface EventSink {
  readonly bytes: Uint8Array;
  /** @returns offset for an event of `length` bytes, a multiple of 8; -1 when it must be dropped */
  reserve(length: number): number;
  commit(length: number): void;
}

/** Protocols whose key has ports: TCP, UDP, SCTP. */
const hasPorts = (protocol: number): boolean => protocol === 6 || protocol === 17 || protocol === 132;

/** @returns a function that writes an event; false = there was no room and it is lost */
export function createEventWriter(
  records: Records,
  details: DetailArena,
  interfaceId: number,
  sink: EventSink,
): (id: number, callbacks: number, end: number, time: number, visit: number, statusBefore: number) => boolean {
  const { i32, f64, v6 } = records;
  const out = sink.bytes;
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const u32 = new Uint32Array(out.buffer, out.byteOffset, out.byteLength >> 2);
  const doubles = new Float64Array(out.buffer, out.byteOffset, out.byteLength >> 3);
  const target = new Int32Array(out.buffer, out.byteOffset, out.byteLength >> 2);

  const address = (at: number, r: number, ofB: boolean): void => {
    if ((i32[r + (R_PV >> 2)] as number) >= PV_IPV6) {
      const from = (i32[r + (R_V6 >> 2)] as number) * 32 + (ofB ? 16 : 0);
      for (let i = 0; i < 16; i++) out[at + i] = v6[from + i] as number;
    } else {
      view.setInt32(at, i32[r + ((ofB ? R_B : R_A) >> 2)] as number);
      u32[(at + 4) >> 2] = u32[(at + 8) >> 2] = u32[(at + 12) >> 2] = 0;
    }
  };

  return (id, callbacks, end, time, visit, statusBefore) => {
    const r = id * RECORD_WORDS;
    const handle = i32[r + (R_DETAIL >> 2)] as number;
    const detailLength = handle === 0 ? 0 : details.length(handle);
    const length = (E_DETAIL + detailLength + 7) & ~7;
    const at = sink.reserve(length);
    if (at < 0) return false;
    const word = at >> 2;
    const double = at >> 3;
    const clientIsB = (i32[r + (R_STATE >> 2)] as number) < 0;
    const ports = hasPorts((i32[r + (R_PV >> 2)] as number) & 0xff) ? (i32[r + (R_PORTS >> 2)] as number) : 0;
    u32[word + (E_LENGTH >> 2)] = length;
    view.setUint16(at + E_VERSION, EVENT_VERSION, true);
    out[at + E_CALLBACKS] = callbacks;
    out[at + E_END] = end;
    doubles[double + (E_TIME >> 3)] = time;
    u32[word + (E_VISIT >> 2)] = visit;
    u32[word + (E_INTERFACE >> 2)] = interfaceId;
    doubles[double + (E_SEQ >> 3)] = f64[id * RECORD_DOUBLES + (R_SEQ >> 3)] as number;
    u32[word + (E_STATUS_BEFORE >> 2)] = statusBefore;
    u32[word + (E_STATUS_BEFORE >> 2) + 1] = 0;
    address(at + E_CLIENT, r, clientIsB);
    address(at + E_SERVER, r, !clientIsB);
    u32[word + (E_DETAIL_LENGTH >> 2)] = detailLength;
    view.setUint16(at + E_CLIENT_PORT, clientIsB ? ports & 0xffff : ports >>> 16, true);
    view.setUint16(at + E_SERVER_PORT, clientIsB ? ports >>> 16 : ports & 0xffff, true);
    for (let i = 0; i < RECORD_WORDS; i++) target[word + (E_RECORD >> 2) + i] = i32[r + i] as number;
    const from = handle === 0 ? 0 : details.offset(handle);
    for (let i = 0; i < detailLength; i++) out[at + E_DETAIL + i] = details.bytes[from + i] as number;
    sink.commit(length);
    return true;
  };
}
