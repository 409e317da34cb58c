import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBreaker } from '../../src/scripts/breaker.ts';

const MINUTE = 60e6;
const START = 1e15 - (1e15 % MINUTE);

test('over 12 s of CPU time within a minute it opens, and counts from there on', () => {
  const breaker = createBreaker();
  assert.equal(breaker.used(START, 1e6), undefined);
  assert.equal(breaker.used(START + 30e6, 13e6), undefined, '12 s are allowed');
  assert.match(breaker.used(START + 31e6, 13.1e6) ?? '', /more than 12 s of CPU time within a minute/);
  assert.equal(breaker.broken?.until, START + 31e6 + MINUTE);
  assert.equal(breaker.cooled(START + 31e6 + MINUTE - 1), false);
  assert.equal(breaker.cooled(START + 31e6 + MINUTE), true);
  assert.equal(breaker.broken, undefined);
  assert.equal(breaker.used(START + 92e6, 25e6), undefined, 'another minute');
});

test('12 s a minute, every minute, are allowed', () => {
  const breaker = createBreaker();
  for (let i = 0; i < 10; i++) assert.equal(breaker.used(START + i * MINUTE + 59e6, i * 12e6), undefined);
});

test('the cooldown doubles up to an hour, and begins anew after two hours without trouble', () => {
  const breaker = createBreaker();
  let time = START;
  const opened = (): number => {
    for (let i = 0; i < 5; i++) breaker.failed(time, 'x');
    const until = breaker.broken?.until ?? 0;
    const cooldown = until - time;
    time = until;
    assert.ok(breaker.cooled(time));
    return cooldown / MINUTE;
  };
  assert.deepEqual([opened(), opened(), opened(), opened(), opened(), opened(), opened(), opened()], [1, 2, 4, 8, 16, 32, 60, 60]);
  time += 121 * MINUTE;
  assert.equal(opened(), 1);
});

test('a call that goes well ends the row', () => {
  const breaker = createBreaker();
  for (let i = 0; i < 4; i++) assert.equal(breaker.failed(START, 'x'), undefined);
  breaker.succeeded();
  for (let i = 0; i < 4; i++) assert.equal(breaker.failed(START, 'x'), undefined);
  assert.match(breaker.failed(START, 'last words') ?? '', /^5 calls in a row failed, the last one with: last words$/);
});
