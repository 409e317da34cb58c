/** What a TypeScript script tries to get hold of outside its context, and what it must not be able to break for the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { script, start } from './support.ts';

/** Printed by the body of a callback, one line; types are not checked here. */
const printed = (t: Parameters<typeof start>[0], ...bodies: readonly string[]): string[] => {
  const { lines, failures } = start(
    t,
    bodies.map((body, i) => script(`s${i}`, 'idle', body)),
  );
  const out = lines('idle');
  return [...out, ...failures.map(({ message }) => message)];
};

test('nothing of Node, no threads, no code from text, nothing that runs later', (t) => {
  const names =
    `process require module exports global Buffer fetch setTimeout setInterval setImmediate queueMicrotask structuredClone performance
    WebAssembly SharedArrayBuffer Atomics Promise WeakRef FinalizationRegistry AsyncDisposableStack eval navigator crypto URL TextDecoder
    MessageChannel Worker $flowpatrol_start`.split(/\s+/);
  const [line] = printed(
    t,
    `console.log(${JSON.stringify(names)}.filter((name) => name in globalThis || globalThis[name] !== undefined).join());`,
  );
  assert.equal(line, '');
  const lines = printed(
    t,
    `for (const make of [() => Function('return 1')(), () => (() => 1).constructor('return process')(), () => info.constructor.constructor('return 1')(),
      () => (function* () {}).constructor('yield 1')().next(), () => flow.alert.constructor('return 1')(), () => [].at.constructor('return 1')()]) {
      try { console.log('made', make()); } catch (error) { console.log(error.name, error instanceof EvalError); }
    }
    console.log(typeof Array.fromAsync);`,
  );
  assert.deepEqual(lines, [...Array<string>(6).fill('EvalError true'), 'undefined']);
});

test('everything that a script gets is of its own realm', (t) => {
  const lines = printed(
    t,
    `const seen = new Set();
    const strange = [];
    const look = (value, way, depth) => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || depth > 4) return;
      seen.add(value);
      if (value !== Object.prototype && !(value instanceof Object) && Object.getPrototypeOf(value) !== null) strange.push(way);
      for (const key of Reflect.ownKeys(value)) {
        const property = Object.getOwnPropertyDescriptor(value, key);
        for (const part of ['value', 'get', 'set']) look(property[part], way + '.' + String(key), depth + 1);
      }
      look(Object.getPrototypeOf(value), way + '.__proto__', depth + 1);
    };
    look(info, 'info', 0); look(flow, 'flow', 0); look(globalThis, 'globalThis', 0); look(console, 'console', 0);
    look({ ...info }, 'copy', 0); look(info.icmp, 'icmp', 0);
    console.log(seen.size > 300, strange.join());`,
  );
  assert.deepEqual(lines, ['true ']);
});

test('errors of the host arrive as errors of the script, without the object', (t) => {
  const lines = printed(
    t,
    `const fails = [() => flow.alert('none', 'error'), () => flow.setStatus('none'), () => flow.setScore(NaN), () => flow.cache.get(5),
      () => flow.cache.listPush('l', 'x', 'middle'), () => flow.log('loud', 'x'), () => flow.alert({ toString() { return 'x'; } }, 'error'),
      () => flow.alert('web_mining', 'error', {}, { score: '7' })];
    for (const f of fails) {
      try { f(); console.log('nothing'); }
      catch (error) { console.log(error instanceof Error, error.constructor.constructor === Function, error.message.slice(0, 50)); }
    }
    const recurse = (n) => { try { return recurse(n + 1); } catch (error) { return error; } };
    console.log(recurse(0) instanceof RangeError);
    const deep = (f) => { const go = () => { try { go(); } catch (e) { try { f(); } catch (inner) { if (!(inner instanceof Error)) console.log('foreign', typeof inner); } throw e; } }; try { go(); } catch {} };
    deep(() => flow.isStatusSet('blacklisted')); deep(() => info.bytes); deep(() => flow.cache.get('x')); deep(() => new Date());
    console.log('end');`,
  );
  assert.deepEqual(lines, [
    "true true there is no type of alerts 'none'; there are: tcp_",
    "true true there is no status 'none'; there are: normal, slow",
    'true true a score is a number, not NaN',
    'true true argument 1 must be a text, it is a number',
    "true true there is no end of a list 'middle'; there are: lef",
    "true true there is no level 'loud'; there are: print, error,",
    'true true flow.alert: argument 1 must be a text, a number or',
    'true true a score is a number, not 7',
    'true',
    'end',
  ]);
});

test('stacks show nothing of the host', (t) => {
  const lines = printed(
    t,
    `const tries = [() => { Error.prepareStackTrace = (_, sites) => sites; }, () => { globalThis.Error = { prepareStackTrace: (_, sites) => sites }; },
      () => { Object.defineProperty(Error, 'prepareStackTrace', { value: (_, sites) => sites }); }, () => { delete Error.prepareStackTrace; }, () => { delete globalThis.Error; }];
    for (const f of tries) { try { f(); console.log('done'); } catch (error) { console.log(error.name); } }
    Object.prototype.prepareStackTrace = (_, sites) => sites;
    Function.prototype.prepareStackTrace = (_, sites) => sites;
    const holder = {};
    Error.captureStackTrace(holder);
    const inner = () => new TypeError('x').stack;
    try { flow.alert('none', 'error'); } catch (error) { console.log(error.stack.replace(/'none'.*/, '')); }
    console.log(holder.stack);
    console.log(inner());
    const odd = new Error('x'); Object.defineProperty(odd, 'name', { get() { throw 1; } }); Error.captureStackTrace(odd);
    console.log(odd.stack.split('\\n')[0], Error.prepareStackTrace(odd, []).split('\\n').length);`,
  );
  const text = lines.slice(5).join('\n');
  assert.deepEqual(lines.slice(0, 5), Array<string>(5).fill('TypeError'));
  assert.deepEqual(text.replace(/\d+:\d+/g, 'L').split('\n'), [
    'Error: there is no type of alerts ',
    '    at Object.idle (a.ts:L)',
    'Error',
    '    at Object.idle (a.ts:L)',
    'TypeError: x',
    '    at inner (a.ts:L)',
    '    at Object.idle (a.ts:L)',
    'Error 1',
  ]);
});

test('no format shows the clock of the machine', (t) => {
  const lines = printed(
    t,
    `const format = new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: 'UTC' });
    console.log(format.format(), format.format(0), [0].map(format.format).join(), format.formatToParts().map(({ value }) => value).join(''));
    console.log(new Date(0).toLocaleDateString('en', { timeZone: 'UTC' }), new Date().toLocaleDateString('en', { timeZone: 'UTC' }));`,
  );
  assert.deepEqual(lines, ['9/30/19 1/1/70 1/1/70 9/30/19', '1/1/1970 9/30/2019']);
});

test('functions tell nothing of who calls them', (t) => {
  const lines = printed(
    t,
    `for (const f of [flow.alert, flow.setStatus, flow.cache.get, console.log, Date, Date.now, Math.random]) {
      for (const name of ['caller', 'arguments']) { try { console.log(f[name]); } catch (error) { console.log(error.name); } }
    }`,
  );
  assert.deepEqual(lines, Array<string>(14).fill('TypeError'));
});

test('changed prototypes and globals reach neither the host nor other scripts', (t) => {
  const hostile = `
    const grab = function () { globalThis.grabbed = (globalThis.grabbed ?? 0) + 1; return this; };
    const { defineProperty, ownKeys } = Reflect;
    const all = [Map.prototype, Date.prototype, Error.prototype, String.prototype, Function.prototype, Array.prototype, Object.prototype];
    for (let p = 0; p < 7; p++) {
      const keys = ownKeys(all[p]);
      for (let k = 0; k < keys.length; k++) {
        if (keys[k] !== 'constructor' && keys[k] !== '__proto__') defineProperty(all[p], keys[k], { __proto__: null, get: grab, set: grab, configurable: true });
      }
    }`;
  const { run, lines, failures } = start(t, [
    `import { defineScript } from 'flowpatrol';
export default defineScript({ key: 'a', idle(info, flow) {
      const define = Object.defineProperty;
      for (const name of ['then', 'get', 'set', 'value', 'writable', 'toJSON', 'apply', 'call', '0', '1']) {
        define(Object.prototype, name, { __proto__: null, get() { return globalThis; }, set() {}, configurable: true });
      }
      JSON.parse = JSON.stringify = Reflect.apply = Object.freeze = () => globalThis;
      ${hostile}
      String = () => globalThis;
      flow.cache.set('k', 'v'); flow.setStatus('blacklisted');
      info.mark = 1;
      throw { get stack() { throw { toString() { throw 1; } }; }, toString() { throw 2; } };
    } });`,
    script(
      'b',
      'idle',
      'console.log(info.bytes, String(5), [1, 2].map((n) => n + 1), { ...info }.bytes, Object.prototype.mark, flow.cache.get("k"), globalThis.grabbed);',
    ),
  ]);
  run('idle');
  assert.deepEqual(lines('idle'), ['2698 5 [2,3] 2698 undefined v undefined']);
  assert.equal(failures.filter(({ script }) => script === 2).length, 0);
  assert.equal(failures[0]?.message, 'a.ts: what was thrown has no text');
  assert.equal(({} as { mark?: unknown }).mark, undefined);
});

test('scripts share no globals; what they write to info arrives as a copy', (t) => {
  const lines = printed(
    t,
    'globalThis.mine = 1; Object.prototype.mine = 2; info.list = [1, { a: 2 }]; info.f = () => 1; info.n = Number.NaN;',
    `console.log(globalThis.mine, ({}).mine, JSON.stringify(info.list), info.list instanceof Array, Array.isArray(info.list), info.f, info.n);
    info.list[1].a = 'changed';`,
    'console.log(JSON.stringify(info.list));',
  );
  assert.deepEqual(lines, ['undefined undefined [1,{"a":2}] true true undefined null', '[1,{"a":2}]']);
});

test('a script that is loaded, or set up, for ever is refused', (t) => {
  assert.throws(() => start(t, ['while (true) {}']), /^Error: a\.ts: loading it and its setup\(\) took more than 1000 ms/);
  assert.throws(
    () => start(t, ["export default { key: 'a', setup() { for (;;) try { for (;;) {} } catch {} } };"]),
    /took more than 1000 ms/,
  );
});

test('what a realm throws at the host is described, whatever it is', (t) => {
  const bodies = [
    'throw undefined;',
    'throw null;',
    'throw Symbol("s");',
    "throw 'text';",
    'throw { a: 1 };',
    'throw Object.create(null);',
    'throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } });',
    'const e = new Error("x"); e.stack = 5; throw e;',
    'const e = new Error("two\\nlines"); throw e;',
    'throw new (class MyError extends Error { name = "MyError"; })("mine");',
    'const f = () => f(); f();',
  ];
  assert.deepEqual(printed(t, ...bodies), [
    'a.ts: undefined',
    'b.ts: null',
    'c.ts: Symbol(s)',
    'd.ts: text',
    'e.ts: [object Object]',
    'f.ts: what was thrown has no text',
    'g.ts: what was thrown has no text',
    'h.ts: Error: x',
    'i.ts:5: two\nlines',
    'j.ts:5: MyError: mine',
    'k.ts:5: RangeError: Maximum call stack size exceeded',
  ]);
});
