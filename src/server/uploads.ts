/**
 * Captures that are given to a running flowpatrol: each becomes an interface of its own, with its packet time and all callbacks. One is
 * read at a time; the others wait in the order they came.
 *
 *   body ──► file in the folder of uploads ──► queue ──► interface ──► read to its end: the file goes, what was found stays
 *
 *   receiving ──► waiting ──► reading ──► done | failed           any of them ──DELETE──► gone
 */
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem } from '../api/problems.ts';
import { makeFolder } from '../folders.ts';
import type { AddedInterface, Snapshot } from '../patrol-types.ts';

export const UPLOAD_STATES = ['receiving', 'waiting', 'reading', 'done', 'failed'] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

export interface Upload {
  readonly id: string;
  /** Of the file, as it was given. */
  readonly name: string;
  /** Name of its interface. */
  readonly interface: string;
  readonly state: UploadState;
  /** Why it failed. */
  readonly error?: string;
  /** Bytes of the file, and those that are read. */
  readonly size: number;
  readonly position: number;
  readonly by: string;
  /** ms since 1970. */
  readonly created: number;
  /** Packet time of the first and the last packet, µs since 1970. */
  readonly from?: number;
  readonly to?: number;
}

export interface Uploads {
  /** Largest file, bytes. */
  readonly most: number;
  /** @throws Problem `too-busy`, and what `body` throws */
  add(name: string, by: string, body: AsyncIterable<Uint8Array>): Promise<Upload>;
  list(): Upload[];
  get(id: string): Upload | undefined;
  /** Ends it if it is read, and takes it away with its interface. */
  remove(id: string): boolean;
  close(): void;
}

export interface UploadsOptions {
  /** Of the data; without one the files are among those of the system that are temporary. */
  readonly directory?: string | undefined;
  readonly most: number;
  readonly start: (name: string, file: string) => AddedInterface;
  readonly snapshot: () => Snapshot;
  readonly now: () => number;
}

/** Those that wait, and those that are shown. */
const MOST_WAITING = 20;
const MOST_SHOWN = 100;
const LONGEST_NAME = 100;

interface Held {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly file: string;
  readonly by: string;
  readonly created: number;
  state: UploadState;
  error?: string;
  size: number;
  running?: AddedInterface;
}

/** Printable, and no path. */
const plain = (name: string): string =>
  (name.split(/[/\\]/).at(-1) ?? '')
    .replace(/[^\p{L}\p{N} ._()+-]/gu, '_')
    .slice(-LONGEST_NAME)
    .trim() || 'capture';

export function createUploads({ directory, most, start, snapshot, now }: UploadsOptions): Uploads {
  const folder = directory === undefined ? mkdtempSync(join(tmpdir(), 'flowpatrol-uploads-')) : join(directory, 'uploads');
  // what a run that was killed has left
  if (directory !== undefined) rmSync(folder, { recursive: true, force: true });
  makeFolder(folder, 0o700);
  const held: Held[] = [];
  let reading: Held | undefined;
  let closed = false;

  /** A name that no interface has. */
  function labelOf(name: string): string {
    const taken = new Set([...snapshot().interfaces.map((of) => of.name), ...held.map(({ label }) => label)]);
    for (let i = 1; ; i++) {
      const label = i === 1 ? name : `${name} (${i})`;
      if (!taken.has(label)) return label;
    }
  }

  function next(): void {
    if (reading !== undefined || closed) return;
    const upload = held.find(({ state }) => state === 'waiting');
    if (upload === undefined) return;
    reading = upload;
    upload.state = 'reading';
    const running = start(upload.label, upload.file);
    upload.running = running;
    void running.ended.then(() => {
      const of = snapshot().interfaces.find(({ id }) => id === running.id);
      upload.state = of?.state === 'failed' ? 'failed' : 'done';
      // the path is ours, and says nothing to whoever gave the file
      if (of?.error !== undefined) upload.error = of.error.replaceAll(upload.file, upload.name);
      void rm(upload.file, { force: true });
      reading = undefined;
      next();
    });
  }

  function shown({ id, name, label, state, error, size, by, created, running }: Held): Upload {
    const of = running === undefined ? undefined : snapshot().interfaces.find((each) => each.id === running.id);
    return {
      id,
      name,
      interface: label,
      state,
      ...(error === undefined ? {} : { error }),
      size,
      position: state === 'done' ? size : Math.max(0, of?.position ?? 0),
      by,
      created,
      ...(of?.began === undefined || of.began === 0 ? {} : { from: of.began, to: of.clock }),
    };
  }

  function remove(id: string): boolean {
    const at = held.findIndex((upload) => upload.id === id);
    const [upload] = at < 0 ? [] : held.splice(at, 1);
    if (upload === undefined) return false;
    upload.running?.remove();
    void rm(upload.file, { force: true });
    return true;
  }

  return {
    most,
    async add(given, by, body) {
      if (held.filter(({ state }) => state === 'waiting' || state === 'receiving').length >= MOST_WAITING) {
        throw new Problem('too-busy', `${MOST_WAITING} captures wait already.`, { retryAfter: 60 });
      }
      const name = plain(given);
      const id = randomBytes(8).toString('hex');
      const upload: Held = {
        id,
        name,
        label: labelOf(name),
        file: join(folder, `${id}.pcap`),
        by,
        created: now(),
        state: 'receiving',
        size: 0,
      };
      held.push(upload);
      try {
        await pipeline(Readable.from(body), createWriteStream(upload.file, { mode: 0o600 }));
        upload.size = (await stat(upload.file)).size;
      } catch (error) {
        remove(id);
        throw error;
      }
      upload.state = 'waiting';
      next();
      const old = held.filter(({ state }) => state === 'done' || state === 'failed');
      for (const { id: over } of old.slice(0, Math.max(0, held.length - MOST_SHOWN))) remove(over);
      return shown(upload);
    },
    list: () => held.map(shown),
    get(id) {
      const upload = held.find((each) => each.id === id);
      return upload === undefined ? undefined : shown(upload);
    },
    remove,
    close() {
      closed = true;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
