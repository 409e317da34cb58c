/**
 * Flows for the history, on their way from a script host to the main thread: copies of their events. The main thread makes rows of
 * them (src/server/recorder.ts), so it costs a copy of some 600 bytes here.
 *
 *   put(event) ──► buffer ──flush──► message ──► recorder        words (shared): batches under way, flows that were lost
 *
 * Called by worker.ts. A capture waits while too many batches are under way; a live interface drops, and counts, but at its end, when
 * all its flows come at once and nothing more is captured.
 */
import { E_END, END_REASONS } from '../flows/event.ts';
import type { Names } from '../flows/view.ts';

/** Positions in the words that the main thread sees. */
export const OUTBOX_UNDER_WAY = 0;
export const OUTBOX_LOST = 1;
/** Flows in the buffer: lost, when the host is ended. */
export const OUTBOX_WAITING = 2;
export const OUTBOX_WORDS = 3;

const SHUTDOWN = END_REASONS.indexOf('shutdown');
const BUFFER_BYTES = 256 << 10;
/** Batches that the main thread has not worked off: flows of a live interface end in bursts, at its visits; a capture can wait. */
const MOST_UNDER_WAY = { live: 512, capture: 32 } as const;

/** Lifecycle events, one after another (flows/event.ts). */
export type FlowBatch = Uint8Array<ArrayBuffer>;

/** Where a batch comes from. */
export interface BatchSource {
  readonly interface: string;
  readonly names: Names;
  /** False: a capture, whose traffic is of another time. */
  readonly live: boolean;
}

export interface Outbox {
  /** @param bytes have the event, `length` bytes at `at` */
  put(bytes: Uint8Array, at: number, length: number): void;
  flush(): void;
}

/** @param shared OUTBOX_WORDS words */
export function createOutbox(live: boolean, shared: SharedArrayBuffer, post: (batch: FlowBatch) => void): Outbox {
  const words = new Int32Array(shared);
  const most = live ? MOST_UNDER_WAY.live : MOST_UNDER_WAY.capture;
  const buffer = new Uint8Array(BUFFER_BYTES);
  let used = 0;
  let flows = 0;
  let patient = !live;

  /** @returns false where a live interface has to do without */
  function room(): boolean {
    for (;;) {
      const underWay = Atomics.load(words, OUTBOX_UNDER_WAY);
      if (underWay < most) return true;
      if (!patient) return false;
      Atomics.wait(words, OUTBOX_UNDER_WAY, underWay);
    }
  }

  function flush(): void {
    if (used === 0) return;
    if (room()) {
      Atomics.add(words, OUTBOX_UNDER_WAY, 1);
      post(buffer.slice(0, used));
    } else Atomics.add(words, OUTBOX_LOST, flows);
    used = 0;
    flows = 0;
    words[OUTBOX_WAITING] = 0;
  }

  return {
    flush,
    put(bytes, at, length) {
      if (bytes[at + E_END] === SHUTDOWN) patient = true;
      if (used + length > BUFFER_BYTES) flush();
      buffer.set(bytes.subarray(at, at + length), used);
      used += length;
      words[OUTBOX_WAITING] = ++flows;
    },
  };
}
