/**
 * A set of addresses and networks (IPv4 and IPv6) with the longest match, asked once per new flow.
 *
 * Per address family and prefix length one Map from the masked address to the position at which it was added.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

export interface PrefixSet {
  /** Adds `1.2.3.4`, `1.2.3.0/24`, `2001:db8::/32`. @returns false when the text is neither an address nor a network */
  add(text: string): boolean;
  /** @param address IPv4 as a 32-bit number (any sign). @returns position of the longest match among those added, -1 for none */
  match4(address: number): number;
  /** @param bytes 16 bytes of an IPv6 address at `offset` */
  match6(bytes: Uint8Array, offset: number): number;
  readonly size: number;
  /** The texts in the order they were added. */
  readonly texts: readonly string[];
}

/** Text of a network or an address. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** IPv4 text as an unsigned 32-bit number. */
export const parseIPv4 = (text: string): number => text.split('.').reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);

/** IPv6 text (RFC 4291, also with an IPv4 tail) as 16 bytes. The text must be a valid address. */
export function parseIPv6(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let plain = text.split('%')[0] as string;
  const tail = plain.slice(plain.lastIndexOf(':') + 1);
  if (tail.includes('.')) {
    const v4 = parseIPv4(tail);
    plain = `${plain.slice(0, -tail.length)}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  }
  const [left = '', right] = plain.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const head = groups(left);
  const end = right === undefined ? [] : groups(right);
  const all = [...head, ...new Array<number>(8 - head.length - end.length).fill(0), ...end];
  all.forEach((group, i) => {
    bytes[i * 2] = group >> 8;
    bytes[i * 2 + 1] = group;
  });
  return bytes;
}

const mask4 = (address: number, length: number): number => (length === 0 ? 0 : (address & (-1 << (32 - length))) >>> 0);

const mask6 = (bytes: Uint8Array, offset: number, length: number): string => {
  let key = '';
  for (let bit = 0, i = offset; bit < length; bit += 8, i++) {
    const left = length - bit;
    key += String.fromCharCode(left >= 8 ? (bytes[i] as number) : (bytes[i] as number) & (0xff00 >> left));
  }
  return key;
};

/** The map of a prefix length, made where it is new; lengths stay sorted, longest first. */
function mapFor<K>(maps: { length: number; map: Map<K, number> }[], length: number): Map<K, number> {
  const known = maps.find((entry) => entry.length === length);
  if (known) return known.map;
  const map = new Map<K, number>();
  maps.push({ length, map });
  maps.sort((x, y) => y.length - x.length);
  return map;
}

export function createPrefixSet(): PrefixSet {
  const maps4: { length: number; map: Map<number, number> }[] = [];
  const maps6: { length: number; map: Map<string, number> }[] = [];
  const texts: string[] = [];

  return {
    texts,
    get size() {
      return texts.length;
    },
    add(text) {
      const [address = '', bits, more] = text.split('/');
      const four = isIPv4(address);
      const longest = four ? 32 : 128;
      const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
      if (more !== undefined || length < 0 || length > longest || !(four || isIPv6(address))) return false;
      const position = texts.length;
      if (four) {
        const map = mapFor(maps4, length);
        const key = mask4(parseIPv4(address), length);
        if (!map.has(key)) map.set(key, position);
      } else {
        const map = mapFor(maps6, length);
        const key = mask6(parseIPv6(address), 0, length);
        if (!map.has(key)) map.set(key, position);
      }
      texts.push(text);
      return true;
    },
    match4(address) {
      for (const { length, map } of maps4) {
        const position = map.get(mask4(address, length));
        if (position !== undefined) return position;
      }
      return -1;
    },
    match6(bytes, offset) {
      for (const { length, map } of maps6) {
        const position = map.get(mask6(bytes, offset, length));
        if (position !== undefined) return position;
      }
      return -1;
    },
  };
}

/** Neither multicast, broadcast nor unspecified. @param address IPv4 as a 32-bit number */
export const isUnicast4 = (address: number): boolean => {
  const first = address >>> 24;
  return address !== 0 && first !== 0 && first < 224;
};

/** IPv6: not `::` and not ff00::/8 (RFC 4291, 2.7). */
export const isUnicast6 = (bytes: Uint8Array, offset: number): boolean => {
  if (bytes[offset] === 0xff) return false;
  for (let i = 0; i < 16; i++) if (bytes[offset + i] !== 0) return true;
  return false;
};
