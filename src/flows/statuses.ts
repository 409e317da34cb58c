/**
 * The statuses of a flow: the one declaration of their ids, names, severities and alerts.
 *
 * Ids are bits of the status bitmap. 0–27 are those of 2019; ids of our own begin at 28 and take a place in
 * {@link PRIORITY}. The conditions are in conditions.ts; docs/reference/statuses.md is made from this file.
 */

export type Severity = 'none' | 'info' | 'warning' | 'error';

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
  /** Preference that must be on for that alert; `''` = there is no preference. */
  readonly preference: string;
  /** Is the alert on by default? */
  readonly default: boolean;
}

/** id, name, title, meaning, severity, alert type, preference, default */
type Row = readonly [number, string, string, string, Severity, string, string, boolean];

const ROWS: readonly Row[] = [
  [0, 'status_normal', 'Normal', 'nothing is wrong; the bit itself is never set', 'none', '', '', false],
  [
    1,
    'status_slow_tcp_connection',
    'Slow TCP Connection',
    'slow TCP set-up; kept for its id, never set',
    'warning',
    'alert_connection_issues',
    '',
    false,
  ],
  [
    2,
    'status_slow_application_header',
    'Slow Application Header',
    'slow first answer; kept for its id, never set',
    'warning',
    'alert_connection_issues',
    '',
    false,
  ],
  [
    3,
    'status_slow_data_exchange',
    'Slow Data Exchange',
    'a TCP flow ended with little payload',
    'warning',
    'alert_connection_issues',
    '',
    false,
  ],
  [4, 'status_low_goodput', 'Low Goodput', 'a TCP flow carries little payload', 'warning', 'alert_connection_issues', '', false],
  [
    5,
    'status_suspicious_tcp_syn_probing',
    'Suspicious TCP SYN Probing',
    'a TCP flow ended without a complete handshake',
    'warning',
    'suspicious_activity',
    'probing_alerts',
    false,
  ],
  [
    6,
    'status_tcp_connection_issues',
    'TCP Connection Issues',
    'retransmitted, out-of-order and lost segments: over 5, and over a tenth of a direction',
    'warning',
    'alert_connection_issues',
    '',
    false,
  ],
  [
    7,
    'status_suspicious_tcp_probing',
    'Suspicious TCP Probing',
    'the client talked and the server stayed silent for two minutes',
    'warning',
    'suspicious_activity',
    'probing_alerts',
    false,
  ],
  [
    8,
    'status_flow_when_interface_alerted',
    'Flow Emitted During Alert',
    'the interface was alerted; kept for its id, never set',
    'warning',
    '',
    '',
    false,
  ],
  [
    9,
    'status_tcp_connection_refused',
    'TCP Connection Refused',
    'a TCP flow was reset after carrying little payload',
    'warning',
    'suspicious_activity',
    'probing_alerts',
    false,
  ],
  [
    10,
    'status_ssl_certificate_mismatch',
    'TLS Certificate Mismatch',
    'the name that the client asked for is not in the server certificate',
    'warning',
    'potentially_dangerous_protocol',
    'ssl_alerts',
    false,
  ],
  [
    11,
    'status_dns_invalid_query',
    'Invalid DNS Query',
    'a DNS query name is very long or has characters that cannot be printed',
    'warning',
    'suspicious_activity',
    'dns_alerts',
    false,
  ],
  [
    12,
    'status_remote_to_remote',
    'Remote to Remote',
    'both ends are unicast addresses outside the local networks',
    'warning',
    'remote_to_remote',
    'remote_to_remote_alerts',
    false,
  ],
  [
    13,
    'status_blacklisted',
    'Blacklisted',
    'an end, the host name or the category of the flow is on a blacklist',
    'error',
    'flow_blacklisted',
    'host_blacklist',
    true,
  ],
  [
    14,
    'status_blocked',
    'Blocked',
    'a policy dropped the flow; inline systems only',
    'info',
    'flow_blocked',
    'dropped_flows_alerts',
    false,
  ],
  [15, 'status_web_mining_detected', 'Mining', 'the category of the flow is crypto mining', 'warning', 'web_mining', 'mining_alerts', true],
  [
    16,
    'status_device_protocol_not_allowed',
    'Device Protocol Not Allowed',
    'the type of a device must not speak this protocol',
    'warning',
    'alert_device_protocol_not_allowed',
    'device_protocols_alerts',
    false,
  ],
  [
    17,
    'status_elephant_local_to_remote',
    'Elephant (Local to Remote)',
    'a local end sent over 1 GiB to a remote one',
    'warning',
    'flow_misbehaviour',
    'elephant_flows_alerts',
    false,
  ],
  [
    18,
    'status_elephant_remote_to_local',
    'Elephant (Remote to Local)',
    'a remote end sent over 1 GiB to a local one',
    'warning',
    'flow_misbehaviour',
    'elephant_flows_alerts',
    false,
  ],
  [19, 'status_longlived', 'Long-Lived', 'the flow lasts over 12 hours', 'warning', 'flow_misbehaviour', 'longlived_flows_alerts', true],
  [20, 'status_not_purged', 'Not Purged', 'internal: the flow should have ended long ago', 'warning', 'alert_connection_issues', '', true],
  [
    21,
    'status_ids_alert',
    'External IDS Alert',
    'an external intrusion detection system reported the flow',
    'warning',
    'ids_alert',
    'ids_alerts',
    true,
  ],
  [
    22,
    'status_tcp_severe_connection_issues',
    'Severe TCP Connection Issues',
    'retransmitted, out-of-order and lost segments: over 5, and over a third of a direction',
    'warning',
    'alert_connection_issues',
    '',
    false,
  ],
  [
    23,
    'status_ssl_unsafe_ciphers',
    'Unsafe TLS Cipher',
    'the server chose a weak cipher suite',
    'warning',
    'potentially_dangerous_protocol',
    'ssl_alerts',
    false,
  ],
  [
    24,
    'status_data_exfiltration',
    'Data Exfiltration',
    'echo messages of ICMP are long enough to hide data',
    'warning',
    'flow_misbehaviour',
    'data_exfiltration_alerts',
    true,
  ],
  [
    25,
    'status_ssl_old_protocol_version',
    'Old TLS Version',
    'the server chose a version below TLS 1.2',
    'warning',
    'potentially_dangerous_protocol',
    'ssl_alerts',
    false,
  ],
  [
    26,
    'status_potentially_dangerous',
    'Potentially Dangerous Protocol',
    'detection rates the protocol as dangerous',
    'error',
    'potentially_dangerous_protocol',
    'potentially_dangerous_protocols_alerts',
    true,
  ],
  [
    27,
    'status_malicious_signature',
    'Malicious Signature',
    'the TLS fingerprint of an end belongs to known malware',
    'warning',
    'malicious_signature',
    'host_blacklist',
    true,
  ],
];

export const STATUSES: readonly Status[] = ROWS.map(([id, name, title, meaning, severity, alertType, preference, on]) => ({
  id,
  name,
  title,
  meaning,
  severity,
  alertType,
  preference,
  default: on,
}));

export const statusById: ReadonlyMap<number, Status> = new Map(STATUSES.map((status) => [status.id, status]));

/** Strongest first: the first one that is set is the predominant status. */
export const PRIORITY: readonly number[] = [
  20, 13, 26, 16, 27, 15, 21, 22, 6, 11, 9, 4, 3, 10, 5, 7, 12, 19, 17, 18, 24, 14, 23, 25, 1, 2, 8,
];

/** Id of the strongest status of a bitmap given in two halves; 0 when none is set. */
export function predominant(low: number, high: number): number {
  if (low === 0 && high === 0) return 0;
  for (const id of PRIORITY) {
    if ((((id < 32 ? low : high) >>> (id & 31)) & 1) === 1) return id;
  }
  return 0;
}
