/**
 * Runs the real engine and the model side by side over the same actions and says where they differ.
 *
 *   actions ──► decoder ► engine ► event bytes ► EventView ► FIELDS ┐
 *         └───► one frame at a time ► model ────────────────────────┴─► first difference, as text
 */
import { isDeepStrictEqual } from 'node:util';
import { COUNTERS, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import { E_DETAIL, E_DETAIL_LENGTH, type EndReason } from '../../src/flows/event.ts';
import { fieldByKey } from '../../src/flows/fields.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { createEventView, type EventView } from '../../src/flows/view.ts';
import { compileLists } from '../../src/hosts/lists/compile.ts';
import { type Lists, openLists } from '../../src/hosts/lists/lookup.ts';
import { parseList } from '../../src/hosts/lists/parse.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { type DpiHandle, native } from '../../src/native.ts';
import { createBatch, createScratch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { DEFAULT_PREFERENCES, type Preferences } from '../../src/preferences.ts';
import { namesFor } from '../support/play.ts';
import { type Found, readBlock } from './detection.ts';
import { fieldsOf, MODELLED } from './fields.ts';
import type { Flow, Visit } from './flow.ts';
import type { Listed } from './lists.ts';
import { createModel, type ModelPolicy } from './model.ts';
import { createPacketReader, type Frame } from './packet.ts';

export type Action =
  /** One batch. */
  | { readonly do: 'packets'; readonly frames: readonly Frame[] }
  | { readonly do: 'configure'; readonly preferences: Partial<Preferences>; readonly listed?: readonly Listed[] | undefined }
  /** Live: the clock, µs; a visit that falls due is worked off in slices of so many flows. */
  | { readonly do: 'advance'; readonly time: number; readonly flows: number }
  | { readonly do: 'finish'; readonly reason: EndReason };

export interface Setting {
  readonly inline: boolean;
  readonly maxFlows: number;
  readonly dpiPackets: { readonly tcp: number; readonly udp: number };
  readonly preferences: Partial<Preferences>;
  readonly listed: readonly Listed[];
  /** Events for which the ring has no room: the n-th is lost where `lost[n % length]`. */
  readonly lost: readonly boolean[];
}

const LOCAL_NETWORKS = ['10.0.0.0/8', '192.168.0.0/16', '192.168.7.0/24', 'fd00::/8'];

/** Details of nDPI that flowpatrol adds or moves: their own tests look at them. */
const OWN_DETAILS = ['tls.ja4', 'quic.version', 'dpi.category'];

interface Said {
  readonly time: number;
  readonly visit: number;
  readonly flow: number;
  readonly callbacks: string;
  readonly end: string;
  readonly statusBefore: number;
  readonly alertNow: boolean;
  readonly alertedStatus: number;
  readonly found: Readonly<Record<string, unknown>>;
  readonly fields: Readonly<Record<string, unknown>>;
}

const describeFound = (found: Found | undefined, category: number, quoted: string | undefined): Record<string, unknown> => {
  const details = new Map([...(found?.details ?? [])].filter(([name]) => !OWN_DETAILS.includes(name)));
  if (quoted !== undefined) details.set('icmp.unreach', quoted);
  const head = { application: found?.application ?? 0, master: found?.master ?? 0, breed: found?.breed ?? 0, category };
  return { ...head, confidence: found?.confidence ?? 0, risks: found?.risks ?? [0, 0], ...Object.fromEntries([...details].sort()) };
};

function readEvent(view: EventView, detailNames: readonly string[]): Said {
  const at = view.offset();
  const length = new DataView(view.bytes().buffer, view.bytes().byteOffset + at).getUint32(E_DETAIL_LENGTH, true);
  const found = length === 0 ? undefined : readBlock(view.bytes().slice(at + E_DETAIL, at + E_DETAIL + length), detailNames);
  return {
    time: view.time(),
    visit: view.visit(),
    flow: view.seq(),
    callbacks: view.callbacks().join(' '),
    end: view.endReason(),
    statusBefore: view.statusBefore(),
    alertNow: view.alertedNow(),
    alertedStatus: view.alertedStatus(),
    found: describeFound(found, found?.category ?? 0, undefined),
    fields: Object.fromEntries(MODELLED.map((key) => [key, fieldByKey.get(key)?.read(view)])),
  };
}

const ORDER = ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle'] as const;

const expectEvent = (flow: Flow, visit: Visit): Said => ({
  time: visit.time,
  visit: visit.visit,
  flow: flow.number,
  callbacks: ORDER.filter((callback) => visit.callbacks.includes(callback)).join(' '),
  end: visit.end,
  statusBefore: visit.before.reduce((bits, id) => bits + 2 ** id, 0),
  alertNow: visit.alertNow,
  alertedStatus: flow.alerted,
  found: describeFound(flow.found, visit.category, flow.quoted),
  fields: fieldsOf(flow, visit),
});

/** @param rounded the numbers went through single precision: they agree to seven digits */
function agree(expected: unknown, actual: unknown, rounded: boolean): boolean {
  if (typeof expected === 'number' && typeof actual === 'number') {
    return rounded ? Math.abs(expected - actual) <= 3e-7 * Math.abs(expected) : expected === actual;
  }
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) return expected === actual;
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].every((key) => agree(Reflect.get(expected, key), Reflect.get(actual, key), rounded));
}

const isRounded = (key: string): boolean => fieldByKey.get(key)?.type === 'float' || key.startsWith('interarrival.');

function differences(expected: object, actual: object): string[] {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].flatMap((key) => {
    const [wanted, got] = [Reflect.get(expected, key), Reflect.get(actual, key)] as unknown[];
    if (agree(wanted, got, isRounded(key))) return [];
    if (key === 'fields' || key === 'found') return differences(wanted as object, got as object);
    return [`${key}: expected ${JSON.stringify(wanted)}, is ${JSON.stringify(got)}`];
  });
}

const title = ({ time, visit, flow, callbacks, end }: Said): string =>
  `visit ${visit} at ${time / 1e6} s, flow ${flow}: ${callbacks || 'alert'}${end === '' ? '' : ` (${end})`}`;

function compareEvents(expected: readonly Said[], actual: readonly Said[]): string {
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    const [wanted, got] = [expected[i], actual[i]];
    if (wanted === undefined) return `event ${i} is not expected: ${title(got)}`;
    if (got === undefined) return `event ${i} is missing: ${title(wanted)}`;
    const found = differences(wanted, got);
    if (found.length > 0) return `event ${i}, ${title(wanted)}\n  ${found.join('\n  ')}`;
  }
  return '';
}

function openListed(listed: readonly Listed[]): Lists {
  const categories = [...new Set(listed.map(({ category }) => category))];
  const parsed = categories.map((category) => {
    const text = listed.filter((entry) => entry.category === category).map(({ what }) => what);
    return parseList(Buffer.from(`${text.join('\n')}\n`), { name: `list${category}`, category, format: 'auto', from: 'test' });
  });
  return openLists(compileLists(parsed));
}

/** Counters that the model knows. */
const COUNTED = [
  ...['flows.created', 'flows.ended', 'flows.evicted', 'flows.peak', 'visits', 'visits.late', 'alerts.core', 'dpi.given-up'],
  ...ORDER.map((callback) => `callbacks.${callback}`),
];

// a batch is large, and runs are many
const batch = createBatch(1);
const scratch = createScratch();

/** Modules of nDPI are expensive: all runs of a file share two, which see the same packets in the same order. */
let modules: readonly [DpiHandle, DpiHandle] | undefined;

/** @returns `''`, or how the engine differs from the model */
export function runBeside(setting: Setting, actions: readonly Action[]): string {
  modules ??= [native.dpiCreate(4096), native.dpiCreate(4096)];
  const [dpi, modelDpi] = modules;
  const counters = new Float64Array(COUNTERS.length);
  const localNetworks = createPrefixSet();
  for (const network of LOCAL_NETWORKS) localNetworks.add(network);
  const names = namesFor(dpi, localNetworks.texts);
  const preferences = { ...DEFAULT_PREFERENCES, ...setting.preferences };
  const bytes = new Uint8Array(64 << 10);
  const view = createEventView(names);
  const actual: Said[] = [];
  let asked = 0;
  const isLost = (event: number): boolean => setting.lost[event % setting.lost.length] ?? false;
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows: setting.maxFlows,
    dpiPackets: setting.dpiPackets,
    dpi,
    names,
    localNetworks,
    policy: { ...DEFAULT_POLICY, preferences, lists: openListed(setting.listed) },
    counters,
    visitsInline: setting.inline,
    sink: {
      bytes,
      reserve: () => (isLost(asked++) ? -1 : 0),
      commit() {
        view.set(bytes, 0);
        actual.push(readEvent(view, names.details));
      },
    },
  });
  const expected: Said[] = [];
  let emitted = 0;
  const model = createModel(
    {
      maxFlows: setting.maxFlows,
      dpiPackets: setting.dpiPackets,
      dpi: modelDpi,
      protocols: names.protocols,
      details: names.details,
      localNetworks: LOCAL_NETWORKS,
      policy: { preferences, listed: setting.listed },
      inline: setting.inline,
    },
    (flow, visit) => {
      if (!isLost(emitted++)) expected.push(expectEvent(flow, visit));
    },
  );

  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START), 1);
  const readPacket = createPacketReader();
  let current = preferences;
  let all = false; // the next visit, or the one under way, looks at every flow: slices of it fall where the model's do
  let underWay = false;
  for (const action of actions) {
    if (action.do === 'packets') {
      let at = 0;
      batch.count = 0;
      for (const frame of action.frames) {
        batch.bytes.set(frame.bytes, at);
        batch.frames.set([at, frame.bytes.length, frame.wire ?? frame.bytes.length], batch.count * FRAME_WORDS);
        batch.times[batch.count++] = frame.time;
        batch.linkType = frame.linkType ?? 1;
        at += frame.bytes.length;
      }
      for (let from = 0; from < batch.count; ) {
        from = decoder.decode(batch, from, scratch);
        engine.process(scratch, batch.bytes);
      }
      for (const frame of action.frames) {
        const packet = readPacket(frame);
        if (packet !== undefined) model.packet(packet);
      }
    } else if (action.do === 'configure') {
      current = { ...current, ...action.preferences };
      const { listed } = action;
      engine.configure({ preferences: current, ...(listed === undefined ? {} : { lists: openListed(listed) }) });
      model.configure({ preferences: current, ...(listed === undefined ? {} : { listed }) } satisfies Partial<ModelPolicy>);
      if (!underWay) all = true;
    } else if (action.do === 'advance') {
      if (all) {
        const wasUnderWay = underWay;
        underWay = engine.advance(action.time, action.flows);
        const began = model.counters.visits;
        if (model.advance(action.time, action.flows) !== underWay) return `a slice of the visit at ${action.time} ended elsewhere`;
        if (!underWay && (wasUnderWay || model.counters.visits !== began)) all = false;
      } else {
        while (engine.advance(action.time, action.flows));
        model.advance(action.time, Number.POSITIVE_INFINITY);
      }
    } else {
      engine.finish(action.reason);
      model.finish(action.reason);
    }
  }

  const difference = compareEvents(expected, actual);
  if (difference !== '') return difference;
  if (emitted !== asked) return `${asked} events were written, ${emitted} expected`;
  for (const name of COUNTED) {
    const value = counters[COUNTERS.findIndex((counter) => counter.name === name)];
    if (value !== (model.counters[name] ?? 0)) return `counter ${name}: expected ${model.counters[name] ?? 0}, is ${value}`;
  }
  const ended = engine.protocols().map((of) => [`${of.master}.${of.app}`, [of.flows, of.packets, of.bytes]] as const);
  if (!isDeepStrictEqual(new Map(ended), new Map(model.ended))) return 'totals by protocol differ';
  return '';
}
