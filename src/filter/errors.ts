/** What is wrong with a filter, where in its text, and what to do about it. The one kind of error that src/filter throws. */

export type FilterErrorCode =
  | 'too-long' //       the text is over 4 KiB
  | 'too-deep' //       parentheses and `not` are nested over 100 times
  | 'syntax' //         it cannot be read
  | 'unknown-field' //  no such field
  | 'wrong-operator' // the field has no such operator
  | 'wrong-value' //    the value does not fit the field
  | 'unknown-name' //   no such protocol, category, status, risk
  | 'wrong-pattern'; // no regular expression

/** A part of the text: UTF-16 units, as strings are indexed. */
export interface Span {
  readonly position: number;
  readonly length: number;
}

export class FilterError extends Error {
  readonly code: FilterErrorCode;
  readonly position: number;
  readonly length: number;
  /** What to do, `''` for no idea. */
  readonly hint: string;

  constructor(code: FilterErrorCode, message: string, span: Span, hint = '') {
    super(message);
    this.name = 'FilterError';
    this.code = code;
    this.position = span.position;
    this.length = span.length;
    this.hint = hint;
  }
}

/** A word of the user's in a message: quoted, and cut where it is long. */
export const quote = (word: string): string => `"${word.length > 40 ? `${word.slice(0, 40)}…` : word}"`;

/** Edit distance in which two letters that changed places are one mistake (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] as number) + 1 : change;
      next.push(Math.min(change, swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] as number;
}

/** `did you mean "x"?` for the candidate that was probably meant: a third of the letters wrong at most, or a part of its name. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  if (/^\d+$/.test(word)) return ''; // every number is near to many others
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    // the lengths alone say that it is too far: long words cost nothing
    if (Math.abs(candidate.length - wanted.length) >= least) continue;
    const errors = distance(wanted, candidate.toLowerCase());
    if (errors >= least) continue;
    least = errors;
    best = candidate;
  }
  if (wanted.length >= 3) best ??= candidates.find((candidate) => candidate.toLowerCase().includes(wanted));
  return best === undefined ? '' : `did you mean ${quote(best)}?`;
}
