/** A filter as canonical text: the inverse of parse.ts, with one way to write each thing and no parentheses but the needed ones. */
import { type FilterLeaf, type FilterNode, KEYWORDS, type Range, WORD } from './ast.ts';

const BARE = new RegExp(`^${WORD.source}$`);

const value = (text: string): string =>
  BARE.test(text) && !text.includes('..') && !KEYWORDS.has(text.toLowerCase()) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;

const item = (of: string | Range): string => (typeof of === 'string' ? value(of) : `${of.from}..${of.to}`);

function leaf(node: FilterLeaf): string {
  if (node.kind === 'has') return node.field;
  return node.kind === 'in' ? `${node.field} in {${node.list.map(item).join(', ')}}` : `${node.field} ${node.op} ${value(node.value)}`;
}

/** How tightly a node holds together; what holds less tightly than its surroundings needs parentheses. */
const TIGHTNESS = { or: 0, and: 1, not: 2, all: 3, has: 3, compare: 3, in: 3 } as const;

const within = (node: FilterNode, least: number): string => (TIGHTNESS[node.kind] < least ? `(${formatFilter(node)})` : formatFilter(node));

/**
 * @param node what `parseFilter` gave
 * @returns text that parses to the same node, as long as it keeps within the 4 KiB
 * @example formatFilter(parseFilter('a=1&&!(b)')) // 'a == 1 and not b'
 */
export function formatFilter(node: FilterNode): string {
  switch (node.kind) {
    case 'all':
      return '';
    case 'not':
      return `not ${within(node.of, TIGHTNESS.not)}`;
    case 'and':
    case 'or':
      return node.of.map((part) => within(part, TIGHTNESS[node.kind] + 1)).join(` ${node.kind} `);
    default:
      return leaf(node);
  }
}
