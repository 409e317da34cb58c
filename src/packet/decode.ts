/**
 * The decoder: raw frames in, one scratch entry per packet that carries IP out.
 *
 *   PacketBatch ──► link.ts ──► IPv4, IPv6 ──► TCP, UDP, SCTP, ICMP … ──► Scratch (batch.ts draws the entry)
 *                      ▲            │  └──► IP-in-IP, GTP-U, GRE, VXLAN: the same again inside
 *                      └────────────┘
 *
 * Called by an interface's thread, batch by batch. Most packets are Ethernet, at most one VLAN tag, IP without options or
 * fragments, TCP or UDP: they take a fast path that writes exactly what the general path would. Nothing is allocated per
 * packet and no byte outside of a frame is read.
 *
 * Canonical order of the two ends, so that both directions have one key:
 *
 *   IPv4  by address as an unsigned number, then by port.
 *   IPv6  by the seeded hash word of the address as a signed number, then by the 16 bytes, then by port.
 *   ICMP  by address only; its ports word is not swapped.
 *
 * `a` is the smaller end. A packet from b to a has {@link F_FROM_B}. Every packet is counted (counters.ts).
 */

import type { PacketBatch, Scratch } from './batch.ts';
import * as batch from './batch.ts';
import { decodeCounter } from './counters.ts';
import { createFragmentTable } from './fragments.ts';
import { avalanche, createHash } from './hash.ts';
import * as linkNames from './link.ts';
import { createLinkDecoder, i32, type NetworkDecoder, u16 } from './link.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const {
  F_ETHERNET,
  F_FRAGMENT,
  F_FROM_B,
  F_NO_DPI,
  F_TCP,
  FRAME_CAPTURED,
  FRAME_OFFSET,
  FRAME_WIRE,
  FRAME_WORDS,
  PV_IPV6,
  S_A,
  S_ACK,
  S_B,
  S_FLAGS,
  S_FRAME,
  S_HASH,
  S_ICMP,
  S_L3,
  S_L3_LENGTH,
  S_PAYLOAD,
  S_PORTS,
  S_PV,
  S_SEQ,
  S_SLOT,
  S_WINDOW,
  S_WIRE,
  SCRATCH_WORDS,
} = batch;
const { DECODED, LINK_ETHERNET } = linkNames;

export { DECODE_COUNTERS, type DecodeCounterName } from './counters.ts';
export { supportsLinkType } from './link.ts';

/** Which tunnels are opened. IP-in-IP always is. */
export interface DecodeOptions {
  /** GTP-U version 1, UDP port 2152 (3GPP TS 29.281). */
  readonly gtp: boolean;
  /** GRE version 0 with IPv4, IPv6 or Ethernet inside (RFC 2784, RFC 2890). */
  readonly gre: boolean;
  /** VXLAN, UDP port 4789 (RFC 7348). */
  readonly vxlan: boolean;
}

export const DEFAULT_DECODE_OPTIONS: DecodeOptions = { gtp: true, gre: false, vxlan: false };

/** Most tunnels opened in one packet. */
export const MAX_TUNNELS = 8;

export interface Decoder {
  /**
   * Decodes frames from index `from` on until the batch ends or the scratch is full. The scratch is emptied first.
   * @returns index of the next frame: `batch.count` when all are done
   */
  decode(batch: PacketBatch, from: number, scratch: Scratch): number;
}

const PROTO_ICMP = 1;
const PROTO_IPV4 = 4;
const PROTO_TCP = 6;
const PROTO_UDP = 17;
const PROTO_IPV6 = 41;
const PROTO_GRE = 47;
const PROTO_ICMPV6 = 58;
const PROTO_NONE = 59;
const PROTO_SCTP = 132;

const EXT_HOP_BY_HOP = 0;
const EXT_ROUTING = 43;
const EXT_FRAGMENT = 44;
const EXT_DESTINATION = 60;

const PORT_GTP = 2152;
const PORT_VXLAN = 4789;

/** Not a fragment, the first one (it has the layer-4 header), a later one. */
const WHOLE = 0;
const FIRST = 1;
const LATER = 2;

const C_PACKETS = decodeCounter('packets');
const C_BYTES = decodeCounter('bytes');
const C_DECODED = decodeCounter('decoded');
const C_TIME = decodeCounter('time-ran-back');
const C_CUT = decodeCounter('snap-cut');
const C_IPLEN0 = decodeCounter('iplen0');
const C_L4_CUT = decodeCounter('l4-cut');
const C_TCP_HEADER = decodeCounter('tcp-header');
const C_FRAGMENTS = decodeCounter('fragments');
const C_ORPHANED = decodeCounter('fragments.orphaned');
const C_EVICTED = decodeCounter('fragments.evicted');
const C_IPIP = decodeCounter('tunnels.ipip');
const C_GTP = decodeCounter('tunnels.gtp');
const C_GRE = decodeCounter('tunnels.gre');
const C_VXLAN = decodeCounter('tunnels.vxlan');
const C_CLOSED = decodeCounter('tunnels.closed');
const C_TUNNEL_FRAGMENT = decodeCounter('tunnels.fragmented');
const C_TOO_DEEP = decodeCounter('tunnels.too-deep');
const BAD_FRAME = decodeCounter('malformed.frame');
const BAD_VERSION = decodeCounter('malformed.ip-version');
const BAD_IPV4 = decodeCounter('malformed.ipv4-truncated');
const BAD_IPV4_HEADER = decodeCounter('malformed.ipv4-header-length');
const BAD_IPV4_TOTAL = decodeCounter('malformed.ipv4-total-length');
const BAD_IPV6 = decodeCounter('malformed.ipv6-truncated');
const BAD_EXTENSIONS = decodeCounter('malformed.ipv6-extensions');
const BAD_L4 = decodeCounter('malformed.l4-truncated');

const SIGN = 1 << 31;

/**
 * Made at its first packet: V8 folds what a function closes over into its machine code only while there is one such function, and a
 * decoder that never decodes (that of alerts, without any) must not be the second.
 *
 * @param counters one double per entry of DECODE_COUNTERS, counted up and never reset here
 * @param seed secret 32-bit number for all hashes; the same seed gives the same words
 * @param fastPath `false` sends every packet through the general path (tests compare the two)
 */
export function createDecoder(options: DecodeOptions, counters: Float64Array, seed: number, fastPath = true): Decoder {
  let made: Decoder | undefined;
  return {
    decode(packets, from, scratch) {
      made ??= build(options, counters, seed, fastPath);
      return made.decode(packets, from, scratch);
    },
  };
}

function build(options: DecodeOptions, counters: Float64Array, seed: number, fastPath: boolean): Decoder {
  const { gtp, gre, vxlan: openVxlan } = options;
  const hash = createHash(seed);
  const addressHash = createHash(avalanche(seed + 1));
  /** Time of the packet in hand, µs. */
  const clock = new Float64Array(1);
  const fragments = createFragmentTable(clock, addressHash);

  // The packet in hand, for the general path.
  let words: Int32Array = new Int32Array(SCRATCH_WORDS);
  let w = 0; // its scratch entry
  let frameStart = 0;
  let frameEnd = 0;
  let wireLength = 0;
  let linkFlags = 0;
  let ipCut = 0; // so many more bytes than there are were announced by the IP header read last

  const count = (counter: number): void => {
    counters[counter] += 1;
  };

  /** Whether the IPv6 source address is greater than the destination, byte by byte; 0 when they are equal. */
  const compareAddresses = (bytes: Uint8Array, l3: number): number => {
    for (let p = l3 + 8; p < l3 + 24; p++) {
      const difference = bytes[p] - bytes[p + 16];
      if (difference !== 0) return difference;
    }
    return 0;
  };

  const ipv6Word = (bytes: Uint8Array, p: number): number =>
    addressHash(i32(bytes, p), i32(bytes, p + 4), i32(bytes, p + 8), i32(bytes, p + 12));

  /** Writes the scratch entry. `ports` are source << 16 | destination. */
  const emit = (
    bytes: Uint8Array,
    l3: number,
    pv: number,
    source: number,
    destination: number,
    ports: number,
    flags: number,
    payload: number,
    seq: number,
    ack: number,
    window: number,
    icmp: number,
  ): void => {
    const protocol = pv & 0xff;
    const swapPorts = protocol !== PROTO_ICMP && protocol !== PROTO_ICMPV6;
    let order = 0;
    if (pv >= PV_IPV6) {
      order = source !== destination ? (source > destination ? 1 : -1) : compareAddresses(bytes, l3);
    } else if (source !== destination) {
      order = (source ^ SIGN) > (destination ^ SIGN) ? 1 : -1;
    }
    if (order === 0 && swapPorts && ports >>> 16 > (ports & 0xffff)) order = 1;
    let a = source;
    let b = destination;
    if (order > 0) {
      a = destination;
      b = source;
      if (swapPorts) ports = (ports << 16) | (ports >>> 16);
      flags |= F_FROM_B;
    }
    words[w + S_A] = a;
    words[w + S_B] = b;
    words[w + S_PORTS] = ports;
    words[w + S_PV] = pv;
    words[w + S_HASH] = hash(a, b, ports, pv);
    words[w + S_FLAGS] = flags | linkFlags;
    words[w + S_WIRE] = wireLength;
    words[w + S_PAYLOAD] = payload;
    words[w + S_SEQ] = seq;
    words[w + S_ACK] = ack;
    words[w + S_WINDOW] = window;
    words[w + S_L3] = l3;
    words[w + S_L3_LENGTH] = frameEnd - l3;
    words[w + S_FRAME] = frameStart;
    words[w + S_ICMP] = icmp;
    words[w + S_SLOT] = 0;
  };

  /** The packet quoted by an ICMP "port unreachable" (RFC 792), as a number that is not 0; 0 when its IP header is not whole. */
  const embedded = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 20 || bytes[pos] >> 4 !== 4) return 0;
    const header = (bytes[pos] & 15) << 2;
    if (header < 20) return 0;
    const protocol = bytes[pos + 9];
    const withPorts = protocol === PROTO_TCP || protocol === PROTO_UDP || protocol === PROTO_SCTP;
    const ports = withPorts && end - pos >= header + 4 ? i32(bytes, pos + header) : 0;
    const h = addressHash(i32(bytes, pos + 12), i32(bytes, pos + 16), ports, protocol);
    return h === 0 ? 1 : h;
  };

  /** Counts a tunnel that was tried: `result` is that of its inside. */
  const opened = (kind: number, result: number): boolean => {
    count(result === DECODED ? kind : C_CLOSED);
    return result === DECODED;
  };

  const mayOpen = (depth: number): boolean => {
    if (depth < MAX_TUNNELS) return true;
    count(C_TOO_DEEP);
    return false;
  };

  /**
   * GTP-U: version 1 and type GTP (3 + 1 bits), flags for extension header, sequence number, N-PDU number; message type (255 =
   * user data), length (16), tunnel (32); if any flag is set: sequence (16), N-PDU (8), type of the next extension header;
   * each extension: its length in 4 bytes, content, type of the next.
   */
  const insideGtp = (bytes: Uint8Array, pos: number, end: number, vlan: number, depth: number): number => {
    if (end - pos < 9) return BAD_L4;
    const flags = bytes[pos];
    if (flags >> 4 !== 3 || bytes[pos + 1] !== 0xff) return BAD_L4;
    pos += 8;
    if ((flags & 7) !== 0) {
      if (end - pos < 4) return BAD_L4;
      let next = (flags & 4) !== 0 ? bytes[pos + 3] : 0;
      pos += 4;
      while (next !== 0) {
        if (pos >= end) return BAD_L4;
        const length = bytes[pos] << 2;
        if (length === 0 || length > end - pos) return BAD_L4;
        pos += length;
        next = bytes[pos - 1];
      }
    }
    if (pos >= end) return BAD_L4;
    const version = bytes[pos] >> 4;
    if (version === 4) return ipv4(bytes, pos, end, vlan, depth);
    if (version === 6) return ipv6(bytes, pos, end, vlan, depth);
    return BAD_L4;
  };

  /** GRE: flags for checksum, routing, key, sequence number, and version (16 bits), EtherType, then 4 bytes for each flag. */
  const insideGre = (bytes: Uint8Array, pos: number, end: number, vlan: number, depth: number): number => {
    if (end - pos < 4) return BAD_L4;
    const flags = u16(bytes, pos);
    const type = u16(bytes, pos + 2);
    if ((flags & 0x4007) !== 0) return BAD_L4; // routing (obsolete), or version 1: PPTP
    pos += 4;
    if ((flags & 0x8000) !== 0) pos += 4;
    if ((flags & 0x2000) !== 0) pos += 4;
    if ((flags & 0x1000) !== 0) pos += 4;
    if (pos >= end) return BAD_L4;
    if (type === 0x0800) return ipv4(bytes, pos, end, vlan, depth);
    if (type === 0x86dd) return ipv6(bytes, pos, end, vlan, depth);
    if (type === 0x6558) return link.ethernet(bytes, pos, end, vlan, depth);
    return BAD_L4;
  };

  /** VXLAN: flags (bit 3: the network id is valid), 3 bytes reserved, 3 bytes network id, 1 byte reserved, Ethernet. */
  const insideVxlan = (bytes: Uint8Array, pos: number, end: number, vlan: number, depth: number): number => {
    if (end - pos < 8 || (bytes[pos] & 8) === 0) return BAD_L4;
    return link.ethernet(bytes, pos + 8, end, vlan, depth);
  };

  /**
   * What lies above IP, from `pos` to `end` (the IP length, at most what was captured). `pv` as in the scratch, its protocol
   * that of the last header read; `window` already has TOS and TTL; `fragment` is WHOLE, FIRST or LATER, `id` and `kind` its
   * key in the table of fragments.
   */
  const transport = (
    bytes: Uint8Array,
    l3: number,
    pv: number,
    pos: number,
    end: number,
    source: number,
    destination: number,
    window: number,
    fragment: number,
    id: number,
    kind: number,
    depth: number,
  ): number => {
    let protocol = pv & 0xff;
    const vlan = (pv >> 8) & 0xfff;
    let ports = 0;
    let flags = 0;
    let payload = 0;
    let seq = 0;
    let ack = 0;
    let icmp = 0;
    let cut = 0;
    const length = end - pos;

    if (fragment !== WHOLE) {
      flags = F_FRAGMENT | F_NO_DPI;
      if (fragment === LATER) {
        count(C_FRAGMENTS);
        const entry = fragments.find(source, destination, id, kind);
        if (entry < 0) {
          count(C_ORPHANED);
        } else {
          protocol = fragments.protocols[entry];
          pv = (pv & ~0xff) | protocol;
          const kept = fragments.ports[entry];
          if (protocol === PROTO_ICMP || protocol === PROTO_ICMPV6) icmp = kept;
          else ports = kept;
        }
        if (protocol === PROTO_TCP || protocol === PROTO_UDP || protocol === PROTO_SCTP) payload = length;
        emit(bytes, l3, pv, source, destination, ports, flags, payload, 0, 0, window, icmp);
        return DECODED;
      }
    }

    if (protocol === PROTO_TCP) {
      if (length >= 4) ports = i32(bytes, pos);
      else if (fragment === WHOLE) return BAD_L4;
      if (length >= 20) {
        const header = (bytes[pos + 12] >> 4) << 2;
        if (header < 20 || (header > length && ipCut === 0)) {
          count(C_TCP_HEADER);
        } else {
          flags |= F_TCP | bytes[pos + 13];
          seq = i32(bytes, pos + 4);
          ack = i32(bytes, pos + 8);
          window |= u16(bytes, pos + 14) << 16;
          if (header < length) payload = length - header;
          if (ipCut > 0 && fragment === WHOLE) cut = Math.max(0, length + ipCut - header) - payload;
        }
      } else {
        count(C_L4_CUT);
      }
    } else if (protocol === PROTO_UDP) {
      if (length >= 4) ports = i32(bytes, pos);
      else if (fragment === WHOLE) return BAD_L4;
      if (length >= 8) {
        payload = length - 8;
        if (fragment === WHOLE) {
          const from = ports >>> 16;
          const to = ports & 0xffff;
          if (gtp && (to === PORT_GTP || from === PORT_GTP) && mayOpen(depth)) {
            if (opened(C_GTP, insideGtp(bytes, pos + 8, end, vlan, depth + 1))) return DECODED;
          } else if (openVxlan && to === PORT_VXLAN && mayOpen(depth)) {
            if (opened(C_VXLAN, insideVxlan(bytes, pos + 8, end, vlan, depth + 1))) return DECODED;
          }
        }
      } else {
        count(C_L4_CUT);
      }
    } else if (protocol === PROTO_ICMP || protocol === PROTO_ICMPV6) {
      if (length >= 2) icmp = u16(bytes, pos);
      else if (fragment === WHOLE) return BAD_L4;
      if (icmp === 0x0303 && protocol === PROTO_ICMP && fragment === WHOLE) ports = embedded(bytes, pos + 8, end);
    } else if (protocol === PROTO_SCTP) {
      if (length >= 4) ports = i32(bytes, pos);
      else if (fragment === WHOLE) return BAD_L4;
      if (length >= 12) payload = length - 12;
      else count(C_L4_CUT);
    } else if (protocol === PROTO_IPV4 || protocol === PROTO_IPV6) {
      if (fragment !== WHOLE) {
        count(C_TUNNEL_FRAGMENT);
      } else if (mayOpen(depth)) {
        const inside = protocol === PROTO_IPV4 ? ipv4(bytes, pos, end, vlan, depth + 1) : ipv6(bytes, pos, end, vlan, depth + 1);
        if (opened(C_IPIP, inside)) return DECODED;
      }
    } else if (protocol === PROTO_GRE && gre && fragment === WHOLE && mayOpen(depth)) {
      if (opened(C_GRE, insideGre(bytes, pos, end, vlan, depth + 1))) return DECODED;
    }

    if (fragment === FIRST) {
      count(C_FRAGMENTS);
      const kept = protocol === PROTO_ICMP || protocol === PROTO_ICMPV6 ? icmp : ports;
      if (fragments.remember(source, destination, id, kind, protocol, kept)) count(C_EVICTED);
    }
    emit(bytes, l3, pv, source, destination, ports, flags, payload, seq, ack, window, protocol === PROTO_TCP ? cut : icmp);
    return DECODED;
  };

  /** RFC 791: version, header length, TOS, total length, id, flags, fragment offset, TTL, protocol, checksum, addresses, options. */
  const ipv4: NetworkDecoder = (bytes, pos, end, vlan, depth) => {
    if (end - pos < 20) return BAD_IPV4;
    const first = bytes[pos];
    if (first >> 4 !== 4) return BAD_VERSION;
    const header = (first & 15) << 2;
    if (header < 20) return BAD_IPV4_HEADER;
    if (header > end - pos) return BAD_IPV4;
    let total = u16(bytes, pos + 2);
    if (total === 0) {
      total = end - pos;
      count(C_IPLEN0);
    } else if (total < header) {
      return BAD_IPV4_TOTAL;
    }
    ipCut = Math.max(0, total - (end - pos));
    if (ipCut > 0) {
      total = end - pos;
      count(C_CUT);
    }
    const place = u16(bytes, pos + 6);
    const fragment = (place & 0x1fff) !== 0 ? LATER : (place & 0x2000) !== 0 ? FIRST : WHOLE;
    const pv = bytes[pos + 9] | (vlan << 8);
    const window = (bytes[pos + 1] << 8) | bytes[pos + 8];
    return transport(
      bytes,
      pos,
      pv,
      pos + header,
      pos + total,
      i32(bytes, pos + 12),
      i32(bytes, pos + 16),
      window,
      fragment,
      u16(bytes, pos + 4),
      pv,
      depth,
    );
  };

  /**
   * RFC 8200: version, traffic class, flow label, payload length, next header, hop limit, addresses. Extension headers: next
   * header, length in 8 bytes beyond the first 8. Fragment header: next header, reserved, offset (13 bits) and M flag, id (32).
   * Read over: hop-by-hop, routing, destination options. Final: everything else, so ESP, AH, mobility and no-next-header too.
   */
  const ipv6: NetworkDecoder = (bytes, pos, end, vlan, depth) => {
    if (end - pos < 40) return end > pos && bytes[pos] >> 4 !== 6 ? BAD_VERSION : BAD_IPV6;
    if (bytes[pos] >> 4 !== 6) return BAD_VERSION;
    let next = bytes[pos + 6];
    let total = u16(bytes, pos + 4) + 40;
    if (total === 40 && next !== PROTO_NONE) {
      total = end - pos; // a jumbogram, or segmentation offload
      count(C_IPLEN0);
    }
    ipCut = Math.max(0, total - (end - pos));
    if (ipCut > 0) {
      total = end - pos;
      count(C_CUT);
    }
    const last = pos + total;
    let p = pos + 40;
    let fragment = WHOLE;
    let id = 0;
    for (;;) {
      if (next === EXT_HOP_BY_HOP || next === EXT_ROUTING || next === EXT_DESTINATION) {
        if (last - p < 8) return BAD_EXTENSIONS;
        const length = (bytes[p + 1] + 1) << 3;
        if (length > last - p) return BAD_EXTENSIONS;
        next = bytes[p];
        p += length;
      } else if (next === EXT_FRAGMENT) {
        if (last - p < 8) return BAD_EXTENSIONS;
        const place = u16(bytes, p + 2);
        next = bytes[p];
        id = i32(bytes, p + 4);
        p += 8;
        if ((place & 0xfff8) !== 0) {
          fragment = LATER;
          break;
        }
        if ((place & 1) !== 0) fragment = FIRST; // offset 0 and no more: an atomic fragment, a whole packet (RFC 6946)
      } else {
        break;
      }
    }
    const kind = PV_IPV6 | (vlan << 8);
    return transport(
      bytes,
      pos,
      kind | next,
      p,
      last,
      ipv6Word(bytes, pos + 8),
      ipv6Word(bytes, pos + 24),
      (((u16(bytes, pos) >> 4) & 0xff) << 8) | bytes[pos + 7],
      fragment,
      id,
      kind,
      depth,
    );
  };

  const link = createLinkDecoder(ipv4, ipv6);

  /**
   * Ethernet, at most one 802.1Q tag, IPv4 with 20 bytes and no fragment or IPv6 without extension headers, whole in the
   * capture, TCP or UDP whole, no tunnel. Writes the entry at `base` and returns true, or touches nothing and returns false:
   * the general path decides then.
   */
  const fast = (bytes: Uint8Array, out: Int32Array, base: number, start: number, end: number, wire: number): boolean => {
    if (end - start < 42) return false;
    let l3 = start + 14;
    let pv = 0;
    let type = u16(bytes, start + 12);
    if (type === 0x8100) {
      if (end - start < 46) return false;
      pv = (u16(bytes, start + 14) & 0xfff) << 8;
      type = u16(bytes, start + 16);
      l3 = start + 18;
    }
    let protocol = 0;
    let l4 = 0;
    let length = 0; // of layer 4, by the IP header
    let source = 0;
    let destination = 0;
    let swap = false;
    let window = 0;
    if (type === 0x0800) {
      if (bytes[l3] !== 0x45 || (u16(bytes, l3 + 6) & 0x3fff) !== 0) return false;
      l4 = l3 + 20;
      length = u16(bytes, l3 + 2) - 20;
      protocol = bytes[l3 + 9];
      if (length < 8 || length > end - l4 || (protocol !== PROTO_TCP && protocol !== PROTO_UDP)) return false;
      source = i32(bytes, l3 + 12);
      destination = i32(bytes, l3 + 16);
      swap = (source ^ SIGN) > (destination ^ SIGN);
      if (source === destination) swap = u16(bytes, l4) > u16(bytes, l4 + 2);
      window = (bytes[l3 + 1] << 8) | bytes[l3 + 8];
    } else if (type === 0x86dd) {
      l4 = l3 + 40;
      if (end - l4 < 8 || bytes[l3] >> 4 !== 6) return false;
      length = u16(bytes, l3 + 4);
      protocol = bytes[l3 + 6];
      if (length < 8 || length > end - l4 || (protocol !== PROTO_TCP && protocol !== PROTO_UDP)) return false;
      pv |= PV_IPV6;
      source = ipv6Word(bytes, l3 + 8);
      destination = ipv6Word(bytes, l3 + 24);
      if (source === destination) return false;
      swap = source > destination;
      window = (((u16(bytes, l3) >> 4) & 0xff) << 8) | bytes[l3 + 7];
    } else {
      return false;
    }
    pv |= protocol;
    let ports = i32(bytes, l4);
    const sport = ports >>> 16;
    const dport = ports & 0xffff;
    let flags = F_ETHERNET;
    let payload = 0;
    let seq = 0;
    let ack = 0;
    if (protocol === PROTO_TCP) {
      if (length < 20) return false;
      const header = (bytes[l4 + 12] >> 4) << 2;
      payload = length - header;
      if (header < 20 || payload < 0) return false;
      flags |= F_TCP | bytes[l4 + 13];
      seq = i32(bytes, l4 + 4);
      ack = i32(bytes, l4 + 8);
      window |= u16(bytes, l4 + 14) << 16;
    } else {
      if (gtp && (dport === PORT_GTP || sport === PORT_GTP)) return false;
      if (openVxlan && dport === PORT_VXLAN) return false;
      payload = length - 8;
    }
    let a = source;
    let b = destination;
    if (swap) {
      a = destination;
      b = source;
      ports = (dport << 16) | sport;
      flags |= F_FROM_B;
    }
    out[base + S_A] = a;
    out[base + S_B] = b;
    out[base + S_PORTS] = ports;
    out[base + S_PV] = pv;
    out[base + S_HASH] = hash(a, b, ports, pv);
    out[base + S_FLAGS] = flags;
    out[base + S_WIRE] = wire;
    out[base + S_PAYLOAD] = payload;
    out[base + S_SEQ] = seq;
    out[base + S_ACK] = ack;
    out[base + S_WINDOW] = window;
    out[base + S_L3] = l3;
    out[base + S_L3_LENGTH] = end - l3;
    out[base + S_FRAME] = start;
    out[base + S_ICMP] = 0;
    out[base + S_SLOT] = 0;
    return true;
  };

  const decode = (batch: PacketBatch, from: number, scratch: Scratch): number => {
    const { bytes, frames, times, linkType } = batch;
    const out = scratch.words;
    const outTimes = scratch.times;
    const total = Math.min(batch.count, times.length, (frames.length / FRAME_WORDS) | 0);
    const capacity = Math.min(outTimes.length, (out.length / SCRATCH_WORDS) | 0);
    const size = bytes.length;
    const tryFast = fastPath && linkType === LINK_ETHERNET;
    let now = clock[0];
    let ranBack = 0;
    let wireBytes = 0;
    let entries = 0;
    let i = from;
    words = out;
    linkFlags = linkType === LINK_ETHERNET ? F_ETHERNET : 0;
    for (; i < total && entries < capacity; i++) {
      const start = frames[i * FRAME_WORDS + FRAME_OFFSET];
      const captured = frames[i * FRAME_WORDS + FRAME_CAPTURED];
      const wire = frames[i * FRAME_WORDS + FRAME_WIRE];
      const time = times[i];
      wireBytes += wire >>> 0;
      if (time >= now && time <= Number.MAX_SAFE_INTEGER) now = time;
      else ranBack++;
      if (start < 0 || captured < 0 || start + captured > size) {
        count(BAD_FRAME);
        continue;
      }
      if (!tryFast || !fast(bytes, out, entries * SCRATCH_WORDS, start, start + captured, wire)) {
        clock[0] = now;
        w = entries * SCRATCH_WORDS;
        frameStart = start;
        frameEnd = start + captured;
        wireLength = wire;
        const reason = link.frame(bytes, linkType, start, frameEnd);
        if (reason !== DECODED) {
          count(reason);
          continue;
        }
      }
      outTimes[entries++] = now;
    }
    clock[0] = now;
    scratch.count = entries;
    counters[C_PACKETS] += i - from;
    counters[C_BYTES] += wireBytes;
    counters[C_DECODED] += entries;
    counters[C_TIME] += ranBack;
    return i;
  };

  return { decode };
}
