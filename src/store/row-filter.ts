/**
 * The filter language over stored flows that are objects: text in, a predicate over rows out. What it says of a row is what
 * src/filter/compile.ts says of the event that the row was made of. Called by memory-history.ts.
 */
import { filterFields } from '../filter/filter.ts';
import { objectTerm, objectView } from '../filter/objects.ts';
import { TESTS } from '../filter/predicates.ts';
import { walk } from '../filter/walk.ts';
import { checkFilter, type FilterNames } from './filter-check.ts';
import type { FlowRow } from './history.ts';

export type RowTest = (row: FlowRow) => boolean;

/** @throws FilterError */
export function compileRowFilter(text: string, names?: FilterNames): RowTest {
  checkFilter(text, names);
  let row: FlowRow = {}; // the one that is asked
  const current = (): FlowRow => row;
  const view = objectView(current);
  const test = walk(text, {
    ...TESTS,
    named: (name) => objectTerm(name, current),
    names: () => filterFields().map((field) => field.name),
  });
  return (asked) => {
    row = asked;
    return test(view);
  };
}
