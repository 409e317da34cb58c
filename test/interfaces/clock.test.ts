/** The clock of live interfaces when the system's clock is set back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSteadyClock } from '../../src/interfaces/live/clock.ts';

const adjusted = (clock: ReturnType<typeof createSteadyClock>, ...seconds: number[]): number[] => {
  const times = Float64Array.from(seconds, (second) => second * 1e6);
  clock.adjust(times, times.length);
  return Array.from(times, (time) => time / 1e6);
};

test('times pass as they are while the system’s clock runs on, small steps back included', () => {
  const clock = createSteadyClock();
  assert.deepEqual(adjusted(clock, 100, 101, 100.5, 102), [100, 101, 100.5, 102]);
});

test('an hour back is taken out, and later distances are kept', () => {
  const clock = createSteadyClock();
  assert.deepEqual(adjusted(clock, 7200, 3600, 3601, 3605), [7200, 7200, 7201, 7205]);
  assert.deepEqual(adjusted(clock, 3610), [7210]);
});

test('a jump forward is followed', () => {
  const clock = createSteadyClock();
  assert.deepEqual(adjusted(clock, 100, 90_000), [100, 90_000]);
});
