/**
 * The client hello of QUIC, which travels in Initial packets that everyone on the path can decrypt (RFC 9001 5.2, RFC 9369 for version 2).
 *
 *   long header   u8 11TT____ │ u32 version │ u8+ destination id │ u8+ source id │ varint+ token │ varint length │ packet number │ payload
 *   keys          HKDF over the destination id of the client's first packet, with the salt of the version
 *   payload       AES-128-GCM; frames, of which CRYPTO (6 │ varint offset │ varint+ data) carry the hello, in any order
 *
 * Enters: payload of client datagrams, from the flow engine. Leaves: JA4 and version, once the hello is complete.
 */
import { createCipheriv, createDecipheriv, hash } from 'node:crypto';
import { CLIENT_HELLO, HANDSHAKE_HEADER, messageLength, parseClientHello } from './client-hello.ts';
import { ja4Of } from './ja4.ts';

const MOST_BYTES = 16 << 10;
const MOST_FRAMES = 256;
const MOST_FLOWS = 1024;
/** Initial packets that are opened of one datagram: clients send one, two or three, and each costs work. */
const MOST_PACKETS = 4;
/** RFC 9000 14.1: a client's datagram with an Initial packet is never shorter. */
const LEAST_DATAGRAM = 1200;
const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;
/** RFC 9000 17.2: longest connection id. */
const MOST_ID = 20;

/** How the versions differ. */
interface Variant {
  readonly salt: Buffer;
  readonly label: 'quic' | 'quicv2';
  /** Type of an Initial packet, in the bits 0x30 of its first byte. */
  readonly initial: number;
}

const variant = (salt: string, label: Variant['label'] = 'quic', initial = 0x00): Variant => ({
  salt: Buffer.from(salt, 'hex'),
  label,
  initial,
});
const V1 = variant('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
const V2 = variant('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'quicv2', 0x10);
const DRAFT_29 = variant('afbfec289993d24c9e9786f19c6111e04390a899');
const DRAFT_23 = variant('c3eef712c72ebb5a11a7d2432bb46365bef9f502');

function variantOf(version: number): Variant | undefined {
  if (version === 1) return V1;
  if (version === 0x6b3343cf) return V2;
  const draft = version - 0xff000000;
  if (draft < 23 || draft > 34) return undefined;
  return draft < 29 ? DRAFT_23 : draft < 33 ? DRAFT_29 : V1;
}

interface Keys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly headerKey: Buffer;
}

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');
/** Bytes of a block and of a digest of SHA-256. */
const BLOCK = 64;
const DIGEST = 32;

/** HMAC-SHA-256 (RFC 2104) by two plain digests: an object of node:crypto per key costs more than both. @param key at most 64 bytes */
function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  const inner = Buffer.alloc(BLOCK + data.length, 0x36);
  const outer = Buffer.alloc(BLOCK + DIGEST, 0x5c);
  for (let i = 0; i < key.length; i++) {
    inner[i] = 0x36 ^ (key[i] as number);
    outer[i] = 0x5c ^ (key[i] as number);
  }
  inner.set(data, BLOCK);
  outer.set(sha256(inner), BLOCK);
  return sha256(outer);
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1), at most 32 bytes. */
function expand(secret: Uint8Array, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  return hmac(secret, Buffer.from(`\0${String.fromCharCode(length, name.length)}${name}\0\x01`, 'latin1')).subarray(0, length);
}

/** Keys by which a client protects its Initial packets. */
export function clientKeys(version: number, destinationId: Uint8Array): Keys | undefined {
  const found = variantOf(version);
  if (found === undefined) return undefined;
  const secret = expand(hmac(found.salt, destinationId), 'client in', 32);
  return {
    key: expand(secret, `${found.label} key`, 16),
    iv: expand(secret, `${found.label} iv`, 12),
    headerKey: expand(secret, `${found.label} hp`, 16),
  };
}

/** RFC 9000 16; moved over bytes by {@link varint}. */
interface Cursor {
  at: number;
  readonly end: number;
}

/** @returns -1 when the number is not whole, or beyond what counts here (2^30) */
function varint(bytes: Uint8Array, cursor: Cursor): number {
  const { at, end } = cursor;
  if (at >= end) return -1;
  const first = bytes[at] as number;
  const size = 1 << (first >> 6);
  if (at + size > end) return -1;
  cursor.at = at + size;
  let value = first & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + (bytes[at + i] as number);
  return value >= 2 ** 30 ? -1 : value;
}

interface Packet {
  readonly version: number;
  readonly start: number;
  readonly destinationId: Uint8Array;
  /** Offset of the packet number. */
  readonly number: number;
  readonly end: number;
}

/** The Initial packet at the start of a datagram's rest. A number is the offset of the packet behind one that is not Initial, or `end`. */
function initialPacket(bytes: Uint8Array, start: number, end: number): Packet | number {
  if (end - start < 7 || ((bytes[start] as number) & 0xc0) !== 0xc0) return end;
  const version =
    (bytes[start + 1] as number) * 2 ** 24 +
    (((bytes[start + 2] as number) << 16) | ((bytes[start + 3] as number) << 8)) +
    (bytes[start + 4] as number);
  const found = variantOf(version);
  if (found === undefined) return end;
  const isInitial = ((bytes[start] as number) & 0x30) === found.initial;
  const idLength = bytes[start + 5] as number;
  const id = start + 6;
  if (idLength > MOST_ID || id + idLength >= end) return end;
  const cursor: Cursor = { at: id + idLength + 1 + (bytes[id + idLength] as number), end };
  if (isInitial) {
    const token = varint(bytes, cursor);
    if (token < 0) return end;
    cursor.at += token;
  }
  const length = varint(bytes, cursor);
  if (length < 0 || cursor.at + length > end) return end;
  if (!isInitial) return cursor.at + length; // 0-RTT; a Retry is none of a client's
  return { version, start, destinationId: bytes.subarray(id, id + idLength), number: cursor.at, end: cursor.at + length };
}

/** @returns the frames; undefined when the keys are not those of the packet */
function decrypt(bytes: Uint8Array, packet: Packet, keys: Keys): Uint8Array | undefined {
  if (packet.number + 4 + SAMPLE_BYTES > packet.end) return undefined;
  const mask = createCipheriv('aes-128-ecb', keys.headerKey, null).update(
    bytes.subarray(packet.number + 4, packet.number + 4 + SAMPLE_BYTES),
  );
  const header = Buffer.from(bytes.subarray(packet.start, packet.number + 4));
  header[0] = (header[0] as number) ^ ((mask[0] as number) & 0x0f);
  const numberLength = ((header[0] as number) & 3) + 1;
  const nonce = Buffer.from(keys.iv);
  for (let i = 0; i < numberLength; i++) {
    const at = packet.number - packet.start + i;
    header[at] = (header[at] as number) ^ (mask[i + 1] as number);
    // a client's first packets have small numbers: what is sent of one is all of it
    const place = nonce.length - numberLength + i;
    nonce[place] = (nonce[place] as number) ^ (header[at] as number);
  }
  const from = packet.number + numberLength;
  const tag = packet.end - TAG_BYTES;
  if (tag < from) return undefined;
  const cipher = createDecipheriv('aes-128-gcm', keys.key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(header.subarray(0, packet.number - packet.start + numberLength)).setAuthTag(bytes.subarray(tag, packet.end));
  const plain = cipher.update(bytes.subarray(from, tag));
  try {
    cipher.final();
  } catch {
    return undefined;
  }
  return plain;
}

interface Piece {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** Adds the content of the CRYPTO frames. */
function takeCrypto(frames: Uint8Array, pieces: Piece[]): void {
  const cursor: Cursor = { at: 0, end: frames.length };
  const skip = (count: number): boolean => {
    for (let i = 0; i < count; i++) if (varint(frames, cursor) < 0) return false;
    return true;
  };
  while (cursor.at < cursor.end) {
    const type = frames[cursor.at++] as number;
    if (type === 0 || type === 1) continue; // PADDING, PING
    if (type === 2 || type === 3) {
      // ACK: largest, delay, further ranges, first range; counts of ECN
      if (!skip(2)) return;
      const ranges = varint(frames, cursor);
      if (ranges < 0 || !skip(1 + 2 * ranges + (type === 3 ? 3 : 0))) return;
      continue;
    }
    if (type !== 6) return; // CONNECTION_CLOSE, or what may not be here
    const offset = varint(frames, cursor);
    const length = varint(frames, cursor);
    if (offset < 0 || length < 0 || cursor.at + length > cursor.end) return;
    pieces.push({ offset, data: frames.subarray(cursor.at, cursor.at + length) });
    cursor.at += length;
  }
}

/** What the pieces give from offset 0 on without a gap. */
function joined(pieces: readonly Piece[]): Uint8Array {
  const inOrder = [...pieces].sort((a, b) => a.offset - b.offset);
  const bytes = new Uint8Array(
    Math.min(
      MOST_BYTES,
      inOrder.reduce((most, { offset, data }) => Math.max(most, offset + data.length), 0),
    ),
  );
  let length = 0;
  for (const { offset, data } of inOrder) {
    if (offset > length) break;
    if (offset + data.length > bytes.length) break;
    bytes.set(data, offset);
    length = Math.max(length, offset + data.length);
  }
  return bytes.subarray(0, length);
}

export interface QuicHello {
  readonly ja4: string;
  readonly version: number;
}

/** Client hellos that were begun and never read. */
export interface QuicDropped {
  /** Initial packets that no key opens: damaged, or of a connection whose first packet was not seen. */
  undecipherable: number;
  /** Longer than 16 KiB, or in more than 256 pieces, or no client hello. */
  unusable: number;
  /** The oldest had to go, as too many flows were waiting. */
  evicted: number;
}

export interface QuicJa4 {
  /**
   * Takes the payload of a client's datagram: `payloadLength` bytes of `chunk` from `payloadOffset` on. After a flow's answer nothing more of it is
   * read, until its `end`.
   *
   * @returns what the hello tells, when it is complete with this datagram
   */
  feed(flow: number, chunk: Uint8Array, payloadOffset: number, payloadLength: number): QuicHello | undefined;
  /** Forgets the flow: it has ended, or its detection is over. To be called for every flow that was fed. */
  end(flow: number): void;
  /** Flows whose hello is incomplete. */
  waiting(): number;
  readonly dropped: Readonly<QuicDropped>;
}

interface Pending {
  keys: Keys;
  pieces: Piece[];
}

export function createQuicJa4(): QuicJa4 {
  const pending = new Map<number, Pending>();
  const answered = new Set<number>();
  const dropped: QuicDropped = { undecipherable: 0, unusable: 0, evicted: 0 };

  function remember(flow: number, waiting: Pending): void {
    if (!pending.has(flow) && pending.size >= MOST_FLOWS) {
      for (const oldest of pending.keys()) {
        pending.delete(oldest);
        break;
      }
      dropped.evicted++;
    }
    pending.set(flow, waiting);
  }

  /** Opens a packet, by the flow's keys or by those of its own destination id: the first packet, and the first after a Retry. */
  function open(flow: number, chunk: Uint8Array, packet: Packet): Pending | undefined {
    let waiting = pending.get(flow);
    let frames = waiting && decrypt(chunk, packet, waiting.keys);
    if (waiting === undefined || frames === undefined) {
      const keys = clientKeys(packet.version, packet.destinationId) as Keys;
      frames = decrypt(chunk, packet, keys);
      if (frames === undefined) {
        dropped.undecipherable++;
        return undefined;
      }
      waiting = { keys, pieces: [] };
    }
    takeCrypto(frames, waiting.pieces);
    return waiting;
  }

  return {
    dropped,
    waiting: () => pending.size,
    end(flow) {
      if (pending.size !== 0) pending.delete(flow);
      if (answered.size !== 0) answered.delete(flow);
    },
    feed(flow, chunk, payloadOffset, payloadLength) {
      if (payloadLength < LEAST_DATAGRAM || answered.has(flow)) return undefined;
      const end = payloadOffset + payloadLength;
      for (let at = payloadOffset, packets = 0; at < end && packets < MOST_PACKETS; packets++) {
        const packet = initialPacket(chunk, at, end);
        if (typeof packet === 'number') {
          at = packet;
          continue;
        }
        at = packet.end;
        const waiting = open(flow, chunk, packet);
        if (waiting === undefined) return undefined;
        if (waiting.pieces.length === 0) continue;
        const bytes = joined(waiting.pieces);
        const length = bytes.length < HANDSHAKE_HEADER ? 0 : messageLength(bytes, 0);
        if (length > MOST_BYTES || waiting.pieces.length > MOST_FRAMES || (bytes.length > 0 && bytes[0] !== CLIENT_HELLO)) {
          pending.delete(flow);
          dropped.unusable++;
          return undefined;
        }
        if (length === 0 || length > bytes.length) {
          remember(flow, waiting);
          continue;
        }
        pending.delete(flow);
        const hello = parseClientHello(bytes, 0, length);
        if (hello === undefined) {
          dropped.unusable++;
          return undefined;
        }
        answered.add(flow);
        return { ja4: ja4Of(hello, 'q'), version: packet.version };
      }
      return undefined;
    },
  };
}
