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
function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, 5);
    }
  }
}

/** Lines that wait for the next write, in memory that outlives the thread that made them: their bytes behind their number and length. */
const HEAD_BYTES = 8;
const LENGTH = 0;
const LINES = 1;

export const createPendingBuffer = (): SharedArrayBuffer => new SharedArrayBuffer(HEAD_BYTES + CHUNK);

/**
 * Writes what a thread that is gone had no time to write. Whole lines only: a line is there when its length is.
 * @throws when the file cannot be written; {@link pendingLines} tells how many are lost then
 */
export function writePending(path: string, pending: SharedArrayBuffer, shared: SharedArrayBuffer, holder: number): void {
  const head = new Int32Array(pending, 0, 2);
  const length = Atomics.exchange(head, LENGTH, 0);
  if (length === 0) return;
  const lock = new Int32Array(shared);
  const fd = path === '-' ? 1 : openSync(path, 'a');
  acquire(lock, holder);
  try {
    writeAll(fd, Buffer.from(pending, HEAD_BYTES, length));
  } finally {
    releaseOutputLock(shared, holder);
    if (fd !== 1) closeSync(fd);
  }
}

export const pendingLines = (pending: SharedArrayBuffer): number => new Int32Array(pending)[LINES] as number;

/**
 * @param shared the lock of the run's exports
 * @param holder see {@link lockHolder}
 * @param onGone the reader of a pipe has gone (EPIPE): called once, everything after it is left out
 * @param pending where lines wait, {@link createPendingBuffer}
 * @throws when the file cannot be opened; `write` and `flush` throw when it cannot be written (ENOSPC …)
 */
export function openLines(
  path: string,
  shared: SharedArrayBuffer,
  holder: number,
  onGone: () => void,
  pending: SharedArrayBuffer = createPendingBuffer(),
): LineWriter {
  const fd = path === '-' ? 1 : openSync(path, 'a');
  const lock = new Int32Array(shared);
  const head = new Int32Array(pending, 0, 2);
  const waiting = Buffer.from(pending, HEAD_BYTES, CHUNK);
  let lines = 0;
  let gone = false;

  const put = (bytes: Buffer): void => {
    acquire(lock, holder);
    try {
      writeAll(fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
      gone = true;
      onGone();
    } finally {
      releaseOutputLock(shared, holder);
    }
  };
  const flush = (): void => {
    const length = head[LENGTH] as number;
    if (length === 0 || gone) return;
    const bytes = waiting.subarray(0, length);
    put(bytes);
    head[LINES] = 0;
    Atomics.store(head, LENGTH, 0);
  };
  return {
    get lines() {
      return lines;
    },
    write(line) {
      if (gone) return;
      const size = Buffer.byteLength(line, 'utf8') + 1;
      if ((head[LENGTH] as number) + size > CHUNK) flush();
      lines++;
      if (size > CHUNK) {
        put(Buffer.from(`${line}\n`, 'utf8'));
        return;
      }
      const at = head[LENGTH] as number;
      waiting.write(line, at, 'utf8');
      waiting[at + size - 1] = 0x0a;
      head[LINES] = (head[LINES] as number) + 1;
      Atomics.store(head, LENGTH, at + size);
    },
    flush,
    close() {
      flush();
      if (fd !== 1) closeSync(fd);
    },
  };
}
