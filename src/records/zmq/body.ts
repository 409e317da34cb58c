/**
 * The body of a message: payload as received in, plain JSON or TLV out, in one buffer that is always the same, followed by a byte 0. Called
 * by the decoder.
 */
import { inflateSync } from 'node:zlib';
import { PACKED_AFTER_NUL, PACKED_ZLIB } from './header.ts';

export const LARGEST_PAYLOAD = 1 << 20;
/** Probes batch 128 KiB at most; this much is read in some 25 ms. */
export const LARGEST_BODY = 2 << 20;

/** Output is made in pieces of so many bytes; compression by this factor needs one. */
const SMALLEST_CHUNK = 1024;
const LARGEST_CHUNK = 262_144;
const USUAL_RATIO = 8;

/** What readers may look at behind the end. */
const SLACK = 16;

/** First byte of a zlib stream with a window of 32 KiB (RFC 1950). */
const ZLIB = 0x78;

export interface Body {
  /** Holds the body after {@link unpack}; `bytes[length]` is 0. */
  readonly bytes: Buffer;
  length: number;
  /**
   * @param packed PACKED_*
   * @param mask password of old probes: the plain body is XORed with its bytes, again and again
   */
  unpack(payload: Uint8Array, packed: number, mask?: Uint8Array): '' | 'size' | 'inflate' | 'inflated-size';
}

/** Is it TLV, by its first bytes? */
export const looksLikeTlv = (bytes: Uint8Array, length: number): boolean => length >= 2 && bytes[0] === 1 && bytes[1] === 1;

/** Is it JSON, by its first byte? */
export const looksLikeJson = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7b || bytes[0] === 0x5b || bytes[0] === 0x20 || (bytes[0] >= 9 && bytes[0] <= 13);

export function createBody(): Body {
  const bytes = Buffer.alloc(LARGEST_BODY + SLACK);

  const inflate = (packed: Uint8Array): Buffer | 'inflate' | 'inflated-size' => {
    // Node keeps the output of a stream that fails until the event loop turns: what a small message can hold is small
    const chunkSize = Math.min(LARGEST_CHUNK, Math.max(SMALLEST_CHUNK, packed.length * USUAL_RATIO));
    try {
      return inflateSync(packed, { maxOutputLength: LARGEST_BODY, chunkSize });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'inflated-size' : 'inflate';
    }
  };

  const put = (plain: Uint8Array): void => {
    bytes.set(plain);
    bytes[plain.length] = 0;
    body.length = plain.length;
  };

  const unmask = (mask: Uint8Array): void => {
    for (let i = 0; i < body.length; i++) (bytes[i] as number) ^= mask[i % mask.length];
  };

  const body: Body = {
    bytes,
    length: 0,
    unpack(payload, packed, mask) {
      body.length = 0;
      if (payload.length > LARGEST_PAYLOAD) return 'size';
      const afterNul = packed === PACKED_AFTER_NUL && payload.length > 0 && payload[0] === 0;
      // some senders compress without saying so
      const unsaid = !afterNul && payload[0] === ZLIB;
      if (packed !== PACKED_ZLIB && !afterNul && !unsaid) put(payload);
      else {
        const plain = inflate(afterNul ? payload.subarray(1) : payload);
        // and some say so and do not; under a mask any byte may come first
        const looksPlain = packed === PACKED_ZLIB ? looksLikeJson(payload) || looksLikeTlv(payload, payload.length) : mask !== undefined;
        if (typeof plain !== 'string') put(plain);
        else if (plain === 'inflate' && looksPlain) put(payload);
        else return plain;
      }
      if (mask !== undefined) unmask(mask);
      return '';
    },
  };
  return body;
}
