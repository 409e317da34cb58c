/**
 * The model's statuses: each condition in one line, all evaluated from scratch at every visit. What a status is called, which alert it
 * raises and how strong it is are declarations of src/flows/statuses.ts, not behaviour.
 */
import { PRIORITY, STATUSES, statusById } from '../../src/flows/statuses.ts';
import type { Preferences } from '../../src/preferences.ts';
import { ACK, FIN, RST, SYN } from '../support/packets.ts';
import type { Flow } from './flow.ts';

const SECOND = 1e6;
const FILE_TRANSFER = 4;
const DATABASE = 11;
const MINING = 99;
const MALWARE = 100;
const DANGEROUS = 5;
const ONE_WAY = ['MDNS', 'Syslog', 'DHCP', 'DHCPV6', 'RTP', 'NetFlow', 'sFlow'];

/** What a flow looks like to the conditions at one visit. */
export interface Look {
  readonly flow: Flow;
  readonly now: number;
  readonly ending: boolean;
  readonly preferences: Preferences;
  readonly category: number;
  readonly blacklisted: boolean;
  /** nDPI names of application and master protocol; none before detection has spoken. */
  readonly protocols: readonly string[];
  readonly risk: (id: number) => boolean;
  readonly breed: number;
  readonly anyRisk: boolean;
  readonly text: (detail: string) => string;
  readonly number: (detail: string) => number;
}

/** Whole seconds. */
export const durationOf = ({ first, last }: Flow): number => Math.floor(last / SECOND) - Math.floor(first / SECOND);

export const isClosed = ({ tcp }: Flow): boolean => tcp.sides.every(({ flags }) => (flags & (SYN | ACK | FIN)) === (SYN | ACK | FIN));
export const isReset = (flow: Flow): boolean => !isClosed(flow) && flow.tcp.sides.some(({ flags }) => (flags & RST) !== 0);

/** Lifecycle 12.4. */
export function isLowGoodput(flow: Flow): boolean {
  const [client, server] = flow.sides;
  const share = Math.floor(((client.goodput + server.goodput) * 100) / (client.bytes + server.bytes + 1));
  return flow.l4 !== 17 && durationOf(flow) >= 60 && share < 40;
}

function issues(flow: Flow, side: 0 | 1): 'none' | 'moderate' | 'severe' {
  const { retransmitted, outOfOrder, lost } = flow.tcp.sides[side];
  const count = retransmitted + outOfOrder + lost;
  const packets = flow.sides[side].packets;
  if (count <= 5 || count <= Math.floor(packets / 10)) return 'none';
  return count > Math.floor(packets / 3) ? 'severe' : 'moderate';
}

/** Bytes that the only local end has sent, and received; 0 where the flow has not one local end, or is for data transfer. */
function crossing({ flow, category }: Look): { sent: number; received: number } {
  const local = flow.ends.map(({ network }) => network >= 0);
  if (local[0] === local[1] || category === FILE_TRANSFER) return { sent: 0, received: 0 };
  const [client, server] = flow.sides.map(({ bytes }) => bytes);
  return local[0] ? { sent: client, received: server } : { sent: server, received: client };
}

function covers(pattern: string, name: string): boolean {
  return pattern === name || (pattern.startsWith('*.') && name.split('.').slice(1).join('.') === pattern.slice(2) && !name.startsWith('.'));
}

function certificateMismatch({ text }: Look): boolean {
  const asked = text('host_server_name').toLowerCase();
  const names = text('tls.server_names').toLowerCase().split(',').filter(Boolean);
  const common = /(?:^|, ?)CN=([^,]+)/.exec(text('tls.subject'))?.[1]?.toLowerCase();
  const isCut = asked.length >= 79; // nDPI keeps so much of a name
  if (isCut || asked === '' || (names.length === 0 && common === undefined) || names.some((name) => covers(name.trim(), asked)))
    return false;
  if (common === undefined) return true;
  return common.startsWith('*') ? !asked.includes(common.slice(1)) : common !== asked;
}

const expired = ({ flow, number }: Look): boolean => {
  const to = number('tls.not_after');
  return to > 0 && (flow.first / SECOND > to || flow.first / SECOND < number('tls.not_before'));
};

const list = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
/** The server is the end on a port of the service; a group or broadcast address serves nobody. */
function unexpected({ flow, protocols }: Look, protocol: string, servers: string): boolean {
  const [client, server] = flow.ends.map(({ port }) => [25, 53, 67, 123, 465, 587].includes(port));
  const serving = flow.ends[client && !server ? 0 : 1];
  return protocols.includes(protocol) && serving.unicast && list(servers).length > 0 && !list(servers).includes(serving.ip);
}

const isTcp = ({ flow }: Look): boolean => flow.l4 === 6;
const isTls = ({ protocols }: Look): boolean => protocols.includes('TLS');
const isDns = ({ protocols }: Look): boolean => protocols.includes('DNS');
const isHalfOpen = (look: Look): boolean => isTcp(look) && (look.flow.tcp.closing || !look.flow.tcp.complete);
const isOver = (look: Look): boolean => isTcp(look) && look.flow.tcp.over;
const silence = ({ flow, now }: Look): number => now - flow.last;

const CONDITIONS: Readonly<Record<number, (look: Look) => boolean>> = {
  3: (look) => isOver(look) && look.ending && isLowGoodput(look.flow),
  4: (look) => isOver(look) && !look.ending && !isReset(look.flow) && isLowGoodput(look.flow),
  5: (look) => isTcp(look) && !look.flow.tcp.over && look.ending,
  6: (look) => isTcp(look) && (issues(look.flow, 0) === 'moderate' || issues(look.flow, 1) === 'moderate'),
  7: (look) => isTcp(look) && look.flow.sides[1].packets === 0 && silence(look) > 120 * SECOND,
  9: (look) => isOver(look) && !look.ending && isReset(look.flow) && isLowGoodput(look.flow),
  10: (look) => isOver(look) && isTls(look) && certificateMismatch(look),
  11: (look) => isDns(look) && (look.flow.invalidQuery || /[^\x20-\x7e]/.test(look.text('host_server_name'))),
  12: ({ flow }) => flow.ends.every(({ network, unicast }) => network < 0 && unicast),
  13: (look) => look.blacklisted || look.category === MALWARE,
  15: (look) => look.category === MINING,
  17: (look) => crossing(look).sent > look.preferences.elephant_flow_local_to_remote_bytes,
  18: (look) => crossing(look).received > look.preferences.elephant_flow_remote_to_local_bytes,
  19: ({ flow, preferences, category }) =>
    durationOf(flow) > preferences.longlived_flow_duration && category !== DATABASE && flow.ends[1].unicast,
  20: (look) => !look.ending && silence(look) > 10 * (isHalfOpen(look) ? 15 : look.preferences.flow_max_idle) * SECOND,
  22: (look) => isTcp(look) && (issues(look.flow, 0) === 'severe' || issues(look.flow, 1) === 'severe'),
  23: (look) => isTls(look) && look.number('tls.unsafe_cipher') > 0,
  24: ({ flow }) => flow.longEcho,
  25: (look) => isTls(look) && look.number('tls.version') > 0 && look.number('tls.version') < 0x0303,
  26: ({ breed }) => breed === DANGEROUS,
  28: (look) => isTls(look) && (look.risk(9) || expired(look)),
  29: (look) => isTls(look) && look.risk(6),
  30: ({ flow, protocols }) =>
    flow.detected &&
    flow.l4 === 17 &&
    flow.sides[0].packets > 0 &&
    flow.sides[1].packets === 0 &&
    flow.ends.every(({ unicast }) => unicast) &&
    !ONE_WAY.includes(protocols[0] ?? ''),
  31: ({ risk }) => risk(5),
  32: ({ risk }) => risk(4),
  33: ({ anyRisk }) => anyRisk,
  34: (look) => unexpected(look, 'DHCP', look.preferences.dhcp_servers),
  35: (look) => unexpected(look, 'DNS', look.preferences.dns_servers),
  36: (look) => unexpected(look, 'NTP', look.preferences.ntp_servers),
  37: (look) => unexpected(look, 'SMTP', look.preferences.smtp_servers),
  38: (look) => isDns(look) && look.flow.dataQuery,
};

/** Statuses that only an intrusion detection system, a list of fingerprints or a policy of devices can set: not modelled. */
const NOT_MODELLED = [16, 21, 27];

/** A status of the product that is missing here is a mistake in the model. */
export const missingStatuses = (): number[] =>
  STATUSES.filter(({ id, condition }) => condition !== undefined && !(id in CONDITIONS) && !NOT_MODELLED.includes(id)).map(({ id }) => id);

/** Ids of all statuses that hold. */
export const statusesOf = (look: Look): number[] =>
  Object.keys(CONDITIONS)
    .map(Number)
    .filter((id) => CONDITIONS[id](look));

export const predominantOf = (ids: readonly number[]): number => PRIORITY.find((id) => ids.includes(id)) ?? 0;

export function alertsFor(status: number, preferences: Preferences): boolean {
  const alert = statusById.get(status)?.alert ?? false;
  return !preferences.disable_alerts_generation && (typeof alert === 'boolean' ? alert : preferences[alert] === true);
}
