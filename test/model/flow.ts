/** What the model knows of a flow, and what an event about it has to say. */
import type { Callback, EndReason } from '../../src/flows/event.ts';
import type { Found } from './detection.ts';
import type { Packet } from './packet.ts';
import type { Tcp } from './tcp.ts';

export interface FlowEnd {
  readonly ip: string;
  readonly port: number;
  readonly mac: string;
  /** Position of the local network, -1 = remote. */
  readonly network: number;
  readonly unicast: boolean;
}

/** One direction. */
export interface Side {
  bytes: number;
  goodput: number;
  packets: number;
  fragments: number;
  tos: number;
  last: number;
  readonly lengths: number[];
  /** Whole ms between packets. */
  readonly gaps: number[];
}

export interface Rates {
  /** Of client and server. */
  readonly bps: readonly [number, number];
  readonly pps: readonly [number, number];
  readonly bpsBoth: number;
  readonly ppsBoth: number;
}

export interface Flow {
  /** Place in the table; the free one that was freed last is taken first. */
  readonly record: number;
  readonly number: number;
  readonly key: string;
  readonly ends: readonly [FlowEnd, FlowEnd];
  readonly fromServer: (packet: Packet) => boolean;
  readonly l4: number;
  readonly vlan: number;
  readonly isIpv6: boolean;
  readonly first: number;
  last: number;
  readonly sides: readonly [Side, Side];
  readonly tcp: Tcp;
  icmp: { readonly type: number; readonly code: number };
  /** ICMP: what a "port unreachable" quotes, bytes as characters. */
  quoted: string | undefined;
  longEcho: boolean;
  invalidQuery: boolean;
  dataQuery: boolean;

  shown: boolean;
  detected: boolean;
  dissected: boolean;
  knownAt: number;
  found: Found | undefined;
  reported: boolean;

  statuses: readonly number[];
  /** Status of the core's alert, 0 = none yet. */
  alerted: number;
  periodicAt: number | undefined;
  /** The previous visit: its time, and the counters then. */
  visitedAt: number | undefined;
  previous: { readonly bytes: readonly [number, number]; readonly packets: readonly [number, number]; readonly goodput: number };
  rates: Rates;
  readonly top: { bps: number; pps: number };
  readonly trend: { bps: number; pps: number };
}

/** What an event has to say, beside the flow as it is now. */
export interface Visit {
  readonly time: number;
  readonly visit: number;
  readonly callbacks: readonly Callback[];
  readonly end: EndReason;
  readonly before: readonly number[];
  readonly alertNow: boolean;
  /** The core had raised its alert before this visit. */
  readonly wasAlerted: boolean;
  readonly category: number;
  readonly blacklisted: readonly [boolean, boolean];
}
