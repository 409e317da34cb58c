/**
 * The key and the certificate of the server: the user's own files, or a pair that is made here. A certificate of X.509 v3 (RFC 5280)
 * in DER (X.690), signed by its own key (ECDSA with SHA-256 on P-256, RFC 5758): good enough to keep others from reading along, once
 * a person has compared its fingerprint.
 */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../folders.ts';

export interface Credentials {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the certificate, as browsers show it. */
  readonly fingerprint: string;
}

/** The files cannot be used. */
export class TlsError extends Error {}

const DAY_MS = 86_400_000;
const YEARS = 10;

// DER: tag, length, content -------------------------------------------------------------------------------

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
const octets = (...parts: readonly Uint8Array[]): Buffer => der(0x04, ...parts);
const bits = (bytes: Uint8Array): Buffer => der(0x03, Buffer.from([0]), bytes);
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
const YES = Buffer.from([0x01, 0x01, 0xff]);

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

/** GeneralizedTime, and UTCTime before 2050 as RFC 5280, 4.1.2.5 wants it. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(text.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // the parser of addresses writes out what `::` stands for
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const words = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), words(tail)];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

/** GeneralName: dNSName [2], iPAddress [7]. */
const altName = (name: string): Buffer => (isIP(name) === 0 ? der(0x82, Buffer.from(name, 'ascii')) : der(0x87, addressBytes(name)));

const pem = (label: string, bytes: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;

/**
 * @param names host names and addresses that the certificate is for
 * @param now ms since 1970
 */
export function selfSigned(names: readonly string[], now: number): Credentials {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaSha256 = sequence(oid('1.2.840.10045.4.3.2'));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8('flowpatrol'))));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40; // positive, and never shorter
  const extensions = sequence(
    sequence(oid('2.5.29.19'), YES, octets(sequence())), // basicConstraints: no CA
    sequence(oid('2.5.29.15'), YES, octets(der(0x03, Buffer.from([7, 0x80])))), // keyUsage: digitalSignature
    sequence(oid('2.5.29.37'), octets(sequence(oid('1.3.6.1.5.5.7.3.1')))), // extKeyUsage: serverAuth
    sequence(oid('2.5.29.17'), octets(sequence(...names.map(altName)))), // subjectAltName
    sequence(oid('2.5.29.14'), octets(octets(createHash('sha1').update(spki).digest()))), // subjectKeyIdentifier
  );
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serial),
    ecdsaSha256,
    name,
    sequence(time(now - DAY_MS), time(now + YEARS * 365 * DAY_MS)),
    name,
    spki,
    der(0xa3, extensions),
  );
  const certificate = sequence(body, ecdsaSha256, bits(sign('sha256', body, privateKey)));
  return credentialsOf(
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    pem('CERTIFICATE', certificate),
    'the new certificate',
  );
}

function credentialsOf(key: string, cert: string, where: string): Credentials {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not that of the certificate');
    return { key, cert, fingerprint: certificate.fingerprint256 };
  } catch (error) {
    throw new TlsError(`${where}: ${(error as Error).message}`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new TlsError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The user's own. @throws TlsError */
export const readCredentials = (cert: string, key: string): Credentials => credentialsOf(readText(key), readText(cert), `${cert}, ${key}`);

/**
 * The pair in the data directory, made where there is none; without a directory one for this run.
 * @param names beside those of this machine
 * @throws TlsError
 */
export function ownCredentials(directory: string | undefined, names: readonly string[], now: number): Credentials {
  const all = [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...names])].filter(
    (name) => isIP(name) !== 0 || /^[\w.-]+$/.test(name),
  );
  if (directory === undefined) return selfSigned(all, now);
  const folder = join(directory, 'tls');
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  if (existsSync(certFile) && existsSync(keyFile)) return readCredentials(certFile, keyFile);
  const made = selfSigned(all, now);
  makeFolder(folder, 0o700);
  writeFileSync(keyFile, made.key, { mode: 0o600 });
  writeFileSync(certFile, made.cert, { mode: 0o644 });
  return made;
}
