/**
 * What an interface's thread has around its source, whatever the source brings: flow engine, ring of events, alerts of an intrusion
 * detection system, commands of the main thread, figures.
 *
 *   worker.ts (packets), records/worker.ts (records, samples) ──► Thread ──► engine, ring, messages
 *
 * One per thread, made from its InterfaceData.
 */
import { getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { namesOf, protocolPairName } from '../dpi/names.ts';
import { counterIndex } from '../flows/counters.ts';
import { createFlowEngine, type FlowEngine } from '../flows/engine.ts';
import type { EventSink } from '../flows/event-writer.ts';
import { createRingWriter, createSharedRingWriter } from '../flows/ring.ts';
import type { Names } from '../flows/view.ts';
import { NO_DEVICES, readDevices } from '../hosts/devices.ts';
import { openLists } from '../hosts/lists/lookup.ts';
import { createPrefixSet } from '../hosts/prefixes.ts';
import { native } from '../native.ts';
import { type Commands, createCommands } from './commands.ts';
import { createIdsMatcher } from './ids.ts';
import { createTally } from './ids-tally.ts';
import {
  CONTROL_FEEDS_BACK,
  CONTROL_HOST_READY,
  CONTROL_STOP,
  GAUGE_BEGAN,
  GAUGE_CLOCK,
  type InterfaceData,
  type InterfaceMessage,
} from './protocol.ts';

/** Flows that a slice of a live visit looks at before it asks for the CPU time it took. */
export const SLICE_FLOWS = 256;
/** CPU time of a live visit between two reads, µs: packets never wait longer for it. */
const SLICE_US = 2000;
/** CPU time for questions between two reads, µs: while packets come live, and while nothing comes or a file is read. */
const BUSY_US = 2000;
const QUIET_US = 20_000;
/** A thread that waits for scripts looks so often for questions, ms, and one that does not wait once in so many events. */
const LOOK_MS = 20;
const LOOK_EVENTS = 64;
/** A live interface comes before the rest of the program, by this niceness. */
const FIRST = 5;
/** How often totals by protocol go to the main thread, µs. */
const PROTOCOLS_US = 250_000;

export interface ThreadOptions {
  /** What comes waits for nobody: visits are spread, and events are shed rather than waited for. */
  readonly live: boolean;
  readonly packetInterface: boolean;
  readonly sampled: boolean;
  /** It brings flow records: how the engine tells their ends apart. */
  readonly records?: { readonly oneWay: boolean };
}

export interface Thread {
  readonly counters: Float64Array;
  readonly gauges: Float64Array;
  readonly names: Names;
  /** Of all hashes: one that nobody can know on live interfaces, the same in every run of a file. */
  readonly seed: number;
  readonly engine: FlowEngine;
  readonly commands: Commands;
  /** Was the thread told to end? */
  stopped(): boolean;
  /** Takes commands and goes on with queries, and, for live interfaces, with what scripts want. @param quiet nothing has come */
  obey(quiet: boolean): void;
  /** Did it wait for scripts since it was asked last? */
  waited(): boolean;
  /** Goes on with a live visit that is due at `time`, for as long as packets may wait. @returns true when there is more to do at once */
  visit(time: number): boolean;
  /** Puts out gauges and totals by protocol. */
  report(): void;
  /** Last visits of all flows, last figures; the ring is closed. */
  end(reason: 'shutdown' | 'end of file'): void;
}

export const say = (message: InterfaceMessage, transfer?: readonly ArrayBuffer[]): void => parentPort?.postMessage(message, transfer);

interface Events extends EventSink {
  crowded(): boolean;
  close(): void;
  /** From now on events wait for room. */
  patient(): void;
  /** Waits until the script host has read everything; of a file's interface, whose thread is the only one. */
  waitUntilRead(): void;
}

/**
 * Files wait for room in the ring, so results are complete; live interfaces shed and count, except at their end.
 * @param attend called while it waits, and now and then
 */
function ringSink(live: boolean, shared: SharedArrayBuffer, isAlone: boolean, attend: (waiting: boolean) => void): Events {
  const alone = isAlone ? createRingWriter(shared) : undefined;
  const ring = alone ?? createSharedRingWriter(shared);
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let patient = !live;
  let events = 0;
  return {
    bytes: ring.bytes,
    commit: ring.commit,
    crowded: ring.crowded,
    close: ring.close,
    waitUntilRead() {
      while (alone?.waitUntilRead(LOOK_MS) === false) attend(true);
    },
    patient() {
      patient = true;
    },
    reserve(length) {
      if (++events % LOOK_EVENTS === 0) attend(false);
      let at = ring.reserve(length);
      while (at < 0 && patient) {
        if (alone !== undefined) alone.waitForRoom(length, LOOK_MS);
        else Atomics.wait(sleeper, 0, 0, 1);
        attend(true);
        at = ring.reserve(length);
      }
      return at;
    },
  };
}

/** Of this thread, once it has one: it is closed once. */
let closeRing: (() => void) | undefined;

/** Its last word. What came before it is still read by the script host. */
export function fail({ ring }: InterfaceData, error: unknown): void {
  const { message, code = '' } = error as Error & { code?: string };
  if (closeRing !== undefined) closeRing();
  else if (ring !== undefined) createRingWriter(ring).close();
  say({ type: 'failed', error: message, code });
}

/** Packets wait for nobody. On Linux a priority is that of one thread, and 0 means the one that calls; only root may raise it. */
function comeFirst(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.max(-20, getPriority(0) - FIRST));
  } catch {
    // not allowed here: it is as important as others
  }
}

export function createThread(data: InterfaceData, { live, packetInterface, sampled, records }: ThreadOptions): Thread {
  if (live) comeFirst();
  const { config, crew } = data;
  const counters = new Float64Array(data.counters);
  const gauges = new Float64Array(data.gauges);
  const control = new Int32Array(data.control);
  const localNetworks = createPrefixSet();
  for (const network of config.localNetworks) localNetworks.add(network);
  const maxFlows = Math.ceil(config.maxFlows / (crew?.threads ?? 1));
  const dpi = config.dpi ? native.dpiCreate(maxFlows) : undefined;
  const names = namesOf(native, dpi, {
    localNetworks: localNetworks.texts,
    interfaceName: data.name,
    run: data.run,
    packetInterface,
    sampled,
  });
  say({ type: 'ready', names });

  const seed = live ? native.wallClock() & 0x7fffffff : 0;
  const sink = data.ring === undefined ? undefined : ringSink(live, data.ring, crew === undefined, attend);
  if (sink !== undefined) closeRing = sink.close;
  const engine = createFlowEngine({
    interfaceId: data.id,
    ...(crew === undefined ? {} : { sequence: { step: crew.threads, offset: crew.index } }),
    ...(records === undefined ? {} : { records: { ...records, seed } }),
    maxFlows,
    dpiPackets: config.dpiPackets,
    dpi,
    names,
    localNetworks,
    policy: {
      preferences: data.preferences,
      lists: openLists(data.lists),
      devices: data.devices === undefined ? NO_DEVICES : readDevices(data.devices.text, data.devices.file),
    },
    counters,
    sink,
    visitsInline: !live,
    beforeVisit(time) {
      matcher.retry(time);
      if (!live) settleScripts();
    },
    between: () => attend(false),
  });
  const matcher = createIdsMatcher({
    report: engine.report,
    seed,
    live,
    ...(crew === undefined ? {} : { tally: createTally(crew.tally, crew.threads) }),
  });
  matcher.add(data.alerts);
  const commands = createCommands(data.port, control, engine, matcher, names, say);

  /**
   * Before a visit of a file: the scripts have seen what the last visit said, and what they want of flows is known. So every run gives
   * the same. Where no script changes flows, nothing is waited for.
   */
  function settleScripts(): void {
    if (sink === undefined) return;
    while (Atomics.load(control, CONTROL_HOST_READY) === 0) {
      Atomics.wait(control, CONTROL_HOST_READY, 0, LOOK_MS);
      attend(true);
    }
    if (Atomics.load(control, CONTROL_FEEDS_BACK) === 0) return;
    sink.waitUntilRead();
    commands.poll();
    commands.pollChanges();
  }

  /** Goes on with queries for about so much CPU time. */
  function answer(longestUs: number): void {
    if (!commands.work()) return;
    const began = native.threadCpu();
    while (native.threadCpu() - began < longestUs && commands.work());
  }

  /** In the middle of a visit: questions are answered; what would change flows waits until it is through. */
  let hasWaited = false;
  function attend(waiting: boolean): void {
    hasWaited ||= waiting;
    commands.pollQueries();
    answer(live ? BUSY_US : QUIET_US);
  }

  let told = 0;
  const tellProtocols = (): void =>
    say({
      type: 'protocols',
      protocols: engine.protocols().map(({ master, app, flows, packets, bytes }) => ({
        name: protocolPairName(names.protocols, master, app),
        flows,
        packets,
        bytes,
      })),
    });

  return {
    counters,
    gauges,
    names,
    seed,
    engine,
    commands,
    stopped: () => Atomics.load(control, CONTROL_STOP) !== 0,
    obey(quiet) {
      commands.poll();
      if (live) commands.pollChanges();
      answer(live && !quiet ? BUSY_US : QUIET_US);
    },
    waited() {
      const before = hasWaited;
      hasWaited = false;
      return before;
    },
    visit(time) {
      const began = native.threadCpu();
      // a visit makes no more events than the scripts take, unless the next one is due
      const mayGoOn = (): boolean => sink?.crowded() !== true || engine.overdue(time);
      while (mayGoOn()) {
        if (!engine.advance(time, SLICE_FLOWS)) return false;
        if (native.threadCpu() - began >= SLICE_US) return true;
      }
      return false;
    },
    report() {
      gauges[GAUGE_CLOCK] = engine.clock();
      gauges[GAUGE_BEGAN] = engine.began();
      if (dpi !== undefined) counters[counterIndex('dpi.refused')] = native.dpiRefused(dpi);
      const now = native.wallClock();
      if (now - told < PROTOCOLS_US) return;
      told = now;
      tellProtocols();
    },
    end(reason) {
      commands.poll();
      commands.pollChanges();
      commands.finish();
      matcher.finish();
      sink?.patient();
      engine.finish(reason);
      for (const [name, value] of Object.entries({
        matched: matcher.matched,
        expired: matcher.expired,
        dropped: matcher.dropped,
        refused: matcher.refused,
      })) {
        counters[counterIndex(`ids.${name}`)] = value;
      }
      counters[counterIndex('changes.late')] = commands.late;
      gauges[GAUGE_CLOCK] = engine.clock();
      tellProtocols();
      closeRing?.();
      closeRing = () => undefined;
      if (dpi !== undefined) native.dpiClose(dpi);
      say({ type: 'ended' });
    },
  };
}
