/**
 * Passwords as they are kept: scrypt (RFC 7914) with its parameters, so that they can grow and old ones still be checked.
 *
 *   scrypt:LOG2_N:R:P:SALT:HASH       salt and hash in base64url
 */
import { type BinaryLike, randomBytes, randomInt, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** About 50 ms and 32 MiB. */
const LOG2_N = 15;
const R = 8;
const P = 1;
const HASH_BYTES = 32;
const SALT_BYTES = 16;

export const SHORTEST_PASSWORD = 10;
export const LONGEST_PASSWORD = 512;

const derive = (password: BinaryLike, salt: Buffer, bytes: number, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });

const optionsOf = (log2n: number, r: number, p: number): ScryptOptions => ({ N: 2 ** log2n, r, p, maxmem: 256 * 2 ** log2n * r });

/** Letters that look the same are one: a password typed on another keyboard is still the same text. */
const normal = (password: string): string => password.normalize('NFKC');

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(normal(password), salt, HASH_BYTES, optionsOf(LOG2_N, R, P));
  return ['scrypt', LOG2_N, R, P, salt.toString('base64url'), key.toString('base64url')].join(':');
}

/** @returns false also for what is no hash of ours */
export async function isPassword(password: string, kept: string): Promise<boolean> {
  const [kind, log2n, r, p, salt = '', hash = ''] = kept.split(':');
  if (kind !== 'scrypt') return false;
  const wanted = Buffer.from(hash, 'base64url');
  const key = await derive(normal(password), Buffer.from(salt, 'base64url'), wanted.length, optionsOf(Number(log2n), Number(r), Number(p)));
  return timingSafeEqual(key, wanted);
}

/** Without letters and digits that are taken for each other. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** 20 characters of 55: 115 bits. */
export const randomPassword = (): string => Array.from({ length: 20 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
