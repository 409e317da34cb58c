/**
 * What is wrong with a filter is said before any row is asked, by the compiler of live filters: one set of errors everywhere. Called by
 * row-filter.ts and duckdb/filter-sql.ts, which rely on it and check nothing themselves.
 */
import type { Comparison, Membership } from '../filter/ast.ts';
import { compileFilter, FilterError } from '../filter/filter.ts';
import type { LeafSpans } from '../filter/parse.ts';
import type { Wanted, WantedItem } from '../filter/wanted.ts';
import type { Names } from '../flows/view.ts';

/** Names that exist, so that misspelt ones are found. */
export type FilterNames = Pick<Names, 'protocols' | 'categories' | 'breeds' | 'risks'>;

/** What numbers stand for is in the texts of a row already. */
export const NO_NAMES: Names = {
  protocols: [],
  categories: [],
  breeds: [],
  risks: [],
  confidences: [],
  details: [],
  localNetworks: [],
  interfaceName: '',
  run: '',
  packetInterface: false,
  sampled: false,
};

/**
 * @param names without them no name is called misspelt
 * @throws FilterError
 */
export function checkFilter(text: string, names?: FilterNames): void {
  try {
    compileFilter(text, { ...NO_NAMES, ...names });
  } catch (error) {
    if (names === undefined && error instanceof FilterError && error.code === 'unknown-name') return;
    throw error;
  }
}

/** The right side of a comparison, as the tests of src/filter take it. */
export const wantedOf = (node: Comparison | Membership, spans: LeafSpans): Wanted => ({
  field: node.field,
  op: node.kind === 'in' || node.op === '!=' ? '==' : node.op,
  items: (node.kind === 'in' ? node.list : [node.value]).map(
    (item, i): WantedItem => ({ ...(typeof item === 'string' ? { from: item } : item), at: spans.values[i] as WantedItem['at'] }),
  ),
});
