/**
 * One value of a record as both encodings give it, and what fields make of it. The readers (json.ts, tlv.ts) fill it in, the
 * fields (fields.ts) ask it for what they need: probes send numbers as texts and texts as numbers, and all of them are meant.
 *
 *   number  4.5, and its digits at `start` to `end` of `bytes` where it was written in digits (an nDPI protocol "91.120" is no fraction)
 *   64 bit  `high` and `low` beside `number`, which may have lost the low bits
 *   text    `start` to `end` of `bytes`, escapes resolved
 *   nested  JSON text at `start` to `end`
 */
import { internText } from './texts.ts';

export const NUMBER = 0;
export const TEXT = 1;
export const NESTED = 2;
export const NULL = 3;

const ZERO = 0x30;
const NINE = 0x39;
const TWO32 = 0x1_0000_0000;
const MOST_WHOLE = 2 ** 63;
const EXACT = Number.MAX_SAFE_INTEGER;

export class Value {
  kind = NULL;
  bytes: Buffer;
  /** -1: the number was not written in digits. */
  start = 0;
  end = 0;
  number = 0;
  /** 64 bits of a number that has them; else `wide` is false. */
  high = 0;
  low = 0;
  wide = false;
  /** 2 to the width of a signed number: what is added to it where it cannot be negative. */
  wrap = TWO32;
  /** Values that did not fit their fields, of this record. */
  misfits = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** A number of 0 or more, without its fraction; 0 for what is none. Up to 2^63, exact below 2^53. */
  whole(): number {
    const number = this.kind === NUMBER ? this.number : this.kind === TEXT ? this.#parsed() : Number.NaN;
    if (number >= 0 && number < MOST_WHOLE) return Math.floor(number);
    if (number < 0 && number >= -this.wrap / 2 && Number.isInteger(number)) return number + this.wrap;
    if (!this.isEmpty()) this.misfits++;
    return 0;
  }

  /** As {@link whole}; 0 for what is above `most`, too. */
  upTo(most: number): number {
    const number = this.whole();
    if (number <= most) return number;
    this.misfits++;
    return 0;
  }

  /** Any number; NaN for what is none. */
  real(): number {
    return this.kind === NUMBER ? this.number : this.kind === TEXT ? this.#parsed() : Number.NaN;
  }

  /** Writes out the digits of a number that came without. */
  digits(): void {
    this.bytes = Buffer.from(this.text(), 'latin1');
    this.start = 0;
    this.end = this.bytes.length;
  }

  /** In Latin-1 form; '' for null. */
  text(): string {
    if (this.kind === NULL) return '';
    if (this.start < 0) return this.wide ? String((BigInt(this.high) << 32n) | BigInt(this.low)) : shortest(this.number);
    return internText(this.bytes, this.start, this.end);
  }

  /** Digits are read as 64 bits into `high` and `low`. @returns false: it is no such number */
  bits64(): boolean {
    if (this.wide) return true;
    if (this.start < 0 || (this.kind === NUMBER && this.number >= 0 && this.number <= EXACT && Number.isInteger(this.number))) {
      const number = this.whole();
      this.high = Math.floor(number / TWO32);
      this.low = number % TWO32;
      return true;
    }
    let high = 0;
    let low = 0;
    let at = this.start;
    for (; at < this.end && this.bytes[at] >= ZERO && this.bytes[at] <= NINE; at++) {
      low = low * 10 + this.bytes[at] - ZERO;
      high = (high * 10 + Math.floor(low / TWO32)) % TWO32;
      low %= TWO32;
    }
    if (at !== this.end || at === this.start) {
      this.misfits++;
      return false;
    }
    this.high = high;
    this.low = low;
    return true;
  }

  /** Null, or a text with nothing in it: what probes send for "none". A text that begins with a new line is none either. */
  isEmpty(): boolean {
    return this.kind === TEXT ? this.start >= this.end || this.bytes[this.start] === 10 : this.kind === NULL;
  }

  #parsed(): number {
    const length = this.end - this.start;
    if (length === 0) return Number.NaN;
    let number = 0;
    if (length <= 15) {
      let at = this.start;
      for (; at < this.end; at++) {
        const digit = this.bytes[at] - ZERO;
        if (digit < 0 || digit > 9) break;
        number = number * 10 + digit;
      }
      if (at === this.end) return number;
    }
    if (length > 64) return Number.NaN;
    const text = this.bytes.toString('latin1', this.start, this.end);
    return /^[-+]?\d*\.?\d*(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  }
}

/** Shortest text of a number that came as a single-precision float or an integer. */
function shortest(number: number): string {
  if (Number.isInteger(number) || Math.fround(number) !== number) return String(number);
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(number.toPrecision(digits));
    if (Math.fround(text) === number) return String(text);
  }
  return String(number);
}
