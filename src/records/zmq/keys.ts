/**
 * Keys of CURVE (ZeroMQ RFC 26): Curve25519 key pairs, written in Z85 (ZeroMQ RFC 32), 40 characters for 32 bytes. Our own pair is made on
 * first use and stays in the data directory; a user may have another secret key in a file.
 *
 *   zmq-key.priv   secret key, Z85, mode 0600        zmq-key.pub   public key, Z85
 *
 * Z85 has characters that shells and unit files change, so probes also take the 40 characters as 80 hexadecimal digits.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FolderError, makeFolder } from '../../folders.ts';

export interface KeyPair {
  /** Z85. */
  readonly publicKey: string;
  readonly secretKey: string;
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const KEY_BYTES = 32;
const KEY_CHARACTERS = 40;
/** What is before the 32 bytes of an X25519 secret key in PKCS #8 (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** @param bytes a multiple of 4 */
export function z85(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const word = Buffer.from(bytes.subarray(at, at + 4)).readUInt32BE();
    for (let power = 85 ** 4; power >= 1; power /= 85) text += ALPHABET[Math.floor(word / power) % 85];
  }
  return text;
}

/** @returns undefined: it is no Z85 */
export function fromZ85(text: string): Buffer | undefined {
  if (text.length % 5 !== 0) return undefined;
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let group = 0; group * 5 < text.length; group++) {
    let word = 0;
    for (const character of text.slice(group * 5, group * 5 + 5)) {
      const digit = ALPHABET.indexOf(character);
      if (digit < 0) return undefined;
      word = word * 85 + digit;
    }
    if (word > 0xffffffff) return undefined;
    bytes.writeUInt32BE(word, group * 4);
  }
  return bytes;
}

/** The hexadecimal form that probes take: of the characters, not of the key. */
export const hexForm = (key: string): string => Buffer.from(key, 'latin1').toString('hex');

/** Reads a key in Z85 or in its hexadecimal form. @returns Z85; undefined: it is neither */
export function readKey(text: string): string | undefined {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{80}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex').toString('latin1') : trimmed;
  return key.length === KEY_CHARACTERS && fromZ85(key)?.length === KEY_BYTES ? key : undefined;
}

const raw = (key: KeyObject, member: 'd' | 'x'): Buffer => Buffer.from(key.export({ format: 'jwk' })[member] as string, 'base64url');

/** @param secretKey Z85 */
export function pairOf(secretKey: string): KeyPair {
  const der = Buffer.concat([PKCS8, fromZ85(secretKey) as Buffer]);
  const publicKey = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return { publicKey: z85(raw(publicKey, 'x')), secretKey };
}

/** The pair whose secret key is in a file. @throws Error that says what to do */
export function readKeyFile(path: string): KeyPair {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'latin1');
    mode = statSync(path).mode;
  } catch (error) {
    throw new Error(`${path}: the secret key cannot be read: ${(error as Error).message}`);
  }
  if ((mode & 0o077) !== 0) throw new Error(`${path}: others may read this secret key; run chmod 600 ${path}`);
  const key = readKey(text);
  if (key === undefined) throw new Error(`${path}: no CURVE key: 40 characters of Z85 or 80 hexadecimal digits are needed`);
  return pairOf(key);
}

/** Our own pair in this directory, made if there is none. @throws Error that says what to do */
export function ownKeyPair(directory: string): KeyPair {
  const path = join(directory, 'zmq-key.priv');
  try {
    makeFolder(directory, 0o700);
    const secretKey = z85(raw(generateKeyPairSync('x25519').privateKey, 'd'));
    writeFileSync(path, secretKey, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (error instanceof FolderError || (error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Error(`${path}: the key pair cannot be stored: ${(error as Error).message}`);
    }
  }
  const pair = readKeyFile(path);
  const shown = join(directory, 'zmq-key.pub');
  const next = `${shown}.${process.pid}`;
  writeFileSync(next, pair.publicKey);
  chmodSync(next, 0o644);
  renameSync(next, shown);
  return pair;
}
