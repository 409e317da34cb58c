/**
 * Information elements, declared once: what they are called, how they are read, what they do to a flow record. A field of a template
 * whose element is not here is kept by its number (`8.1234`, `999`); a template is made into a reader by reader.ts.
 *
 * Sources: the IANA registry of IPFIX entities (ids up to 127 are those of NetFlow v9, RFC 3954), RFC 5103 (reverse elements, PEN
 * 29305), Cisco's ASA NSEL and AVC (PEN 9), nProbe's guide (PEN 35632). Names are those of NetFlow v9 and nProbe where they have one.
 *
 * NetFlow v9 has no enterprise numbers; by convention 57472 + id is nProbe's, 32768 + id is Cisco's.
 */
import type { FlowRecord } from '../flow-record.ts';
import { NTOP_NAMES, STANDARD_NAMES } from '../zmq/names.ts';
import { applicationName } from './applications.ts';
import type { Draft } from './draft.ts';
import { ipv4Text, ipv6Text } from './text.ts';

export const PEN_CISCO = 9;
/** RFC 5103: the same element, of the other direction. */
export const PEN_REVERSE = 29305;
export const PEN_NPROBE = 35632;
/** Not an enterprise number: scopes of NetFlow v9 options (RFC 3954, 6.1). */
export const V9_SCOPE = 2 ** 32;

const V9_NPROBE = 57472;
const V9_CISCO = 32768;

/** One number for an element of an enterprise; 0 = IANA. */
export const elementKey = (enterprise: number, id: number): number => enterprise * 65536 + id;

/** The element of a NetFlow v9 field type. */
export function v9Key(type: number): number {
  if (type >= V9_NPROBE) return elementKey(PEN_NPROBE, type - V9_NPROBE);
  return type >= V9_CISCO ? elementKey(PEN_CISCO, type - V9_CISCO) : type;
}

export type SetNumber = (record: FlowRecord, value: number, draft: Draft) => void;
export type SetText = (record: FlowRecord, text: string, draft: Draft) => void;
export type SetBytes = (record: FlowRecord, bytes: Buffer, at: number, draft: Draft, length: number) => void;

/**
 * - `unsigned` big-endian, 1 to 8 bytes whatever the type's own length (reduced-size encoding)
 * - `ipv4` the same as a signed number of 32 bit: small integers are not allocated
 * - `float` 4 or 8 bytes; `ntp` 8 bytes, becomes µs since 1970
 * - `text` up to the first NUL, in Latin-1 form
 * - `bytes` as they are; kept as a number up to 8 bytes, else as text where it is printable, else as hexadecimal digits
 */
export type ElementKind = 'unsigned' | 'ipv4' | 'mac' | 'float' | 'ntp' | 'text' | 'bytes';

export interface Element {
  readonly key: number;
  readonly name: string;
  readonly kind: ElementKind;
  /** The only length that it can have; another one is kept as bytes. */
  readonly length?: number;
  /** By kind; without any of them the value is kept under its name. */
  readonly number?: SetNumber;
  readonly text?: SetText;
  readonly bytes?: SetBytes;
  /** What the reverse element (RFC 5103) does; without, it is kept as `REVERSE_` and the name. */
  readonly reverse?: SetNumber;
  /** What it does in records of a probe that gives both directions in one record. */
  readonly fromProbe?: SetNumber;
  /** Of no use when the template has one of these, too. */
  readonly unless?: readonly number[];
  /** Neither used nor kept. */
  readonly ignored?: true;
  /** The source of the record is the client where this is set. */
  readonly directs?: true;
}

type Extra = Omit<Element, 'key' | 'name' | 'kind' | 'number' | 'text' | 'bytes'>;

const numbers =
  (kind: ElementKind, length?: number) =>
  (key: number, name: string, number?: SetNumber, extra: Extra = {}): Element => ({
    key,
    name,
    kind,
    ...(length === undefined ? {} : { length }),
    ...(number === undefined ? {} : { number }),
    ...extra,
  });
const unsigned = numbers('unsigned');
const ipv4 = numbers('ipv4', 4);
const mac = numbers('mac', 6);
const ntp = numbers('ntp', 8);
const text = (key: number, name: string, set?: SetText, extra: Extra = {}): Element => ({
  key,
  name,
  kind: 'text',
  ...(set === undefined ? {} : { text: set }),
  ...extra,
});
const ipv6 = (key: number, name: string, bytes?: SetBytes): Element => ({
  key,
  name,
  kind: 'bytes',
  length: 16,
  bytes: bytes ?? ((_, buffer, at, draft) => draft.keep(name, isZero(buffer, at, 16) ? '' : ipv6Text(buffer, at))),
});
const ignored = (key: number, name: string): Element => ({ key, name, kind: 'bytes', ignored: true });

function isZero(bytes: Uint8Array, at: number, length: number): boolean {
  for (let end = at + length; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

const VLAN = 0x0fff;
const flags: SetNumber = (r, v) => {
  r.srcTcpFlags = v & 0xff;
};
const peerFlags: SetNumber = (r, v) => {
  r.dstTcpFlags = v & 0xff;
};
const inBytes: SetNumber = (r, v) => {
  r.inBytes = v;
};
const inPackets: SetNumber = (r, v) => {
  r.inPackets = v;
};
const outBytes: SetNumber = (r, v) => {
  r.outBytes = v;
};
const outPackets: SetNumber = (r, v) => {
  r.outPackets = v;
};
const peerTos: SetNumber = (r, v) => {
  r.dstTos = v;
};
const vlan: SetNumber = (r, v) => {
  if (r.vlan === 0) r.vlan = v & VLAN;
};
const source: SetNumber = (_, v, d) => d.source4(v);
const destination: SetNumber = (_, v, d) => d.destination4(v);
const srcPort: SetNumber = (r, v) => {
  if (v !== 0) r.srcPort = v & 0xffff;
};
const dstPort: SetNumber = (r, v) => {
  if (v !== 0) r.dstPort = v & 0xffff;
};
const icmp: SetNumber = (_, v, d) => {
  if (v !== 0) d.icmp = v & 0xffff;
};
const icmpType: SetNumber = (_, v, d) => {
  d.icmp = (d.icmp & 0xff) | ((v & 0xff) << 8);
};
const icmpCode: SetNumber = (_, v, d) => {
  d.icmp = (d.icmp & 0xff00) | (v & 0xff);
};
const first =
  (µs: number): SetNumber =>
  (r, v) => {
    if (v !== 0) r.first = v * µs;
  };
const last =
  (µs: number): SetNumber =>
  (r, v) => {
    if (v !== 0) r.last = v * µs;
  };
const reverseFirst = (µs: number): Extra => ({
  reverse: (_, v, d) => {
    d.reverseFirst = v * µs;
  },
});
const reverseLast = (µs: number): Extra => ({
  reverse: (_, v, d) => {
    d.reverseLast = v * µs;
  },
});
const observed =
  (µs: number): SetNumber =>
  (_, v, d) => {
    d.observed = v * µs;
  };
const duration =
  (µs: number): SetNumber =>
  (_, v, d) => {
    d.duration = v * µs;
  };
const sampler: SetNumber = (_, v, d) => {
  d.sampler = v;
};
const mpls = (key: number, level: number): Element =>
  // RFC 5102: label, 3 bit of experiments, bottom of the stack
  unsigned(key, `MPLS_LABEL_${level}`, (_, v, d) => d.keep(`MPLS_LABEL_${level}`, v >>> 4));
const detail =
  (name: string): SetText =>
  (r, value) => {
    r.details.push(name, value);
  };
const numberDetail =
  (name: string): SetNumber =>
  (r, value) => {
    r.details.push(name, String(value));
  };

const IANA: readonly Element[] = [
  unsigned(1, 'IN_BYTES', inBytes, { reverse: outBytes }),
  unsigned(2, 'IN_PKTS', inPackets, { reverse: outPackets }),
  unsigned(3, 'FLOWS'),
  unsigned(4, 'PROTOCOL', (r, v) => {
    r.protocol = v;
  }),
  unsigned(
    5,
    'SRC_TOS',
    (r, v) => {
      r.srcTos = v;
    },
    { reverse: peerTos },
  ),
  unsigned(6, 'TCP_FLAGS', flags, { reverse: peerFlags, unless: [elementKey(PEN_NPROBE, 78)] }),
  unsigned(7, 'L4_SRC_PORT', srcPort),
  ipv4(8, 'IPV4_SRC_ADDR', source),
  unsigned(9, 'IPV4_SRC_MASK'),
  unsigned(10, 'INPUT_SNMP', (r, v) => {
    r.inIndex = v;
  }),
  unsigned(11, 'L4_DST_PORT', dstPort),
  ipv4(12, 'IPV4_DST_ADDR', destination),
  unsigned(13, 'IPV4_DST_MASK'),
  unsigned(14, 'OUTPUT_SNMP', (r, v) => {
    r.outIndex = v;
  }),
  ipv4(15, 'IPV4_NEXT_HOP'),
  unsigned(16, 'SRC_AS', (r, v) => {
    r.srcAs = v;
  }),
  unsigned(17, 'DST_AS', (r, v) => {
    r.dstAs = v;
  }),
  ipv4(18, 'IPV4_BGP_NEXT_HOP'),
  unsigned(19, 'MUL_DST_PKTS'),
  unsigned(20, 'MUL_DST_BYTES'),
  unsigned(21, 'LAST_SWITCHED', (_, v, d) => {
    d.lastUptime = v;
  }),
  unsigned(22, 'FIRST_SWITCHED', (_, v, d) => {
    d.firstUptime = v;
  }),
  // counted behind the router, of the same direction: what came is 1 and 2; probes mean the other direction
  unsigned(23, 'OUT_BYTES', inBytes, { fromProbe: outBytes, unless: [1] }),
  unsigned(24, 'OUT_PKTS', inPackets, { fromProbe: outPackets, unless: [2] }),
  unsigned(25, 'MIN_IP_PKT_LEN'),
  unsigned(26, 'MAX_IP_PKT_LEN'),
  ipv6(27, 'IPV6_SRC_ADDR', (_, bytes, at, d) => d.source6(bytes, at)),
  ipv6(28, 'IPV6_DST_ADDR', (_, bytes, at, d) => d.destination6(bytes, at)),
  unsigned(29, 'IPV6_SRC_MASK'),
  unsigned(30, 'IPV6_DST_MASK'),
  unsigned(31, 'IPV6_FLOW_LABEL'),
  unsigned(32, 'ICMP_TYPE', icmp),
  unsigned(33, 'MUL_IGMP_TYPE'),
  unsigned(34, 'SAMPLING_INTERVAL', (_, v, d) => {
    d.sampling = v;
  }),
  unsigned(35, 'SAMPLING_ALGORITHM'),
  unsigned(36, 'FLOW_ACTIVE_TIMEOUT'),
  unsigned(37, 'FLOW_INACTIVE_TIMEOUT'),
  unsigned(38, 'ENGINE_TYPE'),
  unsigned(39, 'ENGINE_ID'),
  unsigned(40, 'TOTAL_BYTES_EXP'),
  unsigned(41, 'TOTAL_PKTS_EXP'),
  unsigned(42, 'TOTAL_FLOWS_EXP'),
  ipv4(44, 'IPV4_SRC_PREFIX'),
  ipv4(45, 'IPV4_DST_PREFIX'),
  unsigned(46, 'MPLS_TOP_LABEL_TYPE'),
  ipv4(47, 'MPLS_TOP_LABEL_IP_ADDR'),
  unsigned(48, 'FLOW_SAMPLER_ID', sampler),
  unsigned(49, 'FLOW_SAMPLER_MODE'),
  unsigned(50, 'FLOW_SAMPLER_RANDOM_INTERVAL'),
  unsigned(52, 'MIN_TTL'),
  unsigned(53, 'MAX_TTL'),
  unsigned(54, 'IPV4_IDENT'),
  unsigned(55, 'DST_TOS', undefined, { fromProbe: peerTos }),
  mac(56, 'IN_SRC_MAC', (r, v) => {
    r.srcMac = v;
  }),
  mac(
    57,
    'OUT_DST_MAC',
    (r, v) => {
      r.dstMac = v;
    },
    { unless: [80] },
  ),
  unsigned(58, 'SRC_VLAN', (r, v) => {
    if (v !== 0) r.vlan = v & VLAN;
  }),
  unsigned(59, 'DST_VLAN', vlan),
  unsigned(60, 'IP_PROTOCOL_VERSION', undefined, { ignored: true }),
  unsigned(61, 'DIRECTION', (_, v, d) => {
    d.direction = v;
  }),
  ipv6(62, 'IPV6_NEXT_HOP'),
  ipv6(63, 'BGP_IPV6_NEXT_HOP'),
  unsigned(64, 'IPV6_OPTION_HEADERS'),
  ...Array.from({ length: 10 }, (_, i) => mpls(70 + i, i + 1)),
  mac(80, 'IN_DST_MAC', (r, v) => {
    r.dstMac = v;
  }),
  mac(
    81,
    'OUT_SRC_MAC',
    (r, v) => {
      r.srcMac = v;
    },
    { unless: [56] },
  ),
  text(82, 'INTERFACE_NAME'),
  text(83, 'INTERFACE_DESC'),
  text(84, 'SAMPLER_NAME'),
  unsigned(
    85,
    'OCTET_TOTAL',
    (r, v) => {
      r.inBytes = v;
      r.absolute = true;
    },
    { unless: [1], reverse: outBytes },
  ),
  unsigned(
    86,
    'PACKET_TOTAL',
    (r, v) => {
      r.inPackets = v;
      r.absolute = true;
    },
    { unless: [2], reverse: outPackets },
  ),
  unsigned(88, 'FRAGMENT_OFFSET'),
  unsigned(89, 'FORWARDING_STATUS'),
  unsigned(90, 'MPLS_VPN_RD'),
  unsigned(91, 'MPLS_TOP_LABEL_PREFIX_LENGTH'),
  text(94, 'APPLICATION_DESCRIPTION'),
  unsigned(95, 'APPLICATION_ID', (_, v, d) => {
    d.application = v;
  }),
  text(96, 'APPLICATION_NAME', (r, value) => {
    r.protocolName = applicationName(value);
  }),
  unsigned(98, 'POST_IP_DIFF_SERV_CODE_POINT'),
  unsigned(99, 'REPLICATION_FACTOR'),
  unsigned(102, 'PACKET_SECTION_OFFSET'),
  unsigned(128, 'BGP_NEXT_ADJACENT_ASN', (r, v) => {
    r.nextAs = v;
  }),
  unsigned(129, 'BGP_PREV_ADJACENT_ASN', (r, v) => {
    r.previousAs = v;
  }),
  ipv4(130, 'EXPORTER_IPV4_ADDRESS', (_, v, d) => {
    if (v !== 0) d.exporter = ipv4Text(v);
  }),
  ipv6(131, 'EXPORTER_IPV6_ADDRESS', (_, bytes, at, d) => {
    if (!isZero(bytes, at, 16)) d.exporter = ipv6Text(bytes, at);
  }),
  unsigned(132, 'DROPPED_BYTES'),
  unsigned(133, 'DROPPED_PKTS'),
  unsigned(136, 'FLOW_END_REASON'),
  unsigned(138, 'OBSERVATION_POINT_ID'),
  unsigned(139, 'ICMP_IPV6_TYPE', icmp),
  unsigned(144, 'EXPORTING_PROCESS_ID'),
  unsigned(148, 'FLOW_ID'),
  unsigned(149, 'OBSERVATION_DOMAIN_ID'),
  unsigned(150, 'FLOW_START_SEC', first(1e6), reverseFirst(1e6)),
  unsigned(151, 'FLOW_END_SEC', last(1e6), reverseLast(1e6)),
  unsigned(152, 'FLOW_START_MILLISECONDS', first(1e3), reverseFirst(1e3)),
  unsigned(153, 'FLOW_END_MILLISECONDS', last(1e3), reverseLast(1e3)),
  ntp(154, 'FLOW_START_MICROSECONDS', first(1), reverseFirst(1)),
  ntp(155, 'FLOW_END_MICROSECONDS', last(1), reverseLast(1)),
  ntp(156, 'FLOW_START_NANOSECONDS', first(1), reverseFirst(1)),
  ntp(157, 'FLOW_END_NANOSECONDS', last(1), reverseLast(1)),
  unsigned(158, 'FLOW_START_DELTA_MICROSECONDS', (r, v, d) => {
    r.first = d.sent - v;
  }),
  unsigned(159, 'FLOW_END_DELTA_MICROSECONDS', (r, v, d) => {
    r.last = d.sent - v;
  }),
  unsigned(160, 'SYSTEM_INIT_TIME_MILLISECONDS', (_, v, d) => {
    d.boot = v;
  }),
  unsigned(161, 'FLOW_DURATION_MILLISECONDS', duration(1e3)),
  unsigned(162, 'FLOW_DURATION_MICROSECONDS', duration(1)),
  unsigned(163, 'OBSERVED_FLOW_TOTAL_COUNT'),
  unsigned(164, 'IGNORED_PACKET_TOTAL_COUNT'),
  unsigned(165, 'IGNORED_OCTET_TOTAL_COUNT'),
  unsigned(166, 'NOT_SENT_FLOW_TOTAL_COUNT'),
  unsigned(167, 'NOT_SENT_PACKET_TOTAL_COUNT'),
  unsigned(168, 'NOT_SENT_OCTET_TOTAL_COUNT'),
  unsigned(176, 'ICMP_IPV4_TYPE', icmpType),
  unsigned(177, 'ICMP_IPV4_CODE', icmpCode),
  unsigned(178, 'ICMP_IPV6_TYPE_VALUE', icmpType),
  unsigned(179, 'ICMP_IPV6_CODE_VALUE', icmpCode),
  unsigned(180, 'UDP_SRC_PORT', srcPort),
  unsigned(181, 'UDP_DST_PORT', dstPort),
  unsigned(182, 'TCP_SRC_PORT', srcPort),
  unsigned(183, 'TCP_DST_PORT', dstPort),
  unsigned(184, 'TCP_SEQUENCE_NUMBER'),
  unsigned(185, 'TCP_ACKNOWLEDGEMENT_NUMBER'),
  unsigned(186, 'TCP_WINDOW_SIZE', (r, v) => {
    r.srcWindow = v;
  }),
  unsigned(192, 'IP_TTL'),
  unsigned(
    195,
    'IP_DIFF_SERV_CODE_POINT',
    (r, v) => {
      r.srcTos = v << 2;
    },
    { unless: [5] },
  ),
  unsigned(201, 'MPLS_LABEL_STACK_LENGTH'),
  ignored(210, 'PADDING'),
  ipv4(225, 'POST_NAT_SRC_IPV4_ADDR'),
  ipv4(226, 'POST_NAT_DST_IPV4_ADDR'),
  unsigned(227, 'POST_NAPT_SRC_TRANSPORT_PORT'),
  unsigned(228, 'POST_NAPT_DST_TRANSPORT_PORT'),
  unsigned(229, 'NAT_ORIGINATING_ADDRESS_REALM'),
  unsigned(230, 'NAT_EVENT'),
  unsigned(231, 'INITIATOR_OCTETS', inBytes, { unless: [1], directs: true }),
  unsigned(232, 'RESPONDER_OCTETS', outBytes, { directs: true }),
  unsigned(233, 'FIREWALL_EVENT'),
  unsigned(234, 'INGRESS_VRFID', (r, v) => {
    r.vrf = v;
  }),
  unsigned(235, 'EGRESS_VRFID'),
  text(236, 'VRF_NAME'),
  unsigned(239, 'BIFLOW_DIRECTION', (_, v, d) => {
    d.biflow = v;
  }),
  unsigned(243, 'DOT1Q_SRC_VLAN', vlan),
  unsigned(244, 'DOT1Q_PRIORITY'),
  unsigned(245, 'DOT1Q_CUSTOMER_VLAN'),
  unsigned(
    252,
    'INGRESS_PHYSICAL_INTERFACE',
    (r, v) => {
      r.inIndex = v;
    },
    { unless: [10] },
  ),
  unsigned(
    253,
    'EGRESS_PHYSICAL_INTERFACE',
    (r, v) => {
      r.outIndex = v;
    },
    { unless: [14] },
  ),
  unsigned(254, 'DOT1Q_DST_VLAN', vlan),
  unsigned(256, 'ETHERTYPE'),
  unsigned(277, 'OBSERVATION_POINT_TYPE'),
  ipv6(281, 'POST_NAT_SRC_IPV6_ADDR'),
  ipv6(282, 'POST_NAT_DST_IPV6_ADDR'),
  unsigned(283, 'NAT_POOL_ID'),
  text(284, 'NAT_POOL_NAME'),
  ignored(291, 'BASIC_LIST'),
  ignored(292, 'SUB_TEMPLATE_LIST'),
  ignored(293, 'SUB_TEMPLATE_MULTI_LIST'),
  unsigned(298, 'INITIATOR_PKTS', inPackets, { unless: [2], directs: true }),
  unsigned(299, 'RESPONDER_PKTS', outPackets, { directs: true }),
  unsigned(302, 'SELECTOR_ID', sampler),
  unsigned(304, 'IPFIX_SAMPLING_ALGORITHM'),
  unsigned(305, 'SAMPLING_PACKET_INTERVAL'),
  unsigned(306, 'SAMPLING_PACKET_SPACE'),
  unsigned(309, 'SAMPLING_SIZE'),
  unsigned(310, 'SAMPLING_POPULATION'),
  { key: 311, name: 'SAMPLING_PROBABILITY', kind: 'float' },
  unsigned(318, 'PACKETS_OBSERVED'),
  unsigned(319, 'PACKETS_SELECTED'),
  unsigned(322, 'OBSERVATION_TIME_SECONDS', observed(1e6)),
  unsigned(323, 'OBSERVATION_TIME_MILLISECONDS', observed(1e3)),
  ntp(324, 'OBSERVATION_TIME_MICROSECONDS', observed(1)),
  ntp(325, 'OBSERVATION_TIME_NANOSECONDS', observed(1)),
  text(335, 'SELECTOR_NAME'),
  unsigned(351, 'LAYER2_SEGMENT_ID'),
  unsigned(352, 'LAYER2_OCTET_DELTA_COUNT', inBytes, { unless: [1, 85, 231] }),
  unsigned(361, 'PORT_RANGE_START'),
  unsigned(362, 'PORT_RANGE_END'),
  text(371, 'USER_NAME'),
  text(372, 'APPLICATION_CATEGORY_NAME'),
  unsigned(457, 'HTTP_STATUS_CODE', numberDetail('http.return_code')),
  text(459, 'HTTP_REQUEST_METHOD', detail('http.method')),
  text(460, 'HTTP_REQUEST_HOST', detail('host_server_name')),
  text(461, 'HTTP_REQUEST_TARGET', detail('http.url')),
  text(468, 'HTTP_USER_AGENT', detail('http.user_agent')),
  text(469, 'HTTP_CONTENT_TYPE', detail('http.content_type')),
];

/** Sub-application of HTTP: the host. */
const HTTP_HOST = 0x3402;

const cisco = (id: number): number => elementKey(PEN_CISCO, id);

/** v9 field types are 32768 above. Addresses and ports of a connection stand for those of the flow where it has none (AVC). */
const CISCO: readonly Element[] = [
  { key: cisco(232), name: 'INGRESS_ACL_ID', kind: 'bytes' },
  { key: cisco(233), name: 'EGRESS_ACL_ID', kind: 'bytes' },
  unsigned(cisco(234), 'FW_EXT_EVENT'),
  text(cisco(7232), 'USER_NAME'),
  ipv4(cisco(7233), 'POST_NAT_SRC_IPV4_ADDR'),
  ipv4(cisco(7234), 'POST_NAT_DST_IPV4_ADDR'),
  unsigned(cisco(7235), 'POST_NAPT_SRC_TRANSPORT_PORT'),
  unsigned(cisco(7236), 'POST_NAPT_DST_TRANSPORT_PORT'),
  unsigned(cisco(7237), 'FIREWALL_EVENT'),
  // application id (4 bytes), sub-application id (2), value
  {
    key: cisco(12235),
    name: 'SUB_APPLICATION_VALUE',
    kind: 'bytes',
    bytes: (r, bytes, at, _, length) => {
      if (length <= 6 || bytes.readUInt16BE(at + 4) !== HTTP_HOST) return;
      const end = bytes.indexOf(0, at + 6);
      r.details.push('host_server_name', bytes.latin1Slice(at + 6, end < 0 || end > at + length ? at + length : end));
    },
  },
  ipv4(cisco(12236), 'CONNECTION_CLIENT_IPV4_ADDR', source, { unless: [8], directs: true }),
  ipv4(cisco(12237), 'CONNECTION_SERVER_IPV4_ADDR', destination, { unless: [12], directs: true }),
  ipv6(cisco(12238), 'CONNECTION_CLIENT_IPV6_ADDR', (_, bytes, at, d) => d.source6(bytes, at)),
  ipv6(cisco(12239), 'CONNECTION_SERVER_IPV6_ADDR', (_, bytes, at, d) => d.destination6(bytes, at)),
  unsigned(cisco(12240), 'CONNECTION_CLIENT_PORT', srcPort, { unless: [7] }),
  unsigned(cisco(12241), 'CONNECTION_SERVER_PORT', dstPort, { unless: [11] }),
  unsigned(cisco(12242), 'CONNECTION_ID'),
];

const nprobe = (id: number): number => elementKey(PEN_NPROBE, id);

/** nDPI's ids: a number, or `91.126` for master and application. */
const protocolText: SetText = (r, value) => {
  const [master, application] = value.split('.').map(Number);
  if (master === undefined || Number.isNaN(master)) return;
  if (application === undefined || Number.isNaN(application)) r.application = master;
  else [r.master, r.application] = [master, application];
};

const NPROBE: readonly Element[] = [
  unsigned(nprobe(78), 'CLIENT_TCP_FLAGS', flags),
  unsigned(nprobe(79), 'SERVER_TCP_FLAGS', peerFlags),
  unsigned(nprobe(80), 'SRC_FRAGMENTS', (r, v) => {
    r.srcFragments = v;
  }),
  unsigned(nprobe(81), 'DST_FRAGMENTS', (r, v) => {
    r.dstFragments = v;
  }),
  unsigned(nprobe(109), 'RETRANSMITTED_IN_PKTS', (r, v) => {
    r.srcRetransmitted = v;
  }),
  unsigned(nprobe(110), 'RETRANSMITTED_OUT_PKTS', (r, v) => {
    r.dstRetransmitted = v;
  }),
  unsigned(nprobe(111), 'OOORDER_IN_PKTS', (r, v) => {
    r.srcOutOfOrder = v;
  }),
  unsigned(nprobe(112), 'OOORDER_OUT_PKTS', (r, v) => {
    r.dstOutOfOrder = v;
  }),
  // text where it is longer than a number (reader.ts)
  {
    key: nprobe(118),
    name: 'L7_PROTO',
    kind: 'unsigned',
    number: (r, v) => {
      if (v !== 0) r.application = v;
    },
    text: protocolText,
  },
  text(nprobe(119), 'L7_PROTO_NAME', (r, value) => {
    r.protocolName = value;
  }),
  unsigned(nprobe(123), 'CLIENT_NW_LATENCY_MS', (r, v) => {
    r.clientLatency = v * 1000;
  }),
  unsigned(nprobe(124), 'SERVER_NW_LATENCY_MS', (r, v) => {
    r.serverLatency = v * 1000;
  }),
  unsigned(nprobe(125), 'APPL_LATENCY_MS', (r, v) => {
    r.applicationLatency = v * 1000;
  }),
  text(nprobe(180), 'HTTP_URL', detail('http.url')),
  unsigned(nprobe(181), 'HTTP_RET_CODE', numberDetail('http.return_code')),
  text(nprobe(183), 'HTTP_USER_AGENT', detail('http.user_agent')),
  text(nprobe(184), 'HTTP_MIME', detail('http.content_type')),
  text(nprobe(187), 'HTTP_HOST', detail('host_server_name')),
  text(nprobe(188), 'TLS_SERVER_NAME', detail('host_server_name')),
  text(nprobe(189), 'BITTORRENT_HASH', detail('bittorrent.hash')),
  text(nprobe(205), 'DNS_QUERY', detail('host_server_name')),
  unsigned(nprobe(207), 'DNS_QUERY_TYPE', numberDetail('dns.query_type')),
  unsigned(nprobe(208), 'DNS_RET_CODE', numberDetail('dns.reply_code')),
  unsigned(nprobe(209), 'DNS_NUM_ANSWERS', numberDetail('dns.num_answers')),
  text(nprobe(360), 'HTTP_METHOD', detail('http.method')),
  text(nprobe(361), 'HTTP_SITE', detail('host_server_name')),
  unsigned(nprobe(416), 'TCP_WIN_MAX_IN', (r, v) => {
    r.srcWindow = v;
  }),
  unsigned(nprobe(420), 'TCP_WIN_MAX_OUT', (r, v) => {
    r.dstWindow = v;
  }),
  text(nprobe(489), 'JA3C_HASH', detail('tls.ja3_client')),
  text(nprobe(490), 'JA3S_HASH', detail('tls.ja3_server')),
  unsigned(nprobe(493), 'TLS_CIPHER', numberDetail('tls.server_cipher')),
  unsigned(nprobe(494), 'TLS_UNSAFE_CIPHER', numberDetail('tls.unsafe_cipher')),
  unsigned(nprobe(495), 'TLS_VERSION', numberDetail('tls.version')),
  text(nprobe(499), 'HASSH_CLIENT', detail('ssh.hassh_client')),
  text(nprobe(500), 'HASSH_SERVER', detail('ssh.hassh_server')),
  unsigned(nprobe(501), 'L7_PROTO_CATEGORY'),
  {
    key: nprobe(509),
    name: 'L7_PROTO_RISK',
    kind: 'bytes',
    length: 8,
    bytes: (r, bytes, at) => {
      r.risksHigh = bytes.readUInt32BE(at);
      r.risksLow = bytes.readUInt32BE(at + 4);
    },
  },
  text(nprobe(510), 'L7_PROTO_RISK_NAME'),
  unsigned(nprobe(522), 'FLOW_VERDICT'),
  text(nprobe(539), 'L7_INFO', (r, value) => {
    if (!r.details.includes('host_server_name')) r.details.push('host_server_name', value);
  }),
  text(nprobe(576), 'JA4C_HASH', detail('tls.ja4')),
];

/** Scopes of NetFlow v9 options: system, interface, line card, cache, template. */
export const SCOPE_INTERFACE = elementKey(V9_SCOPE, 2);
const SCOPES: readonly Element[] = ['SYSTEM', 'INTERFACE', 'LINE_CARD', 'CACHE', 'TEMPLATE'].map((name, i) =>
  unsigned(elementKey(V9_SCOPE, i + 1), `SCOPE_${name}`),
);

const ELEMENTS: ReadonlyMap<number, Element> = new Map([...IANA, ...CISCO, ...NPROBE, ...SCOPES].map((element) => [element.key, element]));

/** Names of elements without a meaning here. */
const NAMES: ReadonlyMap<number, string> = new Map([
  ...STANDARD_NAMES.map(({ id, names }) => [id, names[0]] as const),
  ...NTOP_NAMES.map(({ id, names }) => [nprobe(id), names[0]] as const),
]);

/** The element of a key; an unknown one, and a reverse one without a meaning of its own, is kept under its name or number. */
export function elementOf(key: number): Element {
  const known = ELEMENTS.get(key);
  if (known !== undefined) return known;
  const enterprise = Math.floor(key / 65536);
  const id = key % 65536;
  if (enterprise === PEN_REVERSE) {
    const { unless: _, directs: __, fromProbe: ___, number, reverse, text: ____, bytes: _____, ...forward } = elementOf(id);
    return { ...forward, key, name: `REVERSE_${forward.name}`, ...(reverse === undefined ? {} : { number: reverse }) };
  }
  return { key, name: NAMES.get(key) ?? (enterprise === 0 ? String(id) : `${enterprise}.${id}`), kind: 'bytes' };
}
