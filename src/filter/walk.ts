/**
 * Gives a filter its meaning, wherever it is asked: text in, what a vocabulary makes of it out. Everything that can be known before the
 * first flow is done here; what is wrong with a filter is said here, or by the tests of its values.
 *
 *   text ──parse──► FilterNode ──walk──► T      predicate over events (compile.ts), rows (src/store/row-filter.ts),
 *                                 ▲             alerts (src/alerts/filter.ts); condition in SQL (src/store/duckdb/filter-sql.ts)
 *                       Vocabulary<T>: what a name is, what a comparison becomes, how and, or, not are joined
 *
 *   missing value    every comparison is false, `!=` too; so `not (x == y)` holds and `x != y` does not
 *   several values   (`ip`, `status`) a comparison holds if it holds for one; `!=` if there is one and `==` holds for none
 */
import type { Comparison, FilterLeaf, FilterNode, Membership } from './ast.ts';
import { didYouMean, FilterError, quote, type Span } from './errors.ts';
import type { Operator } from './operands.ts';
import { type LeafSpans, parseWithSpans } from './parse.ts';
import type { Wanted, WantedItem } from './wanted.ts';

/** How conditions are put together. */
export interface Joining<T> {
  /** Holds always. */
  readonly all: T;
  /** @param parts two or more */
  allOf(parts: readonly T[]): T;
  /** @param parts one or more */
  anyOf(parts: readonly T[]): T;
  not(of: T): T;
  /** The first holds and the second does not. */
  butNot(of: T, but: T): T;
}

/** One value, and what can be asked of it. */
export interface Asked<T> {
  /** It is there, and fits. @throws FilterError where what is wanted is no value of its kind */
  compare(wanted: Wanted): T;
  /** Is there a value that could be compared? */
  readonly there: T;
  /** What the name alone asks: true, not empty, some bit set; for all else that it is there. */
  readonly holds: T;
}

/** What a name stands for. */
export interface Term<T> {
  /** What its values are called in messages. */
  readonly words: string;
  readonly operators: readonly Operator[];
  /** What to do about an operator that it does not have, where that is more than to name those that it has. */
  readonly hint?: string;
  /** A comparison holds if it holds for one of them. */
  readonly values: readonly [Asked<T>, ...Asked<T>[]];
}

export interface Vocabulary<T> extends Joining<T> {
  /** Called once for each condition, in the order of the text. @returns undefined for a name that nothing has */
  named(name: string): Term<T> | undefined;
  /** All names there are, so that misspelt ones are found. */
  names(): readonly string[];
}

function checkOperator(node: Comparison | Membership, { words, operators, hint }: Term<unknown>, at: Span): void {
  const op = node.kind === 'in' ? 'in' : node.op;
  if (operators.includes(op)) return;
  const message = `${quote(node.field)} is ${words}: it does not go with ${quote(op)}.`;
  const others = operators.length === 0 ? 'it can be asked for its presence alone' : `it goes with ${operators.join(', ')}`;
  throw new FilterError('wrong-operator', message, at, hint ?? others);
}

const wantedOf = (node: Comparison | Membership, spans: LeafSpans): Wanted => ({
  field: node.field,
  op: node.kind === 'in' || node.op === '!=' ? '==' : node.op,
  items: (node.kind === 'in' ? node.list : [node.value]).map(
    (item, i): WantedItem => ({ ...(typeof item === 'string' ? { from: item } : item), at: spans.values[i] as Span }),
  ),
});

/** @throws FilterError */
export function walk<T>(text: string, vocabulary: Vocabulary<T>): T {
  const { node: whole, spans } = parseWithSpans(text);

  function leaf(node: FilterLeaf): T {
    const at = spans.get(node) as LeafSpans;
    const term = vocabulary.named(node.field);
    if (term === undefined) {
      const hint = didYouMean(node.field, vocabulary.names()) || 'the fields are listed in docs/reference/flow-info.md';
      throw new FilterError('unknown-field', `There is no field ${quote(node.field)}.`, at.field, hint);
    }
    const oneOf = (ask: (value: Asked<T>) => T): T => vocabulary.anyOf(term.values.map(ask));
    if (node.kind === 'has') return oneOf((value) => value.holds);
    checkOperator(node, term, at.op);
    const wanted = wantedOf(node, at);
    const fits = oneOf((value) => value.compare(wanted));
    if (node.kind === 'in' || node.op !== '!=') return fits;
    return vocabulary.butNot(
      oneOf((value) => value.there),
      fits,
    );
  }

  function meaning(node: FilterNode): T {
    switch (node.kind) {
      case 'all':
        return vocabulary.all;
      case 'and':
        return vocabulary.allOf(node.of.map(meaning));
      case 'or':
        return vocabulary.anyOf(node.of.map(meaning));
      case 'not':
        return vocabulary.not(meaning(node.of));
      default:
        return leaf(node);
    }
  }

  return meaning(whole);
}
