/**
 * Networks as a table of ranges: the whole number space (32 or 128 bits) is cut where the answer changes, so the longest match is
 * the one range an address lies in.
 *
 *   rows        [ 0 │ 10.0.0.0 │ 10.1.0.0 │ 10.2.0.0 │ 11.0.0.0 ]     first number of each range, ascending
 *   categories  [ 0 │   100    │    99    │   100    │    0     ]
 *   index       [ first row whose upper 16 bits are >= i ]             65,537 of them: where the search for `i` begins and ends
 *
 * Enters: prefixes of several lists. Leaves: a table in shared memory, made by compile.ts; `search4` and `search6` are its look-ups.
 */
import type { Prefixes } from './parse.ts';
import { type Level, LISTED, verdict, withEntry } from './verdict.ts';

export interface RangeTable {
  /** Uint32Array, 1 or 4 words a row. */
  readonly rows: SharedArrayBuffer;
  /** Uint8Array, one a row. */
  readonly categories: SharedArrayBuffer;
  /** Uint32Array of 65,537, or empty where there is no entry at all. */
  readonly index: SharedArrayBuffer;
  /** Different networks on the lists, exceptions left out. */
  readonly entries: number;
}

export interface RangeViews {
  readonly rows: Uint32Array;
  readonly categories: Uint8Array;
  readonly index: Uint32Array;
}

const BUCKETS = 1 << 16;

export const viewRanges = (table: RangeTable): RangeViews => ({
  rows: new Uint32Array(table.rows),
  categories: new Uint8Array(table.categories),
  index: new Uint32Array(table.index),
});

/** @param address IPv4 as a 32-bit number of any sign. @returns its category, 0 for none */
export function search4({ rows, categories, index }: RangeViews, address: number): number {
  if (index.length === 0) return 0;
  const wanted = address >>> 0;
  let low = index[wanted >>> 16] as number;
  let high = index[(wanted >>> 16) + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as number) <= wanted) low = middle + 1;
    else high = middle;
  }
  return categories[low - 1] as number; // row 0 begins at 0: there is always a row before
}

/** @param a most significant word of a 128-bit number, all words unsigned. @returns its category, 0 for none */
export function search6({ rows, categories, index }: RangeViews, a: number, b: number, c: number, d: number): number {
  if (index.length === 0) return 0;
  let low = index[a >>> 16] as number;
  let high = index[(a >>> 16) + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = middle * 4;
    let difference = (rows[row] as number) - a;
    if (difference === 0) difference = (rows[row + 1] as number) - b;
    if (difference === 0) difference = (rows[row + 2] as number) - c;
    if (difference === 0) difference = (rows[row + 3] as number) - d;
    if (difference <= 0) low = middle + 1;
    else high = middle;
  }
  return categories[low - 1] as number;
}

/** All lists' prefixes in one. `list` is the position of the list an entry came from. */
function joined(lists: readonly Prefixes[], width: number): Prefixes & { readonly list: Uint16Array } {
  const count = lists.reduce((sum, list) => sum + list.count, 0);
  const all = {
    count,
    words: new Uint32Array(count * width),
    lengths: new Uint8Array(count),
    allowed: new Uint8Array(count),
    list: new Uint16Array(count),
  };
  let at = 0;
  for (const [position, list] of lists.entries()) {
    all.words.set(list.words, at * width);
    all.lengths.set(list.lengths, at);
    all.allowed.set(list.allowed, at);
    all.list.fill(position, at, at + list.count);
    at += list.count;
  }
  return all;
}

/**
 * Order of the prefixes by number, then by length, then as they came. Radix sort, 16 bits a pass from the last to the first:
 * every pass keeps the order that the passes before have made.
 */
function sorted({ count, words, lengths }: Prefixes, width: number): Uint32Array {
  let order = Uint32Array.from({ length: count }, (_, i) => i);
  let next = new Uint32Array(count);
  const starts = new Uint32Array(BUCKETS + 1);
  const pass = (digit: (i: number) => number): void => {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[digit(i) + 1]++;
    if (starts[digit(0) + 1] === count) return; // all alike
    for (let i = 0; i < BUCKETS; i++) starts[i + 1] += starts[i] as number;
    for (let k = 0; k < count; k++) {
      const i = order[k] as number;
      next[starts[digit(i)]++] = i;
    }
    [order, next] = [next, order];
  };
  if (count === 0) return order;
  pass((i) => lengths[i] as number);
  for (let word = width - 1; word >= 0; word--) {
    pass((i) => (words[i * width + word] as number) & 0xffff);
    pass((i) => (words[i * width + word] as number) >>> 16);
  }
  return order;
}

/** The rows of a table while they are made, in ascending order. */
function createRows(width: number, most: number) {
  const rows = new Uint32Array(most * width);
  const categories = new Uint8Array(most);
  let count = 1; // the row of number 0
  const same = (at: number, words: Uint32Array, from: number): boolean => {
    for (let i = 0; i < width; i++) if (rows[at * width + i] !== words[from + i]) return false;
    return true;
  };
  return {
    /** From this number on the answer is `category`. */
    cut(words: Uint32Array, from: number, category: number): void {
      if (same(count - 1, words, from)) {
        categories[count - 1] = category;
        if (count > 1 && categories[count - 2] === category) count--;
        return;
      }
      if (categories[count - 1] === category) return;
      for (let i = 0; i < width; i++) rows[count * width + i] = words[from + i] as number;
      categories[count++] = category;
    },
    take: () => ({ count, rows: rows.subarray(0, count * width), categories: categories.subarray(0, count) }),
  };
}

/** Copies into memory that threads share. */
export function shared(view: Uint8Array | Uint32Array | Int32Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(view.byteLength);
  new Uint8Array(buffer).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return buffer;
}

/**
 * @param lists prefixes of each list, in the order of the lists
 * @param categories the category of each list
 * @param width words a number: 1 (IPv4) or 4 (IPv6, fingerprints)
 */
export function buildRanges(lists: readonly Prefixes[], categories: readonly number[], width: 1 | 4): RangeTable {
  const all = joined(lists, width);
  const { count, words, lengths, allowed, list } = all;
  if (count === 0)
    return { rows: shared(new Uint32Array(width)), categories: shared(new Uint8Array(1)), index: shared(new Uint32Array(0)), entries: 0 };
  const order = sorted(all, width);
  const out = createRows(width, count * 2 + 1);
  let entries = 0;

  // the networks that contain the present one, widest first: what they say, their answer, the number behind their last
  const depthMost = width * 32 + 1;
  const path: Level[] = new Array(depthMost);
  const answers = new Uint8Array(depthMost);
  const behind = new Uint32Array(depthMost * width);
  const endless = new Uint8Array(depthMost); // reaches the last number there is
  let depth = 0;
  let exceptions = false;

  const endsBefore = (level: number, from: number): boolean => {
    if (endless[level] === 1) return false;
    for (let i = 0; i < width; i++) {
      const difference = (behind[level * width + i] as number) - (words[from + i] as number);
      if (difference !== 0) return difference < 0;
    }
    return true;
  };
  const close = (): void => {
    depth--;
    if (endless[depth] === 0) out.cut(behind, depth * width, depth === 0 ? 0 : (answers[depth - 1] as number));
  };
  const setBehind = (level: number, from: number, length: number): void => {
    let carry = 1;
    for (let i = width - 1; i >= 0; i--) {
      const bits = length - i * 32; // of this word that belong to the prefix
      // a word behind the prefix is 0 and runs over from all ones to 0
      const sum = bits <= 0 ? 2 ** 32 : (words[from + i] as number) + (bits < 32 ? 2 ** (32 - bits) : carry);
      carry = sum >= 2 ** 32 ? 1 : 0;
      behind[level * width + i] = sum;
    }
    endless[level] = carry;
  };

  for (let k = 0; k < count; ) {
    const first = order[k] as number;
    const from = first * width;
    const length = lengths[first] as number;
    while (depth > 0 && endsBefore(depth - 1, from)) close();
    // everything that is said of this network
    let level: Level | undefined;
    for (; k < count; k++) {
      const i = order[k] as number;
      let same = lengths[i] === length;
      for (let w = 0; same && w < width; w++) same = words[i * width + w] === words[from + w];
      if (!same) break;
      const category = categories[list[i] as number] as number;
      const exception = allowed[i] === 1;
      exceptions ||= exception;
      level = level === undefined && !exception ? LISTED[category] : withEntry(level ?? (LISTED[0] as Level), category, exception);
    }
    const found = level as Level;
    if (found.listed.length > 0) entries++;
    path[depth] = found;
    answers[depth] = exceptions ? verdict(path, depth + 1) : (found.listed[0] as number);
    setBehind(depth, from, length);
    out.cut(words, from, answers[depth++] as number);
  }
  while (depth > 0) close();

  const table = out.take();
  const index = new Uint32Array(BUCKETS + 1);
  for (let bucket = 0, row = 0; bucket <= BUCKETS; bucket++) {
    while (row < table.count && (table.rows[row * width] as number) >>> 16 < bucket) row++;
    index[bucket] = row;
  }
  return { rows: shared(table.rows), categories: shared(table.categories), index: shared(index), entries };
}
