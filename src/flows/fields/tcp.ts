/** What TCP's own headers say: problems, latencies, state. All absent for other protocols. */
import {
  D_TCP_FLAGS,
  D_WINDOW,
  P_KEEP_ALIVE,
  P_LOST,
  P_OUT_OF_ORDER,
  P_RETRANSMITTED,
  R_ACK,
  R_ANSWER,
  R_DIR,
  R_DIR_BYTES,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_SYN,
  R_SYN_ACK,
} from '../record.ts';
import type { EventView } from '../view.ts';
import { bool, type Declared, each, float, group, int, single } from './field.ts';

const TCP = 6;
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** Without the ECN bits, which say nothing about the state (RFC 3168). */
const CLASSIC_FLAGS = 0x3f;
/** ntopng takes no latency over 5 s for one. */
const MOST_LATENCY_US = 5_000_000;

const DIRECTIONS = [
  ['cli2srv', '→', 0],
  ['srv2cli', '←', 1],
] as const;

const problem = (view: EventView, direction: number, which: number): number => view.u32(R_PROBLEMS + direction * R_PROBLEMS_BYTES + which);

const hasProblems = (view: EventView): boolean => {
  for (let at = R_PROBLEMS; at < R_PROBLEMS + 2 * R_PROBLEMS_BYTES; at += 4) if (view.u32(at) !== 0) return true;
  return false;
};

/** Half of the time between two steps of the handshake, µs; 0 if one was not seen or it took too long. Samples have no times of their own. */
const leg = (view: EventView, from: number, to: number): number => {
  const begin = view.names.sampled ? 0 : view.u32(from);
  const half = (view.u32(to) - begin) / 2;
  return begin === 0 || half <= 0 || half > MOST_LATENCY_US ? 0 : half;
};
const serverLeg = (view: EventView): number => leg(view, R_SYN, R_SYN_ACK);
const clientLeg = (view: EventView): number => leg(view, R_SYN_ACK, R_ACK);

/** Bits per second that the window of the receiving end allows: window × 8 / round-trip time; 0 without that time. */
const windowBound = (view: EventView, receiver: 0 | 1): number => {
  const server = serverLeg(view);
  const client = clientLeg(view);
  if (server === 0 || client === 0) return 0;
  const seconds = (2 * (server + client)) / 1e6;
  return single(Math.fround((view.u32(R_DIR + receiver * R_DIR_BYTES + D_WINDOW) * 8) / seconds));
};

const flags = (view: EventView, direction: number): number => view.u16(R_DIR + direction * R_DIR_BYTES + D_TCP_FLAGS) & 0xff;

const bothHave = (view: EventView, wanted: number): boolean => (flags(view, 0) & flags(view, 1) & wanted) === wanted;
const isClosed = (view: EventView): boolean => bothHave(view, SYN | ACK | FIN);
const isReset = (view: EventView): boolean => !isClosed(view) && ((flags(view, 0) | flags(view, 1)) & RST) !== 0;
const isEstablished = (view: EventView): boolean => !isClosed(view) && !isReset(view) && bothHave(view, SYN | ACK);
const isConnecting = (view: EventView): boolean => {
  const server = flags(view, 1) & CLASSIC_FLAGS;
  return (flags(view, 0) & CLASSIC_FLAGS) === SYN && (server === 0 || server === (SYN | ACK));
};

const milliseconds = (us: number): number => single(Math.fround(us / 1000));

const declared: Declared[] = [
  bool('tcp.seq_problems', 'some segment was retransmitted, out of order, lost or a keep-alive', hasProblems),
  float('tcp.nw_latency.client', 'half of the time from SYN+ACK to ACK, 0 if not measured', (view) => milliseconds(clientLeg(view)), {
    unit: 'ms',
    column: { title: 'Client RTT/2', width: 8 },
  }),
  float('tcp.nw_latency.server', 'half of the time from SYN to SYN+ACK, 0 if not measured', (view) => milliseconds(serverLeg(view)), {
    unit: 'ms',
    column: { title: 'Server RTT/2', width: 8 },
  }),
  float(
    'tcp.appl_latency',
    "from the client's latest payload to the server's first, 0 if not measured",
    (view) => (view.names.sampled ? 0 : milliseconds(Math.max(0, view.u32(R_ANSWER) - 1))),
    { unit: 'ms', column: { title: 'Answer time', width: 8 } },
  ),
  float(
    'tcp.max_thpt.cli2srv',
    "bound that the server's window (unscaled) sets, 0 without round-trip time",
    (view) => windowBound(view, 1),
    {
      unit: 'bits/s',
    },
  ),
  float(
    'tcp.max_thpt.srv2cli',
    "bound that the client's window (unscaled) sets, 0 without round-trip time",
    (view) => windowBound(view, 0),
    {
      unit: 'bits/s',
    },
  ),
  ...DIRECTIONS.flatMap(([prefix, arrow, d]) => [
    int(`${prefix}.retransmissions`, 'retransmitted segments', (view) => problem(view, d, P_RETRANSMITTED), {
      unit: 'packets',
      column: { title: `Resent ${arrow}`, width: 6 },
    }),
    int(`${prefix}.out_of_order`, 'segments out of order', (view) => problem(view, d, P_OUT_OF_ORDER), { unit: 'packets' }),
    int(`${prefix}.lost`, 'gaps: segments that follow missing ones', (view) => problem(view, d, P_LOST), {
      unit: 'packets',
      column: { title: `Lost ${arrow}`, width: 6 },
    }),
    int(`${prefix}.keep_alive`, 'keep-alives', (view) => problem(view, d, P_KEEP_ALIVE), { unit: 'packets' }),
    int(`${prefix}.tcp_flags`, 'all flags seen: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128', (view) => flags(view, d)),
  ]),
  bool('tcp_established', 'SYN and ACK from both ends, neither closed nor reset', isEstablished),
  bool('tcp_connecting', 'only the handshake was seen', isConnecting),
  bool('tcp_closed', 'SYN, ACK and FIN from both ends', isClosed),
  bool('tcp_reset', 'RST from some end, not closed before', isReset),
];

export const TCP_FIELDS = group(
  'tcp',
  each(
    { getter: 'getTCPInfo', when: 'TCP' },
    declared.map((field) => ({ ...field, read: (view: EventView) => (view.l4() === TCP ? field.read(view) : undefined) })),
  ),
);
