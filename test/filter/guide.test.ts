/** The guide says what is so: its examples compile and find something, its table of names is complete, its mistakes are said so. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileFilter, FilterError, filterFields } from '../../src/filter/filter.ts';
import { FLOW_NAMES, FLOWS, NAMES_OF_FLOWS, viewOf } from './flows.ts';

const guide = readFileSync(new URL('../../docs/guides/filters.md', import.meta.url), 'utf8');
const rows = (heading: string): string[][] => {
  const section = guide.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.slice(2, -2).split(' | '));
};

const examples = [...guide.matchAll(/```filter\n([^`]*)```/g)].flatMap(([, block]) => (block as string).trim().split('\n'));

test('there are examples', () => assert.ok(examples.length > 15));

for (const example of examples) {
  test(`example: ${example}`, () => {
    const filter = compileFilter(example, NAMES_OF_FLOWS);
    const found = FLOW_NAMES.filter((name) => filter.matches(viewOf(FLOWS[name])));
    assert.ok(found.length > 0, 'it finds nothing');
    assert.ok(found.length < FLOW_NAMES.length, 'it finds everything');
  });
}

test('every short name stands in the table, and no other', () => {
  assert.deepEqual(
    rows('Short names'),
    filterFields()
      .filter((field) => field.alias)
      .map(({ name, keys, doc }) => [`\`${name}\``, keys.map((key) => `\`${key}\``).join(', '), doc]),
  );
});

for (const [code = '', said = ''] of rows('Mistakes')) {
  test(`mistake: ${code}`, () => {
    assert.throws(
      () => compileFilter(code.slice(1, -1), NAMES_OF_FLOWS),
      (error) => {
        assert.ok(error instanceof FilterError);
        // a sentence, and after a colon the hint
        assert.ok([error.message, `${error.message.slice(0, -1)}: ${error.hint}`].includes(said), `${error.message} ${error.hint}`);
        return true;
      },
    );
  });
}
