/**
 * IPFIX (RFC 7011). Its header, 16 bytes, big-endian; sets follow (sets.ts):
 *
 *   version 2 │ length of the message 2 │ seconds 4 │ data records sent before 4 │ observation domain 4
 */
import { UNKNOWN } from '../flow-record.ts';
import type { Draft } from './draft.ts';

export const IPFIX_HEADER = 16;

export const ipfixLength = (bytes: Buffer): number => bytes.readUInt16BE(2);
export const ipfixSequence = (bytes: Buffer): number => bytes.readUInt32BE(8);
export const ipfixDomain = (bytes: Buffer): number => bytes.readUInt32BE(12);

/** Reads the message's time into the draft; exporters do not say here for how long they have been up. */
export function ipfixTimes(bytes: Buffer, draft: Draft): void {
  draft.sent = bytes.readUInt32BE(4) * 1e6;
  draft.uptime = UNKNOWN;
}
