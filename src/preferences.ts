/**
 * The preferences: what may be changed while flowpatrol runs. Declared once; the checks, the defaults, `flowpatrol prefs`, the
 * programming interface and the reference are derived from this list. Scripts know them as `ntopng.prefs.NAME`.
 *
 *   stored values and command line ──► Preferences ──message──► interface threads, which take them over at their next visit
 */
import { isNetwork } from './hosts/prefixes.ts';

export type PreferenceGroup = 'visits' | 'thresholds' | 'alerts' | 'servers' | 'history';

interface Common {
  readonly group: PreferenceGroup;
  /** One line. */
  readonly doc: string;
}
export interface BooleanPreference extends Common {
  readonly type: 'bool';
  readonly default: boolean;
}
export interface IntegerPreference extends Common {
  readonly type: 'int';
  readonly unit: string;
  readonly default: number;
  readonly from: number;
  readonly to: number;
  /** Option of the command line that sets it for a run. */
  readonly option?: string;
}
/** Addresses and networks, separated by commas. */
export interface AddressesPreference extends Common {
  readonly type: 'addresses';
  readonly default: string;
}
export type Preference = BooleanPreference | IntegerPreference | AddressesPreference;

const int = (
  group: PreferenceGroup,
  value: number,
  from: number,
  to: number,
  unit: string,
  doc: string,
  option?: string,
): IntegerPreference => ({ type: 'int', group, default: value, from, to, unit, doc, ...(option === undefined ? {} : { option }) });

/** Does the core raise its alert for these statuses? */
const alert = (value: boolean, about: string): BooleanPreference => ({
  type: 'bool',
  group: 'alerts',
  default: value,
  doc: `alerts about ${about}`,
});

const servers = (protocol: string): AddressesPreference => ({
  type: 'addresses',
  group: 'servers',
  default: '',
  doc: `the only ${protocol} servers that are expected, addresses and networks; empty = any`,
});

const MOST_BYTES = 2 ** 50;

export const PREFERENCES = {
  housekeeping_frequency: int('visits', 5, 1, 60, 's', 'time between two visits of all flows', 'visit-period'),
  flow_max_idle: int('visits', 60, 1, 3600, 's', 'silence after which a flow is over', 'max-idle'),
  detail_wait: int('visits', 1000, 0, 60_000, 'ms', 'longest wait of protocolDetected for details', 'detail-wait'),

  elephant_flow_local_to_remote_bytes: int('thresholds', 2 ** 30, 1024, MOST_BYTES, 'bytes', 'a larger upload is an elephant'),
  elephant_flow_remote_to_local_bytes: int('thresholds', 2 ** 30, 1024, MOST_BYTES, 'bytes', 'a larger download is an elephant'),
  longlived_flow_duration: int('thresholds', 43_200, 1, 31_536_000, 's', 'a flow that lasts longer is long-lived'),

  disable_alerts_generation: { type: 'bool', group: 'alerts', default: false, doc: 'no alerts of the core at all' },
  host_blacklist: alert(true, 'blacklisted flows and malicious signatures'),
  mining_alerts: alert(true, 'crypto mining'),
  ids_alerts: alert(true, 'flows that an intrusion detection system reported'),
  longlived_flows_alerts: alert(true, 'long-lived flows'),
  data_exfiltration_alerts: alert(true, 'data hidden in ICMP and DNS'),
  potentially_dangerous_protocols_alerts: alert(true, 'protocols that detection rates as dangerous'),
  probing_alerts: alert(false, 'probing and refused TCP connections'),
  ssl_alerts: alert(false, 'TLS versions, ciphers and certificates'),
  dns_alerts: alert(false, 'invalid DNS queries'),
  remote_to_remote_alerts: alert(false, 'flows between two remote ends'),
  dropped_flows_alerts: alert(false, 'flows that a policy dropped'),
  device_protocols_alerts: alert(false, 'protocols that the type of a device must not use'),
  elephant_flows_alerts: alert(false, 'very large transfers'),
  udp_unidirectional_alerts: alert(false, 'UDP without an answer'),
  non_standard_port_alerts: alert(false, 'known protocols on other ports than theirs'),
  file_transfer_alerts: alert(false, 'transfers of executable files'),
  flow_risk_alerts: alert(false, 'risks that detection found'),
  unexpected_server_alerts: alert(true, 'servers that are not among the expected ones'),

  alert_merge_window: int('alerts', 300, 0, 86_400, 's', 'alerts that are alike within it are one with a count; 0 = each its own'),
  alert_suppress_window: int('alerts', 0, 0, 86_400, 's', 'silence about a client after an alert, for those of its script and type'),
  alert_host_limit: int('alerts', 120, 0, 100_000, 'alerts a minute', 'new alerts about one host; 0 = any; captures have no limit'),

  dhcp_servers: servers('DHCP'),
  dns_servers: servers('DNS'),
  ntp_servers: servers('NTP'),
  smtp_servers: servers('SMTP'),

  history_days: int('history', 30, 1, 3650, 'days', 'flows and alerts that are older go'),
  history_alerts: int('history', 1_000_000, 1000, 100_000_000, 'alerts', 'most alerts that are kept, the newest'),
  history_bytes: int('history', 10 * 2 ** 30, 2 ** 26, MOST_BYTES, 'bytes', 'room for the history on disk; the oldest goes'),
} as const satisfies Readonly<Record<string, Preference>>;

export type PreferenceName = keyof typeof PREFERENCES;
type ValueOf<P extends Preference> = P['type'] extends 'bool' ? boolean : P['type'] extends 'int' ? number : string;
export type Preferences = { readonly [K in PreferenceName]: ValueOf<(typeof PREFERENCES)[K]> };

export const PREFERENCE_NAMES = Object.keys(PREFERENCES) as readonly PreferenceName[];

export const isPreference = (name: string): name is PreferenceName => Object.hasOwn(PREFERENCES, name);

export const DEFAULT_PREFERENCES: Preferences = Object.fromEntries(
  PREFERENCE_NAMES.map((name) => [name, PREFERENCES[name].default]),
) as unknown as Preferences;

/** A value that a preference cannot take. */
export class PreferenceError extends Error {}

/** The networks of an `addresses` value. */
export const addressesOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/**
 * A value as given by a user, checked: `on`/`off`, `true`/`false`, `1`/`0` for a switch; a whole number, also with K, M, G, for a number.
 * @throws PreferenceError that says what the preference takes
 */
export function preferenceValue(name: PreferenceName, given: string | number | boolean): boolean | number | string {
  const preference: Preference = PREFERENCES[name];
  const text = String(given).trim();
  switch (preference.type) {
    case 'bool': {
      const word = text.toLowerCase();
      if (['on', 'true', '1', 'yes'].includes(word)) return true;
      if (['off', 'false', '0', 'no'].includes(word)) return false;
      throw new PreferenceError(`${name}: '${text}' is neither on nor off`);
    }
    case 'int': {
      const match = /^(\d{1,16})([KMGT]?)$/i.exec(text);
      const unit = ' KMGT'.indexOf((match?.[2] || ' ').toUpperCase());
      const value = match === null ? Number.NaN : Number(match[1]) * 1024 ** unit;
      if (value >= preference.from && value <= preference.to) return value;
      throw new PreferenceError(
        `${name}: '${text}' is not a whole number from ${preference.from} to ${preference.to} (${preference.unit})`,
      );
    }
    case 'addresses': {
      const wrong = addressesOf(text).find((word) => !isNetwork(word));
      if (wrong === undefined) return addressesOf(text).join(', ');
      throw new PreferenceError(`${name}: '${wrong}' is neither an address nor a network in CIDR notation`);
    }
  }
}
