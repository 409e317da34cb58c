/**
 * Types and severities of the alerts that scripts raise: the one declaration, of which the modules of the scripts are made.
 *
 * Ids 0–48 are those of 2019, the later ones are ours. What leaves a script is an id and a name of this list, whatever numbers the
 * script's generation has; {@link AlertType.id4} are the numbers of ntopng 4.0 and 4.2.
 */

export interface AlertType {
  readonly id: number;
  /** `alert_consts.alert_types.NAME`. */
  readonly name: string;
  readonly title: string;
  readonly id4?: number;
  /** Its name in 4.0 and 4.2, where it is another; there it may have `alert_` before it. */
  readonly name4?: string;
}

/** In the order of their ids. */
const NAMES = `tcp_syn_flood flows_flood threshold_cross suspicious_activity alert_connection_issues flow_misbehaviour remote_to_remote
  flow_blacklisted flow_blocked new_device device_connection device_disconnection host_pool_connection host_pool_disconnection
  quota_exceeded misconfigured_app too_many_drops mac_ip_association_change port_status_change unresponsive_device process_notification
  web_mining nfq_flushed slow_stats_update alert_device_protocol_not_allowed alert_user_activity influxdb_export_failure port_errors
  test_failed inactivity active_flows_anomaly list_download_failed dns_anomaly icmp_anomaly broadcast_domain_too_large ids_alert
  ip_outsite_dhcp_range port_duplexstatus_change port_load_threshold_exceeded ping_issues slow_periodic_activity influxdb_dropped_points
  login_failed potentially_dangerous_protocol request_reply_ratio anomalous_tcp_flags misbehaving_flows_ratio ghost_network
  malicious_signature blacklisted_country internals udp_unidirectional user_script_calls_drops suspicious_file_transfer
  known_proto_on_non_std_port flow_risk unexpected_dns_server unexpected_smtp_server unexpected_dhcp_server
  unexpected_ntp_server`.split(/\s+/);

const IN_4: Readonly<Record<string, number>> = {
  blacklisted_country: 1,
  alert_device_protocol_not_allowed: 5,
  ids_alert: 7,
  flow_blacklisted: 8,
  flow_blocked: 9,
  flow_misbehaviour: 10,
  internals: 18,
  malicious_signature: 23,
  potentially_dangerous_protocol: 36,
  remote_to_remote: 39,
  suspicious_activity: 45,
  udp_unidirectional: 51,
  user_script_calls_drops: 54,
  web_mining: 55,
  alert_connection_issues: 56,
  suspicious_file_transfer: 57,
  known_proto_on_non_std_port: 58,
  flow_risk: 62,
  unexpected_dns_server: 63,
  unexpected_smtp_server: 64,
  unexpected_dhcp_server: 65,
  unexpected_ntp_server: 66,
};

const RENAMED: Readonly<Record<string, string>> = {
  alert_device_protocol_not_allowed: 'device_protocol_not_allowed',
  ids_alert: 'external',
  alert_connection_issues: 'connection_issues',
};

/** The same numbers in every generation; for the user's own purposes. */
const OF_USER: readonly AlertType[] = [1, 2, 3, 4, 5].map((n) => ({
  id: 32767 + n,
  id4: 32767 + n,
  name: `user_0${n}`,
  title: `User Alert ${n}`,
}));

const CAPITALS: Readonly<Record<string, string>> = {
  tcp: 'TCP',
  dns: 'DNS',
  dhcp: 'DHCP',
  smtp: 'SMTP',
  ntp: 'NTP',
  udp: 'UDP',
  icmp: 'ICMP',
};

/** `flow_blacklisted` → `Flow blacklisted`. */
function titleOf(name: string): string {
  const text = name
    .replace(/^alert_/, '')
    .split('_')
    .map((word) => CAPITALS[word] ?? word)
    .join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const ALERT_TYPES: readonly AlertType[] = [
  ...NAMES.map((name, id): AlertType => {
    const id4 = IN_4[name];
    const name4 = RENAMED[name];
    return { id, name, title: titleOf(name), ...(id4 === undefined ? {} : { id4 }), ...(name4 === undefined ? {} : { name4 }) };
  }),
  ...OF_USER,
];

/** Severities of 2019 and 4.0, by id; what alerts carry. */
export const SEVERITIES = ['info', 'warning', 'error'] as const;

export interface Severity4 {
  readonly id: number;
  readonly name: string;
  /** Place in {@link SEVERITIES}. */
  readonly severity: number;
}

/** Severities of 4.2. An alert keeps the name. */
export const SEVERITIES_4_2: readonly Severity4[] = [
  { id: 1, name: 'debug', severity: 0 },
  { id: 2, name: 'info', severity: 0 },
  { id: 3, name: 'notice', severity: 0 },
  { id: 4, name: 'warning', severity: 1 },
  { id: 5, name: 'error', severity: 2 },
  { id: 6, name: 'critical', severity: 2 },
  { id: 7, name: 'alert', severity: 2 },
  { id: 8, name: 'emergency', severity: 2 },
];
