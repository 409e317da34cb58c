/**
 * Capture threads of one interface begin together: a thread that joins the fanout group changes which packets the others get, so none
 * takes packets before all are there. Shared by the interface's threads (worker.ts); also after the interface was lost.
 */
export interface Gate {
  /** This thread is there. */
  arrive(): void;
  /** Its socket is gone. */
  leave(): void;
  /** Waits for the others. @returns whether all are there */
  wait(timeoutMs: number): boolean;
}

export const GATE_BYTES = 4;

/** @param shared GATE_BYTES, zero at first: how many are there */
export function createGate(shared: SharedArrayBuffer, threads: number): Gate {
  const present = new Int32Array(shared, 0, 1);
  return {
    arrive() {
      Atomics.add(present, 0, 1);
      Atomics.notify(present, 0);
    },
    leave() {
      Atomics.sub(present, 0, 1);
    },
    wait(timeoutMs) {
      const count = Atomics.load(present, 0);
      if (count === threads) return true;
      Atomics.wait(present, 0, count, timeoutMs);
      return Atomics.load(present, 0) === threads;
    },
  };
}
