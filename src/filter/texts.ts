/** How a filter compares texts: letters of either case alike; patterns in linear time; answers remembered. */
import { RE2JS } from 're2js';
import { FilterError, type Span } from './errors.ts';

/** Characters of a pattern, and of a text that a pattern looks at: together they bound the time of one match. */
export const MOST_PATTERN = 512;
export const MOST_MATCHED = 4096;

export const fold = (text: string): string => text.toLowerCase();

/**
 * A regular expression in RE2's syntax (no backreferences, no look-around): matching takes time in proportion to the text,
 * whatever the pattern. It may match anywhere in the text; only its first 4096 characters are looked at.
 * @throws FilterError
 */
export function patternTest(pattern: string, at: Span): (text: string) => boolean {
  if (pattern.length > MOST_PATTERN) {
    throw new FilterError(
      'wrong-pattern',
      `The pattern has ${pattern.length} characters; ${MOST_PATTERN} are the most.`,
      at,
      'use a shorter one',
    );
  }
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
    return (text) => compiled.test(text.length > MOST_MATCHED ? text.slice(0, MOST_MATCHED) : text);
  } catch (error) {
    // what the library says of its own accord: "error parsing regexp: missing closing ): `(?i)(a`", with a flag that the user did not write
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '').replace('`(?i)', '`') : String(error);
    const hint = 'the syntax is that of RE2, without look-around and backreferences; "contains" takes signs as they are';
    throw new FilterError('wrong-pattern', `The pattern is no regular expression: ${reason}.`, at, hint);
  }
}

/** Remembers the answers for up to 4096 numbers: numbers come from flows, and those of a hostile network must not fill the memory. */
export function remembered(test: (key: number) => boolean): (key: number) => boolean {
  const known = new Map<number, boolean>();
  return (key) => {
    let answer = known.get(key);
    if (answer === undefined) {
      if (known.size === 4096) known.clear();
      answer = test(key);
      known.set(key, answer);
    }
    return answer;
  };
}
