/**
 * One conversation, given in every way in which an interface can bring it: frames, messages of a probe on ZMQ as JSON and as TLV, NetFlow
 * v5 and v9, IPFIX with both directions in one record.
 */

import { type FieldOf, ipfix, set, template, u8, u16, u32, u64, v9 } from '../../records/netflow/support.ts';
import { header, json, type TlvRecord, tlv } from '../../records/zmq/encode.ts';
import { ACK, address, ethernet, FIN, icmp, ipv4, ipv6, mac, PSH, SYN, tcp, udp, vlan } from '../packets.ts';
import { START_S } from './play.ts';

export interface Turn {
  /** Seconds after the start of the conversation, in whole ms. */
  readonly at: number;
  readonly fromClient: boolean;
  readonly flags?: number;
  readonly payload?: string | Uint8Array;
}

export interface Conversation {
  readonly name: string;
  readonly client: string;
  readonly server: string;
  readonly clientPort: number;
  readonly serverPort: number;
  /** 1, 6, 17, 58. */
  readonly protocol: number;
  readonly vlan?: number;
  readonly turns: readonly Turn[];
  /** nDPI's id and name of the protocol. */
  readonly application: number;
  readonly ndpi: string;
}

export const CLIENT_MAC = '02:00:00:00:00:0a';
export const SERVER_MAC = '02:00:00:00:00:0b';

export interface TimedFrame {
  /** Seconds after the start. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export function frames(of: Conversation, start: number): TimedFrame[] {
  const next = [1000, 5000]; // sequence numbers of client and server
  return of.turns.map(({ at, fromClient, flags = ACK, payload = '' }) => {
    const [from, to] = fromClient ? [of.client, of.server] : [of.server, of.client];
    const [fromPort, toPort] = fromClient ? [of.clientPort, of.serverPort] : [of.serverPort, of.clientPort];
    const own = fromClient ? 0 : 1;
    const length = typeof payload === 'string' ? payload.length : payload.length;
    const transport =
      of.protocol === 6
        ? tcp({ from: fromPort, to: toPort, flags, seq: next[own], ack: (flags & ACK) === 0 ? 0 : next[1 - own] }, payload)
        : of.protocol === 17
          ? udp({ from: fromPort, to: toPort }, payload)
          : icmp({ v6: of.protocol === 58, type: of.protocol === 58 ? (fromClient ? 128 : 129) : fromClient ? 8 : 0 }, payload);
    next[own] += length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
    const network = from.includes(':') ? ipv6({ from, to }, transport) : ipv4({ from, to }, transport);
    const [fromMac, toMac] = fromClient ? [CLIENT_MAC, SERVER_MAC] : [SERVER_MAC, CLIENT_MAC];
    const bytes = ethernet({ from: fromMac, to: toMac }, of.vlan === undefined ? network : vlan({ id: of.vlan }, network));
    return { at: start + at, bytes };
  });
}

/** What an exporter has counted of a direction. */
interface Counted {
  readonly packets: number;
  readonly bytes: number;
  readonly flags: number;
}

export interface Totals {
  readonly client: Counted;
  readonly server: Counted;
  /** Seconds after the start. */
  readonly first: number;
  readonly last: number;
}

export function totals(of: Conversation, start: number): Totals {
  const sent = frames(of, start);
  const count = (fromClient: boolean): Counted => {
    const own = of.turns.flatMap((turn, i) => (turn.fromClient === fromClient ? [i] : []));
    return {
      packets: own.length,
      bytes: own.reduce((sum, i) => sum + (sent[i]?.bytes.length ?? 0), 0),
      flags: of.protocol === 6 ? own.reduce((sum, i) => sum | (of.turns[i]?.flags ?? ACK), 0) : 0,
    };
  };
  const times = sent.map(({ at }) => at);
  return { client: count(true), server: count(false), first: Math.min(...times), last: Math.max(...times) };
}

/** Members of a record of nProbe, by the numbers of their elements. */
function elements(of: Conversation, start: number): [number, string | number][] {
  const { client, server, first, last } = totals(of, start);
  const six = of.client.includes(':');
  return [
    [six ? 27 : 8, of.client],
    [six ? 28 : 12, of.server],
    [7, of.clientPort],
    [11, of.serverPort],
    [4, of.protocol],
    [1, client.bytes],
    [2, client.packets],
    [23, server.bytes],
    [24, server.packets],
    [22, Math.floor(START_S + first)],
    [21, Math.floor(START_S + last)],
    [56, CLIENT_MAC],
    [57, SERVER_MAC],
    [57550, client.flags],
    [57551, server.flags],
    [57590, of.application],
    ...(of.vlan === undefined ? [] : ([[58, of.vlan]] as [number, number][])),
    ...(of.protocol === 1 || of.protocol === 58 ? ([[32, of.protocol === 1 ? 0 : 129 << 8]] as [number, number][]) : []),
  ];
}

/** Header and payload of a ZMQ message. */
export type ZmqMessage = readonly [header: Uint8Array, payload: Uint8Array];

export const zmqJson = (all: readonly Conversation[], start: number, id: number): ZmqMessage => [
  header(28, { id, source: 7 }),
  json(all.map((of) => Object.fromEntries(elements(of, start)))),
];

export const zmqTlv = (all: readonly Conversation[], start: number, id: number): ZmqMessage => [
  header(36, { id, source: 7, flags: 2 }),
  tlv(all.map((of): TlvRecord => elements(of, start))),
];

/** Of the exporter, when it sends: ms since it was switched on. */
const UPTIME = 3_600_000;
const uptimeOf = (at: number, sent: number): number => UPTIME - Math.round((sent - at) * 1000);

/** What one direction of a conversation has in NetFlow. */
interface OneWay {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly fromMac: string;
  readonly toMac: string;
  readonly counted: Counted;
}

function directions(of: Conversation, start: number): OneWay[] {
  const { client, server } = totals(of, start);
  const icmpPort = (isClient: boolean): number => (of.protocol === 1 ? (isClient ? 8 : 0) : isClient ? 128 : 129) << 8;
  const isIcmp = of.protocol === 1 || of.protocol === 58;
  const there: OneWay = {
    from: of.client,
    to: of.server,
    fromPort: of.clientPort,
    toPort: isIcmp ? icmpPort(true) : of.serverPort,
    fromMac: CLIENT_MAC,
    toMac: SERVER_MAC,
    counted: client,
  };
  const back: OneWay = {
    from: of.server,
    to: of.client,
    fromPort: of.serverPort,
    toPort: isIcmp ? icmpPort(false) : of.clientPort,
    fromMac: SERVER_MAC,
    toMac: CLIENT_MAC,
    counted: server,
  };
  return [there, back].filter(({ counted }) => counted.packets > 0);
}

const bytesOf = (text: string): Buffer =>
  Buffer.from(text.includes(':') && text.split(':').length === 6 && !text.includes('::') ? mac(text) : address(text));

/** @param turned the server's direction comes first. @param sent seconds after the start */
export function netflow9(all: readonly Conversation[], start: number, sent: number, sequence: number, turned = false): Buffer {
  const family = (six: boolean): Buffer[] => {
    const id = six ? 601 : 600;
    const length = six ? 16 : 4;
    const fields: FieldOf[] = [
      [six ? 27 : 8, length],
      [six ? 28 : 12, length],
      [7, 2],
      [11, 2],
      [4, 1],
      [6, 1],
      [1, 4],
      [2, 4],
      [22, 4],
      [21, 4],
    ];
    fields.push([56, 6], [80, 6], [58, 2]);
    const data = all
      .filter((of) => of.client.includes(':') === six)
      .flatMap((of) => {
        const { first, last } = totals(of, start);
        const both = directions(of, start);
        return (turned ? both.toReversed() : both).map(({ from, to, fromPort, toPort, fromMac, toMac, counted }) =>
          Buffer.concat([
            ...[bytesOf(from), bytesOf(to), u16(fromPort), u16(toPort), u8(of.protocol), u8(counted.flags), u32(counted.bytes)],
            ...[u32(counted.packets), u32(uptimeOf(first, sent)), u32(uptimeOf(last, sent)), bytesOf(fromMac), bytesOf(toMac)],
            u16(of.vlan ?? 0),
          ]),
        );
      });
    return data.length === 0 ? [] : [set(0, template(id, fields)), set(id, Buffer.concat(data))];
  };
  return v9([...family(false), ...family(true)], { seconds: START_S + sent, uptime: UPTIME, sequence });
}

export function netflow5(all: readonly Conversation[], start: number, sent: number, sequence: number, turned = false): Buffer {
  const records = all.flatMap((of) => {
    const { first, last } = totals(of, start);
    const both = directions(of, start);
    return (turned ? both.toReversed() : both).map(({ from, to, fromPort, toPort, counted }) =>
      Buffer.concat([
        ...[bytesOf(from), bytesOf(to), u32(0), u16(3), u16(5), u32(counted.packets), u32(counted.bytes)],
        ...[
          u32(uptimeOf(first, sent)),
          u32(uptimeOf(last, sent)),
          u16(fromPort),
          u16(toPort),
          u8(0),
          u8(counted.flags),
          u8(of.protocol),
          u8(0),
        ],
        ...[u16(0), u16(0), u8(0), u8(0), u16(0)],
      ]),
    );
  });
  return Buffer.concat([u16(5), u16(records.length), u32(UPTIME), u32(START_S + sent), u32(0), u32(sequence), u16(0), u16(0), ...records]);
}

/** RFC 5103: one record for both directions, whose source began. */
export function ipfixBiflow(all: readonly Conversation[], start: number, sent: number, sequence: number): Buffer {
  const REVERSE = 29305;
  const family = (six: boolean): Buffer[] => {
    const id = six ? 701 : 700;
    const length = six ? 16 : 4;
    const fields: FieldOf[] = [
      [six ? 27 : 8, length],
      [six ? 28 : 12, length],
      [7, 2],
      [11, 2],
      [4, 1],
      [6, 2],
      [6, 2, REVERSE],
      [1, 8],
      [2, 8],
    ];
    fields.push([1, 8, REVERSE], [2, 8, REVERSE], [152, 8], [153, 8], [56, 6], [80, 6], [58, 2], [239, 1]);
    const data = all
      .filter((of) => of.client.includes(':') === six)
      .map((of) => {
        const { client, server, first, last } = totals(of, start);
        const [there] = directions(of, start) as [OneWay];
        const reply = of.protocol === 1 || of.protocol === 58 ? (of.protocol === 1 ? 0 : 129) << 8 : there.toPort;
        const ms = (at: number): Buffer => u64(Math.round((START_S + at) * 1000));
        return Buffer.concat([
          ...[
            bytesOf(there.from),
            bytesOf(there.to),
            u16(there.fromPort),
            u16(reply),
            u8(of.protocol),
            u16(client.flags),
            u16(server.flags),
          ],
          ...[u64(client.bytes), u64(client.packets), u64(server.bytes), u64(server.packets), ms(first), ms(last)],
          ...[bytesOf(CLIENT_MAC), bytesOf(SERVER_MAC), u16(of.vlan ?? 0), u8(1)],
        ]);
      });
    return data.length === 0 ? [] : [set(2, template(id, fields)), set(id, Buffer.concat(data))];
  };
  return ipfix([...family(false), ...family(true)], { seconds: START_S + sent, sequence });
}

const DNS_QUERY = Buffer.from('123401000001000000000000076578616d706c65036f72670000010001', 'hex');
const DNS_ANSWER = Buffer.from('123481800001000100000000076578616d706c65036f72670000010001c00c000100010000003c00045db8d822', 'hex');

export const CONVERSATIONS: readonly Conversation[] = [
  {
    name: 'SSH, from SYN to FIN',
    client: '10.0.0.1',
    server: '10.0.0.2',
    clientPort: 50_000,
    serverPort: 22,
    protocol: 6,
    application: 92,
    ndpi: 'SSH',
    turns: [
      { at: 0, fromClient: true, flags: SYN },
      { at: 0.01, fromClient: false, flags: SYN | ACK },
      { at: 0.02, fromClient: true },
      { at: 0.03, fromClient: false, flags: PSH | ACK, payload: 'SSH-2.0-OpenSSH_9.2p1\r\n' },
      { at: 0.04, fromClient: true, flags: PSH | ACK, payload: 'SSH-2.0-OpenSSH_9.3\r\n' },
      { at: 2, fromClient: true, flags: FIN | ACK },
      { at: 2.01, fromClient: false, flags: FIN | ACK },
      { at: 2.02, fromClient: true },
    ],
  },
  {
    name: 'DNS in a VLAN',
    client: '10.0.0.3',
    server: '10.0.0.53',
    clientPort: 40_000,
    serverPort: 53,
    protocol: 17,
    vlan: 100,
    application: 5,
    ndpi: 'DNS',
    turns: [
      { at: 0, fromClient: true, payload: DNS_QUERY },
      { at: 0.02, fromClient: false, payload: DNS_ANSWER },
    ],
  },
  {
    name: 'DNS over IPv6',
    client: 'fd00::3',
    server: '2001:db8::53',
    clientPort: 40_001,
    serverPort: 53,
    protocol: 17,
    application: 5,
    ndpi: 'DNS',
    turns: [
      { at: 0, fromClient: true, payload: DNS_QUERY },
      { at: 1.5, fromClient: false, payload: DNS_ANSWER },
    ],
  },
  {
    name: 'ping',
    client: '10.0.0.4',
    server: '10.0.0.2',
    clientPort: 0,
    serverPort: 0,
    protocol: 1,
    application: 81,
    ndpi: 'ICMP',
    turns: [
      { at: 0, fromClient: true, payload: 'abcdefgh' },
      { at: 0.02, fromClient: false, payload: 'abcdefgh' },
    ],
  },
  {
    name: 'a SYN that nobody answers',
    client: '10.0.0.5',
    server: '10.0.0.2',
    clientPort: 50_005,
    serverPort: 9,
    protocol: 6,
    application: 0,
    ndpi: 'Unknown',
    turns: [{ at: 0, fromClient: true, flags: SYN }],
  },
];
