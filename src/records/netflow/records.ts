/**
 * Data sets: bytes and a template in, flow records to the sink, options to the domain. Also the end of every flow record, v5's too.
 *
 * `finish` decides what only the whole record can: its addresses, its times, its sampling rate, the name of its application, who began.
 */
import type { FlowRecord, ProbeEvent, RecordSink } from '../flow-record.ts';
import { applicationName } from './applications.ts';
import { netflowCounter } from './counters.ts';
import { Draft, FAMILY_IPV4, FAMILY_IPV6 } from './draft.ts';
import { type Domain, rateOf } from './exporters.ts';
import { learn } from './options.ts';
import type { Template } from './templates.ts';
import { fromBoot, fromUptime } from './time.ts';
import type { ToldMemory } from './told.ts';

const RECORDS = netflowCounter('records');
const OPTIONS = netflowCounter('records.options');
const NO_ADDRESS = netflowCounter('records.no-address');
const MIXED_ADDRESS = netflowCounter('records.mixed-address');
const LEFT_OUT = netflowCounter('records.direction');
const MORE_DROPPED = netflowCounter('more.dropped');
const OPTIONS_REFUSED = netflowCounter('options.refused');

const ICMP = 1;
const ICMP_V6 = 58;
const INGRESS = 0;
const EGRESS = 1;
/** `biflowDirection` (RFC 5103, 6.3). */
const INITIATOR = 1;
const REVERSE_INITIATOR = 2;

/** Which records are taken of an exporter that reports flows where they come in and again where they go out. */
export type Directions = 'all' | 'ingress' | 'egress';

export interface RecordsOptions {
  readonly sink: RecordSink;
  readonly counters: Float64Array;
  readonly memory: ToldMemory;
  readonly directions: Directions;
  /** Where the exporter does not say. */
  readonly samplingRate: number;
  /** In place of what the exporter says, by its address; 1 = what it sends is scaled already. */
  readonly samplingRates: ReadonlyMap<string, number>;
}

export interface Records {
  readonly draft: Draft;
  /** Reads a data set from its first record on. @returns records read, options among them; -1: one reaches beyond `end` */
  data(domain: Domain, template: Template, bytes: Buffer, at: number, end: number): number;
  /** The draft is read: makes it whole and hands it on. */
  finish(domain: Domain): void;
  /** Says what is known of the exporter. */
  tell(domain: Domain): void;
  /** Grows with everything learned that is kept over a restart. */
  revision(): number;
}

export function createRecords({ sink, counters, memory, directions, samplingRate, samplingRates }: RecordsOptions): Records {
  const draft = new Draft();
  const { record } = draft;
  let revision = 0;

  const finish = (domain: Domain): void => {
    const families = draft.families;
    if (families !== FAMILY_IPV4 && families !== FAMILY_IPV6) {
      counters[families === 0 ? NO_ADDRESS : MIXED_ADDRESS]++;
      return;
    }
    if (directions !== 'all' && (draft.direction === INGRESS || draft.direction === EGRESS)) {
      if ((draft.direction === INGRESS) !== (directions === 'ingress')) {
        counters[LEFT_OUT]++;
        return;
      }
    }
    record.ipVersion = families === FAMILY_IPV6 ? 6 : 4;
    finishTimes(domain);
    if (record.protocol === ICMP || record.protocol === ICMP_V6) {
      // exporters put it in a field of its own, or in the place of the destination's port
      const icmp = draft.icmp > 0 ? draft.icmp : record.dstPort;
      record.icmpType = icmp >> 8;
      record.icmpCode = icmp & 0xff;
      record.srcPort = 0;
      record.dstPort = icmp;
    }
    const configured = samplingRates.size === 0 ? undefined : samplingRates.get(domain.address);
    const rate = configured ?? (rateOf(domain, draft) || samplingRate);
    record.samplingRate = rate > 1 ? rate : 1;
    if (draft.application !== 0) nameApplication(domain);
    record.exporter = draft.exporter === '' ? domain.name : draft.exporter;
    if (draft.biflow === INITIATOR) record.directed = true;
    else if (draft.biflow === REVERSE_INITIATOR) {
      turn(record);
      record.directed = true;
    }
    if (draft.dropped !== 0) {
      counters[MORE_DROPPED] += draft.dropped;
      draft.dropped = 0;
    }
    counters[RECORDS]++;
    domain.records++;
    sink.record(record);
  };

  const finishTimes = (domain: Domain): void => {
    const { sent, uptime, duration } = draft;
    if (record.last === 0 && draft.lastUptime >= 0) record.last = absolute(domain, draft.lastUptime);
    if (record.first === 0 && draft.firstUptime >= 0) record.first = absolute(domain, draft.firstUptime);
    if (record.last === 0) {
      record.last = record.first !== 0 && duration >= 0 ? record.first + duration : draft.observed || Math.max(sent, record.first);
    }
    if (record.first === 0) {
      const upFor = uptime < 0 && draft.firstUptime >= 0 && draft.lastUptime >= 0 ? ((draft.lastUptime - draft.firstUptime) | 0) * 1000 : 0;
      record.first = record.last - (duration >= 0 ? duration : Math.max(0, upFor));
    }
    if (draft.reverseFirst !== 0 && draft.reverseFirst < record.first) record.first = draft.reverseFirst;
    if (draft.reverseLast > record.last) record.last = draft.reverseLast;
    if (record.last < 0) record.last = 0; // before 1970: a clock that was never set
    if (record.first < 0) record.first = 0;
    if (record.first > record.last) record.first = record.last;
  };

  /** 0 = the exporter does not say when it was switched on. */
  const absolute = (domain: Domain, at: number): number => {
    if (draft.uptime >= 0) return fromUptime(at, draft.uptime, draft.sent);
    const boot = draft.boot || domain.told.boot;
    return boot > 0 ? fromBoot(at, boot, draft.sent) : 0;
  };

  const nameApplication = (domain: Domain): void => {
    const name = domain.told.applications.get(draft.application);
    if (record.protocolName === '' && name !== undefined) record.protocolName = applicationName(name);
    else if (name === undefined) {
      // RFC 6759: classification engine, 1 byte, and selector
      const engine = Math.floor(draft.application / 2 ** 24);
      draft.keep('APPLICATION_ID', engine > 0 ? `${engine}:${draft.application % 2 ** 24}` : draft.application);
    }
  };

  const tell = (domain: Domain): void => {
    const { activeTimeout, idleTimeout } = domain.told;
    const event: ProbeEvent = {
      source: domain.name,
      address: domain.address,
      clock: draft.sent,
      ...(activeTimeout > 0 ? { activeTimeout } : {}),
      ...(idleTimeout > 0 ? { idleTimeout } : {}),
      totals: {
        ...domain.totals,
        'collected.messages': domain.messages,
        'collected.records': domain.records,
        'drops.sequence': domain.lost,
      },
    };
    sink.event(event);
  };

  return {
    draft,
    finish,
    tell,
    revision: () => revision,
    data(domain, template, bytes, at, end) {
      const { reader, options } = template;
      const { minimum } = reader;
      let read = 0;
      while (at + minimum <= end) {
        if (options) draft.options.clear();
        else draft.begin();
        const next = reader.read(bytes, at, end, draft);
        if (next < 0) return -1;
        read++;
        if (options) {
          counters[OPTIONS]++;
          const { changed, news, refused } = learn(domain, draft.options, memory);
          if (news) revision++;
          counters[OPTIONS_REFUSED] += refused;
          if (changed) tell(domain);
        } else {
          finish(domain);
        }
        at = next;
      }
      return read;
    },
  };
}

/** Source and destination change places: the destination began the flow. */
function turn(r: FlowRecord): void {
  for (let i = 0; i < 4; i++) {
    const word = r.src[i];
    r.src[i] = r.dst[i];
    r.dst[i] = word;
  }
  if (r.protocol !== ICMP && r.protocol !== ICMP_V6) [r.srcPort, r.dstPort] = [r.dstPort, r.srcPort];
  [r.srcTos, r.dstTos] = [r.dstTos, r.srcTos];
  [r.inBytes, r.outBytes] = [r.outBytes, r.inBytes];
  [r.inPackets, r.outPackets] = [r.outPackets, r.inPackets];
  if (!r.mergedFlags) [r.srcTcpFlags, r.dstTcpFlags] = [r.dstTcpFlags, r.srcTcpFlags];
  [r.srcMac, r.dstMac] = [r.dstMac, r.srcMac];
  [r.srcWindow, r.dstWindow] = [r.dstWindow, r.srcWindow];
  [r.srcFragments, r.dstFragments] = [r.dstFragments, r.srcFragments];
  [r.srcRetransmitted, r.dstRetransmitted] = [r.dstRetransmitted, r.srcRetransmitted];
  [r.srcOutOfOrder, r.dstOutOfOrder] = [r.dstOutOfOrder, r.srcOutOfOrder];
  [r.clientLatency, r.serverLatency] = [r.serverLatency, r.clientLatency];
  [r.inIndex, r.outIndex] = [r.outIndex, r.inIndex];
  [r.srcAs, r.dstAs] = [r.dstAs, r.srcAs];
  [r.previousAs, r.nextAs] = [r.nextAs, r.previousAs];
}
