/**
 * Copies of downloaded lists in the data directory, for starts without a network. A copy is one file, so it is either the old one
 * or the new one: a first line with what the server said, as a comment, and the list as it came.
 *
 *   # flowpatrol {"from":"https://…","etag":"…","lastModified":"…","time":1700000000000}
 *   203.0.113.7
 *   …
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../folders.ts';
import type { Version } from './download.ts';

export interface Copy extends Version {
  readonly from: string;
  /** When it was downloaded, ms. */
  readonly time: number;
  readonly bytes: Buffer;
}

const MARK = '# flowpatrol ';

/** @returns undefined where there is no copy, or one of something else */
export async function readCopy(path: string, from: string): Promise<Copy | undefined> {
  try {
    const file = await readFile(path);
    const end = file.indexOf('\n');
    const head: Partial<Copy> = JSON.parse(file.toString('utf8', MARK.length, end));
    if (head.from !== from || typeof head.time !== 'number') return undefined;
    return { from, etag: head.etag ?? '', lastModified: head.lastModified ?? '', time: head.time, bytes: file.subarray(end + 1) };
  } catch {
    return undefined; // there is none, or somebody has changed its first line: the download takes its place
  }
}

export async function writeCopy(path: string, { bytes, ...head }: Copy): Promise<void> {
  makeFolder(dirname(path), 0o750);
  await writeFile(`${path}.new`, [`${MARK}${JSON.stringify(head)}\n`, bytes]);
  await rename(`${path}.new`, path);
}
