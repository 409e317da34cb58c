/**
 * X.509 certificates (RFC 5280) in DER, as far as detection reads them: names and dates. The key and the signature are zeros.
 *
 *   certificate({ subject: 'www.example.org', issuer: 'Example CA', notBefore: '260101000000Z', notAfter: '270101000000Z' })
 */

const concat = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

/** One element: tag, length (long form from 128 on), content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return concat([Buffer.of(tag, ...size), content]);
}

const SEQUENCE = 0x30;
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(SEQUENCE, ...parts);
const oid = (...bytes: readonly number[]): Buffer => der(6, Buffer.from(bytes));
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value, 'latin1'));

const COMMON_NAME = oid(0x55, 4, 3);
const ORGANISATION = oid(0x55, 4, 10);
const SUBJECT_ALT_NAME = oid(0x55, 0x1d, 0x11);
const RSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11), der(5));
const RSA = sequence(oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1), der(5));

const attribute = (type: Buffer, value: string): Buffer => der(0x31, sequence(type, text(0x13, value)));
const name = (common: string, organisation: string): Buffer =>
  sequence(attribute(ORGANISATION, organisation), attribute(COMMON_NAME, common));

export interface CertificateOf {
  /** Common name and only alternative name of the subject. */
  readonly subject: string;
  /** Common name of the issuer; that of the subject makes it self-signed. */
  readonly issuer: string;
  /** `YYMMDDHHMMSSZ`. */
  readonly notBefore: string;
  readonly notAfter: string;
}

export function certificate({ subject, issuer, notBefore, notAfter }: CertificateOf): Buffer {
  const zeros = Buffer.alloc(129);
  const key = der(3, Buffer.of(0), sequence(der(2, zeros), der(2, Buffer.of(1, 0, 1))));
  const organisation = (of: string): string => (of === subject ? 'Example Company' : 'Example Trust');
  const alternative = sequence(SUBJECT_ALT_NAME, der(4, sequence(text(0x82, subject))));
  const body = sequence(
    der(0xa0, der(2, Buffer.of(2))), // version 3
    der(2, Buffer.of(0x51, 0x0f)), // serial number
    RSA_WITH_SHA256,
    name(issuer, organisation(issuer)),
    sequence(text(0x17, notBefore), text(0x17, notAfter)),
    name(subject, organisation(subject)),
    sequence(RSA, key),
    der(0xa3, sequence(alternative)),
  );
  return sequence(body, RSA_WITH_SHA256, der(3, zeros));
}
