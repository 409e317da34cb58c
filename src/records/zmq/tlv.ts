/**
 * Flows in the TLV of nDPI's serializer, read into a record. Called by the decoder.
 *
 *   body    version (1), format (1), items
 *   item    type byte: key type << 4 | value type; key; value
 *
 *   1 end of record (the whole item is this byte)       2 to 5  u8 u16 u32 u64      6 to 9  i8 i16 i32 i64       big-endian
 *   10 float, IEEE single, little-endian                11 string: u16 length, bytes
 *   12, 14 begin of a block, of a list: a key           13, 15 their ends: neither key nor value
 *
 * The writer shrinks numbers to their smallest width, so a u32 above 2^31 may come as a negative i32. Keys are u8, u16, u32 or
 * strings. The last record may lack its end; empty records are legal. Values in blocks and lists are not read.
 */
import type { Dictionary } from './dictionary.ts';
import { type Assembly, MOST_ITEMS, MOST_NESTING, type ReadResult } from './json.ts';
import { NUMBER, TEXT } from './value.ts';

export const TLV_VERSION = 1;
export const TLV_FORMAT = 1;
export const TLV_HEADER = 2;

const END_OF_RECORD = 1;
const U8 = 2;
const U16 = 3;
const U32 = 4;
const U64 = 5;
const I8 = 6;
const I16 = 7;
const I32 = 8;
const I64 = 9;
const FLOAT = 10;
const STRING = 11;
const BEGIN_BLOCK = 12;
const END_BLOCK = 13;
const BEGIN_LIST = 14;
const END_LIST = 15;

const TWO32 = 0x1_0000_0000;

export function createTlvReader(
  body: Buffer,
  dictionary: Pick<Dictionary, 'byNumber' | 'byKey'>,
  assembly: Assembly,
): (length: number) => ReadResult {
  const { draft, value } = assembly;
  const u16 = (at: number): number => (body[at] << 8) | body[at + 1];
  const u32 = (at: number): number => ((body[at] << 24) | (body[at + 1] << 16) | (body[at + 2] << 8) | body[at + 3]) >>> 0;
  const single = new Float32Array(1);
  const singleBytes = new Uint8Array(single.buffer);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

  /** Reads the value of `type` at `at`. @returns the byte after it; -1: no such type, or it ends too early */
  const read = (type: number, at: number, end: number): number => {
    value.bytes = body;
    if (type === STRING) {
      if (at + 2 > end) return -1;
      value.kind = TEXT;
      value.start = at + 2;
      value.end = at + 2 + u16(at);
      return value.end > end ? -1 : value.end;
    }
    value.kind = NUMBER;
    value.start = -1;
    value.wide = false;
    value.wrap = TWO32;
    switch (type) {
      case U8:
        value.number = body[at];
        return at + 1;
      case I8:
        value.number = (body[at] << 24) >> 24;
        value.wrap = 0x100;
        return at + 1;
      case U16:
        value.number = u16(at);
        return at + 2;
      case I16:
        value.number = (u16(at) << 16) >> 16;
        value.wrap = 0x10000;
        return at + 2;
      case U32:
        value.number = u32(at);
        return at + 4;
      case I32:
        value.number = u32(at) | 0;
        return at + 4;
      case U64:
      case I64: {
        const high = u32(at);
        const low = u32(at + 4);
        value.number = (type === I64 ? high | 0 : high) * TWO32 + low;
        value.wide = !Number.isSafeInteger(value.number);
        value.high = high;
        value.low = low;
        value.wrap = TWO32 * TWO32;
        return at + 8;
      }
      case FLOAT:
        for (let i = 0; i < 4; i++) singleBytes[i] = body[at + (littleEndian ? i : 3 - i)];
        value.number = single[0];
        return at + 4;
      default:
        return -1;
    }
  };

  return (length) => {
    if (length < TLV_HEADER || body[0] !== TLV_VERSION || body[1] !== TLV_FORMAT) return 'tlv';
    let items = 0;
    let depth = 0;
    for (let at = TLV_HEADER; at < length; ) {
      const type = body[at++];
      if (type === END_OF_RECORD) {
        if (depth > 0) return 'tlv';
        if (items > 0) assembly.end();
        items = 0;
        continue;
      }
      const valueType = type & 15;
      if (valueType === END_BLOCK || valueType === END_LIST) {
        if (--depth < 0) return 'tlv';
        continue;
      }
      let keyStart = at;
      let number = -1;
      switch (type >> 4) {
        case U8:
          number = body[at];
          at += 1;
          break;
        case U16:
          number = u16(at);
          at += 2;
          break;
        case U32:
          number = u32(at);
          at += 4;
          break;
        case STRING:
          keyStart = at + 2;
          at += 2 + u16(at);
          break;
        default:
          return 'tlv';
      }
      const keyEnd = at;
      if (at > length) return 'tlv';
      if (++items > MOST_ITEMS) return 'items';
      if (valueType === BEGIN_BLOCK || valueType === BEGIN_LIST) {
        if (++depth > MOST_NESTING) return 'items';
        continue;
      }
      at = read(valueType, at, length);
      if (at < 0 || at > length) return 'tlv';
      if (depth > 0) continue;
      const field = number >= 0 ? dictionary.byNumber(number) : dictionary.byKey(body, keyStart, keyEnd);
      if (field !== undefined) field.apply(draft, value);
      else if (number < 0) assembly.unknown(body, keyStart, keyEnd);
      else assembly.unknownNumber(number);
    }
    if (depth > 0) return 'tlv';
    if (items > 0) assembly.end();
    return '';
  };
}
