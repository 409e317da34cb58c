/**
 * What the modules `alert_consts` and `flow_consts` of the Lua scripts are made of: the declarations of statuses, alert types and
 * severities as a Lua table, with the numbers and names of all generations.
 *
 *   STATUSES, ALERT_TYPES, SEVERITIES ──constantsSource──► lua/sandbox.lua ──► modules/alert_consts.lua, modules/flow_consts.lua
 */
import { idIn, NUMBERINGS, PRIORITY, STATUSES } from '../flows/statuses.ts';
import { ALERT_TYPES, SEVERITIES, SEVERITIES_4_2 } from './alert-types.ts';

/** How much a status of 2019 matters, 0 to 100, by id. */
const RELEVANCE = [0, 10, 10, 10, 10, 30, 10, 30, 10, 10, 50, 30, 50, 100, 50, 50, 80, 20, 20, 20, 0, 0, 20, 50, 30, 30, 20, 80];

/** Where 4.x has another name than the one with `tls` for `ssl`. */
const NAMES_4: Readonly<Record<string, string>> = { status_ids_alert: 'status_external_alert' };
const name4 = (name: string): string => NAMES_4[name] ?? name.replace('_ssl_', '_tls_');

/** Types of alerts in 4.x, by name of the status, where they are not those of 2019. */
const ALERTS_4: Readonly<Record<string, string>> = {
  status_udp_unidirectional: 'udp_unidirectional',
  status_known_proto_on_non_std_port: 'known_proto_on_non_std_port',
  status_suspicious_file_transfer: 'suspicious_file_transfer',
  status_flow_risk: 'flow_risk',
  status_unexpected_dhcp_server: 'unexpected_dhcp_server',
  status_unexpected_dns_server: 'unexpected_dns_server',
  status_unexpected_ntp_server: 'unexpected_ntp_server',
  status_unexpected_smtp_server: 'unexpected_smtp_server',
};

/** Severities in 4.2; what is not here is an error. */
const SEVERITY_4_2: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    warning: 'flow_risk malicious_signature tcp_severe_connection_issues',
    notice: 'remote_to_remote tcp_connection_issues udp_unidirectional',
    info: 'blocked known_proto_on_non_std_port low_goodput normal suspicious_tcp_probing suspicious_tcp_syn_probing tcp_connection_refused',
  }).flatMap(([severity, names]) => names.split(' ').map((name) => [`status_${name}`, severity])),
);

type Plain = string | number | readonly Plain[] | { readonly [key: string]: Plain | undefined };

/** A Lua expression; strings are ASCII. */
function lua(value: Plain): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  const members = Array.isArray(value)
    ? (value as readonly Plain[]).map(lua)
    : Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [`[${JSON.stringify(key)}]=${lua(member as Plain)}`]));
  return `{${members.join(',')}}`;
}

/** Lua source of a function that returns the table; strange members are nil. */
export function constantsSource(): string {
  return `return ${lua({
    statuses: STATUSES.map((status) => ({
      id: status.id,
      ids: Object.fromEntries(NUMBERINGS.map((numbering) => [numbering, idIn(numbering, status)])),
      name: status.name,
      title: status.title,
      severity: status.severity,
      alert: status.alertType,
      relevance: RELEVANCE[status.id] ?? 0,
      name4: name4(status.name),
      severity42: SEVERITY_4_2[name4(status.name)] ?? 'error',
      alert4: ALERTS_4[status.name] ?? status.alertType,
    })),
    priority: PRIORITY,
    alerts: ALERT_TYPES.map(({ id, name, title, id4, name4: other }) => ({ id, name, title, id4, name4: other ?? name })),
    severities: SEVERITIES.map((name, id) => ({ id, name, severity: id })),
    severities42: SEVERITIES_4_2.map(({ id, name, severity }) => ({ id, name, severity })),
  })}`;
}
