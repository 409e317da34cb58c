/**
 * Flows in JSON, read byte by byte into a record: nothing is built but what the record keeps.
 *
 *   object = one flow, array of objects = many flows, objects after one another (also one a line) = many flows
 *   key = "8" | "35632.123" | "57595" | "CLIENT_NW_LATENCY_MS"; value = number, text, true, false, null, object, array
 *
 * The grammar is RFC 8259, with two liberties that do no harm: control characters in texts, and nothing between objects. The body
 * must be followed by a byte 0, which ends every loop. Called by the decoder.
 */
import { type Dictionary, LABEL_SEED, labelStep } from './dictionary.ts';
import type { FlowDraft } from './draft.ts';
import type { Field } from './fields.ts';
import { NESTED, NULL, NUMBER, TEXT, type Value } from './value.ts';

/** '' = read to its end; else the reason why it was given up, at which the records before stay. */
export type ReadResult = '' | 'json' | 'tlv' | 'items';

/** What a reader does with what it reads. */
export interface Assembly {
  /** Where fields put what they read. */
  readonly draft: FlowDraft;
  /** The value that stands ready when one of these is called. */
  readonly value: Value;
  /** A value of a field that the dictionary does not know; its key is at `start` to `end` of `bytes`. */
  unknown(bytes: Buffer, start: number, end: number): void;
  /** The same where the key is a bare number. */
  unknownNumber(number: number): void;
  /** The record is complete. */
  end(): void;
  /** A text was too long to be read. */
  tooLong(): void;
}

export const MOST_ITEMS = 1024;
export const MOST_NESTING = 8;
export const LONGEST_TEXT = 65536;
/** Bytes of a name that is remembered. */
const LONGEST_GUESS = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const DOT = 0x2e;
const MINUS = 0x2d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Exact powers of ten: a number of at most 15 digits divided by one of them is rounded once, as it must be. */
const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

export const TOO_MANY = -2;
const DAMAGED = -1;

/** @param body what {@link JsonReader} reads: the same buffer each time */
export function createJsonReader(body: Buffer, dictionary: Dictionary, assembly: Assembly): (length: number) => ReadResult {
  const { draft, value } = assembly;
  /** Where texts with escapes go; keys after values. */
  const plain = Buffer.alloc(LONGEST_TEXT + 8);
  let plainEnd = 0;
  let end = 0;
  /** Probes write the same names in the same order: bytes, length and field of the name that stood at each place of a record. */
  const guessed = new Uint8Array((MOST_ITEMS + 1) * LONGEST_GUESS);
  const guessedLength = new Uint8Array(MOST_ITEMS + 1);
  const guessedField: Field[] = [];
  let generation = -1;

  /** @returns the end of the name at `at` if it is the one that stood at this place before; else 0 */
  const sameAsBefore = (place: number, at: number): number => {
    const length = guessedLength[place];
    const from = place * LONGEST_GUESS;
    let same = 0;
    while (same < length && body[at + same] === guessed[from + same]) same++;
    return length > 0 && same === length && body[at + length] === QUOTE ? at + length : 0;
  };

  const remember = (place: number, start: number, keyEnd: number, field: Field): void => {
    if (keyEnd - start > LONGEST_GUESS) return;
    guessed.set(body.subarray(start, keyEnd), place * LONGEST_GUESS);
    guessedLength[place] = keyEnd - start;
    guessedField[place] = field;
  };

  const spaces = (at: number): number => {
    while (isSpace(body[at])) at++;
    return at;
  };

  /** @returns the byte after the quote that ends the text at `at`, or DAMAGED */
  const skipText = (at: number): number => {
    for (;;) {
      const byte = body[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at++;
      else if (byte === 0 && at >= end) return DAMAGED;
      at++;
      if (at > end) return DAMAGED;
    }
  };

  const hex4 = (at: number): number => {
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const byte = body[at + i];
      const digit = isDigit(byte) ? byte - 0x30 : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66 ? (byte | 0x20) - 0x57 : -1;
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  };

  const putCode = (code: number): void => {
    if (code < 0x80) plain[plainEnd++] = code;
    else if (code < 0x800) {
      plain[plainEnd++] = 0xc0 | (code >> 6);
      plain[plainEnd++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      plain[plainEnd++] = 0xe0 | (code >> 12);
      plain[plainEnd++] = 0x80 | ((code >> 6) & 0x3f);
      plain[plainEnd++] = 0x80 | (code & 0x3f);
    } else {
      plain[plainEnd++] = 0xf0 | (code >> 18);
      plain[plainEnd++] = 0x80 | ((code >> 12) & 0x3f);
      plain[plainEnd++] = 0x80 | ((code >> 6) & 0x3f);
      plain[plainEnd++] = 0x80 | (code & 0x3f);
    }
  };

  /** Puts the text at `at` into `plain` without its escapes. @returns the byte after its quote, or DAMAGED */
  const resolve = (at: number): number => {
    plainEnd = 0;
    for (;;) {
      if (plainEnd > LONGEST_TEXT) return skipText(at);
      const byte = body[at++];
      if (byte === QUOTE) return at;
      if (byte !== BACKSLASH) {
        if (byte === 0 && at > end) return DAMAGED;
        plain[plainEnd++] = byte;
        continue;
      }
      const escaped = body[at++];
      switch (escaped) {
        case QUOTE:
        case BACKSLASH:
        case 0x2f:
          plain[plainEnd++] = escaped;
          break;
        case 0x62:
          plain[plainEnd++] = 8;
          break;
        case 0x66:
          plain[plainEnd++] = 12;
          break;
        case 0x6e:
          plain[plainEnd++] = 10;
          break;
        case 0x72:
          plain[plainEnd++] = 13;
          break;
        case 0x74:
          plain[plainEnd++] = 9;
          break;
        case 0x75: {
          let code = hex4(at);
          if (code < 0) return DAMAGED;
          at += 4;
          if (code >= 0xd800 && code < 0xdc00 && body[at] === BACKSLASH && body[at + 1] === 0x75) {
            const low = hex4(at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
              code = 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00;
              at += 6;
            }
          }
          putCode(code >= 0xd800 && code < 0xe000 ? 0xfffd : code); // half a pair is no character
          break;
        }
        default:
          return DAMAGED;
      }
    }
  };

  const word = (at: number, text: string): number => {
    for (let i = 0; i < text.length; i++) if (body[at + i] !== text.charCodeAt(i)) return DAMAGED;
    return at + text.length;
  };

  /** Goes over the number at `at`. @returns the byte after it, or DAMAGED */
  const number = (at: number): number => {
    const start = at;
    const negative = body[at] === MINUS;
    if (negative) at++;
    const first = at;
    let digits = 0;
    let mantissa = 0;
    while (isDigit(body[at])) mantissa = mantissa * 10 + body[at++] - 0x30;
    digits = at - first;
    if (digits === 0 || (digits > 1 && body[first] === 0x30)) return DAMAGED;
    let decimals = 0;
    if (body[at] === DOT) {
      const point = ++at;
      while (isDigit(body[at])) mantissa = mantissa * 10 + body[at++] - 0x30;
      decimals = at - point;
      if (decimals === 0) return DAMAGED;
    }
    let exact = digits + decimals <= 15;
    if ((body[at] | 0x20) === 0x65) {
      at++;
      if (body[at] === MINUS || body[at] === 0x2b) at++;
      if (!isDigit(body[at])) return DAMAGED;
      while (isDigit(body[at])) at++;
      exact = false;
    }
    if (exact) {
      if (decimals > 0) mantissa /= POWERS[decimals];
      value.number = negative ? -mantissa : mantissa;
    } else value.number = Number(body.toString('latin1', start, at));
    value.kind = NUMBER;
    value.bytes = body;
    value.start = start;
    value.end = at;
    value.wide = false;
    return at;
  };

  /** Goes over any value without looking at it. @returns the byte after it, DAMAGED or TOO_MANY */
  const skip = (at: number, depth: number): number => {
    const byte = body[at];
    if (byte === QUOTE) return resolve(at + 1); // not skipText: what is no JSON is found wherever it stands
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (depth >= MOST_NESTING) return TOO_MANY;
      const close = byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST;
      at = spaces(at + 1);
      if (body[at] === close) return at + 1;
      for (;;) {
        if (byte === OPEN_OBJECT) {
          if (body[at] !== QUOTE) return DAMAGED;
          at = resolve(at + 1);
          if (at < 0) return at;
          at = spaces(at);
          if (body[at] !== COLON) return DAMAGED;
          at = spaces(at + 1);
        }
        at = skip(at, depth + 1);
        if (at < 0) return at;
        at = spaces(at);
        if (body[at] === close) return at + 1;
        if (body[at] !== COMMA) return DAMAGED;
        at = spaces(at + 1);
      }
    }
    if (byte === MINUS || isDigit(byte)) return number(at);
    if (byte === 0x74) return word(at, 'true');
    if (byte === 0x66) return word(at, 'false');
    if (byte === 0x6e) return word(at, 'null');
    return DAMAGED;
  };

  /** Reads the value at `at`. @returns the byte after it, DAMAGED or TOO_MANY */
  const read = (at: number): number => {
    const byte = body[at];
    if (byte === QUOTE) {
      const start = ++at;
      for (;;) {
        const character = body[at];
        if (character === QUOTE) {
          value.bytes = body;
          value.start = start;
          value.end = at++;
          break;
        }
        if (character === BACKSLASH) {
          at = resolve(start);
          value.bytes = plain;
          value.start = 0;
          value.end = plainEnd;
          break;
        }
        if (character === 0 && at >= end) return DAMAGED;
        at++;
      }
      value.kind = TEXT;
      if (value.end - value.start > LONGEST_TEXT) {
        value.kind = NULL;
        assembly.tooLong();
      }
      return at;
    }
    if (byte === MINUS || isDigit(byte)) {
      value.wrap = 0x1_0000_0000;
      return number(at);
    }
    value.start = -1;
    value.wide = false;
    if (byte === 0x74 || byte === 0x66) {
      value.kind = NUMBER;
      value.number = byte === 0x74 ? 1 : 0;
      return word(at, byte === 0x74 ? 'true' : 'false');
    }
    if (byte === 0x6e) {
      value.kind = NULL;
      return word(at, 'null');
    }
    const after = skip(at, 1);
    if (after < 0) return after;
    value.kind = after - at > LONGEST_TEXT ? NULL : NESTED;
    if (value.kind === NULL) assembly.tooLong();
    value.bytes = body;
    value.start = at;
    value.end = after;
    return after;
  };

  /** Reads the members of the object whose brace is before `at`. @returns the byte after it, DAMAGED or TOO_MANY */
  const members = (at: number): number => {
    at = spaces(at);
    if (body[at] === CLOSE_OBJECT) return at + 1;
    for (let items = 1; ; items++) {
      if (items > MOST_ITEMS) return TOO_MANY;
      if (body[at] !== QUOTE) return DAMAGED;
      const keyStart = ++at;
      let keyEnd = 0;
      let keyBytes = body;
      let field: Field | undefined;
      let byte = body[at];
      let number = 0;
      while (isDigit(byte)) {
        number = number * 10 + byte - 0x30;
        byte = body[++at];
      }
      if (byte === QUOTE && at > keyStart) {
        field = dictionary.byNumber(number);
        keyEnd = at++;
      } else if (at === keyStart && (keyEnd = sameAsBefore(items, at)) > 0) {
        field = guessedField[items];
        at = keyEnd + 1;
      } else {
        let hash = LABEL_SEED;
        const label = at === keyStart;
        for (; byte !== QUOTE; byte = body[++at]) {
          if (byte === BACKSLASH || (byte === 0 && at >= end)) break;
          if (label) hash = labelStep(hash, byte);
        }
        if (byte === BACKSLASH) {
          at = resolve(keyStart);
          if (at < 0) return at;
          keyBytes = Buffer.from(plain.subarray(0, plainEnd));
          keyEnd = plainEnd;
          field = dictionary.byKey(keyBytes, 0, keyEnd);
        } else {
          if (byte !== QUOTE) return DAMAGED;
          keyEnd = at++;
          field = label ? dictionary.byLabel(body, keyStart, keyEnd, hash) : dictionary.byKey(body, keyStart, keyEnd);
          if (label && field !== undefined) remember(items, keyStart, keyEnd, field);
        }
      }
      if (body[at] !== COLON) {
        at = spaces(at);
        if (body[at] !== COLON) return DAMAGED;
      }
      at++;
      if (isSpace(body[at])) at = spaces(at);
      at = read(at);
      if (at < 0) return at;
      if (field !== undefined) field.apply(draft, value);
      else assembly.unknown(keyBytes, keyBytes === body ? keyStart : 0, keyEnd);
      if (isSpace(body[at])) at = spaces(at);
      byte = body[at];
      if (byte === CLOSE_OBJECT) return at + 1;
      if (byte !== COMMA) return DAMAGED;
      at++;
      if (isSpace(body[at])) at = spaces(at);
    }
  };

  const flow = (at: number): number => {
    if (body[at] !== OPEN_OBJECT) return DAMAGED;
    at = members(at + 1);
    if (at >= 0) assembly.end();
    return at;
  };

  const list = (at: number): number => {
    at = spaces(at);
    if (body[at] === CLOSE_LIST) return at + 1;
    for (;;) {
      at = flow(at);
      if (at < 0) return at;
      at = spaces(at);
      if (body[at] === CLOSE_LIST) return at + 1;
      if (body[at] !== COMMA) return DAMAGED;
      at = spaces(at + 1);
    }
  };

  return (length) => {
    end = length;
    if (generation !== dictionary.generation()) guessedLength.fill(0);
    generation = dictionary.generation();
    let at = spaces(0);
    if (at === end) return 'json';
    while (at < end) {
      at = body[at] === OPEN_LIST ? list(at + 1) : flow(at);
      if (at < 0) return at === TOO_MANY ? 'items' : 'json';
      at = spaces(at);
    }
    return at === end ? '' : 'json';
  };
}
