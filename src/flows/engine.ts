/**
 * The flow engine of one interface: packets in, lifecycle events out.
 *
 *   decoded packets ──► table ──► detection            process()
 *   clock ──► visit of every flow ──► lifecycle events  visits, inline (files) or in slices (live)
 *
 * A visit, for each flow in the order of the records: give-up of detection when it is due, counters and throughput,
 * statuses, then the callbacks that are due in the order protocolDetected, statusChanged, idle or periodicUpdate, all in one
 * event (lifecycle 5, with the order of design section 3). Times are µs of the interface's clock; nothing here reads another.
 */

import type { Blacklist } from '../hosts/blacklist.ts';
import { isUnicast4, isUnicast6, type PrefixSet } from '../hosts/prefixes.ts';
import { COLLECT_FREE, COLLECT_GIVE_UP, DPI_COMPLETE, DPI_KNOWN, DPI_WORDS, type DpiHandle, native } from '../native.ts';
import { BATCH_PACKETS, F_NO_DPI, PV_IPV6, S_FLAGS, S_L3, S_L3_LENGTH, SCRATCH_WORDS, type Scratch } from '../packet/batch.ts';
import { createConditions, type Thresholds } from './conditions.ts';
import { counterIndex } from './counters.ts';
import { createDetailArena } from './details.ts';
import { CALLBACK_BIT, CALLBACKS, END_REASONS, type EndReason } from './event.ts';
import { createEventWriter, type EventSink } from './event-writer.ts';
import {
  D_BYTES,
  D_GOODPUT,
  D_PACKETS,
  DETAIL_APP,
  DETAIL_MASTER,
  I_EXTRA,
  R_A,
  R_B,
  R_BPS0,
  R_BPS1,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FIRST,
  R_IAT,
  R_IAT_BYTES,
  R_LAST,
  R_NET0,
  R_NET1,
  R_PERIODIC,
  R_PPS0,
  R_PPS1,
  R_PREV_BYTES0,
  R_PREV_BYTES1,
  R_PREV_GOODPUT,
  R_PREV_PACKETS0,
  R_PREV_PACKETS1,
  R_PV,
  R_STATE,
  R_STATUS,
  R_TOP_BPS,
  R_TOP_PPS,
  R_TREND_BPS,
  R_TREND_PPS,
  R_V6,
  RECORD_BYTES,
  STATE_CLIENT_BLACKLISTED,
  STATE_CLIENT_UNICAST,
  STATE_CLOSING,
  STATE_DETECTED,
  STATE_DISSECTED,
  STATE_IDLE,
  STATE_NAME_BLACKLISTED,
  STATE_PACKETS,
  STATE_RATE,
  STATE_REPORTED,
  STATE_SERVER_BLACKLISTED,
  STATE_SERVER_UNICAST,
  STATE_TOUCHED,
  STATE_TWH_OK,
  STATE_VISITED,
  TREND_DOWN,
  TREND_STABLE,
  TREND_UP,
} from './record.ts';
import { createFlowTable, RECORD_DOUBLES, RECORD_WORDS, type Records } from './table.ts';

/** lifecycle 3: silence after which an unfinished detection is given up. */
const GIVE_UP_US = 5_000_000;
/** lifecycle 6.1, rule 2: silence and age after which a closing or half-open TCP flow ends. */
const TCP_EARLY_US = 15_000_000;
/** lifecycle 5.1: periodicUpdate comes every so many times the maximum idleness. */
const PERIODIC_FACTOR = 5;
/** lifecycle 12.3: no throughput over a shorter time. */
const SHORTEST_RATE_US = 1_000_000;
/** When the table is full: so many flows are looked at, and so many of them, the longest silent, end. */
const EVICT_SAMPLE = 512;
const EVICT_COUNT = 32;
const TCP = 6;
const UDP = 17;

export interface EngineOptions {
  readonly interfaceId: number;
  readonly maxFlows: number;
  readonly visitPeriodUs: number;
  readonly maxIdleUs: number;
  readonly dpiPackets: { readonly tcp: number; readonly udp: number };
  /** How long `protocolDetected` waits for details after the protocol is known. */
  readonly detailWaitUs: number;
  readonly thresholds: Thresholds;
  readonly dpi: DpiHandle | undefined;
  /** Names of the details, by id (`native.dpiDetailNames()`). */
  readonly detailNames: readonly string[];
  readonly localNetworks: PrefixSet;
  readonly blacklist: Blacklist;
  /** One double per declared counter (counters.ts). */
  readonly counters: Float64Array;
  /** Where events go; without one they are not made. */
  readonly sink: EventSink | undefined;
  /** True: visits fall due inside `process`, on packet time, and are never spread. False: the caller drives them by `advance`. */
  readonly visitsInline: boolean;
}

/** Flows that have ended, of one pair of nDPI protocols. */
export interface ProtocolCount {
  readonly master: number;
  readonly app: number;
  flows: number;
  packets: number;
  bytes: number;
}

export interface FlowEngine {
  /** Updates flows by decoded packets whose headers lie in `chunk`. */
  process(scratch: Scratch, chunk: Uint8Array): void;
  /** Moves the clock (never back) and works on a due visit for at most `flows` flows. @returns true while a visit is under way */
  advance(clock: number, flows: number): boolean;
  /** Ends every flow, each with its last visit. */
  finish(reason: EndReason): void;
  /** µs since 1970; 0 before the first packet. */
  clock(): number;
  /** Time of the first packet, µs since 1970; 0 before it. */
  began(): number;
  /** Flows that have ended, by protocol. */
  protocols(): ProtocolCount[];
}

export function createFlowEngine(options: EngineOptions): FlowEngine {
  const { visitPeriodUs, maxIdleUs, detailWaitUs, dpi, counters, blacklist, localNetworks } = options;
  const blacklisted = blacklist.addresses;
  const COUNT = {
    created: counterIndex('flows.created'),
    active: counterIndex('flows.active'),
    peak: counterIndex('flows.peak'),
    ended: counterIndex('flows.ended'),
    evicted: counterIndex('flows.evicted'),
    visits: counterIndex('visits'),
    visitsCpu: counterIndex('visits.cpu'),
    visitsLongest: counterIndex('visits.longest'),
    visitsLate: counterIndex('visits.late'),
    events: counterIndex('events'),
    eventsLost: counterIndex('events.lost'),
    callbacks: CALLBACKS.map((name) => counterIndex(`callbacks.${name}`)),
    dpiPackets: counterIndex('dpi.packets'),
    givenUp: counterIndex('dpi.given-up'),
    detailsDropped: counterIndex('details.dropped'),
  };
  const bump = (index: number): void => {
    counters[index] = (counters[index] as number) + 1;
  };

  const details = createDetailArena(Math.max(64 << 20, options.maxFlows * 256));
  const table = createFlowTable(options.maxFlows, { created, makeRoom, updated });
  const records: Records = table.records;
  const { u8, i32, u32, f32, f64, v6 } = records;
  const conditions = createConditions(records, details, options.detailNames.indexOf('tls.version'), options.thresholds);
  const writeEvent = options.sink && createEventWriter(records, details, options.interfaceId, options.sink);
  const protocols = new Map<number, ProtocolCount>();
  const hostNameId = options.detailNames.indexOf('host_server_name');

  // requests to detection of the batch under way
  const requests = new Int32Array(BATCH_PACKETS * DPI_WORDS);
  const requestTimes = new Float64Array(BATCH_PACKETS);
  const requestIsLast = new Uint8Array(BATCH_PACKETS);
  let requestCount = 0;
  const giveUps = new Int32Array(BATCH_PACKETS);
  let giveUpCount = 0;
  const collected = new Uint8Array(16 << 10);
  let packets: Scratch | undefined;
  let chunk: Uint8Array = collected;

  let clock = 0;
  let began = 0;
  let nextVisit = 0;
  let visitNumber = 0;
  let previousVisit = 0;
  let visitTime = 0;
  let visitCursor = 0; // record that the visit under way comes to next, 0 = none is under way
  let visitCpu = 0;
  let sampleCursor = 1;

  function created(id: number): void {
    bump(COUNT.created);
    const r = id * RECORD_WORDS;
    let state = i32[r + (R_STATE >> 2)] as number;
    let client = 0; // the word of the client's address, or its offset among the IPv6 addresses
    let server = 0;
    if ((i32[r + (R_PV >> 2)] as number) >= PV_IPV6) {
      const base = (i32[r + (R_V6 >> 2)] as number) * 32;
      client = state < 0 ? base + 16 : base;
      server = state < 0 ? base : base + 16;
      u8[id * RECORD_BYTES + R_NET0] = localNetworks.match6(v6, client) + 1;
      u8[id * RECORD_BYTES + R_NET1] = localNetworks.match6(v6, server) + 1;
      if (isUnicast6(v6, client)) state |= STATE_CLIENT_UNICAST;
      if (isUnicast6(v6, server)) state |= STATE_SERVER_UNICAST;
      if (blacklisted.match6(v6, client) >= 0) state |= STATE_CLIENT_BLACKLISTED;
      if (blacklisted.match6(v6, server) >= 0) state |= STATE_SERVER_BLACKLISTED;
    } else {
      client = i32[r + ((state < 0 ? R_B : R_A) >> 2)] as number;
      server = i32[r + ((state < 0 ? R_A : R_B) >> 2)] as number;
      u8[id * RECORD_BYTES + R_NET0] = localNetworks.match4(client) + 1;
      u8[id * RECORD_BYTES + R_NET1] = localNetworks.match4(server) + 1;
      if (isUnicast4(client)) state |= STATE_CLIENT_UNICAST;
      if (isUnicast4(server)) state |= STATE_SERVER_UNICAST;
      if (blacklisted.match4(client) >= 0) state |= STATE_CLIENT_BLACKLISTED;
      if (blacklisted.match4(server) >= 0) state |= STATE_SERVER_BLACKLISTED;
    }
    if (dpi === undefined) state |= STATE_DETECTED | STATE_DISSECTED;
    i32[r + (R_STATE >> 2)] = state;
  }

  /** Packets of a flow that detection may see at most. */
  const packetLimit = (pv: number): number => {
    const protocol = pv & 0xff;
    return protocol === TCP ? options.dpiPackets.tcp : protocol === UDP ? options.dpiPackets.udp : 1;
  };

  function updated(id: number, index: number): void {
    const r = id * RECORD_WORDS;
    const state = i32[r + (R_STATE >> 2)] as number;
    const words = (packets as Scratch).words;
    const w = index * SCRATCH_WORDS;
    const count = state & STATE_PACKETS;
    const limit = packetLimit(i32[r + (R_PV >> 2)] as number);
    if (count > limit) return;
    if (((words[w + S_FLAGS] as number) & F_NO_DPI) !== 0) {
      if (count === limit) giveUps[giveUpCount++] = id;
      return;
    }
    const q = requestCount * DPI_WORDS;
    requests[q] = id;
    requests[q + 1] = words[w + S_L3] as number;
    requests[q + 2] = words[w + S_L3_LENGTH] as number;
    requestTimes[requestCount] = (packets as Scratch).times[index] as number;
    requestIsLast[requestCount] = count === limit ? 1 : 0;
    requestCount++;
  }

  /** Takes over what detection knows of a flow; with COLLECT_FREE it is the last word. */
  function collect(id: number, flags: number): void {
    const r = id * RECORD_WORDS;
    const length = native.dpiCollect(dpi as DpiHandle, id, flags, collected);
    const old = i32[r + (R_DETAIL >> 2)] as number;
    if (old !== 0) details.free(old);
    const handle = details.put(collected, length);
    if (handle === 0) bump(COUNT.detailsDropped);
    i32[r + (R_DETAIL >> 2)] = handle;
    let state = (i32[r + (R_STATE >> 2)] as number) | STATE_TOUCHED;
    if ((flags & COLLECT_FREE) !== 0) state |= STATE_DETECTED | STATE_DISSECTED;
    if (blacklist.names > 0 && handle !== 0 && blacklist.matchesName(details.text(handle, hostNameId))) state |= STATE_NAME_BLACKLISTED;
    i32[r + (R_STATE >> 2)] = state;
  }

  function giveUp(id: number): void {
    if (((i32[id * RECORD_WORDS + (R_STATE >> 2)] as number) & STATE_DETECTED) === 0) bump(COUNT.givenUp);
    collect(id, COLLECT_GIVE_UP | COLLECT_FREE);
  }

  /** Hands the batch's packets to detection, in order, and takes the answers. */
  function detect(): void {
    if (requestCount > 0) {
      native.dpiProcess(dpi as DpiHandle, chunk, requests, requestTimes, requestCount);
      counters[COUNT.dpiPackets] = (counters[COUNT.dpiPackets] as number) + requestCount;
      for (let i = 0; i < requestCount; i++) {
        const id = requests[i * DPI_WORDS] as number;
        const r = id * RECORD_WORDS;
        const state = i32[r + (R_STATE >> 2)] as number;
        if ((state & STATE_DISSECTED) !== 0) continue;
        const answer = requests[i * DPI_WORDS + 3] as number;
        if (answer === DPI_COMPLETE) collect(id, COLLECT_FREE);
        else {
          if (answer === DPI_KNOWN && (state & STATE_DETECTED) === 0) {
            i32[r + (R_STATE >> 2)] = state | STATE_DETECTED | STATE_TOUCHED;
            const age = (requestTimes[i] as number) - (f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number);
            u32[r + ((R_IAT + R_IAT_BYTES + I_EXTRA) >> 2)] = Math.min(age, 0xffffffff);
          }
          if (requestIsLast[i] === 1) giveUp(id);
        }
      }
      requestCount = 0;
    }
    for (let i = 0; i < giveUpCount; i++) {
      const id = giveUps[i] as number;
      if (((i32[id * RECORD_WORDS + (R_STATE >> 2)] as number) & STATE_DISSECTED) === 0) giveUp(id);
    }
    giveUpCount = 0;
  }

  /** lifecycle 6.1: the flow's idle rule at time `tv`. */
  const isIdle = (state: number, pv: number, first: number, last: number, tv: number): boolean => {
    const silent = tv - last;
    if ((pv & 0xff) === TCP && ((state & STATE_CLOSING) !== 0 || (state & STATE_TWH_OK) === 0)) {
      return silent > TCP_EARLY_US && tv - first > TCP_EARLY_US;
    }
    return silent > maxIdleUs;
  };

  /** lifecycle 12.3: plain average since the previous visit. */
  function throughput(id: number, dt: number): void {
    const r = id * RECORD_WORDS;
    const d = id * RECORD_DOUBLES;
    const scale = 1e6 / dt;
    const bps0 = ((f64[d + ((R_DIR + D_BYTES) >> 3)] as number) - (f64[d + (R_PREV_BYTES0 >> 3)] as number)) * scale;
    const bps1 = ((f64[d + ((R_DIR + R_DIR_BYTES + D_BYTES) >> 3)] as number) - (f64[d + (R_PREV_BYTES1 >> 3)] as number)) * scale;
    const pps0 = ((u32[r + ((R_DIR + D_PACKETS) >> 2)] as number) - (u32[r + (R_PREV_PACKETS0 >> 2)] as number)) * scale;
    const pps1 = ((u32[r + ((R_DIR + R_DIR_BYTES + D_PACKETS) >> 2)] as number) - (u32[r + (R_PREV_PACKETS1 >> 2)] as number)) * scale;
    const bps = Math.fround(bps0 + bps1);
    const pps = Math.fround(pps0 + pps1);
    const oldBps = Math.fround((f32[r + (R_BPS0 >> 2)] as number) + (f32[r + (R_BPS1 >> 2)] as number));
    const oldPps = Math.fround((f32[r + (R_PPS0 >> 2)] as number) + (f32[r + (R_PPS1 >> 2)] as number));
    u8[id * RECORD_BYTES + R_TREND_BPS] = bps > oldBps ? TREND_UP : bps < oldBps ? TREND_DOWN : TREND_STABLE;
    u8[id * RECORD_BYTES + R_TREND_PPS] = pps > oldPps ? TREND_UP : pps < oldPps ? TREND_DOWN : TREND_STABLE;
    f32[r + (R_BPS0 >> 2)] = bps0;
    f32[r + (R_BPS1 >> 2)] = bps1;
    f32[r + (R_PPS0 >> 2)] = pps0;
    f32[r + (R_PPS1 >> 2)] = pps1;
    const state = i32[r + (R_STATE >> 2)] as number;
    i32[r + (R_STATE >> 2)] = bps === 0 && oldBps === 0 ? state & ~STATE_RATE : state | STATE_RATE;
    if (bps > (f32[r + (R_TOP_BPS >> 2)] as number)) f32[r + (R_TOP_BPS >> 2)] = bps;
    if (pps > (f32[r + (R_TOP_PPS >> 2)] as number)) f32[r + (R_TOP_PPS >> 2)] = pps;
  }

  /** The visit's counters become those that the next visit counts from. */
  function keepCounters(id: number): void {
    const r = id * RECORD_WORDS;
    const d = id * RECORD_DOUBLES;
    const other = (R_DIR + R_DIR_BYTES) >> 3;
    f64[d + (R_PREV_BYTES0 >> 3)] = f64[d + ((R_DIR + D_BYTES) >> 3)] as number;
    f64[d + (R_PREV_BYTES1 >> 3)] = f64[d + other + (D_BYTES >> 3)] as number;
    u32[r + (R_PREV_PACKETS0 >> 2)] = u32[r + ((R_DIR + D_PACKETS) >> 2)] as number;
    u32[r + (R_PREV_PACKETS1 >> 2)] = u32[r + ((R_DIR + R_DIR_BYTES + D_PACKETS) >> 2)] as number;
    f64[d + (R_PREV_GOODPUT >> 3)] = (f64[d + ((R_DIR + D_GOODPUT) >> 3)] as number) + (f64[d + other + (D_GOODPUT >> 3)] as number);
  }

  /** Is periodicUpdate due? First on the flow's own duration, then on the visits' clock (lifecycle 5.1). */
  const periodicDue = (id: number, tv: number): boolean => {
    const d = id * RECORD_DOUBLES;
    if ((f64[d + (R_LAST >> 3)] as number) - (f64[d + (R_FIRST >> 3)] as number) < PERIODIC_FACTOR * maxIdleUs) return false;
    const lastCall = u32[id * RECORD_WORDS + (R_PERIODIC >> 2)] as number;
    return lastCall === 0 || tv >= lastCall * 1e6 + PERIODIC_FACTOR * maxIdleUs;
  };

  /** May protocolDetected be called: the protocol is known, and its details are in or were waited for? */
  const reportable = (id: number, state: number, tv: number): boolean => {
    if ((state & (STATE_DETECTED | STATE_REPORTED)) !== STATE_DETECTED) return false;
    if ((state & STATE_DISSECTED) !== 0) return true;
    const known =
      (f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number) + (u32[id * RECORD_WORDS + ((R_IAT + R_IAT_BYTES + I_EXTRA) >> 2)] as number);
    return tv - known >= detailWaitUs;
  };

  /** One flow's part of a visit at `tv`. @param end index in END_REASONS: the visit is the flow's last; 0 = by the idle rule */
  function visitFlow(id: number, tv: number, end: number): void {
    const r = id * RECORD_WORDS;
    const d = id * RECORD_DOUBLES;
    const last = f64[d + (R_LAST >> 3)] as number;
    let state = i32[r + (R_STATE >> 2)] as number;
    const pv = i32[r + (R_PV >> 2)] as number;
    if (end === 0 && isIdle(state, pv, f64[d + (R_FIRST >> 3)] as number, last, tv)) end = 1;
    if ((state & STATE_DISSECTED) === 0 && (end !== 0 || tv - last > GIVE_UP_US)) {
      giveUp(id);
      state = i32[r + (R_STATE >> 2)] as number;
    }

    const touched = (state & STATE_TOUCHED) !== 0;
    const dt = tv - previousVisit;
    if ((state & STATE_VISITED) !== 0 && dt >= SHORTEST_RATE_US && (state & (STATE_TOUCHED | STATE_RATE)) !== 0) {
      throughput(id, dt);
      state = i32[r + (R_STATE >> 2)] as number;
    }

    let due = 0;
    if (reportable(id, state, tv)) {
      if ((state & STATE_DISSECTED) === 0) {
        collect(id, 0);
        state = i32[r + (R_STATE >> 2)] as number;
      }
      due |= CALLBACK_BIT.protocolDetected;
      state |= STATE_REPORTED;
    }
    const before = u32[r + (R_STATUS >> 2)] as number;
    if (touched || due !== 0 || (state & STATE_VISITED) === 0) {
      const status = conditions(id) >>> 0;
      if (status !== before) {
        due |= CALLBACK_BIT.statusChanged;
        u32[r + (R_STATUS >> 2)] = status;
      }
    }
    if (end !== 0) {
      due |= CALLBACK_BIT.idle;
      state |= STATE_IDLE;
    } else if (periodicDue(id, tv)) {
      due |= CALLBACK_BIT.periodicUpdate;
    }
    i32[r + (R_STATE >> 2)] = (state | STATE_VISITED) & ~STATE_TOUCHED;

    if (due !== 0) {
      for (let i = 0; i < CALLBACKS.length; i++) if ((due & (1 << i)) !== 0) bump(COUNT.callbacks[i] as number);
      if (writeEvent !== undefined) bump(writeEvent(id, due, end, tv, visitNumber, before) ? COUNT.events : COUNT.eventsLost);
      if ((due & CALLBACK_BIT.periodicUpdate) !== 0) u32[r + (R_PERIODIC >> 2)] = Math.ceil(tv / 1e6);
    }
    if (end !== 0) {
      const handle = i32[r + (R_DETAIL >> 2)] as number;
      countProtocol(id, handle);
      if (handle !== 0) details.free(handle);
      table.remove(id);
      bump(COUNT.ended);
    } else if (touched) {
      keepCounters(id);
    }
  }

  function countProtocol(id: number, handle: number): void {
    const head = details.offset(handle) >> 1;
    const app = handle === 0 ? 0 : (details.u16[head + (DETAIL_APP >> 1)] as number);
    const master = handle === 0 ? 0 : (details.u16[head + (DETAIL_MASTER >> 1)] as number);
    let count = protocols.get((master << 16) | app);
    if (count === undefined) {
      count = { master, app, flows: 0, packets: 0, bytes: 0 };
      protocols.set((master << 16) | app, count);
    }
    const client = id * RECORD_BYTES + R_DIR;
    const server = client + R_DIR_BYTES;
    count.flows++;
    count.packets += (u32[(client + D_PACKETS) >> 2] as number) + (u32[(server + D_PACKETS) >> 2] as number);
    count.bytes += (f64[(client + D_BYTES) >> 3] as number) + (f64[(server + D_BYTES) >> 3] as number);
  }

  function startVisit(tv: number): void {
    visitTime = tv;
    visitNumber++;
    visitCursor = 1;
    visitCpu = 0;
    counters[COUNT.peak] = Math.max(counters[COUNT.peak] as number, table.active());
  }

  /** Goes on with the visit under way for at most `flows` records. */
  function visitSome(flows: number, end: number): void {
    const cpu = native.threadCpu();
    const stop = Math.min(table.limit(), visitCursor + flows);
    let id = visitCursor;
    for (; id < stop; id++) {
      if (i32[id * RECORD_WORDS + (R_STATE >> 2)] !== 0) visitFlow(id, visitTime, end);
    }
    visitCpu += native.threadCpu() - cpu;
    visitCursor = id;
    if (id < table.limit()) return;
    visitCursor = 0;
    previousVisit = visitTime;
    bump(COUNT.visits);
    counters[COUNT.visitsCpu] = (counters[COUNT.visitsCpu] as number) + visitCpu;
    counters[COUNT.visitsLongest] = Math.max(counters[COUNT.visitsLongest] as number, visitCpu);
    counters[COUNT.active] = table.active();
  }

  /** First multiple of the period after `time`: visits of all interfaces fall on the same grid. */
  const gridAfter = (time: number): number => (Math.floor(time / visitPeriodUs) + 1) * visitPeriodUs;

  /** All visits that are due before a packet of time `time`, on packet time. */
  function visitUntil(time: number): void {
    while (nextVisit <= time) {
      startVisit(nextVisit);
      visitSome(Number.MAX_SAFE_INTEGER, 0);
      nextVisit = table.active() === 0 ? gridAfter(time) : nextVisit + visitPeriodUs;
    }
  }

  /** Ends the longest silent of a sample of flows that is spread over the table, at the time of the packet that needs room. */
  function makeRoom(time: number): void {
    counters[COUNT.peak] = options.maxFlows;
    detect();
    const limit = table.limit();
    const sample: { id: number; last: number }[] = [];
    for (let tries = 0; tries < EVICT_SAMPLE * 2 && sample.length < EVICT_SAMPLE; tries++) {
      sampleCursor = (sampleCursor + 0x9e3779b1) % limit;
      if (i32[sampleCursor * RECORD_WORDS + (R_STATE >> 2)] === 0) continue;
      sample.push({ id: sampleCursor, last: f64[sampleCursor * RECORD_DOUBLES + (R_LAST >> 3)] as number });
    }
    sample.sort((x, y) => x.last - y.last || x.id - y.id);
    const reason = END_REASONS.indexOf('table full');
    for (const { id } of sample.slice(0, Math.min(EVICT_COUNT, Math.ceil(sample.length / 2)))) {
      if (i32[id * RECORD_WORDS + (R_STATE >> 2)] === 0) continue; // sampled twice
      visitFlow(id, time, reason);
      bump(COUNT.evicted);
    }
  }

  const update = (scratch: Scratch, from: number, to: number): void => {
    clock = Math.max(clock, scratch.times[to - 1] as number);
    table.update(scratch, chunk, from, to);
    detect();
  };

  return {
    clock: () => clock,
    began: () => began,
    protocols: () => [...protocols.values()],
    process(scratch, bytes) {
      const { times, count } = scratch;
      if (count === 0) return;
      packets = scratch;
      chunk = bytes;
      if (began === 0) began = times[0] as number;
      if (nextVisit === 0) {
        nextVisit = gridAfter(times[0] as number);
        previousVisit = times[0] as number;
      }
      if (!options.visitsInline) {
        update(scratch, 0, count);
        return;
      }
      let from = 0;
      while (from < count) {
        visitUntil(times[from] as number);
        let to = from + 1;
        while (to < count && (times[to] as number) < nextVisit) to++;
        update(scratch, from, to);
        from = to;
      }
    },
    advance(time, flows) {
      if (time > clock) clock = time;
      if (nextVisit === 0) nextVisit = gridAfter(clock);
      if (visitCursor === 0) {
        if (clock < nextVisit) return false;
        startVisit(nextVisit);
        const following = gridAfter(clock);
        const missed = Math.round((following - nextVisit) / visitPeriodUs) - 1;
        counters[COUNT.visitsLate] = (counters[COUNT.visitsLate] as number) + Math.max(0, missed);
        nextVisit = following;
      }
      visitSome(flows, 0);
      return visitCursor !== 0;
    },
    finish(reason) {
      if (visitCursor !== 0) visitSome(Number.MAX_SAFE_INTEGER, 0);
      if (table.active() === 0) return;
      startVisit(clock);
      visitSome(Number.MAX_SAFE_INTEGER, END_REASONS.indexOf(reason));
    },
  };
}
