/**
 * One test per kind of value: what is wanted in, a function over events out. Called by compile.ts, which has checked that the
 * kind has the operator. Wrong values throw a {@link FilterError} that points at them.
 */

import { properText } from '../flows/export.ts';
import type { FieldValue } from '../flows/fields.ts';
import type { EventView, Names } from '../flows/view.ts';
import { didYouMean, FilterError, quote, type Span } from './errors.ts';
import { inIntervals } from './intervals.ts';
import { type Addresses, compareWords, type Interval, parseAddresses, parseMac, parseMoment, parseNumber, parseSpan } from './literals.ts';
import type { Bits, Measure, Naming, Operator, Read, Value } from './operands.ts';
import { fold, patternTest, remembered } from './texts.ts';

export type Test = (view: EventView) => boolean;

export interface WantedItem {
  readonly from: string;
  /** There is one: a range. */
  readonly to?: string;
  readonly at: Span;
}

/** The right side of a comparison. */
export interface Wanted {
  /** The left side as it was written, for messages. */
  readonly field: string;
  /** `in` is `==` with several items; `!=` is made of `==` by the caller. */
  readonly op: Exclude<Operator, '!=' | 'in'>;
  readonly items: readonly WantedItem[];
}

const wrong = ({ at }: WantedItem, message: string, hint = ''): FilterError => new FilterError('wrong-value', message, at, hint);

const onlyItem = ({ items }: Wanted): WantedItem => items[0] as WantedItem;

/** Test of the value that a reader gives; a missing one passes none. */
const over =
  <T>(read: Read<T>, test: (value: T) => boolean): Test =>
  (view) => {
    const value = read(view);
    return value !== undefined && test(value);
  };

// numbers

/** The numbers that an item stands for. @param parse undefined for a text that is no number of the field's kind */
function interval(item: WantedItem, parse: (text: string) => number | undefined, complain: (text: string) => FilterError): Interval {
  const [low, high] = [item.from, item.to ?? item.from].map((text) => {
    const number = parse(text);
    if (number === undefined) throw complain(text);
    return number;
  }) as [number, number];
  if (low > high) throw wrong(item, `The range ${quote(`${item.from}..${item.to}`)} is empty.`, 'write the smaller end first');
  return { low, high };
}

function order(op: Wanted['op'], bound: number): ((value: number) => boolean) | undefined {
  if (op === '<') return (value) => value < bound;
  if (op === '<=') return (value) => value <= bound;
  if (op === '>') return (value) => value > bound;
  return op === '>=' ? (value) => value >= bound : undefined;
}

const MEASURES = {
  size: { words: 'a number', hint: 'numbers are written 100, 1.5, 10K, 2M, 1G (powers of 1024)' },
  span: { words: 'a span of time', hint: 'spans of time are written 250ms, 10s, 5m, 2h, 1d' },
  moment: { words: 'a moment', hint: 'moments are written 1569859251, 2019-09-30, "2019-09-30T16:00:00Z"' },
} as const;

function numberTest(measure: Measure, { field, op, items }: Wanted): (value: number) => boolean {
  const parse = (text: string): number | undefined => {
    if (measure.as === 'span') return parseSpan(text, measure.perSecond);
    return measure.as === 'moment' ? parseMoment(text) : parseNumber(text);
  };
  const { words, hint } = MEASURES[measure.as];
  const intervals = items.map((item) =>
    interval(item, parse, (text) => wrong(item, `${quote(field)} is ${words}, and ${quote(text)} is not.`, hint)),
  );
  return order(op, intervals[0]?.low as number) ?? inIntervals(intervals);
}

// texts

const noRange = (item: WantedItem, words: string): string => {
  if (item.to !== undefined) throw wrong(item, `A range does not go with ${words}.`, 'put a text that has dots like these in quotes');
  return item.from;
};

/** @returns a test of a text whose letters are as they were */
function textTest(wanted: Wanted): (text: string) => boolean {
  const texts = wanted.items.map((item) => fold(noRange(item, `${quote(wanted.field)}, which is a text`)));
  const [only] = texts as [string];
  const item = onlyItem(wanted);
  if (wanted.op === 'matches') return patternTest(item.from, item.at);
  if (wanted.op === 'contains') return (text) => fold(text).includes(only);
  if (texts.length === 1) return (text) => fold(text) === only;
  const set = new Set(texts);
  return (text) => set.has(fold(text));
}

/** The same for values in Latin-1 form. */
function valueTest(wanted: Wanted): (latin1: string) => boolean {
  const test = textTest(wanted);
  return (latin1) => test(properText(latin1));
}

function boolTest({ field, items: [item] }: Wanted): (value: boolean) => boolean {
  const { from } = item as WantedItem;
  const wanted = ['true', 'yes', '1'].includes(fold(from)) ? true : ['false', 'no', '0'].includes(fold(from)) ? false : undefined;
  if (wanted === undefined)
    throw wrong(item as WantedItem, `${quote(field)} is true or false, and ${quote(from)} is neither.`, `write ${field} or not ${field}`);
  return (value) => value === wanted;
}

function anyTest(wanted: Wanted): (value: FieldValue) => boolean {
  const isNumeric = wanted.items.every(({ from, to }) => [from, to ?? from].every((text) => parseNumber(text) !== undefined));
  if (isNumeric && wanted.op !== 'contains' && wanted.op !== 'matches') {
    const test = numberTest({ as: 'size' }, wanted);
    return (value) => typeof value === 'number' && test(value);
  }
  if (!['==', 'contains', 'matches'].includes(wanted.op))
    throw wrong(onlyItem(wanted), `${quote(onlyItem(wanted).from)} is no number.`, MEASURES.size.hint);
  const test = valueTest(wanted);
  return (value) => typeof value !== 'object' && test(String(value));
}

// addresses

function addressesOf(item: WantedItem, field: string): Addresses {
  const [low, high] = [item.from, item.to ?? item.from].map((text) => {
    const addresses = parseAddresses(text);
    if (addresses !== undefined) return addresses;
    throw wrong(
      item,
      `${quote(field)} is an address, and ${quote(text)} is neither address nor network.`,
      'write 10.0.0.1, 10.0.0.0/8, 2001:db8::/32; names are in "host"',
    );
  }) as [Addresses, Addresses];
  if (low.low.length !== high.low.length) throw wrong(item, 'The ends of the range are not of one family.', 'IPv4 and IPv6 do not mix');
  if (compareWords(low.low, high.high) > 0)
    throw wrong(item, `The range ${quote(`${item.from}..${item.to}`)} is empty.`, 'write the smaller end first');
  return { low: low.low, high: high.high };
}

/** A word as it lies in memory, as a number in network order. */
const swap32 = (word: number): number => ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;

function addressTest(word: (view: EventView, index: number) => number, { field, items }: Wanted): Test {
  const all = items.map((item) => addressesOf(item, field));
  const four = all.filter(({ low }) => low.length === 1).map(({ low, high }) => ({ low: low[0] as number, high: high[0] as number }));
  const six = all.filter(({ low }) => low.length === 4);
  const isFour = inIntervals(four);

  /** Order of an IPv6 end and an address. */
  const compare = (view: EventView, address: readonly number[]): number => {
    for (let i = 0; i < 4; i++) {
      const difference = swap32(word(view, i)) - (address[i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  const isSix = (view: EventView): boolean => {
    for (const { low, high } of six) if (compare(view, low) >= 0 && compare(view, high) <= 0) return true;
    return false;
  };
  return (view) => (view.isIpv6() ? isSix(view) : isFour(word(view, 0)));
}

function macTest(of: Value & { kind: 'mac' }, wanted: Wanted): Test {
  if (wanted.op === 'contains' || wanted.op === 'matches') return over(of.text, valueTest(wanted));
  const complain = (item: WantedItem, text: string): FilterError =>
    wrong(
      item,
      `${quote(wanted.field)} is a MAC address, and ${quote(text)} is none.`,
      'write 00:11:22:aa:bb:cc; the first bytes are found with matches "^00:11:22"',
    );
  return over(of.read, inIntervals(wanted.items.map((item) => interval(item, parseMac, (text) => complain(item, text)))));
}

// names

/** Names must exist, where it is known which do: what is misspelt would match nothing, and say nothing. */
function checkName(item: WantedItem, field: string, known: readonly string[]): void {
  const text = fold(noRange(item, `${quote(field)}, which has names`));
  if (known.length === 0 || known.some((name) => fold(name) === text)) return;
  const hint = didYouMean(item.from, known) || `${field} contains "…" looks for a part of a name`;
  throw new FilterError('unknown-name', `${quote(field)} has no value ${quote(item.from)}.`, item.at, hint);
}

/** `Master.App` is known if both halves are. */
const halves = (item: WantedItem, known: readonly string[]): WantedItem[] => {
  const names = new Set(known.map(fold));
  for (let dot = item.from.indexOf('.'); dot > 0; dot = item.from.indexOf('.', dot + 1)) {
    const [master, app] = [item.from.slice(0, dot), item.from.slice(dot + 1)];
    if (names.has(fold(master)) || names.has(fold(app))) return [master, app].map((from) => ({ from, at: item.at }));
  }
  return [item];
};

function nameTest(naming: Naming, wanted: Wanted, names: Names): Test {
  if (wanted.op === '==') {
    const known = naming.known(names);
    const isKnown = (item: WantedItem): boolean => known.some((name) => fold(name) === fold(item.from));
    for (const item of wanted.items) for (const part of isKnown(item) ? [item] : halves(item, known)) checkName(part, wanted.field, known);
  }
  const test = textTest(wanted);
  const isWanted = remembered((key) => naming.labels(key, names).some(test));
  return (view) => isWanted(naming.key(view));
}

/** The bits that are wanted become two masks. Numbers are names only where the whole name is given. */
function bitsTest(bits: Bits, wanted: Wanted, names: Names): Test {
  const isWhole = wanted.op === '==';
  const labels = bits.labels(names).map((own, bit) => (isWhole ? [...own, String(bit)] : own));
  const none = bits.none === undefined ? [] : isWhole ? [bits.none, '0'] : [bits.none];
  if (isWhole) for (const item of wanted.items) checkName(item, wanted.field, [...none, ...labels.flat()]);

  const test = textTest(wanted);
  let low = 0;
  let high = 0;
  for (const [bit, own] of labels.entries()) {
    if (!own.some(test)) continue;
    if (bit < 32) low |= 1 << bit;
    else high |= 1 << (bit & 31);
  }
  const isSet: Test = (view) => ((bits.low(view) & low) | (bits.high(view) & high)) !== 0;
  return none.some(test) ? (view) => isSet(view) || (bits.low(view) === 0 && bits.high(view) === 0) : isSet;
}

/** The test of one value against what is wanted. */
export function testOf(value: Value, wanted: Wanted, names: Names): Test {
  switch (value.kind) {
    case 'number':
      return over(value.read, numberTest(value.measure, wanted));
    case 'text':
      return over(value.read, valueTest(wanted));
    case 'bool':
      return over(value.read, boolTest(wanted));
    case 'address':
      return addressTest(value.word, wanted);
    case 'mac':
      return macTest(value, wanted);
    case 'name':
      return nameTest(value.naming, wanted, names);
    case 'bits':
      return bitsTest(value.bits, wanted, names);
    case 'any':
      return over(value.read, anyTest(wanted));
    case 'table':
      throw new Error('a table is compared with nothing'); // it has no operators
  }
}

const always: Test = () => true;

export interface Presence {
  /** Is there a value that could be compared? */
  readonly there: Test;
  /** What the name alone asks: true, not empty, some bit set; for all else that it is there. */
  readonly holds: Test;
}

export function presence(value: Value): Presence {
  switch (value.kind) {
    case 'address':
    case 'name':
      return { there: always, holds: always };
    case 'bits': {
      const holds: Test = (view) => value.bits.low(view) !== 0 || value.bits.high(view) !== 0;
      return { there: value.bits.none === undefined ? holds : always, holds };
    }
    default: {
      const { read } = value as { readonly read: Read<FieldValue> };
      return {
        there: (view) => read(view) !== undefined,
        holds(view) {
          const found = read(view);
          return found !== undefined && found !== '' && found !== false;
        },
      };
    }
  }
}
