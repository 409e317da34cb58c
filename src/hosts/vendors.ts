/**
 * Makers of network cards: MAC address → organisation that the IEEE gave its prefix to. Called by the book of hosts.
 *
 * The list (package oui-data: registries MA-L, MA-M and MA-S) is read at the first question: 0.1 s, and then 1.5 MB.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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

/** The list as numbers, in shared memory. */
export interface VendorTable {
  /** Digits of the prefix × 2^36 + the prefix as a number, in order. */
  readonly prefixes: Float64Array;
  /** Of each prefix: the number of its organisation. */
  readonly owners: Uint16Array;
  /** Names of the organisations one after another, in Latin-1 form, and where each of them ends. */
  readonly names: Uint8Array;
  readonly ends: Uint32Array;
}

const keyOf = (digits: number, prefix: number): number => digits * 2 ** 36 + prefix;

/** @param list for tests; the package's list without it */
export function readVendors(list: () => Readonly<Record<string, string>> = shipped): VendorTable {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const rows: [key: number, owner: number][] = [];
  for (const [prefix, lines] of Object.entries(list())) {
    const digits = prefix.length;
    if (digits !== 6 && digits !== 7 && digits !== 9) continue;
    const name = lines.split('\n', 1)[0] as string;
    if (NOBODY.has(name)) continue;
    let owner = numbers.get(name);
    if (owner === undefined) {
      owner = names.push(name) - 1;
      numbers.set(name, owner);
    }
    rows.push([keyOf(digits, Number.parseInt(prefix, 16)), owner]);
  }
  rows.sort(([a], [b]) => a - b);
  const texts = names.map((name) => Buffer.from(name, 'utf8'));
  let end = 0;
  const table = {
    prefixes: new Float64Array(new SharedArrayBuffer(rows.length * 8)),
    owners: new Uint16Array(new SharedArrayBuffer(rows.length * 2)),
    names: new Uint8Array(new SharedArrayBuffer(texts.reduce((sum, { length }) => sum + length, 0))),
    ends: new Uint32Array(new SharedArrayBuffer(texts.length * 4)),
  };
  for (const [row, [key, owner]] of rows.entries()) {
    table.prefixes[row] = key;
    table.owners[row] = owner;
  }
  for (const [owner, text] of texts.entries()) {
    table.names.set(text, end);
    end += text.length;
    table.ends[owner] = end;
  }
  return table;
}

/** @param open gives the list when it is asked for first */
export function createVendors(open: () => VendorTable = readVendors): Vendors {
  let table: VendorTable | undefined;
  const texts: string[] = []; // of the organisations that were asked for

  /** Organisation of a prefix; undefined: the list does not have it. */
  const ownerOf = ({ prefixes, owners, names, ends }: VendorTable, digits: number, prefix: number): string | undefined => {
    const key = keyOf(digits, prefix);
    let low = 0;
    for (let high = prefixes.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((prefixes[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    if (prefixes[low] !== key) return undefined;
    const owner = owners[low] as number;
    return (texts[owner] ??= Buffer.from(names.buffer).latin1Slice(owner === 0 ? 0 : ends[owner - 1], ends[owner]));
  };

  return {
    vendor(bytes, mac) {
      const first = bytes[mac] as number;
      if ((first & 3) !== 0) return '';
      const high = (first << 16) | ((bytes[mac + 1] as number) << 8) | (bytes[mac + 2] as number);
      const low = ((bytes[mac + 3] as number) << 16) | ((bytes[mac + 4] as number) << 8) | (bytes[mac + 5] as number);
      if (high === 0 && low === 0) return '';
      table ??= open();
      return ownerOf(table, 9, high * 4096 + (low >>> 12)) ?? ownerOf(table, 7, high * 16 + (low >>> 20)) ?? ownerOf(table, 6, high) ?? '';
    },
  };
}
