/**
 * Host names as a hash table over their bytes. A name matches its sub-domains: a look-up walks the labels from the right, asks
 * once per label, and the longest name found decides.
 *
 *   slots  [ hash │ offset ] …     open addressing, offset 0 = free, at most half full
 *   arena  [ – ][ category │ length │ bytes ] …      lower case
 *
 * The hash begins with a seed, so a list from outside cannot be made of names that share a slot.
 *
 * Enters: names of several lists. Leaves: a table in shared memory, made by compile.ts; `openNames` is its look-up.
 */
import { avalanche } from '../../packet/hash.ts';
import { MAX_NAME, type Names } from './parse.ts';
import { shared } from './ranges.ts';
import { type Level, LISTED, verdict, withEntry } from './verdict.ts';

export interface NameTable {
  /** Int32Array, two words a slot; their number is a power of two. */
  readonly slots: SharedArrayBuffer;
  /** Uint8Array. */
  readonly arena: SharedArrayBuffer;
  readonly seed: number;
  /** Different names on the lists, exceptions left out. */
  readonly entries: number;
  /** Longest name, bytes. */
  readonly longest: number;
}

const DOT = 46;

/** The hash of a name, from its last byte to its first. */
const hashing = (seed: number) => {
  const start = avalanche(seed ^ 0x510e527f);
  const factor = avalanche(seed ^ 0x1f83d9ab) | 1;
  return { start, mix: (hash: number, byte: number): number => (Math.imul(hash ^ byte, factor) + (hash >>> 15)) | 0 };
};

/**
 * Walks over a table. Slot and arena are given as views, so the same walk serves while a table is made and afterwards.
 */
function createWalk(slots: Int32Array, arena: Uint8Array, seed: number) {
  const { start, mix } = hashing(seed);
  const mask = slots.length / 2 - 1;

  /** The slot that holds the name, or the free one where it belongs. */
  function slotOf(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const tag = avalanche(hash);
    for (let slot = tag & mask; ; slot = (slot + 1) & mask) {
      const offset = slots[slot * 2 + 1] as number;
      if (offset === 0) return slot;
      if (slots[slot * 2] !== tag || arena[offset + 1] !== to - from) continue;
      let i = 0;
      while (from + i < to && arena[offset + 2 + i] === bytes[from + i]) i++;
      if (from + i === to) return slot;
    }
  }

  return {
    slotOf,
    hash(bytes: Uint8Array, from: number, to: number): number {
      let hash = start;
      for (let i = to - 1; i >= from; i--) hash = mix(hash, bytes[i] as number);
      return hash;
    },
    /**
     * Finds the name and the domains above it, widest first.
     * @param whole false if `from` is not the beginning of the name
     * @param hits takes arena offsets, at most 127
     * @returns how many
     */
    above(bytes: Uint8Array, from: number, to: number, whole: boolean, longest: number, hits: Uint32Array): number {
      let count = 0;
      let hash = start;
      for (let i = to - 1; to - i - 1 <= longest; i--) {
        const byte = i < from ? DOT : (bytes[i] as number);
        if (byte === DOT && (i >= from || whole)) {
          const offset = slots[slotOf(hash, bytes, i + 1, to) * 2 + 1] as number;
          if (offset !== 0) hits[count++] = offset;
        }
        if (i < from) break;
        hash = mix(hash, byte);
      }
      return count;
    },
  };
}

/** Labels of at least one byte and their dots: no more fit. */
const MAX_LABELS = (MAX_NAME + 1) / 2;

/**
 * @param lists names of each list, in the order of the lists
 * @param categories the category of each list
 */
export function buildNames(lists: readonly Names[], categories: readonly number[], seed: number): NameTable {
  const total = lists.reduce((sum, list) => sum + list.count, 0);
  const slots = new Int32Array(2 * 2 ** Math.ceil(Math.log2(Math.max(1, total * 2))));
  const arena = new Uint8Array(lists.reduce((sum, list) => sum + list.bytes.length + 2 * list.count, 1));
  const walk = createWalk(slots, arena, seed);
  /** Names of which there is more to say than one category. */
  const special = new Map<number, Level>();
  const level = (offset: number): Level => special.get(offset) ?? (LISTED[arena[offset] as number] as Level);
  let used = 1;
  let entries = 0;
  let longest = 0;
  let exceptions = false;

  for (const [position, { count, bytes, ends, allowed }] of lists.entries()) {
    const category = categories[position] as number;
    for (let i = 0, from = 0; i < count; from = ends[i++] as number) {
      const to = ends[i] as number;
      const exception = allowed[i] === 1;
      const hash = walk.hash(bytes, from, to);
      const slot = walk.slotOf(hash, bytes, from, to);
      let offset = slots[slot * 2 + 1] as number;
      if (offset === 0) {
        offset = used;
        arena[offset + 1] = to - from;
        arena.set(bytes.subarray(from, to), offset + 2);
        used += 2 + to - from;
        slots[slot * 2] = avalanche(hash);
        slots[slot * 2 + 1] = offset;
        longest = Math.max(longest, to - from);
      }
      const known = level(offset);
      if (!exception && known.listed.length === 0) entries++;
      if (!exception && known === LISTED[0]) arena[offset] = category;
      else {
        const more = withEntry(known, category, exception);
        if (more !== known) special.set(offset, more);
      }
      exceptions ||= exception;
    }
  }

  if (exceptions) {
    const answers: number[] = [];
    const hits = new Uint32Array(MAX_LABELS);
    for (let at = 1; at < used; at += 2 + (arena[at + 1] as number)) {
      const depth = walk.above(arena, at + 2, at + 2 + (arena[at + 1] as number), true, longest, hits);
      answers.push(verdict(Array.from(hits.subarray(0, depth), level), depth));
    }
    // only now: until here the arena said what the lists say
    for (let at = 1, i = 0; at < used; at += 2 + (arena[at + 1] as number)) arena[at] = answers[i++] as number;
  }
  return { slots: shared(slots), arena: shared(arena.subarray(0, used)), seed, entries, longest };
}

/** @returns a function from a name (Latin-1 form, any case, with or without a dot at the end) to its category, 0 for none */
export function openNames({ slots, arena, seed, longest }: NameTable): (name: string) => number {
  const categories = new Uint8Array(arena);
  const walk = createWalk(new Int32Array(slots), categories, seed);
  const bytes = new Uint8Array(MAX_NAME + 1);
  const hits = new Uint32Array(MAX_LABELS);
  return (name) => {
    if (longest === 0) return 0;
    let end = name.length;
    if (end > 0 && name.charCodeAt(end - 1) === DOT) end--;
    const begin = Math.max(0, end - bytes.length);
    for (let i = begin; i < end; i++) {
      const code = name.charCodeAt(i);
      bytes[i - begin] = code >= 65 && code <= 90 ? code + 32 : code;
    }
    const count = walk.above(bytes, 0, end - begin, begin === 0, longest, hits);
    return count === 0 ? 0 : (categories[hits[count - 1] as number] as number);
  };
}
