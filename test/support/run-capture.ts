/**
 * Takes one capture through the real pipeline in this process, without threads and without the ring:
 *
 *   source → decoder → flow engine → event bytes → EventView → `onEvent`
 *
 * Each run has an interface and a detection module of its own. Called by tests; the product's own loop is
 * src/interfaces/worker.ts.
 */

import { DEFAULT_CONFIG } from '../../src/config.ts';
import { namesOf } from '../../src/dpi/names.ts';
import { COUNTERS, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine, type FlowEngine } from '../../src/flows/engine.ts';
import { eventLine, flowLine } from '../../src/flows/export.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { createEventView, type EventView } from '../../src/flows/view.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { openFile } from '../../src/interfaces/pcap/source.ts';
import { SOURCE_FAILED } from '../../src/interfaces/source.ts';
import { native } from '../../src/native.ts';
import { BATCH_PACKETS, createBatch, createScratch } from '../../src/packet/batch.ts';
import { createDecoder } from '../../src/packet/decode.ts';

export interface RunOptions {
  /** Seconds. */
  readonly visitPeriod?: number;
  /** Seconds. */
  readonly maxIdle?: number;
  readonly dpiPackets?: { readonly tcp: number; readonly udp: number };
  readonly maxFlows?: number;
  /** Packets that go through decoder and engine at a time, at most {@link BATCH_PACKETS}; a function is asked for each batch. */
  readonly batchPackets?: number | (() => number);
  /** Detection; on if left out. */
  readonly dpi?: boolean;
  /** Called after each batch. */
  readonly afterBatch?: (engine: FlowEngine) => void;
}

export interface CaptureRun {
  /** Counters that are not 0, by name. */
  readonly counters: Readonly<Record<string, number>>;
  /** What was wrong with the file, found while it was read; `''` for nothing. */
  readonly damage: string;
}

const EVENT_BYTES = 1 << 17;

/** Counters of time, which no two runs have in common. */
export const TIME_COUNTERS: readonly string[] = ['visits.cpu', 'visits.longest'];

/** @throws when the file cannot be opened or is no capture */
export function runCapture(path: string, options: RunOptions, onEvent: (view: EventView) => void): CaptureRun {
  const maxFlows = options.maxFlows ?? 20_000;
  const source = openFile(path, '');
  const counters = new Float64Array(COUNTERS.length);
  const localNetworks = createPrefixSet();
  for (const network of DEFAULT_CONFIG.localNetworks) localNetworks.add(network);
  const dpi = options.dpi === false ? undefined : native.dpiCreate(maxFlows + 1); // record 0 is none
  const names = namesOf(native, dpi, {
    localNetworks: localNetworks.texts,
    interfaceName: 'test',
    run: 'run',
    packetInterface: true,
    sampled: false,
  });
  const view = createEventView(names);
  const bytes = new Uint8Array(EVENT_BYTES);
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows,
    dpiPackets: options.dpiPackets ?? DEFAULT_CONFIG.dpiPackets,
    dpi,
    names,
    localNetworks,
    policy: {
      ...DEFAULT_POLICY,
      preferences: {
        ...DEFAULT_POLICY.preferences,
        ...(options.visitPeriod === undefined ? {} : { housekeeping_frequency: options.visitPeriod }),
        ...(options.maxIdle === undefined ? {} : { flow_max_idle: options.maxIdle }),
      },
    },
    counters,
    sink: {
      bytes,
      reserve: () => 0,
      commit() {
        view.set(bytes, 0);
        onEvent(view);
      },
    },
    visitsInline: true,
  });
  const decoder = createDecoder({ gtp: true, gre: false, vxlan: false }, counters.subarray(DECODE_COUNTERS_START), 0);
  const batch = createBatch(1);
  const scratch = createScratch();
  const asked = options.batchPackets ?? BATCH_PACKETS;
  const batchPackets = typeof asked === 'function' ? asked : () => asked;

  let damage = '';
  try {
    for (;;) {
      const answer = source.read(batch);
      if (answer === SOURCE_FAILED) damage = source.error();
      if (answer < 0) break;
      const read = batch.count;
      for (let from = 0; from < read; ) {
        batch.count = Math.min(read, from + batchPackets());
        while (from < batch.count) {
          from = decoder.decode(batch, from, scratch);
          engine.process(scratch, batch.bytes);
        }
        options.afterBatch?.(engine);
      }
    }
    engine.finish('end of file');
  } finally {
    damage = source.close() || damage;
    if (dpi !== undefined) native.dpiClose(dpi);
  }
  const entries = COUNTERS.map(({ name }, i): [string, number] => [name, counters[i] as number]);
  return { counters: Object.fromEntries(entries.filter(([, value]) => value !== 0)), damage };
}

export interface ExportedRun extends CaptureRun {
  /** Lines as `--export-flows` writes them. */
  readonly flows: readonly string[];
  /** Lines as `--export-events` writes them. */
  readonly events: readonly string[];
}

/** A run with everything that it would export. */
export function exportCapture(path: string, options: RunOptions = {}): ExportedRun {
  const flows: string[] = [];
  const events: string[] = [];
  const run = runCapture(path, options, (view) => {
    const callbacks = view.callbacks();
    for (const callback of callbacks) events.push(eventLine(view, callback));
    if (callbacks.includes('idle')) flows.push(flowLine(view));
  });
  return { ...run, flows, events };
}
