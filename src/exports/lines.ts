/**
 * Whole lines to a file or to standard output (`-`), in large writes. Several threads may append to one file: each write
 * carries whole lines only.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

const CHUNK = 64 << 10;

export interface LineWriter {
  write(line: string): void;
  flush(): void;
  close(): void;
  readonly lines: number;
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
 * @param onGone the reader of a pipe has gone (EPIPE): called once, everything after it is left out
 * @throws when the file cannot be opened; `write` and `flush` throw when it cannot be written (ENOSPC …)
 */
export function openLines(path: string, onGone: () => void): LineWriter {
  const fd = path === '-' ? 1 : openSync(path, 'a');
  let waiting = '';
  let lines = 0;
  let gone = false;
  const flush = (): void => {
    if (waiting === '' || gone) return;
    const text = waiting;
    waiting = '';
    try {
      writeAll(fd, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
      gone = true;
      onGone();
    }
  };
  return {
    get lines() {
      return lines;
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
