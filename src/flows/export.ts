/**
 * JSON lines of flows and events: an EventView in, one line of text (without its end) out. Called by the script host.
 *
 * Values in Latin-1 form become proper text: valid UTF-8 is read as UTF-8, everything else as Latin-1.
 */
import { isUtf8 } from 'node:buffer';
import type { Callback } from './event.ts';
import { FIELDS, type FieldValue } from './fields.ts';
import type { EventView } from './view.ts';

/** Proper text of a string in Latin-1 form. */
export function properText(latin1: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII with its control characters
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

/** A JSON string of a string in Latin-1 form. */
const quoted = (latin1: string): string => (/^[ !#-[\]-~]*$/.test(latin1) ? `"${latin1}"` : JSON.stringify(properText(latin1)));

/** JSON of a field's value; numbers as short as they read back the same. */
function json(value: FieldValue): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  let text = '{';
  for (const key in value) text += `${text === '{' ? '' : ','}${quoted(key)}:${json(value[key] as FieldValue)}`;
  return `${text}}`;
}

const LABELS = FIELDS.map((field) => `${quoted(field.key)}:`);

/** The members of `info` that the flow has, in the order of their declaration. */
function members(view: EventView): string {
  let text = '';
  for (let i = 0; i < FIELDS.length; i++) {
    const value = (FIELDS[i] as (typeof FIELDS)[number]).read(view);
    if (value === undefined) continue;
    text += (text === '' ? '' : ',') + (LABELS[i] as string) + json(value);
  }
  return text;
}

/** Seconds since 1970 with six decimals, exact: the microseconds are not divided. */
function secondsOf(us: number): string {
  if (!Number.isSafeInteger(us) || us < 0) return '0';
  return `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
}

const interfaceOf = (view: EventView): string => JSON.stringify(view.names.interfaceName);

/** One flow as a JSON object: the keys of `info`. */
export const flowLine = (view: EventView): string => `{${members(view)}}`;

/** One callback of a flow: what happened and when, then the keys of `info`. */
export const eventLine = (view: EventView, callback: Callback): string =>
  `{"callback":"${callback}","visit":${view.visit()},"time":${secondsOf(view.time())},"interface":${interfaceOf(view)},"status_before":${view.statusBefore()},${members(view)}}`;
