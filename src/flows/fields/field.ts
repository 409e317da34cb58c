/** What a field of a flow is: a key of `info`, its type and meaning, and how it is read from an event. */
import type { EventView } from '../view.ts';

/** Strings are in Latin-1 form (view.ts). Numbers are finite. */
export type FieldValue = number | boolean | string | FieldTable;
export interface FieldTable {
  readonly [key: string]: FieldValue;
}

/** `int` values are integers below 2^53. */
export type FieldType = 'int' | 'float' | 'string' | 'bool' | 'table';

export type FieldGroup = 'endpoints' | 'state' | 'protocols' | 'traffic' | 'tcp' | 'application';

/** Generations of scripts: September 2019, ntopng 4.0, ntopng 4.2. */
export type Generation = '2019' | '4.0' | '4.2';
export type Level = 'normal' | 'high' | 'higher' | 'max';

/** Functions of `flow` that return a part of `info` as a table of its own (October 2019). */
export type Getter =
  | 'getStatus'
  | 'getProtocols'
  | 'getBytes'
  | 'getPackets'
  | 'getTime'
  | 'getTCPInfo'
  | 'getSSLInfo'
  | 'getSSHInfo'
  | 'getHTTPInfo'
  | 'getDNSInfo'
  | 'getICMPInfo'
  | `get${'Client' | 'Server'}${'Ip' | 'Port' | 'Info' | 'Geolocation'}`
  | `get${'Client2Server' | 'Server2Client'}${'Traffic' | 'IAT'}`;

/** How a table of flows shows the field. Numbers stand to the right. */
export interface Column {
  readonly title: string;
  /** Characters of a usual value. */
  readonly width: number;
  /** Is it there before the reader has chosen? */
  readonly shown?: boolean;
}

/** Key of a member that stands for members of any name. */
export const ANY = '*';

/** A value with a name: a field, or a member of one that is a table. */
export interface Member {
  readonly key: string;
  readonly type: FieldType;
  readonly unit?: string;
  readonly doc: string;
  /** When the key is there; always, without it. */
  readonly when?: string;
  /** What a `table` has; {@link ANY} alone for one whose keys are not known beforehand. */
  readonly members?: readonly Member[];
}

/** The key is one of `info`; a dot is a part of it. */
export interface Field extends Member {
  readonly group: FieldGroup;
  /** A key of our own, which ntopng does not have. */
  readonly ours?: boolean;
  /** Generation of scripts that first knew the key; 2019 without it. */
  readonly since?: Generation;
  /** ntopng's level of detail from which on the key is there: `high` without it. `info` has them all. */
  readonly level?: Level;
  /** Key is declared for completeness and never there: it belongs to inline systems or to commercial builds. */
  readonly never?: boolean;
  /** The getter whose table has the key. */
  readonly getter?: Getter;
  readonly column?: Column;
  /** @returns undefined when the flow has no such value: the key is absent */
  read(view: EventView): FieldValue | undefined;
}

/** How the files of this folder declare one field; the group is added by {@link group}. */
export type Declared = Omit<Field, 'group'>;
type More = Omit<Declared, 'key' | 'type' | 'doc' | 'read'>;
type Declare<T extends FieldValue> = (key: string, doc: string, read: (view: EventView) => T | undefined, more?: More) => Declared;

const declare =
  <T extends FieldValue>(type: FieldType): Declare<T> =>
  (key, doc, read, more) => ({ key, type, doc, ...more, read });

export const int = declare<number>('int');
export const float = declare<number>('float');
export const bool = declare<boolean>('bool');
export const string = declare<string>('string');
export const table = (
  key: string,
  doc: string,
  read: (view: EventView) => FieldTable | undefined,
  more: More & Required<Pick<More, 'members'>>,
): Declared => ({ key, type: 'table', doc, ...more, read });

/** Reads a field that is `never` there. */
export const absent = (): undefined => undefined;

/** Fields that have the same attributes. */
export const each = (more: More, fields: readonly Declared[]): Declared[] => fields.map((field) => ({ ...more, ...field }));

export const group = (name: FieldGroup, fields: readonly Declared[]): readonly Field[] =>
  fields.map((field) => ({ ...field, group: name }));

/** A counter as it may stand in a damaged event: what is no whole number below 2^53 is read as 0. */
export const counter = (value: number): number => (Number.isSafeInteger(value) ? value : 0);

/** The shortest decimal that reads back as the same single-precision number: 49.6, not 49.599998474121094. */
export function single(value: number): number {
  if (!Number.isFinite(value)) return 0;
  for (let scale = 1; scale <= 1e4; scale *= 10) {
    const rounded = Math.round(value * scale) / scale;
    if (Math.fround(rounded) === value) return rounded;
  }
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
