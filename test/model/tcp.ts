/**
 * The model's TCP: handshake, latencies, closing and sequence problems of one flow, in plain objects, by the rules that stand at the
 * top of src/flows/tcp.ts. Sequence numbers are signed 32-bit numbers; 0 = not known, as there.
 */
import { ACK, FIN, RST, SYN } from '../support/packets.ts';

export interface TcpSide {
  /** All flags seen. */
  flags: number;
  window: number;
  next: number;
  ack: number;
  /** Low 15 bits of the initial number; -1 = not known. */
  initial: number;
  /** When `next` grew, µs. */
  advanced: number;
  duplicates: number;
  keepAlive: boolean;
  /** Time of the last packet before this one, µs; 0 = none. */
  last: number;
  retransmitted: number;
  outOfOrder: number;
  lost: number;
  keepAlives: number;
}

export interface Tcp {
  readonly sides: readonly [TcpSide, TcpSide];
  /** Some end sent exactly SYN, exactly SYN+ACK. */
  syn: boolean;
  synAck: boolean;
  over: boolean;
  complete: boolean;
  closing: boolean;
  /** Times, µs: the client's SYN, the SYN+ACK, the ACK that ends the handshake, the latest request; 0 = not seen. */
  synTime: number;
  synAckTime: number;
  ackTime: number;
  request: number;
  /** From request to answer, µs; -1 = not measured. */
  latency: number;
  /** µs; 0 = not known. */
  roundTrip: number;
}

export interface Segment {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly payload: number;
  readonly time: number;
}

const side = (first: number): TcpSide => ({
  ...{ flags: 0, window: 0, next: 0, ack: 0, initial: -1, advanced: first, duplicates: 0, keepAlive: false, last: 0 },
  ...{ retransmitted: 0, outOfOrder: 0, lost: 0, keepAlives: 0 },
});

export const createTcp = (first: number): Tcp => ({
  sides: [side(first), side(first)],
  ...{ syn: false, synAck: false, over: false, complete: false, closing: false },
  ...{ synTime: 0, synAckTime: 0, ackTime: 0, request: 0, latency: -1, roundTrip: 0 },
});

const CLASSIC = 0x3f;
/** a - b of sequence numbers. */
const distance = (a: number, b: number): number => (a - b) | 0;

function measureRoundTrip(tcp: Tcp, own: TcpSide, other: TcpSide, { seq, time }: Segment): void {
  if (own.next !== 0 && own.next !== seq) return;
  const asked = (own.flags & (SYN | ACK)) === SYN ? own : other;
  const us = time - asked.last;
  if (us > 1) tcp.roundTrip = 2 ** (Math.min(255, Math.round(8 * Math.log2(us))) / 8);
}

/** A SYN with another initial number is a new connection on the same ports. */
function initialNumbers(own: TcpSide, other: TcpSide, first: number, { seq, ack, flags }: Segment): void {
  const opens = (flags & SYN) !== 0;
  if (opens && (flags & ACK) === 0 && own.initial >= 0) {
    if (own.initial !== (seq & 0x7fff)) {
      for (const each of [own, other])
        Object.assign(each, { next: 0, ack: 0, initial: -1, advanced: first, duplicates: 0, keepAlive: false });
    } else if ((own.flags & RST) !== 0) own.next = (seq + 1) | 0;
  }
  if (own.initial < 0) own.initial = (opens ? seq : seq - 1) & 0x7fff;
  if ((flags & ACK) !== 0 && other.initial < 0) other.initial = (ack - 1) & 0x7fff;
}

function sequence(tcp: Tcp, own: TcpSide, other: TcpSide, first: number, segment: Segment): void {
  const { flags, seq, ack, payload, time, window } = segment;
  const plain = (flags & (SYN | FIN | RST)) === 0;
  const end = (seq + payload + ((flags & (SYN | FIN)) !== 0 ? 1 : 0)) | 0;
  if (own.ack === 0 || (flags & SYN) !== 0) initialNumbers(own, other, first, segment);

  const ahead = own.next === 0 ? 0 : distance(seq, own.next);
  const keepAlive = ahead === -1 && payload <= 1 && plain;
  let duplicates = ack === own.ack ? own.duplicates : 0;
  let probe = false;
  if (ahead > 0 && (flags & RST) === 0) own.lost++;
  if (keepAlive) own.keepAlives++;
  else if (seq === own.next && other.next !== 0) {
    probe = payload === 1 && other.window === 0;
    const asksAgain = payload === 0 && ack === own.ack && plain && window !== 0 && window === own.window && !other.keepAlive;
    if (asksAgain) duplicates = Math.min(3, duplicates + 1);
  }

  // one byte before the expected number with more behind it is let pass, as Wireshark does
  if (end !== seq && !keepAlive) {
    if (payload > 0 && other.ack !== 0 && distance(seq + payload, other.ack) <= 0) own.retransmitted++;
    else if (ahead < 0 && !(ahead === -1 && payload > 1)) {
      const fast = seq === other.ack && other.duplicates >= 2 && time - other.last < 20_000;
      const late = !fast && end !== own.next && time - own.advanced < (tcp.roundTrip || 3000);
      if (late) own.outOfOrder++;
      else own.retransmitted++;
    }
  }

  if ((own.next === 0 || distance(end, own.next) > 0) && !probe) {
    own.next = end;
    own.advanced = time;
  }
  Object.assign(own, { ack, window, duplicates, keepAlive });
}

function handshake(tcp: Tcp, flags: number, fromServer: boolean, time: number): void {
  if (flags === SYN) {
    tcp.syn = true;
    if (!fromServer) tcp.synTime ||= time;
  } else if (flags === (SYN | ACK)) {
    tcp.synAck = true;
    tcp.synAckTime ||= time;
  } else {
    tcp.over = true;
    tcp.complete = flags === ACK && tcp.syn && tcp.synAck;
    if (tcp.complete) tcp.ackTime = time;
  }
}

/** Takes in one segment. @param first time of the flow's first packet, µs */
export function takeSegment(tcp: Tcp, fromServer: boolean, first: number, segment: Segment): void {
  const { flags, payload } = segment;
  const time = Math.min(segment.time, first + 2 ** 32 - 2); // a record has 32 bits for it: later is kept as 71 minutes
  const own = tcp.sides[fromServer ? 1 : 0];
  const other = tcp.sides[fromServer ? 0 : 1];
  if (tcp.syn && !tcp.over && (flags & (SYN | ACK)) === ACK) measureRoundTrip(tcp, own, other, segment);
  sequence(tcp, own, other, first, segment);
  own.flags |= flags;
  if (!tcp.over) handshake(tcp, flags & CLASSIC, fromServer, time);
  if ((flags & (FIN | RST)) !== 0) tcp.closing = true;
  if (payload > 0 && tcp.latency < 0) {
    if (!fromServer) tcp.request = segment.time;
    else if (tcp.request !== 0) tcp.latency = (segment.time - tcp.request) % 2 ** 32; // 32 bits for the wait
  }
}
