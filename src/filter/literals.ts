/**
 * Values of a filter as numbers: text in, what comparisons work with out. Called once per filter, by the tests of values.
 * Every reader gives undefined for a text that is none of its kind.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { parseIPv4, parseIPv6 } from '../hosts/prefixes.ts';

const SIZES: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const SECONDS: Readonly<Record<string, number>> = { ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400 };

/** A number and the letters behind it: `['1.5', 'K']`. */
const split = (text: string): [number, string] | undefined => {
  const found = /^([+-]?(?:0x[0-9a-f]+|(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?))([a-z]*)$/i.exec(text);
  return found === null ? undefined : [numberOf(found[1] as string), found[2] as string];
};
const numberOf = (text: string): number => (/^[+-]0x/i.test(text) ? Number(`${text[0]}1`) * Number(text.slice(1)) : Number(text));

/** `10`, `-1.5`, `0x303`, `10K`, `2g`: letters are powers of 1024. */
export function parseNumber(text: string): number | undefined {
  const [number, letters] = split(text) ?? [0, '?'];
  const factor = letters === '' ? 1 : SIZES[letters.toLowerCase()];
  return factor === undefined ? undefined : finite(number * factor);
}

/** `1.5`, `10s`, `250ms`, `2h`. @param perSecond the field's units in a second: a bare number is one of them */
export function parseSpan(text: string, perSecond: number): number | undefined {
  const [number, letters] = split(text) ?? [0, '?'];
  if (letters === '') return finite(number);
  const seconds = SECONDS[letters];
  // multiplied before it is divided: 300ms are 300 ms, not 300.00000000000006
  return seconds === undefined ? undefined : finite(seconds < 1 ? (number * perSecond) / (1 / seconds) : number * seconds * perSecond);
}

const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d))?(z|[+-]\d\d:\d\d)?)?$/i;

/** Seconds since 1970: as a number, or as `2019-09-30T16:00:00Z` with or without time, seconds, zone (RFC 3339; UTC without). */
export function parseMoment(text: string): number | undefined {
  const [number, letters] = split(text) ?? [0, '?'];
  if (letters === '') return finite(number);
  const found = MOMENT.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone = 'Z'] = found;
  const date = `${year}-${month}-${day}`;
  const us = Date.parse(`${date}T${hour}:${minute}:${second}${zone.toUpperCase()}`);
  // 30 February would silently be a day in March
  return Number.isNaN(us) || new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10) !== date ? undefined : us / 1000;
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/** `AA:BB:CC:DD:EE:FF`, `aa-bb-cc-dd-ee-ff`, `aabb.ccdd.eeff` as a number. */
export function parseMac(text: string): number | undefined {
  if (!/^(?:[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2})$/i.test(text)) return undefined;
  return Number.parseInt(text.replace(/[:.-]/g, ''), 16);
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** All addresses from `low` to `high`: one 32-bit number (IPv4) or four of them, most significant first (IPv6). */
export interface Addresses {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

const wordsOf = (address: string): number[] | undefined => {
  if (isIPv4(address)) return [parseIPv4(address)];
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const data = new DataView(parseIPv6(address).buffer);
  return [0, 4, 8, 12].map((at) => data.getUint32(at));
};

/** `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`. Bits behind the prefix do not count. */
export function parseAddresses(text: string): Addresses | undefined {
  const [address = '', bits, more] = text.split('/');
  const words = wordsOf(address);
  if (words === undefined || more !== undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
  const length = bits === undefined ? words.length * 32 : Number(bits);
  if (length > words.length * 32) return undefined;
  const open = words.map((_, i) => 2 ** Math.min(32, Math.max(0, 32 * (i + 1) - length))); // addresses that a word leaves open
  const low = words.map((word, i) => word - (word % (open[i] as number)));
  return { low, high: low.map((word, i) => word + (open[i] as number) - 1) };
}

/** Order of two addresses of one family: below 0, 0, above 0. */
export function compareWords(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
