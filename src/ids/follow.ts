/**
 * Follows a text file that another program writes, as `tail -F` does: lines out, in order, through rotation and truncation.
 * Runs in the main thread; called by sources.ts.
 *
 *   name ──open──► file ──read to its end──► lines
 *    │               ▲ shorter than what was read: truncated, again from its beginning
 *    └─ another file, not empty: rotated; the old one is read to its end, then the new one from its beginning
 *
 * A new file that is still empty is left alone: until the writer is told to reopen, it goes on with the old one. A file that
 * is not there (yet) is waited for. A look costs two or three system calls; there is one a second, and one 100 ms after the
 * system tells of a change. Memory: one buffer of two lines.
 */
import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** Runs something once, later. @returns cancels it */
export type After = (ms: number, run: () => void) => () => void;

/** Does not keep the process alive. */
const afterTimeout: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

export interface FollowOptions {
  readonly path: string;
  /** Where to begin in a file that is there at the first look; a later one is always read from its beginning. */
  readonly from: 'start' | 'end';
  /** The file is finished: its last line needs no end. */
  readonly finished?: boolean;
  /** Longest line, bytes; longer ones are skipped. */
  readonly maxLine: number;
  /** A line without its end, UTF-8 decoded; never an empty one. */
  onLine(line: string): void;
  onTooLong(): void;
  readonly log: { info(text: string): void; warn(text: string): void };
  readonly after?: After;
}

export interface Follower {
  /** Looks now. Resolves when everything that was in the file at the time of the call has been handed out; never rejects. */
  poll(): Promise<void>;
  /** Hands out nothing more and closes the file. */
  close(): Promise<void>;
  /** How often the name became another file. */
  rotations(): number;
  /** How often the file got shorter. */
  truncations(): number;
}

const LOOK_MS = 1000;
const CHANGED_MS = 100;
const NEWLINE = 10;

/** Inert until the first `poll`, which also starts the timer. */
export function createFollower({
  path,
  from,
  finished = false,
  maxLine,
  onLine,
  onTooLong,
  log,
  after = afterTimeout,
}: FollowOptions): Follower {
  const buffer = Buffer.allocUnsafe(2 * maxLine + 2);
  let kept = 0; // bytes of an unfinished line at the beginning of the buffer
  let discarding = false; // up to the next line end
  let file: FileHandle | undefined;
  let position = 0;
  let begin = from === 'end' ? Number.POSITIVE_INFINITY : 0; // where the next file that is opened is read from
  let complaint = '';
  let rotations = 0;
  let truncations = 0;
  let closed = false;
  let watcher: FSWatcher | undefined;
  let hurried = false;
  let cancel = (): void => {};
  let running: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  /** A state that lasts is said once. */
  const complain = (text: string): void => {
    if (text !== complaint) log.warn(`${path} ${text}`);
    complaint = text;
  };

  const handOut = (start: number, end: number): void => {
    if (end - start > maxLine) {
      onTooLong();
      return;
    }
    const line = buffer.toString('utf8', start, end).trim();
    if (line !== '') onLine(line);
  };

  /** Lines of the first `end` bytes of the buffer; what follows the last line end moves to the front. */
  function split(end: number): void {
    const bytes = buffer.subarray(0, end);
    let start = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, start)) {
      if (!discarding) handOut(start, at);
      discarding = false;
      start = at + 1;
    }
    kept = discarding ? 0 : end - start;
    if (kept > maxLine) {
      onTooLong();
      discarding = true;
      kept = 0;
    }
    buffer.copyWithin(0, start, start + kept);
  }

  /** The unfinished line is all there will be. */
  function handOutRest(): void {
    const end = kept;
    kept = 0;
    discarding = false;
    handOut(0, end);
  }

  async function readToEnd(from: FileHandle): Promise<void> {
    while (!closed) {
      const { bytesRead } = await from.read(buffer, kept, buffer.length - kept, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      split(kept + bytesRead);
    }
  }

  /** @returns undefined when there is no file that could be followed; that was said */
  async function openFile(): Promise<FileHandle | undefined> {
    try {
      const { size, isFile } = await stat(path).then((found) => ({ size: found.size, isFile: found.isFile() }));
      if (!isFile) {
        complain('is not a regular file: it cannot be followed; give the path of the file that the alerts are written to');
        return undefined;
      }
      const opened = await open(path, 'r');
      // the byte before the end says whether a line begins there
      position = begin === Number.POSITIVE_INFINITY ? Math.max(0, size - 1) : begin <= size ? begin : 0;
      discarding = begin === Number.POSITIVE_INFINITY && position > 0;
      kept = 0;
      begin = 0;
      if (complaint !== '') log.info(`${path} is there now: following it`);
      complaint = '';
      return opened;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') {
        begin = 0;
        complain('is not there yet: waiting for it');
      } else {
        complain(`cannot be read, trying again: ${message}`);
      }
      return undefined;
    }
  }

  async function closeFile(): Promise<void> {
    const old = file;
    file = undefined;
    await old?.close().catch(() => {}); // it was only read: nothing is lost with it
  }

  /** Directories tell of names and of contents; where they cannot be watched the timer is enough. */
  function watchDirectory(): void {
    if (watcher !== undefined) return;
    try {
      const name = basename(path);
      watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
        if (changed !== name || hurried || closed) return;
        hurried = true;
        arm(CHANGED_MS);
      });
      watcher.on('error', () => {
        watcher?.close();
        watcher = undefined;
      });
    } catch {
      watcher = undefined;
    }
  }

  function arm(ms: number): void {
    cancel();
    if (closed) return;
    cancel = after(ms, () => {
      hurried = false;
      void poll();
    });
  }

  async function followNewFile(): Promise<void> {
    handOutRest();
    await closeFile();
    file = await openFile();
    if (file !== undefined) await readToEnd(file);
  }

  async function look(): Promise<void> {
    if (closed) return;
    watchDirectory();
    try {
      file ??= await openFile();
      if (file === undefined) return;
      await readToEnd(file);
      const own = await file.stat({ bigint: true });
      if (own.size < position) {
        truncations++;
        handOutRest();
        position = 0;
        await readToEnd(file);
      }
      const named = await stat(path, { bigint: true }).catch(() => undefined); // renamed, and no new one: the old one goes on
      if (named !== undefined && named.size > 0n && (named.ino !== own.ino || named.dev !== own.dev)) {
        await readToEnd(file);
        rotations++;
        await followNewFile();
      }
      if (finished && kept > 0 && buffer[kept - 1] === 0x7d) handOutRest();
    } catch (error) {
      complain(`cannot be read, trying again: ${(error as Error).message}`);
      begin = position - kept;
      await closeFile();
    }
  }

  function poll(): Promise<void> {
    queued ??= running.then(async () => {
      queued = undefined;
      await look();
      if (!hurried) arm(LOOK_MS);
    });
    running = queued;
    return queued;
  }

  return {
    poll,
    rotations: () => rotations,
    truncations: () => truncations,
    async close() {
      closed = true;
      cancel();
      watcher?.close();
      await running;
      await closeFile();
    },
  };
}
