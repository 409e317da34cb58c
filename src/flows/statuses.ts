/**
 * The statuses of a flow: the one declaration of their ids, names, conditions, priorities, severities and alerts.
 *
 * Ids are bits of the status bitmap. 0–27 are those of 2019; ids of our own begin at 28 and take a place in
 * {@link PRIORITY}. Scripts of 4.x have other ids ({@link idIn}). A condition is a function of the flow; conditions.ts calls it when its inputs have changed.
 * docs/reference/statuses.md is made from this file.
 */
import type { PreferenceName, Preferences } from '../preferences.ts';
import type { Direction, FlowFacts } from './facts.ts';
import { commonName } from './fields/detail.ts';
import {
  FACT_DEVICE_CLIENT,
  FACT_DEVICE_SERVER,
  FACT_DNS_DATA,
  FACT_DNS_INVALID,
  FACT_IDS,
  FACT_JA3_CLIENT,
  FACT_JA3_SERVER,
  FACT_LONG_ECHO,
  STATE_BLACKLISTED,
  STATE_DETECTED,
} from './record.ts';

export type Severity = 'none' | 'info' | 'warning' | 'error';

/**
 * What can change a status: packets (or the flow's end), what is known of the flow's ends, the details that detection found (without
 * them the status is not set), or time alone.
 */
export type StatusInputs = 'packets' | 'ends' | 'details' | 'time';

/** Ids that nDPI and the addon give to what the conditions look at; 0 = there is no such thing. */
export interface KnownIds {
  readonly TLS: number;
  readonly DNS: number;
  readonly DHCP: number;
  readonly NTP: number;
  readonly SMTP: number;
  /** Protocols that need no answer. */
  readonly oneWay: ReadonlySet<number>;
  /** Ids of details. */
  readonly hostName: number;
  readonly tlsVersion: number;
  readonly unsafeCipher: number;
  readonly serverNames: number;
  readonly subject: number;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Is the flow's server one of the expected ones? True where nothing is expected. */
export type Expected = (flow: FlowFacts) => boolean;

/** What conditions stand on beside the flow. */
export interface Limits {
  readonly preferences: Preferences;
  readonly maxIdleUs: number;
  readonly known: KnownIds;
  readonly expected: Readonly<Record<'dhcp' | 'dns' | 'ntp' | 'smtp', Expected>>;
}

export type Condition = (flow: FlowFacts, limits: Limits) => boolean;

export interface Status {
  /** Bit of the bitmap. */
  readonly id: number;
  /** Constant of scripts: `flow_consts.status_…`. */
  readonly name: string;
  readonly title: string;
  readonly meaning: string;
  /** Severity of the alert that the core raises when the status is predominant. */
  readonly severity: Severity;
  /** Name in `alert_consts.alert_types`; `''` = no alert. */
  readonly alertType: string;
  /** Preference that must be on for that alert; true = always, false = never. */
  readonly alert: PreferenceName | boolean;
  /** Id in scripts of 4.0 and 4.2; absent = 4.0 does not have it. */
  readonly id4?: number;
  /** Id in scripts of 4.2 where 4.0 does not have the status. */
  readonly id42?: number;
  /** Absent: the core never sets it; scripts may. */
  readonly condition?: Condition;
  readonly inputs?: StatusInputs;
  /** Flows of this protocol alone can have it. */
  readonly only?: 'tcp' | 'udp';
  /** Flow records cannot tell it. */
  readonly packetsOnly?: boolean;
}

// nDPI 4.2: categories and breeds (ndpi_typedefs.h), risks (ndpi_risk_enum)
const CATEGORY_DATA_TRANSFER = 4;
const CATEGORY_DATABASE = 11;
const CATEGORY_MINING = 99;
const CATEGORY_MALWARE = 100;
const BREED_DANGEROUS = 5;
const RISK_BINARY_TRANSFER = 4;
const RISK_NON_STANDARD_PORT = 5;
const RISK_SELF_SIGNED = 6;
const RISK_EXPIRED = 9;
const TLS_1_2 = 0x0303; // RFC 5246, 6.2.1
/** Status 7: silence of a server that never answered. */
export const SILENT_SERVER_US = 120e6;
const NOT_PURGED_FACTOR = 10;
/** nDPI keeps so many bytes of a name: of one as long as that, nobody knows the rest. */
const CUT_NAME = 79;

/** Retransmitted, out-of-order and lost segments of a direction against its packets. */
function issues(flow: FlowFacts, direction: Direction): 'none' | 'moderate' | 'severe' {
  const count = flow.issues(direction);
  if (count <= 5) return 'none';
  const packets = flow.packets(direction);
  if (count > Math.floor(packets / 3)) return 'severe';
  return count > Math.floor(packets / 10) ? 'moderate' : 'none';
}

const crosses = (flow: FlowFacts): boolean => flow.isLocal(0) !== flow.isLocal(1) && flow.category() !== CATEGORY_DATA_TRANSFER;
/** Bytes from the local end to the remote one; 0 where there are not one of each, or data transfer is what the flow is for. */
const localToRemote = (flow: FlowFacts): number => (crosses(flow) ? flow.bytes(flow.isLocal(0) ? 0 : 1) : 0);
const remoteToLocal = (flow: FlowFacts): number => (crosses(flow) ? flow.bytes(flow.isLocal(0) ? 1 : 0) : 0);

/** A name of a certificate, maybe `*.example.org` (RFC 6125: the star stands for one label), against the name asked for. */
function coversName(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}

/** Both names are known, no name of the certificate covers the one asked for, and its common name does not either. */
function certificateMismatch(flow: FlowFacts, known: KnownIds): boolean {
  const asked = flow.text(known.hostName).toLowerCase();
  if (asked.length >= CUT_NAME) return false;
  const names = flow
    .text(known.serverNames)
    .toLowerCase()
    .split(',')
    .filter((name) => name !== '');
  const common = commonName(flow.text(known.subject))?.toLowerCase();
  if (asked === '' || (common === undefined && names.length === 0)) return false;
  if (names.some((name) => coversName(name.trim(), asked))) return false;
  if (common === undefined) return true;
  return common.startsWith('*') ? !asked.includes(common.slice(1)) : common !== asked;
}

function outOfDate(flow: FlowFacts, known: KnownIds): boolean {
  const from = flow.number(known.notBefore);
  const to = flow.number(known.notAfter);
  const now = flow.firstSeen() / 1e6;
  return to > 0 && (now > to || now < from);
}

const unexpected = (flow: FlowFacts, protocol: number, expected: Expected): boolean => flow.is(protocol) && !expected(flow);

export const STATUSES: readonly Status[] = [
  {
    id: 0,
    name: 'status_normal',
    title: 'Normal',
    meaning: 'nothing is wrong; the bit itself is never set',
    severity: 'none',
    alertType: '',
    alert: false,
    id4: 0,
  },
  {
    id: 1,
    name: 'status_slow_tcp_connection',
    title: 'Slow TCP Connection',
    meaning: 'slow TCP set-up; kept for its id, never set',
    severity: 'warning',
    alertType: 'alert_connection_issues',
    alert: false,
  },
  {
    id: 2,
    name: 'status_slow_application_header',
    title: 'Slow Application Header',
    meaning: 'slow first answer; kept for its id, never set',
    severity: 'warning',
    alertType: 'alert_connection_issues',
    alert: false,
  },
  {
    id: 3,
    name: 'status_slow_data_exchange',
    title: 'Slow Data Exchange',
    meaning: 'a TCP flow of a minute or more ended with under 40 % payload',
    severity: 'warning',
    alertType: 'alert_connection_issues',
    alert: false,
    inputs: 'packets',
    only: 'tcp',
    packetsOnly: true,
    condition: (flow) => flow.handshakeOver() && flow.ending() && flow.lowGoodput(),
  },
  {
    id: 4,
    name: 'status_low_goodput',
    title: 'Low Goodput',
    meaning: 'a TCP flow of a minute or more carries under 40 % payload',
    severity: 'warning',
    alertType: 'alert_connection_issues',
    alert: false,
    id4: 12,
    inputs: 'packets',
    only: 'tcp',
    packetsOnly: true,
    condition: (flow) => flow.handshakeOver() && !flow.ending() && !flow.isReset() && flow.lowGoodput(),
  },
  {
    id: 5,
    name: 'status_suspicious_tcp_syn_probing',
    title: 'Suspicious TCP SYN Probing',
    meaning: 'a TCP flow ended without a complete handshake',
    severity: 'warning',
    alertType: 'suspicious_activity',
    alert: 'probing_alerts',
    id4: 18,
    inputs: 'packets',
    only: 'tcp',
    packetsOnly: true,
    condition: (flow) => !flow.handshakeOver() && flow.ending(),
  },
  {
    id: 6,
    name: 'status_tcp_connection_issues',
    title: 'TCP Connection Issues',
    meaning: 'retransmitted, out-of-order and lost segments: over 5, and over a tenth of a direction',
    severity: 'warning',
    alertType: 'alert_connection_issues',
    alert: false,
    id4: 19,
    inputs: 'packets',
    only: 'tcp',
    condition: (flow) => issues(flow, 0) === 'moderate' || issues(flow, 1) === 'moderate',
  },
  {
    id: 7,
    name: 'status_suspicious_tcp_probing',
    title: 'Suspicious TCP Probing',
    meaning: 'the client talked and the server stayed silent for two minutes',
    severity: 'warning',
    alertType: 'suspicious_activity',
    alert: 'probing_alerts',
    id4: 17,
    inputs: 'time',
    only: 'tcp',
    packetsOnly: true,
    condition: (flow) => flow.packets(1) === 0 && flow.silence() > SILENT_SERVER_US,
  },
  {
    id: 8,
    name: 'status_flow_when_interface_alerted',
    title: 'Flow Emitted During Alert',
    meaning: 'the interface was alerted; kept for its id, never set',
    severity: 'warning',
    alertType: '',
    alert: false,
  },
  {
    id: 9,
    name: 'status_tcp_connection_refused',
    title: 'TCP Connection Refused',
    meaning: 'a TCP flow of a minute or more was reset after carrying under 40 % payload',
    severity: 'warning',
    alertType: 'suspicious_activity',
    alert: 'probing_alerts',
    id4: 20,
    inputs: 'packets',
    only: 'tcp',
    packetsOnly: true,
    condition: (flow) => flow.handshakeOver() && !flow.ending() && flow.isReset() && flow.lowGoodput(),
  },
  {
    id: 10,
    name: 'status_ssl_certificate_mismatch',
    title: 'TLS Certificate Mismatch',
    meaning: 'the name that the client asked for is not in the server certificate',
    severity: 'warning',
    alertType: 'potentially_dangerous_protocol',
    alert: 'ssl_alerts',
    id4: 23,
    inputs: 'details',
    only: 'tcp',
    packetsOnly: true,
    condition: (flow, { known }) => flow.handshakeOver() && flow.is(known.TLS) && certificateMismatch(flow, known),
  },
  {
    id: 11,
    name: 'status_dns_invalid_query',
    title: 'Invalid DNS Query',
    meaning: 'a DNS query name is over 96 bytes long or has characters that cannot be printed',
    severity: 'warning',
    alertType: 'suspicious_activity',
    alert: 'dns_alerts',
    id4: 7,
    inputs: 'details',
    packetsOnly: true,
    condition: (flow, { known }) => flow.is(known.DNS) && (flow.fact(FACT_DNS_INVALID) || /[^\x20-\x7e]/.test(flow.text(known.hostName))),
  },
  {
    id: 12,
    name: 'status_remote_to_remote',
    title: 'Remote to Remote',
    meaning: 'both ends are unicast addresses outside the local networks',
    severity: 'warning',
    alertType: 'remote_to_remote',
    alert: 'remote_to_remote_alerts',
    id4: 16,
    inputs: 'ends',
    condition: (flow) => !flow.isLocal(0) && !flow.isLocal(1) && flow.isUnicast(0) && flow.isUnicast(1),
  },
  {
    id: 13,
    name: 'status_blacklisted',
    title: 'Blacklisted',
    meaning: 'an end, the host name or the category of the flow is on a blacklist',
    severity: 'error',
    alertType: 'flow_blacklisted',
    alert: 'host_blacklist',
    id4: 1,
    inputs: 'ends',
    condition: (flow) => flow.state(STATE_BLACKLISTED) || flow.category() === CATEGORY_MALWARE,
  },
  {
    id: 14,
    name: 'status_blocked',
    title: 'Blocked',
    meaning: 'a policy dropped the flow; inline systems only',
    severity: 'info',
    alertType: 'flow_blocked',
    alert: 'dropped_flows_alerts',
    id4: 3,
  },
  {
    id: 15,
    name: 'status_web_mining_detected',
    title: 'Mining',
    meaning: 'the category of the flow is crypto mining',
    severity: 'warning',
    alertType: 'web_mining',
    alert: 'mining_alerts',
    id4: 27,
    inputs: 'details',
    condition: (flow) => flow.category() === CATEGORY_MINING,
  },
  {
    id: 16,
    name: 'status_device_protocol_not_allowed',
    title: 'Device Protocol Not Allowed',
    meaning: 'the type of a device must not speak this protocol',
    severity: 'warning',
    alertType: 'alert_device_protocol_not_allowed',
    alert: 'device_protocols_alerts',
    id4: 5,
    inputs: 'details',
    condition: (flow) => flow.fact(FACT_DEVICE_CLIENT | FACT_DEVICE_SERVER),
  },
  {
    id: 17,
    name: 'status_elephant_local_to_remote',
    title: 'Elephant (Local to Remote)',
    meaning: 'a local end sent over 1 GiB (preference) to a remote one; not for data transfer',
    severity: 'warning',
    alertType: 'flow_misbehaviour',
    alert: 'elephant_flows_alerts',
    id4: 8,
    inputs: 'packets',
    condition: (flow, { preferences }) => localToRemote(flow) > preferences.elephant_flow_local_to_remote_bytes,
  },
  {
    id: 18,
    name: 'status_elephant_remote_to_local',
    title: 'Elephant (Remote to Local)',
    meaning: 'a remote end sent over 1 GiB (preference) to a local one; not for data transfer',
    severity: 'warning',
    alertType: 'flow_misbehaviour',
    alert: 'elephant_flows_alerts',
    id4: 9,
    inputs: 'packets',
    condition: (flow, { preferences }) => remoteToLocal(flow) > preferences.elephant_flow_remote_to_local_bytes,
  },
  {
    id: 19,
    name: 'status_longlived',
    title: 'Long-Lived',
    meaning: 'the flow lasts over 12 hours (preference); not of databases',
    severity: 'warning',
    alertType: 'flow_misbehaviour',
    alert: 'longlived_flows_alerts',
    id4: 11,
    inputs: 'packets',
    condition: (flow, { preferences }) =>
      flow.seconds() > preferences.longlived_flow_duration && flow.category() !== CATEGORY_DATABASE && flow.isUnicast(1),
  },
  {
    id: 20,
    name: 'status_not_purged',
    title: 'Not Purged',
    meaning: 'internal: the flow has been silent for ten times what should have ended it',
    severity: 'warning',
    alertType: 'alert_connection_issues',
    alert: true,
    id4: 14,
    inputs: 'time',
    packetsOnly: true,
    condition: (flow, { maxIdleUs }) => !flow.ending() && flow.silence() > NOT_PURGED_FACTOR * flow.idleLimit(maxIdleUs),
  },
  {
    id: 21,
    name: 'status_ids_alert',
    title: 'External IDS Alert',
    meaning: 'an external intrusion detection system reported the flow',
    severity: 'warning',
    alertType: 'ids_alert',
    alert: 'ids_alerts',
    id4: 10,
    inputs: 'ends',
    condition: (flow) => flow.fact(FACT_IDS),
  },
  {
    id: 22,
    name: 'status_tcp_severe_connection_issues',
    title: 'Severe TCP Connection Issues',
    meaning: 'retransmitted, out-of-order and lost segments: over 5, and over a third of a direction',
    severity: 'warning',
    alertType: 'alert_connection_issues',
    alert: false,
    id4: 21,
    inputs: 'packets',
    only: 'tcp',
    condition: (flow) => issues(flow, 0) === 'severe' || issues(flow, 1) === 'severe',
  },
  {
    id: 23,
    name: 'status_ssl_unsafe_ciphers',
    title: 'Unsafe TLS Cipher',
    meaning: 'the server chose a weak cipher suite',
    severity: 'warning',
    alertType: 'potentially_dangerous_protocol',
    alert: 'ssl_alerts',
    id4: 25,
    inputs: 'details',
    condition: (flow, { known }) => flow.is(known.TLS) && flow.number(known.unsafeCipher) > 0,
  },
  {
    id: 24,
    name: 'status_data_exfiltration',
    title: 'Data Exfiltration',
    meaning: 'an echo message is long enough to hide data: over 128 bytes of ICMP, 256 of ICMPv6',
    severity: 'warning',
    alertType: 'flow_misbehaviour',
    alert: 'data_exfiltration_alerts',
    id4: 4,
    inputs: 'packets',
    packetsOnly: true,
    condition: (flow) => flow.fact(FACT_LONG_ECHO),
  },
  {
    id: 25,
    name: 'status_ssl_old_protocol_version',
    title: 'Old TLS Version',
    meaning: 'the server chose a version below TLS 1.2',
    severity: 'warning',
    alertType: 'potentially_dangerous_protocol',
    alert: 'ssl_alerts',
    id4: 24,
    inputs: 'details',
    condition: (flow, { known }) => flow.is(known.TLS) && flow.number(known.tlsVersion) > 0 && flow.number(known.tlsVersion) < TLS_1_2,
  },
  {
    id: 26,
    name: 'status_potentially_dangerous',
    title: 'Potentially Dangerous Protocol',
    meaning: 'detection rates the protocol as dangerous',
    severity: 'error',
    alertType: 'potentially_dangerous_protocol',
    alert: 'potentially_dangerous_protocols_alerts',
    id4: 15,
    inputs: 'details',
    condition: (flow) => flow.breed() === BREED_DANGEROUS,
  },
  {
    id: 27,
    name: 'status_malicious_signature',
    title: 'Malicious Signature',
    meaning: 'the TLS fingerprint of an end belongs to known malware',
    severity: 'warning',
    alertType: 'malicious_signature',
    alert: 'host_blacklist',
    id4: 13,
    inputs: 'details',
    condition: (flow) => flow.fact(FACT_JA3_CLIENT | FACT_JA3_SERVER),
  },
  {
    id: 28,
    name: 'status_tls_certificate_expired',
    title: 'TLS Certificate Expired',
    meaning: 'the server certificate is not valid at the time of the flow',
    severity: 'error',
    alertType: 'potentially_dangerous_protocol',
    alert: 'ssl_alerts',
    id4: 22,
    inputs: 'details',
    condition: (flow, { known }) => flow.is(known.TLS) && (flow.hasRisk(RISK_EXPIRED) || outOfDate(flow, known)),
  },
  {
    id: 29,
    name: 'status_tls_certificate_selfsigned',
    title: 'TLS Certificate Self-Signed',
    meaning: 'the server certificate is signed by itself',
    severity: 'error',
    alertType: 'potentially_dangerous_protocol',
    alert: 'ssl_alerts',
    id42: 28,
    inputs: 'details',
    condition: (flow, { known }) => flow.is(known.TLS) && flow.hasRisk(RISK_SELF_SIGNED),
  },
  {
    id: 30,
    name: 'status_udp_unidirectional',
    title: 'Unidirectional UDP',
    meaning: 'UDP packets to a unicast server that does not answer, of a protocol that wants an answer; once detection has ended',
    severity: 'info',
    alertType: 'flow_misbehaviour',
    alert: 'udp_unidirectional_alerts',
    id4: 26,
    inputs: 'packets',
    only: 'udp',
    // which protocol it is, is known when detection has ended
    condition: (flow, { known }) =>
      flow.state(STATE_DETECTED) &&
      flow.packets(0) > 0 &&
      flow.packets(1) === 0 &&
      flow.isUnicast(0) &&
      flow.isUnicast(1) &&
      !known.oneWay.has(flow.application()),
  },
  {
    id: 31,
    name: 'status_known_proto_on_non_std_port',
    title: 'Known Protocol on Non-Standard Port',
    meaning: 'a protocol that has a port of its own runs on another one',
    severity: 'info',
    alertType: 'suspicious_activity',
    alert: 'non_standard_port_alerts',
    id42: 30,
    inputs: 'details',
    condition: (flow) => flow.hasRisk(RISK_NON_STANDARD_PORT),
  },
  {
    id: 32,
    name: 'status_suspicious_file_transfer',
    title: 'Suspicious File Transfer',
    meaning: 'an executable file was transferred',
    severity: 'error',
    alertType: 'suspicious_activity',
    alert: 'file_transfer_alerts',
    id42: 29,
    inputs: 'details',
    condition: (flow) => flow.hasRisk(RISK_BINARY_TRANSFER),
  },
  {
    id: 33,
    name: 'status_flow_risk',
    title: 'Flow Risk',
    meaning: 'detection found a risk',
    severity: 'warning',
    alertType: 'suspicious_activity',
    alert: 'flow_risk_alerts',
    id42: 31,
    inputs: 'details',
    condition: (flow) => flow.hasAnyRisk(),
  },
  {
    id: 34,
    name: 'status_unexpected_dhcp_server',
    title: 'Unexpected DHCP Server',
    meaning: 'the DHCP server is not among the expected ones',
    severity: 'error',
    alertType: 'suspicious_activity',
    alert: 'unexpected_server_alerts',
    id42: 32,
    inputs: 'details',
    condition: (flow, { known, expected }) => unexpected(flow, known.DHCP, expected.dhcp),
  },
  {
    id: 35,
    name: 'status_unexpected_dns_server',
    title: 'Unexpected DNS Server',
    meaning: 'the DNS server is not among the expected ones',
    severity: 'error',
    alertType: 'suspicious_activity',
    alert: 'unexpected_server_alerts',
    id42: 33,
    inputs: 'details',
    condition: (flow, { known, expected }) => unexpected(flow, known.DNS, expected.dns),
  },
  {
    id: 36,
    name: 'status_unexpected_ntp_server',
    title: 'Unexpected NTP Server',
    meaning: 'the NTP server is not among the expected ones',
    severity: 'error',
    alertType: 'suspicious_activity',
    alert: 'unexpected_server_alerts',
    id42: 35,
    inputs: 'details',
    condition: (flow, { known, expected }) => unexpected(flow, known.NTP, expected.ntp),
  },
  {
    id: 37,
    name: 'status_unexpected_smtp_server',
    title: 'Unexpected SMTP Server',
    meaning: 'the SMTP server is not among the expected ones',
    severity: 'error',
    alertType: 'suspicious_activity',
    alert: 'unexpected_server_alerts',
    id42: 34,
    inputs: 'details',
    condition: (flow, { known, expected }) => unexpected(flow, known.SMTP, expected.smtp),
  },
  {
    id: 38,
    name: 'status_dns_data_exfiltration',
    title: 'DNS Data Exfiltration',
    meaning: 'a DNS query name can carry data: its labels but the last two have 52 characters or more',
    severity: 'error',
    alertType: 'flow_misbehaviour',
    alert: 'data_exfiltration_alerts',
    id4: 6,
    inputs: 'details',
    packetsOnly: true,
    condition: (flow, { known }) => flow.is(known.DNS) && flow.fact(FACT_DNS_DATA),
  },
  {
    id: 39,
    name: 'status_blacklisted_country',
    title: 'Blacklisted Country',
    meaning: 'a script found one of the ends in a country of its list',
    severity: 'error',
    alertType: 'blacklisted_country',
    alert: false,
    id4: 2,
  },
  ...[1, 2, 3, 4, 5].map(
    (n): Status => ({
      id: 39 + n,
      name: `status_user_0${n}`,
      title: `User Status ${n}`,
      meaning: 'what the scripts of the user make of it',
      severity: 'warning',
      alertType: `user_0${n}`,
      alert: false,
      id4: 58 + n,
    }),
  ),
];

/** Generations of scripts that number the statuses differently. */
export const NUMBERINGS = ['2019', '4.0', '4.2'] as const;
export type Numbering = (typeof NUMBERINGS)[number];

/** Id that scripts of a generation give the status, also its bit in their bitmaps; undefined = they do not have it. */
export function idIn(numbering: Numbering, { id, id4, id42 }: Status): number | undefined {
  if (numbering === '2019') return id;
  return numbering === '4.2' ? (id42 ?? id4) : id4;
}

export const statusById: ReadonlyMap<number, Status> = new Map(STATUSES.map((status) => [status.id, status]));

/** Strongest first: the first one that is set is the predominant status. */
export const PRIORITY: readonly number[] = [
  20, 13, 39, 26, 16, 27, 15, 21, 38, 34, 35, 36, 37, 22, 6, 11, 9, 4, 3, 10, 28, 29, 5, 7, 12, 32, 19, 17, 18, 24, 14, 23, 25, 31, 33, 30,
  40, 41, 42, 43, 44, 1, 2, 8,
];

let lastLow = 0;
let lastHigh = 0;
let lastId = 0;

/** Id of the strongest status of a bitmap given in two halves; 0 when none is set. Many flows in a row have the same. */
export function predominant(low: number, high: number): number {
  if (low === lastLow && high === lastHigh) return lastId;
  lastLow = low;
  lastHigh = high;
  lastId = PRIORITY.find((id) => (((id < 32 ? low : high) >>> (id & 31)) & 1) === 1) ?? 0;
  return lastId;
}
