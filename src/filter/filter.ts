/**
 * The filter language: text in, a predicate over flow events out. All that the rest of the program imports of this folder.
 *
 *   text ──lexer, parse──► FilterNode ──compile──► matches(view)
 *                              └──format──► canonical text
 *
 * docs/guides/filters.md says what can be written.
 */
export { compileFilter } from './compile.ts';
export { FilterError, type FilterErrorCode } from './errors.ts';
export { filterFields } from './fields.ts';
export { formatFilter } from './format.ts';
export { parseFilter } from './parse.ts';
