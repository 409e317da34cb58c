import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createScriptCache, type SharedCache } from '../../../src/scripts/cache.ts';
import { type CacheStore, openCacheStore } from '../../../src/store/script-cache.ts';
import { openSettings } from '../../../src/store/settings.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'flowpatrol-cache-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function loaded(store: CacheStore, now: number): SharedCache {
  const cache = createScriptCache({ now: () => now });
  cache.apply(store.load(now));
  return cache;
}

test('what scripts keep survives a restart, bytes and times to live included', (t) => {
  const path = directory(t);
  const cache = createScriptCache({ now: () => 1000 });
  const odd = 'm\u00fcn \u0000\u00ff\n"';
  cache.set('text', odd);
  cache.set('short', 'gone by then', 60);
  cache.set('long', 'still there', 600);
  cache.hashSet('hash', 'a', odd);
  cache.hashSet('hash', 'b', '2');
  cache.setAdd('set', odd);
  cache.expire('set', 600);
  cache.listPush('list', odd, 'right');
  cache.listPush('list', '2', 'right');
  const first = openCacheStore(path);
  first.store(cache.takeChanges());
  cache.hashDelete('hash', 'b');
  cache.setAdd('set', 'later');
  first.store(cache.takeChanges());
  first.close();

  const store = openCacheStore(path);
  const next = loaded(store, 1060);
  assert.deepEqual(next.keys('*'), ['hash', 'list', 'long', 'set', 'text']);
  assert.equal(next.get('text'), odd);
  assert.deepEqual([...(next.hashAll('hash') ?? [])], [['a', odd]]);
  assert.deepEqual(next.setMembers('set'), ['later', odd]);
  assert.deepEqual(next.listRange('list', 0, -1), [odd, '2']);
  assert.deepEqual(loaded(store, 1600).keys('*'), ['hash', 'list', 'text']);
  assert.deepEqual(next.takeChanges(), []);
  store.close();
});

test('a key that becomes another kind leaves nothing of the old one', (t) => {
  const path = directory(t);
  const store = openCacheStore(path);
  store.store([{ type: 'field', key: 'k', field: 'a', value: '1' }]);
  store.store([{ type: 'text', key: 'k', value: 'x', until: 0 }]);
  assert.deepEqual(store.load(0), [{ type: 'text', key: 'k', value: 'x', until: 0 }]);
  store.store([
    { type: 'delete', key: 'k' },
    { type: 'member', key: 'k', member: 'm', there: true },
    { type: 'member', key: 'k', member: 'n', there: false },
  ]);
  assert.deepEqual(store.load(0), [{ type: 'member', key: 'k', member: 'm', there: true }]);
  store.close();
});

test('it shares the file with the settings, and is nothing without a directory', (t) => {
  const path = directory(t);
  const settings = openSettings(path);
  const store = openCacheStore(path);
  store.store([{ type: 'text', key: 'k', value: 'x', until: 0 }]);
  settings.setPreference('flow_max_idle', 30);
  assert.equal(settings.preferences().flow_max_idle, 30);
  assert.equal(store.load(0).length, 1);
  store.close();
  settings.close();
  const nothing = openCacheStore(undefined);
  nothing.store([{ type: 'text', key: 'k', value: 'x', until: 0 }]);
  assert.deepEqual(nothing.load(0), []);
  assert.throws(() => openCacheStore(join(path, 'missing')), /settings\.db: the cache of the scripts cannot be used/);
});
