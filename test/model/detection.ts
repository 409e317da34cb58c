/**
 * The model's detection: the real nDPI, shown one packet at a time, without batches.
 *
 * By docs/architecture.md and src/flows/detection.ts: a TCP flow is shown from its first payload on, its handshake is told just before;
 * the last counted packet and the give-up end detection. What nDPI says becomes a plain object.
 */
import { COLLECT_FREE, COLLECT_GIVE_UP, DPI_COMPLETE, DPI_KNOWN, type DpiHandle, native } from '../../src/native.ts';
import { ACK, ipv4, ipv6, SYN, tcp as tcpLayer } from '../support/packets.ts';
import type { Flow } from './flow.ts';
import type { Packet } from './packet.ts';

/** What detection found of a flow. */
export interface Found {
  readonly application: number;
  readonly master: number;
  readonly category: number;
  readonly breed: number;
  readonly confidence: number;
  readonly risks: readonly [low: number, high: number];
  /** Bytes of each detail, one character a byte, by its name. */
  readonly details: ReadonlyMap<string, string>;
}

/** Reads a detail block (src/flows/record.ts). */
export function readBlock(bytes: Uint8Array, names: readonly string[]): Found {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number): number => view.getUint16(at, true);
  const details = new Map<string, string>();
  for (let at = 16; at + 4 <= bytes.length; at += 4 + u16(at + 2)) {
    details.set(names[u16(at)], Buffer.from(bytes.subarray(at + 4, at + 4 + u16(at + 2))).toString('latin1'));
  }
  return {
    ...{ application: u16(0), master: u16(2), category: u16(4), breed: bytes[6], confidence: bytes[7] },
    ...{ risks: [view.getUint32(8, true), view.getUint32(12, true)], details },
  };
}

const QUERY_PORTS = [53, 5353, 5355];

/** The name that a DNS query asks for, as labels (RFC 1035, 4.1); undefined where the packet is none. */
function queriedLabels({ bytes, header, payload }: Packet): string[] | undefined {
  const end = header + 8 + payload;
  const dns = bytes.subarray(header + 8, end);
  if (payload <= 12 || (dns[2] & 0x80) !== 0 || dns[5] === 0) return undefined;
  const labels: string[] = [];
  for (let at = 12; at < dns.length && dns[at] > 0 && dns[at] < 64; at += 1 + dns[at]) {
    labels.push(
      Buffer.from(dns.subarray(at + 1, at + 1 + dns[at]))
        .toString('latin1')
        .padEnd(dns[at], ' '),
    );
  }
  return labels;
}

function lookAtQuery(flow: Flow, packet: Packet): void {
  if (flow.l4 !== 17 || ![packet.from.port, packet.to.port].some((port) => QUERY_PORTS.includes(port))) return;
  const labels = queriedLabels(packet);
  if (labels === undefined) return;
  const name = labels.join('.');
  if (name.length > 96 || /[^\x20-\x7e]/.test(labels.join(''))) flow.invalidQuery = true;
  const left = labels.slice(0, -2).reduce((sum, label) => sum + label.length, 0);
  if (left >= 52) flow.dataQuery = true;
}

export interface Detection {
  /** A packet of a flow whose detection is not over; it is counted already. */
  take(flow: Flow, packet: Packet): void;
  /** The last word, guessed where nothing was found. */
  giveUp(flow: Flow): void;
  /** What is known by now. */
  peek(flow: Flow): void;
}

/** @param limits most packets that are counted @param details names of details by id @param gaveUp is told of flows that were guessed */
export function createDetection(
  dpi: DpiHandle,
  limits: { readonly tcp: number; readonly udp: number },
  details: readonly string[],
  gaveUp: () => void,
): Detection {
  const room = new Uint8Array(80 << 10);
  const out = new Uint8Array(16 << 10);

  const show = (flow: Flow, bytes: Uint8Array, time: number): number => {
    room.fill(0);
    room.set(bytes);
    const request = Int32Array.of(flow.record, 0, bytes.length, 0);
    native.dpiProcess(dpi, room, request, Float64Array.of(time), 1);
    return request[3];
  };

  const collect = (flow: Flow, flags: number): void => {
    const length = native.dpiCollect(dpi, flow.record, flags, out);
    flow.found = readBlock(out.slice(0, length), details);
    if ((flags & COLLECT_FREE) !== 0) flow.detected = flow.dissected = true;
  };

  /** A segment without payload between the flow's ends. */
  const made = (flow: Flow, fromServer: boolean, flags: number, seq: number, ack: number): Uint8Array => {
    const [from, to] = fromServer ? [flow.ends[1], flow.ends[0]] : flow.ends;
    const segment = tcpLayer({ from: from.port, to: to.port, flags, seq, ack, window: 0xff00 });
    return (flow.isIpv6 ? ipv6 : ipv4)({ from: from.ip, to: to.ip }, segment);
  };

  const tellHandshake = (flow: Flow, packet: Packet): void => {
    const { synTime, synAckTime, ackTime, sides } = flow.tcp;
    if (synTime === 0) return;
    const fromServer = flow.fromServer(packet);
    const own = packet.tcp?.seq ?? 0;
    const [client, server] = fromServer ? [sides[0].next, own] : [own, sides[1].next];
    show(flow, made(flow, false, SYN, client - 1, 0), synTime);
    if (synAckTime !== 0) show(flow, made(flow, true, SYN | ACK, server - 1, client), synAckTime);
    if (ackTime !== 0) show(flow, made(flow, false, ACK, client, server), ackTime);
  };

  const giveUp = (flow: Flow): void => {
    if (!flow.shown && flow.l4 === 6) show(flow, made(flow, false, flow.tcp.synTime === 0 ? ACK : SYN, 1, 0), flow.first);
    if (!flow.detected) gaveUp();
    collect(flow, COLLECT_GIVE_UP | COLLECT_FREE);
  };

  return {
    giveUp,
    peek: (flow) => collect(flow, 0),
    take(flow, packet) {
      const limit = flow.l4 === 6 ? limits.tcp : flow.l4 === 17 ? limits.udp : 1;
      const isLast = flow.sides[0].packets + flow.sides[1].packets === limit;
      const isHello = flow.l4 === 6 && packet.payload === 0 && !flow.shown;
      if (!packet.hidden && !isHello) {
        if (!flow.shown && flow.l4 === 6) tellHandshake(flow, packet);
        flow.shown = true;
        if (packet.payload > 0) lookAtQuery(flow, packet);
        const answer = show(flow, packet.bytes, packet.time);
        if (answer === DPI_COMPLETE) collect(flow, COLLECT_FREE);
        else if (answer === DPI_KNOWN && !flow.detected) {
          flow.detected = true;
          flow.knownAt = packet.time;
        }
      }
      if (isLast && !flow.dissected) giveUp(flow);
    },
  };
}
