/**
 * NetFlow v9 (RFC 3954). Its header, 20 bytes, big-endian; sets follow (sets.ts):
 *
 *   version 2 │ records 2 │ uptime, ms 4 │ seconds 4 │ messages sent before 4 │ source id 4
 *
 * The number of records is not used: exporters count differently, and the sets have their lengths.
 */
import type { Draft } from './draft.ts';

export const V9_HEADER = 20;

export const v9Sequence = (bytes: Buffer): number => bytes.readUInt32BE(12);
export const v9Domain = (bytes: Buffer): number => bytes.readUInt32BE(16);

/** Reads the message's times into the draft. */
export function v9Times(bytes: Buffer, draft: Draft): void {
  draft.uptime = bytes.readUInt32BE(4);
  draft.sent = bytes.readUInt32BE(8) * 1e6;
}
