/**
 * Names of fields as people give them to parameters and options (`sort`, `fields`, `--columns`): keys of `info` in any case of
 * letters, and those short names of the filter language that stand for one key.
 */
import { filterFields } from '../filter/filter.ts';
import type { Field } from '../flows/fields/field.ts';
import { FIELDS, fieldByKey } from '../flows/fields.ts';

/** In a filter `status` asks all statuses of a flow; a table has room for the strongest. */
const SHORT: Readonly<Record<string, string>> = { status: 'flow.status' };

const byName: ReadonlyMap<string, Field> = new Map([
  ...filterFields().flatMap(({ name, keys, alias }): [string, Field][] => {
    const field = alias && keys.length === 1 ? fieldByKey.get(SHORT[name] ?? (keys[0] as string)) : undefined;
    return field === undefined ? [] : [[name, field]];
  }),
  ...FIELDS.map((field): [string, Field] => [field.key.toLowerCase(), field]),
]);

export const fieldNamed = (name: string): Field | undefined => byName.get(name.toLowerCase());

/** What {@link fieldNamed} knows, for suggestions. */
export const fieldNames = (): string[] => [...byName.keys()];
