import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CacheError, createScriptCache, matches, type SharedCache } from '../../../src/scripts/cache.ts';

const start = (options: { mostBytes?: number; mostChanges?: number } = {}): { cache: SharedCache; clock: { now: number } } => {
  const clock = { now: 1000 };
  return { cache: createScriptCache({ now: () => clock.now, ...options }), clock };
};

test('texts live as long as they are told to', () => {
  const { cache, clock } = start();
  cache.set('a', '1');
  cache.set('b', '2', 60);
  clock.now = 1059;
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], ['1', '2', undefined]);
  clock.now = 1060;
  assert.deepEqual([cache.get('a'), cache.get('b')], ['1', undefined]);
  cache.set('b', '3', 60);
  cache.set('b', '4');
  clock.now = 5000;
  assert.equal(cache.get('b'), '4');
  cache.expire('b', 10);
  cache.expire('nothing', 10);
  clock.now = 5010;
  assert.equal(cache.get('b'), undefined);
  assert.equal(cache.counters().expired, 2);
});

test('counting keeps the time to live', () => {
  const { cache, clock } = start();
  assert.deepEqual([cache.increment('n', 1), cache.increment('n', 41), cache.increment('n', -2)], [1, 42, 40]);
  cache.expire('n', 10);
  assert.equal(cache.increment('n', 1), 41);
  clock.now += 10;
  assert.equal(cache.increment('n', 1), 1);
  cache.set('text', 'x');
  assert.throws(() => cache.increment('text', 1), /'text' holds no whole number/);
});

test('hashes, sets and lists', () => {
  const { cache } = start();
  assert.equal(cache.hashAll('h'), undefined);
  cache.hashSet('h', 'a', '1');
  cache.hashSet('h', 'b', '2');
  cache.hashDelete('h', 'a');
  assert.deepEqual([...(cache.hashAll('h') ?? [])], [['b', '2']]);
  assert.deepEqual([cache.hashGet('h', 'a'), cache.hashGet('h', 'b')], [undefined, '2']);
  cache.hashDelete('h', 'b');
  assert.equal(cache.hashAll('h'), undefined);

  for (const member of ['b', 'a', 'b']) cache.setAdd('s', member);
  assert.deepEqual(cache.setMembers('s'), ['a', 'b']);
  cache.setRemove('s', 'a');
  assert.deepEqual([cache.setHas('s', 'a'), cache.setHas('s', 'b'), cache.setMembers('x')], [false, true, []]);

  for (const value of ['1', '2', '3', '4']) cache.listPush('l', value, 'right', 3);
  cache.listPush('l', '0', 'left');
  assert.deepEqual(cache.listRange('l', 0, -1), ['0', '2', '3', '4']);
  assert.deepEqual(cache.listRange('l', -2, 10), ['3', '4']);
  assert.deepEqual([cache.listPop('l', 'left'), cache.listPop('l', 'right'), cache.listLength('l')], ['0', '4', 2]);
  assert.deepEqual([cache.listPop('l', 'left'), cache.listPop('l', 'left'), cache.listPop('l', 'left')], ['2', '3', undefined]);

  cache.setAdd('s2', 'x');
  assert.throws(() => cache.hashSet('s2', 'f', 'v'), new CacheError("the cache key 's2' holds a set, not a hash"));
  cache.set('s2', 'now a text');
  assert.equal(cache.get('s2'), 'now a text');
  assert.deepEqual(cache.keys('*'), ['s2', 's'].sort());
});

test('a cache that is full refuses, and has room again when something goes', () => {
  const { cache, clock } = start({ mostBytes: 1000 });
  for (let i = 0; i < 5; i++) cache.set(`k${i}`, 'x'.repeat(100), 60);
  assert.throws(() => cache.set('big', 'x'.repeat(900)), /the cache of the scripts is full/);
  assert.equal(cache.counters().refused, 1);
  clock.now += 60;
  cache.set('big', 'x'.repeat(900));
  assert.equal(cache.counters().keys, 1);
  cache.delete('big');
  assert.equal(cache.counters().bytes, 0);
});

test('changes that nobody takes are counted beyond a limit', () => {
  const { cache } = start({ mostChanges: 3 });
  for (let i = 0; i < 5; i++) cache.set(`k${i}`, '1');
  cache.set('k0', '2');
  assert.equal(cache.takeChanges().length, 3);
  assert.equal(cache.counters().unstored, 2);
  cache.set('k4', '1');
  assert.equal(cache.takeChanges().length, 1);
});

test('patterns', () => {
  for (const [pattern, text, is] of [
    ['*', '', true],
    ['a*c', 'abc', true],
    ['a*c', 'abcd', false],
    ['a?c', 'abc', true],
    ['*b*', 'abc', true],
    ['', 'a', false],
    [`${'*a'.repeat(30)}b`, 'a'.repeat(2000), false],
    ['x[1].*', 'x[1].y', true],
  ] as const) {
    assert.equal(matches(pattern, text), is, `${pattern} ${text.slice(0, 10)}`);
  }
});

test('a part of a key that is over before its change is taken over does not come to life elsewhere', () => {
  const clock = { now: 1000 };
  const [one, other] = [createScriptCache({ now: () => clock.now }), createScriptCache({ now: () => clock.now })];
  one.hashSet('h', 'f', '1');
  one.setAdd('s', 'm');
  for (const key of ['h', 's']) one.expire(key, 3);
  other.apply(one.takeChanges());
  one.hashSet('h', 'g', '2');
  one.setAdd('s', 'n');
  clock.now += 6;
  other.apply(one.takeChanges());
  for (const cache of [one, other]) assert.deepEqual([cache.keys('*'), cache.counters().bytes], [[], 0]);
});

test('a key that got more time stays elsewhere too, even if its first time is over when the change is taken over', () => {
  const clock = { now: 1000 };
  const [one, other] = [createScriptCache({ now: () => clock.now }), createScriptCache({ now: () => clock.now })];
  one.hashSet('h', 'f', '1');
  one.expire('h', 3);
  other.apply(one.takeChanges());
  one.expire('h', 20);
  clock.now += 6;
  other.apply(one.takeChanges());
  for (const cache of [one, other]) assert.equal(cache.hashGet('h', 'f'), '1');
});

const key = fc.constantFrom('a', 'b', 'c');
const word = fc.constantFrom('x', 'y', 'z', '');
const doings = fc.oneof(
  fc.tuple(key, word, fc.constantFrom(0, 5)).map(
    ([k, v, ttl]) =>
      (cache: SharedCache) =>
        cache.set(k, v, ttl),
  ),
  key.map((k) => (cache: SharedCache) => cache.delete(k)),
  fc.tuple(key, fc.constantFrom(3, 20)).map(
    ([k, ttl]) =>
      (cache: SharedCache) =>
        cache.expire(k, ttl),
  ),
  fc.tuple(key, word, word).map(
    ([k, f, v]) =>
      (cache: SharedCache) =>
        cache.hashSet(k, f, v),
  ),
  fc.tuple(key, word).map(
    ([k, f]) =>
      (cache: SharedCache) =>
        cache.hashDelete(k, f),
  ),
  fc.tuple(key, word).map(
    ([k, m]) =>
      (cache: SharedCache) =>
        cache.setAdd(k, m),
  ),
  fc.tuple(key, word).map(
    ([k, m]) =>
      (cache: SharedCache) =>
        cache.setRemove(k, m),
  ),
  fc.tuple(key, word, fc.constantFrom('left', 'right'), fc.constantFrom(undefined, 2)).map(
    ([k, v, end, keep]) =>
      (cache: SharedCache) =>
        cache.listPush(k, v, end, keep),
  ),
  fc.tuple(key, fc.constantFrom('left', 'right')).map(
    ([k, end]) =>
      (cache: SharedCache) =>
        cache.listPop(k, end),
  ),
);

/** Everything that can be seen of a cache. */
const seen = (cache: SharedCache): unknown =>
  cache.keys('*').map((k) => {
    const reads = [
      () => cache.get(k),
      () => [...(cache.hashAll(k) ?? [])].sort(),
      () => cache.setMembers(k),
      () => cache.listRange(k, 0, -1),
    ];
    return [k, ...reads.map((read) => attempt(read))];
  });

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return (error as Error).message;
  }
}

test('a cache that takes over the changes of another one looks the same, and says nothing of them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(doings, fc.constantFrom(0, 0, 1, 6), fc.boolean()), { maxLength: 60 }), (steps) => {
      const clock = { now: 1000 };
      const one = createScriptCache({ now: () => clock.now });
      const other = createScriptCache({ now: () => clock.now });
      for (const [step, later, hand] of steps) {
        attempt(() => step(one));
        clock.now += later;
        if (hand) other.apply(structuredClone(one.takeChanges()));
      }
      other.apply(structuredClone(one.takeChanges()));
      assert.deepEqual(seen(other), seen(one));
      assert.deepEqual(other.counters().bytes, one.counters().bytes);
      assert.deepEqual(other.takeChanges(), []);
    }),
    { numRuns: 500 },
  );
});
