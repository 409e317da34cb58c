/** Addresses in texts of records, read from bytes into words without making strings. Called by the fields. */

const DOT = 0x2e;
const COLON = 0x3a;

/** Value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Dotted quad. @returns the address as a number, or -1 */
export function readIpv4(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 7 || end - start > 15) return -1;
  let address = 0;
  let part = 0;
  let digits = 0;
  let parts = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === DOT) {
      if (digits === 0) return -1;
      address = address * 256 + part;
      part = 0;
      digits = 0;
      parts++;
    } else {
      const digit = byte - 0x30;
      if (digit < 0 || digit > 9) return -1;
      part = part * 10 + digit;
      if (++digits > 3 || part > 255) return -1;
    }
  }
  return parts === 4 && digits > 0 ? address * 256 + part : -1;
}

const groups = new Uint16Array(8);

/** Text of RFC 4291, a dotted end and a zone (`%eth0`, left out) included. @returns false: it is none, `words` is as it was */
export function readIpv6(bytes: Uint8Array, start: number, end: number, words: Uint32Array): boolean {
  let count = 0;
  let gap = -1;
  let at = start;
  if (end - start < 2) return false;
  if (bytes[at] === COLON) {
    if (bytes[at + 1] !== COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < end && bytes[at] !== 0x25) {
    let group = 0;
    let digits = 0;
    const groupStart = at;
    for (; at < end; at++) {
      const digit = hexDigit(bytes[at]);
      if (digit < 0) break;
      group = group * 16 + digit;
      if (++digits > 4) return false;
    }
    if (at < end && bytes[at] === DOT) {
      let dottedEnd = at;
      while (dottedEnd < end && bytes[dottedEnd] !== 0x25) dottedEnd++;
      const dotted = readIpv4(bytes, groupStart, dottedEnd);
      if (dotted < 0 || count > 6) return false;
      groups[count++] = dotted >>> 16;
      groups[count++] = dotted & 0xffff;
      at = dottedEnd;
      break;
    }
    if (digits === 0 || count > 7) return false;
    groups[count++] = group;
    if (at < end && bytes[at] === COLON) {
      at++;
      if (at < end && bytes[at] === COLON) {
        if (gap >= 0) return false;
        gap = count;
        at++;
      } else if (at === end || bytes[at] === 0x25) return false;
    } else if (at < end && bytes[at] !== 0x25) return false;
  }
  if (gap < 0 ? count !== 8 : count > 7) return false;
  if (gap >= 0) {
    const behind = count - gap;
    for (let i = 0; i < behind; i++) groups[7 - i] = groups[count - 1 - i];
    for (let i = gap; i < 8 - behind; i++) groups[i] = 0;
  }
  for (let i = 0; i < 4; i++) words[i] = groups[2 * i] * 65536 + groups[2 * i + 1];
  return true;
}

/** `xx:xx:xx:xx:xx:xx`, also with dashes. @returns 48 bits, or -1 */
export function readMac(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 17) return -1;
  let mac = 0;
  for (let at = start; at < end; at += 3) {
    const high = hexDigit(bytes[at]);
    const low = hexDigit(bytes[at + 1]);
    if (high < 0 || low < 0 || (at + 2 < end && bytes[at + 2] !== COLON && bytes[at + 2] !== 0x2d)) return -1;
    mac = mac * 256 + high * 16 + low;
  }
  return mac;
}
