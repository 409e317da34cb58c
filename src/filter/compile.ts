/**
 * Gives a filter its meaning: {@link FilterNode} in, a predicate over events out. Everything that can be known before the first
 * event is done here: names become readers, values numbers, networks intervals, statuses bits. Called once per filter and interface.
 *
 *   missing value    every comparison is false, `!=` too; so `not (x == y)` holds and `x != y` does not
 *   several values   (`ip`, `status`) a comparison holds if it holds for one; `!=` if there is one and `==` holds for none
 */
import type { EventView, Names } from '../flows/view.ts';
import type { Comparison, FilterLeaf, FilterNode, Membership } from './ast.ts';
import { didYouMean, FilterError, quote, type Span } from './errors.ts';
import { filterFields, resolve } from './fields.ts';
import { KINDS, type Operand, type Test } from './operands.ts';
import { type LeafSpans, parseWithSpans } from './parse.ts';
import { presence, testOf } from './predicates.ts';
import type { Wanted, WantedItem } from './wanted.ts';

export interface CompiledFilter {
  /** @param view stands on the event */
  matches(view: EventView): boolean;
  /** Keys of `info` that are read, in the order of their first use. */
  readonly fields: readonly string[];
}

/** Two and three are written out: a loop costs more than the comparisons. */
function allOf(tests: readonly Test[]): Test {
  const [first, second, third] = tests as readonly [Test, Test, Test];
  if (tests.length === 2) return (view) => first(view) && second(view);
  if (tests.length === 3) return (view) => first(view) && second(view) && third(view);
  return (view) => {
    for (const test of tests) if (!test(view)) return false;
    return true;
  };
}

function anyOf(tests: readonly Test[]): Test {
  const [first, second, third] = tests as readonly [Test, Test, Test];
  if (tests.length === 1) return first;
  if (tests.length === 2) return (view) => first(view) || second(view);
  if (tests.length === 3) return (view) => first(view) || second(view) || third(view);
  return (view) => {
    for (const test of tests) if (test(view)) return true;
    return false;
  };
}

function operandOf(name: string, at: Span): Operand {
  const operand = resolve(name);
  if (operand !== undefined) return operand;
  const names = filterFields().map((field) => field.name);
  throw new FilterError(
    'unknown-field',
    `There is no field ${quote(name)}.`,
    at,
    didYouMean(name, names) || 'the fields are listed in docs/reference/flow-info.md',
  );
}

/** Does the field have the operator? */
function checkOperator(node: Comparison | Membership, operand: Operand, at: Span): void {
  const [value] = operand.values;
  const { words, operators } = KINDS[value.kind];
  const op = node.kind === 'in' ? 'in' : node.op;
  if (operators.includes(op)) return;
  const hint =
    value.kind === 'table'
      ? value.members.length === 0
        ? 'it can be asked for its presence alone'
        : `name a member: ${value.members.map((key) => `${node.field}.${key}`).join(', ')}`
      : `it goes with ${operators.join(', ')}${value.kind === 'address' ? '; networks are written 10.0.0.0/8' : ''}`;
  throw new FilterError('wrong-operator', `${quote(node.field)} is ${words}: it does not go with ${quote(op)}.`, at, hint);
}

const wantedOf = (node: Comparison | Membership, spans: LeafSpans): Wanted => ({
  field: node.field,
  op: node.kind === 'in' || node.op === '!=' ? '==' : node.op,
  items: (node.kind === 'in' ? node.list : [node.value]).map(
    (item, i): WantedItem => ({ ...(typeof item === 'string' ? { from: item } : item), at: spans.values[i] as Span }),
  ),
});

/**
 * @param text up to 4 KiB; empty: all flows match
 * @param names those of the interface whose events are asked: protocols and others are compared by their numbers
 * @throws FilterError
 * @example compileFilter('proto == TLS and bytes > 1M', view.names).matches(view)
 */
export function compileFilter(text: string, names: Names): CompiledFilter {
  const { node: whole, spans } = parseWithSpans(text);
  const fields = new Set<string>();

  function leaf(node: FilterLeaf): Test {
    const at = spans.get(node) as LeafSpans;
    const operand = operandOf(node.field, at.field);
    for (const key of operand.keys) fields.add(key);
    if (node.kind === 'has') return anyOf(operand.values.map((value) => presence(value).holds));
    checkOperator(node, operand, at.op);
    const wanted = wantedOf(node, at);
    const test = anyOf(operand.values.map((value) => testOf(value, wanted, names)));
    if (node.kind === 'in' || node.op !== '!=') return test;
    const there = anyOf(operand.values.map((value) => presence(value).there));
    return (view) => there(view) && !test(view);
  }

  function compile(node: FilterNode): Test {
    switch (node.kind) {
      case 'all':
        return () => true;
      case 'and':
        return allOf(node.of.map(compile));
      case 'or':
        return anyOf(node.of.map(compile));
      case 'not': {
        const test = compile(node.of);
        return (view) => !test(view);
      }
      default:
        return leaf(node);
    }
  }

  const matches = compile(whole);
  return { matches, fields: [...fields] };
}
