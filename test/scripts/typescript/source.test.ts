/** What a source becomes, and which callbacks do nothing with `info` but to read fields by their names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileSource } from '../../../src/scripts/typescript/source.ts';

/** Keys that the callback reads, or undefined where it does more with its parameter. */
const reads = (callback: string): readonly string[] | undefined => {
  const text = `idle${callback}`;
  return compileSource('a.ts', `export default { ${text} };`).reads.get(text);
};

test('callbacks that read fields by name are known with the names', () => {
  assert.deepEqual(reads('(info, flow) { if (info.bytes > 5) flow.alert(info["cli.ip"], info.tos.client); }'), ['bytes', 'cli.ip', 'tos']);
  assert.deepEqual(reads('({ bytes, "cli.ip": ip = "none" }, flow) { flow.log(bytes, ip); }'), ['bytes', 'cli.ip']);
  assert.deepEqual(reads('(info) { const { bytes, tos: { client } } = info; return bytes + client.info; }'), ['bytes', 'tos']);
  assert.deepEqual(reads('(info) { return { info: 1, bytes: info.bytes?.toFixed(info.duration) }; }'), ['bytes', 'duration']);
  assert.deepEqual(reads('() {}'), []);
});

test('everything else is not', () => {
  const others = `helper(info)|info[key]|info.x = 1|info.x++|delete info.x|info.toString()|info.f()|info.constructor|({ ...info })|"x" in info|[info]
    ({ info })|const x = info|const { a, ...b } = info|const { [a]: b } = info|for (const x in info) {}|for (info.x of []) {}|[1].map(() => info.bytes)
    ({ a: info.x } = y)|[info.x] = y|[...info.x] = y|arguments[0]|info|(() => info)()|class A { x = info.bytes; }|info.__proto__|info.f\`x\``;
  for (const body of others.split(/[|\n]/)) assert.equal(reads(`(info) { ${body.trim()}; }`), undefined, body);
  assert.equal(reads('({ bytes, ...rest }) {}'), undefined);
  assert.equal(reads('({ bytes }) { arguments; }'), undefined);
  assert.equal(reads('([bytes]) {}'), undefined);
  assert.equal(reads('(info = {}) {}'), undefined);
  assert.equal(reads('() { arguments; }'), undefined);
});

test('lines stay where they are', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          "import { defineScript,\n  type Info } from 'flowpatrol';",
          "import all, * as rest from\n'./x.ts';",
          'export const NAME: number =\n 5;',
          'export function NAME(a: string): void {\n}',
          'const NAME = <T,>(x: T) =>\n  x;',
          'interface NAME {\n a: 1 }',
          'export class NAME {\n}',
          'const NAME = 1;\nexport {\n NAME };',
        ),
      ),
      (statements) => {
        const names = statements.map((statement, i) =>
          statement.replaceAll('NAME', `n${i}`).replaceAll(/\b(all|rest|defineScript)\b/g, `$1${i}`),
        );
        const source = `${names.join('\n').replaceAll(/(defineScript\d+)/g, 'defineScript as $1')}\nexport default\n  { mark: 'HERE' };\n`;
        const { code } = compileSource('a.ts', source);
        const line = (text: string): number => text.slice(0, text.indexOf('HERE')).split('\n').length;
        assert.equal(line(code), line(source));
        new Function(`return ${code.replace("'use strict'; ", '')}`); // it compiles
      },
    ),
  );
});
