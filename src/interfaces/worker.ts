/**
 * The thread of a packet interface, or one of several that share a live one: source → decode → flow engine → ring of lifecycle
 * events. It never turns an event loop: it reads, works, and looks at the shared control words. Started by threads.ts with
 * InterfaceData.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { namesOf, protocolPairName } from '../dpi/names.ts';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../flows/counters.ts';
import { createFlowEngine, type FlowEngine } from '../flows/engine.ts';
import type { EventSink } from '../flows/event-writer.ts';
import { createRingWriter, createSharedRingWriter } from '../flows/ring.ts';
import type { Names } from '../flows/view.ts';
import { NO_DEVICES, readDevices } from '../hosts/devices.ts';
import { openLists } from '../hosts/lists/lookup.ts';
import { createPrefixSet } from '../hosts/prefixes.ts';
import { type DpiHandle, native } from '../native.ts';
import { createBatch, createScratch } from '../packet/batch.ts';
import { createDecoder } from '../packet/decode.ts';
import { type Commands, createCommands } from './commands.ts';
import { createIdsMatcher } from './ids.ts';
import { createTally } from './ids-tally.ts';
import { createSteadyClock } from './live/clock.ts';
import { createGate } from './live/gate.ts';
import { openLive } from './live/source.ts';
import { pace } from './pcap/paced.ts';
import { openFile } from './pcap/source.ts';
import {
  CONTROL_FEEDS_BACK,
  CONTROL_HOST_READY,
  CONTROL_STOP,
  GAUGE_BEGAN,
  GAUGE_CLOCK,
  GAUGE_POSITION,
  GAUGE_SIZE,
  type InterfaceData,
  type InterfaceMessage,
} from './protocol.ts';
import { type PacketSource, SOURCE_END, SOURCE_FAILED } from './source.ts';

const data = workerData as InterfaceData;
const { config, crew } = data;
const counters = new Float64Array(data.counters);
const gauges = new Float64Array(data.gauges);
const control = new Int32Array(data.control);
const clock = createSteadyClock();
const gate = crew && createGate(crew.gate, crew.threads);
const maxFlows = Math.ceil(config.maxFlows / (crew?.threads ?? 1));

/** Flows that a slice of a live visit looks at before it asks for the CPU time it took. */
const SLICE_FLOWS = 256;
/** CPU time of a live visit between two reads, µs: packets never wait longer for it. */
const SLICE_US = 2000;
/** How often a lost interface is tried again, ms. */
const RETRY_MS = 500;
/** How long a thread that has its interface back waits for those that share it, µs. */
const GATE_US = 5_000_000;
const GATE_SLICE_MS = 50;
/** Longest time that the kernel keeps a captured packet to itself, µs: twice the read time-out of a live source. */
const DRAIN_US = 100_000;
/** Batches between two looks at drops and position. */
const GAUGE_BATCHES = 64;
/** How often totals by protocol go to the main thread, µs. */
const PROTOCOLS_US = 250_000;

const say = (message: InterfaceMessage): void => parentPort?.postMessage(message);
const stopped = (): boolean => Atomics.load(control, CONTROL_STOP) !== 0;

function openSource(): PacketSource {
  if (data.kind === 'packet' && !config.originalSpeed) {
    return openLive(data.name, crew ? { ...config, fanout: { group: crew.group, size: crew.threads } } : config, clock);
  }
  const file = openFile(data.name, config.filter);
  return config.originalSpeed ? pace(file) : file;
}

interface Events extends EventSink {
  crowded(): boolean;
  close(): void;
  /** From now on events wait for room. */
  patient(): void;
  /** Waits until the script host has read everything; of a file's interface. */
  waitUntilRead(): void;
}

/** Files wait for room in the ring, so results are complete; live interfaces shed and count, except at their end. */
function ringSink(live: boolean, shared: SharedArrayBuffer): Events {
  const alone = crew === undefined ? createRingWriter(shared) : undefined;
  const ring = alone ?? createSharedRingWriter(shared);
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let patient = !live;
  return {
    bytes: ring.bytes,
    commit: ring.commit,
    crowded: ring.crowded,
    close: ring.close,
    waitUntilRead: () => alone?.waitUntilRead(),
    patient() {
      patient = true;
    },
    reserve(length) {
      let at = ring.reserve(length);
      while (at < 0 && patient) {
        if (alone !== undefined) alone.waitForRoom(length);
        else Atomics.wait(sleeper, 0, 0, 1);
        at = ring.reserve(length);
      }
      return at;
    },
  };
}

const protocolsMessage = (engine: FlowEngine, names: Names): InterfaceMessage => ({
  type: 'protocols',
  protocols: engine.protocols().map(({ master, app, flows, packets, bytes }) => ({
    name: protocolPairName(names.protocols, master, app),
    flows,
    packets,
    bytes,
  })),
});

/** What a source's packets go through. */
interface Parts {
  readonly engine: FlowEngine;
  readonly decode: ReturnType<typeof createDecoder>['decode'];
  readonly dpi: DpiHandle | undefined;
  readonly names: Names;
  readonly commands: Commands;
  readonly events: Events | undefined;
}

/** Takes a source to its end, or to the stop. @returns the answer of the last read: SOURCE_END, SOURCE_FAILED, or 0 when stopped */
function run(
  source: PacketSource,
  dropsBefore: readonly [number, number],
  { engine, decode, dpi, names, commands, events }: Parts,
): number {
  const batch = createBatch(1);
  const scratch = createScratch();
  const kernelDrops = counterIndex('drops.kernel');
  const deviceDrops = counterIndex('drops.interface');
  const refused = counterIndex('dpi.refused');
  let answer = 0;
  let round = 0;
  let told = 0;
  gauges[GAUGE_SIZE] = source.size;
  const look = (): void => {
    const [kernel, device] = source.drops();
    counters[kernelDrops] = dropsBefore[0] + kernel;
    counters[deviceDrops] = dropsBefore[1] + device;
    gauges[GAUGE_POSITION] = source.position();
    gauges[GAUGE_CLOCK] = engine.clock();
    gauges[GAUGE_BEGAN] = engine.began();
    if (dpi !== undefined) counters[refused] = native.dpiRefused(dpi);
    const now = native.wallClock();
    if (now - told < PROTOCOLS_US) return;
    told = now;
    say(protocolsMessage(engine, names));
  };
  let stopTime = 0; // once stopped, what the kernel holds from before is still read: it was captured, so it counts
  for (;;) {
    if (stopTime === 0 && stopped()) {
      if (!source.live) break;
      stopTime = native.wallClock();
    }
    answer = source.read(batch);
    if (answer < 0) break;
    for (let from = 0; from < batch.count; ) {
      from = decode(batch, from, scratch);
      engine.process(scratch, batch.bytes);
    }
    commands.poll();
    if (source.live) commands.pollChanges();
    commands.work();
    if (source.live) {
      const time = answer === 0 ? source.quietUntil() : engine.clock();
      const began = native.threadCpu();
      // a visit makes no more events than the scripts take, unless the next one is due
      const mayGoOn = (): boolean => events?.crowded() !== true || engine.overdue(time);
      while (mayGoOn() && engine.advance(time, SLICE_FLOWS) && native.threadCpu() - began < SLICE_US);
    }
    if (answer === 0 || ++round % GAUGE_BATCHES === 0) look();
    if (stopTime > 0 && (engine.clock() > stopTime || (answer === 0 && native.wallClock() - stopTime > DRAIN_US))) break;
  }
  look();
  return answer < 0 ? answer : 0;
}

function main(): void {
  const localNetworks = createPrefixSet();
  for (const network of config.localNetworks) localNetworks.add(network);
  let source = openSource();
  const live = source.live;
  const dpi = config.dpi ? native.dpiCreate(maxFlows) : undefined;
  const names = namesOf(native, dpi, {
    localNetworks: localNetworks.texts,
    interfaceName: data.name,
    run: data.run,
    packetInterface: true,
    sampled: false,
  });
  say({ type: 'ready', names });

  // a seed that nobody can know on live interfaces; the same order of buckets in every run of a file
  const seed = live ? native.wallClock() & 0x7fffffff : 0;
  const sink = data.ring === undefined ? undefined : ringSink(live, data.ring);
  if (sink !== undefined) closeRing = sink.close;
  const engine = createFlowEngine({
    interfaceId: data.id,
    ...(crew === undefined ? {} : { sequence: { step: crew.threads, offset: crew.index } }),
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
      if (!live) settleScripts(sink, commands);
    },
  });
  const matcher = createIdsMatcher({
    report: engine.report,
    seed,
    live,
    ...(crew === undefined ? {} : { tally: createTally(crew.tally, crew.threads) }),
  });
  matcher.add(data.alerts);
  const commands = createCommands(data.port, control, engine, matcher, names, say);
  const decoder = createDecoder(
    { gtp: config.openGtp, gre: config.openGre, vxlan: config.openVxlan },
    counters.subarray(DECODE_COUNTERS_START, COUNTERS.length),
    seed,
  );

  const parts: Parts = { engine, decode: decoder.decode, dpi, names, commands, events: sink };
  let drops: readonly [number, number] = [0, 0];
  gate?.arrive();
  while (gate?.wait(GATE_SLICE_MS) === false && !stopped()) commands.poll();
  source.admit?.();
  say({ type: 'running' });
  for (;;) {
    const answer = run(source, drops, parts);
    const failure = source.error();
    drops = [counters[counterIndex('drops.kernel')] as number, counters[counterIndex('drops.interface')] as number];
    const damage = source.close() || (answer === SOURCE_FAILED ? failure : '');
    if (answer === 0 || answer === SOURCE_END || data.kind === 'pcap' || config.originalSpeed) {
      if (damage !== '' && answer !== 0) {
        counters[counterIndex('source.damaged')] = 1;
        say({ type: 'warning', text: `damaged after ${counters[DECODE_COUNTERS_START]} packets: ${damage}` });
      }
      break;
    }
    counters[counterIndex('interface.lost')] = (counters[counterIndex('interface.lost')] as number) + 1;
    gate?.leave();
    say({ type: 'lost', reason: failure });
    const next = reopen(engine, commands);
    if (next === undefined) break;
    source = next;
    say({ type: 'running' });
  }
  commands.poll();
  commands.pollChanges();
  commands.finish();
  matcher.finish();
  sink?.patient();
  engine.finish(stopped() ? 'shutdown' : 'end of file');
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
  say(protocolsMessage(engine, names));
  closeRing();
  closeRing = () => undefined;
  if (dpi !== undefined) native.dpiClose(dpi);
  say({ type: 'ended' });
}

/**
 * Before a visit of a file: the scripts have seen what the last visit said, and what they want of flows is known. So every run gives
 * the same. Where no script changes flows, nothing is waited for.
 */
function settleScripts(events: Events | undefined, commands: Commands): void {
  if (events === undefined) return;
  while (Atomics.load(control, CONTROL_HOST_READY) === 0) Atomics.wait(control, CONTROL_HOST_READY, 0);
  if (Atomics.load(control, CONTROL_FEEDS_BACK) === 0) return;
  events.waitUntilRead();
  commands.poll();
  commands.pollChanges();
}

/** Tries until the interface is there again; its flows go on being visited. @returns undefined when stopped */
function reopen(engine: FlowEngine, commands: Commands): PacketSource | undefined {
  const tend = (): void => {
    commands.poll();
    commands.pollChanges();
    while (commands.work());
    while (engine.advance(clock.now(), SLICE_FLOWS));
  };
  let source: PacketSource | undefined;
  while (source === undefined) {
    Atomics.wait(control, CONTROL_STOP, 0, RETRY_MS);
    if (stopped()) return undefined;
    tend();
    try {
      source = openSource();
    } catch {
      // still away: it was reported when it was lost, and `interface.lost` counts it
    }
  }
  gate?.arrive();
  const began = native.wallClock();
  while (gate?.wait(GATE_SLICE_MS) === false && !stopped() && native.wallClock() - began < GATE_US) tend();
  source.admit?.();
  return source;
}

/** What came before an error is still read by the script host. */
let closeRing = (): void => {
  if (data.ring !== undefined) createRingWriter(data.ring).close();
};

try {
  main();
} catch (error) {
  const { message, code = '' } = error as Error & { code?: string };
  closeRing();
  say({ type: 'failed', error: message, code });
}
