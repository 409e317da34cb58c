/**
 * Compiles parsed lists into tables for look-ups.
 *
 * Enters: parsed lists, in the order in which the user gave them. Leaves: a plain object over shared memory, which the main thread
 * sends to every interface thread as it is. Equal lists give equal tables. Called by the store.
 *
 * Of several networks or names that fit, the longest decides; of several lists that have the same one, the first list does.
 */
import { buildNames, type NameTable } from './names.ts';
import type { ParsedList } from './parse.ts';
import { buildRanges, type RangeTable } from './ranges.ts';

export interface CompiledLists {
  readonly ipv4: RangeTable;
  readonly ipv6: RangeTable;
  /** MD5 fingerprints are numbers of 128 bits: ranges of one number. */
  readonly ja3: RangeTable;
  readonly names: NameTable;
  /** One a list, in order. */
  readonly lists: readonly { readonly name: string; readonly category: number; readonly entries: number; readonly rejected: number }[];
}

/** @param seed of the hash of names */
export function compileLists(parsed: readonly ParsedList[], seed = 0): CompiledLists {
  const categories = parsed.map((list) => list.category);
  const of = <K extends keyof ParsedList>(key: K): ParsedList[K][] => parsed.map((list) => list[key]);
  return {
    ipv4: buildRanges(of('ipv4'), categories, 1),
    ipv6: buildRanges(of('ipv6'), categories, 4),
    ja3: buildRanges(of('ja3'), categories, 4),
    names: buildNames(of('names'), categories, seed),
    lists: parsed.map(({ name, category, entries, rejected }) => ({ name, category, entries, rejected })),
  };
}
