/** Sequence numbers of datagrams and of samples: what is missing, what comes late, what begins anew. Called by the decoder. */

/** So far behind the newest number one is late; further, the sender began anew. */
const LATE = 1000;

export interface Sequence {
  /** The newest number, -1 before the first. */
  newest: number;
  lost: number;
}

export const newSequence = (): Sequence => ({ newest: -1, lost: 0 });

/** What a number means: how many more are missing (-1 = one fewer, it came late), and whether the sender began anew. */
export interface Step {
  readonly lost: number;
  readonly late: boolean;
  readonly restarted: boolean;
}

const NEXT: Step = { lost: 0, late: false, restarted: false };
const RESTART: Step = { lost: 0, late: false, restarted: true };

/** @param number unsigned, 32 bits, with wrap-around. @param isNew the sender is known to have begun anew (its uptime went back) */
export function follow(sequence: Sequence, number: number, isNew: boolean): Step {
  const { newest } = sequence;
  const distance = (number - newest) | 0;
  if (newest < 0 || distance === 1) {
    sequence.newest = number;
    return NEXT;
  }
  if (isNew || distance < -LATE) {
    sequence.newest = number;
    return RESTART;
  }
  if (distance <= 0) {
    const lost = distance < 0 && sequence.lost > 0 ? -1 : 0;
    sequence.lost += lost;
    return { lost, late: true, restarted: false };
  }
  sequence.newest = number;
  sequence.lost += distance - 1;
  return { lost: distance - 1, late: false, restarted: false };
}
