/**
 * A template made into a reader: a list of steps, one a field that matters, each with its place in the record.
 *
 *   record   │ field │ field │ variable field      │ field │ …        steps before the first variable field are at a fixed distance
 *            └ at            └ length byte, value  └ again             from the record's start, those behind it from its end
 *
 * A variable field has its length in front: one byte, or 255 and two bytes (RFC 7011, 7). No step reads beyond the set: what all fields
 * need at least is checked before a record, the rest of it behind each variable field.
 *
 * Made by templates.ts, called for every record by records.ts. Steps are plain objects of one shape, read by one `switch`.
 */
import type { Draft } from './draft.ts';
import type { Element, SetBytes, SetNumber, SetText } from './elements.ts';
import { elementKey, elementOf, PEN_NPROBE, PEN_REVERSE } from './elements.ts';
import { ipv4Text, macText } from './text.ts';
import { fromNtp } from './time.ts';

/** Length of a field in its template when the data say it. */
export const VARIABLE = 0xffff;

/** Longest text and most bytes that are kept of a field. */
const MOST_TEXT = 1024;
const MOST_BYTES = 64;

export interface Field {
  readonly key: number;
  /** Bytes, or {@link VARIABLE}. */
  readonly length: number;
}

export interface Reader {
  /** Least length of a record, bytes; above 0. */
  readonly minimum: number;
  /**
   * Reads one record into the draft. There must be `minimum` bytes before `end`.
   * @returns where the next record begins; -1: the record reaches beyond `end`
   */
  read(bytes: Buffer, at: number, end: number, draft: Draft): number;
}

const U8 = 1;
const U16 = 2;
const U24 = 3;
const U32 = 4;
const U64 = 5;
const UNSIGNED = 6;
const I32 = 7;
const F32 = 8;
const F64 = 9;
const NTP = 10;
const TEXT = 11;
const BYTES = 12;
const VARIED = 13;
const MISFIT = 14;
const SKIP = 15;

interface Step {
  readonly op: number;
  /** From the record's start or from the end of the last variable field. */
  readonly offset: number;
  readonly length: number;
  readonly number: SetNumber;
  readonly text: SetText;
  readonly bytes: SetBytes;
  /** Takes what has a length that the element cannot have. */
  readonly misfit: SetBytes;
  /** Of a variable field: the least length of all behind it. */
  readonly rest: number;
  readonly element: Element;
}

const leastLength = (length: number): number => (length === VARIABLE ? 1 : length);

const nothing = (): void => {};

const printable = (bytes: Buffer, at: number, end: number): boolean => {
  for (; at < end; at++) if (bytes[at] < 0x20 || bytes[at] === 0x7f) return false;
  return true;
};

const textEnd = (bytes: Buffer, at: number, length: number): number => {
  const most = at + (length < MOST_TEXT ? length : MOST_TEXT);
  let end = at;
  while (end < most && bytes[end] !== 0) end++;
  return end;
};

function readUnsigned(bytes: Buffer, at: number, length: number): number {
  let value = 0;
  for (const end = at + length; at < end; at++) value = value * 256 + bytes[at];
  return value;
}

/** Keeps what an element without a meaning of its own says. */
function keeper(name: string, kind: Element['kind']): Pick<Step, 'number' | 'text' | 'bytes'> {
  return {
    number:
      kind === 'ipv4'
        ? (_, value, draft) => draft.keep(name, value === 0 ? '' : ipv4Text(value >>> 0))
        : kind === 'mac'
          ? (_, value, draft) => draft.keep(name, value === 0 ? '' : macText(value))
          : (_, value, draft) => draft.keep(name, value),
    text: (_, value, draft) => draft.keep(name, value),
    bytes(_, bytes, at, draft, length) {
      const value = length <= 8 ? readUnsigned(bytes, at, length) : Number.NaN;
      if (Number.isSafeInteger(value)) {
        draft.keep(name, value);
        return;
      }
      const end = textEnd(bytes, at, length);
      let rest = end;
      while (rest < at + length && bytes[rest] === 0) rest++;
      if ((rest === at + length || end === at + MOST_TEXT) && printable(bytes, at, end)) draft.keep(name, bytes.latin1Slice(at, end));
      else draft.keep(name, bytes.toString('hex', at, at + Math.min(length, MOST_BYTES)));
    },
  };
}

/** How an element of this length is read. */
function opOf({ kind, length: only, text }: Element, length: number): number {
  if (length === 0) return SKIP;
  if (kind === 'text') return TEXT;
  if (only !== undefined && length !== only) return MISFIT;
  if (kind === 'bytes') return BYTES;
  if (kind === 'ipv4') return I32;
  if (kind === 'float') return length === 4 ? F32 : length === 8 ? F64 : MISFIT;
  if (kind === 'ntp') return NTP;
  if (text !== undefined && length > 4) return TEXT;
  if (length > 8) return MISFIT;
  return [UNSIGNED, U8, U16, U24, U32, UNSIGNED, UNSIGNED, UNSIGNED, U64][length];
}

/**
 * @param options of an options template: values go to {@link Draft.options}
 * @returns undefined when a record would have no bytes
 */
export function compile(fields: readonly Field[], options: boolean): Reader | undefined {
  const keys = new Set(fields.map((field) => field.key));
  const has = (...wanted: number[]): boolean => wanted.some((key) => keys.has(key));
  const reverse = (id: number): number => elementKey(PEN_REVERSE, id);
  const fromProbe = fields.some((field) => Math.floor(field.key / 65536) === PEN_NPROBE);
  const bothWays = has(reverse(1), reverse(2), reverse(85), reverse(86), 232, 299) || (fromProbe && has(23, 24));
  const merged = bothWays && has(6) && !has(reverse(6), elementKey(PEN_NPROBE, 78), elementKey(PEN_NPROBE, 79));
  // a probe has seen the first packet
  const directed = (fromProbe && bothWays) || fields.some((field) => elementOf(field.key).directs === true);

  const steps: Step[] = [];
  const minimum = fields.reduce((sum, field) => sum + leastLength(field.length), 0);
  if (minimum === 0) return undefined;
  let before = 0;
  let offset = 0;
  for (const { key, length } of fields) {
    const element = elementOf(key);
    const kept = keeper(element.name, element.kind);
    const probes = fromProbe ? element.fromProbe : undefined;
    const useless = element.ignored === true || (probes === undefined && element.unless !== undefined && has(...element.unless));
    const set = options ? learner(key) : useless ? { number: nothing, text: nothing, bytes: nothing } : undefined;
    const isVariable = length === VARIABLE;
    const op = isVariable ? VARIED : opOf(element, length);
    const number = set?.number ?? probes ?? element.number ?? kept.number;
    const text = set?.text ?? element.text ?? kept.text;
    const bytes = set?.bytes ?? element.bytes ?? kept.bytes;
    const misfit = set?.bytes ?? kept.bytes;
    before += leastLength(length);
    if (isVariable || (op !== SKIP && (options || !useless))) {
      steps.push({ op, offset, length: isVariable ? 0 : length, number, text, bytes, misfit, rest: minimum - before, element });
    }
    offset = isVariable ? 0 : offset + length;
  }
  const tail = offset;
  const count = steps.length;

  return {
    minimum,
    read(bytes, at, end, draft) {
      const { record } = draft;
      if (merged) record.mergedFlags = true;
      if (directed) record.directed = true;
      let base = at;
      for (let i = 0; i < count; i++) {
        const step = steps[i];
        let p = base + step.offset;
        let op = step.op;
        let size = step.length;
        if (op === VARIED) {
          size = bytes[p++];
          if (size === 255) {
            if (p + 2 > end) return -1;
            size = (bytes[p] << 8) | bytes[p + 1];
            p += 2;
          }
          base = p + size;
          if (base + step.rest > end) return -1;
          op = opOf(step.element, size);
        }
        switch (op) {
          case U8:
            step.number(record, bytes[p], draft);
            break;
          case U16:
            step.number(record, (bytes[p] << 8) | bytes[p + 1], draft);
            break;
          case U24:
            step.number(record, (bytes[p] << 16) | (bytes[p + 1] << 8) | bytes[p + 2], draft);
            break;
          case U32:
            step.number(record, word(bytes, p) >>> 0, draft);
            break;
          case I32:
            step.number(record, word(bytes, p), draft);
            break;
          case U64: {
            const high = word(bytes, p);
            const low = word(bytes, p + 4) >>> 0;
            step.number(record, high === 0 ? low : (high >>> 0) * 2 ** 32 + low, draft);
            break;
          }
          case UNSIGNED:
            step.number(record, readUnsigned(bytes, p, size), draft);
            break;
          case F32:
            step.number(record, bytes.readFloatBE(p), draft);
            break;
          case F64:
            step.number(record, bytes.readDoubleBE(p), draft);
            break;
          case NTP: {
            const high = word(bytes, p) >>> 0;
            const low = word(bytes, p + 4) >>> 0;
            step.number(record, high === 0 && low === 0 ? 0 : fromNtp(high, low), draft);
            break;
          }
          case TEXT: {
            const stop = textEnd(bytes, p, size);
            if (stop > p) step.text(record, bytes.latin1Slice(p, stop), draft);
            break;
          }
          case BYTES:
            step.bytes(record, bytes, p, draft, size);
            break;
          case MISFIT:
            step.misfit(record, bytes, p, draft, size);
            break;
          default:
        }
      }
      return base + tail;
    },
  };
}

const word = (bytes: Buffer, at: number): number => (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];

/** Of an options template: everything that is a number or a text is remembered by its element. */
function learner(key: number): Pick<Step, 'number' | 'text' | 'bytes'> {
  return {
    number: (_, value, draft) => {
      draft.options.set(key, value);
    },
    text: (_, value, draft) => {
      draft.options.set(key, value);
    },
    bytes: nothing,
  };
}
