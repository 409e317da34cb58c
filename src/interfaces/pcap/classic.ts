/**
 * Reader of classic pcap files that parses records where they lie in the chunk: nothing is copied.
 *
 *   file header, 24 bytes: u32 magic (a1b2c3d4 µs, a1b23c4d ns; the byte order is the writer's) │ u16 major, u16 minor
 *                          │ i32 zone │ u32 accuracy │ u32 snap length │ u32 link type (low 16 bits: the type)
 *   record: u32 seconds │ u32 µs or ns │ u32 captured │ u32 on the wire │ captured bytes
 *
 * Source: draft-ietf-opsawg-pcap. libpcap stays the reader of everything else (pcapng, standard input, filters); this one exists
 * because libpcap's two copies per packet cost more than the whole flow table (docs/performance.md).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { PacketBatch } from '../../packet/batch.ts';
import * as batch from '../../packet/batch.ts';
import { type PacketSource, SOURCE_END, SOURCE_FAILED } from '../source.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { BATCH_PACKETS, CHUNK_BYTES, FRAME_WORDS } = batch;

const HEADER = 24;
const RECORD = 16;
const MAGIC_US = 0xa1b2c3d4;
const MAGIC_NS = 0xa1b23c4d;
/** libpcap's limit for a captured length, whatever the file's header says. */
const MAX_CAPTURED = 262_144;

export interface ClassicHeader {
  readonly linkType: number;
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  readonly snapLength: number;
}

/** The header of a classic pcap file of a version that is still in use (2.3 wrote the lengths the other way round), or undefined. */
export function classicHeader(bytes: Uint8Array): ClassicHeader | undefined {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER);
  const littleEndian = [MAGIC_US, MAGIC_NS].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, littleEndian);
  if (magic !== MAGIC_US && magic !== MAGIC_NS) return undefined;
  if (view.getUint16(4, littleEndian) !== 2 || view.getUint16(6, littleEndian) !== 4) return undefined;
  const linkType = view.getUint32(20, littleEndian);
  if (linkType > 0xffff) return undefined; // carries a frame check sequence length: libpcap knows what to do
  return { linkType, littleEndian, nanoseconds: magic === MAGIC_NS, snapLength: view.getUint32(16, littleEndian) };
}

/** @param path a regular file that `classicHeader` accepted */
export function openClassic(path: string, size: number, header: ClassicHeader): PacketSource {
  const fd = openSync(path, 'r');
  const { linkType, littleEndian } = header;
  const perMicrosecond = header.nanoseconds ? 1000 : 1;
  const limit = Math.max(header.snapLength, MAX_CAPTURED) > 0x7fffffff ? MAX_CAPTURED : Math.max(header.snapLength, MAX_CAPTURED);
  let position = HEADER; // of the next byte to read from the file
  let at = 0; // of the next record in the chunk
  let have = 0; // bytes in the chunk
  let failure = '';

  /** Moves what is left to the front and reads on. @returns false at the end of the file */
  const more = (bytes: Uint8Array): boolean => {
    bytes.copyWithin(0, at, have);
    have -= at;
    at = 0;
    let read = 0;
    try {
      read = readSync(fd, bytes, have, Math.min(CHUNK_BYTES, bytes.length - have), position);
    } catch (error) {
      failure = (error as Error).message; // a file system that gives up: what was read before stays
      return false;
    }
    position += read;
    have += read;
    return read > 0;
  };

  const damage = (text: string): number => {
    failure = text;
    return SOURCE_FAILED;
  };

  return {
    live: false,
    size,
    read(batch: PacketBatch) {
      const { bytes, frames, times } = batch;
      batch.linkType = linkType;
      batch.count = 0;
      if (failure !== '') return SOURCE_FAILED;
      let count = 0;
      while (count < BATCH_PACKETS) {
        if (at + RECORD > have) {
          if (count > 0) break;
          if (more(bytes)) continue;
          if (failure !== '') return SOURCE_FAILED;
          if (at === have) return SOURCE_END;
          return damage(`truncated: the file ends in the header of a record, after ${have - at} of ${RECORD} bytes`);
        }
        let seconds = 0;
        let fraction = 0;
        let captured = 0;
        let wire = 0;
        if (littleEndian) {
          seconds =
            ((bytes[at] as number) |
              ((bytes[at + 1] as number) << 8) |
              ((bytes[at + 2] as number) << 16) |
              ((bytes[at + 3] as number) << 24)) >>>
            0;
          fraction =
            ((bytes[at + 4] as number) |
              ((bytes[at + 5] as number) << 8) |
              ((bytes[at + 6] as number) << 16) |
              ((bytes[at + 7] as number) << 24)) >>>
            0;
          captured =
            ((bytes[at + 8] as number) |
              ((bytes[at + 9] as number) << 8) |
              ((bytes[at + 10] as number) << 16) |
              ((bytes[at + 11] as number) << 24)) >>>
            0;
          wire =
            (bytes[at + 12] as number) |
            ((bytes[at + 13] as number) << 8) |
            ((bytes[at + 14] as number) << 16) |
            ((bytes[at + 15] as number) << 24);
        } else {
          seconds =
            ((bytes[at + 3] as number) |
              ((bytes[at + 2] as number) << 8) |
              ((bytes[at + 1] as number) << 16) |
              ((bytes[at] as number) << 24)) >>>
            0;
          fraction =
            ((bytes[at + 7] as number) |
              ((bytes[at + 6] as number) << 8) |
              ((bytes[at + 5] as number) << 16) |
              ((bytes[at + 4] as number) << 24)) >>>
            0;
          captured =
            ((bytes[at + 11] as number) |
              ((bytes[at + 10] as number) << 8) |
              ((bytes[at + 9] as number) << 16) |
              ((bytes[at + 8] as number) << 24)) >>>
            0;
          wire =
            (bytes[at + 15] as number) |
            ((bytes[at + 14] as number) << 8) |
            ((bytes[at + 13] as number) << 16) |
            ((bytes[at + 12] as number) << 24);
        }
        if (captured > limit) {
          if (count > 0) break; // what came before is delivered first
          return damage(`a record says that ${captured} bytes were captured, more than ${limit}`);
        }
        if (at + RECORD + captured > have) {
          if (count > 0) break;
          if (captured + RECORD > bytes.length) return damage(`a record of ${captured} bytes is larger than the reader's buffer`);
          if (more(bytes)) continue;
          if (failure !== '') return SOURCE_FAILED;
          return damage(`truncated: the file ends after ${have - at - RECORD} of a packet's ${captured} captured bytes`);
        }
        frames[count * FRAME_WORDS] = at + RECORD;
        frames[count * FRAME_WORDS + 1] = captured;
        frames[count * FRAME_WORDS + 2] = wire < 0 ? 0x7fffffff : wire; // 2 GiB or more: nonsense, limited as the addon does
        times[count] = seconds * 1e6 + (perMicrosecond === 1 ? fraction : Math.floor(fraction / perMicrosecond));
        at += RECORD + captured;
        count++;
      }
      batch.count = count;
      return count;
    },
    quietUntil: () => 0,
    error: () => failure,
    drops: () => [0, 0],
    position: () => position - (have - at),
    close() {
      closeSync(fd);
      return '';
    },
  };
}
