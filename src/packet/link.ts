/**
 * The link layer: from a frame's first byte to the IP header in it.
 *
 *   Ethernet, Linux cooked, PPP, 802.11 … ──► VLAN tags, MPLS labels, PPPoE, LLC/SNAP ──► IPv4 or IPv6
 *
 * Called by the decoder (decode.ts), which passes what to do with IP. Every function takes the chunk, the position where
 * its header begins, and the end of the captured bytes, and returns {@link DECODED} or the counter of the reason why not.
 */
import { decodeCounter } from './counters.ts';

/** The packet became a scratch entry. */
export const DECODED = 0;

const NON_IP = decodeCounter('non-ip');
const UNSUPPORTED = decodeCounter('unsupported-link');
const WIFI_ENCRYPTED = decodeCounter('wifi-encrypted');
const WIFI_OTHER = decodeCounter('wifi-other');
const BAD_LINK = decodeCounter('malformed.link');
const BAD_VLAN = decodeCounter('malformed.vlan');
const BAD_MPLS = decodeCounter('malformed.mpls');
const BAD_PPP = decodeCounter('malformed.ppp');
const BAD_WIFI = decodeCounter('malformed.wifi');
const BAD_VERSION = decodeCounter('malformed.ip-version');
const BAD_IPV4 = decodeCounter('malformed.ipv4-truncated');

/** libpcap link types (DLT_* and LINKTYPE_*, https://www.tcpdump.org/linktypes.html). */
export const LINK_NULL = 0;
export const LINK_ETHERNET = 1;
export const LINK_PPP = 9;
export const LINK_RAW_12 = 12;
export const LINK_RAW_14 = 14;
export const LINK_PPP_HDLC = 50;
export const LINK_RAW = 101;
export const LINK_C_HDLC = 104;
export const LINK_IEEE802_11 = 105;
export const LINK_LOOP = 108;
export const LINK_LINUX_SLL = 113;
export const LINK_RADIOTAP = 127;
export const LINK_PPI = 192;
export const LINK_IPV4 = 228;
export const LINK_IPV6 = 229;
export const LINK_LINUX_SLL2 = 276;

const SUPPORTED = new Set([
  LINK_NULL,
  LINK_ETHERNET,
  LINK_PPP,
  LINK_RAW_12,
  LINK_RAW_14,
  LINK_PPP_HDLC,
  LINK_RAW,
  LINK_C_HDLC,
  LINK_IEEE802_11,
  LINK_LOOP,
  LINK_LINUX_SLL,
  LINK_RADIOTAP,
  LINK_PPI,
  LINK_IPV4,
  LINK_IPV6,
  LINK_LINUX_SLL2,
]);

/** Whether packets of this link type can be decoded; those of others are counted as `unsupported-link`. */
export const supportsLinkType = (dlt: number): boolean => SUPPORTED.has(dlt);

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_QINQ = 0x88a8;
const ETHERTYPE_QINQ_OLD = 0x9100;
const ETHERTYPE_MPLS = 0x8847;
const ETHERTYPE_MPLS_MULTICAST = 0x8848;
const ETHERTYPE_PPPOE = 0x8864;
/** Up to here an EtherType field is the length of an 802.3 frame, and an LLC header follows. */
const MAX_8023_LENGTH = 1500;

const ARPHRD_NETLINK = 824;

/** Big-endian 16-bit number. The caller has checked that both bytes are there. */
export const u16 = (bytes: Uint8Array, p: number): number => (bytes[p] << 8) | bytes[p + 1];

/** Big-endian 32-bit number as int32. */
export const i32 = (bytes: Uint8Array, p: number): number => (bytes[p] << 24) | (bytes[p + 1] << 16) | (bytes[p + 2] << 8) | bytes[p + 3];

/** Reads an IP packet at `pos`. `vlan` is the innermost VLAN id so far, `depth` how many tunnels were opened. */
export type NetworkDecoder = (bytes: Uint8Array, pos: number, end: number, vlan: number, depth: number) => number;

export interface LinkDecoder {
  /** A whole frame of a link type. */
  frame(bytes: Uint8Array, linkType: number, pos: number, end: number): number;
  /** An Ethernet frame, also inside of a tunnel. */
  ethernet: NetworkDecoder;
}

export function createLinkDecoder(ipv4: NetworkDecoder, ipv6: NetworkDecoder): LinkDecoder {
  /** IPv4 or IPv6, as the version says. */
  const ip: NetworkDecoder = (bytes, pos, end, vlan, depth) => {
    if (pos >= end) return BAD_IPV4;
    const version = bytes[pos] >> 4;
    if (version === 4) return ipv4(bytes, pos, end, vlan, depth);
    if (version === 6) return ipv6(bytes, pos, end, vlan, depth);
    return BAD_VERSION;
  };

  /** Label stack (RFC 3032): 20 bits label, 3 bits class, 1 bit bottom of stack, 8 bits TTL; then IP, or anything else. */
  const mpls: NetworkDecoder = (bytes, pos, end, vlan, depth) => {
    for (;;) {
      if (end - pos < 4) return BAD_MPLS;
      const bottom = bytes[pos + 2] & 1;
      pos += 4;
      if (bottom === 1) break;
    }
    if (pos >= end) return BAD_MPLS;
    const version = bytes[pos] >> 4;
    return version === 4 || version === 6 ? ip(bytes, pos, end, vlan, depth) : NON_IP;
  };

  /** PPP protocol number, one byte when it is odd (protocol field compression), else two (RFC 1661). */
  const ppp: NetworkDecoder = (bytes, pos, end, vlan, depth) => {
    if (pos >= end) return BAD_PPP;
    let protocol = bytes[pos];
    if ((protocol & 1) === 1) {
      pos += 1;
    } else {
      if (end - pos < 2) return BAD_PPP;
      protocol = u16(bytes, pos);
      pos += 2;
    }
    if (protocol === 0x0021) return ipv4(bytes, pos, end, vlan, depth);
    if (protocol === 0x0057) return ipv6(bytes, pos, end, vlan, depth);
    if (protocol === 0x0281 || protocol === 0x0283) return mpls(bytes, pos, end, vlan, depth);
    return NON_IP;
  };

  /**
   * What follows an EtherType. 802.1Q tag: 2 bytes priority and VLAN id, 2 bytes next EtherType. PPPoE session (RFC 2516):
   * version and type 0x11, code 0, session, length, then PPP. LLC/SNAP: AA AA 03, 3 bytes organisation, EtherType.
   */
  const etherType = (bytes: Uint8Array, type: number, pos: number, end: number, vlan: number, depth: number): number => {
    for (;;) {
      if (type === ETHERTYPE_IPV4) return ipv4(bytes, pos, end, vlan, depth);
      if (type === ETHERTYPE_IPV6) return ipv6(bytes, pos, end, vlan, depth);
      if (type === ETHERTYPE_VLAN || type === ETHERTYPE_QINQ || type === ETHERTYPE_QINQ_OLD) {
        if (end - pos < 4) return BAD_VLAN;
        vlan = u16(bytes, pos) & 0xfff;
        type = u16(bytes, pos + 2);
        pos += 4;
        continue;
      }
      if (type === ETHERTYPE_MPLS || type === ETHERTYPE_MPLS_MULTICAST) return mpls(bytes, pos, end, vlan, depth);
      if (type === ETHERTYPE_PPPOE) {
        if (end - pos < 6 || bytes[pos] !== 0x11) return BAD_PPP;
        if (bytes[pos + 1] !== 0) return NON_IP;
        return ppp(bytes, pos + 6, end, vlan, depth);
      }
      if (type > MAX_8023_LENGTH) return NON_IP;
      if (end - pos < 3) return BAD_LINK;
      const sap = u16(bytes, pos);
      if (bytes[pos + 2] !== 3) return NON_IP;
      if (sap === 0x0606) return ipv4(bytes, pos + 3, end, vlan, depth);
      if (sap !== 0xaaaa) return NON_IP;
      if (end - pos < 8) return BAD_LINK;
      const organisation = (i32(bytes, pos + 2) & 0xffffff) >>> 0;
      if (organisation !== 0 && organisation !== 0xf8) return NON_IP;
      type = u16(bytes, pos + 6);
      pos += 8;
      if (type <= MAX_8023_LENGTH) return NON_IP;
    }
  };

  const ethernet: NetworkDecoder = (bytes, pos, end, vlan, depth) => {
    if (end - pos < 14) return BAD_LINK;
    return etherType(bytes, u16(bytes, pos + 12), pos + 14, end, vlan, depth);
  };

  /** Address and control 0F 00 or 8F 00, then an EtherType. */
  const ciscoHdlc = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 4) return BAD_LINK;
    return etherType(bytes, u16(bytes, pos + 2), pos + 4, end, 0, 0);
  };

  /** PPP with or without the address and control bytes FF 03; files of both PPP link types also hold C-HDLC. */
  const pppFramed = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 2) return BAD_LINK;
    if ((bytes[pos] & 0x7f) === 0x0f && bytes[pos + 1] === 0) return ciscoHdlc(bytes, pos, end);
    return ppp(bytes, bytes[pos] === 0xff && bytes[pos + 1] === 3 ? pos + 2 : pos, end, 0, 0);
  };

  /** Address family, 32 bits in the byte order of the machine that captured (LOOP: network order). */
  const loopback = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 4) return BAD_LINK;
    const big = i32(bytes, pos);
    const family = big >= 0 && big < 0x10000 ? big : bytes[pos] | (bytes[pos + 1] << 8);
    pos += 4;
    if (family === 2) return ipv4(bytes, pos, end, 0, 0);
    // IPv6 on Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS
    if (family === 10 || family === 23 || family === 24 || family === 28 || family === 30) return ipv6(bytes, pos, end, 0, 0);
    return NON_IP;
  };

  /** Packet type, hardware type, address length (2 bytes each), 8 bytes address, protocol. */
  const cooked = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 16) return BAD_LINK;
    if (u16(bytes, pos + 2) === ARPHRD_NETLINK) return NON_IP;
    return etherType(bytes, u16(bytes, pos + 14), pos + 16, end, 0, 0);
  };

  /** Protocol, 2 bytes reserved, 4 bytes interface, hardware type, packet type, address length (1 byte each), 8 bytes address. */
  const cooked2 = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 20) return BAD_LINK;
    if (u16(bytes, pos + 8) === ARPHRD_NETLINK) return NON_IP;
    return etherType(bytes, u16(bytes, pos), pos + 20, end, 0, 0);
  };

  /**
   * IEEE 802.11 data frame: frame control (2), duration (2), three addresses, sequence control (2), a fourth address between
   * access points, QoS control (2) and HT control (4) where announced; then LLC/SNAP.
   */
  const wifi = (bytes: Uint8Array, pos: number, end: number, padded: boolean): number => {
    if (end - pos < 2) return BAD_WIFI;
    const control = bytes[pos];
    const flags = bytes[pos + 1];
    if ((control & 3) !== 0) return BAD_WIFI;
    if ((control & 0x0c) !== 0x08 || (control & 0x40) !== 0) return WIFI_OTHER;
    let header = 24;
    if ((flags & 3) === 3) header += 6;
    const qos = (control & 0x80) !== 0;
    const qosAt = pos + header;
    if (qos) {
      header += 2;
      if ((flags & 0x80) !== 0) header += 4;
    }
    if (padded) header = (header + 3) & ~3;
    if (end - pos < header) return BAD_WIFI;
    if ((flags & 0x40) !== 0) return WIFI_ENCRYPTED;
    const aggregated = qos && (bytes[qosAt] & 0x80) !== 0;
    if (aggregated || (bytes[pos + 22] & 15) !== 0) return WIFI_OTHER;
    return etherType(bytes, 0, pos + header, end, 0, 0);
  };

  /**
   * Radiotap: version 0, pad, length (16 bits little-endian), words of present bits (bit 31: another word follows), then the
   * fields in the order of their bits. Of interest is bit 1, one byte of flags: 0x10 checksum at the end, 0x20 padding after
   * the 802.11 header, 0x40 bad checksum.
   */
  const radiotap = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 8 || bytes[pos] !== 0) return BAD_WIFI;
    const length = bytes[pos + 2] | (bytes[pos + 3] << 8);
    if (length < 8 || length > end - pos) return BAD_WIFI;
    const frame = pos + length;
    const present = bytes[pos + 4];
    let field = pos + 4;
    for (;;) {
      if (frame - field < 4) return BAD_WIFI;
      field += 4;
      if ((bytes[field - 1] & 0x80) === 0) break;
    }
    let flags = 0;
    if ((present & 2) !== 0) {
      if ((present & 1) !== 0) field = pos + ((field - pos + 7) & ~7) + 8;
      if (field >= frame) return BAD_WIFI;
      flags = bytes[field];
    }
    if ((flags & 0x40) !== 0) return BAD_WIFI;
    if ((flags & 0x10) !== 0) {
      if (end - frame < 4) return BAD_WIFI;
      end -= 4;
    }
    return wifi(bytes, frame, end, (flags & 0x20) !== 0);
  };

  /** Per-packet information: version 0, flags, length (16 bits), link type (32 bits), both little-endian. */
  const ppi = (bytes: Uint8Array, pos: number, end: number): number => {
    if (end - pos < 8 || bytes[pos] !== 0) return BAD_WIFI;
    const length = bytes[pos + 2] | (bytes[pos + 3] << 8);
    if (length < 8 || length > end - pos) return BAD_WIFI;
    const linkType = bytes[pos + 4] | (bytes[pos + 5] << 8);
    if (linkType === LINK_PPI) return BAD_WIFI;
    return frame(bytes, linkType, pos + length, end);
  };

  const frame = (bytes: Uint8Array, linkType: number, pos: number, end: number): number => {
    switch (linkType) {
      case LINK_ETHERNET:
        return ethernet(bytes, pos, end, 0, 0);
      case LINK_LINUX_SLL:
        return cooked(bytes, pos, end);
      case LINK_LINUX_SLL2:
        return cooked2(bytes, pos, end);
      case LINK_RAW_12:
      case LINK_RAW_14:
      case LINK_RAW:
        return ip(bytes, pos, end, 0, 0);
      case LINK_IPV4:
        return ipv4(bytes, pos, end, 0, 0);
      case LINK_IPV6:
        return ipv6(bytes, pos, end, 0, 0);
      case LINK_NULL:
      case LINK_LOOP:
        return loopback(bytes, pos, end);
      // Cisco's HDLC also comes under these two numbers; its first byte is no PPP protocol
      case LINK_PPP:
      case LINK_PPP_HDLC:
        return pppFramed(bytes, pos, end);
      case LINK_C_HDLC:
        return ciscoHdlc(bytes, pos, end);
      case LINK_RADIOTAP:
        return radiotap(bytes, pos, end);
      case LINK_IEEE802_11:
        return wifi(bytes, pos, end, false);
      case LINK_PPI:
        return ppi(bytes, pos, end);
      default:
        return UNSUPPORTED;
    }
  };

  return { frame, ethernet };
}
