/**
 * Changes of the cache that a script host has made and not yet told, in memory that it shares with the main thread: when the host has to
 * be ended, they are read from there.
 *
 *   after each call ──append──► journal ──take── every now and then ──► message to the main thread
 *                                  └────take── by the main thread, when the host is gone
 */
import type { CacheChange } from './cache.ts';

const LENGTH_BYTES = 4;
const JOURNAL_BYTES = 256 << 10;

export const createJournalBuffer = (): SharedArrayBuffer => new SharedArrayBuffer(LENGTH_BYTES + JOURNAL_BYTES);

export interface Journal {
  /** @returns false: there is no room, take what is there first */
  append(changes: readonly CacheChange[]): boolean;
  /** All that was appended since the last call. */
  take(): CacheChange[];
}

export function openJournal(shared: SharedArrayBuffer): Journal {
  const length = new Int32Array(shared, 0, 1);
  const bytes = Buffer.from(shared, LENGTH_BYTES);
  return {
    append(changes) {
      const text = `${JSON.stringify(changes)}\n`;
      const at = Atomics.load(length, 0);
      const size = Buffer.byteLength(text, 'utf8');
      if (at + size > bytes.length) return false;
      bytes.write(text, at, 'utf8');
      Atomics.store(length, 0, at + size);
      return true;
    },
    take() {
      const lines = bytes
        .toString('utf8', 0, Atomics.exchange(length, 0, 0))
        .split('\n')
        .slice(0, -1);
      return lines.flatMap((line) => JSON.parse(line) as CacheChange[]);
    },
  };
}
