/** The columns that a table of flows may show, in the terminal or on a page. */
import type { Column, Field } from '../fields/field.ts';

export interface TableColumn extends Required<Column> {
  readonly key: string;
  readonly align: 'left' | 'right';
}

export const tableColumns = (fields: readonly Field[]): TableColumn[] =>
  fields.flatMap(({ key, type, column }) =>
    column === undefined ? [] : [{ key, shown: false, align: type === 'int' || type === 'float' ? 'right' : 'left', ...column }],
  );
