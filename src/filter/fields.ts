/**
 * The names that a filter may use: keys of FIELDS, members of tables (`icmp.type`), short names (aliases.ts).
 *
 *   FIELDS, ALIASES ──► resolve(name): Operand ──► compile.ts, sources.ts
 *                  └──► filterFields(): completion, docs
 *
 * A field that is declared in src/flows/fields.ts is here without more.
 */

import { ANY, type Member } from '../flows/fields/field.ts';
import { FIELDS, type Field, type FieldTable, type FieldValue } from '../flows/fields.ts';
import { R_MAC0, R_MAC1 } from '../flows/record.ts';
import { ALIASES, type Alias } from './aliases.ts';
import { RISK } from './names.ts';
import { KINDS, type Measure, type Operand, type Operator, type Read, type Value, type ValueKind } from './operands.ts';

/** One name that a filter may use. */
export interface FilterField {
  readonly name: string;
  /** Kind of its values; `name` and `bits` are values with names. */
  readonly kind: ValueKind;
  readonly unit?: string;
  readonly doc: string;
  /** When the flow has it; always, without it. */
  readonly when?: string;
  /** Keys of `info` that it reads. */
  readonly keys: readonly string[];
  /** A short name, declared in aliases.ts. */
  readonly alias: boolean;
  /** None: its presence is all that can be asked. */
  readonly operators: readonly Operator[];
}

interface Entry {
  readonly operand: Operand;
  readonly field: FilterField;
  readonly hidden: boolean;
}

/** The address as 48 bits, read without making text. */
const macAt =
  (at: number): Read<number> =>
  (view) => {
    let mac = 0;
    for (let i = 0; i < 6; i++) mac = mac * 256 + view.u8(at + i);
    return mac;
  };

/** Fields that are more than their declared type says. */
function special(field: Field): Value | undefined {
  switch (field.key) {
    case 'cli.ip':
      return { kind: 'address', word: (view, index) => view.clientWord(index) };
    case 'srv.ip':
      return { kind: 'address', word: (view, index) => view.serverWord(index) };
    case 'cli.mac':
      return { kind: 'mac', read: macAt(R_MAC0), text: field.read as Read<string> };
    case 'srv.mac':
      return { kind: 'mac', read: macAt(R_MAC1), text: field.read as Read<string> };
    case 'flow_risk':
      return { kind: 'bits', bits: RISK };
    default:
      return undefined;
  }
}

function measureOf(unit: string | undefined): Measure {
  if (unit === 's') return { as: 'span', perSecond: 1 };
  if (unit === 'ms') return { as: 'span', perSecond: 1000 };
  return { as: unit === 's since 1970' ? 'moment' : 'size' };
}

/** @param read gives values of the declared type: that is what the declaration promises */
function declaredValue({ type, unit, members = [] }: Member, read: Read<FieldValue>): Value {
  switch (type) {
    case 'string':
      return { kind: 'text', read: read as Read<string> };
    case 'bool':
      return { kind: 'bool', read: read as Read<boolean> };
    case 'table':
      return { kind: 'table', read: read as Read<FieldTable>, members: members.map((member) => member.key).filter((key) => key !== ANY) };
    default:
      return { kind: 'number', read: read as Read<number>, measure: measureOf(unit) };
  }
}

function entry(name: string, operand: Operand, { doc, unit, when }: Partial<Member>, alias: boolean, hidden = false): [string, Entry] {
  const { kind } = operand.values[0];
  const field: FilterField = {
    name,
    kind,
    ...(unit === undefined ? {} : { unit }),
    doc: doc ?? '',
    ...(when === undefined ? {} : { when }),
    keys: operand.keys,
    alias,
    operators: KINDS[kind].operators,
  };
  return [name, { operand, field, hidden }];
}

const reader =
  (read: Read<FieldTable>, key: string): Read<FieldValue> =>
  (view) => {
    const table = read(view);
    return table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
  };

/** The members of a table, and those of the tables among them. */
function membersOf(name: string, key: string, of: Member, read: Read<FieldTable>): [string, Entry][] {
  return (of.members ?? [])
    .filter((member) => member.key !== ANY)
    .flatMap((member) => {
      const own = reader(read, member.key);
      const path = `${name}.${member.key}`;
      const when = member.when ?? of.when;
      return [
        entry(path, { keys: [key], values: [declaredValue(member, own)] }, { ...member, ...(when === undefined ? {} : { when }) }, false),
        ...membersOf(path, key, { ...member, ...(when === undefined ? {} : { when }) }, own as Read<FieldTable>),
      ];
    });
}

function fieldEntries(field: Field): [string, Entry][] {
  const value = special(field) ?? declaredValue(field, field.read);
  const members = value.kind === 'table' ? membersOf(field.key, field.key, field, value.read) : [];
  return [entry(field.key, { keys: [field.key], values: [value] }, field, false, field.never), ...members];
}

const own = new Map<string, Entry>(FIELDS.flatMap(fieldEntries));

function aliasEntries({ name, keys, doc, value }: Alias): [string, Entry][] {
  const of = keys.flatMap((key) => own.get(key) ?? []);
  const [first, ...others] = of;
  if (first === undefined) return [];
  const values: Operand['values'] =
    value === undefined ? [first.operand.values[0], ...others.map((other) => other.operand.values[0])] : [value];
  const like = value === undefined && others.length === 0 ? first.field : {};
  return [entry(name, { keys: of.map((other) => other.field.name), values }, { ...like, doc }, true)];
}

const all = new Map<string, Entry>([...own, ...ALIASES.flatMap(aliasEntries)]);
const byLowerCase = new Map([...all].map(([name, of]) => [name.toLowerCase(), of]));

/** Every name that a filter may use, short names last. Names are found in any case of letters. */
export const filterFields = (): FilterField[] => [...all.values()].filter((of) => !of.hidden).map((of) => of.field);

/** A member of a table that does not declare what it has. */
function undeclared(name: string): Operand | undefined {
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const operand = byLowerCase.get(name.slice(0, dot).toLowerCase())?.operand;
    const table = operand?.values[0];
    if (operand === undefined || table?.kind !== 'table' || table.members.length > 0) continue;
    return { keys: operand.keys, values: [{ kind: 'any', read: reader(table.read, name.slice(dot + 1)) }] };
  }
  return undefined;
}

/** @returns undefined for a name that nothing has */
export const resolve = (name: string): Operand | undefined =>
  (all.get(name) ?? byLowerCase.get(name.toLowerCase()))?.operand ?? undeclared(name);
