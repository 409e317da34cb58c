/**
 * Detection of the flows of one interface: which packets nDPI is shown, when it has spoken its last word, and what becomes of it.
 *
 *   table ──updated──► requests of the batch ──► native.dpiProcess ──► collect: detail block of the flow
 *
 * A TCP flow is shown from its first payload on; its handshake is then told in packets made from the record, so that flows which only
 * say hello take none of nDPI's memory. What detection does not tell is added here: JA4, and what the statuses ask of a DNS query.
 * Called by the flow engine.
 */
import { COLLECT_FREE, COLLECT_GIVE_UP, DPI_COMPLETE, DPI_KNOWN, DPI_WORDS, type DpiHandle, native } from '../native.ts';
import type { Scratch } from '../packet/batch.ts';
import * as batch from '../packet/batch.ts';
import { counterIndex } from './counters.ts';
import type { DetailArena } from './details.ts';
import { createInspection } from './inspection.ts';
import { createIntroduction, INTRODUCTION, INTRODUCTIONS } from './introduction.ts';
import * as record from './record.ts';
import type { Schedule } from './schedule.ts';
import type { Records } from './table.ts';
import * as tables from './table.ts';
import type { Names } from './view.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { BATCH_PACKETS, F_NO_DPI, INTRODUCTION_BYTES, S_FLAGS, S_L3, S_L3_LENGTH, S_PAYLOAD, S_SEQ, SCRATCH_WORDS } = batch;
const {
  D_NEXT_SEQ,
  FACT_DETAILS_NEW,
  I_EXTRA,
  R_ACK,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FACTS,
  R_FIRST,
  R_IAT,
  R_IAT_BYTES,
  R_PV,
  R_STATE,
  R_SYN,
  R_SYN_ACK,
  STATE_DETECTED,
  STATE_DISSECTED,
  STATE_PACKETS,
  STATE_SHOWN,
  STATE_TOUCHED,
} = record;
const { RECORD_DOUBLES, RECORD_WORDS } = tables;

const TCP = 6;
const UDP = 17;
const SYN = 2;
const ACK = 16;
/** A request that is no packet of the batch. */
const TOLD = -1;

export interface DetectionOptions {
  /** undefined: detection is off. */
  readonly dpi: DpiHandle | undefined;
  /** Most packets of a flow that are counted for detection. */
  readonly packets: { readonly tcp: number; readonly udp: number };
  readonly records: Records;
  readonly details: DetailArena;
  readonly schedule: Schedule;
  readonly counters: Float64Array;
  readonly names: Names;
  /** The flow has a new detail block. */
  readonly collected: (id: number) => void;
}

export interface Detection {
  /** The batch whose packets follow. */
  begin(scratch: Scratch, chunk: Uint8Array): void;
  /** A packet of a flow whose detection is not over; its number in the batch. */
  updated(id: number, index: number): void;
  /** Shows the packets gathered so far to nDPI, in order, and takes its answers. */
  flush(): void;
  /** Takes over what detection knows of a flow by now. */
  peek(id: number): void;
  /** The last word, guessed where nothing was found. */
  giveUp(id: number): void;
}

export function createDetection(options: DetectionOptions): Detection {
  const { dpi, packets: limits, records, details, schedule, counters, names } = options;
  const { i32, u32, f64 } = records;
  const introduce = createIntroduction(records);
  const inspection = createInspection(records, names);
  const shown = counterIndex('dpi.packets');
  const givenUp = counterIndex('dpi.given-up');
  const detailsDropped = counterIndex('details.dropped');
  const hellosDropped = counterIndex('hellos.dropped');
  // what others have added to a block outlives a new one of nDPI's, except the category that it replaces
  const othersFrom = names.details.indexOf('icmp.unreach');
  const othersTo = names.details.indexOf('dpi.category');

  const most = BATCH_PACKETS * (1 + INTRODUCTIONS);
  const requests = new Int32Array(most * DPI_WORDS);
  const requestTimes = new Float64Array(most);
  const requestIsLast = new Uint8Array(most);
  const requestPacket = new Int32Array(most); // its number in the batch, or TOLD
  let requestCount = 0;
  let introductions = 0;
  const giveUps = new Int32Array(BATCH_PACKETS);
  let giveUpCount = 0;
  const collected = new Uint8Array(16 << 10);
  let scratch: Scratch | undefined;
  let chunk: Uint8Array = collected;
  /** For flows that are given up between batches. */
  const between = new Uint8Array(INTRODUCTION_BYTES);

  const packetLimit = (protocol: number): number => (protocol === TCP ? limits.tcp : protocol === UDP ? limits.udp : 1);

  const request = (id: number, packet: number, offset: number, length: number, time: number, isLast: boolean): void => {
    const q = requestCount * DPI_WORDS;
    requests[q] = id;
    requests[q + 1] = offset;
    requests[q + 2] = length;
    requestTimes[requestCount] = time;
    requestIsLast[requestCount] = isLast ? 1 : 0;
    requestPacket[requestCount] = packet;
    requestCount++;
  };

  /** The handshake that the record knows of, in packets behind the chunk. @param next the sequence numbers that follow it, by direction */
  function tellHandshake(id: number, next0: number, next1: number): void {
    const r = id * RECORD_WORDS;
    const first = f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number;
    const tell = (at: number, fromServer: boolean, flags: number, seq: number, ack: number): void => {
      const since = u32[r + (at >> 2)] as number;
      if (since === 0) return;
      const offset = chunk.length - INTRODUCTION_BYTES + introductions++ * INTRODUCTION;
      request(id, TOLD, offset, introduce(chunk, offset, id, fromServer, flags, seq, ack), first + since - 1, false);
    };
    if (u32[r + (R_SYN >> 2)] === 0) return;
    tell(R_SYN, false, SYN, next0 - 1, 0);
    tell(R_SYN_ACK, true, SYN | ACK, next1 - 1, next0);
    tell(R_ACK, false, ACK, next0, next1);
  }

  function collect(id: number, flags: number): void {
    const r = id * RECORD_WORDS;
    let length = native.dpiCollect(dpi as DpiHandle, id, flags, collected);
    const old = i32[r + (R_DETAIL >> 2)] as number;
    if (old !== 0) {
      length = details.copyEntries(old, othersFrom, othersTo, collected, length);
      length = details.copyEntries(old, othersTo + 1, names.details.length, collected, length);
    }
    length = inspection.append(id, collected, length);
    if (old !== 0) details.free(old);
    const handle = details.put(collected, length);
    if (handle === 0) counters[detailsDropped] = (counters[detailsDropped] as number) + 1;
    i32[r + (R_DETAIL >> 2)] = handle;
    let state = (i32[r + (R_STATE >> 2)] as number) | STATE_TOUCHED;
    if ((flags & COLLECT_FREE) !== 0) {
      state |= STATE_DETECTED | STATE_DISSECTED;
      inspection.end(id);
    }
    i32[r + (R_STATE >> 2)] = state;
    u32[r + (R_FACTS >> 2)] = (u32[r + (R_FACTS >> 2)] as number) | FACT_DETAILS_NEW;
    schedule.touch(id);
    if (handle !== 0) options.collected(id);
  }

  /** A TCP flow without payload: nDPI is shown its first packet, so that it can guess. */
  function showFirst(id: number): void {
    const r = id * RECORD_WORDS;
    const length = introduce(between, 0, id, false, u32[r + (R_SYN >> 2)] === 0 ? ACK : SYN, 1, 0);
    request(id, TOLD, 0, length, f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number, false);
    native.dpiProcess(dpi as DpiHandle, between, requests, requestTimes, requestCount);
    requestCount = 0;
    counters[shown] = (counters[shown] as number) + 1;
  }

  function giveUp(id: number): void {
    const state = i32[id * RECORD_WORDS + (R_STATE >> 2)] as number;
    const isTcp = ((i32[id * RECORD_WORDS + (R_PV >> 2)] as number) & 0xff) === TCP;
    if ((state & STATE_SHOWN) === 0 && isTcp) showFirst(id);
    if ((state & STATE_DETECTED) === 0) counters[givenUp] = (counters[givenUp] as number) + 1;
    collect(id, COLLECT_GIVE_UP | COLLECT_FREE);
  }

  return {
    begin(packets, bytes) {
      scratch = packets;
      chunk = bytes;
    },
    updated(id, index) {
      const r = id * RECORD_WORDS;
      const state = i32[r + (R_STATE >> 2)] as number;
      const { words, times } = scratch as Scratch;
      const w = index * SCRATCH_WORDS;
      const protocol = (i32[r + (R_PV >> 2)] as number) & 0xff;
      const count = state & STATE_PACKETS;
      const limit = packetLimit(protocol);
      if (count > limit) return;
      const hello = protocol === TCP && words[w + S_PAYLOAD] === 0 && (state & STATE_SHOWN) === 0;
      if (hello || ((words[w + S_FLAGS] as number) & F_NO_DPI) !== 0) {
        if (count === limit) giveUps[giveUpCount++] = id;
        return;
      }
      if ((state & STATE_SHOWN) === 0) {
        i32[r + (R_STATE >> 2)] = state | STATE_SHOWN;
        if (protocol === TCP) {
          const fromServer = ((words[w + S_FLAGS] as number) ^ state) < 0;
          const other = i32[r + ((R_DIR + (fromServer ? 0 : R_DIR_BYTES) + D_NEXT_SEQ) >> 2)] as number;
          const own = words[w + S_SEQ] as number;
          tellHandshake(id, fromServer ? other : own, fromServer ? own : other);
        }
      }
      request(id, index, words[w + S_L3] as number, words[w + S_L3_LENGTH] as number, times[index] as number, count === limit);
    },
    flush() {
      if (requestCount > 0) {
        const count = requestCount;
        native.dpiProcess(dpi as DpiHandle, chunk, requests, requestTimes, count);
        counters[shown] = (counters[shown] as number) + count;
        requestCount = 0;
        introductions = 0;
        for (let i = 0; i < count; i++) {
          const id = requests[i * DPI_WORDS] as number;
          const r = id * RECORD_WORDS;
          const state = i32[r + (R_STATE >> 2)] as number;
          if ((state & STATE_DISSECTED) !== 0) continue;
          const packet = requestPacket[i] as number;
          if (packet !== TOLD) inspection.inspect(id, scratch as Scratch, chunk, packet);
          const answer = requests[i * DPI_WORDS + 3] as number;
          if (answer === DPI_COMPLETE) collect(id, COLLECT_FREE);
          else {
            if (answer === DPI_KNOWN && (state & STATE_DETECTED) === 0) {
              i32[r + (R_STATE >> 2)] = state | STATE_DETECTED | STATE_TOUCHED;
              schedule.touch(id);
              const age = (requestTimes[i] as number) - (f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number);
              u32[r + ((R_IAT + R_IAT_BYTES + I_EXTRA) >> 2)] = Math.min(age, 0xffffffff);
            }
            if (requestIsLast[i] === 1) giveUp(id);
          }
        }
      }
      for (let i = 0; i < giveUpCount; i++) {
        const id = giveUps[i] as number;
        if (((i32[id * RECORD_WORDS + (R_STATE >> 2)] as number) & STATE_DISSECTED) === 0) giveUp(id);
      }
      giveUpCount = 0;
      counters[hellosDropped] = inspection.lost();
    },
    peek: (id) => collect(id, 0),
    giveUp(id) {
      giveUp(id);
      counters[hellosDropped] = inspection.lost();
    },
  };
}
