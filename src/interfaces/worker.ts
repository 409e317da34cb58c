/**
 * The thread of a packet interface, or one of several that share a live one: source → decode → flow engine → ring of lifecycle
 * events. It never turns an event loop: it reads, works, and looks at the shared control words. Started by threads.ts with
 * InterfaceData.
 */
import { workerData } from 'node:worker_threads';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../flows/counters.ts';
import { native } from '../native.ts';
import { createBatch, createScratch } from '../packet/batch.ts';
import { createDecoder } from '../packet/decode.ts';
import { createSteadyClock } from './live/clock.ts';
import { createGate } from './live/gate.ts';
import { openLive } from './live/source.ts';
import { pace } from './pcap/paced.ts';
import { regulate } from './pcap/regulated.ts';
import { openFile } from './pcap/source.ts';
import { CONTROL_STOP, GAUGE_POSITION, GAUGE_SIZE, type InterfaceData } from './protocol.ts';
import { type PacketSource, SOURCE_END, SOURCE_FAILED } from './source.ts';
import { createThread, fail, SLICE_FLOWS, say, type Thread } from './thread.ts';

const data = workerData as InterfaceData;
const { config, crew } = data;
const control = new Int32Array(data.control);
const clock = createSteadyClock();
const gate = crew && createGate(crew.gate, crew.threads);

/** How often a lost interface is tried again, ms. */
const RETRY_MS = 500;
/** How long a thread that has its interface back waits for those that share it, µs. */
const GATE_US = 5_000_000;
const GATE_SLICE_MS = 50;
/** Longest time that the kernel keeps a captured packet to itself, µs: twice the read time-out of a live source. */
const DRAIN_US = 100_000;
/** Batches between two looks at drops and position. */
const GAUGE_BATCHES = 64;

function openSource(): PacketSource {
  if (data.kind === 'packet' && !config.originalSpeed) {
    return openLive(data.name, crew ? { ...config, fanout: { group: crew.group, size: crew.threads } } : config, clock);
  }
  const file = openFile(data.file ?? data.name, config.filter);
  return config.originalSpeed ? pace(file) : regulate(file, control);
}

/** Takes a source to its end, or to the stop. @returns the answer of the last read: SOURCE_END, SOURCE_FAILED, or 0 when stopped */
function run(
  source: PacketSource,
  dropsBefore: readonly [number, number],
  thread: Thread,
  decode: ReturnType<typeof createDecoder>['decode'],
): number {
  const { engine, counters, gauges } = thread;
  const batch = createBatch(1);
  const scratch = createScratch();
  const kernelDrops = counterIndex('drops.kernel');
  const deviceDrops = counterIndex('drops.interface');
  let answer = 0;
  let round = 0;
  gauges[GAUGE_SIZE] = source.size;
  const look = (): void => {
    const [kernel, device] = source.drops();
    counters[kernelDrops] = dropsBefore[0] + kernel;
    counters[deviceDrops] = dropsBefore[1] + device;
    gauges[GAUGE_POSITION] = source.position();
    thread.report();
  };
  let stopTime = 0; // once stopped, what the kernel holds from before is still read: it was captured, so it counts
  for (;;) {
    if (stopTime === 0 && thread.stopped()) {
      if (!source.live) break;
      stopTime = native.wallClock();
    }
    answer = source.read(batch);
    if (answer < 0) break;
    for (let from = 0; from < batch.count; ) {
      from = decode(batch, from, scratch);
      engine.process(scratch, batch.bytes);
    }
    thread.obey(answer === 0);
    if (source.live) thread.visit(answer === 0 ? source.quietUntil() : engine.clock());
    if (answer === 0 || thread.waited() || ++round % GAUGE_BATCHES === 0) look();
    if (stopTime > 0 && (engine.clock() > stopTime || (answer === 0 && native.wallClock() - stopTime > DRAIN_US))) break;
  }
  look();
  return answer < 0 ? answer : 0;
}

function main(): void {
  let source = openSource();
  const thread = createThread(data, { live: source.live, packetInterface: true, sampled: false });
  const { counters, commands } = thread;
  const decoder = createDecoder(
    { gtp: config.openGtp, gre: config.openGre, vxlan: config.openVxlan },
    counters.subarray(DECODE_COUNTERS_START, COUNTERS.length),
    thread.seed,
  );

  let drops: readonly [number, number] = [0, 0];
  gate?.arrive();
  while (gate?.wait(GATE_SLICE_MS) === false && !thread.stopped()) commands.poll();
  source.admit?.();
  say({ type: 'running' });
  for (;;) {
    const answer = run(source, drops, thread, decoder.decode);
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
    const next = reopen(thread);
    if (next === undefined) break;
    source = next;
    say({ type: 'running' });
  }
  thread.end(thread.stopped() ? 'shutdown' : 'end of file');
}

/** Tries until the interface is there again; its flows go on being visited. @returns undefined when stopped */
function reopen({ engine, commands, stopped }: Thread): PacketSource | undefined {
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

try {
  main();
} catch (error) {
  fail(data, error);
}
