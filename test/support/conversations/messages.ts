/**
 * What ends say in the protocols of the examples: the bytes of single messages. A message begins with the layout it has, where
 * that is not plain text. Called by example-captures.ts.
 */

import { clientHello, type HelloOf, record } from '../client-hello.ts';
import { join } from '../packets.ts';

const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 255);
const u24 = (value: number): Uint8Array => Uint8Array.of(value >> 16, (value >> 8) & 255, value & 255);
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

// DNS (RFC 1035 4.1): id, flags, number of questions, answers, authorities, additional records; then these

const dnsName = (name: string): Uint8Array =>
  join(...name.split('.').map((label) => join(Uint8Array.of(label.length), label)), Uint8Array.of(0));

/** @param type 1 = A, 16 = TXT */
export const dnsQuery = (id: number, name: string, type = 1): Uint8Array =>
  join(u16(id), u16(0x0100), u16(1), u16(0), u16(0), u16(0), dnsName(name), u16(type), u16(1));

/** One address. The answer's name points at the question's, at offset 12. */
export const dnsAnswer = (id: number, name: string, address: string): Uint8Array =>
  join(
    ...[u16(id), u16(0x8180), u16(1), u16(1), u16(0), u16(0), dnsName(name), u16(1), u16(1)],
    ...[u16(0xc00c), u16(1), u16(1), Uint8Array.of(0, 0, 0, 60), u16(4), Uint8Array.from(address.split('.'), Number)],
  );

// HTTP (RFC 9112) and FTP (RFC 959)

export const httpRequest = (host: string, path: string, more: readonly string[] = []): string =>
  [`GET ${path} HTTP/1.1`, `Host: ${host}`, 'User-Agent: Mozilla/5.0 (X11; Linux x86_64)', 'Accept: */*', ...more, '', ''].join('\r\n');

export const httpAnswer = (body: string): string =>
  ['HTTP/1.1 200 OK', 'Content-Type: text/html', `Content-Length: ${body.length}`, '', body].join('\r\n');

// TLS 1.2 (RFC 5246): record = type, version, length; handshake message = type, length of 3 bytes, content

const handshake = (type: number, ...content: readonly Uint8Array[]): Uint8Array => {
  const bytes = join(...content);
  return join(Uint8Array.of(type), u24(bytes.length), bytes);
};

const MODERN: HelloOf = {
  ciphers: [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8],
  alpn: ['h2', 'http/1.1'],
  signatureAlgorithms: [0x0403, 0x0804, 0x0401],
  others: [0x17],
};

export const hello = (serverName: string | undefined, of: Partial<HelloOf> = {}): Uint8Array =>
  record(clientHello({ ...MODERN, ...(serverName === undefined ? {} : { serverName }), ...of }));

/** Server hello with the cipher suite ECDHE-RSA-AES128-GCM-SHA256 (0xc02f), certificates, hello done. */
export const serverHello = (...certificates: readonly Uint8Array[]): Uint8Array => {
  const list = join(...certificates.map((bytes) => join(u24(bytes.length), bytes)));
  return record(
    join(
      handshake(2, u16(0x0303), new Uint8Array(32).fill(0xa5), Uint8Array.of(0), u16(0xc02f), Uint8Array.of(0), u16(0)),
      ...(certificates.length === 0 ? [] : [handshake(11, u24(list.length), list)]),
      handshake(14),
    ),
  );
};

/** Key exchange, change of cipher, finished: what follows cannot be read. */
export const clientFinished = (): Uint8Array =>
  join(
    record(handshake(16, Uint8Array.of(65), new Uint8Array(65).fill(4))),
    Uint8Array.of(20, 3, 3, 0, 1, 1),
    Uint8Array.of(22, 3, 3, 0, 40),
    new Uint8Array(40).fill(0x77),
  );

/** A record of application data. */
export const secret = (length: number): Uint8Array => join(Uint8Array.of(23, 3, 3), u16(length), new Uint8Array(length).fill(0x99));

// SSH (RFC 4253): banner; binary packet = length, padding length, message, padding

export const sshBanner = (software: string): string => `SSH-2.0-${software}\r\n`;

const sshPacket = (message: Uint8Array): Uint8Array => {
  const padding = 16 - ((5 + message.length) % 8);
  const length = 1 + message.length + padding;
  return join(Uint8Array.of(0, 0, length >> 8, length & 255, padding), message, new Uint8Array(padding));
};

/** Key exchange (RFC 4253 7.1): cookie, ten lists of names, a flag, a reserved word. */
export const sshKeyExchange = (): Uint8Array => {
  const list = (names: string): Uint8Array => join(u16(0), u16(names.length), names);
  const ciphers = 'aes128-ctr,aes256-gcm@openssh.com';
  const macs = 'hmac-sha2-256';
  const lists = ['curve25519-sha256', 'ssh-ed25519', ciphers, ciphers, macs, macs, 'none', 'none', '', ''];
  return sshPacket(join(Uint8Array.of(20), new Uint8Array(16).fill(0x11), ...lists.map(list), Uint8Array.of(0, 0, 0, 0, 0)));
};

/** An encrypted packet. */
export const sshSecret = (length: number): Uint8Array => join(u16(0), u16(length), new Uint8Array(length).fill(0x5c));

// RDP (MS-RDPBCGR 2.2.1): TPKT (RFC 1006: version 3, length) around X.224 connection request and confirm

const tpkt = (content: Uint8Array): Uint8Array => join(Uint8Array.of(3, 0), u16(content.length + 4), content);

export const rdpRequest = (user: string): Uint8Array => {
  const cookie = ascii(`Cookie: mstshash=${user}\r\n`);
  const negotiation = Uint8Array.of(1, 0, 8, 0, 3, 0, 0, 0);
  return tpkt(join(Uint8Array.of(6 + cookie.length + negotiation.length, 0xe0, 0, 0, 0, 0, 0), cookie, negotiation));
};

export const rdpConfirm = (): Uint8Array => tpkt(Uint8Array.of(14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 2, 0, 0, 0));
