/**
 * What the fields of an event have to be, from the model's flow. Every key of FIELDS is either here, or named in {@link NOT_MODELLED}
 * with the reason: a new field has to be decided.
 */
import { FIELDS } from '../../src/flows/fields.ts';
import { ACK, FIN, SYN } from '../support/packets.ts';
import type { Flow, Visit } from './flow.ts';
import { durationOf, isClosed, isLowGoodput, isReset, predominantOf } from './statuses.ts';

type Value = number | boolean | string | undefined | Readonly<Record<string, unknown>>;

/** Keys that are functions of what is compared anyway: the detail block, the addresses, the book of hosts. */
const NOT_MODELLED = [
  /^(cli|srv)\.(key|host|source_id|systemhost|allowed_host|pool_id|pool|network|private|latitude|longitude|country|city|vendor)$/,
  /^(cli|srv)\.(asn|as_name|os|devtype)$/,
  /^(src|dst)_as$/,
  /^(flow\.id|ntopng\.key|status_info|score|moreinfo\.json|info|host_server_name|bittorrent_hash)$/,
  /^(protos|flow_risk)\b/,
  /^proto\.(l4|ndpi|ndpi_breed|ndpi_cat|ndpi_app|ndpi_confidence|ndpi_entropy|ndpi_info)$/,
];

const SECOND = 1e6;
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Population standard deviation: from integers, so that no rounding is in it but the last. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  return Math.sqrt(values.length * total(values.map((value) => value * value)) - total(values) ** 2) / values.length;
}

const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : total(values) / values.length);
const least = (values: readonly number[]): number => (values.length === 0 ? 0 : Math.min(...values));
const most = (values: readonly number[]): number => Math.max(0, ...values);

/** Half of the time between two steps of the handshake, ms; 0 = not measured or over 5 s. */
function leg(from: number, to: number): number {
  const half = (to - from) / 2 / 1000;
  return from === 0 || to === 0 || half < 0 || half > 5000 ? 0 : half;
}

/** What a "port unreachable" says of the datagram that it answers. */
function quotedOf({ quoted }: Flow): Record<string, unknown> {
  if (quoted === undefined) return {};
  const bytes = Buffer.from(quoted, 'latin1');
  const [source, target] = [bytes.subarray(0, 4).join('.'), bytes.subarray(4, 8).join('.')];
  const ports = { src_port: bytes.readUInt16BE(8), dst_port: bytes.readUInt16BE(10) };
  return { unreach: { src_ip: source, dst_ip: target, ...ports, protocol: bytes[12] } };
}

function ofTcp(flow: Flow): Record<string, Value> {
  const { tcp } = flow;
  const [client, server] = tcp.sides;
  const clientLeg = leg(tcp.synAckTime, tcp.ackTime);
  const serverLeg = leg(tcp.synTime, tcp.synAckTime);
  const bound = (window: number): number => (clientLeg > 0 && serverLeg > 0 ? (window * 8 * 1000) / (2 * (clientLeg + serverLeg)) : 0);
  const all = (wanted: number): boolean => tcp.sides.every(({ flags }) => (flags & wanted) === wanted);
  const count = (prefix: string, side: typeof client): Record<string, Value> => ({
    [`${prefix}.retransmissions`]: side.retransmitted,
    [`${prefix}.out_of_order`]: side.outOfOrder,
    [`${prefix}.lost`]: side.lost,
    [`${prefix}.keep_alive`]: side.keepAlives,
    [`${prefix}.tcp_flags`]: side.flags,
  });
  const established = !isClosed(flow) && !isReset(flow) && all(SYN | ACK);
  return {
    'tcp.seq_problems': tcp.sides.some((side) => side.retransmitted + side.outOfOrder + side.lost + side.keepAlives > 0),
    'tcp.nw_latency.client': clientLeg,
    'tcp.nw_latency.server': serverLeg,
    'tcp.appl_latency': Math.max(0, tcp.latency) / 1000,
    'tcp.max_thpt.cli2srv': bound(server.window),
    'tcp.max_thpt.srv2cli': bound(client.window),
    ...count('cli2srv', client),
    ...count('srv2cli', server),
    tcp_established: established,
    tcp_connecting: (client.flags & 0x3f) === SYN && [0, SYN | ACK].includes(server.flags & 0x3f),
    tcp_closed: all(SYN | ACK | FIN),
    tcp_reset: isReset(flow),
  };
}

export function fieldsOf(flow: Flow, visit: Visit): Record<string, Value> {
  const { sides, previous, rates, found } = flow;
  const [client, server] = sides;
  const of = (key: 'bytes' | 'packets' | 'goodput'): number => client[key] + server[key];
  const values: Record<string, Value> = {
    hash_entry_id: flow.number,
    vlan: flow.vlan,
    'seen.first': Math.floor(flow.first / SECOND),
    'seen.last': Math.floor(flow.last / SECOND),
    duration: durationOf(flow),
    'flow.idle': visit.end !== '',
    'flow.status': predominantOf(flow.statuses),
    status_map: total(flow.statuses.map((id) => 2 ** id)),
    'flow.alerted': visit.wasAlerted || undefined,
    alerted_status: visit.wasAlerted ? flow.alerted : undefined,
    'flow.end_reason': visit.end || undefined,
    'proto.l4_id': flow.l4,
    'proto.ndpi_id': found?.application ?? 0,
    'proto.master_ndpi_id': found?.master ?? 0,
    'proto.ndpi_cat_id': visit.category,
    bytes: of('bytes'),
    'bytes.last': of('bytes') - total(previous.bytes),
    packets: of('packets'),
    'packets.last': of('packets') - total(previous.packets),
    goodput_bytes: of('goodput'),
    'goodput_bytes.last': of('goodput') - previous.goodput,
    'flow_goodput.low': isLowGoodput(flow),
    throughput_bps: rates.bpsBoth,
    throughput_pps: rates.ppsBoth,
    top_throughput_bps: flow.top.bps,
    top_throughput_pps: flow.top.pps,
    throughput_trend_bps: flow.trend.bps,
    throughput_trend_pps: flow.trend.pps,
    tos: { client: { DSCP: client.tos >> 2, ECN: client.tos & 3 }, server: { DSCP: server.tos >> 2, ECN: server.tos & 3 } },
    icmp: flow.l4 === 1 || flow.l4 === 58 ? { ...flow.icmp, ...quotedOf(flow) } : undefined,
  };
  for (const [i, prefix] of ['cli', 'srv'].entries()) {
    const end = flow.ends[i];
    values[`${prefix}.ip`] = end.ip;
    values[`${prefix}.port`] = end.port;
    values[`${prefix}.mac`] = end.mac;
    values[`${prefix}.vlan`] = flow.vlan || undefined;
    values[`${prefix}.network_id`] = end.network;
    values[`${prefix}.localhost`] = end.network >= 0;
    values[`${prefix}.broadmulticast`] = /^(22[4-9]|23\d)\.|^255\.255\.255\.255$|^ff[0-9a-f]{2}:/.test(end.ip);
    values[`${prefix}.blacklisted`] = visit.blacklisted[i];
  }
  for (const [i, prefix] of ['cli2srv', 'srv2cli'].entries()) {
    const side = sides[i];
    const gaps = side.gaps;
    values[`${prefix}.bytes`] = side.bytes;
    values[`${prefix}.goodput_bytes`] = side.goodput;
    values[`${prefix}.packets`] = side.packets;
    values[`${prefix}.last`] = side.bytes - previous.bytes[i];
    values[`${prefix}.pkt_len.min`] = least(side.lengths);
    values[`${prefix}.pkt_len.max`] = most(side.lengths);
    values[`${prefix}.pkt_len.avg`] = Math.trunc(mean(side.lengths));
    values[`${prefix}.pkt_len.stddev`] = Math.trunc(deviation(side.lengths));
    values[`${prefix}.fragments`] = side.fragments;
    values[`interarrival.${prefix}`] = { min: least(gaps), max: most(gaps), avg: mean(gaps), stddev: deviation(gaps) };
    values[`throughput_${prefix}_bps`] = rates.bps[i];
    values[`throughput_${prefix}_pps`] = rates.pps[i];
  }
  return flow.l4 === 6 ? { ...values, ...ofTcp(flow) } : values;
}

/** Keys of {@link FIELDS} that the model must know. */
export const MODELLED: readonly string[] = FIELDS.map(({ key }) => key).filter((key) => !NOT_MODELLED.some((pattern) => pattern.test(key)));
