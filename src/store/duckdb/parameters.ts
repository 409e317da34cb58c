/**
 * Values on their way into a statement: they are bound, never written into its text. All that statements are made of beside them are
 * names of columns that we declare.
 */
import { BIGINT, DOUBLE, type DuckDBType, type DuckDBValue, VARCHAR } from '@duckdb/node-api';

export interface Parameters {
  /** @returns what stands in the statement for the value: `$1` */
  text(value: string): string;
  /** A whole number becomes a BIGINT, so that statistics of columns can be used; every other a DOUBLE. */
  number(value: number): string;
  readonly values: DuckDBValue[];
  readonly types: DuckDBType[];
}

export function createParameters(): Parameters {
  const values: DuckDBValue[] = [];
  const types: DuckDBType[] = [];
  const add = (value: DuckDBValue, type: DuckDBType): string => {
    values.push(value);
    types.push(type);
    return `$${values.length}`;
  };
  return {
    text: (value) => add(value, VARCHAR),
    number: (value) => (Number.isSafeInteger(value) ? add(BigInt(value), BIGINT) : add(value, DOUBLE)),
    values,
    types,
  };
}
