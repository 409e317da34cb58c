/** What a probe sends, as bytes: headers of every layout, and the TLV of nDPI's serializer. Written apart from the decoder. */
import { deflateSync } from 'node:zlib';

export type Layout = 24 | 28 | 36 | 40;

export interface HeaderFields {
  readonly topic?: string;
  readonly version?: number;
  readonly id?: number;
  readonly source?: number;
  /** Layout 36: 2 = TLV, 4 = zlib. */
  readonly flags?: number;
}

export function header(
  layout: Layout,
  { topic = 'flow', version = layout === 36 ? 4 : 2, id = 1, source = 0, flags = 0 }: HeaderFields = {},
): Buffer {
  const bytes = Buffer.alloc(layout);
  bytes.write(topic, 'latin1');
  const writeId = (at: number): void => void (version === 1 ? bytes.writeUInt32LE(id, at) : bytes.writeUInt32BE(id, at));
  if (layout === 40) bytes.writeUInt32LE(version, 32);
  else bytes[16] = version;
  if (layout === 24) {
    bytes[17] = source;
    writeId(20);
  } else if (layout === 28) {
    writeId(20);
    bytes.writeUInt32BE(source, 24);
  } else if (layout === 36) {
    bytes[17] = flags;
    writeId(28);
    bytes.writeUInt32BE(source, 32);
  }
  return bytes;
}

export type TlvValue = number | bigint | string | { readonly float: number } | { readonly signed: number };
export type TlvRecord = readonly (readonly [key: number | string, value: TlvValue])[];

const big = (width: 1 | 2 | 4, value: number): number[] =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** (width - 1 - i)) & 255);

/** Narrowest width as the serializer chooses it: its code among the unsigned ones, and the bytes. */
function shrunk(value: number | bigint): [code: number, bytes: number[]] {
  if (typeof value === 'bigint' || value > 0xffffffff) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return [5, [...bytes]];
  }
  if (value > 0xffff) return [4, big(4, value)];
  return value > 0xff ? [3, big(2, value)] : [2, big(1, value)];
}

function text(value: string): number[] {
  const bytes = Buffer.from(value, 'latin1');
  return [...big(2, bytes.length), ...bytes];
}

function tlvValue(value: TlvValue): [code: number, bytes: number[]] {
  if (typeof value === 'string') return [11, text(value)];
  if (typeof value === 'number' || typeof value === 'bigint') return shrunk(value);
  if ('float' in value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value.float);
    return [10, [...bytes]];
  }
  const { signed } = value;
  if (signed >= -128 && signed < 128) return [6, big(1, signed & 255)];
  if (signed >= -32768 && signed < 32768) return [7, big(2, signed & 65535)];
  return [8, big(4, signed >>> 0)];
}

export function tlv(records: readonly TlvRecord[], { lastEnd = true } = {}): Buffer {
  const bytes = [1, 1];
  records.forEach((record, index) => {
    for (const [key, value] of record) {
      const [keyCode, keyBytes] = typeof key === 'number' ? shrunk(key) : [11, text(key)];
      const [code, valueBytes] = tlvValue(value);
      bytes.push((keyCode << 4) | code, ...keyBytes, ...valueBytes);
    }
    if (lastEnd || index < records.length - 1) bytes.push(1);
  });
  return Buffer.from(bytes);
}

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
/** Before version 4. */
export const afterNul = (plain: Uint8Array): Buffer => Buffer.concat([Buffer.of(0), deflateSync(plain)]);
export const zlib = (plain: Uint8Array): Buffer => deflateSync(plain);
