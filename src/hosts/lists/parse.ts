/**
 * Reads one list: the bytes of a text become columns of numbers and one run of name bytes. No line becomes a JavaScript string
 * unless it is rejected, so a million lines take a fraction of a second.
 *
 *   line = [entry] [comment]      comment = from `#` or `;` to the end      `!entry` = exception (docs/guides/lists.md)
 *
 *   format             words of a line    entry
 *   ip, domain         1                  the word: address, network or host name
 *   hosts              2                  the second word (an exception stands alone)
 *   auto               1 or 2             the last word
 *   ja3_suricata_csv   any                before the first comma: MD5, 32 hexadecimal digits
 *
 * Called by the store; the result goes to compile.ts.
 */
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { parseIPv6 } from '../prefixes.ts';
import { ListError, type ListSource } from './declaration.ts';

/** Numbers of 32 or 128 bits, each with the length of a prefix. */
export interface Prefixes {
  readonly count: number;
  /** 1 or 4 words a number, most significant word first; bits behind the prefix are 0. */
  readonly words: Uint32Array;
  readonly lengths: Uint8Array;
  /** 1 where the prefix is an exception. */
  readonly allowed: Uint8Array;
}

export interface Names {
  readonly count: number;
  /** Lower case, without a dot at the end, one behind the other. */
  readonly bytes: Uint8Array;
  /** `ends[i]`: where name `i` ends in `bytes`. */
  readonly ends: Uint32Array;
  readonly allowed: Uint8Array;
}

export interface ParsedList {
  readonly name: string;
  readonly category: number;
  readonly ipv4: Prefixes;
  readonly ipv6: Prefixes;
  /** Fingerprints are numbers of 128 bits, all of length 128. */
  readonly ja3: Prefixes;
  readonly names: Names;
  /** Lines taken, exceptions among them. */
  readonly entries: number;
  /** Lines that the format does not know. */
  readonly rejected: number;
  /** The first ten rejected lines, `source:line: text`. */
  readonly rejectedLines: readonly string[];
}

export const MAX_LINES = 5_000_000;
/** Longest host name in text form (RFC 1035, 3.1). */
export const MAX_NAME = 253;
/** In text form, with an IPv4 tail and the zone of an interface. */
const LONGEST_IPV6 = 64;
const REJECTED_KEPT = 10;
const REJECTED_TEXT = 120;

/** What a hosts file says of the machine itself; listing it would condemn whole networks of well-behaved hosts. */
const BOILERPLATE = new Set([
  'localhost',
  'localhost.localdomain',
  'local',
  'broadcasthost',
  'ip6-localhost',
  'ip6-loopback',
  'ip6-localnet',
  'ip6-mcastprefix',
  'ip6-allnodes',
  'ip6-allrouters',
  'ip6-allhosts',
]);
const LONGEST_BOILERPLATE = 'localhost.localdomain'.length;

const LF = 10;
const BLANK = 32;
const EXCLAMATION = 33;
const HASH = 35;
const COMMA = 44;
const DASH = 45;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const SEMICOLON = 59;
const UNDERSCORE = 95;

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

/** Value of a hexadecimal digit, -1 for any other character. */
export const hexDigit = (code: number): number => {
  if (isDigit(code)) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
};

/** @param width words a number: 1 or 4 */
function createPrefixes(width: 1 | 4) {
  let count = 0;
  let words = new Uint32Array(16 * width);
  let lengths = new Uint8Array(16);
  let allowed = new Uint8Array(16);
  const grown = <T extends Uint8Array | Uint32Array>(small: T, large: T): T => {
    large.set(small);
    return large;
  };
  return {
    /** Words beyond the width are ignored. */
    add(length: number, exception: boolean, a: number, b = 0, c = 0, d = 0): void {
      if (count === lengths.length) {
        words = grown(words, new Uint32Array(words.length * 2));
        lengths = grown(lengths, new Uint8Array(count * 2));
        allowed = grown(allowed, new Uint8Array(count * 2));
      }
      const at = count * width;
      words[at] = a;
      if (width === 4) {
        words[at + 1] = b;
        words[at + 2] = c;
        words[at + 3] = d;
      }
      lengths[count] = length;
      allowed[count++] = exception ? 1 : 0;
    },
    take: (): Prefixes => ({
      count,
      words: words.slice(0, count * width),
      lengths: lengths.slice(0, count),
      allowed: allowed.slice(0, count),
    }),
  };
}

function createNames() {
  let count = 0;
  let used = 0;
  let bytes = new Uint8Array(1024);
  let ends = new Uint32Array(64);
  let allowed = new Uint8Array(64);
  return {
    /** Takes over bytes `from` to `to`, in lower case. */
    add(text: Uint8Array, from: number, to: number, exception: boolean): void {
      if (used + to - from > bytes.length) {
        const small = bytes;
        bytes = new Uint8Array(small.length * 2);
        bytes.set(small);
      }
      if (count === ends.length) {
        const [smallEnds, smallAllowed] = [ends, allowed];
        ends = new Uint32Array(count * 2);
        ends.set(smallEnds);
        allowed = new Uint8Array(count * 2);
        allowed.set(smallAllowed);
      }
      for (let i = from; i < to; i++) {
        const byte = text[i] as number;
        bytes[used++] = byte >= 65 && byte <= 90 ? byte + 32 : byte;
      }
      ends[count] = used;
      allowed[count++] = exception ? 1 : 0;
    },
    take: (): Names => ({ count, bytes: bytes.slice(0, used), ends: ends.slice(0, count), allowed: allowed.slice(0, count) }),
  };
}

/** Bits of the word `index` (0 to 3) that a prefix of `length` bits keeps. */
const wordMask = (length: number, index: number): number => {
  const bits = length - index * 32;
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
};

/**
 * @param bytes text in an encoding that contains ASCII; names with other bytes are kept as they are, and in IDNA form as well
 * @throws ListError when there are more than `maxLines` lines
 */
export function parseList(bytes: Uint8Array, source: ListSource, maxLines = MAX_LINES): ParsedList {
  const { format } = source;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = text.length;
  const ipv4 = createPrefixes(1);
  const ipv6 = createPrefixes(4);
  const ja3 = createPrefixes(4);
  const names = createNames();
  const groups = new Uint16Array(8); // of an IPv6 address
  const rejectedLines: string[] = [];
  let entries = 0;
  let rejected = 0;
  let line = 0;

  function reject(start: number): void {
    rejected++;
    if (rejectedLines.length === REJECTED_KEPT) return;
    const shown = (text.toString('utf8', start, start + REJECTED_TEXT * 4).split('\n', 1)[0] as string).trim();
    const clipped = shown.length > REJECTED_TEXT ? `${shown.slice(0, REJECTED_TEXT)}…` : shown;
    rejectedLines.push(`${source.from}:${line}: ${clipped.replace(/\p{Cc}/gu, '\ufffd')}`);
  }

  /** `1.2.3.4` or `1.2.3.0/24`. @returns whether it is one */
  function takeIPv4(from: number, to: number, exception: boolean): boolean {
    let address = 0;
    let i = from;
    for (let octet = 0; octet < 4; octet++) {
      const first = i;
      let value = 0;
      while (i < to && isDigit(text[i] as number)) value = value * 10 + (text[i++] as number) - ZERO;
      const digits = i - first;
      // a leading zero means octal to some programs: such an address is no address
      if (digits === 0 || digits > 3 || value > 255 || (digits > 1 && text[first] === ZERO)) return false;
      if (octet < 3 && text[i++] !== DOT) return false;
      address = (address << 8) | value;
    }
    const length = prefixLength(i, to, 32);
    if (length < 0) return false;
    const plain = (address & wordMask(length, 0)) >>> 0;
    const own = length === 32 && (plain === 0x7f000001 || plain === 0 || plain === 0xffffffff);
    if (!own) {
      ipv4.add(length, exception, plain);
      entries++;
    }
    return true;
  }

  /** Reads `/24` at `from`, or nothing. @returns the length of the prefix, -1 if that is none */
  function prefixLength(from: number, to: number, longest: number): number {
    if (from === to) return longest;
    if (text[from] !== SLASH || to - from < 2 || to - from > 4) return -1;
    let length = 0;
    for (let i = from + 1; i < to; i++) {
      if (!isDigit(text[i] as number)) return -1;
      length = length * 10 + (text[i] as number) - ZERO;
    }
    return length > longest ? -1 : length;
  }

  /** Reads the usual form, without an IPv4 tail or a zone, into `groups`. @returns whether it is that */
  function plainIPv6(from: number, to: number): boolean {
    let count = 0;
    let gap = -1; // groups before the double colon
    let i = from;
    if (to - from >= 2 && text[from] === COLON && text[from + 1] === COLON) {
      gap = 0;
      i += 2;
    }
    while (i < to) {
      const first = i;
      let value = 0;
      for (let digit = 0; i < to && (digit = hexDigit(text[i] as number)) >= 0; i++) value = (value << 4) | digit;
      if (i === first || i - first > 4 || count === 8) return false;
      groups[count++] = value;
      if (i === to) break;
      if (text[i++] !== COLON || i === to) return false;
      if (text[i] === COLON) {
        if (gap >= 0) return false;
        gap = count;
        i++;
      }
    }
    if (gap < 0) return count === 8;
    if (count === 8) return false;
    groups.copyWithin(8 - (count - gap), gap, count);
    groups.fill(0, gap, 8 - (count - gap));
    return true;
  }

  function takeIPv6(from: number, to: number, exception: boolean): boolean {
    const slash = text.subarray(from, to).indexOf(SLASH);
    const end = slash < 0 ? to : from + slash;
    const length = prefixLength(end, to, 128);
    if (length < 0) return false;
    if (!plainIPv6(from, end)) {
      if (end - from > LONGEST_IPV6) return false;
      const address = text.latin1Slice(from, end);
      if (!isIPv6(address)) return false;
      const sixteen = parseIPv6(address);
      for (let i = 0; i < 8; i++) groups[i] = ((sixteen[i * 2] as number) << 8) | (sixteen[i * 2 + 1] as number);
    }
    const word = (i: number): number => ((((groups[i * 2] as number) << 16) | (groups[i * 2 + 1] as number)) & wordMask(length, i)) >>> 0;
    const own = length === 128 && (word(0) | word(1) | word(2)) === 0 && word(3) <= 1; // :: and ::1
    if (!own) {
      ipv6.add(length, exception, word(0), word(1), word(2), word(3));
      entries++;
    }
    return true;
  }

  function takeName(from: number, to: number, exception: boolean): boolean {
    const end = text[to - 1] === DOT ? to - 1 : to;
    if (end - from < 1 || end - from > MAX_NAME) return false;
    let onlyDigits = true; // in the label
    let foreign = false;
    let before = DOT;
    for (let i = from; i < end; i++) {
      const byte = text[i] as number;
      if (byte === DOT) {
        if (before === DOT || before === DASH) return false;
        onlyDigits = true;
      } else if (byte === DASH) {
        if (before === DOT) return false;
        onlyDigits = false;
      } else if (!isDigit(byte)) {
        const letter = byte | 0x20;
        if (byte >= 0x80) foreign = true;
        else if (byte !== UNDERSCORE && (letter < 97 || letter > 122)) return false;
        onlyDigits = false;
      }
      before = byte;
    }
    // a last label of digits alone belongs to a broken address
    if (before === DOT || before === DASH || onlyDigits) return false;
    if (end - from <= LONGEST_BOILERPLATE && BOILERPLATE.has(text.latin1Slice(from, end).toLowerCase())) return true;
    names.add(text, from, end, exception);
    entries++;
    if (foreign) {
      const ascii = domainToASCII(text.toString('utf8', from, end));
      if (ascii !== '' && ascii.length <= MAX_NAME) names.add(Buffer.from(ascii, 'latin1'), 0, ascii.length, exception);
    }
    return true;
  }

  function takeJa3(from: number, to: number, exception: boolean): boolean {
    const words = [0, 0, 0, 0];
    if (to - from < 32 || (to - from > 32 && text[from + 32] !== COMMA)) return false;
    for (let i = 0; i < 32; i++) {
      const digit = hexDigit(text[from + i] as number);
      if (digit < 0) return false;
      words[i >> 3] = (((words[i >> 3] as number) << 4) | digit) >>> 0;
    }
    ja3.add(128, exception, ...(words as [number, number, number, number]));
    entries++;
    return true;
  }

  function takeHost(from: number, to: number, exception: boolean): boolean {
    if (isDigit(text[from] as number) && takeIPv4(from, to, exception)) return true;
    for (let i = from; i < to; i++) if (text[i] === COLON) return takeIPv6(from, to, exception);
    return takeName(from, to, exception);
  }

  let at = size >= 3 && text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0; // byte order mark
  while (at < size) {
    if (++line > maxLines) throw new ListError(`has more than ${maxLines} lines`, 'split it, or drop what you do not need');
    const start = at;
    let words = 0;
    let from = 0; // the first word, then the second
    let to = 0;
    let firstByte = 0;
    while (at < size && text[at] !== LF) {
      const byte = text[at] as number;
      if (byte === HASH || byte === SEMICOLON) {
        const newline = text.indexOf(LF, at);
        at = newline < 0 ? size : newline;
      } else if (byte <= BLANK) at++;
      else {
        const word = at;
        while (at < size && (text[at] as number) > BLANK && text[at] !== HASH && text[at] !== SEMICOLON) at++;
        words++;
        if (words === 1) firstByte = byte;
        if (words <= 2 && !(words === 2 && format === 'ja3_suricata_csv')) {
          from = word;
          to = at;
        }
      }
    }
    at++; // the line feed
    if (words === 0) continue;
    const exception = firstByte === EXCLAMATION;
    if (exception) from++;
    const fits =
      format === 'ja3_suricata_csv' ||
      (exception ? words === 1 : format === 'hosts' ? words === 2 : words === 1 || (format === 'auto' && words === 2));
    const take = format === 'ja3_suricata_csv' ? takeJa3 : takeHost;
    if (!fits || from >= to || !take(from, to, exception)) reject(start);
  }
  return {
    name: source.name,
    category: source.category,
    ipv4: ipv4.take(),
    ipv6: ipv6.take(),
    ja3: ja3.take(),
    names: names.take(),
    entries,
    rejected,
    rejectedLines,
  };
}
