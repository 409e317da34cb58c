/**
 * What is missing between the numbers of a source's messages. Called by the decoder for each message.
 *
 *   next number                              in order
 *   higher                                   those between are lost; when one of them comes after all it is no longer
 *   the same                                 nothing
 *   lower                                    one that was missing: late; else the probe was restarted: counting begins anew
 *   far lower, close behind 2^32             the number has wrapped around
 */

const TWO32 = 0x1_0000_0000;
const HALF = 0x8000_0000;
/** A jump over the wrap-around that is longer is a restart. */
const LONGEST_WRAP = 1 << 20;
/** So many of the latest numbers are remembered as missing or seen. */
const REMEMBERED = 64;

/** What became of the number. */
export interface Step {
  /** Numbers that are missing now and were not before. */
  lost: number;
  /** It was counted as lost, and came. */
  late: boolean;
  restarted: boolean;
}

export interface Sequence {
  next(id: number): Readonly<Step>;
}

export function createSequence(): Sequence {
  let last = -1;
  /** Is the number at its place, modulo 64, missing? Only those within 64 below `last` mean something. */
  const missing = new Uint8Array(REMEMBERED);
  const step: Step = { lost: 0, late: false, restarted: false };

  const advance = (by: number): void => {
    step.lost = by - 1;
    for (let i = Math.max(1, by - REMEMBERED); i < by; i++) missing[(last + i) % REMEMBERED] = 1;
    last = (last + by) % TWO32;
    missing[last % REMEMBERED] = 0;
  };

  return {
    next(id) {
      step.lost = 0;
      step.late = false;
      step.restarted = false;
      if (last < 0) {
        last = id;
        return step;
      }
      const ahead = (id - last + TWO32) % TWO32;
      const behind = (TWO32 - ahead) % TWO32;
      if (ahead === 0) return step;
      if (behind < REMEMBERED && missing[id % REMEMBERED] === 1) {
        missing[id % REMEMBERED] = 0;
        step.late = true;
      } else if (ahead < (id > last ? HALF : LONGEST_WRAP)) advance(ahead);
      else {
        step.restarted = true;
        missing.fill(0);
        last = id;
      }
      return step;
    },
  };
}
