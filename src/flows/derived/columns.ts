/**
 * The columns of a database table of flows (DuckDB), one per field, and the statement that makes the table. Called by whatever
 * stores flows.
 */
import type { Field } from '../fields/field.ts';

const TYPES = { int: 'BIGINT', float: 'DOUBLE', bool: 'BOOLEAN', string: 'VARCHAR', table: 'JSON' } as const;

export interface DatabaseColumn {
  readonly field: Field;
  /** The key with underscores for dots; unique whatever the case, as DuckDB compares names. */
  readonly name: string;
  readonly type: (typeof TYPES)[keyof typeof TYPES];
  readonly nullable: boolean;
}

/** @throws when two keys would get the same column */
export function databaseColumns(fields: readonly Field[]): DatabaseColumn[] {
  const taken = new Map<string, string>();
  return fields.map((field) => {
    const name = field.key.replaceAll('.', '_');
    const other = taken.get(name.toLowerCase());
    if (other !== undefined) {
      throw new Error(`fields ${other} and ${field.key} would share the column ${name}: rename one of them in src/flows/fields/`);
    }
    taken.set(name.toLowerCase(), field.key);
    return { field, name, type: TYPES[field.type], nullable: field.when !== undefined };
  });
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export function createTable(name: string, columns: readonly DatabaseColumn[]): string {
  const lines = columns.map((column) => `  ${quoted(column.name)} ${column.type}${column.nullable ? '' : ' NOT NULL'}`);
  return `CREATE TABLE IF NOT EXISTS ${quoted(name)} (\n${lines.join(',\n')}\n);\n`;
}
