/**
 * The filter language over live flows: text in, a predicate over events out. Names become readers, values numbers, networks intervals,
 * statuses bits. Called once per filter and interface; walk.ts says what a filter means.
 */
import type { EventView, Names } from '../flows/view.ts';
import { filterFields, resolve } from './fields.ts';
import { KINDS, type Value } from './operands.ts';
import { asked, TESTS } from './predicates.ts';
import { walk } from './walk.ts';

export interface CompiledFilter {
  /** @param view stands on the event */
  matches(view: EventView): boolean;
  /** Keys of `info` that are read, in the order of their first use. */
  readonly fields: readonly string[];
}

/** Where the operators alone do not say what to write instead. */
function hintOf(name: string, value: Value): string | undefined {
  if (value.kind === 'address') return `it goes with ${KINDS.address.operators.join(', ')}; networks are written 10.0.0.0/8`;
  if (value.kind !== 'table' || value.members.length === 0) return undefined;
  return `name a member: ${value.members.map((key) => `${name}.${key}`).join(', ')}`;
}

/**
 * @param text up to 4 KiB; empty: all flows match
 * @param names those of the interface whose events are asked: protocols and others are compared by their numbers
 * @throws FilterError
 * @example compileFilter('proto == TLS and bytes > 1M', view.names).matches(view)
 */
export function compileFilter(text: string, names: Names): CompiledFilter {
  const fields = new Set<string>();
  const matches = walk(text, {
    ...TESTS,
    named(name) {
      const operand = resolve(name);
      if (operand === undefined) return undefined;
      for (const key of operand.keys) fields.add(key);
      const [first, ...others] = operand.values;
      const hint = hintOf(name, first);
      return {
        ...KINDS[first.kind],
        ...(hint === undefined ? {} : { hint }),
        values: [asked(first, names), ...others.map((value) => asked(value, names))],
      };
    },
    names: () => filterFields().map((field) => field.name),
  });
  return { matches, fields: [...fields] };
}
