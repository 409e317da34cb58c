/**
 * Writes a lifecycle event (event.ts) for a flow record straight into the ring.
 */
import * as batch from '../packet/batch.ts';
import type { Preferences } from '../preferences.ts';
import type { DetailArena } from './details.ts';
import * as event from './event.ts';
import * as record from './record.ts';
import type { Records } from './table.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { PV_IPV6 } = batch;
const {
  E_ALERT,
  E_ALERT_NOW,
  E_CALLBACKS,
  E_CLIENT,
  E_CLIENT_DEVICE,
  E_CLIENT_PORT,
  E_DETAIL,
  E_DETAIL_LENGTH,
  E_ELEPHANT_DOWN,
  E_ELEPHANT_UP,
  E_END,
  E_FLOW,
  E_INTERFACE,
  E_LENGTH,
  E_RECORD,
  E_SCORE,
  E_SEQ,
  E_SERVER,
  E_SERVER_DEVICE,
  E_SERVER_PORT,
  E_STATUS_BEFORE,
  E_TIME,
  E_VERSION,
  E_VISIT,
  EVENT_VERSION,
} = event;
const { FACT_ALERT_SHIFT, R_A, R_B, R_DETAIL, R_FACTS, R_PORTS, R_PV, R_STATE, R_STATUS, R_V6 } = record;
const RECORD_WORDS = record.RECORD_BYTES / 4;

export interface EventSink {
  readonly bytes: Uint8Array;
  /** @returns offset for an event of `length` bytes, a multiple of 8; -1 when it must be dropped */
  reserve(length: number): number;
  commit(length: number): void;
}

/** Protocols whose key has ports: TCP, UDP, SCTP. */
const hasPorts = (protocol: number): boolean => protocol === 6 || protocol === 17 || protocol === 132;

/** What an event says beside the record. */
export interface EventContext {
  readonly interfaceId: number;
  /** The flow's number on its interface. */
  sequenceOf(id: number): number;
  /** What scripts have given the flow, 65535 = nothing. */
  scoreOf(id: number): number;
  deviceType(id: number, end: 0 | 1): number;
  /** Those in force. */
  preferences(): Preferences;
}

/** Writes the event of one flow. @param alertNow the core raised its alert at this visit. @returns false: there was no room, it is lost */
export type EventWriter = (
  id: number,
  callbacks: number,
  end: number,
  time: number,
  visit: number,
  statusBeforeLow: number,
  statusBeforeHigh: number,
  alertNow: boolean,
) => boolean;

/** Writes the header of one flow's event at `at`, a multiple of 8; `length` and `detailLength` are those of the whole event and of its detail block. */
export type HeaderWriter = (at: number, length: number, detailLength: number, ...of: Parameters<EventWriter>) => void;

export function createHeaderWriter({ i32, u32: words, v6 }: Records, of: EventContext, out: Uint8Array): HeaderWriter {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const u32 = new Uint32Array(out.buffer, out.byteOffset, out.byteLength >> 2);
  const doubles = new Float64Array(out.buffer, out.byteOffset, out.byteLength >> 3);

  const address = (at: number, r: number, ofB: boolean): void => {
    if ((i32[r + (R_PV >> 2)] as number) >= PV_IPV6) {
      const from = (i32[r + (R_V6 >> 2)] as number) * 32 + (ofB ? 16 : 0);
      for (let i = 0; i < 16; i++) out[at + i] = v6[from + i] as number;
    } else {
      view.setInt32(at, i32[r + ((ofB ? R_B : R_A) >> 2)] as number);
      u32[(at + 4) >> 2] = u32[(at + 8) >> 2] = u32[(at + 12) >> 2] = 0;
    }
  };

  return (at, length, detailLength, id, callbacks, end, time, visit, statusBeforeLow, statusBeforeHigh, alertNow) => {
    const r = id * RECORD_WORDS;
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
    view.setUint16(at + E_INTERFACE, of.interfaceId, true);
    view.setUint16(at + E_SCORE, of.scoreOf(id), true);
    u32[word + (E_FLOW >> 2)] = id;
    doubles[double + (E_SEQ >> 3)] = of.sequenceOf(id);
    u32[word + (E_STATUS_BEFORE >> 2)] = statusBeforeLow;
    u32[word + (E_STATUS_BEFORE >> 2) + 1] = statusBeforeHigh;
    address(at + E_CLIENT, r, clientIsB);
    address(at + E_SERVER, r, !clientIsB);
    u32[word + (E_DETAIL_LENGTH >> 2)] = detailLength;
    out[at + E_ALERT] = (words[r + (R_FACTS >> 2)] as number) >>> FACT_ALERT_SHIFT;
    out[at + E_ALERT_NOW] = alertNow ? 1 : 0;
    out[at + E_CLIENT_DEVICE] = of.deviceType(id, 0);
    out[at + E_SERVER_DEVICE] = of.deviceType(id, 1);
    const { elephant_flow_local_to_remote_bytes: up, elephant_flow_remote_to_local_bytes: down } = of.preferences();
    doubles[double + (E_ELEPHANT_UP >> 3)] = up;
    doubles[double + (E_ELEPHANT_DOWN >> 3)] = down;
    view.setUint16(at + E_CLIENT_PORT, clientIsB ? ports & 0xffff : ports >>> 16, true);
    view.setUint16(at + E_SERVER_PORT, clientIsB ? ports >>> 16 : ports & 0xffff, true);
  };
}

/** Bytes of an event with a detail block of so many. */
const lengthWith = (detailLength: number): number => (E_DETAIL + detailLength + 7) & ~7;

export function createEventWriter(records: Records, details: DetailArena, of: EventContext, sink: EventSink): EventWriter {
  const { i32 } = records;
  const { bytes: detailBytes, u32: detailWords } = details;
  const out = sink.bytes;
  const u32 = new Uint32Array(out.buffer, out.byteOffset, out.byteLength >> 2);
  const target = new Int32Array(out.buffer, out.byteOffset, out.byteLength >> 2);
  const writeHeader = createHeaderWriter(records, of, out);

  return (id, callbacks, end, time, visit, statusBeforeLow, statusBeforeHigh, alertNow) => {
    const r = id * RECORD_WORDS;
    const handle = i32[r + (R_DETAIL >> 2)] as number;
    const detailLength = handle === 0 ? 0 : details.length(handle);
    const length = lengthWith(detailLength);
    const at = sink.reserve(length);
    if (at < 0) return false;
    // what is written nowhere below: the ring has older bytes there
    u32[(at + length - 8) >> 2] = u32[(at + length - 4) >> 2] = 0;
    writeHeader(at, length, detailLength, id, callbacks, end, time, visit, statusBeforeLow, statusBeforeHigh, alertNow);
    const record = (at + E_RECORD) >> 2;
    for (let i = 0; i < RECORD_WORDS; i++) target[record + i] = i32[r + i] as number;
    if (handle !== 0) {
      // blocks and events lie on word boundaries
      const from = details.offset(handle);
      const to = at + E_DETAIL;
      const wholeWords = detailLength >> 2;
      for (let i = 0; i < wholeWords; i++) u32[(to >> 2) + i] = detailWords[(from >> 2) + i] as number;
      for (let i = wholeWords << 2; i < detailLength; i++) out[to + i] = detailBytes[from + i] as number;
    }
    sink.commit(length);
    return true;
  };
}

/** Writes headers of live flows, as of now, to `header`. */
export function createLiveHeader(
  records: Records,
  details: DetailArena,
  of: EventContext & { readonly now: () => number; readonly visit: () => number },
  header: Uint8Array,
): (id: number) => void {
  const { i32, u32 } = records;
  const write = createHeaderWriter(records, of, header);
  return (id) => {
    const r = id * RECORD_WORDS;
    const handle = i32[r + (R_DETAIL >> 2)] as number;
    const detailLength = handle === 0 ? 0 : details.length(handle);
    const low = u32[r + (R_STATUS >> 2)] as number;
    const high = u32[r + (R_STATUS >> 2) + 1] as number;
    write(0, lengthWith(detailLength), detailLength, id, 0, 0, of.now(), of.visit(), low, high, false);
  };
}
