/**
 * The header of a ZMQ message: the first frame in, what it says of the second frame out. Called by the decoder.
 *
 *   length  40              24              28              36
 *   layout  0               1               2               3
 *    0      topic 32        topic 16        topic 16        topic 16       padded with NUL
 *           version u32     version u8      version u8      version u8 = 4
 *           size u32        source u8       -               flags u8       2 = TLV, 4 = zlib
 *                           size u16        size u16        - u16
 *                           id u32          id u32          plain size u32, packed size u32
 *                                           source u32      id u32
 *                                                           source u32
 *
 * Structs of little-endian machines; `id` is in network order except in version 1, `source` is opaque and read in network order (probes
 * log the same number). Sizes are hints that senders get wrong: nobody reads them. Layouts 0 to 2 carry any version up to 3:
 * 3 is TLV, all others JSON that begins with NUL where it is compressed. Version 4 in an older layout is an older sender's
 * mistake and read as version 2.
 */

export const TOPICS = ['flow', 'event', 'counter', 'template', 'option', 'hello', 'listening-ports', 'snmp-ifaces'] as const;
export type Topic = (typeof TOPICS)[number];

/** Positions in {@link TOPICS}. */
export const TOPIC_FLOW = 0;
export const TOPIC_UNKNOWN = -1;

export const NEWEST_VERSION = 4;
const FLAG_TLV = 2;
const FLAG_ZLIB = 4;

/** How the payload is packed: not at all, by zlib, or by zlib after a NUL if there is one. */
export const PACKED_NOT = 0;
export const PACKED_ZLIB = 1;
export const PACKED_AFTER_NUL = 2;

export class MessageHeader {
  /** Position in {@link TOPICS}, or {@link TOPIC_UNKNOWN}. */
  topic = TOPIC_UNKNOWN;
  version = 0;
  /** PACKED_* */
  packed = PACKED_NOT;
  tlv = false;
  /** Number of the sending process; 0 where the layout has none. */
  source = 0;
  /** Number of the message, below 2^32. */
  id = 0;
  /** False: the layout has no id, or its sender is known not to fill it in. */
  numbered = false;
}

const topicBytes = TOPICS.map((topic) => Uint8Array.from(topic, (character) => character.charCodeAt(0)));

function topicOf(bytes: Uint8Array, room: number): number {
  for (let topic = 0; topic < topicBytes.length; topic++) {
    const name = topicBytes[topic];
    let same = 0;
    while (same < name.length && name[same] === bytes[same]) same++;
    if (same === name.length && (same === room || bytes[same] === 0)) return topic;
  }
  return TOPIC_UNKNOWN;
}

const big = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
const little = (bytes: Uint8Array, at: number): number =>
  ((bytes[at + 3] << 24) | (bytes[at + 2] << 16) | (bytes[at + 1] << 8) | bytes[at]) >>> 0;

/** @returns '' when `header` is filled in, else why the message is rejected */
export function readHeader(bytes: Uint8Array, header: MessageHeader): '' | 'header' | 'version' {
  const length = bytes.length;
  if (length !== 24 && length !== 28 && length !== 36 && length !== 40) return 'header';
  const topicRoom = length === 40 ? 32 : 16;
  // the emulators of layout 0 put the end of layout 1 behind the topic: the version is the low byte either way
  const version = bytes[topicRoom];
  if (version > NEWEST_VERSION) return 'version';
  header.topic = topicOf(bytes, topicRoom);
  header.version = version;
  header.numbered = length !== 40 && (version !== 4 || length === 36);
  const idAt = length === 36 ? 28 : 20;
  header.id = !header.numbered ? 0 : version === 1 ? little(bytes, idAt) : big(bytes, idAt);
  if (version === 1 || length === 40) header.source = 0;
  else if (length === 24) header.source = bytes[17];
  else header.source = big(bytes, length - 4);
  if (version === 4 && length === 36) {
    header.tlv = (bytes[17] & FLAG_TLV) !== 0;
    header.packed = (bytes[17] & FLAG_ZLIB) !== 0 ? PACKED_ZLIB : PACKED_NOT;
  } else {
    header.tlv = version === 3;
    header.packed = version === 3 ? PACKED_NOT : PACKED_AFTER_NUL;
  }
  return '';
}
