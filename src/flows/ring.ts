/**
 * Bounded ring of lifecycle events in shared memory: one reader (an interface's script host) and one writer (its thread), or several
 * that take turns (its capture threads).
 *
 *   control words: 0 head (bytes written), 1 tail (bytes read), 2 writers that have closed, 3 writers, 4 lock of several writers,
 *     5 never changed: to sleep at
 *   data: events one after another; an event never wraps: a length of 0 says "go on at the start"
 *
 * Positions count bytes modulo 2^32; the size is a power of two, so position & (size - 1) is the place.
 *
 * Waking a thread costs more than reading an event, so the reader neither wakes nor is woken for a single one if it can help it: it
 * lets events gather before it sleeps until the next, and tells a writer that waits for room when there is a good deal of it.
 */
const HEAD = 0;
const TAIL = 1;
const CLOSED = 2;
const WRITERS = 3;
const LOCK = 4;
/** Nobody notifies this word. */
const QUIET = 5;
const CONTROL_BYTES = 64;

export const RING_BYTES = 4 << 20;

/** An empty ring is looked at again after this time, before the reader sleeps until it is woken. */
const GATHER_MS = 1;
/** A writer that waits looks again after this time, whether it was told or not. */
const WAIT_MS = 100;
/** The writer is told of room when this part of the ring, or all of it, has been read since it was told last. */
const TOLD_PART = 8;

/** @param writers how many must close it before it is closed; more than one take {@link createSharedRingWriter} */
export function createRingBuffer(bytes = RING_BYTES, writers = 1): SharedArrayBuffer {
  if ((bytes & (bytes - 1)) !== 0) throw new RangeError('the size of a ring is a power of two');
  const shared = new SharedArrayBuffer(CONTROL_BYTES + bytes);
  new Int32Array(shared)[WRITERS] = writers;
  return shared;
}

export interface RingWriter {
  readonly bytes: Uint8Array;
  /** @returns offset in `bytes` where an event of `length` bytes may be written; -1 when there is no room */
  reserve(length: number): number;
  /** Makes the reserved event visible. */
  commit(length: number): void;
  /** Is more than half of it unread? */
  crowded(): boolean;
  /** Waits until the reader has made room for an event of `length` bytes, or for `timeoutMs`. */
  waitForRoom(length: number, timeoutMs?: number): void;
  /** Waits until the reader has read everything, or for `timeoutMs`. @returns has it? */
  waitUntilRead(timeoutMs?: number): boolean;
  close(): void;
}

export function createRingWriter(shared: SharedArrayBuffer): RingWriter & {
  /** Goes on where another writer has got to. */
  reload(): void;
} {
  const control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
  const bytes = new Uint8Array(shared, CONTROL_BYTES);
  const words = new Uint32Array(shared, CONTROL_BYTES);
  const size = bytes.length;
  let head = Atomics.load(control, HEAD);

  /** Bytes that an event of `length` takes here, with the jump to the start where it would not fit before the end. */
  const needed = (length: number): number => {
    const left = size - (head & (size - 1));
    return length <= left ? length : left + length;
  };
  const room = (): number => size - ((head - Atomics.load(control, TAIL)) >>> 0);

  return {
    bytes,
    crowded: () => (Atomics.load(control, HEAD) - Atomics.load(control, TAIL)) >>> 0 > size / 2,
    reload() {
      head = Atomics.load(control, HEAD);
    },
    reserve(length) {
      if (length > size / 2) throw new RangeError(`an event of ${length} bytes is larger than half the ring`);
      const total = needed(length);
      if (total > room()) return -1;
      if (total !== length) {
        words[(head & (size - 1)) >> 2] = 0;
        head = (head + total - length) | 0;
      }
      return head & (size - 1);
    },
    commit(length) {
      head = (head + length) | 0;
      Atomics.store(control, HEAD, head);
      Atomics.notify(control, HEAD);
    },
    waitForRoom(length, timeoutMs = Number.POSITIVE_INFINITY) {
      for (let waited = 0; waited < timeoutMs; waited += WAIT_MS) {
        const tail = Atomics.load(control, TAIL);
        if (needed(length) <= room()) return;
        Atomics.wait(control, TAIL, tail, Math.min(WAIT_MS, timeoutMs));
      }
    },
    waitUntilRead(timeoutMs = Number.POSITIVE_INFINITY) {
      for (let waited = 0; ; waited += WAIT_MS) {
        const tail = Atomics.load(control, TAIL);
        if (tail === Atomics.load(control, HEAD)) return true;
        if (waited >= timeoutMs) return false;
        Atomics.wait(control, TAIL, tail, Math.min(WAIT_MS, timeoutMs));
      }
    },
    close() {
      Atomics.add(control, CLOSED, 1);
      Atomics.notify(control, HEAD);
    },
  };
}

/**
 * The writer of each of several threads: an event has the ring for itself from `reserve` to `commit`, about a microsecond. The lock is
 * that of U. Drepper, Futexes are tricky: 0 free, 1 taken, 2 taken and somebody waits.
 */
export function createSharedRingWriter(shared: SharedArrayBuffer): Omit<RingWriter, 'waitForRoom' | 'waitUntilRead'> {
  const control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
  const ring = createRingWriter(shared);
  let locked = false;
  const unlock = (): void => {
    locked = false;
    if (Atomics.exchange(control, LOCK, 0) === 2) Atomics.notify(control, LOCK, 1);
  };
  return {
    bytes: ring.bytes,
    crowded: ring.crowded,
    reserve(length) {
      if (Atomics.compareExchange(control, LOCK, 0, 1) !== 0) {
        while (Atomics.exchange(control, LOCK, 2) !== 0) Atomics.wait(control, LOCK, 2);
      }
      locked = true;
      ring.reload();
      const at = ring.reserve(length);
      if (at < 0) unlock();
      return at;
    },
    commit(length) {
      ring.commit(length);
      unlock();
    },
    close() {
      if (locked) unlock(); // an error came between reserve and commit: the others go on
      ring.close();
    },
  };
}

/** Takes out all events, of which a reader that is gone has read none, and tells of each. */
export function drain(shared: SharedArrayBuffer, tell: (bytes: Uint8Array, at: number) => void): void {
  const reader = createRingReader(shared);
  const lengths = new Uint32Array(shared, CONTROL_BYTES);
  for (let at = reader.next(0); at >= 0; at = reader.next(0)) {
    tell(reader.bytes, at);
    reader.release(lengths[at >> 2] as number);
  }
}

export interface RingReader {
  readonly bytes: Uint8Array;
  /** Waits up to `timeoutMs` for an event. @returns its offset in `bytes`; -1 none came; -2 the writer closed and all is read */
  next(timeoutMs: number): number;
  /** Gives the room of the event of `length` bytes back. */
  release(length: number): void;
  /** Is nothing behind the event of `length` bytes, which is not yet given back? */
  isLast(length: number): boolean;
  /** Is more than half of it unread? */
  crowded(): boolean;
}

export function createRingReader(shared: SharedArrayBuffer): RingReader {
  const control = new Int32Array(shared, 0, CONTROL_BYTES / 4);
  const bytes = new Uint8Array(shared, CONTROL_BYTES);
  const words = new Uint32Array(shared, CONTROL_BYTES);
  const size = bytes.length;
  let tail = Atomics.load(control, TAIL);
  let head = tail;
  const isClosed = (): boolean => Atomics.load(control, CLOSED) >= (control[WRITERS] as number);

  let untold = 0;
  const tell = (): void => {
    untold = 0;
    Atomics.notify(control, TAIL);
  };
  const advance = (length: number): void => {
    tail = (tail + length) | 0;
    Atomics.store(control, TAIL, tail);
    untold += length;
    if (untold >= size / TOLD_PART) tell();
  };
  const look = (): boolean => {
    head = Atomics.load(control, HEAD);
    return head !== tail;
  };
  const sleep = (timeoutMs: number): boolean => {
    Atomics.wait(control, QUIET, 0, Math.min(GATHER_MS, timeoutMs));
    if (look()) return true;
    // Closing wakes whoever sleeps at the head, but not from the short sleep before.
    if (!isClosed()) Atomics.wait(control, HEAD, head, timeoutMs);
    return look();
  };

  return {
    bytes,
    next(timeoutMs) {
      if (head === tail) {
        const closed = isClosed(); // read before the head: what is written before closing is seen
        if (!look()) {
          if (untold > 0) tell();
          if (closed) return -2;
          if (timeoutMs === 0 || !sleep(timeoutMs)) return isClosed() && !look() ? -2 : -1;
        }
      }
      let at = tail & (size - 1);
      if (words[at >> 2] === 0) {
        advance(size - at);
        at = 0;
      }
      return at;
    },
    release: advance,
    isLast: (length) => Atomics.load(control, HEAD) === ((tail + length) | 0),
    crowded: () => (Atomics.load(control, HEAD) - tail) >>> 0 > size / 2,
  };
}
