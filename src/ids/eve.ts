/**
 * Suricata's EVE records: one line of eve.json in, an alert or the reason why there is none out. Called by sources.ts.
 *
 *   {"timestamp":"2024-01-02T03:04:05.678901+0200","flow_id":1,"event_type":"alert","vlan":[7],"src_ip":"192.0.2.1",
 *    "src_port":1025,"dest_ip":"198.51.100.2","dest_port":80,"proto":"TCP","app_proto":"http",
 *    "alert":{"action":"allowed","gid":1,"signature_id":2,"rev":3,"signature":"…","category":"…","severity":1,"metadata":{…}}}
 *
 * Fields by the Suricata User Guide, "Eve JSON Format"; `vlan` lists the tags from the outside in, and is one number in old
 * versions. Lines come from whoever can write the file or reach the port: nothing here throws, and a line takes time in
 * proportion to its length.
 */
import { isIP } from 'node:net';
import type { IdsAlert } from './alert.ts';
import { createObjectWriter } from './json.ts';

/** Longest line that is read, in characters. */
export const MAX_EVE_LINE = 64 << 10;

/**
 * Why a line gave no alert: it is another event or another program's, it is damaged, it is too long, or the alert is about a
 * packet without IP addresses and so about no flow.
 */
export type EveRefusal = 'other' | 'malformed' | 'tooLong' | 'withoutAddresses';

const ICMP = 1;
const ICMPV6 = 58;
const WITH_PORTS = new Set([6, 17, 132]);

/** Names that Suricata writes, in lower case; it writes the number of a protocol that it has no name for. */
const PROTOCOLS = new Map<string, number>([
  ['icmp', ICMP],
  ['igmp', 2],
  ['ipv4', 4],
  ['ipip', 4],
  ['tcp', 6],
  ['egp', 8],
  ['udp', 17],
  ['dccp', 33],
  ['ipv6', 41],
  ['rsvp', 46],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['ipv6-icmp', ICMPV6],
  ['icmpv6', ICMPV6],
  ['ipv6-nonxt', 59],
  ['eigrp', 88],
  ['ospf', 89],
  ['ospfigp', 89],
  ['pim', 103],
  ['vrrp', 112],
  ['l2tp', 115],
  ['sctp', 132],
  ['udplite', 136],
]);

/** Severity of a rule without one, as in Suricata. */
const DEFAULT_SEVERITY = 3;

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))?$/;

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

const wholeNumber = (value: unknown, most: number): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : undefined;

/** µs since 1970; a time without an offset is UTC. @returns undefined for what is no time */
export function eveTime(value: unknown): number | undefined {
  const parts = typeof value === 'string' && value.length < 48 ? TIME.exec(value) : null;
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 60) return undefined;
  const fraction = Number((parts[7] ?? '').padEnd(6, '0').slice(0, 6));
  const offset = (Number(parts[10] ?? 0) * 60 + Number(parts[11] ?? 0)) * (parts[9] === '-' ? -1 : 1);
  const us = date.getTime() * 1000 + ((hour * 60 + minute - offset) * 60 + second) * 1e6 + fraction;
  return us >= 0 ? us : undefined;
}

function protocolNumber(value: unknown): number | undefined {
  if (typeof value !== 'string') return wholeNumber(value, 255);
  return /^\d{1,3}$/.test(value) ? wholeNumber(Number(value), 255) : PROTOCOLS.get(value.slice(0, 16).toLowerCase());
}

function vlanOf(value: unknown): number | undefined {
  const innermost = Array.isArray(value) ? (value.at(-1) ?? 0) : (value ?? 0);
  return wholeNumber(innermost, 4095);
}

/** Family of an address, 0 if it is none. */
const familyOf = (value: unknown): number => (typeof value === 'string' && value.length <= 45 && !value.includes('%') ? isIP(value) : 0);

/** The two port fields of an {@link IdsAlert}. @returns undefined when the protocol has ports and the record does not */
function portsOf(record: Members, protocol: number): [number, number] | undefined {
  if (protocol === ICMP || protocol === ICMPV6) return [wholeNumber(record.icmp_type, 255) ?? 0, wholeNumber(record.icmp_code, 255) ?? 0];
  if (!WITH_PORTS.has(protocol)) return [0, 0];
  const source = wholeNumber(record.src_port, 65535);
  const destination = wholeNumber(record.dest_port, 65535);
  return source === undefined || destination === undefined ? undefined : [source, destination];
}

function alertJson(record: Members, alert: Members, severity: number): string {
  const writer = createObjectWriter();
  writer.add('signature', alert.signature, 512);
  writer.add('signature_id', alert.signature_id, 32);
  writer.add('gid', alert.gid, 32);
  writer.add('rev', alert.rev, 32);
  writer.add('category', alert.category, 256);
  writer.add('severity', severity, 32);
  writer.add('action', alert.action, 32);
  writer.add('flow_id', record.flow_id, 32);
  writer.add('app_proto', record.app_proto, 64);
  if (isObject(alert.metadata)) writer.addObject('metadata', alert.metadata, 256);
  return writer.text();
}

function alertOf(record: Members): IdsAlert | EveRefusal {
  const { alert, src_ip: source, dest_ip: destination } = record;
  if (!isObject(alert)) return 'malformed';
  if (source === undefined && destination === undefined) return 'withoutAddresses';
  const family = familyOf(source);
  const time = eveTime(record.timestamp);
  const protocol = protocolNumber(record.proto);
  const vlan = vlanOf(record.vlan);
  const ports = protocol === undefined ? undefined : portsOf(record, protocol);
  if (family === 0 || family !== familyOf(destination)) return 'malformed';
  if (time === undefined || protocol === undefined || vlan === undefined || ports === undefined) return 'malformed';
  const severity = wholeNumber(alert.severity, 255) || DEFAULT_SEVERITY;
  return {
    time,
    protocol,
    source: source as string,
    destination: destination as string,
    sourcePort: ports[0],
    destinationPort: ports[1],
    vlan,
    severity,
    json: alertJson(record, alert, severity),
  };
}

/**
 * @param line without its end; a `@cee:` cookie before the record (Suricata's option `prefix`) is skipped
 * @returns the alert, or why there is none
 */
export function readEve(line: string): IdsAlert | EveRefusal {
  if (line.length > MAX_EVE_LINE) return 'tooLong';
  const start = line.indexOf('{');
  const before = line.slice(0, Math.max(start, 0)).trim();
  if (start < 0 || (before !== '' && before !== '@cee:')) return 'malformed';
  // most lines of a busy sensor are other events: they need not be parsed
  if (!line.includes('"alert"', start)) return line.trimEnd().endsWith('}') ? 'other' : 'malformed';
  let record: unknown;
  try {
    record = JSON.parse(line.slice(start));
  } catch {
    return 'malformed';
  }
  if (!isObject(record) || typeof record.event_type !== 'string') return 'malformed';
  return record.event_type === 'alert' ? alertOf(record) : 'other';
}
