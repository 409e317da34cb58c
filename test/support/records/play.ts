/**
 * Plays flow records (or whatever a test hands to the engine) through the flow engine and the real nDPI on a clock that the test moves, and gives the lifecycle events back.
 * Clocks are seconds after {@link START_S}.
 */
import { namesOf } from '../../../src/dpi/names.ts';
import { COUNTERS, counterIndex } from '../../../src/flows/counters.ts';
import { createFlowEngine, type FlowEngine } from '../../../src/flows/engine.ts';
import type { FieldValue } from '../../../src/flows/fields/field.ts';
import { fieldByKey } from '../../../src/flows/fields.ts';
import { DEFAULT_POLICY } from '../../../src/flows/policy.ts';
import { createEventView, type EventView, type Names } from '../../../src/flows/view.ts';
import { createPrefixSet, parseIPv4, parseIPv6 } from '../../../src/hosts/prefixes.ts';
import { native } from '../../../src/native.ts';
import type { Preferences } from '../../../src/preferences.ts';
import { FlowRecord } from '../../../src/records/flow-record.ts';

/** A multiple of 3,000 s: visits of any usual period fall on whole numbers. */
export const START_S = 1_700_001_000;

/** A record as a test writes it: addresses as text, times in seconds after the start. */
export interface RecordText extends Partial<Omit<FlowRecord, 'src' | 'dst' | 'details' | 'more' | 'reset' | 'first' | 'last'>> {
  readonly from: string;
  readonly to: string;
  readonly first?: number;
  readonly last?: number;
  readonly details?: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, string | number>>;
}

const putAddress = (words: Uint32Array, text: string): number => {
  if (!text.includes(':')) {
    words[0] = parseIPv4(text);
    return 4;
  }
  const view = new DataView(parseIPv6(text).buffer);
  for (let i = 0; i < 4; i++) words[i] = view.getUint32(i * 4);
  return 6;
};

export function fillRecord(record: FlowRecord, { from, to, first, last, details, more, ...others }: RecordText): FlowRecord {
  record.reset();
  Object.assign(record, { protocol: 6, ...others });
  record.ipVersion = putAddress(record.src, from);
  putAddress(record.dst, to);
  record.first = first === undefined ? 0 : (START_S + first) * 1e6;
  record.last = last === undefined ? 0 : (START_S + last) * 1e6;
  for (const [name, text] of Object.entries(details ?? {})) record.details.push(name, text);
  for (const [name, value] of Object.entries(more ?? {})) record.more.push(name, value);
  return record;
}

/** An event, read whole. */
export interface PlayedRecordEvent {
  /** The visit's time. */
  readonly at: number;
  readonly callbacks: readonly string[];
  readonly end: string;
  /** `address:port > address:port` of client and server. */
  readonly flow: string;
  readonly field: (key: string) => FieldValue | undefined;
  readonly view: EventView;
}

export interface RecordPlayOptions {
  /** What the interface brings. */
  readonly brings?: 'records' | 'packets' | 'samples';
  readonly oneWay?: boolean;
  readonly preferences?: Partial<Preferences>;
  readonly maxFlows?: number;
  readonly dpi?: boolean;
  readonly seed?: number;
  /** Called in each second of the clock, before visits. */
  readonly tick?: (second: number) => void;
}

export interface RecordPlay {
  readonly engine: FlowEngine;
  readonly names: Names;
  readonly counters: Float64Array;
  readonly events: PlayedRecordEvent[];
  /** Moves the clock second by second; visits run when they are due. */
  to(second: number): void;
  take(record: RecordText): void;
  counter(name: string): number;
  /** Events so far, as `second callback callback flow`; forgets them. */
  lines(): string[];
  close(): void;
}

export function createRecordPlay(options: RecordPlayOptions = {}): RecordPlay {
  const maxFlows = options.maxFlows ?? 1000;
  const bringsRecords = (options.brings ?? 'records') === 'records';
  const counters = new Float64Array(COUNTERS.length);
  const localNetworks = createPrefixSet();
  for (const network of ['10.0.0.0/8', '192.168.0.0/16', 'fd00::/8']) localNetworks.add(network);
  const dpi = options.dpi === false ? undefined : native.dpiCreate(maxFlows);
  const names = namesOf(native, dpi, {
    localNetworks: localNetworks.texts,
    interfaceName: 'records',
    run: 'run',
    packetInterface: !bringsRecords,
    sampled: options.brings === 'samples',
  });
  const bytes = new Uint8Array(64 << 10);
  const events: PlayedRecordEvent[] = [];
  const record = new FlowRecord();
  let second = 0;
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi,
    names,
    localNetworks,
    policy: { ...DEFAULT_POLICY, preferences: { ...DEFAULT_POLICY.preferences, ...options.preferences } },
    counters,
    visitsInline: false,
    ...(!bringsRecords ? {} : { records: { seed: options.seed ?? 1, oneWay: options.oneWay ?? false } }),
    sink: {
      bytes,
      reserve: () => 0,
      commit(length) {
        const view = createEventView(names);
        view.set(bytes.slice(0, length), 0);
        events.push({
          at: view.time() / 1e6 - START_S,
          callbacks: view.callbacks(),
          end: view.endReason(),
          flow: `${view.client()}:${view.clientPort()} > ${view.server()}:${view.serverPort()}`,
          field: (key) => fieldByKey.get(key)?.read(view),
          view,
        });
      },
    },
  });
  const tick = (): void => {
    options.tick?.(second);
    while (engine.advance((START_S + second) * 1e6, 1000));
  };
  tick();
  return {
    engine,
    names,
    counters,
    events,
    to(target) {
      while (second < target) {
        second++;
        tick();
      }
    },
    take: (text) => engine.take(fillRecord(record, text)),
    counter: (name) => counters[counterIndex(name)],
    lines: () => events.splice(0).map(({ at, callbacks, flow }) => [at, ...callbacks, flow].join(' ')),
    close: () => dpi && native.dpiClose(dpi),
  };
}
