/**
 * Tests: what is asked of a value in, a function over events out, one per kind of value; and how such functions are joined. Called
 * through walk.ts, which has checked that the kind has the operator. Wrong values throw a FilterError that points at them.
 */
import { properText } from '../flows/export.ts';
import type { FieldValue } from '../flows/fields.ts';
import type { Names } from '../flows/view.ts';
import { addressTest } from './addresses.ts';
import { type FilterError, quote } from './errors.ts';
import { inIntervals } from './intervals.ts';
import { parseMac, parseMoment, parseNumber, parseSpan } from './literals.ts';
import { bitsTest, nameTest } from './named.ts';
import type { Measure, Read, Test, Value } from './operands.ts';
import { fold, textTest } from './texts.ts';
import type { Asked, Joining } from './walk.ts';
import { interval, onlyItem, type Wanted, type WantedItem, wrong } from './wanted.ts';

const always: Test = () => true;

/** Two and three are written out: a loop costs more than the comparisons. */
export const TESTS: Joining<Test> = {
  all: always,
  allOf(tests) {
    const [first, second, third] = tests as readonly [Test, Test, Test];
    if (tests.length === 2) return (view) => first(view) && second(view);
    if (tests.length === 3) return (view) => first(view) && second(view) && third(view);
    return (view) => {
      for (const test of tests) if (!test(view)) return false;
      return true;
    };
  },
  anyOf(tests) {
    const [first, second, third] = tests as readonly [Test, Test, Test];
    if (tests.length === 1) return first;
    if (tests.length === 2) return (view) => first(view) || second(view);
    if (tests.length === 3) return (view) => first(view) || second(view) || third(view);
    return (view) => {
      for (const test of tests) if (test(view)) return true;
      return false;
    };
  },
  not: (test) => (view) => !test(view),
  butNot: (test, but) => (view) => test(view) && !but(view),
};

/** Test of the value that a reader gives; a missing one passes none. */
const over =
  <T>(read: Read<T>, test: (value: T) => boolean): Test =>
  (view) => {
    const value = read(view);
    return value !== undefined && test(value);
  };

// numbers

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

/** The test of one value against what is wanted. */
function testOf(value: Value, wanted: Wanted, names: Names): Test {
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

function presence(value: Value): Omit<Asked<Test>, 'compare'> {
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

/** @param names of the interface whose events are asked */
export const asked = (value: Value, names: Names): Asked<Test> => ({
  ...presence(value),
  compare: (wanted) => testOf(value, wanted, names),
});
