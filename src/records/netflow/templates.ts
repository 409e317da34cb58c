/**
 * Template sets: bytes → {@link Template}. Fields of v9 (RFC 3954, 5.2 and 6.1) and of IPFIX (RFC 7011, 3.4):
 *
 *   template           id 2 │ fields 2 │ field …
 *   options template   v9     id 2 │ bytes of scopes 2 │ bytes of options 2 │ field …
 *                      IPFIX  id 2 │ fields 2 │ scopes among them 2 │ field …
 *   field              type 2 │ length 2 │ IPFIX, top bit of the type: enterprise 4
 *
 * IPFIX: no fields = the template is withdrawn; the id of the set itself = all of its kind are. A template is kept as it came, which shows
 * whether it has changed and is what goes to the file of templates.
 */
import { elementKey, V9_SCOPE, v9Key } from './elements.ts';
import { compile, type Field, type Reader } from './reader.ts';

/** Smallest id of a template; smaller ones are ids of sets. */
export const FIRST_TEMPLATE = 256;
export const MOST_FIELDS = 512;

export interface Template {
  readonly id: number;
  readonly options: boolean;
  /** As it came, from its id on. */
  readonly bytes: Buffer;
  readonly fields: number;
  readonly reader: Reader;
}

export interface TemplateRules {
  /** 9 or 10. */
  readonly version: number;
  readonly options: boolean;
}

export interface TemplateTaker {
  /** @param at where it begins in the bytes */
  template(id: number, at: number, end: number): void;
  /** Field count 0 (IPFIX). */
  withdrawn(id: number): void;
}

/**
 * Goes through the templates of a set.
 * @returns false when the rest of the set cannot be read
 */
export function readTemplates(bytes: Buffer, at: number, end: number, { version, options }: TemplateRules, taker: TemplateTaker): boolean {
  const header = options ? 6 : 4;
  while (at + 4 <= end) {
    const id = bytes.readUInt16BE(at);
    const count = bytes.readUInt16BE(at + 2);
    if (version === 10 && count === 0 && id !== 0) {
      taker.withdrawn(id);
      at += 4;
      continue;
    }
    if (id < FIRST_TEMPLATE) return id === 0; // padding
    if (at + header > end) return false;
    let next = at + header;
    if (version === 9) {
      const lengths = options ? count + bytes.readUInt16BE(at + 4) : count * 4;
      if (lengths % 4 !== 0) return false;
      next += lengths;
    } else {
      for (let i = 0; i < count; i++) {
        if (next + 4 > end) return false;
        next += (bytes[next] & 0x80) !== 0 ? 8 : 4;
      }
    }
    if (next > end) return false;
    taker.template(id, at, next);
    at = next;
  }
  return true;
}

/**
 * Makes one template.
 * @param bytes of the template, from its id on; they are copied
 * @returns why it cannot be used: `damaged` (records without bytes, a v9 scope that is no multiple of a field, more scopes than fields)
 *   or `refused` (too many fields)
 */
export function makeTemplate(bytes: Buffer, rules: TemplateRules): Template | 'damaged' | 'refused' {
  const { version, options } = rules;
  const fields: Field[] = [];
  let at = options ? 6 : 4;
  let scopes = options ? bytes.readUInt16BE(version === 9 ? 2 : 4) : 0;
  if (version === 9) {
    if (scopes % 4 !== 0) return 'damaged';
    scopes /= 4;
  }
  while (at + 4 <= bytes.length) {
    if (fields.length === MOST_FIELDS) return 'refused';
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    at += 4;
    if (version === 9) fields.push({ key: fields.length < scopes ? elementKey(V9_SCOPE, type) : v9Key(type), length });
    else if (type < 0x8000) fields.push({ key: type, length });
    else {
      fields.push({ key: elementKey(bytes.readUInt32BE(at), type - 0x8000), length });
      at += 4;
    }
  }
  if (scopes > fields.length || (version === 9 && fields.some((field) => field.length === 0xffff))) return 'damaged';
  const reader = compile(fields, options);
  if (reader === undefined) return 'damaged';
  return { id: bytes.readUInt16BE(0), options, bytes: Buffer.from(bytes), fields: fields.length, reader };
}

/** Whether it is told again without a change. */
export const sameTemplate = (template: Template | undefined, options: boolean, bytes: Buffer, at: number, end: number): boolean =>
  template !== undefined &&
  template.options === options &&
  end - at === template.bytes.length &&
  bytes.compare(template.bytes, 0, template.bytes.length, at, end) === 0;
