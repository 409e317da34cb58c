/**
 * A flow record in the making: the {@link FlowRecord} and what its fields say that only the whole record can decide (times of several
 * kinds, who exported it, which sampler). Elements write to it field by field (elements.ts), `finish` (records.ts) reads it.
 */
import { FlowRecord, UNKNOWN } from '../flow-record.ts';

/** Most elements without a meaning here that one record keeps. */
const MOST_MORE = 48;

export const FAMILY_IPV4 = 1;
export const FAMILY_IPV6 = 2;

export class Draft {
  readonly record = new FlowRecord();
  /** Of the message: when it was sent, µs since 1970; ms that the exporter had been up, or {@link UNKNOWN}. */
  sent = 0;
  uptime = UNKNOWN;

  /** FAMILY_*, of the addresses that are not zero. */
  families = 0;
  /** Times as ms of the exporter's uptime. */
  firstUptime = UNKNOWN;
  lastUptime = UNKNOWN;
  /** When the exporter was switched on, ms since 1970. */
  boot = 0;
  /** µs. */
  duration = UNKNOWN;
  reverseFirst = 0;
  reverseLast = 0;
  /** When the event happened that the record tells, µs since 1970. */
  observed = 0;
  /** `flowSamplerId` or `selectorId`. */
  sampler = UNKNOWN;
  /** Sampling rate in the record itself; 0 = none. */
  sampling = 0;
  /** `applicationId`; 0 = none. */
  application = 0;
  /** `biflowDirection` of RFC 5103. */
  biflow = 0;
  /** `flowDirection`: 0 ingress, 1 egress. */
  direction = UNKNOWN;
  /** Type << 8 | code; 0 = not said, or an echo reply. */
  icmp = 0;
  /** The exporter that the record names; '' = none. */
  exporter = '';
  /** Elements that found no place in `more`. */
  dropped = 0;
  /** Values of an options record by the keys of their elements. */
  readonly options = new Map<number, number | string>();

  /** Empties everything but the message's times. */
  begin(): void {
    this.record.reset();
    this.families = 0;
    this.firstUptime = UNKNOWN;
    this.lastUptime = UNKNOWN;
    this.boot = 0;
    this.duration = UNKNOWN;
    this.reverseFirst = 0;
    this.reverseLast = 0;
    this.observed = 0;
    this.sampler = UNKNOWN;
    this.sampling = 0;
    this.application = 0;
    this.biflow = 0;
    this.direction = UNKNOWN;
    this.icmp = 0;
    this.exporter = '';
  }

  /** Keeps what has no meaning here. Zero, none and empty say nothing and are left out. */
  keep(name: string, value: number | string): void {
    if (value === 0 || value === '') return;
    const { more } = this.record;
    if (more.length < 2 * MOST_MORE) more.push(name, value);
    else this.dropped++;
  }

  source4(address: number): void {
    if (address === 0) return;
    this.record.src[0] = address;
    this.families |= FAMILY_IPV4;
  }

  destination4(address: number): void {
    if (address === 0) return;
    this.record.dst[0] = address;
    this.families |= FAMILY_IPV4;
  }

  source6(bytes: Uint8Array, at: number): void {
    if (putIpv6(this.record.src, bytes, at)) this.families |= FAMILY_IPV6;
  }

  destination6(bytes: Uint8Array, at: number): void {
    if (putIpv6(this.record.dst, bytes, at)) this.families |= FAMILY_IPV6;
  }
}

/** @returns false for `::`, which overwrites nothing */
function putIpv6(words: Uint32Array, bytes: Uint8Array, at: number): boolean {
  let any = 0;
  for (let i = 0; i < 16; i++) any |= bytes[at + i];
  if (any === 0) return false;
  for (let i = 0; i < 4; i++, at += 4) {
    words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  return true;
}
