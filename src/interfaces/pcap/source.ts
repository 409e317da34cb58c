/**
 * A capture file as a source: classic pcap files by our own reader, pcapng and filters through libpcap, `.gz` through the system's gzip, `-` for standard input.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { native } from '../../native.ts';
import { BATCH_PACKETS, type PacketBatch, readable } from '../../packet/batch.ts';
import { type PacketSource, SOURCE_END, SOURCE_FAILED } from '../source.ts';
import { classicHeader, openClassic } from './classic.ts';

/** The file's first bytes, enough to tell what it is. */
const firstBytes = (path: string): Uint8Array => {
  const fd = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(24);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
};

/** RFC 1952, 2.3.1. */
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** What libpcap's words leave open: what the file should have been. */
const noCapture = (path: string, words: string): string =>
  /\.(lua|ts)$/.test(path)
    ? 'that is a script, no capture (--scripts-dir FOLDER runs the scripts of a folder)'
    : `it is no capture in the format pcap or pcapng (${words.slice(words.startsWith(`${path}: `) ? path.length + 2 : 0)})`;

/** @throws when the file cannot be opened or is no capture */
export function openFile(path: string, filter: string): PacketSource {
  const stat = path === '-' ? undefined : statSync(path);
  const regular = stat?.isFile() === true;
  const first = regular ? firstBytes(path) : new Uint8Array(0);
  const classic = filter === '' ? classicHeader(first) : undefined;
  if (classic !== undefined) return openClassic(path, (stat as NonNullable<typeof stat>).size, classic);
  const gunzip = isGzip(first) ? native.gunzipOpen(path) : undefined;
  let pcap: ReturnType<typeof native.pcapOpenFile>;
  try {
    pcap = native.pcapOpenFile(gunzip ? gunzip.fd : path, filter);
  } catch (error) {
    const message = gunzip ? native.gunzipClose(gunzip).message.trim() : '';
    const { message: words, code } = error as NodeJS.ErrnoException;
    if (path === '-' && code === 'EPCAP') throw Object.assign(new Error(`${words} (compressed? zcat FILE | flowpatrol -i -)`), { code });
    if (message === '' && code === 'EPCAP' && /unknown file format|truncated dump file/.test(words))
      throw Object.assign(new Error(noCapture(path, words)), { code });
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
      const count = native.pcapRead(pcap, readable(batch), batch.frames, batch.times, BATCH_PACKETS);
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
