/** Loading, calling, failing and what scripts do to the world. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Field } from '../../../src/flows/fields.ts';
import { NAMES as NAMES_OF_NDPI } from '../../support/events.ts';
import { fieldOf, TYPICAL } from '../support.ts';
import { encode, script, start } from './support.ts';

const module = (members: string): string => `import { defineScript } from 'flowpatrol';\nexport default defineScript({ ${members} });\n`;

test('a script says what it is', (t) => {
  const { definitions } = start(
    t,
    [
      module("key: 'a', title: 'Title', description: 'What it does', prio: 2.5, idle() {}, protocolDetected() {}"),
      module(
        "key: 'b', setup() { return false; }, filter: { l4: ['tcp', 17], l7: 'dns', handshake: true, packetInterface: false, periodicSeconds: 600 }",
      ),
      "export default { key: 'c', statuschanged() {}, helper() {}, periodicupdat() {}, title: 5 };",
    ],
    { names: NAMES_OF_NDPI },
  );
  const plain = { description: '', prio: 0, generation: 'typescript', filter: {}, enabled: true, callbacks: [], warnings: [] };
  assert.deepEqual(definitions, [
    { ...plain, key: 'a', title: 'Title', description: 'What it does', prio: 2.5, callbacks: ['protocolDetected', 'idle'] },
    { ...plain, key: 'b', title: 'b', enabled: false, filter: { l4: [6, 17], l7: 5, handshake: true, periodicSeconds: 600 } },
    {
      ...plain,
      key: 'c',
      title: 'c',
      warnings: [
        'c.ts: `statuschanged` is never called; the callback is `statusChanged`',
        'c.ts: `periodicupdat` is never called; the callback is `periodicUpdate`',
        'c.ts: `title` must be a text',
      ],
    },
  ]);
});

test('without detection a filter on a protocol is a warning', (t) => {
  const { definitions } = start(t, [module("key: 'a', filter: { l7: 'DNS' }")]);
  assert.deepEqual(definitions[0]?.filter, { l7: -1 });
  assert.match(definitions[0]?.warnings[0] ?? '', /^a\.ts: nothing detects protocols here/);
});

test('what cannot be loaded is refused with file, line and cause', (t) => {
  const refused: [source: string, message: RegExp][] = [
    ['const x = 1;\nconst y: = 2;', /^a\.ts:2: Unexpected token `=`/],
    ['enum A { B }', /^a\.ts:1: TypeScript enum is not supported/],
    ['\nlet a = 1;\nlet a = 2;', /^a\.ts:3: Identifier 'a' has already been declared/],
    ['export const x = 1;', /^a\.ts: the file must have `export default defineScript\(\{ … \}\)`/],
    [module('idle() {}'), /^a\.ts: the script has no `key`/],
    [module("key: 'a', idle: 5"), /^a\.ts: `idle` must be a function, it is a number/],
    [module("key: 'a', *idle() {}"), /^a\.ts: `idle` must be a plain function/],
    [module("key: 'a', setup: true"), /^a\.ts: `setup` must be a function/],
    ["export default {\n  key: 'a',\n  setup() {\n    null!.x;\n  } };", /^a\.ts:4: TypeError: Cannot read properties of null/],
    ["\nthrow new Error('broken');", /^a\.ts:2: broken/],
    ['export default {\n  async idle() {} };', /^a\.ts:2: a script cannot have async functions/],
    ["const x = import('node:fs');", /^a\.ts:1: a script cannot import\(\) while it runs/],
    ["import fs from 'node:fs';", /^a\.ts:1: cannot import 'node:fs': there is 'flowpatrol', and files beside the script/],
    ["\nimport { nothing } from 'flowpatrol';", /^a\.ts:2: 'flowpatrol' has no export 'nothing'/],
    ['const x = 1 <!--x\n;', /^a\.ts:1: write/],
    ['import.meta.url;', /^a\.ts:1: import\.meta is not there/],
    [module("key: 'a', filter: { l4: 'tpc' }"), /^a\.ts: `filter`: there is no IP protocol 'tpc'/],
    [module("key: 'a', filter: { periodicSeconds: 'x' }"), /^a\.ts: `filter`: `periodicSeconds` must be a number above 0/],
  ];
  for (const [source, message] of refused) assert.throws(() => start(t, [source]), { message });
  assert.throws(() => start(t, [module("key: 'a', filter: { l7: 'NoSuch' }")], { names: NAMES_OF_NDPI }), {
    message: "a.ts: `filter`: nDPI has no protocol 'NoSuch'",
  });
});

test('a failing call loses only itself, and is named by file, line and way', (t) => {
  const { lines, failures } = start(t, [
    `import { defineScript } from 'flowpatrol';
function inner(n: number): number {
  if (n > 0) throw new RangeError(\`too much: \${n}\`);
  return n;
}
export default defineScript({
  key: 'a',
  idle(info) { inner(info.bytes); },
});`,
    script('b', 'idle', "console.log('b');"),
  ]);
  assert.deepEqual(lines('idle'), ['b']);
  assert.deepEqual(failures, [
    { script: 1, reason: 'error', message: 'a.ts:3: RangeError: too much: 2698', stack: 'a.ts:3: in inner\na.ts:8: in idle' },
  ]);
});

test('which scripts are called, in which order, measured and announced', (t) => {
  const texts = [1, 2, 3, 4].map((n) =>
    script(`s${n}`, 'idle', `console.log(${n}); i18n('x');${n === 3 ? ' throw new Error("x");' : ''}`).replace('{', '{ i18n,'),
  );
  const { run, took, running, failures, runtime } = start(t, texts);
  const printed = (...how: Parameters<typeof run>): string[] => run(...how).map((effect) => (effect.type === 'print' ? effect.line : ''));
  assert.deepEqual(printed('idle'), ['1', '2', '3', '4']);
  assert.deepEqual([took, running.splice(0)], [[], [1, 2, 3, 4]]);
  assert.deepEqual(printed('idle', TYPICAL, { chosen: Uint8Array.of(1, 3), timed: true }), ['2', '4']);
  assert.deepEqual(
    [took, running],
    [
      [2, 4],
      [2, 4],
    ],
  );
  runtime.arrange('idle', [4, 3, 1]);
  assert.deepEqual(printed('idle', TYPICAL, { chosen: Uint8Array.of(0, 1) }), ['4', '3']);
  assert.deepEqual(printed('protocolDetected'), []);
  assert.deepEqual(
    failures.map(({ script }) => script),
    [3, 3],
  );
});

test('variables live as long as the version; teardown is called when it goes', (t) => {
  const source = (version: number): string =>
    `let n = 0;\nexport default { key: 'a', n: ${version}, idle() { console.log(this.n, ++n); }, teardown() { console.log('gone', n); } };`;
  const { lines, runtime } = start(t, [source(1)]);
  assert.deepEqual([...lines('idle'), ...lines('idle')], ['1 1', '1 2']);
  runtime.load(9, { file: 'a.ts', path: '/nowhere/a.ts', language: 'typescript', source: encode(source(2)), hash: '1' });
  runtime.unload(1);
  runtime.arrange('idle', [9]);
  assert.deepEqual(lines('idle'), ['gone 2', '2 1']);
});

test('alerts, statuses and scores', (t) => {
  const { run, failures } = start(t, [
    script(
      'a',
      'idle',
      `    flow.alert('flow_blacklisted', 'error', { name: 'mün', n: [1, 2] }, { score: 90, status: 'blacklisted' });
    flow.alert('web_mining', 'info');
    console.log(flow.isStatusSet('longlived'), flow.score());
    flow.setStatus('longlived'); flow.clearStatus('flow_risk'); flow.setScore(7); flow.setScore(8, 'client');
    console.log(flow.isStatusSet('longlived'), flow.score(), flow.score('client'), flow.score('server'));`,
    ),
    script('b', 'idle', 'console.log(flow.isStatusSet("longlived"), flow.score());'),
  ]);
  const of = { type: 'print', level: 'print' };
  assert.deepEqual(run('idle'), [
    {
      type: 'alert',
      script: 1,
      alert: {
        alertType: 7,
        alertTypeName: 'flow_blacklisted',
        severity: 2,
        severityName: 'error',
        score: 90,
        status: 13,
        info: Buffer.from('{"name":"mün","n":[1,2]}').toString('latin1'),
      },
    },
    { type: 'alert', script: 1, alert: { alertType: 21, alertTypeName: 'web_mining', severity: 0, severityName: 'info' } },
    { ...of, script: 1, line: 'false undefined' },
    { type: 'status', script: 1, status: 19, set: true },
    { type: 'status', script: 1, status: 33, set: false },
    { type: 'score', script: 1, of: 'flow', value: 7 },
    { type: 'score', script: 1, of: 'client', value: 8 },
    { ...of, script: 1, line: 'true 7 8 undefined' },
    { ...of, script: 2, line: 'true 7' },
  ]);
  assert.deepEqual(failures, []);
});

test('output has levels and lines', (t) => {
  const { run } = start(t, [
    script(
      'a',
      'idle',
      "console.log('two\\nlines', 1, null, undefined, { a: 1 }); console.warn('w'); console.error('e'); flow.log('normal', 'n', 2);",
    ),
  ]);
  assert.deepEqual(
    run('idle').map((effect) => (effect.type === 'print' ? [effect.level, effect.line] : [])),
    [
      ['print', 'two'],
      ['print', 'lines 1 null undefined {"a":1}'],
      ['warning', 'w'],
      ['error', 'e'],
      ['normal', 'n 2'],
    ],
  );
});

test('the cache: texts, hashes, sets and lists', (t) => {
  const { lines, cache, failures } = start(t, [
    `import { cache, defineScript } from 'flowpatrol';
export default defineScript({ key: 'a', idle(info, flow) {
  cache.set('t', 'mün'); cache.hashSet('h', 'f', '1'); cache.setAdd('s', 'b'); cache.setAdd('s', 'a');
  cache.listPush('l', '1', 'right'); cache.listPush('l', '2', 'right'); cache.listPush('l', '0', 'left');
  console.log(cache.get('t'), cache.get('none'), cache.increment('n'), cache.increment('n', 5));
  console.log(cache.hashGet('h', 'f'), cache.hashAll('h'), cache.hashAll('none'), cache.setMembers('s'), cache.setHas('s', 'c'));
  console.log(cache.listRange('l', 0, -1), cache.listLength('l'), cache.listPop('l', 'left'), cache.keys('?'), flow.cache === cache);
  cache.set('h', 'x', 5); cache.hashGet('l', 'f');
} });`,
  ]);
  assert.deepEqual(lines('idle'), [
    'mün undefined 1 6',
    '1 {"f":"1"} undefined ["a","b"] false',
    '["0","1","2"] 3 0 ["h","l","n","s","t"] true',
  ]);
  assert.equal(cache.get('t'), 'm\u00c3\u00bcn');
  assert.match(failures[0]?.message ?? 'none', /^(a\.ts:8: .*|none)$/);
});

test('time is the traffic’s, random numbers are the same in every run', (t) => {
  const body = `    console.log(Date.now(), new Date().toISOString(), new Date(0).getTime(), new Date(2020, 1).getFullYear(), Date().slice(0, 15),
      new Date() instanceof Date, typeof Date.parse('2020-01-01'), Date.name);
    console.log([Math.random(), Math.random()].every((n) => n >= 0 && n < 1), Math.random());`;
  const outside = "console.log('outside', Date.now());\n";
  const first = start(t, [outside + script('a', 'idle', body)]).lines('idle');
  const second = start(t, [outside + script('a', 'idle', body)]).lines('idle');
  assert.deepEqual(first, second);
  assert.equal(first[0], 'outside 0');
  assert.match(first[1] ?? '', /^1569859250000 2019-09-30T16:00:50\.000Z 0 2020 \w{3} \w{3} \d\d 2019 true number Date$/);
  assert.match(first[2] ?? '', /^true 0\.\d+$/);
});

test('helpers of the module: labels, translations, the interface', (t) => {
  const { lines } = start(t, [
    `import { defineScript, i18n, networkInterface, shortFlowLabel } from 'flowpatrol';
export default defineScript({ key: 'a', idle(info) {
  console.log(shortFlowLabel(info), i18n('greeting', { name: 'X' }), i18n('no.such'), networkInterface);
} });`,
  ]);
  assert.deepEqual(lines('idle'), ['[TCP] 192.168.1.20:51514 -> 203.0.113.7:80 [HTTP] Good day X no.such {"id":3,"name":"eth0"}']);
});

test('outside a callback there is no flow', (t) => {
  const { lines, failures } = start(t, [
    `import { defineScript, type Flow } from 'flowpatrol';
let kept: Flow | undefined;
export default defineScript({ key: 'a', idle(info, flow) { kept = flow; }, teardown() {
  try { kept?.alert('web_mining', 'info'); } catch (error) { console.log((error as Error).message); }
} });`,
  ]);
  lines('idle');
  assert.deepEqual(failures, []);
});

function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-typescript-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

test('files beside the script are imported', (t) => {
  const directory = folder(t, {
    'lib/limits.ts': "import { own } from './own.ts';\nexport const limit: number = own + 1;\nexport default class Counter { n = 0; }\n",
    'lib/own.ts':
      'const own = 1;\nfunction twice(n: number): number {\n  if (n < 0) throw new Error("below");\n  return n * 2;\n}\nexport { own, twice as double };\n',
  });
  const { lines, failures } = start(
    t,
    [
      `import Counter, { limit } from './lib/limits.ts';
import * as own from './lib/own.ts';
const counter = new Counter();
export default { key: 'a', idle() { console.log(limit, own.double(4), ++counter.n); own.double(-1); } };`,
    ],
    { directories: [directory] },
  );
  assert.deepEqual(lines('idle'), ['2 8 1']);
  assert.deepEqual(failures[0], {
    script: 1,
    reason: 'error',
    message: 'lib/own.ts:3: below',
    stack: 'lib/own.ts:3: in twice\na.ts:4: in idle',
  });
});

test('an import outside of the folders, in a circle, or of what is not there is refused', (t) => {
  const outside = folder(t, { 'secret.ts': 'export const x = 1;' });
  const directory = folder(t, { 'lib/a.ts': "import './b.ts';", 'lib/b.ts': "\nimport './a.ts';", 'lib/c.ts': 'export const c = ;' });
  symlinkSync(join(outside, 'secret.ts'), join(directory, 'link.ts'));
  const load = (source: string) => () => start(t, [source], { directories: [directory] });
  assert.throws(load("import { x } from './link.ts';"), {
    message: "a.ts:1: cannot import './link.ts': it lies outside of the folders of scripts",
  });
  assert.throws(load("import { x } from '../no-such-script.ts';"), {
    message: "a.ts:1: cannot import '../no-such-script.ts': there is no such file",
  });
  assert.throws(load("import './lib/a.ts';"), { message: "lib/b.ts:2: './a.ts' imports this file in its turn" });
  assert.throws(load("import './lib/c.ts';"), { message: /^lib\/c\.ts:1: Expression expected/ });
  assert.throws(load("import { d } from './lib/b.json';"), { message: /^a\.ts:1: cannot import/ });
});

test('writes go from script to script, also when the fields are handed over', (t) => {
  const body = "const any = info as any; any.seen = (any.seen ?? 0) + 1; console.log(any.seen, info.bytes, info['cli.ip']);";
  const { run } = start(t, [script('a', 'idle', body), script('b', 'idle', body)]);
  for (let i = 0; i < 50; i++) run('idle');
  const lines = run('idle', { ...TYPICAL, bytes: 3 }).map((effect) => (effect.type === 'print' ? effect.line : ''));
  assert.deepEqual(lines, ['1 3 192.168.1.20', '2 3 192.168.1.20']);
});

test('any number of fields is read right before and after they are handed over', (t) => {
  const keys = Array.from({ length: 11 }, (_, i) => `f${i}`);
  const fields = keys.map((key) => fieldOf(key, 'int'));
  const texts = keys.map((_, n) => script(`s${n}`, 'idle', `console.log([${keys.slice(0, n).map((key) => `info.${key}`)}].join());`));
  const { lines, failures } = start(t, texts, { fields });
  for (let round = 0; round < 1100; round += round < 40 ? 1 : 30) {
    const values = Object.fromEntries(keys.map((key, i) => [key, round * 100 + i]));
    assert.deepEqual(
      lines('idle', values),
      keys.map((_, n) => Object.values(values).slice(0, n).join()),
    );
  }
  assert.deepEqual(failures, []);
});

test('a field that cannot be read fails the calls that read it, and no other', (t) => {
  let broken = false;
  const field: Field = {
    ...fieldOf('bytes', 'int'),
    read() {
      if (broken) throw new RangeError('the event is damaged');
      return 5;
    },
  };
  const { run, lines, failures } = start(
    t,
    [
      script('a', 'idle', 'console.log(info.bytes);'),
      script('b', 'idle', 'console.log({ ...info }.bytes);'),
      script('c', 'idle', "console.log('c');"),
    ],
    { fields: [field] },
  );
  broken = true;
  assert.deepEqual(lines('idle'), ['c']);
  assert.deepEqual(
    failures.splice(0).map(({ message }) => message),
    ['a.ts:5: the event is damaged', 'b.ts:5: the event is damaged'],
  );
  broken = false;
  for (let i = 0; i < 40; i++) run('idle');
  broken = true;
  assert.deepEqual(lines('idle'), ['c']);
  assert.deepEqual(
    failures.map(({ message }) => message),
    ['a.ts: the event is damaged', 'b.ts:5: the event is damaged'],
  );
});

test('memory is the heap of the thread', (t) => {
  const { run, runtime } = start(t, [
    script('a', 'idle', '(globalThis as any).kept ??= []; (globalThis as any).kept.push(new Array(1 << 16).fill(1.5));'),
  ]);
  const before = Math.min(...Array.from({ length: 4 }, () => runtime.memory(true))); // contexts of other tests go by and by
  for (let i = 0; i < 128; i++) run('idle');
  assert.ok(runtime.memory(true) - before > 32 << 20);
});
