/**
 * IPFIX over TCP (RFC 7011, 10.4.3): a stream of messages, each with its length at offset 2. What is no IPFIX ends the connection, as
 * nobody can tell where the next message begins.
 */
import { IPFIX_HEADER, ipfixLength } from './ipfix.ts';

const VERSION = 10;

export interface Framing {
  /** Takes what came. @returns false: it is no IPFIX */
  push(chunk: Buffer): boolean;
  /** Bytes of a message that is not whole yet; less than 64 KiB. */
  pending(): number;
}

/** @param message takes each message; the bytes are not its own */
export function createFraming(message: (bytes: Buffer) => void): Framing {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      while (bytes.length - at >= 4) {
        const one = bytes.subarray(at);
        const length = ipfixLength(one);
        if (one.readUInt16BE(0) !== VERSION || length < IPFIX_HEADER) {
          rest = Buffer.alloc(0);
          return false;
        }
        if (one.length < length) break;
        message(one.subarray(0, length));
        at += length;
      }
      rest = Buffer.from(bytes.subarray(at));
      return true;
    },
    pending: () => rest.length,
  };
}
