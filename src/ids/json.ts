/**
 * The JSON object that a flow shows of an alert: foreign values in, compact ASCII of bounded size out. Called by eve.ts.
 *
 * ASCII, because the text goes through places that count bytes and others that count characters. What does not fit is cut
 * inside a string, between two characters and with `...` at the end, or left out as a whole member: the result is always JSON.
 */
import { MAX_ALERT_JSON } from './alert.ts';

const ascii = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A JSON string of at most `most` bytes. */
export function shortString(text: string, most: number): string {
  const whole = text.length <= most ? ascii(text) : '';
  if (whole !== '' && whole.length <= most) return whole;
  let cut = '"';
  for (const character of text) {
    const piece = ascii(character).slice(1, -1);
    if (cut.length + piece.length + 4 > most) break;
    cut += piece;
  }
  return `${cut}..."`;
}

/** JSON of a string of at most `most` bytes, a finite number, a boolean, or a list of such; undefined for anything else. */
function valueText(value: unknown, most: number): string | undefined {
  if (typeof value === 'string') return shortString(value, most);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return undefined;
  const items: string[] = [];
  let length = 1;
  for (const item of value) {
    const text = Array.isArray(item) ? undefined : valueText(item, most);
    if (text === undefined) return undefined;
    length += text.length + 1;
    if (length > most) return undefined;
    items.push(text);
  }
  return `[${items.join(',')}]`;
}

export interface ObjectWriter {
  /** Adds a member, unless its value is none of the above, or the object would be larger than allowed. @param most bytes of its value */
  add(key: string, value: unknown, most: number): void;
  /** Adds an object of such members, as many as fit; nothing if there are none. */
  addObject(key: string, members: Readonly<Record<string, unknown>>, most: number): void;
  /** The whole object. */
  text(): string;
}

/** @param limit bytes of the whole object */
export function createObjectWriter(limit = MAX_ALERT_JSON): ObjectWriter {
  let text = '{';

  const put = (key: string, value: string): void => {
    const member = `${text === '{' ? '' : ','}${ascii(key)}:${value}`;
    if (text.length + member.length < limit) text += member;
  };

  return {
    add(key, value, most) {
      const json = valueText(value, most);
      if (json !== undefined) put(key, json);
    },
    addObject(key, members, most) {
      const inner = createObjectWriter(limit - text.length - key.length - 8);
      for (const name in members) if (name.length <= most) inner.add(name, members[name], most);
      if (inner.text() !== '{}') put(key, inner.text());
    },
    text: () => `${text}}`,
  };
}
