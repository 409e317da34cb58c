/** A decoder whose records and events are kept, and shown as tests like to compare them. */
import assert from 'node:assert/strict';
import { type FlowRecord, type ProbeEvent, UNKNOWN } from '../../../src/records/flow-record.ts';
import { ZMQ_COUNTERS, type ZmqCounterName, zmqCounter } from '../../../src/records/zmq/counters.ts';
import { createZmqDecoder, type ZmqDecoder, type ZmqDecoderOptions } from '../../../src/records/zmq/decoder.ts';
import { header } from './encode.ts';

/** 2023-11-14 22:13:40. */
export const NOW = 1_700_000_020e6;
export const BASE = 1_700_000_000e6;

/** A record that outlives the decoder's: what differs from an empty one, addresses and MACs as text. */
export type Shown = Record<string, unknown>;

const hex = (word: number): string => word.toString(16).padStart(8, '0');
const address = (words: Uint32Array, version: number): string =>
  version === 4
    ? [24, 16, 8, 0].map((shift) => (words[0] >>> shift) & 255).join('.')
    : [...words].map((word) => `${hex(word).slice(0, 4)}:${hex(word).slice(4)}`).join(':');

export function shown(record: FlowRecord): Shown {
  const out: Shown = {
    src: `${address(record.src, record.ipVersion)} ${record.srcPort}`,
    dst: `${address(record.dst, record.ipVersion)} ${record.dstPort}`,
  };
  for (const [key, value] of Object.entries(record)) {
    if (['src', 'dst', 'srcPort', 'dstPort', 'directed', 'details', 'more'].includes(key)) continue;
    const nothing =
      key === 'ipVersion' ? 4 : key === 'samplingRate' ? 1 : /master|application$|category|Mac$|Latency|icmp/.test(key) ? UNKNOWN : 0;
    if (value !== nothing && value !== false && value !== '') out[key] = value;
  }
  assert.equal(record.directed, true);
  if (record.details.length > 0) out.details = pairs(record.details);
  if (record.more.length > 0) out.more = pairs(record.more);
  return out;
}

function pairs<T>(flat: readonly T[]): Record<string, T> {
  const out: Record<string, T> = {};
  for (let i = 0; i < flat.length; i += 2) {
    assert.ok(!(String(flat[i]) in out), `${flat[i]} is there twice`);
    out[String(flat[i])] = flat[i + 1];
  }
  return out;
}

export interface Decoding {
  readonly decoder: ZmqDecoder;
  readonly records: Shown[];
  readonly events: ProbeEvent[];
  readonly warnings: string[];
  /** Sends a message, by default of JSON flows; @returns the records that it gave */
  send(payload: unknown, head?: Uint8Array, endpoint?: string): Shown[];
  count(name: ZmqCounterName): number;
  /** Counters that are not 0, without those of messages, bytes, topics and sources. */
  counts(): Record<string, number>;
}

export function decoding(options: Partial<ZmqDecoderOptions> = {}): Decoding {
  const records: Shown[] = [];
  const events: ProbeEvent[] = [];
  const warnings: string[] = [];
  const counters = new Float64Array(ZMQ_COUNTERS.length);
  const decoder = createZmqDecoder({
    sink: { record: (record) => records.push(shown(record)), event: (event) => events.push(event) },
    counters,
    now: () => NOW,
    log: { warn: (text) => warnings.push(text) },
    ...options,
  });
  return {
    decoder,
    records,
    events,
    warnings,
    send(payload, head = header(28), endpoint = 'tcp://probe:5556') {
      const before = records.length;
      const bytes = payload instanceof Uint8Array ? payload : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
      decoder.message(endpoint, head, bytes);
      return records.slice(before);
    },
    count: (name) => counters[zmqCounter(name)],
    counts: () =>
      Object.fromEntries(
        ZMQ_COUNTERS.flatMap(({ name }, i) =>
          counters[i] === 0 || /^zmq\.(messages|bytes|topics|sources$)/.test(name) ? [] : [[name, counters[i]]],
        ),
      ),
  };
}

/** The one record that the members give. */
export function recordOf(members: object, options?: Partial<ZmqDecoderOptions>): Shown {
  const records = decoding(options).send({ '8': '192.0.2.1', '12': '192.0.2.2', '21': 1_700_000_000, '22': 1_700_000_000, ...members });
  assert.equal(records.length, 1);
  return records[0];
}

export const hexBytes = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
