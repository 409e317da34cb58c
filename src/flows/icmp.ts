/**
 * What ICMP packets say of their flow: type and code of the last one, long echoes (status 24), and the packet that a
 * "port unreachable" quotes (RFC 792). Called by the table for each ICMP packet and fragment.
 */
import { S_ICMP, S_L3, S_L3_LENGTH, SCRATCH_WORDS, type Scratch } from '../packet/batch.ts';
import type { DetailArena } from './details.ts';
import { FACT_LONG_ECHO, I_EXTRA, R_DETAIL, R_FACTS, R_IAT, RECORD_BYTES } from './record.ts';
import { RECORD_WORDS, type Records } from './table.ts';

const ECHO = new Set([0, 8]);
const ECHO_V6 = new Set([128, 129]);
/** Longest usual echo with its header, bytes (statuses.md, 24). */
const LONGEST_ECHO = 128;
const LONGEST_ECHO_V6 = 256;
const PORT_UNREACHABLE = 0x0303;
const UDP = 17;
const ICMP_V6 = 58;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const IPV4_HEADER = 20;

const number16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number);

/** A fragment other than the first: what stands where the ICMP header would be is data. */
const LATER_FRAGMENT = -1;

/** Length of an ICMP message in an IPv4 packet, or in its first fragment. */
function messageBytes4(chunk: Uint8Array, l3: number, header: number): number {
  if ((number16(chunk, l3 + 6) & 0x1fff) !== 0) return LATER_FRAGMENT;
  return number16(chunk, l3 + 2) - header;
}

/** The same in an IPv6 packet, behind the extension headers that the decoder has walked (RFC 8200, 4). */
function messageBytes6(chunk: Uint8Array, l3: number): number {
  let next = chunk[l3 + 6] as number;
  let length = 0;
  while (next !== ICMP_V6 && length < LONGEST_ECHO_V6) {
    const at = l3 + 40 + length;
    if (next === FRAGMENT && (number16(chunk, at + 2) & 0xfff8) !== 0) return LATER_FRAGMENT;
    length += next === AUTHENTICATION ? ((chunk[at + 1] as number) + 2) * 4 : ((chunk[at + 1] as number) + 1) * 8;
    next = chunk[at] as number;
  }
  return number16(chunk, l3 + 4) - length;
}

export type IcmpHook = (id: number, scratch: Scratch, chunk: Uint8Array, index: number) => void;

/** @param unreachDetail id of the detail `icmp.unreach` */
export function createIcmp({ u8, u32, i32 }: Records, details: DetailArena, unreachDetail: number): IcmpHook {
  const quoted = new Uint8Array(13);
  return (id, { words }, chunk, index) => {
    const w = index * SCRATCH_WORDS;
    const r = id * RECORD_WORDS;
    const l3 = words[w + S_L3] as number;
    const isV4 = (chunk[l3] as number) >> 4 === 4;
    const header = isV4 ? ((chunk[l3] as number) & 15) * 4 : 40;
    const length = isV4 ? messageBytes4(chunk, l3, header) : messageBytes6(chunk, l3);
    if (length === LATER_FRAGMENT) return;
    const icmp = words[w + S_ICMP] as number;
    const type = icmp >> 8;
    u8[id * RECORD_BYTES + R_IAT + I_EXTRA + 2] = type;
    u8[id * RECORD_BYTES + R_IAT + I_EXTRA + 3] = icmp;
    if (isV4 ? ECHO.has(type) && length > LONGEST_ECHO : ECHO_V6.has(type) && length > LONGEST_ECHO_V6) {
      u32[r + (R_FACTS >> 2)] = (u32[r + (R_FACTS >> 2)] as number) | FACT_LONG_ECHO;
    }
    if (icmp !== PORT_UNREACHABLE || !isV4) return;
    const at = l3 + header + 8;
    const inner = ((chunk[at] as number) & 15) * 4;
    const end = l3 + (words[w + S_L3_LENGTH] as number);
    const isFirst = (number16(chunk, at + 6) & 0x1fff) === 0;
    if (!isFirst || inner < IPV4_HEADER || at + inner + 4 > end || chunk[at + 9] !== UDP) return;
    for (let i = 0; i < 8; i++) quoted[i] = chunk[at + 12 + i] as number;
    for (let i = 0; i < 4; i++) quoted[8 + i] = chunk[at + inner + i] as number;
    quoted[12] = UDP;
    i32[r + (R_DETAIL >> 2)] = details.withEntry(i32[r + (R_DETAIL >> 2)] as number, unreachDetail, quoted);
  };
}
