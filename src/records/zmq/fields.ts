/**
 * The fields of flow records, declared once: number, names, and what the field does to the record. Numbers are those of the
 * wire: ids of NetFlow and IPFIX below 57472, ids of ntop (PEN 35632) from 57472 on (`35632.118` = 57590). The readers find a
 * field by number or name (dictionary.ts); what is not here has a name at most (names.ts) and is kept as it came.
 *
 * `src` is the side that `IN_*` comes from; who is the client is settled at the end (draft.ts).
 */
import type { FlowDraft } from './draft.ts';
import { NUMBER, type Value } from './value.ts';

export type Apply = (draft: FlowDraft, value: Value) => void;

export interface Field {
  readonly number: number;
  /** The first is how the field is shown. */
  readonly names: readonly string[];
  readonly apply: Apply;
}

/** What is added to ids of ntop's own fields on the wire. */
export const NTOP_BASE = 57472;

const standard = (number: number, names: string, apply: Apply): Field => ({ number, names: names.split(' '), apply });
const ntop = (id: number, names: string, apply: Apply): Field => standard(NTOP_BASE + id, names, apply);

/** Understood, and of no use. */
const nothing: Apply = () => {};

/** A number that says something only when it is not 0: kept by name. */
const ifSet = (name: string): Apply => {
  return (draft, value) => {
    if (value.kind === NUMBER ? value.number !== 0 : value.text() !== '0') draft.further(name, value);
  };
};
const standardIfSet = (number: number, name: string): Field => standard(number, name, ifSet(name));
const ntopIfSet = (id: number, name: string): Field => ntop(id, name, ifSet(name));

const detail = (id: number, names: string, key: string): Field => ntop(id, names, (draft, value) => draft.detail(key, value));
const number = (id: number, names: string, key: string): Field => ntop(id, names, (draft, value) => draft.numberDetail(key, value));

/** A name of the server: the first one counts. */
const hostName: Apply = (draft, value) => {
  if (draft.hostName === '' && !value.isEmpty()) draft.hostName = value.text();
};

const absolute = (draft: FlowDraft): true => (draft.record.absolute = true);

const FLOW: readonly Field[] = [
  standard(1, 'IN_BYTES SRC_TO_DST_BYTES', (draft, value) => {
    draft.record.inBytes = value.whole();
  }),
  standard(2, 'IN_PKTS SRC_TO_DST_PKTS', (draft, value) => {
    draft.record.inPackets = value.whole();
  }),
  standard(4, 'PROTOCOL', (draft, value) => {
    draft.record.protocol = value.upTo(255);
  }),
  standard(5, 'SRC_TOS', (draft, value) => {
    draft.record.srcTos = value.upTo(255);
  }),
  standard(6, 'TCP_FLAGS', (draft, value) => {
    draft.bothFlags = value.whole() & 0xff;
  }),
  standard(7, 'L4_SRC_PORT', (draft, value) => {
    draft.record.srcPort ||= value.upTo(65535);
  }),
  standard(8, 'IPV4_SRC_ADDR', (draft, value) => draft.address('src', value)),
  standardIfSet(9, 'IPV4_SRC_MASK'),
  standard(10, 'INPUT_SNMP', (draft, value) => {
    draft.record.inIndex = value.whole();
  }),
  standard(11, 'L4_DST_PORT', (draft, value) => {
    draft.record.dstPort ||= value.upTo(65535);
  }),
  standard(12, 'IPV4_DST_ADDR', (draft, value) => draft.address('dst', value)),
  standardIfSet(13, 'IPV4_DST_MASK'),
  standard(14, 'OUTPUT_SNMP', (draft, value) => {
    draft.record.outIndex = value.whole();
  }),
  standard(15, 'IPV4_NEXT_HOP', (draft, value) => {
    const hop = value.text();
    if (hop !== '0' && hop !== '0.0.0.0') draft.further('IPV4_NEXT_HOP', value);
  }),
  standard(16, 'SRC_AS', (draft, value) => {
    draft.record.srcAs = value.upTo(0xffffffff);
  }),
  standard(17, 'DST_AS', (draft, value) => {
    draft.record.dstAs = value.upTo(0xffffffff);
  }),
  standard(21, 'LAST_SWITCHED', (draft, value) => {
    draft.last = draft.seconds(value);
  }),
  standard(22, 'FIRST_SWITCHED', (draft, value) => {
    draft.first = draft.seconds(value);
  }),
  standard(23, 'OUT_BYTES DST_TO_SRC_BYTES', (draft, value) => {
    draft.record.outBytes = value.whole();
  }),
  standard(24, 'OUT_PKTS DST_TO_SRC_PKTS', (draft, value) => {
    draft.record.outPackets = value.whole();
  }),
  standard(27, 'IPV6_SRC_ADDR', (draft, value) => draft.address('src', value)),
  standard(28, 'IPV6_DST_ADDR', (draft, value) => draft.address('dst', value)),
  standardIfSet(29, 'IPV6_SRC_MASK'),
  standardIfSet(30, 'IPV6_DST_MASK'),
  standard(32, 'ICMP_TYPE', (draft, value) => {
    const both = value.upTo(65535);
    draft.record.icmpType = both >>> 8;
    draft.record.icmpCode = both & 0xff;
  }),
  standard(34, 'SAMPLING_INTERVAL', (draft, value) => {
    draft.record.samplingRate = Math.max(1, value.whole());
  }),
  standard(42, 'TOTAL_FLOWS_EXP', nothing),
  standard(55, 'DST_TOS', (draft, value) => {
    draft.record.dstTos = value.upTo(255);
  }),
  standard(56, 'IN_SRC_MAC', (draft, value) => draft.mac('src', value)),
  standard(57, 'OUT_DST_MAC', (draft, value) => draft.mac('dst', value)),
  standard(58, 'SRC_VLAN', (draft, value) => draft.vlan(value, false)),
  standard(59, 'DST_VLAN', (draft, value) => draft.vlan(value, false)),
  standard(60, 'IP_PROTOCOL_VERSION', nothing), // the addresses say it
  standard(61, 'DIRECTION', nothing), // of the exporter's interface: it never decides who the client is
  standard(80, 'IN_DST_MAC', (draft, value) => draft.mac('dst', value)),
  standard(81, 'OUT_SRC_MAC', (draft, value) => draft.mac('src', value)),
  standard(95, 'APPLICATION_ID', (draft, value) => draft.further('APPLICATION_ID', value)),
  standard(96, 'APPLICATION_NAME', (draft, value) => {
    if (!value.isEmpty()) draft.record.protocolName = value.text();
  }),
  standard(128, 'BGP_NEXT_ADJACENT_ASN', (draft, value) => {
    draft.record.nextAs = value.upTo(0xffffffff);
  }),
  standard(129, 'BGP_PREV_ADJACENT_ASN', (draft, value) => {
    draft.record.previousAs = value.upTo(0xffffffff);
  }),
  standard(130, 'EXPORTER_IPV4_ADDRESS', (draft, value) => {
    draft.record.exporter = exporter(value);
  }),
  standard(131, 'EXPORTER_IPV6_ADDRESS', (draft, value) => {
    draft.exporterV6 = exporter(value);
  }),
  standardIfSet(136, 'FLOW_END_REASON'),
  standard(150, 'FLOW_START_SEC', (draft, value) => {
    draft.fineFirst = draft.seconds(value);
  }),
  standard(151, 'FLOW_END_SEC', (draft, value) => {
    draft.fineLast = draft.seconds(value);
  }),
  standard(152, 'FLOW_START_MILLISECONDS', (draft, value) => {
    draft.fineFirst = draft.fineTime(value, 1000);
  }),
  standard(153, 'FLOW_END_MILLISECONDS', (draft, value) => {
    draft.fineLast = draft.fineTime(value, 1000);
  }),
  standard(154, 'FLOW_START_MICROSECONDS', (draft, value) => {
    draft.fineFirst = draft.fineTime(value, 1);
  }),
  standard(155, 'FLOW_END_MICROSECONDS', (draft, value) => {
    draft.fineLast = draft.fineTime(value, 1);
  }),
  standard(156, 'FLOW_START_NANOSECONDS', (draft, value) => {
    draft.fineFirst = draft.fineTime(value, 0.001);
  }),
  standard(157, 'FLOW_END_NANOSECONDS', (draft, value) => {
    draft.fineLast = draft.fineTime(value, 0.001);
  }),
  standard(161, 'FLOW_DURATION_MILLISECONDS', (draft, value) => {
    draft.duration = value.upTo(4294967295) * 1000;
  }),
  standard(162, 'FLOW_DURATION_MICROSECONDS', (draft, value) => {
    draft.duration = value.upTo(Number.MAX_SAFE_INTEGER);
  }),
  standard(176, 'ICMP_IPV4_TYPE', (draft, value) => {
    draft.record.icmpType = value.upTo(255);
    draft.record.icmpCode = Math.max(0, draft.record.icmpCode);
  }),
  standard(177, 'ICMP_IPV4_CODE', (draft, value) => {
    draft.record.icmpCode = value.upTo(255);
  }),
  standard(231, 'INITIATOR_OCTETS', (draft, value) => {
    draft.record.inBytes = value.whole();
    absolute(draft);
  }),
  standard(232, 'RESPONDER_OCTETS', (draft, value) => {
    draft.record.outBytes = value.whole();
    absolute(draft);
  }),
  standard(234, 'INGRESS_VRFID', (draft, value) => {
    draft.record.vrf = value.upTo(0xffffffff);
  }),
  standard(243, 'DOT1Q_SRC_VLAN', (draft, value) => draft.vlan(value, true)),
  standard(254, 'DOT1Q_DST_VLAN', (draft, value) => draft.vlan(value, true)),
  standard(298, 'INITIATOR_PKTS', (draft, value) => {
    draft.record.inPackets = value.whole();
    absolute(draft);
  }),
  standard(299, 'RESPONDER_PKTS', (draft, value) => {
    draft.record.outPackets = value.whole();
    absolute(draft);
  }),
];

const PROTOCOLS: readonly Field[] = [
  ntop(78, 'CLIENT_TCP_FLAGS', (draft, value) => {
    draft.record.srcTcpFlags = value.whole() & 0xff;
  }),
  ntop(79, 'SERVER_TCP_FLAGS', (draft, value) => {
    draft.record.dstTcpFlags = value.whole() & 0xff;
  }),
  ntop(80, 'SRC_FRAGMENTS', (draft, value) => {
    draft.record.srcFragments = value.whole();
  }),
  ntop(81, 'DST_FRAGMENTS', (draft, value) => {
    draft.record.dstFragments = value.whole();
  }),
  ntop(109, 'RETRANSMITTED_IN_PKTS', (draft, value) => {
    draft.record.srcRetransmitted = value.whole();
  }),
  ntop(110, 'RETRANSMITTED_OUT_PKTS', (draft, value) => {
    draft.record.dstRetransmitted = value.whole();
  }),
  ntop(111, 'OOORDER_IN_PKTS', (draft, value) => {
    draft.record.srcOutOfOrder = value.whole();
  }),
  ntop(112, 'OOORDER_OUT_PKTS', (draft, value) => {
    draft.record.dstOutOfOrder = value.whole();
  }),
  ntop(118, 'L7_PROTO', (draft, value) => draft.protocol(value)),
  ntop(119, 'L7_PROTO_NAME', (draft, value) => {
    if (!value.isEmpty()) draft.record.protocolName = value.text();
  }),
  ntop(123, 'CLIENT_NW_LATENCY_MS', (draft, value) => {
    draft.record.clientLatency = draft.latency(value);
  }),
  ntop(124, 'SERVER_NW_LATENCY_MS', (draft, value) => {
    draft.record.serverLatency = draft.latency(value);
  }),
  ntop(125, 'APPL_LATENCY_MS', (draft, value) => {
    draft.record.applicationLatency = draft.latency(value);
  }),
  ntop(416, 'TCP_WIN_MAX_IN', (draft, value) => {
    draft.record.srcWindow = value.whole();
  }),
  ntop(420, 'TCP_WIN_MAX_OUT', (draft, value) => {
    draft.record.dstWindow = value.whole();
  }),
  ntop(471, 'NPROBE_IPV4_ADDRESS', (draft, value) => {
    draft.probe = exporter(value);
  }),
  ntop(501, 'L7_PROTO_CATEGORY', (draft, value) => {
    const category = value.real();
    if (category > 0 && category < 256 && Number.isInteger(category)) draft.record.category = category;
    else if (Number.isNaN(category)) draft.further('L7_PROTO_CATEGORY', value);
  }),
  ntop(509, 'L7_PROTO_RISK', (draft, value) => {
    if (value.isEmpty() || !value.bits64()) return;
    draft.record.risksLow = value.low;
    draft.record.risksHigh = value.high;
  }),
  ntopIfSet(522, 'FLOW_VERDICT'),
  ntop(539, 'L7_INFO', (draft, value) => {
    if (!value.isEmpty()) draft.info = value.text();
  }),
  ntopIfSet(554, 'L7_ERROR_CODE'),
  ntopIfSet(560, 'L7_CONFIDENCE'), // its numbers depend on the probe's nDPI
];

const DETAILS: readonly Field[] = [
  detail(180, 'HTTP_URL', 'http.url'),
  number(181, 'HTTP_RET_CODE', 'http.return_code'),
  detail(183, 'HTTP_USER_AGENT HTTP_UA', 'http.user_agent'),
  detail(184, 'HTTP_MIME', 'http.content_type'),
  ntop(187, 'HTTP_HOST', hostName),
  ntop(188, 'TLS_SERVER_NAME SSL_SERVER_NAME', hostName),
  detail(189, 'BITTORRENT_HASH', 'bittorrent.hash'),
  ntop(205, 'DNS_QUERY', hostName),
  number(207, 'DNS_QUERY_TYPE', 'dns.query_type'),
  number(208, 'DNS_RET_CODE', 'dns.reply_code'),
  number(209, 'DNS_NUM_ANSWERS', 'dns.num_answers'),
  detail(210, 'POP_USER', 'login.user'),
  detail(260, 'IMAP_LOGIN', 'login.user'),
  ntop(355, 'DHCP_CLIENT_NAME', hostName),
  detail(356, 'FTP_LOGIN', 'login.user'),
  ntop(357, 'FTP_PASSWORD', nothing), // passwords are never kept
  detail(360, 'HTTP_METHOD', 'http.method'),
  ntop(361, 'HTTP_SITE', hostName),
  detail(460, 'HTTP_X_FORWARDED_FOR', 'http.nat_ip'),
  detail(489, 'JA3C_HASH', 'tls.ja3_client'),
  detail(490, 'JA3S_HASH', 'tls.ja3_server'),
  number(493, 'TLS_CIPHER SSL_CIPHER', 'tls.server_cipher'),
  number(494, 'TLS_UNSAFE_CIPHER SSL_UNSAFE_CIPHER', 'tls.unsafe_cipher'),
  number(495, 'TLS_VERSION SSL_VERSION', 'tls.version'),
  detail(499, 'HASSH_CLIENT', 'ssh.hassh_client'),
  detail(500, 'HASSH_SERVER', 'ssh.hassh_server'),
  number(527, 'L7_RISK_SCORE', 'risk_score'),
  detail(576, 'JA4C_HASH', 'tls.ja4'),
];

/** Members of the processes of both ends: ids of the source's, of the destination's, names without `SRC_` and `DST_`. */
const PROCESS_NUMBERS = [
  [168, 375, 'PROC_PID', 'pid'],
  [425, 426, 'PROC_UID', 'uid'],
  [373, 378, 'FATHER_PROC_PID', 'father_pid'],
  [564, 567, 'FATHER_PROC_UID', 'father_uid'],
  [383, 387, 'PROC_ACTUAL_MEMORY', 'actual_memory'],
  [384, 388, 'PROC_PEAK_MEMORY', 'peak_memory'],
] as const;
const PROCESS_TEXTS = [
  [169, 376, 'PROC_NAME', 'name'],
  [372, 377, 'PROC_USER_NAME', 'user_name'],
  [374, 379, 'FATHER_PROC_NAME', 'father_name'],
  [565, 568, 'FATHER_PROC_USER_NAME', 'father_user_name'],
] as const;

const PROCESSES: readonly Field[] = [
  ...PROCESS_NUMBERS.flatMap(([src, dst, name, member]) => [
    ntop(src, `SRC_${name}`, (draft, value) => draft.process('src', member, value.whole())),
    ntop(dst, `DST_${name}`, (draft, value) => draft.process('dst', member, value.whole())),
  ]),
  ...PROCESS_TEXTS.flatMap(([src, dst, name, member]) => [
    ntop(src, `SRC_${name}`, (draft, value) => draft.process('src', member, value.isEmpty() ? '' : value.text())),
    ntop(dst, `DST_${name}`, (draft, value) => draft.process('dst', member, value.isEmpty() ? '' : value.text())),
  ]),
  ntop(558, 'SRC_PROC_CONTAINER_ID', (draft, value) => draft.container('src', 'id', value.isEmpty() ? '' : value.text())),
  ntop(559, 'DST_PROC_CONTAINER_ID', (draft, value) => draft.container('dst', 'id', value.isEmpty() ? '' : value.text())),
];

/** Address of an exporter as text; '' for none. */
function exporter(value: Value): string {
  const text = value.text();
  if (text === '0' || text === '0.0.0.0' || text === '::') return '';
  if (text.includes('.') || text.includes(':')) return text;
  const address = value.whole() >>> 0;
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export const FIELDS: readonly Field[] = [...FLOW, ...PROTOCOLS, ...DETAILS, ...PROCESSES];
