/**
 * Builds packets and capture files for tests, one layer inside the other:
 *
 *   pcapFile([{ time: 1_000_000, bytes: ethernet({}, ipv4({}, tcp({ to: 80, flags: SYN }))) }])
 *
 * Every layer is a Uint8Array that knows its EtherType or IP protocol number, so the layer around it fills them in. Lengths
 * and checksums are right unless a test asks for others.
 */

/** Bytes of a header with its payload, and how the layer below calls them. */
export interface Layer extends Uint8Array {
  readonly etherType?: number;
  readonly protocol?: number;
}

/** What a layer carries: another layer, bytes, or text (UTF-8). */
export type Payload = Layer | Uint8Array | string;

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;

const toBytes = (payload: Payload): Uint8Array => (typeof payload === 'string' ? new TextEncoder().encode(payload) : payload);
const protocolOf = (payload: Payload): number | undefined => (typeof payload === 'string' ? undefined : (payload as Layer).protocol);
const etherTypeOf = (payload: Payload): number | undefined => (typeof payload === 'string' ? undefined : (payload as Layer).etherType);

/** One byte array out of several. */
export function join(...parts: Payload[]): Uint8Array {
  const arrays = parts.map(toBytes);
  const whole = new Uint8Array(arrays.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of arrays) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes from hexadecimal text; blanks are left out. @example hex('aaaa03 000000 0800') */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s+/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const layer = (bytes: Uint8Array, below: { etherType?: number; protocol?: number }): Layer => Object.assign(bytes, below);
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** @example mac('02:00:00:00:00:01') */
export function mac(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

/** 4 or 16 bytes. @example address('10.0.0.1') @example address('2001:db8::1') */
export function address(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

const sum16 = (bytes: Uint8Array): number => {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += i % 2 === 0 ? bytes[i] << 8 : bytes[i];
  return sum;
};

const checksum = (sum: number): number => {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
};

const CHECKSUM_AT: Record<number, number> = { 1: 2, 6: 16, 17: 6, 58: 2 };

/** Sets the layer-4 checksum (RFC 1071) where the protocol has one and the header is whole. */
const setChecksum = (protocol: number, body: Uint8Array, pseudo: Uint8Array): void => {
  const at = CHECKSUM_AT[protocol];
  if (at === undefined || body.length < at + 2) return;
  view(body).setUint16(at, 0);
  view(body).setUint16(at, checksum(sum16(body) + (protocol === 1 ? 0 : sum16(pseudo) + protocol + body.length)));
};

export interface EthernetOptions {
  readonly from?: string;
  readonly to?: string;
  /** EtherType, or length of an 802.3 frame; that of the payload if left out. */
  readonly type?: number;
  /** Zeros are added up to this length, as hardware does up to 60. */
  readonly pad?: number;
}

/** @example ethernet({}, vlan({ id: 100 }, ipv4({}, udp({ to: 53 }, 'query')))) */
export function ethernet(options: EthernetOptions, payload: Payload): Uint8Array {
  const type = options.type ?? etherTypeOf(payload) ?? 0;
  const frame = join(
    mac(options.to ?? '02:00:00:00:00:02'),
    mac(options.from ?? '02:00:00:00:00:01'),
    Uint8Array.of(type >> 8, type & 0xff),
    payload,
  );
  return options.pad !== undefined && options.pad > frame.length ? join(frame, new Uint8Array(options.pad - frame.length)) : frame;
}

/** 802.1Q tag with what follows. `tpid` is the EtherType of the tag itself (0x88a8 for the outer one of QinQ). */
export function vlan(options: { readonly id: number; readonly tpid?: number; readonly type?: number }, payload: Payload): Layer {
  const type = options.type ?? etherTypeOf(payload) ?? 0;
  const tag = Uint8Array.of(options.id >> 8, options.id & 0xff, type >> 8, type & 0xff);
  return layer(join(tag, payload), { etherType: options.tpid ?? 0x8100 });
}

export interface Ipv4Options {
  readonly from?: string;
  readonly to?: string;
  /** That of the payload if left out. */
  readonly protocol?: number;
  readonly tos?: number;
  readonly ttl?: number;
  readonly id?: number;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset?: number;
  readonly moreFragments?: boolean;
  /** Header options; filled with zeros to a multiple of 4. */
  readonly options?: Uint8Array;
  /** Instead of the true total length. */
  readonly totalLength?: number;
}

/** IPv4 packet from 10.0.0.1 to 10.0.0.2 unless told otherwise. */
export function ipv4(options: Ipv4Options, payload: Payload = ''): Layer {
  const body = toBytes(payload);
  const extra = options.options ?? new Uint8Array(0);
  const header = new Uint8Array(20 + Math.ceil(extra.length / 4) * 4);
  const protocol = options.protocol ?? protocolOf(payload) ?? 0;
  const from = address(options.from ?? '10.0.0.1');
  const to = address(options.to ?? '10.0.0.2');
  const fragment = (options.fragmentOffset ?? 0) > 0 || options.moreFragments === true;
  if (!fragment) setChecksum(protocol, body, join(from, to));
  const fields = view(header);
  header[0] = 0x40 | (header.length >> 2);
  header[1] = options.tos ?? 0;
  fields.setUint16(2, options.totalLength ?? header.length + body.length);
  fields.setUint16(4, options.id ?? 1);
  fields.setUint16(6, ((options.fragmentOffset ?? 0) >> 3) | (options.moreFragments === true ? 0x2000 : 0));
  header[8] = options.ttl ?? 64;
  header[9] = protocol;
  header.set(from, 12);
  header.set(to, 16);
  header.set(extra, 20);
  fields.setUint16(10, checksum(sum16(header)));
  return layer(join(header, body), { etherType: 0x0800, protocol: 4 });
}

export interface Ipv6Options {
  readonly from?: string;
  readonly to?: string;
  /** Next header; that of the payload if left out. */
  readonly protocol?: number;
  readonly trafficClass?: number;
  readonly hopLimit?: number;
  /** Instead of the true payload length. */
  readonly payloadLength?: number;
}

/** IPv6 packet from 2001:db8::1 to 2001:db8::2 unless told otherwise. */
export function ipv6(options: Ipv6Options, payload: Payload = ''): Layer {
  const body = toBytes(payload);
  const header = new Uint8Array(40);
  const protocol = options.protocol ?? protocolOf(payload) ?? 59;
  const from = address(options.from ?? '2001:db8::1');
  const to = address(options.to ?? '2001:db8::2');
  setChecksum(protocol, body, join(from, to));
  header[0] = 0x60 | ((options.trafficClass ?? 0) >> 4);
  header[1] = ((options.trafficClass ?? 0) & 15) << 4;
  view(header).setUint16(4, options.payloadLength ?? body.length);
  header[6] = protocol;
  header[7] = options.hopLimit ?? 64;
  header.set(from, 8);
  header.set(to, 24);
  return layer(join(header, body), { etherType: 0x86dd, protocol: 41 });
}

/** IPv6 extension header: hop-by-hop 0, routing 43, destination options 60. `content` is filled up to 8 × n + 6 bytes. */
export function extension(kind: number, payload: Payload, content: Uint8Array = new Uint8Array(6)): Layer {
  const header = new Uint8Array(Math.ceil((content.length + 2) / 8) * 8);
  header[0] = protocolOf(payload) ?? 59;
  header[1] = (header.length >> 3) - 1;
  header.set(content, 2);
  return layer(join(header, payload), { protocol: kind });
}

/** IPv6 fragment header (RFC 8200 4.5). `offset` in bytes. */
export function fragment6(
  options: { readonly id: number; readonly offset?: number; readonly more?: boolean; readonly protocol?: number },
  payload: Payload,
): Layer {
  const header = new Uint8Array(8);
  header[0] = options.protocol ?? protocolOf(payload) ?? 59;
  view(header).setUint16(2, (options.offset ?? 0) | (options.more === true ? 1 : 0));
  view(header).setUint32(4, options.id);
  return layer(join(header, payload), { protocol: 44 });
}

export interface TcpOptions {
  readonly from?: number;
  readonly to?: number;
  readonly seq?: number;
  readonly ack?: number;
  /** FIN, SYN …; ACK if left out. */
  readonly flags?: number;
  readonly window?: number;
  /** Filled with zeros to a multiple of 4. */
  readonly options?: Uint8Array;
}

/** TCP segment from port 40000 to port 80 unless told otherwise. */
export function tcp(options: TcpOptions, payload: Payload = ''): Layer {
  const extra = options.options ?? new Uint8Array(0);
  const header = new Uint8Array(20 + Math.ceil(extra.length / 4) * 4);
  const fields = view(header);
  fields.setUint16(0, options.from ?? 40000);
  fields.setUint16(2, options.to ?? 80);
  fields.setUint32(4, options.seq ?? 0);
  fields.setUint32(8, options.ack ?? 0);
  header[12] = (header.length >> 2) << 4;
  header[13] = options.flags ?? ACK;
  fields.setUint16(14, options.window ?? 65535);
  header.set(extra, 20);
  return layer(join(header, payload), { protocol: 6 });
}

/** UDP datagram from port 40000 to port 53 unless told otherwise. */
export function udp(options: { readonly from?: number; readonly to?: number }, payload: Payload = ''): Layer {
  const body = toBytes(payload);
  const header = new Uint8Array(8);
  view(header).setUint16(0, options.from ?? 40000);
  view(header).setUint16(2, options.to ?? 53);
  view(header).setUint16(4, 8 + body.length);
  return layer(join(header, body), { protocol: 17 });
}

/** ICMP message, an echo request unless told otherwise; `v6` makes it ICMPv6. `rest` are the 4 bytes after the checksum. */
export function icmp(
  options: { readonly type?: number; readonly code?: number; readonly rest?: number; readonly v6?: boolean },
  payload: Payload = '',
): Layer {
  const header = new Uint8Array(8);
  header[0] = options.type ?? (options.v6 === true ? 128 : 8);
  header[1] = options.code ?? 0;
  view(header).setUint32(4, options.rest ?? 0);
  return layer(join(header, payload), { protocol: options.v6 === true ? 58 : 1 });
}

export interface CapturedPacket {
  /** µs since 1970; fractions are kept in a file of ns. */
  readonly time: number;
  readonly bytes: Uint8Array;
  /** Length on the wire; that of `bytes` if left out. */
  readonly wire?: number;
}

export interface PcapOptions {
  /** 1 (Ethernet) if left out. */
  readonly linkType?: number;
  /** Times in ns instead of µs. */
  readonly ns?: boolean;
  readonly bigEndian?: boolean;
  readonly snapLength?: number;
}

/**
 * A classic pcap file: header of 24 bytes, then 16 bytes and the packet for each.
 * @example writeFileSync(path, pcapFile([{ time: 1e15, bytes: ethernet({}, ipv4({}, udp({}, 'x'))) }]))
 */
export function pcapFile(packets: readonly CapturedPacket[], options: PcapOptions = {}): Uint8Array {
  const little = options.bigEndian !== true;
  const file = new Uint8Array(packets.reduce((sum, packet) => sum + 16 + packet.bytes.length, 24));
  const fields = view(file);
  fields.setUint32(0, options.ns === true ? 0xa1b23c4d : 0xa1b2c3d4, little);
  fields.setUint16(4, 2, little);
  fields.setUint16(6, 4, little);
  fields.setUint32(16, options.snapLength ?? 262144, little);
  fields.setUint32(20, options.linkType ?? 1, little);
  let at = 24;
  for (const packet of packets) {
    const seconds = Math.floor(packet.time / 1e6);
    const fraction = packet.time - seconds * 1e6;
    fields.setUint32(at, seconds, little);
    fields.setUint32(at + 4, options.ns === true ? Math.round(fraction * 1000) : Math.floor(fraction), little);
    fields.setUint32(at + 8, packet.bytes.length, little);
    fields.setUint32(at + 12, packet.wire ?? packet.bytes.length, little);
    file.set(packet.bytes, at + 16);
    at += 16 + packet.bytes.length;
  }
  return file;
}
