/**
 * What can only be measured from inside: a visit of many flows, questions about them, and one event's way through the scripts. Prints one
 * JSON line.
 *
 *   node bench/inside.ts visit SMALL CHANGED     SMALL fills the table; CHANGED has packets of some of its flows
 *   node bench/inside.ts questions SMALL         the largest flows, those of a protocol, the hosts, of a table that SMALL fills
 *   node bench/inside.ts events SMALL            its lifecycle events, with detection, to 1, 5 and 20 scripts that read five fields
 *
 * CPU times are those of the calling thread. Called by run.ts, in a process of its own.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_CONFIG } from '../src/config.ts';
import { namesOf } from '../src/dpi/names.ts';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../src/flows/counters.ts';
import { createFlowEngine, type FlowEngine } from '../src/flows/engine.ts';
import { E_DETAIL } from '../src/flows/event.ts';
import type { EventSink } from '../src/flows/event-writer.ts';
import { DEFAULT_POLICY } from '../src/flows/policy.ts';
import { MOST_FLOWS } from '../src/flows/selection.ts';
import { createEventView, type Names } from '../src/flows/view.ts';
import { EMPTY_BOOK } from '../src/hosts/book.ts';
import { createPrefixSet } from '../src/hosts/prefixes.ts';
import { openFile } from '../src/interfaces/pcap/source.ts';
import type { ThreadAnswer } from '../src/interfaces/protocol.ts';
import { createQuestions } from '../src/interfaces/questions.ts';
import { type DpiHandle, native } from '../src/native.ts';
import { createBatch, createScratch } from '../src/packet/batch.ts';
import { createDecoder } from '../src/packet/decode.ts';
import type { FlowQuery } from '../src/patrol-types.ts';
import { DEFAULT_PREFERENCES } from '../src/preferences.ts';
import { createScriptCache } from '../src/scripts/cache.ts';
import { createScriptFiles } from '../src/scripts/files.ts';
import { createScriptHost } from '../src/scripts/host.ts';

const MAX_FLOWS = 1_000_000;
/** What a block of the detail arena has in front of it. */
const DETAIL_LENGTH_BYTES = 4;
const VISIT_US = DEFAULT_PREFERENCES.housekeeping_frequency * 1e6;
/** No flow ends while visits are measured. */
const NEVER_IDLE_S = 3600;
/** Flows between two looks at the clock, as in src/interfaces/worker.ts. */
const SLICE_FLOWS = 256;
const VISITS = 7;
const EVENT_BYTES = 96 << 20;
const SCRIPT_COUNTS = [1, 5, 20];
/** The first round warms up and is not counted. */
const ROUNDS = 6;

const localNetworks = createPrefixSet();
for (const network of DEFAULT_CONFIG.localNetworks) localNetworks.add(network);

const namesFor = (dpi: DpiHandle | undefined): Names =>
  namesOf(native, dpi, {
    localNetworks: localNetworks.texts,
    interfaceName: 'bench',
    run: '0',
    packetInterface: true,
    sampled: false,
  });

function engineFor(counters: Float64Array, sink: EventSink, dpi: DpiHandle | undefined): FlowEngine {
  return createFlowEngine({
    interfaceId: 0,
    maxFlows: MAX_FLOWS,
    dpiPackets: DEFAULT_CONFIG.dpiPackets,
    dpi,
    names: namesFor(dpi),
    localNetworks,
    policy: { ...DEFAULT_POLICY, preferences: { ...DEFAULT_POLICY.preferences, flow_max_idle: NEVER_IDLE_S } },
    counters,
    sink,
    visitsInline: dpi !== undefined,
  });
}

/** Feeds a capture, its packets `later` µs after their own time. */
function feed(engine: FlowEngine, counters: Float64Array, path: string, later: number): void {
  const source = openFile(path, '');
  const { decode } = createDecoder({ gtp: true, gre: false, vxlan: false }, counters.subarray(DECODE_COUNTERS_START, COUNTERS.length), 0);
  const batch = createBatch(1);
  const scratch = createScratch();
  while (source.read(batch) >= 0) {
    for (let from = 0; from < batch.count; ) {
      from = decode(batch, from, scratch);
      for (let i = 0; i < scratch.count; i++) scratch.times[i] = (scratch.times[i] as number) + later;
      engine.process(scratch, batch.bytes);
    }
  }
  const damage = source.close();
  if (damage !== '') throw new Error(damage);
}

/** Keeps events one after another until the buffer is full. */
function createKeeper(bytes: number): EventSink & { used(): number } {
  const buffer = new Uint8Array(bytes);
  let used = 0;
  return {
    bytes: buffer,
    reserve: (length) => (used + length <= bytes ? used : -1),
    commit(length) {
      used += length;
    },
    used: () => used,
  };
}

const median = (values: readonly number[]): number => values.toSorted((x, y) => x - y)[values.length >> 1] as number;

function visit(small: string, changed: string): object {
  const counters = new Float64Array(COUNTERS.length);
  const engine = engineFor(counters, createKeeper(1 << 20), undefined);
  const get = (name: string): number => counters[counterIndex(name)] as number;
  let slice = 0;
  const visitAll = (): number => {
    const before = get('visits.cpu');
    const done = get('visits');
    const due = engine.clock() + VISIT_US;
    for (;;) {
      const began = native.threadCpu();
      const more = engine.advance(due, SLICE_FLOWS);
      slice = Math.max(slice, native.threadCpu() - began);
      if (!more) break;
    }
    if (get('visits') !== done + 1) throw new Error(`${get('visits') - done} visits instead of one`);
    return (get('visits.cpu') - before) / 1000;
  };
  feed(engine, counters, small, 0);
  const flows = get('flows.created');
  const first = visitAll();
  visitAll(); // rates fall to zero here; from the next visit on the table is settled
  visitAll();
  slice = 0;
  const times: number[] = [];
  for (let i = 0; i < VISITS; i++) {
    feed(engine, counters, changed, (i + 3) * 60e6);
    times.push(visitAll());
  }
  if (get('flows.created') !== flows) throw new Error('the changed flows are not those of the table');
  return {
    flows,
    firstMs: first,
    medianMs: median(times),
    minMs: Math.min(...times),
    maxMs: Math.max(...times),
    longestSliceMs: slice / 1000,
  };
}

/** ms of CPU from each question to its answer, and of the longest slice between packets; bytes that a flow's details take on average. */
function questions(small: string): object {
  const counters = new Float64Array(COUNTERS.length);
  const dpi = native.dpiCreate(MAX_FLOWS + 1);
  const engine = engineFor(counters, createKeeper(1 << 20), dpi);
  feed(engine, counters, small, 0);
  const flows = counters[counterIndex('flows.created')] as number;
  const answers: ThreadAnswer[] = [];
  const asked = createQuestions(engine, namesFor(dpi), EMPTY_BOOK, (message) => {
    if (message.type === 'answer') answers.push(...message.parts);
  });
  let slice = 0;
  const ask = (query: Partial<FlowQuery>, as: 'flows' | 'hosts'): number => {
    answers.length = 0;
    const began = native.threadCpu();
    asked.ask({ type: 'query', id: 1, query: { filter: '', sort: 'bytes', descending: true, limit: 100, ...query }, as });
    for (let from = began, more = true; more; ) {
      more = asked.work();
      const now = native.threadCpu();
      slice = Math.max(slice, now - from);
      from = now;
    }
    const total = answers[0]?.total;
    if (total !== flows) throw new Error(`${total} flows were looked at instead of ${flows}`);
    return (native.threadCpu() - began) / 1000;
  };
  const kinds = {
    top: () => ask({}, 'flows'),
    filter: () => ask({ filter: 'proto == DNS', sort: 'seen.last' }, 'flows'),
    hosts: () => ask({ limit: MOST_FLOWS }, 'hosts'),
  };
  for (const one of Object.values(kinds)) for (let i = 0; i < 2; i++) one(); // compiled
  slice = 0;
  const spread = (one: () => number): object => {
    const times = Array.from({ length: VISITS }, one);
    return { medianMs: median(times), minMs: Math.min(...times), maxMs: Math.max(...times) };
  };
  const result = Object.fromEntries(Object.entries(kinds).map(([kind, one]) => [kind, spread(one)]));
  const look = engine.look(EMPTY_BOOK);
  let details = 0;
  for (let id = 1; id < engine.limit(); id++) if (look.at(id)) details += DETAIL_LENGTH_BYTES + look.view.length() - E_DETAIL; // in units of 8, like events
  return { flows, ...result, longestSliceMs: slice / 1000, detailBytes: details / flows };
}

async function events(small: string): Promise<object> {
  const counters = new Float64Array(COUNTERS.length);
  const keeper = createKeeper(EVENT_BYTES);
  const dpi = native.dpiCreate(MAX_FLOWS + 1);
  const names = namesFor(dpi);
  const engine = engineFor(counters, keeper, dpi);
  feed(engine, counters, small, 0);
  const view = createEventView(names);
  const words = new Uint32Array(keeper.bytes.buffer);
  const script = readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'scripts', 'one.lua'), 'utf8');
  const result: Record<string, object> = {};
  for (const count of SCRIPT_COUNTS) {
    const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-bench-scripts-'));
    try {
      for (let i = 0; i < count; i++) writeFileSync(join(folder, `s${i}.lua`), script.replace('"bench_one"', `"bench_${i}"`));
      const scripts = await createScriptHost({
        directories: [folder],
        interfaceId: 0,
        interfaceName: 'bench',
        live: false,
        names,
        preferences: () => DEFAULT_PREFERENCES,
        cache: createScriptCache({ now: () => 0 }),
        translate: () => undefined,
        sink: {
          alert: () => {},
          print: () => {},
          changes: () => {},
          loaded: () => {},
          switched: () => {},
          error: (name, callback, message) => {
            throw new Error(`${name} ${callback}: ${message}`);
          },
        },
      });
      scripts.change(createScriptFiles([folder], () => {}).scan());
      const times: number[] = [];
      let calls = 0;
      for (let round = 0; round < ROUNDS; round++) {
        calls = 0;
        const began = native.threadCpu();
        for (let at = 0; at < keeper.used(); at += words[at >> 2] as number) {
          view.set(keeper.bytes, at);
          for (const callback of view.callbacks()) {
            scripts.run(view, callback);
            calls++;
          }
        }
        if (round > 0) times.push((native.threadCpu() - began) / calls);
      }
      const made = scripts
        .reports()
        .flatMap((one) => Object.values(one.stats))
        .reduce((sum, stats) => sum + stats.calls, 0);
      if (made !== calls * count * ROUNDS) throw new Error(`${made} calls of scripts instead of ${calls * count * ROUNDS}`);
      scripts.close();
      result[count] = { events: calls, medianUs: median(times), minUs: Math.min(...times), maxUs: Math.max(...times) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return result;
}

const [what, small, changed] = process.argv.slice(2);
if (what === 'visit' && small !== undefined && changed !== undefined) console.log(JSON.stringify(visit(small, changed)));
else if (what === 'questions' && small !== undefined) console.log(JSON.stringify(questions(small)));
else if (what === 'events' && small !== undefined) console.log(JSON.stringify(await events(small)));
else throw new Error('usage: inside.ts visit SMALL CHANGED | questions SMALL | events SMALL');
