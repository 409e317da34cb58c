/**
 * Makers of network cards: MAC address → organisation that the IEEE gave its prefix to. Called by the book of hosts.
 *
 * The list (package oui-data: registries MA-L, MA-M and MA-S) is read at the first question: 0.1 s, and then 8 MB.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Aside } from './geo.ts';

export interface Vendors {
  /**
   * @param mac offset of 6 bytes in `bytes`
   * @returns organisation in Latin-1 form; `''` for unknown, locally administered, multicast and zero addresses
   */
  vendor(bytes: Uint8Array, mac: number): string;
}

/** No organisation of its own stands behind these. */
const NOBODY = new Set(['Private', 'IEEE Registration Authority']);

/** Prefixes in hexadecimal (6, 7 or 9 digits, no separators) → organisation, then lines of its postal address; empty without the package. */
function shipped(): Readonly<Record<string, string>> {
  try {
    return JSON.parse(readFileSync(fileURLToPath(import.meta.resolve('oui-data')), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}

/**
 * @param aside reads the list: that is not the time of whoever asks first
 * @param list for tests; the package's list without it
 */
export function createVendors(aside: Aside = (work) => work(), list: () => Readonly<Record<string, string>> = shipped): Vendors {
  /** By length of the prefix in hexadecimal digits; keys are numbers. */
  let prefixes: { readonly 6: Map<number, string>; readonly 7: Map<number, string>; readonly 9: Map<number, string> } | undefined;

  const load = (): NonNullable<typeof prefixes> => {
    const maps = { 6: new Map<number, string>(), 7: new Map<number, string>(), 9: new Map<number, string>() };
    const shared = new Map<string, string>();
    for (const [prefix, lines] of Object.entries(list())) {
      const length = prefix.length;
      if (length !== 6 && length !== 7 && length !== 9) continue;
      const name = lines.split('\n', 1)[0] as string;
      if (NOBODY.has(name)) continue;
      let kept = shared.get(name);
      if (kept === undefined) {
        // a copy: a part of the text would keep the whole file in memory
        kept = Buffer.from(name, 'utf8').toString('latin1');
        shared.set(name, kept);
      }
      maps[length].set(Number.parseInt(prefix, 16), kept);
    }
    return maps;
  };

  return {
    vendor(bytes, mac) {
      const first = bytes[mac] as number;
      if ((first & 3) !== 0) return '';
      const high = (first << 16) | ((bytes[mac + 1] as number) << 8) | (bytes[mac + 2] as number);
      const low = ((bytes[mac + 3] as number) << 16) | ((bytes[mac + 4] as number) << 8) | (bytes[mac + 5] as number);
      if (high === 0 && low === 0) return '';
      prefixes ??= aside(load);
      return prefixes[9].get(high * 4096 + (low >>> 12)) ?? prefixes[7].get(high * 16 + (low >>> 20)) ?? prefixes[6].get(high) ?? '';
    },
  };
}
