/**
 * Several capture threads get every alert of an intrusion detection system, and one of them at most has its flow. Each says here what
 * became of the alert; one of them counts it, so that the counters of all threads add up to those of one.
 *
 *   a word an alert, by its number: threads that are done with it │ FOUND × threads that had its flow
 */

/** Says what became of alert `number` in this thread. @returns whether this thread counts it */
export type Tally = (number: number, found: boolean) => boolean;

/** Alerts under way at one time: all that may wait, several times over. */
const SLOTS = 1 << 16;
export const TALLY_BYTES = SLOTS * 4;
const FOUND = 1 << 16;

/** @param shared TALLY_BYTES, zero at first */
export function createTally(shared: SharedArrayBuffer, threads: number): Tally {
  const words = new Int32Array(shared, 0, SLOTS);
  return (number, found) => {
    const slot = number & (SLOTS - 1);
    const before = Atomics.add(words, slot, found ? FOUND + 1 : 1);
    const last = (before & (FOUND - 1)) + 1 === threads;
    if (last) Atomics.store(words, slot, 0);
    return before < FOUND && (found || last);
  };
}
