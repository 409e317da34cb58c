/**
 * Events for scripts that have a host of their own: each has a ring, which the host of the others fills. Used by the thread of a script
 * host.
 *
 *   event ──give──► ring per path        no ring: the script rests, and its calls are counted as left out
 */
import { createRingWriter, drain, type RingWriter } from '../../flows/ring.ts';
import type { SkipReason } from '../report.ts';

/** How long a capture waits for a ring before it looks for commands again, ms. */
const WAIT_MS = 250;

export interface Forwards {
  readonly size: number;
  /** Paths of the scripts. */
  paths(): string[];
  /** From now on the script's events go to this ring; without one it rests. */
  set(path: string, ring: SharedArrayBuffer | undefined): void;
  /** It is with the others again. */
  delete(path: string): void;
  /**
   * Gives an event to scripts. A live interface waits for none of them.
   * @param behind callbacks of it that they have behind them
   */
  give(bytes: Uint8Array, at: number, length: number, paths: Iterable<string>, behind: number): void;
  /** Waits until all that was given is read. */
  catchUp(): void;
  close(): void;
}

export interface ForwardOptions {
  readonly live: boolean;
  /** Counts an event that a script does not get. */
  readonly leftOut: (path: string, bytes: Uint8Array, at: number, reason: SkipReason, behind: number) => void;
  /** Takes commands while something is waited for: a host may have been given up. */
  readonly attend: () => void;
}

export function createForwards({ live, leftOut, attend }: ForwardOptions): Forwards {
  const forwards = new Map<string, { readonly shared: SharedArrayBuffer; readonly ring: RingWriter } | undefined>();

  /** What nobody has read of a ring that is given up. */
  function abandon(path: string): void {
    const before = forwards.get(path);
    if (before === undefined) return;
    before.ring.close();
    drain(before.shared, (bytes, at) => leftOut(path, bytes, at, 'broken', 0));
  }

  function giveOne(path: string, bytes: Uint8Array, at: number, length: number, behind: number): void {
    while (forwards.has(path)) {
      const ring = forwards.get(path)?.ring;
      if (ring === undefined) {
        leftOut(path, bytes, at, 'broken', behind);
        return;
      }
      const to = ring.reserve(length);
      if (to >= 0) {
        ring.bytes.set(bytes.subarray(at, at + length), to);
        ring.commit(length);
        return;
      }
      if (live) {
        leftOut(path, bytes, at, 'queue full', behind);
        return;
      }
      ring.waitForRoom(length, WAIT_MS);
      attend();
    }
  }

  return {
    get size() {
      return forwards.size;
    },
    paths: () => [...forwards.keys()],
    set(path, ring) {
      if (ring === undefined) abandon(path);
      else forwards.get(path)?.ring.close();
      forwards.set(path, ring && { shared: ring, ring: createRingWriter(ring) });
    },
    delete(path) {
      abandon(path);
      forwards.delete(path);
    },
    give(bytes, at, length, paths, behind) {
      for (const path of paths) giveOne(path, bytes, at, length, behind);
    },
    catchUp() {
      for (const path of [...forwards.keys()]) while (forwards.get(path)?.ring.waitUntilRead(WAIT_MS) === false) attend();
    },
    close() {
      for (const own of forwards.values()) own?.ring.close();
    },
  };
}
