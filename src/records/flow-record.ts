/**
 * One flow record of a probe or an exporter, whatever brought it: what the decoders of ZMQ, NetFlow and IPFIX fill in and the
 * flow engine takes. A decoder has one, fills it again and again and hands it to a {@link RecordSink}; who takes it keeps nothing of it.
 *
 *   datagram, message ──► decoder ──FlowRecord──► RecordSink.record (the engine's ingest)
 *                             └────ProbeEvent──► RecordSink.event  (time-outs, drops, interface speed)
 *
 * Directions are those of the record: `src` sent `inBytes`, `dst` sent `outBytes`; a record of one direction has zeros for the
 * other. Counters are what came since the previous record of the flow, as exported: the sampling rate is applied by the engine.
 */

/** What stands where a record does not say. */
export const UNKNOWN = -1;

export class FlowRecord {
  /** 4 or 6. */
  ipVersion = 4;
  /** Words in network order, as numbers below 2^32; an IPv4 address is in the first. */
  readonly src = new Uint32Array(4);
  readonly dst = new Uint32Array(4);
  srcPort = 0;
  dstPort = 0;
  /** IP protocol number. */
  protocol = 0;
  vlan = 0;
  /** Type of service, first seen; both directions. */
  srcTos = 0;
  dstTos = 0;
  /** µs since 1970. */
  first = 0;
  last = 0;
  inPackets = 0;
  inBytes = 0;
  outPackets = 0;
  outBytes = 0;
  /** Union of the flags of all segments of a direction (RFC 793 bits). */
  srcTcpFlags = 0;
  dstTcpFlags = 0;
  /** True: the union of both directions only, in `srcTcpFlags`. */
  mergedFlags = false;
  /** True: packets, bytes and TCP problems count from the flow's start on, not from its previous record (zero = not said). */
  absolute = false;
  /** True: `src` is known to be the client (the decoder has swapped where the exporter said so). */
  directed = false;
  /** nDPI ids, or {@link UNKNOWN}; a protocol of another numbering comes as `protocolName`. */
  master = UNKNOWN;
  application = UNKNOWN;
  category = UNKNOWN;
  /** Name of the protocol as the exporter gives it (`TLS.Google`, an NBAR application); '' = none. */
  protocolName = '';
  /** Risk bits of nDPI, low and high 32. */
  risksLow = 0;
  risksHigh = 0;
  /** 48 bits, or {@link UNKNOWN}. */
  srcMac = UNKNOWN;
  dstMac = UNKNOWN;
  srcRetransmitted = 0;
  dstRetransmitted = 0;
  srcOutOfOrder = 0;
  dstOutOfOrder = 0;
  srcLost = 0;
  dstLost = 0;
  /** IP fragments. */
  srcFragments = 0;
  dstFragments = 0;
  /** Largest TCP window, unscaled; 0 = not said. */
  srcWindow = 0;
  dstWindow = 0;
  /** Of the last ICMP message, or {@link UNKNOWN}. */
  icmpType = UNKNOWN;
  icmpCode = UNKNOWN;
  /** µs, or {@link UNKNOWN}. */
  clientLatency = UNKNOWN;
  serverLatency = UNKNOWN;
  applicationLatency = UNKNOWN;
  /** Packets that one sampled packet stands for; 1 = all were seen. */
  samplingRate = 1;
  /** SNMP index of the exporter's interfaces. */
  inIndex = 0;
  outIndex = 0;
  /** Autonomous systems of the ends; those before and behind the exporter on the way from `src` to `dst` (BGP). 0 = not said. */
  srcAs = 0;
  dstAs = 0;
  previousAs = 0;
  nextAs = 0;
  /** VRF by which the packets came in; 0 = not said. */
  vrf = 0;
  /** Who exported it, as text (`10.1.2.3`, `10.1.2.3:7` with its domain, a probe's name). */
  exporter = '';
  /**
   * Of the ends, where an agent on a host reports them: JSON objects in Latin-1 form with the members that
   * `client_process`, `client_container` and `client_tcp_info` of `info` have; '' = not reported.
   */
  srcProcess = '';
  dstProcess = '';
  srcContainer = '';
  dstContainer = '';
  srcTcpInfo = '';
  dstTcpInfo = '';
  /**
   * Details by their names among the interface's `Names.details` (`host_server_name`, `http.url`, `tls.ja3_client` …), as
   * name, text, name, text…; texts are in Latin-1 form, one character a byte.
   */
  readonly details: string[] = [];
  /** What is understood by nobody, for `info["moreinfo.json"]`: name or number of the element, value. */
  readonly more: (string | number)[] = [];

  /** Back to nothing. */
  reset(): void {
    this.ipVersion = 4;
    for (let i = 0; i < 4; i++) this.src[i] = this.dst[i] = 0;
    this.srcPort = 0;
    this.dstPort = 0;
    this.protocol = 0;
    this.vlan = 0;
    this.srcTos = 0;
    this.dstTos = 0;
    this.first = 0;
    this.last = 0;
    this.inPackets = 0;
    this.inBytes = 0;
    this.outPackets = 0;
    this.outBytes = 0;
    this.srcTcpFlags = 0;
    this.dstTcpFlags = 0;
    this.mergedFlags = false;
    this.absolute = false;
    this.directed = false;
    this.master = UNKNOWN;
    this.application = UNKNOWN;
    this.category = UNKNOWN;
    this.protocolName = '';
    this.risksLow = 0;
    this.risksHigh = 0;
    this.srcMac = UNKNOWN;
    this.dstMac = UNKNOWN;
    this.srcRetransmitted = 0;
    this.dstRetransmitted = 0;
    this.srcOutOfOrder = 0;
    this.dstOutOfOrder = 0;
    this.srcLost = 0;
    this.dstLost = 0;
    this.srcFragments = 0;
    this.dstFragments = 0;
    this.srcWindow = 0;
    this.dstWindow = 0;
    this.icmpType = UNKNOWN;
    this.icmpCode = UNKNOWN;
    this.clientLatency = UNKNOWN;
    this.serverLatency = UNKNOWN;
    this.applicationLatency = UNKNOWN;
    this.samplingRate = 1;
    this.inIndex = 0;
    this.outIndex = 0;
    this.srcAs = 0;
    this.dstAs = 0;
    this.previousAs = 0;
    this.nextAs = 0;
    this.vrf = 0;
    this.exporter = '';
    this.srcProcess = '';
    this.dstProcess = '';
    this.srcContainer = '';
    this.dstContainer = '';
    this.srcTcpInfo = '';
    this.dstTcpInfo = '';
    this.details.length = 0;
    this.more.length = 0;
  }
}

/** What a probe says of itself: all it has said last, one object per probe. */
export interface ProbeEvent {
  /** Unique among the sources of an interface: endpoint and source id, address and domain. */
  readonly source: string;
  /** Time-outs of its flow cache, s; absent when it does not say. */
  readonly activeTimeout?: number;
  readonly idleTimeout?: number;
  /** Its own clock, µs since 1970. */
  readonly clock?: number;
  readonly name?: string;
  readonly version?: string;
  readonly address?: string;
  /** Of the interface that it captures. */
  readonly interfaceName?: string;
  readonly interfaceSpeed?: number;
  /** Cumulative totals by name, drops among them: `drops.export_queue_full` … */
  readonly totals?: Readonly<Record<string, number>>;
}

export interface RecordSink {
  record(record: FlowRecord): void;
  event(event: ProbeEvent): void;
}
