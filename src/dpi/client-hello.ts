/**
 * The client hello of TLS (RFC 8446 4.1.2, RFC 5246 7.4.1.2), as far as fingerprints need it. In DTLS it has a cookie more; that one is not read.
 *
 *   u8 type = 1 │ u24 length │ u16 version │ 32 bytes random │ u8+ session id │ u16+ cipher suites │ u8+ compression │ u16+ extensions
 *   extension: u16 type │ u16+ data                                                    (N+ = length of N bits, then as many bytes)
 *
 * Enters: the bytes of a handshake message. Leaves: a {@link ClientHello}. Called by ja4.ts and quic-initial.ts.
 */

export interface ClientHello {
  /** Version word of the hello itself. */
  readonly legacyVersion: number;
  /** Numbers in the order in which they were sent, GREASE values (RFC 8701) among them. */
  readonly ciphers: readonly number[];
  readonly extensions: readonly number[];
  /** From the extensions of these names; empty without them. */
  readonly supportedVersions: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  /** First protocol that the client offers (RFC 7301); empty without one. */
  readonly alpn: Uint8Array;
}

export const CLIENT_HELLO = 1;
export const HANDSHAKE_HEADER = 4;

export const SERVER_NAME = 0;
export const ALPN = 16;
const SIGNATURE_ALGORITHMS = 13;
const SUPPORTED_VERSIONS = 43;

const NOTHING = new Uint8Array(0);

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number);

/** Length of a handshake message by its header, the header included. */
export const messageLength = (bytes: Uint8Array, at: number): number =>
  HANDSHAKE_HEADER + (((bytes[at + 1] as number) << 16) | u16(bytes, at + 2));

function numbers(bytes: Uint8Array, from: number, to: number): number[] {
  const list: number[] = [];
  for (let at = from; at + 2 <= to; at += 2) list.push(u16(bytes, at));
  return list;
}

/** First entry of the list of protocols that fills `from` to `to`. */
function firstProtocol(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const start = from + 3;
  if (start > to) return NOTHING;
  const end = start + (bytes[start - 1] as number);
  return end > to ? NOTHING : bytes.slice(start, end);
}

/** @returns undefined when the message in `bytes` from `at` to `end` is no client hello, or not a whole one */
export function parseClientHello(bytes: Uint8Array, at: number, end: number): ClientHello | undefined {
  if (end - at < HANDSHAKE_HEADER || bytes[at] !== CLIENT_HELLO) return undefined;
  const stop = at + messageLength(bytes, at);
  let next = at + HANDSHAKE_HEADER + 2 + 32;
  if (stop > end || next + 1 > stop) return undefined;
  const legacyVersion = u16(bytes, at + HANDSHAKE_HEADER);

  next += 1 + (bytes[next] as number);
  if (next + 2 > stop) return undefined;
  const ciphersEnd = next + 2 + u16(bytes, next);
  if (ciphersEnd + 1 > stop) return undefined;
  const ciphers = numbers(bytes, next + 2, ciphersEnd);
  next = ciphersEnd + 1 + (bytes[ciphersEnd] as number);
  if (next > stop) return undefined;

  const extensions: number[] = [];
  let supportedVersions: number[] = [];
  let signatureAlgorithms: number[] = [];
  let alpn: Uint8Array = NOTHING;
  // before TLS 1.2 a hello may end here
  const extensionsEnd = next + 2 > stop ? stop : Math.min(stop, next + 2 + u16(bytes, next));
  for (next += 2; next + 4 <= extensionsEnd; ) {
    const type = u16(bytes, next);
    const data = next + 4;
    next = data + u16(bytes, next + 2);
    if (next > extensionsEnd) return undefined;
    extensions.push(type);
    if (type === SUPPORTED_VERSIONS) supportedVersions = numbers(bytes, data + 1, next);
    else if (type === SIGNATURE_ALGORITHMS) signatureAlgorithms = numbers(bytes, data + 2, next);
    else if (type === ALPN) alpn = firstProtocol(bytes, data, next);
  }
  return { legacyVersion, ciphers, extensions, supportedVersions, signatureAlgorithms, alpn };
}
