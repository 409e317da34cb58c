/** Counters, lengths, times between packets, throughput. */
import {
  D_BYTES,
  D_FRAGMENTS,
  D_GOODPUT,
  D_LEN_SQUARES,
  D_MAX_LEN,
  D_MIN_LEN,
  D_PACKETS,
  I_COUNT,
  I_EXTRA,
  I_MAX,
  I_MIN,
  I_SQUARES,
  I_SUM,
  R_BPS0,
  R_BPS1,
  R_DIR,
  R_DIR_BYTES,
  R_IAT,
  R_IAT_BYTES,
  R_PPS0,
  R_PPS1,
  R_PREV_BYTES0,
  R_PREV_BYTES1,
  R_PREV_GOODPUT,
  R_PREV_PACKETS0,
  R_PREV_PACKETS1,
  R_TOP_BPS,
  R_TOP_PPS,
  R_TREND_BPS,
  R_TREND_PPS,
} from '../record.ts';
import type { EventView } from '../view.ts';
import { absent, bool, counter, type Declared, each, type FieldTable, float, group, int, type Member, single, table } from './field.ts';
import { duration } from './state.ts';

type Direction = 0 | 1;
const DIRECTIONS = [
  ['cli2srv', 'client to server', 0, 'getClient2ServerTraffic', 'getClient2ServerIAT'],
  ['srv2cli', 'server to client', 1, 'getServer2ClientTraffic', 'getServer2ClientIAT'],
] as const;

const line = (direction: Direction): number => R_DIR + direction * R_DIR_BYTES;
const bytes = (view: EventView, direction: Direction): number => counter(view.f64(line(direction) + D_BYTES));
const goodput = (view: EventView, direction: Direction): number => counter(view.f64(line(direction) + D_GOODPUT));
const packets = (view: EventView, direction: Direction): number => view.u32(line(direction) + D_PACKETS);
const totalBytes = (view: EventView): number => bytes(view, 0) + bytes(view, 1);
const totalGoodput = (view: EventView): number => goodput(view, 0) + goodput(view, 1);
const totalPackets = (view: EventView): number => packets(view, 0) + packets(view, 1);

/** Bytes of one direction since the previous visit. */
const bytesLast = (view: EventView, direction: Direction): number =>
  Math.max(0, bytes(view, direction) - counter(view.f64(direction === 0 ? R_PREV_BYTES0 : R_PREV_BYTES1)));

/** Population standard deviation from count, sum and sum of squares; exact in integers as long as they fit. */
function deviation(count: number, sum: number, squares: number): number {
  if (count < 2) return 0;
  const exact = count * squares;
  const value = Number.isSafeInteger(exact) ? Math.sqrt(exact - sum * sum) / count : Math.sqrt(squares / count - (sum / count) ** 2);
  return value > 0 ? value : 0; // rounding may make a negative variance
}

const averageLength = (view: EventView, direction: Direction): number => {
  const count = view.names.packetInterface ? packets(view, direction) : 0;
  return count === 0 ? 0 : Math.trunc(bytes(view, direction) / count);
};

const lengthDeviation = (view: EventView, direction: Direction): number =>
  counter(Math.trunc(deviation(packets(view, direction), bytes(view, direction), view.f64(line(direction) + D_LEN_SQUARES))));

function interarrival(view: EventView, direction: Direction): FieldTable | undefined {
  if (!view.names.packetInterface || view.names.sampled) return undefined;
  const at = R_IAT + direction * R_IAT_BYTES;
  const count = view.u32(at + I_COUNT);
  const sum = counter(view.f64(at + I_SUM));
  return {
    min: view.u32(at + I_MIN),
    max: view.u32(at + I_MAX),
    avg: count === 0 ? 0 : single(Math.fround(sum / count)),
    stddev: single(Math.fround(deviation(count, sum, view.f64(at + I_SQUARES)))),
  };
}

const UDP = 17;
/** ntopng: payload under 40 % in a flow of at least a minute; UDP and flow records never. */
const isLowGoodput = (view: EventView): boolean =>
  view.l4() !== UDP &&
  view.names.packetInterface &&
  duration(view) >= 60 &&
  Math.trunc((totalGoodput(view) * 100) / (totalBytes(view) + 1)) < 40;

/** A rate of the record, or the sum of two, in single precision. */
const rate =
  (at: number, other?: number) =>
  (view: EventView): number =>
    single(other === undefined ? view.f32(at) : Math.fround(view.f32(at) + view.f32(other)));

const milliseconds = (key: string, type: 'int' | 'float', doc: string): Member => ({ key, type, unit: 'ms', doc });
const INTERARRIVAL: readonly Member[] = [
  milliseconds('min', 'int', 'shortest'),
  milliseconds('max', 'int', 'longest'),
  milliseconds('avg', 'float', 'mean'),
  milliseconds('stddev', 'float', 'population standard deviation'),
];

const TOS: readonly Member[] = [
  { key: 'DSCP', type: 'int', doc: 'differentiated services code point (RFC 2474)' },
  { key: 'ECN', type: 'int', doc: 'explicit congestion notification (RFC 3168)' },
];
const tosByte = (tos: number): FieldTable => ({ DSCP: tos >> 2, ECN: tos & 3 });

const direction = ([prefix, words, d, getter]: (typeof DIRECTIONS)[number]): Declared[] =>
  each({ getter, unit: 'bytes' }, [
    int(`${prefix}.bytes`, `bytes on the wire, ${words}`, (view) => bytes(view, d), {
      column: { title: d === 0 ? 'Sent' : 'Received', width: 9 },
    }),
    int(`${prefix}.goodput_bytes`, `payload bytes, ${words}`, (view) => goodput(view, d)),
    int(`${prefix}.packets`, `packets, ${words}`, (view) => packets(view, d), {
      unit: 'packets',
      column: { title: `Packets ${d === 0 ? '→' : '←'}`, width: 9 },
    }),
    int(`${prefix}.last`, `bytes since the previous visit, ${words}`, (view) => bytesLast(view, d)),
    int(`${prefix}.pkt_len.min`, 'shortest frame', (view) => view.u16(line(d) + D_MIN_LEN)),
    int(`${prefix}.pkt_len.max`, 'longest frame, at most 65535', (view) => view.u16(line(d) + D_MAX_LEN)),
    int(`${prefix}.pkt_len.avg`, 'mean length of a frame, cut off', (view) => averageLength(view, d)),
    int(`${prefix}.pkt_len.stddev`, 'population standard deviation of the frame lengths, cut off', (view) => lengthDeviation(view, d)),
    int(`${prefix}.fragments`, 'IP fragments', (view) => view.u32(line(d) + D_FRAGMENTS), { unit: 'packets' }),
  ]);

const bytesPerSecond = { unit: 'bytes/s' };
const packetsPerSecond = { unit: 'packets/s' };
const trendDoc = '0 unknown, 1 up, 2 down, 3 stable';

export const TRAFFIC = group('traffic', [
  ...each({ getter: 'getBytes', unit: 'bytes', level: 'normal' }, [
    int('bytes', 'bytes on the wire, both directions', totalBytes, { column: { title: 'Bytes', width: 9, shown: true } }),
    int('bytes.last', 'bytes since the previous visit', (view) => bytesLast(view, 0) + bytesLast(view, 1)),
    int('goodput_bytes', 'payload bytes of TCP, UDP and SCTP, both directions', totalGoodput),
    int('goodput_bytes.last', 'payload bytes since the previous visit', (view) =>
      Math.max(0, totalGoodput(view) - counter(view.f64(R_PREV_GOODPUT))),
    ),
  ]),
  ...each({ getter: 'getPackets', unit: 'packets' }, [
    int('packets', 'packets, both directions', totalPackets, { column: { title: 'Packets', width: 9, shown: true } }),
    int(
      'packets.last',
      'packets since the previous visit',
      (view) => Math.max(0, packets(view, 0) - view.u32(R_PREV_PACKETS0)) + Math.max(0, packets(view, 1) - view.u32(R_PREV_PACKETS1)),
    ),
  ]),
  ...DIRECTIONS.flatMap(direction),
  ...DIRECTIONS.map(([prefix, words]) =>
    int(
      `${prefix}.goodput_bytes.last`,
      `payload bytes since the previous visit, ${words}; here \`goodput_bytes.last\` has both together`,
      absent,
      {
        unit: 'bytes',
        when: 'it is ntopng of September 2019, which alone had the key',
        never: true,
        level: 'higher',
      },
    ),
  ),
  bool('flow_goodput.low', 'under 40 % payload in a flow of a minute or more, not UDP', isLowGoodput),
  ...DIRECTIONS.map(([prefix, words, d, , getter]) =>
    table(`interarrival.${prefix}`, `time between packets, ${words}`, (view) => interarrival(view, d), {
      unit: 'ms',
      when: 'packets were seen one by one',
      members: INTERARRIVAL,
      getter,
    }),
  ),
  ...each(bytesPerSecond, [
    float('throughput_bps', 'since the previous visit, both directions', rate(R_BPS0, R_BPS1), {
      column: { title: 'Throughput', width: 10, shown: true },
    }),
    float('throughput_cli2srv_bps', 'since the previous visit, client to server', rate(R_BPS0)),
    float('throughput_srv2cli_bps', 'since the previous visit, server to client', rate(R_BPS1)),
  ]),
  ...each(packetsPerSecond, [
    float('throughput_pps', 'since the previous visit, both directions', rate(R_PPS0, R_PPS1), {
      column: { title: 'Packet rate', width: 10 },
    }),
    float('throughput_cli2srv_pps', 'since the previous visit, client to server', rate(R_PPS0)),
    float('throughput_srv2cli_pps', 'since the previous visit, server to client', rate(R_PPS1)),
  ]),
  float('top_throughput_bps', 'highest `throughput_bps` so far', rate(R_TOP_BPS), {
    ...bytesPerSecond,
    column: { title: 'Peak', width: 10 },
  }),
  float('top_throughput_pps', 'highest `throughput_pps` so far', rate(R_TOP_PPS), packetsPerSecond),
  int('throughput_trend_bps', trendDoc, (view) => view.u8(R_TREND_BPS)),
  int('throughput_trend_pps', trendDoc, (view) => view.u8(R_TREND_PPS)),
  table(
    'tos',
    'type of service of the first packet of each end',
    (view) => ({ client: tosByte(view.u8(R_IAT + I_EXTRA)), server: tosByte(view.u8(R_IAT + I_EXTRA + 1)) }),
    {
      since: '4.2',
      members: [
        { key: 'client', type: 'table', doc: "of the client's packet", members: TOS },
        { key: 'server', type: 'table', doc: "of the server's packet", members: TOS },
      ],
    },
  ),
]);
