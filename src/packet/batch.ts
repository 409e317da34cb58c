/**
 * What a source hands to the decoder, and what the decoder hands to the flow table.
 *
 *   source (libpcap) ──► PacketBatch ──► decode ──► Scratch ──► flow table
 *
 * Both are allocated once and reused: nothing is allocated per packet.
 */

/** Most packets in one batch: large enough that cache misses overlap, small enough to stay in the cache. */
export const BATCH_PACKETS = 128;

/** Bytes that one read of a source may fill. Larger chunks fall out of the second level cache. */
export const CHUNK_BYTES = 256 * 1024;

/** Int32 words per packet in {@link PacketBatch.frames}. */
export const FRAME_WORDS = 3;
export const FRAME_OFFSET = 0;
export const FRAME_CAPTURED = 1;
export const FRAME_WIRE = 2;

/** Frames as a source delivered them, in one chunk. */
export interface PacketBatch {
  /** The chunk that holds all frames. */
  readonly bytes: Uint8Array;
  /** Per packet: offset of the frame in `bytes`, captured length, length on the wire (all in bytes). */
  readonly frames: Int32Array;
  /** Per packet: capture time in microseconds since 1970 (an exact integer in a double). */
  readonly times: Float64Array;
  /** How many packets are in the batch. */
  count: number;
  /** libpcap link type (DLT) of all frames in it. */
  linkType: number;
}

/*
 * Scratch: one cache line (16 words) a packet that carries IP, plus its time in an array of its own.
 *
 *  word  0 a        one endpoint: IPv4 address as big-endian 32-bit number; IPv6: a hash of the address
 *        1 b        the other endpoint. (a, port of a) <= (b, port of b): the key is the same in both directions
 *                   (IPv4 as unsigned numbers; IPv6 as signed hash words, then the 16 bytes)
 *        2 ports    port of a << 16 | port of b; 0 without ports; for ICMP errors "port unreachable" a hash of the embedded packet
 *        3 pv       IP protocol | vlan << 8 | IPv6 << 24
 *        4 hash     of words 0-3, seeded
 *        5 flags    see F_*; bits 0-7 are the TCP flags
 *        6 wire     frame length on the wire, bytes
 *        7 payload  captured layer-4 payload, bytes (0 unless TCP, UDP, SCTP)
 *        8 seq      TCP sequence number
 *        9 ack      TCP acknowledgement number
 *       10 window   TCP window (unscaled) << 16 | IPv4 TOS or IPv6 traffic class << 8 | TTL or hop limit
 *       11 l3       offset in the chunk of the innermost IP header
 *       12 l3len    captured bytes from there to the end of the frame, Ethernet padding included
 *       13 frame    offset in the chunk of the frame
 *       14 icmp     ICMP type << 8 | code
 *          cut      TCP: payload bytes that the IP length announces and the capture has not
 *       15 slot     used by the flow table
 */
export const SCRATCH_WORDS = 16;
export const S_A = 0;
export const S_B = 1;
export const S_PORTS = 2;
export const S_PV = 3;
export const S_HASH = 4;
export const S_FLAGS = 5;
export const S_WIRE = 6;
export const S_PAYLOAD = 7;
export const S_SEQ = 8;
export const S_ACK = 9;
export const S_WINDOW = 10;
export const S_L3 = 11;
export const S_L3_LENGTH = 12;
export const S_FRAME = 13;
export const S_ICMP = 14;
export const S_CUT = 14;
export const S_SLOT = 15;

/** Bits 0-7 of the flags word: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128 (RFC 9293). */
export const F_TCP_FLAGS = 0xff;
/** The TCP header was complete: words 5 (low byte), 8, 9 and 10 are valid. */
export const F_TCP = 1 << 8;
/** The packet is an IP fragment. (One cut by the snap length is not: it is decoded as far as it goes.) */
export const F_FRAGMENT = 1 << 9;
/** Not handed to detection (any fragment). */
export const F_NO_DPI = 1 << 10;
/** Word 13 starts an Ethernet header (two MAC addresses can be read there). */
export const F_ETHERNET = 1 << 11;
/** Sign bit: the packet goes from b to a. */
export const F_FROM_B = 1 << 31;

/** IPv6 bit of the `pv` word. */
export const PV_IPV6 = 1 << 24;

/** Decoded packets, ready for the flow table. */
export interface Scratch {
  readonly words: Int32Array;
  /** Time of each decoded packet, microseconds since 1970, never running back. */
  readonly times: Float64Array;
  /** How many packets were decoded. */
  count: number;
}

/** An empty scratch of the size of a batch. */
export function createScratch(): Scratch {
  return {
    words: new Int32Array(BATCH_PACKETS * SCRATCH_WORDS),
    times: new Float64Array(BATCH_PACKETS),
    count: 0,
  };
}

/** Behind every chunk: room for packets that detection is told of (flows/detection.ts), three a packet of the batch. */
export const INTRODUCTION_BYTES = BATCH_PACKETS * 3 * 128;

/** An empty batch whose chunk takes a read of {@link CHUNK_BYTES} beside the largest record. */
export function createBatch(linkType: number): PacketBatch {
  return {
    bytes: new Uint8Array(2 * CHUNK_BYTES + 65536 + INTRODUCTION_BYTES), // a chunk, and what was left of the one before
    frames: new Int32Array(BATCH_PACKETS * FRAME_WORDS),
    times: new Float64Array(BATCH_PACKETS),
    count: 0,
    linkType,
  };
}

const windows = new WeakMap<PacketBatch, Uint8Array>();

/** The part of the chunk that a read may fill; the rest stays as a margin, because nDPI looks beyond the ends of packets. */
export function readable(batch: PacketBatch): Uint8Array {
  let window = windows.get(batch);
  if (window === undefined) {
    window = batch.bytes.subarray(0, CHUNK_BYTES);
    windows.set(batch, window);
  }
  return window;
}
