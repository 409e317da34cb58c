/**
 * A capture as a source: classic pcap files by our own reader, pcapng and filters through libpcap, `.gz` through the system's gzip; what
 * comes through a pipe (`-`: standard input) as it comes, without waiting for more.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { native, type PcapHandle } from '../../native.ts';
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

/** Why libpcap does not open it, in words that say what to do. */
function explained(path: string, error: unknown): unknown {
  const { message: words, code } = error as NodeJS.ErrnoException;
  if (code !== 'EPCAP') return error;
  if (path === '-') return Object.assign(new Error(`${words} (compressed? zcat FILE | flowpatrol -i -)`), { code });
  return /unknown file format|truncated dump file/.test(words) ? Object.assign(new Error(noCapture(path, words)), { code }) : error;
}

/** What libpcap reads. */
function sourceOf(pcap: PcapHandle, path: string, size: number): PacketSource {
  let linkType = native.pcapLinkType(pcap);
  let failure = '';
  return {
    live: false,
    size,
    read(batch: PacketBatch) {
      batch.count = 0;
      let count: number;
      try {
        count = native.pcapRead(pcap, readable(batch), batch.frames, batch.times, BATCH_PACKETS);
      } catch (error) {
        throw explained(path, error); // a pipe is opened as a capture when its header has come
      }
      if (linkType < 0) linkType = native.pcapLinkType(pcap);
      batch.linkType = linkType;
      if (count === SOURCE_FAILED) failure = native.pcapError(pcap);
      if (count > 0) batch.count = count;
      return count === SOURCE_FAILED || count === SOURCE_END ? count : Math.max(0, count);
    },
    quietUntil: () => 0,
    error: () => failure,
    drops: () => [0, 0],
    position: () => native.pcapPosition(pcap),
    close() {
      native.pcapClose(pcap);
      return '';
    },
  };
}

function openGzip(path: string, filter: string, size: number): PacketSource {
  const gunzip = native.gunzipOpen(path);
  let file: PacketSource;
  try {
    file = sourceOf(native.pcapOpenFile(gunzip.fd, filter), path, size);
  } catch (error) {
    const message = native.gunzipClose(gunzip).message.trim();
    throw message === '' ? explained(path, error) : new Error(`${message} (${(error as Error).message})`, { cause: error });
  }
  return {
    ...file,
    position: () => native.gunzipPosition(gunzip.sourceFd),
    close() {
      file.close();
      const { status, message } = native.gunzipClose(gunzip);
      return status === 0 ? '' : `gzip: ${message.trim() || `exit status ${status}`}`;
    },
  };
}

/** @throws when the file cannot be opened or is no capture; of what comes through a pipe, the first reads do */
export function openFile(path: string, filter: string): PacketSource {
  const stat = path === '-' ? undefined : statSync(path);
  if (stat === undefined || !(stat.isFile() || stat.isDirectory())) return sourceOf(native.pcapOpenStream(path, filter), path, -1);
  const first = stat.isFile() ? firstBytes(path) : new Uint8Array(0);
  const classic = filter === '' ? classicHeader(first) : undefined;
  if (classic !== undefined) return openClassic(path, stat.size, classic);
  if (isGzip(first)) return openGzip(path, filter, stat.size);
  try {
    return sourceOf(native.pcapOpenFile(path, filter), path, stat.size);
  } catch (error) {
    throw explained(path, error);
  }
}
