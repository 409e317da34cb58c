/** The idle rule (lifecycle 6.1): how long a flow may be silent before it is over. */
import { STATE_CLOSING, STATE_TWH_OK } from './record.ts';

/** Rule 2: silence, and age, after which a closing or half-open TCP flow ends. */
const TCP_EARLY_US = 15_000_000;
const TCP = 6;
/** Flow records come once in an active time-out: a flow outlives it by so much that the next one finds it. */
export const GRACE_US = 10_000_000;

/** Silence after which a flow ends, µs. @param pv word R_PV of its record */
export const idleLimit = (state: number, pv: number, maxIdleUs: number): number =>
  (pv & 0xff) === TCP && ((state & STATE_CLOSING) !== 0 || (state & STATE_TWH_OK) === 0) ? TCP_EARLY_US : maxIdleUs;
