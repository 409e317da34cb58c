/**
 * One column of a block of rows on its way into DuckDB: values of JavaScript in, the bytes of the column out, a chunk at a time. Called by
 * chunks.ts.
 *
 *   put(row, value) ──► data (numbers, texts of up to 12 bytes in place), valid (a bit a row)
 *              └──────► arena: all longer texts of the column, one after another ──► one call into DuckDB a chunk, pointers into it
 *
 * Rows are put in their order. A column takes memory from its first value on.
 */
import duckdb, { type Vector } from '@duckdb/node-bindings';
import { properText } from '../../flows/export.ts';
import type { FieldValue } from '../../flows/fields.ts';
import type { Column } from './columns.ts';

/** Rows of a chunk, as many as DuckDB takes. */
export const CHUNK_ROWS = 2048;

export interface Target {
  /** @returns false for a value that is none of the column's. @param latin1 texts are in Latin-1 form (src/flows/view.ts) */
  put(row: number, value: FieldValue, latin1: boolean): boolean;
  /** Some row has a value. */
  isUsed(): boolean;
  /** Writes rows into the column of a chunk, the first chunk first. */
  moveTo(vector: Vector, chunk: number, rows: number): void;
  /** Begins anew. */
  clear(): void;
}

const TWO_32 = 2 ** 32;

/** `duckdb_string_t`: the length in four bytes, then a text of up to 12 bytes and zeros, or its first four and where it lies. */
const STRING_BYTES = 16;
const INLINE = 12;
const ARENA_BYTES = 4096;

/** JSON that DuckDB accepts: halves of surrogate pairs, which texts of JavaScript may have, are none. */
function textJson(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  return JSON.stringify(text.toWellFormed());
}

/** As JSON.stringify, for what fields have: a flow has several small tables. */
function jsonOf(value: FieldValue, latin1: boolean): string {
  if (typeof value === 'string') return textJson(latin1 ? properText(value) : value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value !== 'object') return String(value);
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map((each: FieldValue) => jsonOf(each ?? null, latin1)).join(',')}]`;
  let text = '';
  for (const key in value) {
    const member = value[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${label(key, latin1)}${jsonOf(member, latin1)}`;
  }
  return `{${text}}`;
}

/** Keys of tables as JSON, with their colons: most are declared, and come with every flow. */
const labels = new Map<string, string>();
const MOST_LABELS = 1000;

function label(key: string, latin1: boolean): string {
  let text = labels.get(key);
  if (text !== undefined) return text;
  text = `${textJson(latin1 ? properText(key) : key)}:`;
  // a key that is not ASCII has two meanings
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII with its control characters
  if (labels.size < MOST_LABELS && /^[\x00-\x7f]*$/.test(key)) labels.set(key, text);
  return text;
}

interface Validity {
  set(row: number): true;
  isUsed(): boolean;
  /** @returns false: no row of the chunk has a value */
  moveTo(vector: Vector, chunk: number, rows: number): boolean;
  clear(): void;
}

/** @param rows of a block */
function createValidity(rows: number): Validity {
  const chunks = Math.ceil(rows / CHUNK_ROWS);
  const bits = new Uint8Array((chunks * CHUNK_ROWS) / 8);
  let used = false;

  /** Rows of a chunk that have a value: all, some, or none. */
  function share(chunk: number, count: number): 'all' | 'some' | 'none' {
    const begin = (chunk * CHUNK_ROWS) / 8;
    const end = begin + Math.ceil(count / 8);
    let [every, any] = [0xff, 0];
    for (let i = begin; i < end - 1; i++) {
      every &= bits[i] as number;
      any |= bits[i] as number;
    }
    const rest = bits[end - 1] as number;
    if (every === 0xff && rest === (count % 8 === 0 ? 0xff : (1 << (count % 8)) - 1)) return 'all';
    return (any | rest) === 0 ? 'none' : 'some';
  }

  return {
    set(row) {
      bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
      used = true;
      return true;
    },
    isUsed: () => used,
    moveTo(vector, chunk, count) {
      const there = share(chunk, count);
      if (there === 'all') return true; // as every chunk begins
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(vector, 0, bits.buffer, (chunk * CHUNK_ROWS) / 8, CHUNK_ROWS / 8);
      return there === 'some';
    },
    clear() {
      if (used) bits.fill(0);
      used = false;
    },
  };
}

type Numbers = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** @param bytes of a value */
function createPlainTarget<T extends Numbers>(
  rows: number,
  bytes: number,
  room: () => T,
  store: (data: T, row: number, value: FieldValue) => boolean,
): Target {
  let data: T | undefined;
  const validity = createValidity(rows);
  return {
    put: (row, value) => store((data ??= room()), row, value) && validity.set(row),
    isUsed: validity.isUsed,
    moveTo(vector, chunk, count) {
      if (validity.moveTo(vector, chunk, count) && data !== undefined) {
        duckdb.copy_data_to_vector(vector, 0, data.buffer, chunk * CHUNK_ROWS * bytes, count * bytes);
      }
    },
    clear: validity.clear,
  };
}

function createTextTarget(rows: number, isJson: boolean): Target {
  const validity = createValidity(rows);
  let data = new Uint8Array(0);
  let words = new Uint32Array(0);
  let arena = Buffer.alloc(0);
  let used = 0;
  /** Where in the arena the texts of a chunk begin, and end. */
  const begins = new Int32Array(Math.ceil(rows / CHUNK_ROWS));
  const ends = new Int32Array(begins.length);
  /** The chunk of the row that was put last; -1 = none. */
  let current = -1;
  /** Rows of long texts; where in the arena they begin stands in the place of their pointers. */
  const long: number[] = [];
  /** Of them, those that have been written. */
  let moved = 0;
  let last: string | undefined;
  let lastRow = 0;

  function room(bytes: number): void {
    if (used + bytes <= arena.length) return;
    const larger = Buffer.alloc(Math.max(ARENA_BYTES, arena.length * 2, used + bytes));
    arena.copy(larger, 0, 0, used);
    arena = larger;
  }

  /** Texts of a chunk lie together: its rows point to none of an earlier one. */
  function begin(chunk: number): void {
    if (data.length === 0) {
      data = new Uint8Array(begins.length * CHUNK_ROWS * STRING_BYTES);
      words = new Uint32Array(data.buffer);
    }
    current = chunk;
    begins[chunk] = used;
    ends[chunk] = used;
    last = undefined;
  }

  /** @returns false: the text has characters beyond ASCII */
  function putAscii(row: number, text: string): boolean {
    const { length } = text;
    const word = row * 4;
    if (length <= INLINE) {
      words[word] = length;
      words[word + 1] = 0;
      words[word + 2] = 0;
      words[word + 3] = 0;
      const begin = row * STRING_BYTES + 4;
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) return false;
        data[begin + i] = code;
      }
      return true;
    }
    room(length);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      arena[used + i] = code;
    }
    point(row, length);
    return true;
  }

  /** The text of `length` bytes at the end of the arena is that of the row. */
  function point(row: number, length: number): void {
    const word = row * 4;
    words[word] = length;
    words[word + 1] = arena.readUInt32LE(used);
    words[word + 2] = used;
    used += length;
    ends[current] = used;
    long.push(row);
  }

  function putUtf8(row: number, text: string): void {
    const length = Buffer.byteLength(text);
    if (length <= INLINE) {
      data.fill(0, row * STRING_BYTES, (row + 1) * STRING_BYTES);
      words[row * 4] = length;
      Buffer.from(data.buffer).write(text, row * STRING_BYTES + 4);
      return;
    }
    room(length);
    arena.write(text, used);
    point(row, length);
  }

  return {
    put(row, value, latin1) {
      if (typeof value !== (isJson ? 'object' : 'string')) return false;
      const chunk = (row / CHUNK_ROWS) | 0;
      if (chunk !== current) begin(chunk);
      const text = isJson ? jsonOf(value, latin1) : (value as string);
      if (text === last) {
        const [from, to] = [lastRow * 4, row * 4];
        words[to] = words[from] as number;
        words[to + 1] = words[from + 1] as number;
        words[to + 2] = words[from + 2] as number;
        words[to + 3] = words[from + 3] as number;
        if ((words[to] as number) > INLINE) long.push(row);
      } else {
        if (!putAscii(row, text)) putUtf8(row, latin1 && !isJson ? properText(text) : text);
        last = text;
      }
      lastRow = row;
      return validity.set(row);
    },
    isUsed: validity.isUsed,
    moveTo(vector, chunk, count) {
      if (!validity.moveTo(vector, chunk, count)) return;
      const [from, to] = [begins[chunk] as number, ends[chunk] as number];
      if (to > from) {
        // the vector keeps a copy of the texts: the row that it is given to only tells where that lies
        duckdb.vector_assign_string_element_len(vector, 0, arena.subarray(from, to));
        const told = duckdb.vector_get_data(vector, STRING_BYTES);
        const place = new DataView(told.buffer, told.byteOffset);
        const start = place.getUint32(8, true) + place.getUint32(12, true) * TWO_32 - from;
        const end = chunk * CHUNK_ROWS + count;
        for (; moved < long.length && (long[moved] as number) < end; moved++) {
          const word = (long[moved] as number) * 4;
          const at = start + (words[word + 2] as number);
          words[word + 2] = at % TWO_32;
          words[word + 3] = Math.floor(at / TWO_32);
        }
      }
      duckdb.copy_data_to_vector(vector, 0, data.buffer, chunk * CHUNK_ROWS * STRING_BYTES, count * STRING_BYTES);
    },
    clear() {
      validity.clear();
      long.length = 0;
      moved = 0;
      used = 0;
      current = -1;
    },
  };
}

/** @param rows of a block */
export function createTarget(type: Column['type'], rows: number): Target {
  switch (type) {
    case 'BIGINT':
      return createPlainTarget(
        rows,
        8,
        () => new Int32Array(rows * 2), // two's complement, low half first: no BigInt is made
        (data, row, value) => {
          if (!Number.isSafeInteger(value)) return false;
          data[row * 2] = value as number; // its lower 32 bits
          data[row * 2 + 1] = Math.floor((value as number) / TWO_32);
          return true;
        },
      );
    case 'DOUBLE':
      return createPlainTarget(
        rows,
        8,
        () => new Float64Array(rows),
        (data, row, value) => {
          if (typeof value !== 'number') return false;
          data[row] = value;
          return true;
        },
      );
    case 'BOOLEAN':
      return createPlainTarget(
        rows,
        1,
        () => new Uint8Array(rows),
        (data, row, value) => {
          if (typeof value !== 'boolean') return false;
          data[row] = value ? 1 : 0;
          return true;
        },
      );
    default:
      return createTextTarget(rows, type === 'JSON');
  }
}
