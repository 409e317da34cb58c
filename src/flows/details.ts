/**
 * Detail arena: what detection found about a flow (record.ts, "detail block"), one block a flow, any length.
 *
 *   handle (R_DETAIL) = first unit of the block; unit = 8 bytes; word 0 of a block = length in bytes, then the bytes.
 *   Freed blocks wait in one list per size, linked through their first word.
 */
import { native } from '../native.ts';
import { DETAIL_ENTRIES, readNumber } from './record.ts';

const UNIT = 8;
const UNIT_WORDS = UNIT / 4;
const MAX_UNITS = 1024;

export interface DetailArena {
  /** Stores `length` bytes of `source`. @returns the block's handle, 0 when there is no room */
  put(source: Uint8Array, length: number): number;
  free(handle: number): void;
  /**
   * Puts an entry into a block in place of one with its id; 0 = into a new block.
   * @returns the handle that takes the old one's place; the old one itself when there is no room
   */
  withEntry(handle: number, detail: number, data: Uint8Array): number;
  /** Copies the entries of a block whose ids are `from` to `to - 1` to `out` at `at`. @returns the end of what was written */
  copyEntries(handle: number, from: number, to: number, out: Uint8Array, at: number): number;
  /** Length of a block in bytes. */
  length(handle: number): number;
  /** Offset of a block's first byte in `bytes`. */
  offset(handle: number): number;
  /** Number of the entry with this detail id in the block; 0 where it has none. */
  number(handle: number, detail: number): number;
  /** Text of the entry, one character a byte; '' where it has none. */
  text(handle: number, detail: number): string;
  readonly bytes: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
}

/** @param capacity bytes reserved; only used ones cost memory */
export function createDetailArena(capacity: number): DetailArena {
  const buffer = native.allocate(capacity);
  const bytes = new Uint8Array(buffer);
  const u16 = new Uint16Array(buffer);
  const u32 = new Uint32Array(buffer);
  const freed = new Int32Array(MAX_UNITS + 1);
  const units = Math.floor(capacity / UNIT);
  let fresh = 1; // unit 0 stays unused: handle 0 means none

  const view = new DataView(buffer);
  const strings = Buffer.from(buffer);

  /** Offset of the entry (id, length, bytes) with this id, or -1. */
  const find = (handle: number, detail: number): number => {
    const end = handle * UNIT + 4 + (u32[handle * UNIT_WORDS] as number);
    for (let at = handle * UNIT + 4 + DETAIL_ENTRIES; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
      if (view.getUint16(at, true) === detail) return at;
    }
    return -1;
  };

  const joined = new Uint8Array(UNIT * MAX_UNITS);
  const joinedView = new DataView(joined.buffer);

  const put = (source: Uint8Array, length: number): number => {
    const wanted = Math.ceil((length + 4) / UNIT);
    if (wanted > MAX_UNITS) return 0;
    let handle = freed[wanted] as number;
    if (handle !== 0) {
      freed[wanted] = u32[handle * UNIT_WORDS] as number;
    } else {
      if (fresh + wanted > units) return 0;
      handle = fresh;
      fresh += wanted;
    }
    u32[handle * UNIT_WORDS] = length;
    const at = handle * UNIT + 4;
    for (let i = 0; i < length; i++) bytes[at + i] = source[i] as number;
    return handle;
  };

  const free = (handle: number): void => {
    const size = Math.ceil(((u32[handle * UNIT_WORDS] as number) + 4) / UNIT);
    u32[handle * UNIT_WORDS] = freed[size] as number;
    freed[size] = handle;
  };

  /** Copies the entries for which `wanted` holds. @returns the end of what was written; what does not fit is left out */
  const copy = (handle: number, out: Uint8Array, at: number, wanted: (detail: number) => boolean): number => {
    const end = handle * UNIT + 4 + (u32[handle * UNIT_WORDS] as number);
    for (let from = handle * UNIT + 4 + DETAIL_ENTRIES; from + 4 <= end; ) {
      const length = 4 + view.getUint16(from + 2, true);
      if (wanted(view.getUint16(from, true)) && at + length <= out.length) {
        out.set(bytes.subarray(from, from + length), at);
        at += length;
      }
      from += length;
    }
    return at;
  };

  return {
    bytes,
    u16,
    u32,
    put,
    free,
    withEntry(handle, detail, data) {
      joined.fill(0, 0, DETAIL_ENTRIES);
      let length = DETAIL_ENTRIES;
      if (handle !== 0) {
        joined.set(bytes.subarray(handle * UNIT + 4, handle * UNIT + 4 + DETAIL_ENTRIES));
        length = copy(handle, joined, length, (id) => id !== detail);
      }
      if (length + 4 + data.length > joined.length) return handle;
      joinedView.setUint16(length, detail, true);
      joinedView.setUint16(length + 2, data.length, true);
      joined.set(data, length + 4);
      const made = put(joined, length + 4 + data.length);
      if (made === 0) return handle;
      if (handle !== 0) free(handle);
      return made;
    },
    copyEntries: (handle, from, to, out, at) => copy(handle, out, at, (id) => id >= from && id < to),
    length: (handle) => u32[handle * UNIT_WORDS] as number,
    offset: (handle) => handle * UNIT + 4,
    number(handle, detail) {
      const at = find(handle, detail);
      return at < 0 ? 0 : (readNumber(view, at + 4, view.getUint16(at + 2, true)) ?? 0);
    },
    text(handle, detail) {
      const at = find(handle, detail);
      return at < 0 ? '' : strings.toString('latin1', at + 4, at + 4 + view.getUint16(at + 2, true));
    },
  };
}
