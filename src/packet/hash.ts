/**
 * Seeded hash of four 32-bit words: of a flow's key, of an IPv6 address, of the packet inside an ICMP error.
 *
 * Each word is multiplied by an odd number that depends on the seed, so that nobody without the seed can choose packets
 * that share a bucket; the last three steps spread every input bit over all output bits. Called by the decoder.
 */

/** Spreads the bits of one word (xor-shift and multiply, constants of the "lowbias32" search by C. Wellons, public domain). */
export const avalanche = (word: number): number => {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return word ^ (word >>> 16);
};

/** @returns a function from four int32 to one int32 */
export function createHash(seed: number): (a: number, b: number, c: number, d: number) => number {
  const start = avalanche(seed ^ 0x3c6ef372);
  const m0 = avalanche(seed ^ 0x510e527f) | 1;
  const m1 = avalanche(seed ^ 0x1f83d9ab) | 1;
  const m2 = avalanche(seed ^ 0x5be0cd19) | 1;
  const m3 = avalanche(seed ^ 0x6a09e667) | 1;
  return (a, b, c, d) => {
    let h = Math.imul(a ^ start, m0);
    h = Math.imul(((h << 13) | (h >>> 19)) ^ b, m1);
    h = Math.imul(((h << 13) | (h >>> 19)) ^ c, m2);
    h = Math.imul(((h << 13) | (h >>> 19)) ^ d, m3);
    return avalanche(h);
  };
}
