/** `info` is like a plain object that has all fields of the flow, whatever a script does with it and however it was called before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FIELDS } from '../../../src/flows/fields.ts';
import { event, NAMES } from '../../support/events.ts';
import { FIELDS_OF_TEST, TYPICAL, type Values } from '../support.ts';
import { script, start } from './support.ts';

/** Does each step to `info` and to a plain object of the same values; prints where they differ. */
const COMPARED = script(
  'a',
  'idle',
  `    const plain = JSON.parse(flow.cache.get('plain')!);
    const one: any = info;
    const attempt = (f: () => unknown) => { try { return JSON.stringify([f()]); } catch (error) { return (error as Error).name; } };
    for (const [what, key, value] of JSON.parse(flow.cache.get('steps')!)) {
      const step: (of: any) => unknown = {
        get: (of: any) => of[key],
        has: (of: any) => key in of,
        set: (of: any) => { of[key] = value; },
        delete: (of: any) => delete of[key],
        own: (of: any) => Object.hasOwn(of, key),
        keys: (of: any) => Object.keys(of),
        spread: (of: any) => ({ ...of }),
        rest: (of: any) => { const { bytes, ...rest } = of; return [bytes, rest]; },
        json: (of: any) => JSON.parse(JSON.stringify(of)),
        entries: (of: any) => Object.entries(of),
        loop: (of: any) => { const keys = []; for (const name in of) keys.push(name); return keys; },
        describe: (of: any) => Object.getOwnPropertyDescriptor(of, key),
        define: (of: any) => { Object.defineProperty(of, key, { value, enumerable: true, configurable: true, writable: true }); },
        assign: (of: any) => { Object.assign(of, { [key]: value, added: 1 }); },
        inherit: (of: any) => { const child = Object.create(of); child[key] = value; return [child[key], of[key], child.bytes, Object.keys(child)]; },
        prototype: (of: any) => Object.getPrototypeOf(of) === Object.prototype,
        text: (of: any) => String(of) + of.constructor.name,
        freeze: (of: any) => { Object.freeze(of); },
        frozen: (of: any) => Object.isFrozen(of),
      }[what as string]!;
      const [ours, theirs] = [attempt(() => step(one)), attempt(() => step(plain))];
      if (ours !== theirs) console.log(what, key, ours, theirs);
    }`,
);

const keys = [...FIELDS_OF_TEST.map(({ key }) => key), 'mark', 'toString'];
const steps = fc.array(
  fc.tuple(
    fc.constantFrom(
      ...['get', 'has', 'set', 'delete', 'own', 'keys', 'spread', 'rest', 'json', 'entries', 'loop', 'describe', 'define', 'assign'],
      ...['inherit', 'prototype', 'text', 'freeze', 'frozen'],
    ),
    fc.constantFrom(...keys),
    fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant([1, { a: 2 }])),
  ),
  { maxLength: 12 },
);
const values: fc.Arbitrary<Values> = fc
  .record({ host: fc.option(fc.string(), { nil: undefined }), icmp: fc.boolean(), bytes: fc.nat() })
  .map(({ host, icmp, bytes }) => ({
    ...TYPICAL,
    bytes,
    ...(host === undefined ? {} : { host_server_name: Buffer.from(host, 'utf8').toString('latin1') }),
    ...(icmp ? { icmp: { type: 3, code: 1 } } : {}),
  }));

test('as a whole it behaves as a plain object, in its first call and in later ones', (t) => {
  const { run, lines, cache, failures } = start(t, [COMPARED]);
  for (let round = 0; round < 2; round++) {
    fc.assert(
      fc.property(values, steps, (of, list) => {
        // the fields in the order of their declaration
        const plain = FIELDS_OF_TEST.flatMap(({ key }) => (of[key] === undefined ? [] : [[key, proper(of[key])] as const]));
        cache.set('plain', Buffer.from(JSON.stringify(Object.fromEntries(plain)), 'utf8').toString('latin1'));
        cache.set('steps', Buffer.from(JSON.stringify(list), 'utf8').toString('latin1'));
        assert.deepEqual(lines('idle', of), []);
        assert.deepEqual(failures, []);
      }),
    );
    cache.set(
      'steps',
      JSON.stringify([
        ['get', 'bytes'],
        ['get', 'cli.ip'],
        ['get', 'icmp'],
      ]),
    ); // they are handed over from now on
    for (let i = 0; i < 1100; i++) run('idle');
  }
});

const proper = (value: Values[string] | undefined): unknown =>
  typeof value === 'string' ? Buffer.from(value, 'latin1').toString('utf8') : value;

test('all fields of a real event read by name are those of the copy', (t) => {
  const read = FIELDS.map(({ key }) => `[${JSON.stringify(key)}, info[${JSON.stringify(key)}]]`).join(', ');
  const { runEvent, failures } = start(
    t,
    [
      script(
        'names',
        'idle',
        `flow.alert('web_mining', 'info', Object.fromEntries([${read}].filter(([, value]) => value !== undefined)));`,
      ),
      script('whole', 'idle', "flow.alert('web_mining', 'info', info);"),
    ],
    { names: NAMES, fields: FIELDS },
  );
  const of = { host_server_name: 'mün.example', 'tls.server_names': 'a,b', 'tls.version': 771 };
  const ends = { client: 'fe80::1', server: '2001:db8::5' };
  for (let i = 0; i < 40; i++) {
    const bytes = event({ seq: i, l4: 6, ...ends, application: 'TLS', details: of, cli2srv: { lengths: [60, 1500] } });
    const [names, whole] = runEvent('idle', bytes).map((effect) => (effect.type === 'alert' ? effect.alert.info : undefined));
    assert.deepEqual(JSON.parse(names as string), JSON.parse(whole as string));
    assert.match(Buffer.from(whole as string, 'latin1').toString('utf8'), /"mün\.example"/);
  }
  assert.deepEqual(failures, []);
});

test('an `info` that was kept says that its call is over; a copy keeps its values', (t) => {
  const { run, lines, failures } = start(t, [
    `import { defineScript, type Info } from 'flowpatrol';
let kept: Info | undefined;
let copy: Info | undefined;
export default defineScript({
  key: 'a',
  protocolDetected(info) { kept = info; copy = { ...info }; console.log(kept.bytes); },
  idle() {
    for (const use of [() => kept!.bytes, () => kept!['cli.ip'], () => 'bytes' in kept!, () => Object.keys(kept!), () => ({ ...kept! }),
      () => { (kept as any).x = 1; }, () => Object.getPrototypeOf(kept!)]) {
      try { console.log('read', use()); } catch (error) { console.log((error as Error).message.slice(0, 43)); }
    }
    console.log(copy!.bytes, copy!['cli.ip']);
  },
});`,
  ]);
  for (let i = 0; i < 40; i++) run('protocolDetected', { ...TYPICAL, bytes: i });
  run('protocolDetected', { ...TYPICAL, bytes: 41 });
  assert.deepEqual(lines('idle', { ...TYPICAL, bytes: 5, 'cli.ip': '10.9.9.9' }), [
    ...Array<string>(7).fill('this `info` belongs to a call that is over:'),
    '41 192.168.1.20',
  ]);
  assert.deepEqual(failures, []);
});

test('what a script writes is seen by the later ones of the event, and gone with it', (t) => {
  const { lines, failures } = start(t, [
    script(
      'a',
      'idle',
      "const any = info as any; console.log('a', any.mark, info.bytes); any.mark = { n: 1 }; any.bytes = 5; delete any['cli.ip'];",
    ),
    script('b', 'idle', "console.log('b', (info as any).mark, info.bytes, info['cli.ip'], 'cli.ip' in info);"),
    script('c', 'idle', "const { bytes, mark } = info as any; console.log('c', bytes, mark, { ...info }['cli.ip']);"),
  ]);
  for (let i = 0; i < 40; i++) {
    assert.deepEqual(lines('idle'), ['a undefined 2698', 'b {"n":1} 5 undefined false', 'c 5 {"n":1} undefined']);
  }
  assert.deepEqual(failures, []);
});

test('texts are proper text, tables are objects that are the same each time', (t) => {
  const { lines } = start(t, [
    script('a', 'idle', "console.log(info.host_server_name === 'mün', info.host_server_name!.length, info.icmp === info.icmp, info.icmp);"),
  ]);
  const of = { ...TYPICAL, host_server_name: Buffer.from('mün').toString('latin1'), icmp: { type: 3, unreach: { src_ip: '10.0.0.1' } } };
  assert.deepEqual(lines('idle', of), ['true 3 true {"type":3,"unreach":{"src_ip":"10.0.0.1"}}']);
  assert.deepEqual(lines('idle', { ...TYPICAL, host_server_name: '\xff' }), ['false 1 true undefined']);
});
