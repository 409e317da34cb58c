/**
 * Whole conversations out of what both ends say: addresses, times and payloads in, timed packets out.
 *
 *   tcpTalk({ at: 0, client: '192.168.1.20', server: '198.51.100.7', to: 80 }, [said('client', request), said('server', answer)])
 *
 * Sequence numbers, handshakes and checksums are right, so that the flow engine and nDPI see what a network card would.
 * Called by example-captures.ts.
 */
import { ACK, type CapturedPacket, ethernet, FIN, ipv4, PSH, RST, SYN, tcp, udp } from '../packets.ts';

/** Monday 2026-01-05 08:00:00 UTC in µs: where the captures begin. */
export const START_US = 1_767_600_000_000_000;

export interface Said {
  readonly by: 'client' | 'server';
  readonly bytes: Uint8Array;
  /** Seconds of silence before it. */
  readonly after: number;
  /** How often the segment is on the wire, 15 ms apart. */
  readonly copies: number;
}

/** @param after seconds since what was said before; half of the round-trip time if left out */
export const said = (by: Said['by'], payload: Uint8Array | string, after = -1, copies = 1): Said => ({
  by,
  bytes: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
  after,
  copies,
});

export interface TalkOf {
  /** Seconds after {@link START_US}. */
  readonly at: number;
  /** IPv4. */
  readonly client: string;
  readonly server: string;
  /** Port of the client; 50000 if left out. */
  readonly from?: number;
  /** Port of the server. */
  readonly to: number;
  /** Round-trip time in s, as seen beside the client; 0.01 if left out. */
  readonly rtt?: number;
  /** What is said goes out as one long frame, as cards with segmentation offload show it, of which so many bytes are in the file. */
  readonly snap?: number;
}

/** `refused`: the server answers with RST; `silent`: it does not answer; `left open`: no FIN. */
export type TcpEnd = 'closed' | 'left open' | 'refused' | 'silent';

/** A locally administered MAC address that goes with the IPv4 address; all remote ones are behind the router. */
const macOf = (ip: string): string => {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  const local = a === 10 || (a === 192 && b === 168);
  const hex = (n: number): string => n.toString(16).padStart(2, '0');
  return local ? `02:00:${[a, b, c, d].map(hex).join(':')}` : '02:00:c0:a8:01:01';
};

const MOST = 1400;

/** A TCP connection with handshake. Long payloads are cut into segments of 1400 bytes, except with `snap`. */
export function tcpTalk(of: TalkOf, what: readonly Said[], end: TcpEnd = 'closed'): CapturedPacket[] {
  const rtt = of.rtt ?? 0.01;
  const from = of.from ?? 50000;
  const packets: CapturedPacket[] = [];
  const next = { client: 1000 + from, server: 900_000 + from };
  let now = of.at;
  let id = 1;
  let unacknowledged = 0;

  function send(by: Said['by'], flags: number, payload: Uint8Array = new Uint8Array(0)): void {
    const [source, target] = by === 'client' ? [of.client, of.server] : [of.server, of.client];
    const [sport, dport] = by === 'client' ? [from, of.to] : [of.to, from];
    const ack = (flags & ACK) === 0 ? 0 : next[by === 'client' ? 'server' : 'client'];
    const segment = tcp({ from: sport, to: dport, seq: next[by], ack, flags, window: 64_240 }, payload);
    const bytes = ethernet({ from: macOf(source), to: macOf(target) }, ipv4({ from: source, to: target, id: id++ }, segment));
    const kept = payload.length > MOST ? (of.snap ?? bytes.length) : bytes.length;
    packets.push({ time: START_US + Math.round(now * 1e6), bytes: bytes.subarray(0, kept), wire: bytes.length });
  }
  const forward = (by: Said['by'], count: number): void => {
    next[by] = (next[by] + count) % 2 ** 32;
  };

  if (end === 'silent') {
    for (const again of [0, 1, 2]) {
      now += again;
      send('client', SYN);
    }
    return packets;
  }
  send('client', SYN);
  forward('client', 1);
  now += rtt;
  if (end === 'refused') {
    send('server', RST | ACK);
    return packets;
  }
  send('server', SYN | ACK);
  forward('server', 1);
  now += 0.0001;
  send('client', ACK);

  for (const { by, bytes, after, copies } of what) {
    now += after < 0 ? rtt / 2 : after;
    const most = of.snap === undefined ? MOST : bytes.length;
    for (let i = 0; i < bytes.length; i += most) {
      const part = bytes.subarray(i, i + most);
      for (let copy = 0; copy < copies; copy++) {
        send(by, ACK | PSH, part);
        now += copy + 1 < copies ? 0.015 : 0.0001;
      }
      forward(by, part.length);
    }
    // the other end acknowledges; of long frames one does for many
    now += 0.0005;
    if (of.snap === undefined || ++unacknowledged % 16 === 0) send(by === 'client' ? 'server' : 'client', ACK);
  }
  if (end === 'closed') {
    now += rtt;
    send('client', FIN | ACK);
    forward('client', 1);
    now += rtt;
    send('server', FIN | ACK);
    forward('server', 1);
    now += 0.0001;
    send('client', ACK);
  }
  return packets;
}

/** Datagrams of both ends. */
export function udpTalk(of: TalkOf, what: readonly Said[]): CapturedPacket[] {
  let now = of.at;
  return what.map(({ by, bytes, after }, i) => {
    now += i === 0 ? 0 : after < 0 ? (of.rtt ?? 0.01) : after;
    const [source, target] = by === 'client' ? [of.client, of.server] : [of.server, of.client];
    const [sport, dport] = by === 'client' ? [of.from ?? 50000, of.to] : [of.to, of.from ?? 50000];
    const datagram = udp({ from: sport, to: dport }, bytes);
    const frame = ethernet({ from: macOf(source), to: macOf(target) }, ipv4({ from: source, to: target, id: i + 1 }, datagram));
    return { time: START_US + Math.round(now * 1e6), bytes: frame };
  });
}

/** Conversations that go on at the same time, as one capture. */
export const together = (...talks: readonly (readonly CapturedPacket[])[]): CapturedPacket[] =>
  talks.flat().sort((a, b) => a.time - b.time);
