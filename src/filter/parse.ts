/**
 * Text of a filter in, {@link FilterNode} out; says nothing about which fields exist (a vocabulary of walk.ts does).
 *
 *   or         = and { ("or" | "||") and }
 *   and        = not { ("and" | "&&") not }
 *   not        = { "not" | "!" } primary
 *   primary    = "(" or ")" | field [ comparison ]
 *   comparison = ("==" | "!=" | "<" | "<=" | ">" | ">=") value
 *              | ["not"] ("contains" | "matches" | "~") value
 *              | ["not"] "in" (item | "{" item { "," item } [","] "}")
 *   item       = value | from ".." to
 */
import { type CompareOp, type FilterNode, KEYWORDS, type Range } from './ast.ts';
import { FilterError, quote, type Span } from './errors.ts';
import { type Token, tokensOf } from './lexer.ts';

/** Characters. */
export const MOST_TEXT = 4096;
export const MOST_DEPTH = 100;

/** Where the parts of a leaf stand in the text. */
export interface LeafSpans {
  readonly field: Span;
  readonly op: Span;
  /** One a value, in the order of the list. */
  readonly values: readonly Span[];
}

export interface Parsed {
  readonly node: FilterNode;
  readonly spans: ReadonlyMap<FilterNode, LeafSpans>;
}

const SIGNS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const VALUES = 'values with spaces or signs go in quotes';

export function parseWithSpans(text: string): Parsed {
  if (text.length > MOST_TEXT) {
    const message = `The filter has ${text.length} characters; ${MOST_TEXT} are the most.`;
    throw new FilterError(
      'too-long',
      message,
      { position: MOST_TEXT, length: text.length - MOST_TEXT },
      'networks and ranges are shorter than lists',
    );
  }
  const tokens = tokensOf(text);
  const spans = new Map<FilterNode, LeafSpans>();
  let next = 0;
  let depth = 0;

  const peek = (): Token => tokens[next] as Token;
  const take = (): Token => tokens[next++] as Token;
  const keyword = (token: Token): string => {
    const word = token.text.toLowerCase();
    return token.kind === 'word' && KEYWORDS.has(word) ? word : '';
  };
  const isSign = (text: string): boolean => peek().kind === 'sign' && peek().text === text;
  const takeIf = (word: string, sign: string): boolean => {
    if (keyword(peek()) !== word && !isSign(sign)) return false;
    next++;
    return true;
  };
  const unexpected = (wanted: string, hint: string): FilterError => {
    const token = peek();
    const message =
      token.kind === 'end' ? `The filter ends where ${wanted} should be.` : `${quote(token.text)} stands where ${wanted} should be.`;
    return new FilterError('syntax', message, token, hint);
  };
  const deeper = (token: Token): void => {
    if (++depth > MOST_DEPTH)
      throw new FilterError('too-deep', `Parentheses and "not" are nested over ${MOST_DEPTH} times.`, token, 'simplify the filter');
  };

  function joined(kind: 'and' | 'or', sign: string, part: () => FilterNode): FilterNode {
    const of: FilterNode[] = [];
    do {
      const node = part();
      if (node.kind === kind) of.push(...node.of);
      else of.push(node);
    } while (takeIf(kind, sign));
    return of.length === 1 ? (of[0] as FilterNode) : { kind, of };
  }
  const or = (): FilterNode => joined('or', '||', and);
  const and = (): FilterNode => joined('and', '&&', not);

  function not(): FilterNode {
    const token = peek();
    if (!takeIf('not', '!')) return primary();
    deeper(token);
    const node: FilterNode = { kind: 'not', of: not() };
    depth--;
    return node;
  }

  function primary(): FilterNode {
    if (!isSign('(')) return leaf();
    deeper(take());
    const node = or();
    if (!isSign(')')) throw unexpected('")"', 'every "(" needs a ")"; two conditions are joined with "and" or "or"');
    next++;
    depth--;
    return node;
  }

  function leaf(): FilterNode {
    const field = peek();
    if (field.kind !== 'word' || keyword(field) !== '')
      throw unexpected('the name of a field', 'a condition begins with a field: bytes > 10K');
    next++;
    const at = next;
    const negated = keyword(peek()) === 'not' && ['in', 'contains', 'matches'].includes(keyword(tokens[next + 1] as Token));
    if (negated) next++;
    const node = condition(field);
    if (!negated) return node;
    if (depth >= MOST_DEPTH) deeper(tokens[at] as Token);
    return { kind: 'not', of: node };
  }

  function condition(field: Token): FilterNode {
    const op = peek();
    const word = keyword(op);
    if (word === 'in') {
      next++;
      const [list, values] = items();
      return keep({ kind: 'in', field: field.text, list }, { field, op, values });
    }
    const isComparison = op.kind === 'sign' && SIGNS.has(op.text);
    const isTextual = word === 'contains' || word === 'matches' || isSign('~');
    if (!isComparison && !isTextual) return keep({ kind: 'has', field: field.text }, { field, op, values: [] });
    next++;
    const token = peek();
    const value = item();
    if (typeof value !== 'string')
      throw new FilterError(
        'syntax',
        `A range does not go with ${quote(op.text)}.`,
        token,
        `write in {${token.text}}, or put a text with dots in quotes`,
      );
    const name = (isSignText(op, '~') ? 'matches' : word || op.text) as CompareOp;
    return keep({ kind: 'compare', field: field.text, op: name, value }, { field, op, values: [token] });
  }

  function items(): [(string | Range)[], Span[]] {
    if (!isSign('{')) {
      const token = peek();
      return [[item()], [token]];
    }
    next++;
    const list: (string | Range)[] = [];
    const values: Span[] = [];
    do {
      if (isSign('}') && list.length > 0) break;
      values.push(peek());
      list.push(item());
    } while (takeIf(',', ','));
    if (!isSign('}')) throw unexpected('"," or "}"', 'a list is written {80, 443, 8000..8999}');
    next++;
    return [list, values];
  }

  function item(): string | Range {
    const token = peek();
    if (token.kind === 'string') return take().text;
    if (token.kind !== 'word' || keyword(token) !== '') throw unexpected('a value', VALUES);
    next++;
    const dots = token.text.indexOf('..');
    if (dots < 0) return token.text;
    const [from, to] = [token.text.slice(0, dots), token.text.slice(dots + 2)];
    if (from === '' || to === '' || to.includes('..'))
      throw new FilterError('syntax', `${quote(token.text)} is no range.`, token, 'a range is written 8000..8999, without spaces');
    return { from, to };
  }

  const keep = (node: FilterNode, at: LeafSpans): FilterNode => {
    spans.set(node, at);
    return node;
  };

  if (peek().kind === 'end') return { node: { kind: 'all' }, spans };
  const node = or();
  if (peek().kind !== 'end') throw unexpected('"and" or "or"', `two conditions are joined with "and" or "or"; ${VALUES}`);
  return { node, spans };
}

const isSignText = (token: Token, text: string): boolean => token.kind === 'sign' && token.text === text;

/**
 * The filter as plain data.
 * @throws FilterError where the text cannot be read
 * @example parseFilter('bytes > 10K') // { kind: 'compare', field: 'bytes', op: '>', value: '10K' }
 */
export const parseFilter = (text: string): FilterNode => parseWithSpans(text).node;
