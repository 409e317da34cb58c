/**
 * Detection of the flows of one interface: which packets nDPI is shown, when it has spoken its last word, and what becomes of it.
 *
 *   table ──updated──► requests of the batch ──► native.dpiProcess ──► collect: detail block of the flow
 *
 * A TCP flow is shown from its first payload on; its handshake is then told in packets made from the record, so that flows which only
 * say hello take none of nDPI's memory. What detection does not tell is added here: JA4, and what the statuses ask of a DNS query.
 * Called by the flow engine.
 */
import { createJa4 } from '../dpi/ja4.ts';
import { createQuicJa4 } from '../dpi/quic-initial.ts';
import { COLLECT_FREE, COLLECT_GIVE_UP, DPI_COMPLETE, DPI_KNOWN, DPI_WORDS, type DpiHandle, native } from '../native.ts';
import {
  BATCH_PACKETS,
  F_NO_DPI,
  INTRODUCTION_BYTES,
  PV_IPV6,
  S_FLAGS,
  S_L3,
  S_L3_LENGTH,
  S_PAYLOAD,
  S_SEQ,
  SCRATCH_WORDS,
  type Scratch,
} from '../packet/batch.ts';
import { counterIndex } from './counters.ts';
import type { DetailArena } from './details.ts';
import { DNS_DATA, DNS_INVALID, examineQuery } from './dns-query.ts';
import {
  D_NEXT_SEQ,
  FACT_DETAILS_NEW,
  FACT_DNS_DATA,
  FACT_DNS_INVALID,
  I_EXTRA,
  R_A,
  R_ACK,
  R_B,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FACTS,
  R_FIRST,
  R_IAT,
  R_IAT_BYTES,
  R_PORTS,
  R_PV,
  R_STATE,
  R_SYN,
  R_SYN_ACK,
  R_V6,
  STATE_DETECTED,
  STATE_DISSECTED,
  STATE_PACKETS,
  STATE_SHOWN,
  STATE_TOUCHED,
} from './record.ts';
import type { Schedule } from './schedule.ts';
import { RECORD_DOUBLES, RECORD_WORDS, type Records } from './table.ts';
import type { Names } from './view.ts';

const TCP = 6;
const UDP = 17;
const SYN = 2;
const ACK = 16;
/** RFC 9000, 14.1: a client pads the datagrams of its Initial packets to so many bytes. */
const QUIC_INITIAL_BYTES = 1200;
const DNS_PORTS = new Set([53, 5353, 5355]);
/** SYN, SYN+ACK, ACK. */
const INTRODUCTIONS = 3;
/** An IPv6 and a TCP header, and room that nDPI may look beyond. */
const INTRODUCTION = INTRODUCTION_BYTES / (BATCH_PACKETS * INTRODUCTIONS);

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
  const ja4 = createJa4();
  const quic = createQuicJa4();
  const { i32, u32, f64, v6 } = records;
  const shown = counterIndex('dpi.packets');
  const givenUp = counterIndex('dpi.given-up');
  const detailsDropped = counterIndex('details.dropped');
  const hellosDropped = counterIndex('hellos.dropped');
  const ja4Detail = names.details.indexOf('tls.ja4');
  const quicVersionDetail = names.details.indexOf('quic.version');
  const categoryDetail = names.details.indexOf('dpi.category');

  const most = BATCH_PACKETS * (1 + INTRODUCTIONS);
  const requests = new Int32Array(most * DPI_WORDS);
  const requestTimes = new Float64Array(most);
  const requestIsLast = new Uint8Array(most);
  let requestCount = 0;
  let introductions = 0;
  const giveUps = new Int32Array(BATCH_PACKETS);
  let giveUpCount = 0;
  const collected = new Uint8Array(16 << 10);
  const quicVersions = new Map<number, number>();
  const fingerprints = new Map<number, string>(); // JA4 by flow, until its details are collected
  let scratch: Scratch | undefined;
  let chunk: Uint8Array = collected;
  /** For flows that are given up between batches. */
  const between = new Uint8Array(INTRODUCTION_BYTES);

  const packetLimit = (protocol: number): number => (protocol === TCP ? limits.tcp : protocol === UDP ? limits.udp : 1);

  const request = (id: number, offset: number, length: number, time: number, isLast: boolean): void => {
    const q = requestCount * DPI_WORDS;
    requests[q] = id;
    requests[q + 1] = offset;
    requests[q + 2] = length;
    requestTimes[requestCount] = time;
    requestIsLast[requestCount] = isLast ? 1 : 0;
    requestCount++;
  };

  /** A TCP packet without payload in `bytes` at `at`, with the flow's addresses and ports. @returns its length */
  function introduce(bytes: Uint8Array, at: number, id: number, fromServer: boolean, flags: number, seq: number, ack: number): number {
    const r = id * RECORD_WORDS;
    const fromB = (i32[r + (R_STATE >> 2)] as number) < 0 !== fromServer;
    const put32 = (to: number, value: number): void => {
      bytes[to] = value >>> 24;
      bytes[to + 1] = value >>> 16;
      bytes[to + 2] = value >>> 8;
      bytes[to + 3] = value;
    };
    bytes.fill(0, at, at + INTRODUCTION);
    let tcp = at + 20;
    if ((i32[r + (R_PV >> 2)] as number) >= PV_IPV6) {
      tcp = at + 40;
      bytes[at] = 0x60;
      bytes[at + 5] = 20;
      bytes[at + 6] = TCP;
      bytes[at + 7] = 64;
      const addresses = (i32[r + (R_V6 >> 2)] as number) * 32;
      for (let i = 0; i < 16; i++) {
        bytes[at + 8 + i] = v6[addresses + (fromB ? 16 : 0) + i] as number;
        bytes[at + 24 + i] = v6[addresses + (fromB ? 0 : 16) + i] as number;
      }
    } else {
      bytes[at] = 0x45;
      bytes[at + 3] = 40;
      bytes[at + 8] = 64;
      bytes[at + 9] = TCP;
      put32(at + 12, i32[r + ((fromB ? R_B : R_A) >> 2)] as number);
      put32(at + 16, i32[r + ((fromB ? R_A : R_B) >> 2)] as number);
    }
    const ports = i32[r + (R_PORTS >> 2)] as number;
    put32(tcp, fromB ? (ports << 16) | (ports >>> 16) : ports);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    bytes[tcp + 12] = 0x50;
    bytes[tcp + 13] = flags;
    bytes[tcp + 14] = 0xff;
    return tcp + 20 - at;
  }

  /** The handshake that the record knows of, in packets behind the chunk. @param next the sequence numbers that follow it, by direction */
  function tellHandshake(id: number, next0: number, next1: number): void {
    const r = id * RECORD_WORDS;
    const first = f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number;
    const tell = (at: number, fromServer: boolean, flags: number, seq: number, ack: number): void => {
      const since = u32[r + (at >> 2)] as number;
      if (since === 0) return;
      const offset = chunk.length - INTRODUCTION_BYTES + introductions++ * INTRODUCTION;
      request(id, offset, introduce(chunk, offset, id, fromServer, flags, seq, ack), first + since - 1, false);
    };
    if (u32[r + (R_SYN >> 2)] === 0) return;
    tell(R_SYN, false, SYN, next0 - 1, 0);
    tell(R_SYN_ACK, true, SYN | ACK, next1 - 1, next0);
    tell(R_ACK, false, ACK, next0, next1);
  }

  /** Offset of the payload of a TCP or UDP packet; the headers were checked by the decoder. */
  const payloadOf = (w: number, protocol: number): number => {
    const words = (scratch as Scratch).words;
    const l3 = words[w + S_L3] as number;
    const isV4 = (chunk[l3] as number) >> 4 === 4;
    const l4 = l3 + (isV4 ? ((chunk[l3] as number) & 15) * 4 : 40);
    if (!isV4 && chunk[l3 + 6] !== protocol) {
      // behind extension headers: the payload ends where the packet ends
      const end = l3 + 40 + (((chunk[l3 + 4] as number) << 8) | (chunk[l3 + 5] as number));
      return Math.max(l3 + 40, end - (words[w + S_PAYLOAD] as number));
    }
    return l4 + (protocol === TCP ? ((chunk[l4 + 12] as number) >> 4) * 4 : 8);
  };

  const remember = (id: number, fingerprint: string | undefined): void => {
    if (fingerprint !== undefined && !fingerprints.has(id)) fingerprints.set(id, fingerprint);
  };

  /** What nDPI does not tell: JA4 of the client hello, the whole name of a DNS query. */
  function examine(id: number, w: number, protocol: number): void {
    const words = (scratch as Scratch).words;
    const r = id * RECORD_WORDS;
    if ((words[w + S_PAYLOAD] as number) === 0) return;
    const at = payloadOf(w, protocol);
    const payload = Math.min(words[w + S_PAYLOAD] as number, (words[w + S_L3] as number) + (words[w + S_L3_LENGTH] as number) - at);
    if (payload <= 0) return;
    const fromServer = ((words[w + S_FLAGS] as number) ^ (i32[r + (R_STATE >> 2)] as number)) < 0;
    if (protocol === TCP) {
      if (!fromServer) remember(id, ja4.feed(id, chunk, at, payload, words[w + S_SEQ] as number));
      return;
    }
    const ports = i32[r + (R_PORTS >> 2)] as number;
    if (!DNS_PORTS.has(ports & 0xffff) && !DNS_PORTS.has(ports >>> 16)) {
      const isInitial = payload >= QUIC_INITIAL_BYTES && ((chunk[at] as number) & 0xc0) === 0xc0;
      if (!isInitial || fromServer || fingerprints.has(id)) return;
      const hello = quic.feed(id, chunk, at, payload);
      if (hello === undefined) return;
      remember(id, hello.ja4);
      quicVersions.set(id, hello.version);
      return;
    }
    const found = examineQuery(chunk, at, at + payload);
    if (found === 0) return;
    const facts = ((found & DNS_INVALID) !== 0 ? FACT_DNS_INVALID : 0) | ((found & DNS_DATA) !== 0 ? FACT_DNS_DATA : 0);
    u32[r + (R_FACTS >> 2)] = (u32[r + (R_FACTS >> 2)] as number) | facts | FACT_DETAILS_NEW;
  }

  const append = (length: number, detail: number, data: Uint8Array): number => {
    if (length + 4 + data.length > collected.length) return length;
    collected[length] = detail;
    collected[length + 1] = detail >> 8;
    collected[length + 2] = data.length;
    collected[length + 3] = data.length >> 8;
    collected.set(data, length + 4);
    return length + 4 + data.length;
  };

  function collect(id: number, flags: number): void {
    const r = id * RECORD_WORDS;
    let length = native.dpiCollect(dpi as DpiHandle, id, flags, collected);
    const old = i32[r + (R_DETAIL >> 2)] as number;
    if (old !== 0) length = details.copyEntries(old, ja4Detail, categoryDetail, collected, length);
    const fingerprint = fingerprints.get(id);
    if (fingerprint !== undefined) {
      fingerprints.delete(id);
      length = append(length, ja4Detail, Buffer.from(fingerprint, 'latin1'));
    }
    const version = quicVersions.get(id);
    if (version !== undefined) {
      quicVersions.delete(id);
      length = append(length, quicVersionDetail, new Uint8Array(Float64Array.of(version).buffer));
    }
    if (old !== 0) details.free(old);
    const handle = details.put(collected, length);
    if (handle === 0) counters[detailsDropped] = (counters[detailsDropped] as number) + 1;
    i32[r + (R_DETAIL >> 2)] = handle;
    let state = (i32[r + (R_STATE >> 2)] as number) | STATE_TOUCHED;
    if ((flags & COLLECT_FREE) !== 0) {
      state |= STATE_DETECTED | STATE_DISSECTED;
      ja4.end(id);
      quic.end(id);
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
    request(id, 0, length, f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number, false);
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
      if (protocol === TCP || protocol === UDP) examine(id, w, protocol);
      request(id, words[w + S_L3] as number, words[w + S_L3_LENGTH] as number, times[index] as number, count === limit);
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
      const lost = ja4.dropped.gaps + ja4.dropped.tooLong + ja4.dropped.evicted;
      counters[hellosDropped] = lost + quic.dropped.undecipherable + quic.dropped.unusable + quic.dropped.evicted;
    },
    peek: (id) => collect(id, 0),
    giveUp,
  };
}
