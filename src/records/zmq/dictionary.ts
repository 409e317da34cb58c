/**
 * From the key of a value to the field it is: by number, by `enterprise.number`, by name; and what probes teach (templates name fields,
 * options name values). One dictionary an interface; the readers ask it for every value of every record.
 */
import { NAMED_FIELDS } from './agent.ts';
import { type Apply, FIELDS, type Field, NTOP_BASE } from './fields.ts';
import { NTOP_NAMES, STANDARD_NAMES } from './names.ts';

/** The enterprise number of ntop. */
const NTOP = 35632;
const NUMBERS = 65536;
/** Standard ids that senders use for ntop's fields of the same number. */
const SHARED_FIRST = 118;
const SHARED_LAST = 125;

/** Most fields, and most values of fields, that probes can name. */
const MOST_LEARNED = 4096;
const LONGEST_NAME = 128;
const SLOTS = 16384;

export interface Dictionary {
  /** Grows when a key may mean another field than before. */
  generation(): number;
  /** A key without enterprise number. */
  byNumber(number: number): Field | undefined;
  byEnterprise(enterprise: number, number: number): Field | undefined;
  /** @param hash {@link labelHash} of the bytes */
  byLabel(bytes: Uint8Array, start: number, end: number, hash: number): Field | undefined;
  /** A key of any form. */
  byKey(bytes: Uint8Array, start: number, end: number): Field | undefined;
  /** From now on the field has the name, and the name means the field. @returns false: there is no room */
  nameField(enterprise: number, number: number, name: string): boolean;
  /** From now on a record in which the field has the value belongs to the application. @returns false: there is no room */
  nameValue(enterprise: number, number: number, value: string, application: string): boolean;
}

export const LABEL_SEED = 0x811c9dc5 | 0;
/** One step of FNV-1a (public domain): the readers go along while they look for the end of the key. */
export const labelStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

const keep =
  (name: string): Apply =>
  (draft, value) =>
    draft.further(name, value);

export function createDictionary(): Dictionary {
  const fields: Field[] = [];
  const numbers = new Int16Array(NUMBERS);
  const enterprises = new Map<string, Field>();
  const labels: string[] = [''];
  const labelled: Field[] = [undefined as unknown as Field];
  const slots = new Int32Array(SLOTS);
  const announced = new Map<number | string, Map<string, string>>();
  let generation = 0;
  let learned = 0;
  let values = 0;

  const byNumber = (number: number): Field | undefined => {
    if (number >= NUMBERS) return undefined;
    const position = numbers[number];
    return position === 0 ? undefined : fields[position - 1];
  };

  /** Position of a name's field, or the negative of the free slot (minus 1). */
  const slotOf = (bytes: ArrayLike<number>, start: number, end: number, hash: number): number => {
    const length = end - start;
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const position = slots[slot];
      if (position === 0) return -slot - 1;
      const label = labels[position];
      if (label.length === length) {
        let same = 0;
        while (same < length && label.charCodeAt(same) === bytes[start + same]) same++;
        if (same === length) return position;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
  };

  /** @returns false: the name means something already */
  const addLabel = (label: string, field: Field): boolean => {
    const bytes = Buffer.from(label, 'latin1');
    let hash = LABEL_SEED;
    for (const byte of bytes) hash = labelStep(hash, byte);
    const found = slotOf(bytes, 0, bytes.length, hash);
    if (found > 0) return false;
    slots[-found - 1] = labels.length;
    labels.push(label);
    labelled.push(field);
    return true;
  };

  const addNumber = (field: Field): void => {
    fields.push(field);
    numbers[field.number] = fields.length;
  };

  for (const field of FIELDS) addNumber(field);
  for (const [base, names] of [
    [0, STANDARD_NAMES],
    [NTOP_BASE, NTOP_NAMES],
  ] as const) {
    for (const { id, names: spellings } of names) addNumber({ number: base + id, names: spellings, apply: keep(spellings[0]) });
  }
  for (let id = SHARED_FIRST; id <= SHARED_LAST; id++) numbers[id] = numbers[NTOP_BASE + id];
  // standard names before those of ntop, where both have one
  for (const field of [...fields].sort((a, b) => a.number - b.number)) for (const name of field.names) addLabel(name, field);
  for (const { names, apply } of NAMED_FIELDS) for (const name of names) addLabel(name, { number: -1, names, apply });

  const byEnterprise = (enterprise: number, number: number): Field | undefined => {
    if (enterprise === 0) return byNumber(number);
    if (enterprise === NTOP) return byNumber(number < NTOP_BASE ? number + NTOP_BASE : number);
    return enterprises.size === 0 ? undefined : enterprises.get(`${enterprise}.${number}`);
  };

  const byLabel = (bytes: Uint8Array, start: number, end: number, hash: number): Field | undefined => {
    const found = slotOf(bytes, start, end, hash);
    return found > 0 ? labelled[found] : undefined;
  };

  /** Puts a field in the place of that with its number. */
  const replace = (enterprise: number, number: number, field: Field): void => {
    const known = byEnterprise(enterprise, number);
    generation++;
    if (known !== undefined) {
      for (let i = 0; i < fields.length; i++) if (fields[i] === known) fields[i] = field;
      for (let i = 0; i < labelled.length; i++) if (labelled[i] === known) labelled[i] = field;
    }
    if (enterprise !== 0 && enterprise !== NTOP) enterprises.set(`${enterprise}.${number}`, field);
    else if (known === undefined) addNumber(field);
  };

  const wireNumber = (enterprise: number, number: number): number =>
    enterprise === NTOP && number < NTOP_BASE ? number + NTOP_BASE : number;

  const isNumber = (enterprise: number, number: number): boolean =>
    Number.isSafeInteger(enterprise) &&
    enterprise >= 0 &&
    enterprise < 2 ** 32 &&
    Number.isSafeInteger(number) &&
    number >= 0 &&
    wireNumber(enterprise, number) < NUMBERS;

  return {
    generation: () => generation,
    byNumber,
    byEnterprise,
    byLabel,
    byKey(bytes, start, end) {
      let hash = LABEL_SEED;
      let number = 0;
      let enterprise = -1;
      let digits = 0;
      let numeric = end > start;
      for (let at = start; at < end; at++) {
        const byte = bytes[at];
        hash = labelStep(hash, byte);
        if (byte >= 0x30 && byte <= 0x39 && digits < 10) {
          number = number * 10 + byte - 0x30;
          digits++;
        } else if (byte === 0x2e && enterprise < 0 && digits > 0) {
          enterprise = number;
          number = 0;
          digits = 0;
        } else numeric = false;
      }
      if (!numeric || digits === 0) return byLabel(bytes, start, end, hash);
      return enterprise < 0 ? byNumber(number) : byEnterprise(enterprise, number);
    },
    nameField(enterprise, number, name) {
      if (!isNumber(enterprise, number) || name === '' || name.length > LONGEST_NAME) return false;
      const known = byEnterprise(enterprise, number);
      if (known?.names.includes(name)) return true;
      if (learned >= MOST_LEARNED) return false;
      const field = known ?? { number: wireNumber(enterprise, number), names: [name], apply: keep(name) };
      if (!addLabel(name, field)) return true; // what is built in keeps its meaning
      learned++;
      generation++;
      if (known === undefined) replace(enterprise, number, field);
      return true;
    },
    nameValue(enterprise, number, value, application) {
      if (!isNumber(enterprise, number) || value === '' || value.length > LONGEST_NAME) return false;
      if (application === '' || application.length > LONGEST_NAME || values >= MOST_LEARNED) return false;
      const key = enterprise === 0 || enterprise === NTOP ? wireNumber(enterprise, number) : `${enterprise}.${number}`;
      const known = announced.get(key);
      if (known !== undefined) {
        if (!known.has(value)) values++;
        known.set(value, application);
        return true;
      }
      const names = new Map([[value, application]]);
      values++;
      announced.set(key, names);
      const field = byEnterprise(enterprise, number);
      const label = field?.names[0] ?? (typeof key === 'string' ? key : `${enterprise === 0 ? '' : `${enterprise}.`}${number}`);
      const apply = field?.apply ?? keep(label);
      replace(enterprise, number, {
        number: field?.number ?? wireNumber(enterprise, number),
        names: field?.names ?? [label],
        apply(draft, read) {
          const name = names.get(read.text());
          if (name === undefined) apply(draft, read);
          else draft.announced = name;
        },
      });
      return true;
    },
  };
}
