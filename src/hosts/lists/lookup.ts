/**
 * Look-ups in compiled lists. Each interface thread opens what the main thread has sent it and asks once per new flow and once
 * per name or fingerprint found; nothing here allocates.
 */
import { type CompiledLists, compileLists } from './compile.ts';
import { openNames } from './names.ts';
import { hexDigit } from './parse.ts';
import { search4, search6, viewRanges } from './ranges.ts';

export interface Lists {
  /** @param address IPv4 as a 32-bit number of any sign. @returns category, 0 for none */
  category4(address: number): number;
  /** @param bytes 16 bytes of an IPv6 address at `offset`. @returns category, 0 for none */
  category6(bytes: Uint8Array, offset: number): number;
  /** @param name in Latin-1 form, any case, with or without a dot at the end. @returns category of it or of a domain above it, 0 for none */
  categoryOfName(name: string): number;
  /** @param hex MD5 as 32 hexadecimal digits in any case; another text is on no list */
  hasJa3(hex: string): boolean;
  /** Different entries of each kind. */
  readonly names: number;
  readonly addresses: number;
  readonly ja3: number;
}

/** Eight hexadecimal digits at `at` as an unsigned number, -1 if they are none. */
function word(hex: string, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) {
    const digit = hexDigit(hex.charCodeAt(i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

export function openLists(compiled: CompiledLists): Lists {
  const ipv4 = viewRanges(compiled.ipv4);
  const ipv6 = viewRanges(compiled.ipv6);
  const ja3 = viewRanges(compiled.ja3);
  const at = (bytes: Uint8Array, i: number): number =>
    (((bytes[i] as number) << 24) | ((bytes[i + 1] as number) << 16) | ((bytes[i + 2] as number) << 8) | (bytes[i + 3] as number)) >>> 0;
  return {
    names: compiled.names.entries,
    addresses: compiled.ipv4.entries + compiled.ipv6.entries,
    ja3: compiled.ja3.entries,
    category4: (address) => search4(ipv4, address),
    category6: (bytes, offset) =>
      ipv6.index.length === 0 ? 0 : search6(ipv6, at(bytes, offset), at(bytes, offset + 4), at(bytes, offset + 8), at(bytes, offset + 12)),
    categoryOfName: openNames(compiled.names),
    hasJa3(hex) {
      if (ja3.index.length === 0 || hex.length !== 32) return false;
      const [a, b, c, d] = [word(hex, 0), word(hex, 8), word(hex, 16), word(hex, 24)];
      return a >= 0 && b >= 0 && c >= 0 && d >= 0 && search6(ja3, a, b, c, d) !== 0;
    },
  };
}

/** No list at all. */
export const EMPTY_LISTS: Lists = openLists(compileLists([]));
