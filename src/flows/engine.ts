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

import { createGuess } from '../dpi/guess.ts';
import { protocolTraits } from '../dpi/names.ts';
import type { HostBook } from '../hosts/book.ts';
import type { PrefixSet } from '../hosts/prefixes.ts';
import { type DpiHandle, native } from '../native.ts';
import type { Scratch } from '../packet/batch.ts';
import type { FlowRecord } from '../records/flow-record.ts';
import { createJudge } from './conditions.ts';
import { counterIndex } from './counters.ts';
import { createDetailArena } from './details.ts';
import { createDetection } from './detection.ts';
import { createEnds, expectedServers } from './ends.ts';
import type { EndReason } from './event.ts';
import * as event from './event.ts';
import { createEventWriter, type EventContext, type EventSink } from './event-writer.ts';
import { createFlowFacts } from './facts.ts';
import { createIcmp, type IcmpHook } from './icmp.ts';
import { GRACE_US, idleLimit } from './idle.ts';
import { createIngest, type Ingest, RECORD_ARRIVED } from './ingest.ts';
import { createKnowledge, knownIds } from './knowledge.ts';
import { createLook, type FlowLook } from './look.ts';
import { createOverrides, type FlowOverride } from './overrides.ts';
import type { Policy } from './policy.ts';
import * as record from './record.ts';
import { createScale } from './sampling.ts';
import { createSchedule, EVERY_FLOW } from './schedule.ts';
import { type Limits, predominant, SILENT_SERVER_US, STATUSES } from './statuses.ts';
import * as tables from './table.ts';
import { createFlowTable, type Records } from './table.ts';
import { createThroughput } from './throughput.ts';
import type { Names } from './view.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { CALLBACK_BIT, CALLBACKS, END_REASONS } = event;
const {
  D_BYTES,
  D_PACKETS,
  DETAIL_APP,
  DETAIL_MASTER,
  FACT_ALERT_SHIFT,
  FACT_DETAILS_NEW,
  FACT_IDS,
  FACT_IDS_SEVERE,
  I_EXTRA,
  R_DETAIL,
  R_DIR,
  R_DIR_BYTES,
  R_FACTS,
  R_FIRST,
  R_IAT,
  R_IAT_BYTES,
  R_LAST,
  R_PERIODIC,
  R_PV,
  R_STATE,
  R_STATUS,
  RECORD_BYTES,
  STATE_ALERTED,
  STATE_DETECTED,
  STATE_DISSECTED,
  STATE_IDLE,
  STATE_RATE,
  STATE_REPORTED,
  STATE_TOUCHED,
  STATE_VISITED,
} = record;
const { RECORD_DOUBLES, RECORD_WORDS } = tables;

/** lifecycle 3: silence after which an unfinished detection is given up. */
const GIVE_UP_US = 5_000_000;
/** lifecycle 5.1: periodicUpdate comes every so many times the maximum idleness. */
const PERIODIC_FACTOR = 5;
/** lifecycle 12.3: no throughput over a shorter time. */
const SHORTEST_RATE_US = 1_000_000;
/** When the table is full: so many flows are looked at, and so many of them, the longest silent, end. */
const EVICT_SAMPLE = 512;
const EVICT_COUNT = 32;
const TCP = 6;
/** A visit in slices looks at so many records for each flow that it may visit. */
const SCAN_FACTOR = 64;
/** Flows that a visit which is not spread looks at before `between` is called: 2 to 4 ms. */
const BETWEEN_FLOWS = 4096;

export interface EngineOptions {
  readonly interfaceId: number;
  /** Where several engines share an interface: flows get the numbers 1 + offset, 1 + offset + step …; all of them when absent. */
  readonly sequence?: { readonly step: number; readonly offset: number };
  readonly maxFlows: number;
  readonly dpiPackets: { readonly tcp: number; readonly udp: number };
  readonly dpi: DpiHandle | undefined;
  /** What the numbers of detection stand for. */
  readonly names: Names;
  readonly localNetworks: PrefixSet;
  readonly policy: Policy;
  /** One double per declared counter (counters.ts). */
  readonly counters: Float64Array;
  /** Where events go; without one they are not made. */
  readonly sink: EventSink | undefined;
  /** True: visits fall due inside `process`, on packet time, and are never spread. False: the caller drives them by `advance`. */
  readonly visitsInline: boolean;
  /** The interface brings flow records; how their ends are told apart (ingest.ts). Absent: it brings packets. */
  readonly records?: { readonly seed: number; readonly oneWay: boolean };
  /** Called when a visit begins, with its time in µs; also for the last one. */
  readonly beforeVisit?: (time: number) => void;
  /** Called now and then in a visit that is not spread, between two flows: it may look at flows, and change none. */
  readonly between?: () => void;
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
  /** Updates a flow by a record, at the clock. Engines with `records` only. */
  take(record: FlowRecord): void;
  /**
   * Time-outs of what exports the records, s: visits come in the longer one of both, never more often than the preferences want; the
   * active one is the maximum idleness. At once. undefined: the preferences hold.
   */
  timeouts(active: number | undefined, idle: number | undefined): void;
  /**
   * A packet of a batch that was processed stands for `rate` packets. @param describe asked for its first packet of a flow: a JSON object
   * of what else is known of it
   */
  scale(scratch: Scratch, chunk: Uint8Array, index: number, rate: number, describe: () => string): void;
  /** Moves the clock (never back) and works on a due visit for at most `flows` flows. @returns true while a visit is under way */
  advance(clock: number, flows: number): boolean;
  /** Is a visit under way although the next one is due? */
  overdue(clock: number): boolean;
  /** Ends every flow, each with its last visit. */
  finish(reason: EndReason): void;
  /** µs since 1970; 0 before the first packet. */
  clock(): number;
  /** Time of the first packet, µs since 1970; 0 before it. */
  began(): number;
  /** Flows that have ended, by protocol. */
  protocols(): ProtocolCount[];
  /** Takes over a policy at the next visit; statuses that it changes fire statusChanged there. */
  configure(policy: Partial<Policy>): void;
  /** Takes over what a script wants of a flow; its next visit shows it. @returns false when the flow has ended */
  override(change: FlowOverride): boolean;
  /** Attaches what an intrusion detection system said, the last of the severest, to the flow of a decoded packet. @returns false when there is no such flow */
  report(scratch: Scratch, chunk: Uint8Array, index: number, json: string, severe: boolean): boolean;
  /** One more than the highest id of a flow that there ever was. */
  limit(): number;
  /** Looks at the live flows, of the ids 1 … limit - 1. @param book what fields of hosts are read from; that of the first call holds */
  look(book?: HostBook): FlowLook;
}

export function createFlowEngine(options: EngineOptions): FlowEngine {
  const { dpi, counters, names } = options;
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
    unscaled: counterIndex('samples.unscaled'),
    alerts: counterIndex('alerts.core'),
    callbacks: CALLBACKS.map((name) => counterIndex(`callbacks.${name}`)),
    callbacksLost: CALLBACKS.map((name) => counterIndex(`callbacks.lost.${name}`)),
    changes: counterIndex('changes'),
  };
  const bump = (index: number): void => {
    counters[index] = (counters[index] as number) + 1;
  };

  let policy = options.policy;
  let pending: Partial<Policy> = {};
  let visitPeriodUs = 0;
  let maxIdleUs = 0;
  let idleUs = 0; // silence that ends a flow
  let exported: { active: number | undefined; idle: number | undefined } = { active: undefined, idle: undefined };
  let detailWaitUs = 0;
  let limits: Limits;
  let expected = expectedServers(policy.preferences);
  let rejudging = false; // the policy has changed since the last visit
  let judged = 0; // flow that the conditions look at
  const raises = new Uint8Array(64); // 1: the core raises an alert for the status of this id

  const details = createDetailArena(Math.max(64 << 20, options.maxFlows * 256));
  const schedule = createSchedule(options.maxFlows);
  const table = createFlowTable(options.maxFlows, schedule.touched, {
    created,
    makeRoom,
    updated: (id, index) => detection.updated(id, index),
    icmp: (id, packets, chunk, index) => icmp(id, packets, chunk, index),
  });
  const records: Records = table.records;
  const { i32, u32, f64 } = records;
  const ends = createEnds(
    records,
    options.localNetworks,
    () => policy.lists,
    () => policy.devices,
  );
  const icmp: IcmpHook = createIcmp(records, details, names.details.indexOf('icmp.unreach'));
  const knowledge = createKnowledge({ records, details, ends, names, policy: () => policy });
  const detection = createDetection({
    dpi,
    packets: options.dpiPackets,
    records,
    details,
    schedule,
    counters,
    names,
    collected: (id) => knowledge.review(id),
  });
  const judge = createJudge(names.packetInterface && !names.sampled);
  const facts = createFlowFacts(records, details);
  const throughput = createThroughput(records);
  const ingest =
    options.records &&
    createIngest({
      ...options.records,
      table,
      details,
      schedule,
      throughput,
      counters,
      names,
      guess: dpi && createGuess(dpi),
      traits: protocolTraits(native, dpi),
      collected: (id) => knowledge.review(id),
    });
  const scale = createScale(records);
  /** What the silence of a flow is measured from: doubles from the start of its record. */
  const lastAt = ingest === undefined ? R_LAST >> 3 : RECORD_ARRIVED;
  const { step, offset } = options.sequence ?? { step: 1, offset: 0 };
  const sequenceOf = (id: number): number => (table.sequenceOf(id) - 1) * step + 1 + offset;
  const overrides = createOverrides();
  const context: EventContext = {
    interfaceId: options.interfaceId,
    sequenceOf,
    scoreOf: overrides.score,
    deviceType: ends.deviceType,
    preferences: () => policy.preferences,
  };
  const writeEvent = options.sink && createEventWriter(records, details, context, options.sink);
  /** Made when somebody asks: V8 folds what a function closes over into its machine code only while there is one such function. */
  let look: FlowLook | undefined;
  const protocols = new Map<number, ProtocolCount>();
  let lastCount: ProtocolCount | undefined;
  const known = knownIds(names);
  const idsDetail = names.details.indexOf('ids.alert');
  const moreDetail = names.details.indexOf('moreinfo');

  let chunk: Uint8Array = new Uint8Array(0);
  let clock = 0;
  let began = 0;
  let nextVisit = 0;
  let visitNumber = 0;
  let previousVisit = 0;
  let visitTime = 0;
  let visitCursor = 0; // record that the visit under way comes to next, 0 = none is under way
  let visitCpu = 0;
  let sampleCursor = 1;

  const serverIn = (which: keyof typeof expected) => (): boolean => ends.serverIn(judged, expected[which]);
  const expectations = { dhcp: serverIn('dhcp'), dns: serverIn('dns'), ntp: serverIn('ntp'), smtp: serverIn('smtp') };
  /** @param housekeeping the preference, s */
  const adoptPeriod = (housekeeping: number): void => {
    const period = Math.max(housekeeping, exported.active ?? 0, exported.idle ?? 0) * 1e6;
    if (period === visitPeriodUs) return;
    visitPeriodUs = period;
    if (nextVisit !== 0) nextVisit = gridAfter(clock);
  };
  const adopt = (): void => {
    const { preferences } = policy;
    adoptPeriod(preferences.housekeeping_frequency);
    maxIdleUs = (exported.active ?? preferences.flow_max_idle) * 1e6;
    idleUs = maxIdleUs + (exported.active === undefined ? 0 : GRACE_US);
    detailWaitUs = preferences.detail_wait * 1000;
    expected = expectedServers(preferences);
    limits = { preferences, maxIdleUs, known, expected: expectations };
    for (const { id, alert } of STATUSES) {
      const isOn = alert === true || (alert !== false && preferences[alert] === true);
      raises[id] = isOn && !preferences.disable_alerts_generation ? 1 : 0;
    }
  };
  adopt();

  function created(id: number): void {
    bump(COUNT.created);
    ends.begin(id);
    if (dpi === undefined) {
      const at = id * RECORD_WORDS + (R_STATE >> 2);
      i32[at] = (i32[at] as number) | STATE_DETECTED | STATE_DISSECTED;
    }
  }

  /** Is periodicUpdate due? First on the flow's own duration, between whole seconds, then on the visits' clock (lifecycle 5.1). */
  const periodicDue = (id: number, tv: number): boolean => {
    const d = id * RECORD_DOUBLES;
    const last = Math.floor((f64[d + (R_LAST >> 3)] as number) / 1e6);
    if ((last - Math.floor((f64[d + (R_FIRST >> 3)] as number) / 1e6)) * 1e6 < PERIODIC_FACTOR * maxIdleUs) return false;
    const lastCall = u32[id * RECORD_WORDS + (R_PERIODIC >> 2)] as number;
    return lastCall === 0 || tv >= lastCall * 1e6 + PERIODIC_FACTOR * maxIdleUs;
  };

  /** When the protocol was known, µs since 1970. */
  const knownAt = (id: number): number =>
    (f64[id * RECORD_DOUBLES + (R_FIRST >> 3)] as number) + (u32[id * RECORD_WORDS + ((R_IAT + R_IAT_BYTES + I_EXTRA) >> 2)] as number);

  /** May protocolDetected be called: the protocol is known, and its details are in or were waited for? */
  const reportable = (id: number, state: number, tv: number): boolean => {
    if ((state & (STATE_DETECTED | STATE_REPORTED)) !== STATE_DETECTED) return false;
    if ((state & STATE_DISSECTED) !== 0) return true;
    return tv - knownAt(id) >= detailWaitUs;
  };

  /** When a flow that nothing touches has to be visited again, µs since 1970. */
  function nextLook(id: number, state: number, pv: number, tv: number): number {
    if ((state & STATE_RATE) !== 0) return 0;
    const r = id * RECORD_WORDS;
    const d = id * RECORD_DOUBLES;
    const last = f64[d + lastAt] as number;
    let look = last + idleLimit(state, pv, idleUs);
    if ((state & STATE_DISSECTED) === 0) {
      look = Math.min(look, last + GIVE_UP_US);
      if ((state & (STATE_DETECTED | STATE_REPORTED)) === STATE_DETECTED) look = Math.min(look, knownAt(id) + detailWaitUs);
    }
    const lastCall = u32[r + (R_PERIODIC >> 2)] as number;
    if (lastCall !== 0) look = Math.min(look, lastCall * 1e6 + PERIODIC_FACTOR * maxIdleUs);
    if ((pv & 0xff) === TCP && u32[r + ((R_DIR + R_DIR_BYTES + D_PACKETS) >> 2)] === 0 && tv - last <= SILENT_SERVER_US) {
      look = Math.min(look, last + SILENT_SERVER_US);
    }
    return look;
  }

  /** Status for which the core raises its alert now, 0 = none: the predominant one, if its preference is on, once a flow. */
  function coreAlert(state: number, low: number, high: number): number {
    if ((low === 0 && high === 0) || (state & STATE_ALERTED) !== 0) return 0;
    const id = predominant(low, high);
    return raises[id] === 1 ? id : 0;
  }

  /** One flow's part of a visit at `tv`. @param end index in END_REASONS: the visit is the flow's last; 0 = by the idle rule */
  function visitFlow(id: number, tv: number, end: number): void {
    const r = id * RECORD_WORDS;
    const d = id * RECORD_DOUBLES;
    const last = f64[d + lastAt] as number;
    let state = i32[r + (R_STATE >> 2)] as number;
    const pv = i32[r + (R_PV >> 2)] as number;
    if (end === 0 && tv - last > idleLimit(state, pv, idleUs)) end = 1;
    if ((state & STATE_DISSECTED) === 0 && (end !== 0 || tv - last > GIVE_UP_US)) {
      detection.giveUp(id);
      state = i32[r + (R_STATE >> 2)] as number;
    }

    const touched = (state & STATE_TOUCHED) !== 0;
    // a flow that is evicted while a visit is worked off may have had its turn in it
    const dt = tv - (id < visitCursor ? visitTime : previousVisit);
    if (ingest !== undefined) {
      if (touched) ingest.rate(id, tv);
    } else if ((state & STATE_VISITED) !== 0 && dt >= SHORTEST_RATE_US && (state & (STATE_TOUCHED | STATE_RATE)) !== 0) {
      throughput.update(id, dt);
      state = i32[r + (R_STATE >> 2)] as number;
    }

    let due = 0;
    if (reportable(id, state, tv)) {
      if ((state & STATE_DISSECTED) === 0) {
        detection.peek(id);
        state = i32[r + (R_STATE >> 2)] as number;
      }
      due |= CALLBACK_BIT.protocolDetected;
      state |= STATE_REPORTED;
    }
    if (rejudging) {
      ends.relist(id);
      knowledge.review(id);
      state = (state & STATE_REPORTED) | (i32[r + (R_STATE >> 2)] as number);
    }
    const beforeLow = u32[r + (R_STATUS >> 2)] as number;
    const beforeHigh = u32[r + (R_STATUS >> 2) + 1] as number;
    const news = rejudging || ((u32[r + (R_FACTS >> 2)] as number) & FACT_DETAILS_NEW) !== 0 || (state & STATE_VISITED) === 0;
    judged = id;
    facts.at(id, tv, end !== 0);
    const judgedBefore = overrides.size === 0 ? undefined : overrides.judged(id);
    judge.judge(facts, limits, judgedBefore?.low ?? beforeLow, judgedBefore?.high ?? beforeHigh, touched || end !== 0, news);
    let low = judge.low();
    let high = judge.high();
    if (judgedBefore !== undefined) ({ low, high } = overrides.apply(id, low, high));
    if (low !== beforeLow || high !== beforeHigh) {
      due |= CALLBACK_BIT.statusChanged;
      u32[r + (R_STATUS >> 2)] = low;
      u32[r + (R_STATUS >> 2) + 1] = high;
    }
    if (news) u32[r + (R_FACTS >> 2)] = (u32[r + (R_FACTS >> 2)] as number) & ~FACT_DETAILS_NEW;
    if (end !== 0) {
      due |= CALLBACK_BIT.idle;
      state |= STATE_IDLE;
    } else if (periodicDue(id, tv)) {
      due |= CALLBACK_BIT.periodicUpdate;
    }
    if ((state & STATE_VISITED) === 0 && ingest === undefined) state |= STATE_RATE; // its next visit says what its throughput is
    state = (state | STATE_VISITED) & ~STATE_TOUCHED;
    i32[r + (R_STATE >> 2)] = state;

    const alert = coreAlert(state, low, high);
    if (alert !== 0) {
      bump(COUNT.alerts);
      u32[r + (R_FACTS >> 2)] = (u32[r + (R_FACTS >> 2)] as number) | (alert << FACT_ALERT_SHIFT);
    }
    if (due !== 0 || alert !== 0) {
      for (let i = 0; i < CALLBACKS.length; i++) if ((due & (1 << i)) !== 0) bump(COUNT.callbacks[i] as number);
      if (writeEvent !== undefined) {
        if (writeEvent(id, due, end, tv, visitNumber, beforeLow, beforeHigh, alert !== 0)) {
          bump(COUNT.events);
        } else {
          bump(COUNT.eventsLost);
          for (let i = 0; i < CALLBACKS.length; i++) if ((due & (1 << i)) !== 0) bump(COUNT.callbacksLost[i] as number);
        }
      }
      if ((due & CALLBACK_BIT.periodicUpdate) !== 0) u32[r + (R_PERIODIC >> 2)] = Math.ceil(tv / 1e6);
      if (alert !== 0) i32[r + (R_STATE >> 2)] = state | STATE_ALERTED;
    }
    if (end !== 0) {
      const handle = i32[r + (R_DETAIL >> 2)] as number;
      countProtocol(id, handle);
      if (handle !== 0) details.free(handle);
      table.remove(id);
      schedule.removed(id);
      if (overrides.size > 0) overrides.removed(id);
      bump(COUNT.ended);
    } else {
      if (touched) throughput.keep(id);
      schedule.visited(id, nextLook(id, state, pv, tv));
    }
  }

  function countProtocol(id: number, handle: number): void {
    const head = details.offset(handle) >> 1;
    const app = handle === 0 ? 0 : (details.u16[head + (DETAIL_APP >> 1)] as number);
    const master = handle === 0 ? 0 : (details.u16[head + (DETAIL_MASTER >> 1)] as number);
    let count = lastCount;
    if (count === undefined || count.master !== master || count.app !== app) {
      count = protocols.get((master << 16) | app);
      if (count === undefined) {
        count = { master, app, flows: 0, packets: 0, bytes: 0 };
        protocols.set((master << 16) | app, count);
      }
      lastCount = count;
    }
    const client = id * RECORD_BYTES + R_DIR;
    const server = client + R_DIR_BYTES;
    count.flows++;
    count.packets += (u32[(client + D_PACKETS) >> 2] as number) + (u32[(server + D_PACKETS) >> 2] as number);
    count.bytes += (f64[(client + D_BYTES) >> 3] as number) + (f64[(server + D_BYTES) >> 3] as number);
  }

  function startVisit(tv: number): void {
    options.beforeVisit?.(tv);
    visitTime = tv;
    visitNumber++;
    visitCursor = 1;
    visitCpu = 0;
    if (Object.keys(pending).length > 0) {
      policy = { ...policy, ...pending };
      pending = {};
      adopt();
      rejudging = true;
      schedule.all(table.limit());
    }
    counters[COUNT.peak] = Math.max(counters[COUNT.peak] as number, table.active());
  }

  /** Goes on with the visit under way: visits at most `flows` flows. */
  function visitSome(flows: number, end: number): void {
    const cpu = native.threadCpu();
    const limit = table.limit();
    const stop = Math.min(limit, flows * SCAN_FACTOR + visitCursor);
    const second = end === 0 ? Math.floor(visitTime / 1e6) : EVERY_FLOW;
    let left = flows;
    let id = visitCursor;
    for (; id < stop && left > 0; id++) {
      if (schedule.isDue(id, second)) {
        visitFlow(id, visitTime, end);
        left--;
      }
    }
    visitCpu += native.threadCpu() - cpu;
    visitCursor = id;
    if (id < limit) return;
    visitCursor = 0;
    previousVisit = visitTime;
    rejudging = false;
    bump(COUNT.visits);
    counters[COUNT.visitsCpu] = (counters[COUNT.visitsCpu] as number) + visitCpu;
    counters[COUNT.visitsLongest] = Math.max(counters[COUNT.visitsLongest] as number, visitCpu);
    counters[COUNT.active] = table.active();
  }

  /** The visit under way, to its end. */
  function visitAll(end: number): void {
    do {
      visitSome(BETWEEN_FLOWS, end);
      options.between?.();
    } while (visitCursor !== 0);
  }

  /** First multiple of the period after `time`: visits of all interfaces fall on the same grid. */
  const gridAfter = (time: number): number => (Math.floor(time / visitPeriodUs) + 1) * visitPeriodUs;

  /** All visits that are due before a packet of time `time`, on packet time. */
  function visitUntil(time: number): void {
    while (nextVisit <= time) {
      startVisit(nextVisit);
      visitAll(0);
      nextVisit = table.active() === 0 ? gridAfter(time) : nextVisit + visitPeriodUs;
    }
  }

  /** Ends the longest silent of a sample of flows that is spread over the table, at the time of the packet that needs room. */
  function makeRoom(time: number): void {
    counters[COUNT.peak] = options.maxFlows;
    detection.flush();
    const limit = table.limit();
    const sample: { id: number; last: number }[] = [];
    for (let tries = 0; tries < EVICT_SAMPLE * 2 && sample.length < EVICT_SAMPLE; tries++) {
      sampleCursor = (sampleCursor + 0x9e3779b1) % limit;
      if (i32[sampleCursor * RECORD_WORDS + (R_STATE >> 2)] === 0) continue;
      sample.push({ id: sampleCursor, last: f64[sampleCursor * RECORD_DOUBLES + lastAt] as number });
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
    detection.flush();
  };

  return {
    clock: () => clock,
    began: () => began,
    protocols: () => [...protocols.values()],
    limit: () => table.limit(),
    look: (book) =>
      (look ??= createLook({ book, records, details, names, context: { ...context, now: () => clock, visit: () => visitNumber } })),
    configure(changed) {
      pending = { ...pending, ...changed };
      if (changed.preferences !== undefined) adoptPeriod(changed.preferences.housekeeping_frequency);
    },
    timeouts(active, idle) {
      if (active === exported.active && idle === exported.idle) return;
      exported = { active, idle };
      adoptPeriod((pending.preferences ?? policy.preferences).housekeeping_frequency);
      adopt();
      schedule.all(table.limit());
    },
    take(flow) {
      if (began === 0) began = clock;
      if (nextVisit === 0) nextVisit = gridAfter(clock);
      (ingest as Ingest).take(flow, clock);
    },
    scale(scratch, bytes, index, rate, describe) {
      const id = table.lookup(scratch, bytes, index);
      if (id === 0) {
        bump(COUNT.unscaled);
        return;
      }
      scale(id, scratch, index, rate);
      const at = id * RECORD_WORDS + (R_DETAIL >> 2);
      const handle = i32[at] as number;
      if (handle !== 0 && details.text(handle, moreDetail) !== '') return;
      i32[at] = details.withEntry(handle, moreDetail, Buffer.from(describe(), 'latin1'));
    },
    override(change) {
      const id = change.flow;
      const r = id * RECORD_WORDS;
      if (id >= table.limit() || i32[r + (R_STATE >> 2)] === 0 || sequenceOf(id) !== change.seq) return false;
      overrides.set(change, u32[r + (R_STATUS >> 2)] as number, u32[r + (R_STATUS >> 2) + 1] as number);
      schedule.touch(id);
      bump(COUNT.changes);
      return true;
    },
    report(scratch, bytes, index, json, severe) {
      const id = table.lookup(scratch, bytes, index);
      if (id === 0) return false;
      const r = id * RECORD_WORDS;
      if (severe || ((u32[r + (R_FACTS >> 2)] as number) & FACT_IDS_SEVERE) === 0) {
        i32[r + (R_DETAIL >> 2)] = details.withEntry(i32[r + (R_DETAIL >> 2)] as number, idsDetail, Buffer.from(json, 'utf8'));
      }
      u32[r + (R_FACTS >> 2)] = (u32[r + (R_FACTS >> 2)] as number) | FACT_IDS | FACT_DETAILS_NEW | (severe ? FACT_IDS_SEVERE : 0);
      i32[r + (R_STATE >> 2)] = (i32[r + (R_STATE >> 2)] as number) | STATE_TOUCHED;
      schedule.touch(id);
      return true;
    },
    process(scratch, bytes) {
      const { times, count } = scratch;
      if (count === 0) return;
      chunk = bytes;
      detection.begin(scratch, bytes);
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
    overdue: (time) => visitCursor !== 0 && time >= nextVisit,
    finish(reason) {
      if (visitCursor !== 0) visitAll(0);
      if (table.active() === 0) return;
      startVisit(clock);
      visitAll(END_REASONS.indexOf(reason));
    },
  };
}
