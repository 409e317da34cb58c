/**
 * Where the names of the filter language are found in a flow that is no event: a name in, keys and paths into tables out.
 * Called by objects.ts (keys of objects) and src/store/duckdb/filter-sql.ts (columns).
 */
import { ANY, type Member } from '../flows/fields/field.ts';
import { fieldByKey } from '../flows/fields.ts';
import { filterFields, resolve } from './fields.ts';
import type { Operand } from './operands.ts';

/** A value: `{ key: 'icmp', path: ['unreach', 'src_ip'] }`; without a path the value of the key. */
export interface Source {
  readonly key: string;
  readonly path: readonly string[];
}

export interface Named {
  readonly operand: Operand;
  /** One for each value of the operand; of names and bits the keys that they are read from. */
  readonly sources: readonly [Source, ...Source[]];
}

const declared = new Map(filterFields().map((field) => [field.name.toLowerCase(), field]));

/** Names of members may have dots. */
function pathOf(members: readonly Member[], rest: string): string[] {
  for (const { key, members: inner = [] } of members) {
    if (key === ANY) continue;
    if (rest === key) return [key];
    if (rest.startsWith(`${key}.`)) return [key, ...pathOf(inner, rest.slice(key.length + 1))];
  }
  return [rest];
}

/** @returns undefined for a name that nothing has */
export function namedBy(name: string): Named | undefined {
  const operand = resolve(name);
  if (operand === undefined) return undefined;
  const [key] = operand.keys as readonly [string];
  const field = declared.get(name.toLowerCase());
  if (field?.alias === true) {
    return { operand, sources: operand.keys.map((each): Source => ({ key: each, path: [] })) as [Source, ...Source[]] };
  }
  const rest = (field?.name ?? name).slice(key.length + 1);
  return { operand, sources: [{ key, path: rest === '' ? [] : pathOf(fieldByKey.get(key)?.members ?? [], rest) }] };
}
