/**
 * Plays frames through decoder, flow engine and the real nDPI on packet time, and gives the lifecycle events back as plain
 * objects. `cut` says how many packets come in one batch.
 */
import { readFileSync } from 'node:fs';
import { namesOf } from '../../src/dpi/names.ts';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import {
  CALLBACKS,
  type Callback,
  E_CALLBACKS,
  E_CLIENT_PORT,
  E_END,
  E_RECORD,
  E_SEQ,
  E_STATUS_BEFORE,
  E_TIME,
  E_VISIT,
  END_REASONS,
} from '../../src/flows/event.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/flows/policy.ts';
import {
  D_BYTES,
  D_PACKETS,
  P_KEEP_ALIVE,
  P_LOST,
  P_OUT_OF_ORDER,
  P_RETRANSMITTED,
  R_ANSWER,
  R_BPS0,
  R_DIR,
  R_DIR_BYTES,
  R_PREV_BYTES0,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_STATUS,
  R_TREND_BPS,
} from '../../src/flows/record.ts';
import type { Names } from '../../src/flows/view.ts';
import { compileLists } from '../../src/hosts/lists/compile.ts';
import { parseListOption } from '../../src/hosts/lists/declaration.ts';
import { type Lists, openLists } from '../../src/hosts/lists/lookup.ts';
import { parseList } from '../../src/hosts/lists/parse.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { type DpiHandle, native } from '../../src/native.ts';
import { BATCH_PACKETS, createBatch, createScratch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import type { Preferences } from '../../src/preferences.ts';

export interface TimedFrame {
  /** Seconds after the start, which lies on a multiple of 1,000 s. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface PlayOptions {
  readonly visitPeriod?: number;
  readonly maxIdle?: number;
  readonly maxFlows?: number;
  readonly detailWaitMs?: number;
  readonly dpiPackets?: { readonly tcp: number; readonly udp: number };
  readonly blacklists?: readonly string[];
  readonly preferences?: Partial<Preferences>;
  readonly policy?: Partial<Policy>;
  readonly cut?: number;
}

export interface PlayedEvent {
  /** Seconds after the start. */
  readonly at: number;
  readonly visit: number;
  readonly flow: number;
  readonly callbacks: readonly Callback[];
  readonly end: string;
  readonly clientPort: number;
  readonly status: number;
  readonly statusBefore: number;
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
  /** Client's bytes since the previous visit. */
  readonly lastBytes: number;
  /** Client's bytes per second. */
  readonly rate: number;
  readonly trend: number;
  readonly answerUs: number;
  /** retransmitted, out of order, lost, keep-alive: of the client, of the server. */
  readonly problems: readonly (readonly number[])[];
}

export interface Played {
  readonly events: readonly PlayedEvent[];
  readonly counter: (name: string) => number;
}

export const namesFor = (dpi: DpiHandle | undefined, localNetworks: readonly string[]): Names =>
  namesOf(native, dpi, { localNetworks, interfaceName: 'play', run: 'run', packetInterface: true, sampled: false });

/** Lists of malware from files, in any format. */
const listsOf = (files: readonly string[]): Lists =>
  openLists(compileLists(files.map((file) => parseList(readFileSync(file), parseListOption(file)))));

const START_US = 1_600_000_000_000_000;

export function play(frames: readonly TimedFrame[], options: PlayOptions = {}): Played {
  const maxFlows = options.maxFlows ?? 1000;
  const counters = new Float64Array(COUNTERS.length);
  const localNetworks = createPrefixSet();
  for (const network of ['10.0.0.0/8', '192.168.0.0/16', 'fd00::/8']) localNetworks.add(network);
  const bytes = new Uint8Array(64 << 10);
  const events: PlayedEvent[] = [];
  const dpi = native.dpiCreate(maxFlows);
  const view = new DataView(bytes.buffer);
  const pair = (offset: number, read: (at: number) => number): [number, number] => [
    read(E_RECORD + R_DIR + offset),
    read(E_RECORD + R_DIR + R_DIR_BYTES + offset),
  ];
  const problems = (direction: number): number[] =>
    [P_RETRANSMITTED, P_OUT_OF_ORDER, P_LOST, P_KEEP_ALIVE].map((which) =>
      view.getUint32(E_RECORD + R_PROBLEMS + direction * R_PROBLEMS_BYTES + which, true),
    );
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows,
    dpiPackets: options.dpiPackets ?? { tcp: 12, udp: 12 },
    dpi,
    names: namesFor(dpi, localNetworks.texts),
    localNetworks,
    policy: {
      ...DEFAULT_POLICY,
      ...(options.blacklists === undefined ? {} : { lists: listsOf(options.blacklists) }),
      ...options.policy,
      preferences: {
        ...DEFAULT_POLICY.preferences,
        housekeeping_frequency: options.visitPeriod ?? 5,
        flow_max_idle: options.maxIdle ?? 60,
        detail_wait: options.detailWaitMs ?? 1000,
        ...options.preferences,
      },
    },
    counters,
    visitsInline: true,
    sink: {
      bytes,
      reserve: () => 0,
      commit() {
        events.push({
          at: (view.getFloat64(E_TIME, true) - START_US) / 1e6,
          visit: view.getUint32(E_VISIT, true),
          flow: view.getFloat64(E_SEQ, true),
          callbacks: CALLBACKS.filter((_, bit) => (view.getUint8(E_CALLBACKS) & (1 << bit)) !== 0),
          end: END_REASONS[view.getUint8(E_END)] as string,
          clientPort: view.getUint16(E_CLIENT_PORT, true),
          status: view.getUint32(E_RECORD + R_STATUS, true),
          statusBefore: view.getUint32(E_STATUS_BEFORE, true),
          packets: pair(D_PACKETS, (at) => view.getUint32(at, true)),
          bytes: pair(D_BYTES, (at) => view.getFloat64(at, true)),
          lastBytes: view.getFloat64(E_RECORD + R_DIR + D_BYTES, true) - view.getFloat64(E_RECORD + R_PREV_BYTES0, true),
          rate: view.getFloat32(E_RECORD + R_BPS0, true),
          trend: view.getUint8(E_RECORD + R_TREND_BPS),
          answerUs: Math.max(0, view.getUint32(E_RECORD + R_ANSWER, true) - 1),
          problems: [problems(0), problems(1)],
        });
      },
    },
  });
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START), 1);
  const batch = createBatch(1);
  const scratch = createScratch();
  const cut = Math.min(options.cut ?? BATCH_PACKETS, BATCH_PACKETS);
  for (let first = 0; first < frames.length; first += cut) {
    let at = 0;
    batch.count = 0;
    for (const frame of frames.slice(first, first + cut)) {
      batch.bytes.set(frame.bytes, at);
      batch.frames.set([at, frame.bytes.length, frame.bytes.length], batch.count * FRAME_WORDS);
      batch.times[batch.count++] = START_US + Math.round(frame.at * 1e6);
      at += frame.bytes.length;
    }
    for (let from = 0; from < batch.count; ) {
      from = decoder.decode(batch, from, scratch);
      engine.process(scratch, batch.bytes);
    }
  }
  engine.finish('end of file');
  native.dpiClose(dpi);
  return { events, counter: (name) => counters[counterIndex(name)] as number };
}
