/**
 * What is wrong with a filter is said before any row is asked, by the compiler of live filters: one set of errors everywhere. Called by
 * row-filter.ts and duckdb/filter-sql.ts, which rely on it and check no values themselves.
 */
import { compileFilter, FilterError } from '../filter/filter.ts';
import { NO_NAMES } from '../filter/objects.ts';
import type { Names } from '../flows/view.ts';

/** Names that exist, so that misspelt ones are found. */
export type FilterNames = Pick<Names, 'protocols' | 'categories' | 'breeds' | 'risks'>;

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
