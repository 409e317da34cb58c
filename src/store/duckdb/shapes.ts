/**
 * Which fields of an event have to be read at all. Most of the fields of a flow are there for some protocols alone: for events of one
 * shape they are absent, or the same, again and again.
 *
 *   event ──► shape: addresses' family, IP protocol, what detection said, which details are there
 *               └── first of its shape: every field is read through a view that notes what it was asked
 *                     asked of the shape alone ──► fixed: the value is kept (or the field is left out)
 *                     asked anything else     ──► varying: read from each event
 *
 * It holds because a field's `read` is a pure function of the view. Called by chunks.ts.
 */
import { E_DETAIL, E_DETAIL_LENGTH, E_RECORD } from '../../flows/event.ts';
import type { Field, FieldValue } from '../../flows/fields.ts';
import { DETAIL_CATEGORY, DETAIL_ENTRIES, R_FACTS, R_PV } from '../../flows/record.ts';
import type { EventView } from '../../flows/view.ts';

export interface Shape {
  /** Places in the list of fields. */
  readonly varying: readonly number[];
  readonly fixed: readonly { readonly place: number; readonly value: FieldValue }[];
}

/** Shapes of one view; a network has some hundreds. */
const MOST_SHAPES = 4096;
const MOST_DETAILS = 64;
/** Words of a shape before the ids of its details. */
const HEAD = 5;

/** Members of a view whose answers are in the words of a shape. */
const OF_THE_SHAPE: ReadonlySet<string> = new Set([
  ...(['names', 'is', 'hasDetail', 'application', 'master', 'category', 'breed', 'confidence', 'isIpv6', 'l4', 'vlan'] as const),
] satisfies (keyof EventView)[]);
/** What it says of a detail is in the shape, as long as there is none. */
const OF_A_DETAIL: ReadonlySet<string> = new Set(['text', 'number'] satisfies (keyof EventView)[]);

interface Known {
  readonly words: Int32Array;
  readonly shape: Shape;
}

export interface Shapes {
  /** @param view stands at the event. @returns undefined: every field has to be read */
  of(bytes: Uint8Array, at: number): Shape | undefined;
}

export function createShapes(view: EventView, fields: readonly Field[]): Shapes {
  const known = new Map<number, Known>();
  const words = new Int32Array(HEAD + MOST_DETAILS);
  let source: Uint8Array | undefined;
  let data: DataView = new DataView(words.buffer);

  /** @returns how many words it has; 0 for an event that is none of ours */
  function describe(bytes: Uint8Array, at: number): number {
    if (bytes !== source) {
      source = bytes;
      data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const length = data.getUint32(at + E_DETAIL_LENGTH, true);
    const detail = at + E_DETAIL;
    words[0] = data.getInt32(at + E_RECORD + R_PV, true);
    words[1] = data.getInt32(at + E_RECORD + R_FACTS, true);
    words[2] = length >= DETAIL_ENTRIES ? data.getInt32(detail, true) : -1; // application, master
    words[3] = length >= DETAIL_ENTRIES ? data.getInt32(detail + DETAIL_CATEGORY, true) : -1; // category, breed, confidence
    words[4] = length >= DETAIL_ENTRIES ? 1 : 0;
    const end = detail + length;
    if (end > data.byteLength) return 0;
    let count = HEAD;
    for (let entry = detail + DETAIL_ENTRIES; entry + 4 <= end; ) {
      if (count === words.length) return 0;
      words[count++] = data.getUint16(entry, true);
      entry += 4 + data.getUint16(entry + 2, true);
      if (entry > end) return 0;
    }
    return count;
  }

  function learn(): Shape {
    let fixed = true;
    const watched = new Proxy(view, {
      get(target, name: keyof EventView & string) {
        if (OF_THE_SHAPE.has(name)) return target[name];
        if (!OF_A_DETAIL.has(name)) fixed = false;
        const member = target[name] as (...args: readonly unknown[]) => unknown;
        return (...args: readonly unknown[]) => {
          const value = member(...args);
          if (value !== undefined) fixed = false;
          return value;
        };
      },
    });
    const varying: number[] = [];
    const same: { place: number; value: FieldValue }[] = [];
    for (const [place, field] of fields.entries()) {
      fixed = true;
      const value = field.read(watched);
      if (!fixed) varying.push(place);
      else if (value !== undefined) same.push({ place, value });
    }
    return { varying, fixed: same };
  }

  return {
    of(bytes, at) {
      const count = describe(bytes, at);
      if (count === 0) return undefined;
      let hash = count;
      for (let i = 0; i < count; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
      const found = known.get(hash);
      if (found !== undefined) {
        if (found.words.length !== count) return undefined;
        for (let i = 0; i < count; i++) if (found.words[i] !== words[i]) return undefined;
        return found.shape;
      }
      if (known.size === MOST_SHAPES) known.clear();
      const shape = learn();
      known.set(hash, { words: words.slice(0, count), shape });
      return shape;
    },
  };
}
