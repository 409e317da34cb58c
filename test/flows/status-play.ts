/**
 * Plays frames, and changes made between them, and tells the statuses as a user gets them: from the lines of the export.
 *
 *   frames, changes ──► decoder ──► engine, nDPI ──► events ──► flowLine ──► Told
 */
import type { RaisedFlowAlert } from '../../src/alerts/alert.ts';
import { raisedByCore } from '../../src/alerts/raise.ts';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine, type FlowEngine } from '../../src/flows/engine.ts';
import type { Callback } from '../../src/flows/event.ts';
import { flowLine } from '../../src/flows/export.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/flows/policy.ts';
import { createEventView } from '../../src/flows/view.ts';
import { compileLists } from '../../src/hosts/lists/compile.ts';
import type { ListFormat } from '../../src/hosts/lists/declaration.ts';
import { type Lists, openLists } from '../../src/hosts/lists/lookup.ts';
import { parseList } from '../../src/hosts/lists/parse.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { native } from '../../src/native.ts';
import { BATCH_PACKETS, createBatch, createScratch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { DEFAULT_PREFERENCES, type Preferences } from '../../src/preferences.ts';
import { namesFor, type TimedFrame } from '../support/play.ts';

/** Something that happens between the packets. */
export interface Change {
  /** Seconds after the start; packets of that time come later. */
  readonly at: number;
  readonly make: (engine: FlowEngine) => void;
}

export interface StatusPlayOptions {
  readonly preferences?: Partial<Preferences>;
  readonly policy?: Partial<Omit<Policy, 'preferences'>>;
  readonly changes?: readonly Change[];
  /** Flow records instead of packets: false. */
  readonly packetInterface?: boolean;
  /** No visits on packet time: `advance` of a change drives them. */
  readonly manual?: boolean;
  /** An alert of an intrusion detection system about the flow of this frame, once the frames are in. */
  readonly ids?: { readonly frame: TimedFrame; readonly severe: boolean };
}

/** One event. */
export interface Told {
  readonly at: number;
  readonly flow: number;
  readonly callbacks: readonly Callback[];
  /** Ids of the statuses that are set, ascending. */
  readonly statuses: readonly number[];
  /** The flow as a line of the export. */
  readonly line: Readonly<Record<string, unknown>>;
  /** The alert that the core raised at this visit. */
  readonly alert: RaisedFlowAlert | undefined;
}

interface Seen {
  readonly events: readonly Told[];
  readonly counter: (name: string) => number;
}

export const START_US = 1_600_000_000_000_000;

/** Lists out of their lines. */
export const lists = (...of: { readonly lines: string; readonly category?: number; readonly format?: ListFormat }[]): Lists =>
  openLists(
    compileLists(
      of.map(({ lines, category, format }, i) =>
        parseList(Buffer.from(lines, 'latin1'), {
          name: `list${i}`,
          category: category ?? 100,
          format: format ?? 'auto',
          from: `list${i}`,
        }),
      ),
    ),
  );

/** The bitmap's ids, from the number of the export. */
export const idsOf = (bitmap: number): number[] =>
  Array.from({ length: 53 }, (_, id) => id).filter((id) => Math.floor(bitmap / 2 ** id) % 2 === 1);

export const withPreferences = (changed: Partial<Preferences>): Preferences => ({ ...DEFAULT_PREFERENCES, ...changed });

export function watch(frames: readonly TimedFrame[], options: StatusPlayOptions = {}): Seen {
  const counters = new Float64Array(COUNTERS.length);
  const localNetworks = createPrefixSet();
  for (const network of ['10.0.0.0/8', '192.168.0.0/16', 'fd00::/8', 'fe80::/10']) localNetworks.add(network);
  const dpi = native.dpiCreate(1000);
  const names = { ...namesFor(dpi, localNetworks.texts), packetInterface: options.packetInterface ?? true };
  const bytes = new Uint8Array(64 << 10);
  const view = createEventView(names);
  const events: Told[] = [];
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows: 1000,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi,
    names,
    localNetworks,
    policy: { ...DEFAULT_POLICY, ...options.policy, preferences: withPreferences(options.preferences ?? {}) },
    counters,
    visitsInline: options.manual !== true,
    sink: {
      bytes,
      reserve: () => 0,
      commit() {
        view.set(bytes, 0);
        const line = JSON.parse(flowLine(view)) as Record<string, unknown>;
        events.push({
          at: (view.time() - START_US) / 1e6,
          flow: view.seq(),
          callbacks: [...view.callbacks()],
          statuses: idsOf(line.status_map as number),
          line,
          alert: view.alertedNow() ? raisedByCore(view) : undefined,
        });
      },
    },
  });
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START), 1);
  const batch = createBatch(1);
  const scratch = createScratch();
  const decode = (some: readonly TimedFrame[], then: () => void): void => {
    let at = 0;
    batch.count = 0;
    for (const frame of some) {
      batch.bytes.set(frame.bytes, at);
      batch.frames.set([at, frame.bytes.length, frame.bytes.length], batch.count * FRAME_WORDS);
      batch.times[batch.count++] = START_US + Math.round(frame.at * 1e6);
      at += frame.bytes.length;
    }
    for (let from = 0; from < batch.count; ) {
      from = decoder.decode(batch, from, scratch);
      then();
    }
  };
  const changes = [...(options.changes ?? [])];
  let waiting: TimedFrame[] = [];
  const give = (): void => {
    decode(waiting, () => engine.process(scratch, batch.bytes));
    waiting = [];
  };
  let second = 0;
  /** The visits of a silence until then. */
  const elapse = (to: number): void => {
    for (; second <= to; second++) engine.advance(START_US + second * 1e6, Number.MAX_SAFE_INTEGER);
  };
  for (const frame of frames) {
    while (changes[0] !== undefined && changes[0].at <= frame.at) {
      give();
      const change = changes.shift() as Change;
      if (options.manual !== true) elapse(change.at);
      change.make(engine);
    }
    waiting.push(frame);
    if (waiting.length === BATCH_PACKETS) give();
  }
  give();
  const { ids } = options;
  if (ids !== undefined) decode([ids.frame], () => engine.report(scratch, batch.bytes, 0, '{"alert":{"severity":1}}', ids.severe));
  for (const change of changes) change.make(engine);
  engine.finish('end of file');
  native.dpiClose(dpi);
  return { events, counter: (name) => counters[counterIndex(name)] as number };
}
