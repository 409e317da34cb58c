// Made by `node docs/generate.ts`. Do not edit.
import type { Info } from './info.d.ts';

export type { Info };

/** The statuses of a flow, by the names that scripts use: ids, which are the bits of `info.status_map`. */
export interface Statuses {
  /** Normal: nothing is wrong; the bit itself is never set */
  readonly normal: 0;
  /** Slow TCP Connection: slow TCP set-up; kept for its id, never set */
  readonly slow_tcp_connection: 1;
  /** Slow Application Header: slow first answer; kept for its id, never set */
  readonly slow_application_header: 2;
  /** Slow Data Exchange: a TCP flow of a minute or more ended with under 40 % payload */
  readonly slow_data_exchange: 3;
  /** Low Goodput: a TCP flow of a minute or more carries under 40 % payload */
  readonly low_goodput: 4;
  /** Suspicious TCP SYN Probing: a TCP flow ended without a complete handshake */
  readonly suspicious_tcp_syn_probing: 5;
  /** TCP Connection Issues: retransmitted, out-of-order and lost segments: over 5, and over a tenth of a direction */
  readonly tcp_connection_issues: 6;
  /** Suspicious TCP Probing: the client talked and the server stayed silent for two minutes */
  readonly suspicious_tcp_probing: 7;
  /** Flow Emitted During Alert: the interface was alerted; kept for its id, never set */
  readonly flow_when_interface_alerted: 8;
  /** TCP Connection Refused: a TCP flow of a minute or more was reset after carrying under 40 % payload */
  readonly tcp_connection_refused: 9;
  /** TLS Certificate Mismatch: the name that the client asked for is not in the server certificate */
  readonly ssl_certificate_mismatch: 10;
  /** Invalid DNS Query: a DNS query name is over 96 bytes long or has characters that cannot be printed */
  readonly dns_invalid_query: 11;
  /** Remote to Remote: both ends are unicast addresses outside the local networks */
  readonly remote_to_remote: 12;
  /** Blacklisted: an end, the host name or the category of the flow is on a blacklist */
  readonly blacklisted: 13;
  /** Blocked: a policy dropped the flow; inline systems only */
  readonly blocked: 14;
  /** Mining: the category of the flow is crypto mining */
  readonly web_mining_detected: 15;
  /** Device Protocol Not Allowed: the type of a device must not speak this protocol */
  readonly device_protocol_not_allowed: 16;
  /** Elephant (Local to Remote): a local end sent over 1 GiB (preference) to a remote one; not for data transfer */
  readonly elephant_local_to_remote: 17;
  /** Elephant (Remote to Local): a remote end sent over 1 GiB (preference) to a local one; not for data transfer */
  readonly elephant_remote_to_local: 18;
  /** Long-Lived: the flow lasts over 12 hours (preference); not of databases */
  readonly longlived: 19;
  /** Not Purged: internal: the flow has been silent for ten times what should have ended it */
  readonly not_purged: 20;
  /** External IDS Alert: an external intrusion detection system reported the flow */
  readonly ids_alert: 21;
  /** Severe TCP Connection Issues: retransmitted, out-of-order and lost segments: over 5, and over a third of a direction */
  readonly tcp_severe_connection_issues: 22;
  /** Unsafe TLS Cipher: the server chose a weak cipher suite */
  readonly ssl_unsafe_ciphers: 23;
  /** Data Exfiltration: an echo message is long enough to hide data: over 128 bytes of ICMP, 256 of ICMPv6 */
  readonly data_exfiltration: 24;
  /** Old TLS Version: the server chose a version below TLS 1.2 */
  readonly ssl_old_protocol_version: 25;
  /** Potentially Dangerous Protocol: detection rates the protocol as dangerous */
  readonly potentially_dangerous: 26;
  /** Malicious Signature: the TLS fingerprint of an end belongs to known malware */
  readonly malicious_signature: 27;
  /** TLS Certificate Expired: the server certificate is not valid at the time of the flow */
  readonly tls_certificate_expired: 28;
  /** TLS Certificate Self-Signed: the server certificate is signed by itself */
  readonly tls_certificate_selfsigned: 29;
  /** Unidirectional UDP: UDP packets to a unicast server that does not answer, of a protocol that wants an answer; once detection has ended */
  readonly udp_unidirectional: 30;
  /** Known Protocol on Non-Standard Port: a protocol that has a port of its own runs on another one */
  readonly known_proto_on_non_std_port: 31;
  /** Suspicious File Transfer: an executable file was transferred */
  readonly suspicious_file_transfer: 32;
  /** Flow Risk: detection found a risk */
  readonly flow_risk: 33;
  /** Unexpected DHCP Server: the DHCP server is not among the expected ones */
  readonly unexpected_dhcp_server: 34;
  /** Unexpected DNS Server: the DNS server is not among the expected ones */
  readonly unexpected_dns_server: 35;
  /** Unexpected NTP Server: the NTP server is not among the expected ones */
  readonly unexpected_ntp_server: 36;
  /** Unexpected SMTP Server: the SMTP server is not among the expected ones */
  readonly unexpected_smtp_server: 37;
  /** DNS Data Exfiltration: a DNS query name can carry data: its labels but the last two have 52 characters or more */
  readonly dns_data_exfiltration: 38;
  /** Blacklisted Country: a script found one of the ends in a country of its list */
  readonly blacklisted_country: 39;
  /** User Status 1: what the scripts of the user make of it */
  readonly user_01: 40;
  /** User Status 2: what the scripts of the user make of it */
  readonly user_02: 41;
  /** User Status 3: what the scripts of the user make of it */
  readonly user_03: 42;
  /** User Status 4: what the scripts of the user make of it */
  readonly user_04: 43;
  /** User Status 5: what the scripts of the user make of it */
  readonly user_05: 44;
}
export type StatusName = keyof Statuses;

/** Types of alerts, with their ids. */
export interface AlertTypes {
  /** TCP syn flood */
  readonly tcp_syn_flood: 0;
  /** Flows flood */
  readonly flows_flood: 1;
  /** Threshold cross */
  readonly threshold_cross: 2;
  /** Suspicious activity */
  readonly suspicious_activity: 3;
  /** Connection issues */
  readonly alert_connection_issues: 4;
  /** Flow misbehaviour */
  readonly flow_misbehaviour: 5;
  /** Remote to remote */
  readonly remote_to_remote: 6;
  /** Flow blacklisted */
  readonly flow_blacklisted: 7;
  /** Flow blocked */
  readonly flow_blocked: 8;
  /** New device */
  readonly new_device: 9;
  /** Device connection */
  readonly device_connection: 10;
  /** Device disconnection */
  readonly device_disconnection: 11;
  /** Host pool connection */
  readonly host_pool_connection: 12;
  /** Host pool disconnection */
  readonly host_pool_disconnection: 13;
  /** Quota exceeded */
  readonly quota_exceeded: 14;
  /** Misconfigured app */
  readonly misconfigured_app: 15;
  /** Too many drops */
  readonly too_many_drops: 16;
  /** Mac ip association change */
  readonly mac_ip_association_change: 17;
  /** Port status change */
  readonly port_status_change: 18;
  /** Unresponsive device */
  readonly unresponsive_device: 19;
  /** Process notification */
  readonly process_notification: 20;
  /** Web mining */
  readonly web_mining: 21;
  /** Nfq flushed */
  readonly nfq_flushed: 22;
  /** Slow stats update */
  readonly slow_stats_update: 23;
  /** Device protocol not allowed */
  readonly alert_device_protocol_not_allowed: 24;
  /** User activity */
  readonly alert_user_activity: 25;
  /** Influxdb export failure */
  readonly influxdb_export_failure: 26;
  /** Port errors */
  readonly port_errors: 27;
  /** Test failed */
  readonly test_failed: 28;
  /** Inactivity */
  readonly inactivity: 29;
  /** Active flows anomaly */
  readonly active_flows_anomaly: 30;
  /** List download failed */
  readonly list_download_failed: 31;
  /** DNS anomaly */
  readonly dns_anomaly: 32;
  /** ICMP anomaly */
  readonly icmp_anomaly: 33;
  /** Broadcast domain too large */
  readonly broadcast_domain_too_large: 34;
  /** Ids alert */
  readonly ids_alert: 35;
  /** Ip outsite DHCP range */
  readonly ip_outsite_dhcp_range: 36;
  /** Port duplexstatus change */
  readonly port_duplexstatus_change: 37;
  /** Port load threshold exceeded */
  readonly port_load_threshold_exceeded: 38;
  /** Ping issues */
  readonly ping_issues: 39;
  /** Slow periodic activity */
  readonly slow_periodic_activity: 40;
  /** Influxdb dropped points */
  readonly influxdb_dropped_points: 41;
  /** Login failed */
  readonly login_failed: 42;
  /** Potentially dangerous protocol */
  readonly potentially_dangerous_protocol: 43;
  /** Request reply ratio */
  readonly request_reply_ratio: 44;
  /** Anomalous TCP flags */
  readonly anomalous_tcp_flags: 45;
  /** Misbehaving flows ratio */
  readonly misbehaving_flows_ratio: 46;
  /** Ghost network */
  readonly ghost_network: 47;
  /** Malicious signature */
  readonly malicious_signature: 48;
  /** Blacklisted country */
  readonly blacklisted_country: 49;
  /** Internals */
  readonly internals: 50;
  /** UDP unidirectional */
  readonly udp_unidirectional: 51;
  /** User script calls drops */
  readonly user_script_calls_drops: 52;
  /** Suspicious file transfer */
  readonly suspicious_file_transfer: 53;
  /** Known proto on non std port */
  readonly known_proto_on_non_std_port: 54;
  /** Flow risk */
  readonly flow_risk: 55;
  /** Unexpected DNS server */
  readonly unexpected_dns_server: 56;
  /** Unexpected SMTP server */
  readonly unexpected_smtp_server: 57;
  /** Unexpected DHCP server */
  readonly unexpected_dhcp_server: 58;
  /** Unexpected NTP server */
  readonly unexpected_ntp_server: 59;
  /** User Alert 1 */
  readonly user_01: 32768;
  /** User Alert 2 */
  readonly user_02: 32769;
  /** User Alert 3 */
  readonly user_03: 32770;
  /** User Alert 4 */
  readonly user_04: 32771;
  /** User Alert 5 */
  readonly user_05: 32772;
}
export type AlertTypeName = keyof AlertTypes;
export type Severity = 'info' | 'warning' | 'error';

/** Whose score. */
export type ScoreOf = 'flow' | 'client' | 'server';
export type LogLevel = 'error' | 'warning' | 'normal' | 'info' | 'debug';

/** Flows that a script is called for: all conditions have to hold. What is left out costs nothing. */
export interface Filter {
  /** IP protocols, by name or number: one of them. */
  readonly l4?: L4 | readonly L4[];
  /** nDPI's name of a protocol, such as `DNS`: the master or the application protocol has to be it. */
  readonly l7?: string;
  /** TCP flows only once their handshake is complete. */
  readonly handshake?: boolean;
  /** Interfaces that see packets only, not flow records. */
  readonly packetInterface?: boolean;
  /** At least so many seconds between two calls of `periodicUpdate` for a flow. */
  readonly periodicSeconds?: number;
}
export type L4 =
  | 'icmp'
  | 'igmp'
  | 'tcp'
  | 'udp'
  | 'ipv6'
  | 'rsvp'
  | 'gre'
  | 'esp'
  | 'ah'
  | 'icmpv6'
  | 'ospf'
  | 'pim'
  | 'vrrp'
  | 'sctp'
  | 'hip'
  | number;

export interface AlertOptions {
  /** Of the flow, a whole number from 0 to 1000; others become the nearest one. */
  readonly score?: number;
  /** The status that the alert is raised for. */
  readonly status?: StatusName;
}

/** The flow that a callback is called for. */
export interface Flow {
  /**
   * Raises an alert about the flow.
   * @param info anything that has a form in JSON; it goes with the alert
   * @example flow.alert('suspicious_activity', 'warning', { bytes: info.bytes });
   */
  alert(type: AlertTypeName, severity: Severity, info?: unknown, options?: AlertOptions): void;
  /** Sets a status, from the flow's next visit on. */
  setStatus(status: StatusName): void;
  clearStatus(status: StatusName): void;
  /** With what the scripts of this event have set and cleared. */
  isStatusSet(status: StatusName): boolean;
  /** Score of the flow, or of one of its hosts: a whole number from 0 to 65,534; others become the nearest one. */
  setScore(score: number, of?: ScoreOf): void;
  /** The score that scripts gave in this event; undefined if none did. */
  score(of?: ScoreOf): number | undefined;
  readonly cache: Cache;
  /** Lines for the log. */
  log(level: LogLevel, ...values: readonly unknown[]): void;
}

/**
 * Texts that outlive the program: by key, as hashes, as sets and as lists. All scripts share it: begin keys with the script's own.
 * Everything here throws when the cache is full, or when a key holds another kind of thing.
 */
export interface Cache {
  get(key: string): string | undefined;
  /** @param ttl seconds by the traffic's clock; 0 or nothing = for ever */
  set(key: string, value: string, ttl?: number): void;
  delete(key: string): void;
  /** Adds to the whole number under the key; a missing one is 0. @param by 1 without it @returns the sum */
  increment(key: string, by?: number): number;
  expire(key: string, ttl: number): void;
  /** Keys that match a pattern with `*` and `?`, sorted. */
  keys(pattern: string): string[];
  hashGet(key: string, field: string): string | undefined;
  hashSet(key: string, field: string, value: string): void;
  hashDelete(key: string, field: string): void;
  hashAll(key: string): Record<string, string> | undefined;
  setAdd(key: string, member: string): void;
  setRemove(key: string, member: string): void;
  setHas(key: string, member: string): boolean;
  /** Sorted. */
  setMembers(key: string): string[];
  /** @param keep most elements that stay; the oldest go */
  listPush(key: string, value: string, end: 'left' | 'right', keep?: number): void;
  listPop(key: string, end: 'left' | 'right'): string | undefined;
  listLength(key: string): number;
  /** Positions from 0 on, both inclusive; negative ones count from the end. */
  listRange(key: string, first: number, last: number): string[];
}

/** A callback. It is over when it returns: there is nothing asynchronous in a script. */
export type Callback = (info: Info, flow: Flow) => void;

export interface Script {
  /** Unique id: letters, digits, `_`. */
  readonly key: string;
  /** A text, or the key of a translation; the script's key without it. */
  readonly title?: string;
  readonly description?: string;
  /** Higher runs earlier, 0 without it; then by file name. */
  readonly prio?: number;
  readonly filter?: Filter;
  /** Called once when the script is loaded; false switches it off. */
  setup?(): boolean;
  /** Called when this version of the script is no longer used. */
  teardown?(): void;
  /** Once, at the first visit after the layer-7 protocol and its details are known. */
  protocolDetected?(info: Info, flow: Flow): void;
  /** At each visit at which the flow's statuses differ from those at the visit before. */
  statusChanged?(info: Info, flow: Flow): void;
  /** On long-lived flows, every 5 times the maximum idleness. */
  periodicUpdate?(info: Info, flow: Flow): void;
  /** Once, at the flow's last visit. */
  idle?(info: Info, flow: Flow): void;
}

/**
 * Says what a script is; the file exports it by default. Further members are the script's own, callbacks reach them by `this`.
 * @example
 * export default defineScript({
 *   key: 'big_upload',
 *   title: 'Big uploads',
 *   idle(info, flow) {
 *     if (info['cli2srv.bytes'] > 1e9) flow.alert('flow_misbehaviour', 'warning');
 *   },
 * });
 */
export function defineScript<T extends Script>(script: T & ThisType<T>): T;

export const cache: Cache;
/** The interface that sees the flows. */
export const networkInterface: { readonly id: number; readonly name: string };
/** A text in the user's language, with `%{name}` replaced; the key itself where there is none. */
export function i18n(key: string, params?: Readonly<Record<string, string | number>>): string;
/** The flow as text: `[TCP] 10.0.0.1:51514 -> 10.0.0.2:80 [HTTP]`. */
export function shortFlowLabel(info: Info): string;

declare global {
  /** Lines for the log, with script, flow and callback. */
  interface Console {
    log(...values: unknown[]): void;
    info(...values: unknown[]): void;
    debug(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
  }
  var console: Console;
}
