/** Golden texts and differences of texts, whatever is in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffLines } from '../../../src/scripts/testing/diff.ts';
import { goldenText, parseGolden } from '../../../src/scripts/testing/golden.ts';

const lines: fc.Arbitrary<string[]> = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 20 });

test('a difference takes away what was and adds what is, and nothing more than it has to', () => {
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      const diff = diffLines(a.join('\n'), b.join('\n'));
      const marked = (mark: string): string[] => diff.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
      const rest = [...a];
      for (const line of marked('-')) assert.ok(rest.splice(rest.indexOf(line), 1).length === 1);
      rest.push(...marked('+'));
      assert.deepEqual(rest.sort(), [...b].sort());
      if (a.join() === b.join()) assert.deepEqual(diff, []);
    }),
  );
});

test('equal lines far from a change are left out', () => {
  const before = Array.from({ length: 30 }, (_, i) => `line ${i}`);
  const after = before.with(15, 'another');
  assert.deepEqual(diffLines(before.join('\n'), after.join('\n')), [
    '…',
    ...['  line 12', '  line 13', '  line 14', '- line 15', '+ another', '  line 16', '  line 17', '  line 18'],
    '…',
  ]);
});

test('a golden text is read as it was written, section by section', () => {
  const section = fc.array(fc.constantFrom('2019-09-30T16:00:50.000000Z idle', '  print capture x', '', 'idle: 3 calls'), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}\.pcap$/), section), (sections) => {
      const given = new Map(Object.entries(sections).map(([name, of]) => [name, `${of.join('\n').trim()}\n`]));
      assert.deepEqual(parseGolden(goldenText(given)), given);
    }),
  );
});
