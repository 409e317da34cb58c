/** How a filter compares texts: letters of either case alike; patterns in linear time; answers remembered. */
import { RE2JS } from 're2js';
import { FilterError, quote, type Span } from './errors.ts';
import { noRange, onlyItem, type Wanted } from './wanted.ts';

/** What one match may cost is the product of two: steps of the pattern once its repetitions are written out, characters of the text. */
const MOST_STEPS = 1000;
const MOST_MATCHED = 4096;
/** Characters of a pattern: a bound on the work of writing its repetitions out. */
const MOST_PATTERN = 512;

export const fold = (text: string): string => text.toLowerCase();

function compiled(pattern: string, at: Span): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    // the library says: "error parsing regexp: missing closing ): `(?i)(a`", with a flag that the user did not write
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '').replace('`(?i)', '`') : String(error);
    const hint = 'the syntax is that of RE2, without look-around and backreferences; "contains" takes signs as they are';
    throw new FilterError('wrong-pattern', `The pattern is no regular expression: ${reason}.`, at, hint);
  }
}

/**
 * A regular expression in RE2's syntax: matching takes time in proportion to the text, whatever the pattern. It may match anywhere
 * in the text; only its first 4096 characters are looked at.
 * @throws FilterError
 */
function patternTest(pattern: string, at: Span): (text: string) => boolean {
  if (pattern.length > MOST_PATTERN) {
    const message = `The pattern has ${pattern.length} characters; ${MOST_PATTERN} are the most.`;
    throw new FilterError('wrong-pattern', message, at, 'use a shorter one');
  }
  const expression = compiled(pattern, at);
  if (expression.programSize() > MOST_STEPS) {
    const message = `The pattern is too large: ${expression.programSize()} steps; ${MOST_STEPS} are the most.`;
    throw new FilterError('wrong-pattern', message, at, 'a repetition {n} counts n times: use * or +, or smaller numbers');
  }
  return (text) => expression.test(text.length > MOST_MATCHED ? text.slice(0, MOST_MATCHED) : text);
}

/** @returns a test of proper text */
export function textTest(wanted: Wanted): (text: string) => boolean {
  const texts = wanted.items.map((item) => fold(noRange(item, `${quote(wanted.field)}, which is a text`)));
  const [only] = texts as [string];
  const item = onlyItem(wanted);
  if (wanted.op === 'matches') return patternTest(item.from, item.at);
  if (wanted.op === 'contains') return (text) => fold(text).includes(only);
  if (texts.length === 1) return (text) => fold(text) === only;
  const set = new Set(texts);
  return (text) => set.has(fold(text));
}

/** Numbers whose answers are remembered at one time. */
const PLACES = 1024;

/** Remembers answers for numbers: they come from flows, and those of a hostile network must not fill the memory. */
export function remembered(test: (key: number) => boolean): (key: number) => boolean {
  const keys = new Float64Array(PLACES).fill(Number.NaN);
  const answers = new Uint8Array(PLACES);
  return (key) => {
    const place = (key ^ (key >>> 16)) & (PLACES - 1);
    if (keys[place] !== key) {
      answers[place] = test(key) ? 1 : 0;
      keys[place] = key;
    }
    return answers[place] === 1;
  };
}
