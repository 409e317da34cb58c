/**
 * From messages of probes to flow records: header and payload of a message in, {@link FlowRecord}s and {@link ProbeEvent}s out. One decoder an
 * interface, in its thread; the reader (reader.ts) hands it the messages.
 *
 *   header ──► source, sequence number           header.ts, sequence.ts
 *   payload ──► body (decompressed)               body.ts
 *     flow      ──► json.ts, tlv.ts ──► field of the key (dictionary.ts, fields.ts) ──► draft.ts ──► sink.record
 *     event     ──► heartbeat.ts ──► sink.event
 *     template, option ──► dictionary.ts           counter, snmp-ifaces, listening-ports ──► exporters.ts
 *
 * Nothing that a probe sends throws: what cannot be used is counted by reason (counters.ts), and the last of each reason is kept as a
 * sample.
 */
import type { ProbeEvent, RecordSink } from '../flow-record.ts';
import { createBody, looksLikeJson, looksLikeTlv } from './body.ts';
import { type ZmqCounterName, zmqCounter } from './counters.ts';
import { createDictionary } from './dictionary.ts';
import { FlowDraft } from './draft.ts';
import { createExporters, type Exporters } from './exporters.ts';
import { MessageHeader, readHeader, TOPIC_FLOW, TOPIC_UNKNOWN, TOPICS, type Topic } from './header.ts';
import { type Heartbeat, readHeartbeat, type Said } from './heartbeat.ts';
import { type Assembly, createJsonReader } from './json.ts';
import { createSequence, type Sequence } from './sequence.ts';
import { latin1Form } from './texts.ts';
import { createTlvReader } from './tlv.ts';
import { NUMBER, Value } from './value.ts';

/** A probe that was not heard of for so long is silent, µs: three heartbeats of the slowest kind. */
export const SILENCE = 15_000_000;

const MOST_SOURCES = 1024;
const MOST_ENTRIES = 4096;
const SAMPLE_BYTES = 256;
/** Rejections of one reason are told of once in so long, µs. */
const QUIET = 60_000_000;

export interface ZmqDecoderOptions {
  readonly sink: RecordSink;
  /** As many as ZMQ_COUNTERS. */
  readonly counters: Float64Array;
  /** µs since 1970. */
  now(): number;
  /** What was set for an endpoint. */
  settings?(endpoint: string): EndpointSettings | undefined;
  readonly log?: { warn(text: string): void };
}

export interface EndpointSettings {
  /** A sampling rate in a record is not handed on, because the probe has scaled its counters already. Recent ones do. */
  readonly ignoreSampling?: boolean;
  /** Password by which old probes mask what they send; not empty. */
  readonly mask?: Uint8Array;
}

/** One probe process at one endpoint. */
export interface ProbeStatus {
  readonly source: string;
  readonly endpoint: string;
  /** Number of the sending process, as the probe logs it. */
  readonly id: number;
  readonly messages: number;
  readonly records: number;
  /** Messages that it sent and that never came. */
  readonly lost: number;
  readonly restarts: number;
  /** µs since 1970; `lastEvent` is 0 before the first heartbeat. */
  readonly lastContact: number;
  readonly lastEvent: number;
  /** µs since 1970, when nothing came for {@link SILENCE}. */
  readonly silentSince: number | undefined;
  /** Our clock minus the probe's at its last heartbeat, µs; undefined when it does not say. */
  readonly drift: number | undefined;
  readonly event: ProbeEvent | undefined;
  readonly said: Said;
  readonly exporters: Readonly<Record<string, Said>>;
}

export interface Rejection {
  readonly reason: string;
  readonly endpoint: string;
  /** µs since 1970. */
  readonly time: number;
  /** Hexadecimal; of the payload the first 256 bytes. */
  readonly header: string;
  readonly payload: string;
  /** Of the whole payload. */
  readonly length: number;
}

export interface ZmqDecoder {
  /** @param endpoint of the reader; the bytes are not kept */
  message(endpoint: string, header: Uint8Array, payload: Uint8Array): void;
  probes(): ProbeStatus[];
  /** The last rejected message of each reason. */
  samples(): Rejection[];
  readonly exporters: Pick<Exporters, 'interfaces' | 'interfaceName' | 'ports'>;
}

interface Source {
  readonly name: string;
  readonly endpoint: string;
  readonly id: number;
  readonly sequence: Sequence;
  readonly settings: EndpointSettings | undefined;
  messages: number;
  records: number;
  lost: number;
  restarts: number;
  lastContact: number;
  lastEvent: number;
  heartbeat: Heartbeat | undefined;
  address: string;
}

const count = (name: ZmqCounterName): number => zmqCounter(name);
const C_MESSAGES = count('zmq.messages');
const C_BYTES = count('zmq.bytes');
const C_UNKNOWN_TOPIC = count('zmq.topics.unknown');
const C_TOPICS = TOPICS.map((topic) => count(`zmq.topics.${topic}`));
const C_RECORDS = count('zmq.records');
const C_SWAPPED = count('zmq.records.swapped');
const C_SAMPLED = count('zmq.records.sampled');
const C_NO_TIME = count('zmq.records.no-time');
const C_FUTURE = count('zmq.records.future');
const C_UNKNOWN = count('zmq.fields.unknown');
const C_INVALID = count('zmq.fields.invalid');
const C_DROPPED = count('zmq.fields.dropped');
const C_NO_ADDRESS = count('zmq.records.no-address');
const C_MIXED = count('zmq.records.mixed-versions');
const C_LOST = count('zmq.sequence.lost');
const C_GAPS = count('zmq.sequence.gaps');
const C_RESTARTS = count('zmq.sequence.restarts');
const C_REORDERED = count('zmq.sequence.reordered');
const C_SOURCES = count('zmq.sources');
const C_FORGOTTEN = count('zmq.sources.forgotten');
const C_NAMES_DROPPED = count('zmq.names.dropped');

export type RejectionReason = 'header' | 'version' | 'size' | 'inflate' | 'inflated-size' | 'json' | 'tlv' | 'items' | 'content';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

export function createZmqDecoder({ sink, counters, now, settings = () => undefined, log }: ZmqDecoderOptions): ZmqDecoder {
  const header = new MessageHeader();
  const body = createBody();
  const dictionary = createDictionary();
  const draft = new FlowDraft();
  const exporters = createExporters();
  const sources = new Map<string, Map<number, Source>>();
  const samples = new Map<string, Rejection>();
  const told = new Map<string, number>();
  let known = 0;
  let source: Source | undefined;
  let time = 0;

  const { record } = draft;

  const flows: Assembly = {
    draft,
    value: new Value(body.bytes),
    unknown(bytes, start, end) {
      counters[C_UNKNOWN]++;
      draft.further(bytes.toString('latin1', start, Math.min(end, start + 128)), flows.value);
    },
    unknownNumber(number) {
      counters[C_UNKNOWN]++;
      draft.further(String(number), flows.value);
    },
    tooLong() {
      counters[C_DROPPED]++;
    },
    end() {
      const result = draft.finish(time);
      counters[C_INVALID] += flows.value.misfits;
      counters[C_DROPPED] += draft.dropped;
      flows.value.misfits = 0;
      if (result === 'ok') {
        counters[C_RECORDS]++;
        if (draft.swapped) counters[C_SWAPPED]++;
        if (draft.noTime) counters[C_NO_TIME]++;
        if (draft.future) counters[C_FUTURE]++;
        const from = source as Source;
        if (from.settings?.ignoreSampling === true) record.samplingRate = 1;
        else if (record.samplingRate > 1) counters[C_SAMPLED]++;
        if (record.exporter === '') record.exporter = from.address;
        from.records++;
        sink.record(record);
      } else counters[result === 'no-address' ? C_NO_ADDRESS : C_MIXED]++;
      draft.reset();
    },
  };

  /** Interface counters are few: they become a map. */
  const members = new Map<string, string | number>();
  const collect = (key: string): void => {
    const { value } = collector;
    if (members.size < 64) members.set(key, value.kind === NUMBER ? value.number : value.text().slice(0, 256));
  };
  let collected = 0;
  const collector: Assembly = {
    draft, // no field is looked up
    value: new Value(body.bytes),
    unknown: (bytes, start, end) => collect(bytes.toString('latin1', start, Math.min(end, start + 128))),
    unknownNumber: (number) => collect(String(number)),
    tooLong() {},
    end() {
      takeCounters(members);
      members.clear();
    },
  };

  const readJson = createJsonReader(body.bytes, dictionary, flows);
  const readTlv = createTlvReader(body.bytes, dictionary, flows);
  const readCounterTlv = createTlvReader(body.bytes, { byNumber: () => undefined, byKey: () => undefined }, collector);

  const room = (result: boolean | 'full'): boolean => {
    if (result === 'full') counters[C_NAMES_DROPPED]++;
    return result !== false;
  };

  function takeCounters(values: ReadonlyMap<string, string | number>): void {
    if (room(exporters.counters(values, time))) collected++;
  }

  const readFlows = (): '' | RejectionReason => {
    draft.reset();
    flows.value.misfits = 0;
    const tlv = looksLikeTlv(body.bytes, body.length) || (header.tlv && !looksLikeJson(body.bytes));
    return tlv ? readTlv(body.length) : readJson(body.length);
  };

  const parse = (): unknown => {
    try {
      return JSON.parse(body.bytes.toString('utf8', 0, body.length));
    } catch {
      return undefined;
    }
  };

  const readCounters = (): '' | RejectionReason => {
    collected = 0;
    if (looksLikeTlv(body.bytes, body.length)) {
      members.clear();
      const result = readCounterTlv(body.length);
      return result !== '' ? result : collected > 0 ? '' : 'content';
    }
    const parsed = parse();
    if (parsed === undefined) return 'json';
    for (const entry of Array.isArray(parsed) ? parsed.slice(0, MOST_ENTRIES) : [parsed]) {
      if (!isObject(entry)) continue;
      const values = Object.entries(entry).filter((pair): pair is [string, string | number] =>
        ['string', 'number'].includes(typeof pair[1]),
      );
      takeCounters(new Map(values));
    }
    return collected > 0 ? '' : 'content';
  };

  const readEvent = (from: Source, parsed: unknown): boolean => {
    const heartbeat = readHeartbeat(parsed, from.name);
    if (heartbeat === undefined) return false;
    // without numbers of messages, totals that begin anew tell of a restart
    const [before, bytes] = [from.heartbeat?.event.totals?.bytes, heartbeat.event.totals?.bytes];
    if (!header.numbered && before !== undefined && bytes !== undefined && bytes < before) from.restarts++;
    from.heartbeat = heartbeat;
    from.lastEvent = time;
    from.address = latin1Form(heartbeat.event.address ?? '');
    sink.event(heartbeat.event);
    return true;
  };

  const readTemplate = (parsed: unknown): boolean => {
    const entries = Array.isArray(parsed) ? parsed : [parsed];
    let useful = false;
    for (const entry of entries.slice(0, MOST_ENTRIES)) {
      if (!isObject(entry) || typeof entry.name !== 'string' || entry.field === undefined) continue;
      useful = true;
      room(dictionary.nameField(Number(entry.PEN ?? 0), Number(entry.field), latin1Form(entry.name)) || 'full');
    }
    return useful;
  };

  const readOption = (parsed: unknown): boolean => {
    const entries = Array.isArray(parsed) ? parsed : [parsed];
    let useful = false;
    for (const entry of entries.slice(0, MOST_ENTRIES)) {
      if (!isObject(entry) || entry.field === undefined || !isObject(entry.map)) continue;
      // {"value": 250, "map": {"name": "x"}}; older: "map": {"250": "x"}
      const names = entry.value === undefined ? Object.entries(entry.map) : [[String(entry.value), entry.map.name] as const];
      for (const [value, said] of names.slice(0, MOST_ENTRIES)) {
        const name = isObject(said) ? said.name : said;
        if (typeof name !== 'string') continue;
        useful = true;
        room(dictionary.nameValue(Number(entry.PEN ?? 0), Number(entry.field), latin1Form(value), latin1Form(name)) || 'full');
      }
    }
    return useful;
  };

  const read = (topic: Topic, from: Source): '' | RejectionReason => {
    if (topic === 'flow') return readFlows();
    if (topic === 'counter') return readCounters();
    if (topic === 'hello') return '';
    const parsed = parse();
    if (parsed === undefined) return 'json';
    const useful = {
      event: () => readEvent(from, parsed),
      template: () => readTemplate(parsed),
      option: () => readOption(parsed),
      'listening-ports': () => room(exporters.listening(parsed)),
      'snmp-ifaces': () => room(exporters.names(parsed)),
    }[topic]();
    return useful ? '' : 'content';
  };

  /** Of more than {@link MOST_SOURCES} the longest silent is forgotten. */
  const forget = (): void => {
    let longest: Source | undefined;
    for (const ofEndpoint of sources.values()) {
      for (const each of ofEndpoint.values()) if (longest === undefined || each.lastContact < longest.lastContact) longest = each;
    }
    if (longest === undefined) return;
    sources.get(longest.endpoint)?.delete(longest.id);
    known--;
    counters[C_FORGOTTEN]++;
  };

  const sourceOf = (endpoint: string, id: number): Source => {
    if (source !== undefined && source.id === id && source.endpoint === endpoint) return source;
    let ofEndpoint = sources.get(endpoint);
    let found = ofEndpoint?.get(id);
    if (found === undefined) {
      if (known >= MOST_SOURCES) forget();
      ofEndpoint = sources.get(endpoint);
      if (ofEndpoint === undefined) sources.set(endpoint, (ofEndpoint = new Map()));
      found = {
        name: `${endpoint} #${id}`,
        endpoint,
        id,
        sequence: createSequence(),
        settings: settings(endpoint),
        messages: 0,
        records: 0,
        lost: 0,
        restarts: 0,
        lastContact: time,
        lastEvent: 0,
        heartbeat: undefined,
        address: '',
      };
      ofEndpoint.set(id, found);
      known++;
    }
    counters[C_SOURCES] = known;
    return found;
  };

  const account = (from: Source, id: number): void => {
    const { lost, late, restarted } = from.sequence.next(id);
    if (lost > 0) {
      from.lost += lost;
      counters[C_LOST] += lost;
      counters[C_GAPS]++;
    } else if (late) {
      from.lost--;
      counters[C_LOST]--;
      counters[C_REORDERED]++;
    } else if (restarted) {
      from.restarts++;
      counters[C_RESTARTS]++;
    }
  };

  const reject = (reason: RejectionReason, endpoint: string, headerBytes: Uint8Array, payload: Uint8Array): void => {
    counters[count(`zmq.rejected.${reason}`)]++;
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, SAMPLE_BYTES)).toString('hex');
    samples.set(reason, { reason, endpoint, time, header: hex(headerBytes), payload: hex(payload), length: payload.length });
    const last = told.get(reason);
    if (log === undefined || (last !== undefined && time - last < QUIET)) return;
    told.set(reason, time);
    const total = counters[count(`zmq.rejected.${reason}`)];
    log.warn(`${endpoint}: message rejected (${reason}), ${total} so far; its begin is kept as a sample`);
  };

  return {
    message(endpoint, headerBytes, payload) {
      counters[C_MESSAGES]++;
      counters[C_BYTES] += payload.length;
      time = now();
      const wrong = readHeader(headerBytes, header);
      if (wrong !== '') {
        reject(wrong, endpoint, headerBytes, payload);
        return;
      }
      source = sourceOf(endpoint, header.source);
      source.messages++;
      source.lastContact = time;
      if (header.numbered) account(source, header.id);
      if (header.topic === TOPIC_UNKNOWN) {
        counters[C_UNKNOWN_TOPIC]++;
        return;
      }
      const reason =
        body.unpack(payload, header.packed, source.settings?.mask) ||
        (header.topic === TOPIC_FLOW ? readFlows() : read(TOPICS[header.topic], source));
      if (reason === '') counters[C_TOPICS[header.topic]]++;
      else reject(reason, endpoint, headerBytes, payload);
    },

    probes() {
      const at = now();
      return [...sources.values()].flatMap((ofEndpoint) =>
        [...ofEndpoint.values()].map(({ name, endpoint, id, messages, records, lost, restarts, lastContact, lastEvent, heartbeat }) => ({
          source: name,
          endpoint,
          id,
          messages,
          records,
          lost,
          restarts,
          lastContact,
          lastEvent,
          silentSince: at - lastContact >= SILENCE ? lastContact : undefined,
          drift: heartbeat?.event.clock === undefined ? undefined : lastEvent - heartbeat.event.clock,
          event: heartbeat?.event,
          said: heartbeat?.said ?? {},
          exporters: heartbeat?.exporters ?? {},
        })),
      );
    },

    samples: () => [...samples.values()],
    exporters,
  };
}
