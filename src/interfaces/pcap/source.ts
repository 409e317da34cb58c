/**
 * A capture file as a source: pcap and pcapng through libpcap, `.gz` through the system's gzip, `-` for standard input.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { native } from '../../native.ts';
import { BATCH_PACKETS, type PacketBatch } from '../../packet/batch.ts';
import { SOURCE_END, SOURCE_FAILED, type PacketSource } from '../source.ts';

const GZIP_MAGIC = 0x8b1f; // RFC 1952, 2.3.1, little-endian

const isGzip = (path: string): boolean => {
  const fd = openSync(path, 'r');
  try {
    const magic = new Uint8Array(2);
    return readSync(fd, magic, 0, 2, 0) === 2 && ((magic[0] as number) | ((magic[1] as number) << 8)) === GZIP_MAGIC;
  } finally {
    closeSync(fd);
  }
};

/** @throws when the file cannot be opened or is no capture */
export function openFile(path: string, filter: string): PacketSource {
  const stat = path === '-' ? undefined : statSync(path);
  const regular = stat?.isFile() === true;
  const gunzip = regular && isGzip(path) ? native.gunzipOpen(path) : undefined;
  let pcap: ReturnType<typeof native.pcapOpenFile>;
  try {
    pcap = native.pcapOpenFile(gunzip ? gunzip.fd : path, filter);
  } catch (error) {
    const message = gunzip ? native.gunzipClose(gunzip).message.trim() : '';
    throw message === '' ? error : new Error(`${message} (${(error as Error).message})`, { cause: error });
  }
  const linkType = native.pcapLinkType(pcap);
  let failure = '';

  return {
    live: false,
    size: regular ? (stat as NonNullable<typeof stat>).size : -1,
    read(batch: PacketBatch) {
      batch.linkType = linkType;
      batch.count = 0;
      const count = native.pcapRead(pcap, batch.bytes, batch.frames, batch.times, BATCH_PACKETS);
      if (count === SOURCE_FAILED) failure = native.pcapError(pcap);
      if (count > 0) batch.count = count;
      return count === SOURCE_FAILED || count === SOURCE_END ? count : Math.max(0, count);
    },
    quietUntil: () => 0,
    error: () => failure,
    drops: () => [0, 0],
    position: () => (gunzip ? native.gunzipPosition(gunzip.sourceFd) : native.pcapPosition(pcap)),
    close() {
      native.pcapClose(pcap);
      if (!gunzip) return '';
      const { status, message } = native.gunzipClose(gunzip);
      return status === 0 ? '' : `gzip: ${message.trim() || `exit status ${status}`}`;
    },
  };
}
