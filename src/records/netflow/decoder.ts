/**
 * NetFlow v5, v9 and IPFIX: datagrams in, flow records and what exporters say of themselves out.
 *
 *   datagram ──version──► v5.ts ──────────────────────────────► records.ts ──► RecordSink.record
 *                    └──► v9.ts, ipfix.ts ──► sets.ts ──reader──┘    └───────► RecordSink.event
 *                                               ├── templates.ts, reader.ts, elements.ts
 *                                               └── waiting.ts   data before their template
 *
 * One decoder for an interface; it is told of datagrams and of the time, and has no clock of its own. All that it keeps has a limit
 * ({@link DEFAULT_LIMITS}), all that it does not use a counter (counters.ts). It throws nothing, whatever the bytes are.
 */
import { type RecordSink, UNKNOWN } from '../flow-record.ts';
import { createTrouble, type TroubleSample } from '../trouble.ts';
import { NETFLOW_COUNTERS, netflowCounter } from './counters.ts';
import { createExporters, type Domain } from './exporters.ts';
import { IPFIX_HEADER, ipfixDomain, ipfixLength, ipfixSequence, ipfixTimes } from './ipfix.ts';
import { createRecords, type Directions } from './records.ts';
import { RESTORED_PORT, restoreExporters, saveExporters } from './saved.ts';
import { type Arrival, followSequence } from './sequence.ts';
import { beginsSet, createSets } from './sets.ts';
import { createToldMemory } from './told.ts';
import { V5_HEADER, v5Count, v5Header, v5Length, v5Records, v5Sequence } from './v5.ts';
import { V9_HEADER, v9Domain, v9Sequence, v9Times } from './v9.ts';
import { createWaiting } from './waiting.ts';

export interface NetflowLimits {
  /** Exporters and observation domains. */
  readonly domains: number;
  /** Templates of one domain. */
  readonly templates: number;
  /** Fields of templates, of which one has 512 at most, and entries of options tables, of all domains; a template counts as 8 more. */
  readonly fields: number;
  /** Bytes of data that wait for their templates, in all and of one domain, and for how long, s. */
  readonly waitingBytes: number;
  readonly waitingBytesOfDomain: number;
  readonly waitingSeconds: number;
}

/** At most some 64 MiB in all. Data wait for as long as Cisco's exporters take to send templates again. */
export const DEFAULT_LIMITS: NetflowLimits = {
  domains: 4096,
  templates: 4096,
  fields: 2 ** 18,
  waitingBytes: 8 << 20,
  waitingBytesOfDomain: 1 << 20,
  waitingSeconds: 1800,
};

export interface NetflowDecoderOptions {
  readonly sink: RecordSink;
  /** One double for each of {@link NETFLOW_COUNTERS}, in their order. */
  readonly counters: Float64Array;
  /** Of exporters that do not say theirs; 1 = all packets. */
  readonly samplingRate?: number;
  /** In place of what an exporter says, by its address. */
  readonly samplingRates?: ReadonlyMap<string, number>;
  readonly directions?: Directions;
  readonly limits?: Partial<NetflowLimits>;
  /** Takes a line for the log: at most one a minute and reason. */
  readonly log?: (line: string) => void;
}

export interface ExporterStatus {
  readonly address: string;
  readonly port: number;
  /** 5, 9 or 10. */
  readonly version: number;
  readonly domain: number;
  readonly messages: number;
  readonly records: number;
  /** By its sequence numbers. */
  readonly lost: number;
  readonly templates: number;
  /** Bytes of data that wait for a template. */
  readonly waiting: number;
  /** Of the domain; 0 = it has not said, or not for all. */
  readonly samplingRate: number;
  /** s; 0 = it has not said. */
  readonly activeTimeout: number;
  readonly idleTimeout: number;
  /** µs since 1970: when its last message came, and when it was sent by the exporter's own clock. */
  readonly heard: number;
  readonly sent: number;
}

export interface NetflowDecoder {
  /** @param arrival µs since 1970. The bytes are not kept. */
  datagram(address: string, port: number, bytes: Uint8Array, arrival: number): void;
  /** Some time has passed: gives up what waits for too long, tells of the exporters that were heard. Every five seconds or so. */
  tick(now: number): void;
  /** Those that were heard. */
  exporters(): ExporterStatus[];
  /** Of the last message of every reason for which something could not be used. */
  samples(): TroubleSample[];
  /** Text for a file: templates, sampling, names of applications and time-outs of all exporters. */
  save(): string;
  /** Takes a text of `save`, before the first datagram. @throws Error that says why it cannot be used */
  restore(text: string): { readonly exporters: number; readonly templates: number };
  /** Changes when there is something new to save. */
  revision(): number;
}

const MESSAGES = netflowCounter('messages');
const BYTES = netflowCounter('bytes');
const V5 = netflowCounter('v5');
const V9 = netflowCounter('v9');
const IPFIX = netflowCounter('ipfix');
const SHORT = netflowCounter('refused.short');
const VERSION = netflowCounter('refused.version');
const LENGTH = netflowCounter('refused.length');
const SET = netflowCounter('refused.set');
const LOST = netflowCounter('sequence.lost');
const LATE = netflowCounter('sequence.late');
const RESTARTS = netflowCounter('sequence.restarts');
const EXPORTERS = netflowCounter('exporters');
const EVICTED = netflowCounter('exporters.evicted');

/** How far behind a message is late, in the units of its sequence: 64 messages. */
const WINDOW_MESSAGES = 64;
/** A session that another one has followed is forgotten after so much silence, µs. */
const FOLLOWED_US = 3600e6;
const WINDOW_FLOWS = WINDOW_MESSAGES * 30;

/** Reads a message. @returns {@link TAKEN}, or the counter of the reason why it is refused */
type Read = (address: string, port: number, bytes: Buffer, arrival: number) => number;
const TAKEN = -1;

export function createNetflowDecoder(options: NetflowDecoderOptions): NetflowDecoder {
  const {
    sink,
    counters,
    samplingRate = 1,
    samplingRates = new Map<string, number>(),
    directions = 'all',

    log = () => {},
  } = options;
  if (counters.length < NETFLOW_COUNTERS.length) throw new Error(`${NETFLOW_COUNTERS.length} counters are needed, not ${counters.length}`);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const memory = createToldMemory(limits.fields);
  const records = createRecords({ sink, counters, memory, directions, samplingRate, samplingRates });
  const { draft } = records;
  const trouble = createTrouble(NETFLOW_COUNTERS, counters, log);
  const waiting = createWaiting(
    { bytes: limits.waitingBytes, bytesOfDomain: limits.waitingBytesOfDomain, seconds: limits.waitingSeconds },
    counters,
  );
  const sets = createSets({ records, waiting, trouble, counters, memory, mostTemplates: limits.templates });
  const exporters = createExporters({
    most: limits.domains,
    memory,
    forgotten(domain) {
      waiting.forget(domain);
    },
    evicted() {
      counters[EVICTED]++;
    },
  });

  const heard = (domain: Domain, arrival: number): void => {
    counters[EXPORTERS] = exporters.size;
    domain.heard = arrival;
    domain.sent = draft.sent;
    if (domain.messages++ === 0) records.tell(domain);
  };

  const follow = (domain: Domain, arrival: Arrival): void => {
    const change = followSequence(domain.sequence, arrival);
    if (change.late) counters[LATE]++;
    if (change.restarted) counters[RESTARTS]++;
    counters[LOST] += change.lost;
    domain.lost += change.lost;
  };

  const readV5: Read = (address, port, bytes, arrival) => {
    if (bytes.length < V5_HEADER) return SHORT;
    if (bytes.length < v5Length(bytes)) return LENGTH;
    counters[V5]++;
    const domain = v5Header(bytes, address, port, exporters, records, memory);
    heard(domain, arrival);
    const count = v5Count(bytes);
    follow(domain, { number: v5Sequence(bytes), units: count, flows: count, window: WINDOW_FLOWS, uptime: draft.uptime });
    v5Records(bytes, domain, records);
    return TAKEN;
  };

  const readV9: Read = (address, port, bytes, arrival) => {
    if (bytes.length < V9_HEADER) return SHORT;
    if (!beginsSet(bytes, V9_HEADER, bytes.length)) return SET;
    counters[V9]++;
    v9Times(bytes, draft);
    const domain = exporters.find(address, port, 9, v9Domain(bytes));
    heard(domain, arrival);
    follow(domain, { number: v9Sequence(bytes), units: 1, flows: 1, window: WINDOW_MESSAGES, uptime: draft.uptime });
    sets.read(domain, bytes, V9_HEADER, bytes.length, arrival);
    return TAKEN;
  };

  const readIpfix: Read = (address, port, bytes, arrival) => {
    if (bytes.length < IPFIX_HEADER) return SHORT;
    const length = ipfixLength(bytes);
    if (length < IPFIX_HEADER || length > bytes.length) return LENGTH;
    if (!beginsSet(bytes, IPFIX_HEADER, length)) return SET;
    counters[IPFIX]++;
    ipfixTimes(bytes, draft);
    const domain = exporters.find(address, port, 10, ipfixDomain(bytes));
    heard(domain, arrival);
    const { units, flows } = sets.read(domain, bytes, IPFIX_HEADER, length, arrival);
    follow(domain, { number: ipfixSequence(bytes), units, flows, window: WINDOW_FLOWS, uptime: UNKNOWN });
    return TAKEN;
  };

  const readOther: Read = () => VERSION;
  const readNothing: Read = () => SHORT;

  const readerOf = (bytes: Buffer): Read => {
    if (bytes.length < 2) return readNothing;
    switch (bytes.readUInt16BE(0)) {
      case 5:
        return readV5;
      case 9:
        return readV9;
      case 10:
        return readIpfix;
      default:
        return readOther;
    }
  };

  return {
    datagram(address, port, datagram, arrival) {
      const bytes = Buffer.isBuffer(datagram) ? datagram : Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength);
      counters[MESSAGES]++;
      counters[BYTES] += bytes.length;
      trouble.begin(address, port, bytes, arrival);
      waiting.expire(arrival);
      const refused = readerOf(bytes)(address, port, bytes, arrival);
      if (refused !== TAKEN) trouble.report(refused);
    },
    tick(now) {
      waiting.expire(now);
      exporters.prune(now - FOLLOWED_US);
      counters[EXPORTERS] = exporters.size;
      for (const domain of exporters.all()) {
        if (domain.heard <= domain.reported) continue;
        domain.reported = domain.heard;
        draft.sent = domain.sent;
        records.tell(domain);
      }
    },
    exporters: () =>
      [...exporters.all()]
        .filter(({ port }) => port !== RESTORED_PORT)
        .map((domain) => ({
          address: domain.address,
          port: domain.port,
          version: domain.version,
          domain: domain.id,
          messages: domain.messages,
          records: domain.records,
          lost: domain.lost,
          templates: domain.told.templates.size,
          waiting: domain.waiting,
          samplingRate: domain.told.rate,
          activeTimeout: domain.told.activeTimeout,
          idleTimeout: domain.told.idleTimeout,
          heard: domain.heard,
          sent: domain.sent,
        })),
    samples: trouble.samples,
    save: () => saveExporters(exporters.all()),
    restore: (text) => restoreExporters(text, exporters, sets, memory),
    revision: () => sets.revision() + records.revision(),
  };
}
