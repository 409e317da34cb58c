/** What can stand on the left of a comparison: how it is read from an event, what kind of values it has, and their operators. */
import type { FieldTable, FieldValue } from '../flows/fields.ts';
import type { EventView, Names } from '../flows/view.ts';
import type { CompareOp } from './ast.ts';

export type Test = (view: EventView) => boolean;

/** @returns undefined where the flow has no such value */
export type Read<T> = (view: EventView) => T | undefined;

/** How numbers of a field are written: sizes with K, M, G; spans of time with s, m, h; moments as dates. */
export type Measure = { readonly as: 'size' | 'moment' } | { readonly as: 'span'; readonly perSecond: number };

/** Values of a small set. Each has a number, by which answers are remembered, and names. A comparison holds if it holds for one of them. */
export interface Naming {
  key(view: EventView): number;
  labels(key: number, names: Names): readonly string[];
  /** All names there are, so that misspelt ones are found; empty where they are not known. */
  known(names: Names): readonly string[];
}

/** Bits of a bitmap, in two halves. Each has a number and names. */
export interface Bits {
  low(view: EventView): number;
  high(view: EventView): number;
  /** The names of bits 0 to 63. */
  labels(names: Names): readonly (readonly string[])[];
  /** The name that stands for no bit at all, if there is one: the value is then never absent. */
  readonly none?: string;
}

export type Value =
  | { readonly kind: 'number'; readonly read: Read<number>; readonly measure: Measure }
  | { readonly kind: 'text'; readonly read: Read<string> }
  | { readonly kind: 'bool'; readonly read: Read<boolean> }
  /** `word` as `clientWord` of the view. */
  | { readonly kind: 'address'; readonly word: (view: EventView, index: number) => number }
  | { readonly kind: 'mac'; readonly read: Read<number>; readonly text: Read<string> }
  | { readonly kind: 'name'; readonly naming: Naming }
  | { readonly kind: 'bits'; readonly bits: Bits }
  | { readonly kind: 'table'; readonly read: Read<FieldTable>; readonly members: readonly string[] }
  /** Member of a table that does not declare what it has. */
  | { readonly kind: 'any'; readonly read: Read<FieldValue> };

export type ValueKind = Value['kind'];

export interface Operand {
  /** Keys of FIELDS that it reads. */
  readonly keys: readonly string[];
  /** One or more, of one kind: a comparison holds if it holds for one of them. */
  readonly values: readonly [Value, ...Value[]];
}

export type Operator = CompareOp | 'in';

const EQUAL: readonly Operator[] = ['==', '!='];
const TEXTUAL: readonly Operator[] = [...EQUAL, 'in', 'contains', 'matches'];
const ORDERED: readonly Operator[] = [...EQUAL, '<', '<=', '>', '>=', 'in'];

/** By kind: what it is called in messages, and its operators; a kind without any can be asked for its presence alone. */
export const KINDS: Readonly<Record<ValueKind, { readonly words: string; readonly operators: readonly Operator[] }>> = {
  number: { words: 'a number', operators: ORDERED },
  text: { words: 'a text', operators: TEXTUAL },
  bool: { words: 'true or false', operators: EQUAL },
  address: { words: 'an address', operators: [...EQUAL, 'in'] },
  mac: { words: 'a MAC address', operators: TEXTUAL },
  name: { words: 'a name', operators: TEXTUAL },
  bits: { words: 'a set of names', operators: TEXTUAL },
  table: { words: 'a table', operators: [] },
  any: { words: 'a value', operators: [...ORDERED, 'contains', 'matches'] },
};
