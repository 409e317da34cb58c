/** Client hellos for tests: a handshake message out of a plain object, and the record around it. */

export interface HelloOf {
  /** Version word of the hello; TLS 1.2 if left out. */
  readonly version?: number;
  readonly ciphers: readonly number[];
  readonly serverName?: string;
  /** Latin-1. */
  readonly alpn?: readonly string[];
  readonly supportedVersions?: readonly number[];
  readonly signatureAlgorithms?: readonly number[];
  /** Further extensions, without data; they come after the first. */
  readonly others?: readonly number[];
}

const u8 = (value: number): Buffer => Buffer.of(value);
const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255);
const sized8 = (bytes: Buffer): Buffer => Buffer.concat([u8(bytes.length), bytes]);
const sized16 = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);
const words = (values: readonly number[]): Buffer => Buffer.concat(values.map(u16));
const extension = (type: number, data: Buffer): Buffer => Buffer.concat([u16(type), sized16(data)]);

/** A TLS record of handshake messages. */
export const record = (content: Uint8Array): Buffer => Buffer.concat([Buffer.of(0x16, 3, 1), sized16(Buffer.from(content))]);

/** The handshake message. */
export function clientHello(of: HelloOf): Buffer {
  const extensions = [
    of.serverName === undefined ? [] : [extension(0, sized16(Buffer.concat([u8(0), sized16(Buffer.from(of.serverName))])))],
    of.alpn === undefined ? [] : [extension(16, sized16(Buffer.concat(of.alpn.map((name) => sized8(Buffer.from(name, 'latin1'))))))],
    of.supportedVersions === undefined ? [] : [extension(43, sized8(words(of.supportedVersions)))],
    of.signatureAlgorithms === undefined ? [] : [extension(13, sized16(words(of.signatureAlgorithms)))],
    (of.others ?? []).map((type) => extension(type, Buffer.alloc(0))),
  ].flat();
  const body = Buffer.concat([
    u16(of.version ?? 0x0303),
    Buffer.alloc(32, 0x5a),
    sized8(Buffer.alloc(0)),
    sized16(words(of.ciphers)),
    sized8(Buffer.of(0)),
    ...(extensions.length === 0 ? [] : [sized16(Buffer.concat(extensions))]),
  ]);
  return Buffer.concat([Buffer.of(1, 0), u16(body.length), body]);
}
