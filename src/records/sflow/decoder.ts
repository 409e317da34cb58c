/**
 * sFlow version 5 (sflow.org, sFlow Version 5, July 2004): datagrams in, sampled packets and counters of interfaces out. All is XDR:
 * big-endian words of 4 bytes, opaque bytes padded to them.
 *
 *   datagram  version 5, address type (1 IPv4, 2 IPv6), agent address, sub-agent, sequence, uptime ms, number of samples
 *   sample    enterprise << 12 | format, length, body
 *     1 flow              sequence, source type << 24 | index, rate, pool, drops, input, output, number of records
 *     3 expanded flow     sequence, source type, index, rate, pool, drops, input format, input, output format, output, number
 *     2 counters          sequence, source type << 24 | index, number of records
 *     4 expanded counters sequence, source type, index, number of records
 *     5 discarded packet  counted only
 *   record    enterprise << 12 | format, length, body
 *     1 raw header        header protocol (1 Ethernet, 11 IPv4, 12 IPv6), frame length, stripped bytes, header length, header
 *     2 Ethernet          frame length, source MAC, destination MAC (8 bytes each), type
 *     3, 4 IPv4, IPv6     length, protocol, source, destination, ports, TCP flags, type of service
 *     1001 switch         source VLAN, priority, destination VLAN, priority
 *     1002 router         address type, next hop, source mask, destination mask
 *     counters 1          generic counters of an interface (88 bytes)
 *
 * One decoder for an interface; it is told of datagrams and of the time. It throws nothing, whatever the bytes are; what it keeps has
 * limits, what it does not use a counter (counters.ts).
 */
import { addressText } from '../../flows/view.ts';
import { createTrouble, type TroubleSample } from '../trouble.ts';
import { SFLOW_COUNTERS, type SflowCounterName, sflowCounter } from './counters.ts';
import { follow, newSequence, type Sequence } from './sequence.ts';

const VERSION = 5;
const MOST_SAMPLES = 1000;
const MOST_RECORDS = 1000;
const MOST_AGENTS = 1024;
/** Data sources of an agent, and its interfaces. */
const MOST_SOURCES = 4096;
/** Link header of a packet that came without one. */
const ETHERNET = 14;
/** No frame is longer (segments that a network card cuts up have half of it), and nobody samples more rarely. */
const MOST_WIRE = 1 << 20;
const MOST_RATE = 1 << 24;
/** An interface that is no one: sent to several, dropped, the agent itself. */
const INTERNAL = 0x3fffffff;

export const HEADER_ETHERNET = 1;
export const HEADER_IPV4 = 11;
export const HEADER_IPV6 = 12;

/** A sampled packet. One object, filled again and again; the bytes are those of the datagram. */
export interface Sample {
  /** HEADER_*, or 0: there is no header but what the fields below say. */
  kind: number;
  bytes: Uint8Array;
  /** Of the header in the bytes. */
  offset: number;
  captured: number;
  /** Bytes of the frame with its link header, without those that the agent has stripped (its checksum). */
  wire: number;
  /** Packets that it stands for. */
  rate: number;
  /** SNMP indices, 0 = not one interface. */
  input: number;
  output: number;
  /** -1 = not said. */
  sourceVlan: number;
  destinationVlan: number;
  /** '' = not said. */
  nextHop: string;
  sourceMask: number;
  destinationMask: number;
  /** Without a header: offsets of record 3 or 4 and of record 2 in the bytes, 0 = there is none. */
  ipv4: number;
  ipv6: number;
  ethernet: number;
}

/** Counters of an interface, as its agent sent them last. Cumulative. */
export interface AgentInterface {
  readonly index: number;
  readonly type: number;
  /** bits/s */
  readonly speed: number;
  readonly adminUp: boolean;
  readonly operUp: boolean;
  readonly inOctets: number;
  readonly inPackets: number;
  readonly inDiscards: number;
  readonly inErrors: number;
  readonly outOctets: number;
  readonly outPackets: number;
  readonly outDiscards: number;
  readonly outErrors: number;
  /** When they came, µs since 1970. */
  readonly updated: number;
}

export interface AgentStatus {
  /** `address` or `address/sub-agent`. */
  readonly agent: string;
  /** Whence its datagrams come. */
  readonly address: string;
  readonly datagrams: number;
  readonly samples: number;
  /** Datagrams, and samples of all sources. */
  readonly lost: number;
  readonly samplesLost: number;
  /** Samples that it could not send. */
  readonly drops: number;
  readonly restarts: number;
  /** Of the last sample. */
  readonly samplingRate: number;
  /** Since it was switched on, ms. */
  readonly uptime: number;
  /** µs since 1970. */
  readonly heard: number;
  readonly interfaces: readonly AgentInterface[];
}

export interface SampleSink {
  /** Keeps nothing of it beyond the end of the datagram. */
  sample(sample: Sample, agent: string): void;
  /** The datagram is through: its bytes will be used again. */
  end(): void;
}

export interface SflowDecoder {
  /** @param address whence it came. @param arrival µs since 1970 */
  datagram(address: string, bytes: Uint8Array, arrival: number, port?: number): void;
  agents(): AgentStatus[];
  /** Of the last datagram of every reason for which something could not be used. */
  samples(): TroubleSample[];
}

interface Source {
  readonly sequence: Sequence;
  drops: number;
}

interface Agent {
  readonly name: string;
  address: string;
  readonly sequence: Sequence;
  readonly sources: Map<number, Source>;
  readonly interfaces: Map<number, AgentInterface>;
  datagrams: number;
  samples: number;
  samplesLost: number;
  drops: number;
  restarts: number;
  samplingRate: number;
  uptime: number;
  heard: number;
}

/** Reads words one after another; beyond the end there are zeros, and the end is remembered. */
interface Reader {
  bytes: Buffer;
  at: number;
  end: number;
}

const newAgent = (name: string): Agent => ({
  name,
  address: '',
  sequence: newSequence(),
  sources: new Map(),
  interfaces: new Map(),
  datagrams: 0,
  samples: 0,
  samplesLost: 0,
  drops: 0,
  restarts: 0,
  samplingRate: 0,
  uptime: 0,
  heard: 0,
});

const newSample = (): Sample => ({
  kind: 0,
  bytes: new Uint8Array(0),
  offset: 0,
  captured: 0,
  wire: 0,
  rate: 1,
  input: 0,
  output: 0,
  sourceVlan: -1,
  destinationVlan: -1,
  nextHop: '',
  sourceMask: 0,
  destinationMask: 0,
  ipv4: 0,
  ipv6: 0,
  ethernet: 0,
});

/** Input or output of a plain sample: the top two bits say what it is, 0 = an index. */
const plainIndex = (word: number): number => (word >>> 30 === 0 && word !== INTERNAL ? word : 0);
const expandedIndex = (format: number, index: number): number => (format === 0 && index !== INTERNAL ? index : 0);

/**
 * @param counters one double for each of SFLOW_COUNTERS
 * @param log takes a line for the log: at most one a minute and reason
 */
export function createSflowDecoder(sink: SampleSink, counters: Float64Array, log: (line: string) => void = () => {}): SflowDecoder {
  const trouble = createTrouble(SFLOW_COUNTERS, counters, log);
  const agents = new Map<string, Agent>();
  const sample = newSample();
  const reader: Reader = { bytes: Buffer.alloc(0), at: 0, end: 0 };
  let agent = newAgent('');

  const index = (name: SflowCounterName): number => sflowCounter(name);
  const C = {
    datagrams: index('sflow.datagrams'),
    bytes: index('sflow.bytes'),
    flow: index('sflow.samples.flow'),
    counter: index('sflow.samples.counter'),
    discard: index('sflow.samples.discard'),
    packets: index('sflow.packets'),
    traffic: index('sflow.traffic'),
    unreadable: index('sflow.samples.unreadable'),
    unknown: index('sflow.samples.unknown'),
    version: index('sflow.refused.version'),
    damaged: index('sflow.refused.damaged'),
    lost: index('sflow.sequence.lost'),
    late: index('sflow.sequence.late'),
    restarts: index('sflow.sequence.restarts'),
    samplesLost: index('sflow.samples.lost'),
    drops: index('sflow.drops'),
    agents: index('sflow.agents'),
    evicted: index('sflow.agents.evicted'),
  };

  const word = (): number => {
    const { at } = reader;
    reader.at += 4;
    return at + 4 <= reader.end ? reader.bytes.readUInt32BE(at) : 0;
  };
  const skip = (bytes: number): void => {
    reader.at += bytes;
  };
  const isDamaged = (): boolean => reader.at > reader.end;

  /** Text of an address of a type; '' for an unknown type. */
  const address = (): string => {
    const type = word();
    const { at, bytes } = reader;
    const length = type === 1 ? 4 : type === 2 ? 16 : 0;
    skip(length);
    if (length === 0 || isDamaged()) return '';
    if (type === 1) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
    return addressText(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at, true);
  };

  const agentOf = (name: string): Agent => {
    let found = agents.get(name);
    if (found === undefined) {
      if (agents.size >= MOST_AGENTS) {
        const longestSilent = [...agents.values()].reduce((a, b) => (b.heard < a.heard ? b : a));
        agents.delete(longestSilent.name);
        counters[C.evicted]++;
      }
      found = newAgent(name);
      agents.set(name, found);
      counters[C.agents] = agents.size;
    }
    return found;
  };

  const sourceOf = (type: number, id: number): Source => {
    const key = type * 2 ** 32 + id;
    let source = agent.sources.get(key);
    if (source === undefined) {
      source = { sequence: newSequence(), drops: -1 };
      if (agent.sources.size < MOST_SOURCES) agent.sources.set(key, source);
    }
    return source;
  };

  const followSource = (source: Source, sequence: number, drops: number): void => {
    const { lost, restarted } = follow(source.sequence, sequence, false);
    counters[C.samplesLost] += lost;
    agent.samplesLost += lost;
    // cumulative; what there was before the first sample is not ours
    const more = source.drops < 0 || restarted ? 0 : (drops - source.drops) >>> 0;
    source.drops = drops;
    if (more >= 2 ** 31) return;
    counters[C.drops] += more;
    agent.drops += more;
  };

  const readRouter = (): void => {
    sample.nextHop = address();
    sample.sourceMask = word();
    sample.destinationMask = word();
  };

  /** The header that is in the record, if there is one. */
  const readHeader = (end: number): void => {
    const kind = word();
    const frame = word();
    const stripped = word();
    const captured = word();
    if (captured > end - reader.at) return;
    if (kind !== HEADER_ETHERNET && kind !== HEADER_IPV4 && kind !== HEADER_IPV6) return;
    sample.kind = kind;
    sample.offset = reader.at;
    sample.captured = captured;
    sample.wire = Math.max(captured, frame - stripped) + (kind === HEADER_ETHERNET ? 0 : ETHERNET);
  };

  const readFlowRecord = (type: number, end: number): void => {
    switch (type) {
      case 1:
        if (sample.kind === 0) readHeader(end);
        break;
      case 2:
        if (end - reader.at >= 24) sample.ethernet = reader.at;
        break;
      case 3:
        if (end - reader.at >= 32) sample.ipv4 = reader.at;
        break;
      case 4:
        if (end - reader.at >= 56) sample.ipv6 = reader.at;
        break;
      case 1001:
        sample.sourceVlan = word();
        skip(4);
        sample.destinationVlan = word();
        break;
      case 1002:
        readRouter();
        break;
    }
  };

  /** Records up to `end`. @returns false: they reach beyond it */
  const readRecords = (count: number, end: number, read: (type: number, end: number) => void): boolean => {
    if (count > MOST_RECORDS) return false;
    for (let i = 0; i < count; i++) {
      if (end - reader.at < 8) return false;
      const type = word();
      const length = word();
      const to = reader.at + length;
      if (to > end) return false;
      read(type, to);
      reader.at = to;
    }
    return true;
  };

  /** Of a frame that came as fields: as the Ethernet record says it, at least IP and a link header. */
  const lengthOfFields = (): number => {
    const { ethernet, ipv4, ipv6 } = sample;
    const network = reader.bytes.readUInt32BE(ipv4 || ipv6) + ETHERNET;
    return ethernet === 0 ? network : Math.max(network, reader.bytes.readUInt32BE(ethernet));
  };

  const readFlow = (expanded: boolean, end: number): boolean => {
    const sequence = word();
    const source = word();
    const [type, id] = expanded ? [source, word()] : [source >>> 24, source & 0xffffff];
    const rate = word();
    skip(4);
    const drops = word();
    sample.kind = sample.ipv4 = sample.ipv6 = sample.ethernet = 0;
    sample.sourceVlan = sample.destinationVlan = -1;
    sample.nextHop = '';
    sample.sourceMask = sample.destinationMask = 0;
    sample.input = expanded ? expandedIndex(word(), word()) : plainIndex(word());
    sample.output = expanded ? expandedIndex(word(), word()) : plainIndex(word());
    const records = word();
    if (reader.at > end) return false;
    counters[C.flow]++;
    agent.samples++;
    agent.samplingRate = rate;
    followSource(sourceOf(type, id), sequence, drops);
    sample.rate = rate > 1 ? rate : 1;
    const isWhole = readRecords(records, end, readFlowRecord);
    const isReadable = sample.kind !== 0 || sample.ipv4 !== 0 || sample.ipv6 !== 0;
    if (isReadable && sample.kind === 0) sample.wire = lengthOfFields();
    if (!isReadable || sample.wire > MOST_WIRE || sample.rate > MOST_RATE) trouble.report(C.unreadable);
    else {
      sample.bytes = reader.bytes;
      counters[C.packets] += sample.rate;
      counters[C.traffic] += sample.rate * sample.wire;
      sink.sample(sample, agent.name);
    }
    return isWhole;
  };

  const readCounterRecord = (type: number, end: number): void => {
    if (type !== 1 || end - reader.at < 88) return;
    const { at, bytes } = reader;
    const u32 = (offset: number): number => bytes.readUInt32BE(at + offset);
    const u64 = (offset: number): number => u32(offset) * 2 ** 32 + u32(offset + 4);
    const id = u32(0);
    if (agent.interfaces.size >= MOST_SOURCES && !agent.interfaces.has(id)) return;
    agent.interfaces.set(id, {
      index: id,
      type: u32(4),
      speed: u64(8),
      adminUp: (u32(20) & 1) !== 0,
      operUp: (u32(20) & 2) !== 0,
      inOctets: u64(24),
      inPackets: u32(32) + u32(36) + u32(40),
      inDiscards: u32(44),
      inErrors: u32(48),
      outOctets: u64(56),
      outPackets: u32(64) + u32(68) + u32(72),
      outDiscards: u32(76),
      outErrors: u32(80),
      updated: agent.heard,
    });
  };

  const readCounters = (expanded: boolean, end: number): boolean => {
    skip(expanded ? 12 : 8);
    const records = word();
    if (reader.at > end) return false;
    counters[C.counter]++;
    return readRecords(records, end, readCounterRecord);
  };

  /** @returns false: it cannot be read to its end */
  const readSample = (type: number, end: number): boolean => {
    switch (type) {
      case 1:
      case 3:
        return readFlow(type === 3, end);
      case 2:
      case 4:
        return readCounters(type === 4, end);
      case 5:
        counters[C.discard]++;
        return true;
      default:
        trouble.report(C.unknown);
        return true;
    }
  };

  const readSamples = (count: number): boolean => {
    if (count > MOST_SAMPLES) return false;
    let isWhole = true;
    for (let i = 0; i < count; i++) {
      if (reader.end - reader.at < 8) return false;
      const type = word();
      const to = word() + reader.at;
      if (to > reader.end) return false;
      if (!readSample(type, to)) isWhole = false;
      reader.at = to;
    }
    return isWhole;
  };

  const followAgent = (from: string, sequence: number, uptime: number, arrival: number): void => {
    const { lost, late, restarted } = follow(agent.sequence, sequence, uptime < agent.uptime && agent.uptime - uptime < 2 ** 31);
    counters[C.lost] += lost;
    if (late) counters[C.late]++;
    if (restarted) {
      counters[C.restarts]++;
      agent.restarts++;
      agent.sources.clear();
    }
    if (!late) agent.uptime = uptime;
    agent.address = from;
    agent.datagrams++;
    agent.heard = arrival;
  };

  return {
    datagram(from, bytes, arrival, port = 0) {
      counters[C.datagrams]++;
      counters[C.bytes] += bytes.length;
      reader.bytes = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
      reader.at = 0;
      reader.end = bytes.length;
      trouble.begin(from, port, reader.bytes, arrival);
      if (word() !== VERSION) {
        trouble.report(C.version);
        return;
      }
      const name = address();
      const subAgent = word();
      const sequence = word();
      const uptime = word();
      const samples = word();
      if (name === '' || isDamaged()) {
        trouble.report(C.damaged);
        return;
      }
      agent = agentOf(subAgent === 0 ? name : `${name}/${subAgent}`);
      followAgent(from, sequence, uptime, arrival);
      if (!readSamples(samples)) trouble.report(C.damaged);
      sink.end();
    },
    agents: () =>
      [...agents.values()].map(({ name, sequence, sources: _sources, interfaces, ...of }) => ({
        ...of,
        agent: name,
        lost: sequence.lost,
        interfaces: [...interfaces.values()],
      })),
    samples: trouble.samples,
  };
}
