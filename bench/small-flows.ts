/**
 * Many small flows at once: half of them two DNS questions with their answers (4 packets), half a TCP handshake with one HTTP
 * request (5 or 6 packets). Every packet finds its flow out of the cache, for the packets of a flow lie 0.1 to 3.5 s apart.
 *
 * All lie within 50 s and none is closed: with idle rules of 60 s all flows are in the table at the end, and no silence lasts the
 * 5 s after which detection is given up. Called by make-captures.ts.
 */
import { avalanche } from '../src/packet/hash.ts';
import { createPcapWriter } from './pcap-file.ts';
import { START_US } from './replicate.ts';

const SPAN_US = 50_000_000;
const SHORTEST_GAP_US = 100_000;
const LONGEST_GAP_US = 3_500_000;
const MOST_PACKETS = 6;
/** Flow number × STEPS + packet number is one integer. */
const STEPS = 8;

const HOSTS = 1 << 16;
/** Ports of one host lie so far apart, so that up to 16 flows of a host differ. */
const PORT_STEP = 3947;
const PORTS = 60_000;
export const MOST_FLOWS = HOSTS * 16;

const SYN = 2;
const ACK = 16;
const PSH = 8;

/** A frame without addresses, ports and checksums. */
interface Template {
  readonly bytes: Buffer;
  readonly fromClient: boolean;
  /** Offsets of what differs from flow to flow: eight letters of a name, and the DNS transaction id. */
  readonly name: number;
  readonly id: number;
}

const IP = 14;
const L4 = IP + 20;

function frameOf(protocol: number, fromClient: boolean, header: Buffer, payload: Buffer, name: number, id: number): Template {
  const bytes = Buffer.concat([Buffer.alloc(L4), header, payload]);
  bytes.write(fromClient ? '020000000002020000000001' : '020000000001020000000002', 0, 'hex');
  bytes.writeUInt16BE(0x0800, 12);
  bytes[IP] = 0x45;
  bytes.writeUInt16BE(bytes.length - IP, IP + 2);
  bytes.writeUInt16BE(0x4000, IP + 6);
  bytes[IP + 8] = 64;
  bytes[IP + 9] = protocol;
  const base = L4 + header.length;
  return { bytes, fromClient, name: name < 0 ? 0 : base + name, id: id < 0 ? 0 : base + id };
}

/** RFC 1035: one question, the answer (if any) points to its name. */
function dns(answer: boolean): Template {
  const head = Buffer.from(answer ? '0000818000010001000000000000' : '0000010000010000000000000000', 'hex').subarray(0, 12);
  const question = Buffer.concat([Buffer.from('\x08xxxxxxxx\x07example\x03com\x00', 'latin1'), Buffer.from('00010001', 'hex')]);
  const reply = Buffer.from('c00c000100010000012c0004c6336401', 'hex');
  const payload = Buffer.concat(answer ? [head, question, reply] : [head, question]);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(8 + payload.length, 4);
  return frameOf(17, !answer, udp, payload, 13, 0);
}

/** RFC 9293, no options. */
function tcp(flags: number, fromClient: boolean, payload = '', name = -1): Template {
  const header = Buffer.alloc(20);
  header[12] = 5 << 4;
  header[13] = flags;
  header.writeUInt16BE(64240, 14);
  return frameOf(6, fromClient, header, Buffer.from(payload, 'latin1'), name, -1);
}

const REQUEST = 'GET /index.html HTTP/1.1\r\nHost: xxxxxxxx.example.com\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
const DNS = [dns(false), dns(true), dns(false), dns(true)];
const HTTP = [
  tcp(SYN, true),
  tcp(SYN | ACK, false),
  tcp(ACK, true),
  tcp(PSH | ACK, true, REQUEST, REQUEST.indexOf('xxxxxxxx')),
  tcp(PSH | ACK, false, ANSWER),
  tcp(ACK, true),
];

/** Ones' complement sum of 16-bit words, on top of `sum` (RFC 1071). */
function add(bytes: Buffer, from: number, to: number, sum: number): number {
  let at = from;
  for (; at + 1 < to; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (at < to) sum += (bytes[at] as number) << 8;
  return sum;
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export interface SmallFlowOptions {
  readonly seed: number;
  readonly flows: number;
}

/** @returns packets written */
export function makeSmallFlows(path: string, options: SmallFlowOptions): number {
  const { seed, flows } = options;
  if (flows > MOST_FLOWS) throw new Error(`at most ${MOST_FLOWS} flows`);
  const mix = (flow: number, what: number): number =>
    avalanche(Math.imul(flow + 1, 0x9e3779b1) ^ avalanche(seed ^ Math.imul(what + 1, 0x85ebca77))) >>> 0;
  const isDns = (flow: number): boolean => (mix(flow, 0) & 1) === 0;
  const packetsOf = (flow: number): number => (isDns(flow) ? DNS.length : HTTP.length - ((mix(flow, 0) >>> 1) & 1));

  let total = 0;
  for (let flow = 0; flow < flows; flow++) total += packetsOf(flow);
  const range = flows * STEPS;
  const order = new Float64Array(total);
  const latest = SPAN_US - (MOST_PACKETS - 1) * LONGEST_GAP_US;
  let n = 0;
  for (let flow = 0; flow < flows; flow++) {
    let time = Math.floor((mix(flow, 1) / 2 ** 32) * latest);
    const packets = packetsOf(flow);
    for (let step = 0; step < packets; step++) {
      if (step > 0) time += SHORTEST_GAP_US + Math.floor((mix(flow, 10 + step) / 2 ** 32) * (LONGEST_GAP_US - SHORTEST_GAP_US));
      order[n++] = time * range + flow * STEPS + step;
    }
  }
  order.sort();

  const writer = createPcapWriter(path);
  const out = writer.bytes;
  for (let k = 0; k < total; k++) {
    const time = Math.floor((order[k] as number) / range);
    const index = (order[k] as number) - time * range;
    const flow = Math.floor(index / STEPS);
    const step = index - flow * STEPS;
    const overUdp = isDns(flow);
    const template = (overUdp ? DNS[step] : HTTP[step]) as Template;
    const length = template.bytes.length;
    const at = writer.frame(START_US + time, length, length);
    template.bytes.copy(out, at);

    // one host has a place in 10.0.0.0/8 and up to 16 flows, by port
    const host = flow % HOSTS;
    const client = 0x0a000000 + ((Math.imul(host, 0x6f5) + seed) & 0xffff) * 251 + 1;
    const port = 1024 + (((mix(host, 2) % PORTS) + Math.floor(flow / HOSTS) * PORT_STEP) % PORTS);
    const server = overUdp ? 0xc6336400 + (mix(flow, 3) & 0xff) : 0xc6120000 + (mix(flow, 3) & 0x1fff);
    const serverPort = overUdp ? 53 : 80;
    const [source, sourcePort, destination, destinationPort] = template.fromClient
      ? [client, port, server, serverPort]
      : [server, serverPort, client, port];
    const ip = at + IP;
    const l4 = at + L4;
    out.writeUInt32BE(source, ip + 12);
    out.writeUInt32BE(destination, ip + 16);
    out.writeUInt16BE(sourcePort, l4);
    out.writeUInt16BE(destinationPort, l4 + 2);
    if (template.name !== 0)
      out.write(
        (mix(flow, overUdp ? 4 + (step >> 1) : 4) | 0x10000000).toString(16).slice(-8).padStart(8, 'a'),
        at + template.name,
        'latin1',
      );
    if (template.id !== 0) out.writeUInt16BE(mix(flow, 6 + (step >> 1)) & 0xffff, at + template.id);
    let checksum = l4 + 6;
    if (!overUdp) {
      const answered = step > 4;
      const mine = mix(flow, template.fromClient ? 8 : 9);
      const other = mix(flow, template.fromClient ? 9 : 8);
      const sent = step === 0 || step === 1 ? 0 : template.fromClient ? (answered ? 1 + REQUEST.length : 1) : 1;
      const seen = step === 0 ? -1 : template.fromClient ? (answered ? 1 + ANSWER.length : 1) : step === 1 ? 1 : 1 + REQUEST.length;
      out.writeUInt32BE((mine + sent) >>> 0, l4 + 4);
      if (seen >= 0) out.writeUInt32BE((other + seen) >>> 0, l4 + 8);
      checksum = l4 + 16;
    }
    out.writeUInt16BE(fold(add(out, ip, l4, 0)), ip + 10);
    const pseudo = add(out, ip + 12, l4, (out[ip + 9] as number) + length - L4);
    const sum = fold(add(out, l4, at + length, pseudo));
    out.writeUInt16BE(overUdp && sum === 0 ? 0xffff : sum, checksum); // 0 says "none" in UDP only (RFC 768)
  }
  writer.close();
  return total;
}
