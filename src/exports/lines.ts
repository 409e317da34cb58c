/**
 * Whole lines to a file or to standard output (`-`), in large writes. Several threads may write to one file or pipe: each write
 * carries whole lines only, and a lock that they share keeps the parts of a write together, which a pipe alone does not.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

const CHUNK = 64 << 10;

export interface LineWriter {
  write(line: string): void;
  flush(): void;
  close(): void;
  readonly lines: number;
  /** Lines that wait for the next write. */
  readonly unwritten: number;
}

/** The lock of all exports of a run: the holder's number, 0 = free. Made once, given to every thread that writes. */
export const createOutputLock = (): SharedArrayBuffer => new SharedArrayBuffer(4);

/** Number under which a script host of an interface holds the lock: never 0. @param place 0 for the host of all scripts */
export const lockHolder = (interfaceId: number, place: number): number => (place << 16) + interfaceId + 1;

function acquire(lock: Int32Array, holder: number): void {
  for (;;) {
    const other = Atomics.compareExchange(lock, 0, 0, holder);
    if (other === 0) return;
    Atomics.wait(lock, 0, other);
  }
}

/** Gives the lock back if `holder` has it: its own thread, or whoever has ended that thread. */
export function releaseOutputLock(shared: SharedArrayBuffer, holder: number): void {
  const lock = new Int32Array(shared);
  if (Atomics.compareExchange(lock, 0, holder, 0) === holder) Atomics.notify(lock, 0);
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Writes everything; a full pipe is waited for. */
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, 5);
    }
  }
}

/**
 * @param shared the lock of the run's exports
 * @param holder see {@link lockHolder}
 * @param onGone the reader of a pipe has gone (EPIPE): called once, everything after it is left out
 * @throws when the file cannot be opened; `write` and `flush` throw when it cannot be written (ENOSPC …)
 */
export function openLines(path: string, shared: SharedArrayBuffer, holder: number, onGone: () => void): LineWriter {
  const fd = path === '-' ? 1 : openSync(path, 'a');
  const lock = new Int32Array(shared);
  let waiting = '';
  let lines = 0;
  let written = 0;
  let gone = false;
  const flush = (): void => {
    if (waiting === '' || gone) return;
    const text = waiting;
    waiting = '';
    written = lines;
    acquire(lock, holder);
    try {
      writeAll(fd, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
      gone = true;
      onGone();
    } finally {
      releaseOutputLock(shared, holder);
    }
  };
  return {
    get lines() {
      return lines;
    },
    get unwritten() {
      return lines - written;
    },
    write(line) {
      if (gone) return;
      waiting += `${line}\n`;
      lines++;
      if (waiting.length >= CHUNK) flush();
    },
    flush,
    close() {
      flush();
      if (fd !== 1) closeSync(fd);
    },
  };
}
