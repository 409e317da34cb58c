/**
 * Ids of alerts: `lxk3v9q1a` (ms since 1970) `0003` (number within it) `k3f9` (of the run), in base 36. They sort by the time of their
 * making, and are unique over interfaces and restarts.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from './clock.ts';

const TIME_DIGITS = 9;
const NUMBER_DIGITS = 4;
const RUN_DIGITS = 4;
const MOST = 36 ** NUMBER_DIGITS;

const digits = (value: number, count: number): string => value.toString(36).padStart(count, '0');

export function createAlertIds(clock: Clock, run = randomInt(36 ** RUN_DIGITS)): () => string {
  const tail = digits(run, RUN_DIGITS);
  let ms = 0;
  let number = 0;
  return () => {
    const now = clock.now();
    if (now > ms) {
      ms = now;
      number = 0;
    } else if (++number === MOST) {
      ms++;
      number = 0;
    }
    return digits(ms, TIME_DIGITS) + digits(number, NUMBER_DIGITS) + tail;
  };
}
