/**
 * NetFlow v5. Big-endian, no templates, IPv4 only.
 *
 *   header, 24 bytes   version 2 │ count 2 │ uptime, ms 4 │ seconds 4 │ nanoseconds 4 │ flows sent before 4 │ engine type 1, id 1 │
 *                      sampling: mode, 2 bit, and interval, 14 bit
 *   record, 48 bytes   source 4 │ destination 4 │ next hop 4 │ input 2 │ output 2 │ packets 4 │ bytes 4 │ first, ms of uptime 4 │ last 4 │
 *                      source port 2 │ destination port 2 │ padding 1 │ TCP flags 1 │ protocol 1 │ TOS 1 │ source AS 2 │
 *                      destination AS 2 │ source mask 1 │ destination mask 1 │ padding 2
 *
 * The domain is the engine, type << 8 | id: each has a sequence of its own.
 */
import type { Domain, Exporters } from './exporters.ts';
import type { Records } from './records.ts';
import { ipv4Text } from './text.ts';
import type { ToldMemory } from './told.ts';

export const V5_HEADER = 24;
export const V5_RECORD = 48;

export const v5Length = (bytes: Buffer): number => V5_HEADER + bytes.readUInt16BE(2) * V5_RECORD;
export const v5Count = (bytes: Buffer): number => bytes.readUInt16BE(2);
export const v5Sequence = (bytes: Buffer): number => bytes.readUInt32BE(16);

/** Reads the header into the draft. @returns the domain */
export function v5Header(
  bytes: Buffer,
  address: string,
  port: number,
  exporters: Exporters,
  { draft }: Records,
  memory: ToldMemory,
): Domain {
  draft.uptime = bytes.readUInt32BE(4);
  draft.sent = bytes.readUInt32BE(8) * 1e6 + Math.floor(bytes.readUInt32BE(12) / 1000);
  const domain = exporters.find(address, port, 5, bytes.readUInt16BE(20));
  const interval = bytes.readUInt16BE(22) & 0x3fff;
  const rate = interval > 1 ? interval : 0;
  if (domain.told.rate !== rate) {
    domain.told = memory.writable(domain.told);
    domain.told.rate = rate;
  }
  return domain;
}

/** Reads the records; the length has been checked. */
export function v5Records(bytes: Buffer, domain: Domain, records: Records): void {
  const { draft } = records;
  const { record } = draft;
  const end = v5Length(bytes);
  for (let at = V5_HEADER; at < end; at += V5_RECORD) {
    draft.begin();
    draft.source4(bytes.readInt32BE(at));
    draft.destination4(bytes.readInt32BE(at + 4));
    record.inIndex = bytes.readUInt16BE(at + 12);
    record.outIndex = bytes.readUInt16BE(at + 14);
    record.inPackets = bytes.readUInt32BE(at + 16);
    record.inBytes = bytes.readUInt32BE(at + 20);
    draft.firstUptime = bytes.readUInt32BE(at + 24);
    draft.lastUptime = bytes.readUInt32BE(at + 28);
    record.srcPort = bytes.readUInt16BE(at + 32);
    record.dstPort = bytes.readUInt16BE(at + 34);
    record.srcTcpFlags = bytes[at + 37];
    record.protocol = bytes[at + 38];
    record.srcTos = bytes[at + 39];
    const nextHop = bytes.readInt32BE(at + 8);
    if (nextHop !== 0) draft.keep('IPV4_NEXT_HOP', ipv4Text(nextHop));
    record.srcAs = bytes.readUInt16BE(at + 40);
    record.dstAs = bytes.readUInt16BE(at + 42);
    draft.keep('IPV4_SRC_MASK', bytes[at + 44]);
    draft.keep('IPV4_DST_MASK', bytes[at + 45]);
    records.finish(domain);
  }
}
