/**
 * A flow record being put together: fields put in what they say (fields.ts), {@link FlowDraft.finish} makes a clean record of it.
 * What needs a view of the whole record is here: which address counts, which of several times, who is the client.
 */
import { FlowRecord, UNKNOWN } from '../flow-record.ts';
import { readIpv4, readIpv6, readMac } from './addresses.ts';
import { NESTED, NUMBER, TEXT, type Value } from './value.ts';

/** One end of the record: `src` is the side that `IN_*` counters come from. */
export type Side = 'src' | 'dst';

/** Most further fields that a record keeps. */
export const MOST_FURTHER = 64;

const SECOND = 1e6;
/** Numbers below are no seconds since 1970 of this century; numbers above are milliseconds. */
const FIRST_EPOCH_SECOND = 1e9;
const LAST_EPOCH_SECOND = 1e11;
/** A record may be this far ahead of us. */
const MOST_AHEAD = 60 * SECOND;

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const SYN = 2;
const HIGHEST_VLAN = 4095;
/** nDPI keeps protocols in 16 bits. */
const HIGHEST_PROTOCOL = 65535;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** What finish() says beside 'ok': why there is no record. */
export type Finish = 'ok' | 'no-address' | 'mixed-versions';

export class FlowDraft {
  readonly record = new FlowRecord();
  /** 0 = none yet, 4, 6. */
  srcVersion = 0;
  dstVersion = 0;
  /** TCP flags of both directions together; of each. */
  bothFlags = 0;
  /** µs; 0 = not said. */
  first = 0;
  last = 0;
  /** µs from finer fields, which are better than seconds. */
  fineFirst = 0;
  fineLast = 0;
  duration = 0;
  exporterV6 = '';
  probe = '';
  hostName = '';
  info = '';
  /** Name that an `option` message gave to a value of the record: a custom application. */
  announced = '';
  /** Of an agent on a host: counters are absolute and ports do not tell who the client is. */
  agent = false;
  srcProcess: Members | undefined = undefined;
  dstProcess: Members | undefined = undefined;
  srcContainer: Record<string, string> | undefined = undefined;
  dstContainer: Record<string, string> | undefined = undefined;
  /** Further fields that found no room. */
  dropped = 0;
  /** About the record just finished. */
  swapped = false;
  noTime = false;
  future = false;

  reset(): void {
    this.record.reset();
    this.srcVersion = 0;
    this.dstVersion = 0;
    this.bothFlags = 0;
    this.first = 0;
    this.last = 0;
    this.fineFirst = 0;
    this.fineLast = 0;
    this.duration = 0;
    this.exporterV6 = '';
    this.probe = '';
    this.hostName = '';
    this.info = '';
    this.announced = '';
    this.agent = false;
    this.srcProcess = undefined;
    this.dstProcess = undefined;
    this.srcContainer = undefined;
    this.dstContainer = undefined;
    this.dropped = 0;
  }

  /** The first address of a side that is not all zeros counts. Numbers are IPv4 addresses in host order. */
  address(side: Side, value: Value): void {
    if (side === 'src' ? this.srcVersion !== 0 : this.dstVersion !== 0) return;
    const words = side === 'src' ? this.record.src : this.record.dst;
    let version = 4;
    if (value.kind === NUMBER) words[0] = value.whole() >>> 0;
    else if (value.kind === TEXT && !value.isEmpty()) {
      const ipv4 = readIpv4(value.bytes, value.start, value.end);
      if (ipv4 >= 0) words[0] = ipv4;
      else if (readIpv6(value.bytes, value.start, value.end, words)) version = 6;
      else value.misfits++;
    } else if (value.kind === NESTED) value.misfits++;
    if ((words[0] | words[1] | words[2] | words[3]) === 0) return;
    if (side === 'src') this.srcVersion = version;
    else this.dstVersion = version;
  }

  mac(side: Side, value: Value): void {
    if (value.kind !== TEXT || value.isEmpty()) return;
    const mac = readMac(value.bytes, value.start, value.end);
    if (mac < 0) value.misfits++;
    else if (mac === 0) return;
    else if (side === 'src') this.record.srcMac = mac;
    else this.record.dstMac = mac;
  }

  vlan(value: Value, onlyIfNone: boolean): void {
    const vlan = value.whole();
    if (!onlyIfNone || this.record.vlan === 0) this.record.vlan = vlan > HIGHEST_VLAN ? 0 : vlan;
  }

  /** µs of a latency in ms; 0 ms is what probes send for "not measured". */
  latency(value: Value): number {
    const ms = value.real();
    if (ms > 0 && ms < 1e9) return Math.round(ms * 1000);
    if (!(ms <= 0) && !value.isEmpty()) value.misfits++;
    return UNKNOWN;
  }

  /**
   * An application as nDPI numbers: `91`, `5.126` (master and application), or a name.
   * A number with a fraction is taken by its digits: 91.120 is Application 120, not 12.
   */
  protocol(value: Value): void {
    if (value.kind === NUMBER && Number.isInteger(value.number)) {
      const application = value.whole();
      if (application === 0) return;
      this.record.application = application;
      this.record.master = 0;
      return;
    }
    if (value.kind !== NUMBER && (value.kind !== TEXT || value.isEmpty())) return;
    if (value.start < 0) value.digits(); // a float: nobody wrote its digits
    const { bytes, end } = value;
    let at = value.start;
    let [one, two] = [0, 0];
    while (at < end && isDigit(bytes[at])) one = one * 10 + bytes[at++] - 0x30;
    if (at > value.start && at + 1 < end && bytes[at] === 0x2e) {
      at++;
      while (at < end && isDigit(bytes[at])) two = two * 10 + bytes[at++] - 0x30;
    }
    if (at < end || one > HIGHEST_PROTOCOL || two > HIGHEST_PROTOCOL) {
      this.record.protocolName = value.text();
      return;
    }
    if (one === 0 && two === 0) return;
    this.record.application = two === 0 ? one : two;
    this.record.master = two === 0 ? 0 : one;
  }

  /** Seconds since 1970; milliseconds where they are so many. @returns µs; 0 for an exporter's uptime, which says nothing here */
  seconds(value: Value): number {
    const number = value.real();
    if (number >= FIRST_EPOCH_SECOND && number <= LAST_EPOCH_SECOND) return Math.round(number * SECOND);
    if (number > LAST_EPOCH_SECOND && number <= LAST_EPOCH_SECOND * 1000) return Math.round(number * 1000);
    if (Number.isNaN(number) && !value.isEmpty()) value.misfits++;
    return 0;
  }

  /** @param perUnit µs of one unit */
  fineTime(value: Value, perUnit: number): number {
    const us = Math.floor(value.whole() * perUnit);
    return us >= FIRST_EPOCH_SECOND * SECOND && us <= LAST_EPOCH_SECOND * SECOND ? us : 0;
  }

  /** A detail of the flow by its name among `Names.details`; the first of several counts. */
  detail(name: string, value: Value): void {
    if (value.kind !== NESTED && !value.isEmpty()) this.#addDetail(name, value.text());
  }

  /** A detail that is a number, 0 for none. */
  numberDetail(name: string, value: Value): void {
    const number = value.whole();
    if (number !== 0) this.#addDetail(name, String(number));
  }

  #addDetail(name: string, text: string): void {
    const { details } = this.record;
    for (let i = 0; i < details.length; i += 2) if (details[i] === name) return;
    details.push(name, text);
  }

  /** What nobody here understands; numbers that have more than 53 bits as text. */
  further(name: string, value: Value): void {
    if (value.isEmpty()) return;
    this.furtherMember(name, value.kind === NUMBER && Number.isSafeInteger(Math.trunc(value.number)) ? value.number : value.text());
  }

  furtherMember(name: string, value: string | number): void {
    if (this.record.more.length >= 2 * MOST_FURTHER) this.dropped++;
    else this.record.more.push(name, value);
  }

  process(side: Side, member: string, value: string | number): void {
    if (value === '') return;
    const process = side === 'src' ? (this.srcProcess ??= {}) : (this.dstProcess ??= {});
    process[member] = value;
  }

  container(side: Side, member: string, value: string): void {
    if (value === '') return;
    const container = side === 'src' ? (this.srcContainer ??= {}) : (this.dstContainer ??= {});
    container[member] = value;
  }

  /** @param now µs since 1970: when the record came */
  finish(now: number): Finish {
    const record = this.record;
    this.swapped = false;
    if (this.srcVersion === 0 && this.dstVersion === 0) return 'no-address';
    if (this.srcVersion !== 0 && this.dstVersion !== 0 && this.srcVersion !== this.dstVersion) return 'mixed-versions';
    record.ipVersion = this.srcVersion === 0 ? this.dstVersion : this.srcVersion;
    this.#ports();
    this.#flags();
    this.#times(now);
    record.exporter ||= this.exporterV6 || this.probe;
    this.#texts();
    if (this.agent) record.absolute = true;
    else if (this.#lowerPortIsServer()) this.#swap();
    record.directed = true;
    return 'ok';
  }

  /** ICMP has no ports: exporters put type and code into that of the destination. */
  #ports(): void {
    const record = this.record;
    if (record.protocol !== ICMP && record.protocol !== ICMPV6) {
      record.icmpType = UNKNOWN;
      record.icmpCode = UNKNOWN;
      return;
    }
    if (record.icmpType === UNKNOWN && record.dstPort !== 0) {
      record.icmpType = record.dstPort >>> 8;
      record.icmpCode = record.dstPort & 0xff;
    }
    record.srcPort = 0;
    record.dstPort = 0;
  }

  #flags(): void {
    if (this.bothFlags === 0 || this.record.srcTcpFlags !== 0 || this.record.dstTcpFlags !== 0) return;
    this.record.srcTcpFlags = this.bothFlags;
    this.record.mergedFlags = true;
  }

  #times(now: number): void {
    let first = this.fineFirst || this.first;
    let last = this.fineLast || this.last;
    this.noTime = first === 0 && last === 0;
    if (last === 0) last = first === 0 ? now : first + this.duration;
    if (first === 0) first = last - this.duration;
    this.future = last > now + MOST_AHEAD;
    if (this.future) last = now;
    this.record.first = Math.min(first, last);
    this.record.last = last;
  }

  #texts(): void {
    const record = this.record;
    const name = this.hostName || this.info;
    if (name !== '') record.details.push('host_server_name', name);
    if (this.announced !== '') record.protocolName = this.announced;
    else if (record.application !== UNKNOWN) record.protocolName = '';
    if (hasPid(this.srcProcess)) record.srcProcess = jsonText(this.srcProcess);
    if (hasPid(this.dstProcess)) record.dstProcess = jsonText(this.dstProcess);
    if (this.srcContainer !== undefined) record.srcContainer = jsonText(this.srcContainer);
    if (this.dstContainer !== undefined) record.dstContainer = jsonText(this.dstContainer);
  }

  /** Is the source the server? The probe has seen the first packet, so only a TCP flow whose begin nobody saw is judged by its ports. */
  #lowerPortIsServer(): boolean {
    const { srcPort, dstPort, protocol, srcTcpFlags, src, dst, ipVersion, mergedFlags } = this.record;
    if (srcPort >= dstPort || protocol === UDP) return false;
    if (protocol === TCP && !mergedFlags && (srcTcpFlags & SYN) !== 0) return false;
    return !isGroup(src, ipVersion) && !isGroup(dst, ipVersion);
  }

  #swap(): void {
    const record = this.record;
    this.swapped = true;
    for (let i = 0; i < 4; i++) {
      const word = record.src[i];
      record.src[i] = record.dst[i];
      record.dst[i] = word;
    }
    [record.srcPort, record.dstPort] = [record.dstPort, record.srcPort];
    [record.srcTos, record.dstTos] = [record.dstTos, record.srcTos];
    [record.inPackets, record.outPackets] = [record.outPackets, record.inPackets];
    [record.inBytes, record.outBytes] = [record.outBytes, record.inBytes];
    if (!record.mergedFlags) [record.srcTcpFlags, record.dstTcpFlags] = [record.dstTcpFlags, record.srcTcpFlags];
    [record.srcMac, record.dstMac] = [record.dstMac, record.srcMac];
    [record.srcRetransmitted, record.dstRetransmitted] = [record.dstRetransmitted, record.srcRetransmitted];
    [record.srcOutOfOrder, record.dstOutOfOrder] = [record.dstOutOfOrder, record.srcOutOfOrder];
    [record.srcLost, record.dstLost] = [record.dstLost, record.srcLost];
    [record.srcFragments, record.dstFragments] = [record.dstFragments, record.srcFragments];
    [record.srcWindow, record.dstWindow] = [record.dstWindow, record.srcWindow];
    [record.clientLatency, record.serverLatency] = [record.serverLatency, record.clientLatency];
    [record.inIndex, record.outIndex] = [record.outIndex, record.inIndex];
    [record.srcAs, record.dstAs] = [record.dstAs, record.srcAs];
    [record.previousAs, record.nextAs] = [record.nextAs, record.previousAs];
    [record.srcProcess, record.dstProcess] = [record.dstProcess, record.srcProcess];
    [record.srcContainer, record.dstContainer] = [record.dstContainer, record.srcContainer];
    [record.srcTcpInfo, record.dstTcpInfo] = [record.dstTcpInfo, record.srcTcpInfo];
  }
}

/** Multicast, or the limited broadcast. */
function isGroup(words: Uint32Array, ipVersion: number): boolean {
  if (ipVersion === 6) return words[0] >>> 24 === 0xff;
  return words[0] >>> 28 === 0xe || words[0] === 0xffffffff;
}

type Members = Record<string, string | number>;

const hasPid = (process: Members | undefined): process is Members => process !== undefined && Number(process.pid ?? 0) > 0;

/** Members are in Latin-1 form, and so is the JSON. */
const jsonText = (members: Members): string => JSON.stringify(members);
