/**
 * Strings of bytes, in Latin-1 form: what came before is not made again. Probes repeat themselves (exporters, methods, server names), and
 * a string costs more than looking it up. Direct-mapped: a new text takes the place of the one with the same slot.
 */

const SLOTS = 4096;
const MOST_INTERNED = 48;
const known: string[] = new Array<string>(SLOTS).fill('');

export function internText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length <= 0) return '';
  if (length > MOST_INTERNED) return bytes.toString('latin1', start, end);
  let hash = length;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const text = known[slot];
  if (text.length === length) {
    let same = 0;
    while (same < length && text.charCodeAt(same) === bytes[start + same]) same++;
    if (same === length) return text;
  }
  return (known[slot] = bytes.toString('latin1', start, end));
}

/** A proper string in Latin-1 form: one character for each byte of its UTF-8. */
export const latin1Form = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
