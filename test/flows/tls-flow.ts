/**
 * TLS flows for tests, byte by byte: a client hello, a server hello, a certificate (RFC 5246, 7.4; RFC 5280) that nobody has signed.
 */
import { clientHello, record } from '../support/client-hello.ts';
import { ACK, ethernet, ipv4, SYN, tcp } from '../support/packets.ts';
import type { TimedFrame } from '../support/play.ts';

const bytes = (...parts: readonly (Uint8Array | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255);
const u24 = (value: number): Buffer => Buffer.of(value >> 16, (value >> 8) & 255, value & 255);

/** DER: tag, length, content (X.690, 8.1). */
const der = (tag: number, ...content: readonly (Uint8Array | string)[]): Buffer => {
  const inner = bytes(...content);
  const length = inner.length < 128 ? Buffer.of(inner.length) : Buffer.of(0x82, inner.length >> 8, inner.length & 255);
  return bytes(Buffer.of(tag), length, inner);
};
const sequence = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content);
const objectId = (hex: string): Buffer => der(6, Buffer.from(hex, 'hex'));
const NULL = Buffer.of(5, 0);
const RSA = sequence(objectId('2a864886f70d01010b'), NULL);
const name = (common: string, organization: string): Buffer =>
  sequence(
    der(0x31, sequence(objectId('55040a'), der(0x0c, organization))),
    ...(common === '' ? [] : [der(0x31, sequence(objectId('550403'), der(0x0c, common)))]),
  );
/** YYMMDDHHMMSSZ of seconds since 1970. */
const utcTime = (s: number): Buffer => der(0x17, `${new Date(s * 1000).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`);

interface CertificateOf {
  /** Common name; none if ''. */
  readonly common?: string;
  /** Subject alternative names. */
  readonly names?: readonly string[];
  /** Seconds since 1970. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly selfSigned?: boolean;
}

const START_S = 1_600_000_000;

function certificate(of: CertificateOf): Buffer {
  const subject = name(of.common ?? '', 'Subject Ltd');
  const alternatives = sequence(...(of.names ?? []).map((one) => der(0x82, one)));
  const extensions = (of.names ?? []).length === 0 ? [] : [der(0xa3, sequence(sequence(objectId('551d11'), der(4, alternatives))))];
  const body = sequence(
    der(0xa0, der(2, Buffer.of(2))),
    der(2, Buffer.of(1, 2, 3)),
    RSA,
    of.selfSigned === true ? subject : name('Test Root', 'Issuer Ltd'),
    sequence(utcTime(of.notBefore ?? START_S - 86_400), utcTime(of.notAfter ?? START_S + 86_400 * 90)),
    subject,
    sequence(sequence(objectId('2a864886f70d010101'), NULL), der(3, Buffer.alloc(64, 0x11))),
    ...extensions,
  );
  return sequence(body, RSA, der(3, Buffer.alloc(64, 0x22)));
}

const handshake = (type: number, body: Uint8Array): Buffer => bytes(Buffer.of(type), u24(body.length), body);

interface TlsFlowOf extends CertificateOf {
  readonly at?: number;
  readonly asked?: string;
  /** Of the server hello; TLS 1.2 if left out. */
  readonly version?: number;
  /** Suite that the server chooses; ECDHE-RSA-AES128-GCM if left out. */
  readonly cipher?: number;
  readonly port?: number;
  readonly serverPort?: number;
  readonly from?: string;
  readonly to?: string;
  /** Nothing of the server's certificate. */
  readonly withoutCertificate?: boolean;
}

/** Handshake of TCP, hello, hello and certificate, acknowledgement: five packets in 50 ms. */
export function tlsFlow(of: TlsFlowOf = {}): TimedFrame[] {
  const at = of.at ?? 1;
  const version = of.version ?? 0x0303;
  const hello = record(
    clientHello({
      version: Math.max(version, 0x0301),
      ciphers: [0xc02f, 0x002f, 0x0005],
      ...(of.asked === undefined ? {} : { serverName: of.asked }),
    }),
  );
  const serverHello = handshake(2, bytes(u16(version), Buffer.alloc(32, 0x33), Buffer.of(0), u16(of.cipher ?? 0xc02f), Buffer.of(0)));
  const made = certificate(of);
  const chain = bytes(u24(made.length), made);
  const messages = bytes(
    serverHello,
    ...(of.withoutCertificate === true ? [] : [handshake(11, bytes(u24(chain.length), chain))]),
    handshake(14, Buffer.alloc(0)),
  );
  const answer = bytes(Buffer.of(0x16, version >> 8, version & 255), u16(messages.length), messages);
  const client = { ip: of.from ?? '10.0.0.1', port: of.port ?? 40000 };
  const server = { ip: of.to ?? '10.0.0.2', port: of.serverPort ?? 443 };
  const segment = (
    late: number,
    back: boolean,
    flags: number,
    seq: number,
    ack: number,
    data: Uint8Array = Buffer.alloc(0),
  ): TimedFrame => {
    const [from, to] = back ? [server, client] : [client, server];
    return {
      at: at + late,
      bytes: ethernet({}, ipv4({ from: from.ip, to: to.ip }, tcp({ from: from.port, to: to.port, flags, seq, ack }, data))),
    };
  };
  return [
    segment(0, false, SYN, 100, 0),
    segment(0.01, true, SYN | ACK, 500, 101),
    segment(0.02, false, ACK, 101, 501),
    segment(0.03, false, ACK, 101, 501, hello),
    segment(0.04, true, ACK, 501, 101 + hello.length, answer),
    segment(0.05, false, ACK, 101 + hello.length, 501 + answer.length),
  ];
}
