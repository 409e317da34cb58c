/**
 * The question of a DNS query as it lies in a packet (RFC 1035, 4.1): nDPI keeps 79 bytes of a name, and statuses ask for all.
 */

export const DNS_INVALID = 1;
export const DNS_DATA = 2;

const HEADER_BYTES = 12;
const LONGEST_NAME = 96;
/** Characters of the labels left of the last two, without dots, that 32 bytes take in base 32. A reverse name of IPv6 has 32. */
const DATA_CHARACTERS = 52;

/**
 * @param at offset of the DNS header @param end behind the captured payload
 * @returns DNS_INVALID when the name is longer than 96 bytes or has bytes that cannot be printed; DNS_DATA when it could carry data
 */
export function examineQuery(bytes: Uint8Array, at: number, end: number): number {
  const isQuery = at + HEADER_BYTES < end && ((bytes[at + 2] as number) & 0x80) === 0 && (bytes[at + 5] as number) > 0;
  if (!isQuery) return 0;
  let length = 0;
  let characters = 0;
  let last = 0; // of the last two labels
  let before = 0;
  let found = 0;
  for (let i = at + HEADER_BYTES; i < end; ) {
    const label = bytes[i] as number;
    if (label === 0 || label > 63) break; // the root, or a pointer
    for (let k = i + 1; k <= i + label && k < end; k++) {
      const byte = bytes[k] as number;
      if (byte < 0x20 || byte > 0x7e) found |= DNS_INVALID;
    }
    length += label + 1;
    characters += label;
    before = last;
    last = label;
    i += label + 1;
  }
  if (length - 1 > LONGEST_NAME) found |= DNS_INVALID;
  if (characters - last - before >= DATA_CHARACTERS) found |= DNS_DATA;
  return found;
}
