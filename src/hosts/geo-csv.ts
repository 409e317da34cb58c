/**
 * CSV files of address ranges: bytes in, what is said of an address out. Called by geo.ts.
 *
 *   "1.0.0.0","1.0.0.255","AU"                                     country
 *   1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."                     autonomous system (the organisation may be missing)
 *   1.0.0.0,1.0.0.255,OC,AU,Queensland,Brisbane,-27.4,153.0        city, 8 columns
 *   1.0.0.0,1.0.0.255,AU,Queensland,,Brisbane,4000,-27.4,153.0,…   city, 10 columns
 *   ip_range_start,ip_range_end,country_code,…                     with a line of names: any order after the two addresses
 *
 * Both ends of a range belong to it; ranges do not overlap. A file may hold IPv4 and IPv6. Rows are kept as numbers, 12 bytes an
 * IPv4 range and 36 an IPv6 one; what stands behind the addresses is kept once per different text and taken apart when asked for.
 * All of it is in shared memory: a file that one thread has read serves the others.
 *
 *   bytes ──readTable──► Table ──(to other threads)──► rangesOf ──► Ranges
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Network, Place } from './geo.ts';
import { parseIPv6 } from './prefixes.ts';

export interface Ranges {
  readonly gives: 'place' | 'network';
  /** Rows that could not be read. */
  readonly rejected: number;
  place4(address: number): Place | undefined;
  /** @param words four 32-bit numbers, the first is the front of the address */
  place6(words: Uint32Array): Place | undefined;
  network4(address: number): Network | undefined;
  network6(words: Uint32Array): Network | undefined;
}

/** Positions of the columns behind the two addresses. */
interface Layout {
  readonly gives: 'place' | 'network';
  readonly columns: Readonly<Partial<Record<Column, number>>>;
}
type Column = 'country' | 'city' | 'latitude' | 'longitude' | 'asn' | 'asName';

/** What sources call their columns. */
const COLUMN_NAMES: Readonly<Record<string, Column>> = {
  country: 'country',
  country_code: 'country',
  country_iso_code: 'country',
  cc: 'country',
  city: 'city',
  city_name: 'city',
  latitude: 'latitude',
  lat: 'latitude',
  longitude: 'longitude',
  lon: 'longitude',
  lng: 'longitude',
  asn: 'asn',
  as_number: 'asn',
  autonomous_system_number: 'asn',
  autonomous_system_organization: 'asName',
  as_organization: 'asName',
  as_name: 'asName',
  organization: 'asName',
  org: 'asName',
};

const COMMA = 0x2c;
const QUOTE = 0x22;
const LINE_END = 0x0a;
const RETURN = 0x0d;
const HASH = 0x23;

/** Fields of a line: RFC 4180, without line ends inside quotes. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at <= line.length; ) {
    if (line[at] === '"') {
      let field = '';
      for (at++; at < line.length; at++) {
        if (line[at] !== '"') field += line[at];
        else if (line[at + 1] === '"') field += line[++at];
        else break;
      }
      fields.push(field);
      const comma = line.indexOf(',', at);
      at = comma < 0 ? line.length + 1 : comma + 1;
    } else {
      const comma = line.indexOf(',', at);
      const end = comma < 0 ? line.length : comma;
      fields.push(line.slice(at, end).trim());
      at = end + 1;
    }
  }
  return fields;
}

const isCountry = (text: string | undefined): boolean => text !== undefined && /^(?:[A-Za-z]{2}|-?)$/.test(text);
const asNumber = (text: string | undefined): number => {
  const digits = /^(?:AS)?(\d{1,10})$/i.exec(text ?? '')?.[1];
  return digits === undefined || Number(digits) >= 2 ** 32 ? -1 : Number(digits);
};

/** What the columns are, by the first row. */
function layoutOfRow(fields: readonly string[]): Layout | undefined {
  if (fields.length === 1 && isCountry(fields[0])) return { gives: 'place', columns: { country: 0 } };
  if (fields.length <= 2 && asNumber(fields[0]) >= 0) return { gives: 'network', columns: { asn: 0, asName: 1 } };
  if (fields.length === 6 && isCountry(fields[1])) return { gives: 'place', columns: { country: 1, city: 3, latitude: 4, longitude: 5 } };
  if (fields.length === 8 && isCountry(fields[0])) return { gives: 'place', columns: { country: 0, city: 3, latitude: 5, longitude: 6 } };
  return undefined;
}

function layoutOfNames(names: readonly string[]): Layout | undefined {
  const columns: Partial<Record<Column, number>> = {};
  for (const [position, name] of names.entries()) {
    const column = COLUMN_NAMES[name.toLowerCase()];
    if (column !== undefined && columns[column] === undefined) columns[column] = position;
  }
  if (columns.asn !== undefined && columns.country === undefined) return { gives: 'network', columns };
  return columns.country !== undefined || columns.city !== undefined ? { gives: 'place', columns } : undefined;
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const degrees = (text: string | undefined, most: number): number => {
  const value = Number(text ?? '');
  return Math.abs(value) <= most ? value : 0;
};

/** @param tail the line behind its two addresses, one character a byte. @returns undefined when it does not have the file's layout */
function placeOf(tail: string, { columns }: Layout): Place | undefined {
  const fields = fieldsOf(Buffer.from(tail, 'latin1').toString('utf8'));
  const text = (column: Column): string => fields[columns[column] ?? -1] ?? '';
  const country = text('country');
  if (!isCountry(country)) return undefined;
  return {
    country: country.length === 2 ? country.toUpperCase() : '',
    city: latin1(text('city')),
    latitude: degrees(text('latitude'), 90),
    longitude: degrees(text('longitude'), 180),
  };
}

function networkOf(tail: string, { columns }: Layout): Network | undefined {
  const fields = fieldsOf(Buffer.from(tail, 'latin1').toString('utf8'));
  const asn = asNumber(fields[columns.asn ?? 0]);
  return asn < 0 ? undefined : { asn, asName: asn === 0 ? '' : latin1(fields[columns.asName ?? -1] ?? '') };
}

/** Numbers that grow: rows of `width` words. */
function createRows(width: number): { readonly width: number; count: number; words: Uint32Array; add(): number } {
  return {
    width,
    count: 0,
    words: new Uint32Array(width * 1024),
    /** @returns where the new row begins */
    add() {
      const at = this.count++ * width;
      if (at + width > this.words.length) {
        const larger = new Uint32Array(this.words.length * 2);
        larger.set(this.words);
        this.words = larger;
      }
      return at;
    },
  };
}
type Rows = ReturnType<typeof createRows>;

/** Compares the address (the first `n` words) at two places. */
function compare(a: Uint32Array, at: number, b: Uint32Array, bt: number, n: number): number {
  for (let i = 0; i < n; i++) {
    const difference = (a[at + i] as number) - (b[bt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Shared memory for so many words. */
const sharedWords = (count: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(count * Uint32Array.BYTES_PER_ELEMENT));

/** Rows in the order of their addresses, in a shared array of just their size. */
function sorted({ width, count, words }: Rows, size: number): Uint32Array {
  let inOrder = true;
  for (let row = 1; row < count && inOrder; row++) inOrder = compare(words, (row - 1) * width, words, row * width, size) <= 0;
  const result = sharedWords(count * width);
  if (inOrder) {
    result.set(words.subarray(0, count * width));
    return result;
  }
  const order = Array.from({ length: count }, (_, row) => row).sort((a, b) => compare(words, a * width, words, b * width, size));
  for (const [place, row] of order.entries()) result.set(words.subarray(row * width, (row + 1) * width), place * width);
  return result;
}

/** Last row that begins at or before the address; -1 when there is none or it ends before it. */
function find(rows: Uint32Array, width: number, size: number, address: Uint32Array): number {
  let low = 0;
  let high = rows.length / width;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(rows, middle * width, address, 0, size) <= 0) low = middle + 1;
    else high = middle;
  }
  const at = (low - 1) * width;
  return low === 0 || compare(address, 0, rows, at + size, size) > 0 ? -1 : at;
}

/** Dotted IPv4 between two positions as a number; -1 for anything else. */
function ipv4Between(bytes: Uint8Array, at: number, end: number): number {
  let address = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let i = at; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit >= 0 && digit <= 9) {
      part = part * 10 + digit;
      if (++digits > 3 || part > 255) return -1;
    } else if (bytes[i] === 0x2e && digits > 0 && dots < 3) {
      address = address * 256 + part;
      part = digits = 0;
      dots++;
    } else {
      return -1;
    }
  }
  return dots === 3 && digits > 0 ? address * 256 + part : -1;
}

const head = new Uint16Array(8);

/** IPv6 between two positions into `words` at `to`. @returns false for anything else */
function ipv6Between(bytes: Buffer, at: number, end: number, words: Uint32Array, to: number): boolean {
  let groups = 0;
  let gap = -1;
  let group = 0;
  let digits = 0;
  for (let i = at; i <= end; i++) {
    const code = i < end ? (bytes[i] as number) : 0x3a;
    const digit = code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
    if (code === 0x3a) {
      if (digits > 0) {
        if (groups === 8) return false;
        head[groups++] = group;
        group = digits = 0;
      } else if (i < end) {
        // an empty group is allowed once, as `::`
        if (bytes[i + 1] === 0x3a && i === at) continue;
        if (gap >= 0 || bytes[i - 1] !== 0x3a) return false;
        gap = groups;
      } else if (gap !== groups) {
        return false;
      }
    } else if (digit >= 0 && digit <= 15 && ++digits <= 4) {
      group = (group << 4) | digit;
    } else {
      return ipv6Text(bytes.latin1Slice(at, end), words, to);
    }
  }
  if (gap < 0 ? groups !== 8 : groups > 7) return false;
  for (let i = 0; i < 4; i++) words[to + i] = 0;
  for (let i = 0; i < groups; i++) {
    const place = gap >= 0 && i >= gap ? 8 - groups + i : i;
    words[to + (place >> 1)] = (words[to + (place >> 1)] as number) | ((head[i] as number) << (place & 1 ? 0 : 16));
  }
  return true;
}

/** The rare forms (an IPv4 tail). */
function ipv6Text(text: string, words: Uint32Array, to: number): boolean {
  if (!isIPv6(text)) return false;
  const view = new DataView(parseIPv6(text).buffer);
  for (let i = 0; i < 4; i++) words[to + i] = view.getUint32(i * 4);
  return true;
}

/** Texts one behind the other, one byte a character; `ends[i]` is where number `i` ends. */
interface Tails {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

function packTails(tails: readonly string[]): Tails {
  const ends = sharedWords(tails.length);
  let end = 0;
  for (const [i, tail] of tails.entries()) ends[i] = end += tail.length;
  const bytes = new Uint8Array(new SharedArrayBuffer(end));
  const buffer = Buffer.from(bytes.buffer);
  for (const [i, tail] of tails.entries()) buffer.latin1Write(tail, (ends[i] as number) - tail.length);
  return { bytes, ends };
}

/** A file as numbers: what is left of it once it is read. Its arrays are in shared memory. */
export interface Table {
  readonly layout: Layout;
  /** Rows of 3 words (first, last, tail) and of 9 (first 4, last 4, tail), in the order of their addresses. */
  readonly rows4: Uint32Array;
  readonly rows6: Uint32Array;
  /** What stands behind the addresses, each text once. */
  readonly tails: Tails;
  readonly rejected: number;
}

/**
 * @param bytes the file
 * @param file its name, for errors
 * @param strict the first row that cannot be read is an error; without it such rows are counted
 * @throws Error with `file:line`
 */
export function readTable(bytes: Buffer, file: string, strict: boolean): Table {
  const rows4 = createRows(3);
  const rows6 = createRows(9);
  const tails: string[] = [];
  const tailIds = new Map<string, number>();
  let layout: Layout | undefined;
  let rejected = 0;
  let line = 0;

  const shown = (from: number, end: number): string => bytes.toString('utf8', from, Math.min(end, from + 80));
  const reject = (from: number, end: number, why: string): void => {
    if (strict) throw new Error(`${file}:${line}: ${why}: ${shown(from, end)}`);
    rejected++;
  };
  const fieldEnd = (from: number, end: number): number => {
    let at = from;
    while (at < end && bytes[at] !== COMMA) at++;
    return at;
  };

  const range6 = new Uint32Array(8);
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0; // byte order mark
  for (let next = 0; start < bytes.length; start = next + 1) {
    next = bytes.indexOf(LINE_END, start);
    if (next < 0) next = bytes.length;
    line++;
    const end = bytes[next - 1] === RETURN ? next - 1 : next;
    if (end <= start || bytes[start] === HASH) continue;
    const comma1 = fieldEnd(start, end);
    const comma2 = fieldEnd(comma1 + 1, end);
    const quote1 = bytes[start] === QUOTE ? 1 : 0;
    const quote2 = bytes[comma1 + 1] === QUOTE ? 1 : 0;

    const first4 = ipv4Between(bytes, start + quote1, comma1 - quote1);
    const is6 = first4 < 0 && ipv6Between(bytes, start + quote1, comma1 - quote1, range6, 0);
    if (layout === undefined) {
      const fields = fieldsOf(bytes.toString('utf8', comma2 + 1, end));
      const isHeading = first4 < 0 && !is6;
      layout = isHeading ? layoutOfNames(fields) : layoutOfRow(fields);
      if (layout === undefined) {
        throw new Error(
          `${file}:${line}: unknown columns: ${shown(start, end)}. Wanted: first address, last address, then a country code, an AS number and organisation, or a city (docs/guides/hosts.md)`,
        );
      }
      if (isHeading) continue;
    }
    if (first4 < 0 && !is6) {
      reject(start, end, 'no address at the start of the line');
      continue;
    }
    const last4 = is6 ? -1 : ipv4Between(bytes, comma1 + 1 + quote2, comma2 - quote2);
    if (
      is6 ? !ipv6Between(bytes, comma1 + 1 + quote2, comma2 - quote2, range6, 4) || compare(range6, 0, range6, 4, 4) > 0 : last4 < first4
    ) {
      reject(start, end, 'the second address does not end the range');
      continue;
    }
    const tail = bytes.latin1Slice(comma2 + 1, end);
    let id = tailIds.get(tail);
    if (id === undefined) {
      if (strict && (layout.gives === 'place' ? placeOf(tail, layout) : networkOf(tail, layout)) === undefined) {
        reject(start, end, `no ${layout.gives === 'place' ? 'country code' : 'AS number'} where the first rows have one`);
      }
      id = tails.length;
      tails.push(tail);
      tailIds.set(tail, id);
    }
    if (is6) {
      const at = rows6.add();
      rows6.words.set(range6, at);
      rows6.words[at + 8] = id;
    } else {
      const at = rows4.add();
      rows4.words[at] = first4;
      rows4.words[at + 1] = last4;
      rows4.words[at + 2] = id;
    }
  }
  if (layout === undefined) throw new Error(`${file} has no line with data`);
  return { layout, rows4: sorted(rows4, 1), rows6: sorted(rows6, 4), tails: packTails(tails), rejected };
}

/** The closures hold the table alone: in one function with the reading they would keep the bytes of the file. */
export function rangesOf({ layout, rows4, rows6, tails: { bytes, ends }, rejected }: Table): Ranges {
  const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const tail = (id: number): string => texts.latin1Slice(id === 0 ? 0 : ends[id - 1], ends[id]);
  const one = new Uint32Array(1);
  const tail4 = (address: number): string | undefined => {
    one[0] = address;
    const at = find(rows4, 3, 1, one);
    return at < 0 ? undefined : tail(rows4[at + 2] as number);
  };
  const tail6 = (words: Uint32Array): string | undefined => {
    const at = find(rows6, 9, 4, words);
    return at < 0 ? undefined : tail(rows6[at + 8] as number);
  };
  const place = (text: string | undefined): Place | undefined =>
    text === undefined || layout.gives !== 'place' ? undefined : placeOf(text, layout);
  const network = (text: string | undefined): Network | undefined =>
    text === undefined || layout.gives !== 'network' ? undefined : networkOf(text, layout);
  return {
    gives: layout.gives,
    rejected,
    place4: (address) => place(tail4(address)),
    place6: (words) => place(tail6(words)),
    network4: (address) => network(tail4(address)),
    network6: (words) => network(tail6(words)),
  };
}

/** {@link readTable}, to be asked in the same thread. */
export const readRanges = (bytes: Buffer, file: string, strict: boolean): Ranges => rangesOf(readTable(bytes, file, strict));

/** Is it text with commas whose first or second line begins with an address? @param start the first bytes of a file */
export const looksLikeRanges = (start: Buffer): boolean =>
  start
    .toString('latin1')
    .split(/\r?\n/, 20)
    .filter((text) => text !== '' && !text.startsWith('#'))
    .slice(0, 2)
    .some((text) => {
      const first = (text.split(',')[0] as string).replaceAll('"', '');
      return text.includes(',') && (isIPv4(first) || isIPv6(first));
    });
