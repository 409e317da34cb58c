/** What the language means, said by a vocabulary that writes down what it is asked; and the errors that are the same in all of them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileAlertFilter } from '../../src/alerts/filter.ts';
import { compileFilter, FilterError } from '../../src/filter/filter.ts';
import { NO_NAMES } from '../../src/filter/objects.ts';
import { type Asked, type Vocabulary, walk } from '../../src/filter/walk.ts';
import { filterSql } from '../../src/store/duckdb/filter-sql.ts';
import { createParameters } from '../../src/store/duckdb/parameters.ts';
import { compileRowFilter } from '../../src/store/row-filter.ts';

const written = (name: string): Asked<string> => ({
  compare: ({ op, items }) => `${name}${op}${items.map(({ from, to }) => (to === undefined ? from : `${from}..${to}`)).join('/')}`,
  there: `${name}?`,
  holds: `${name}!`,
});

/** `both` has two values, `a` and `b`; `ghost` can be asked for its presence alone. */
const WRITTEN: Vocabulary<string> = {
  all: 'all',
  allOf: (parts) => `(${parts.join(' & ')})`,
  anyOf: (parts) => (parts.length === 1 ? (parts[0] as string) : `(${parts.join(' | ')})`),
  not: (of) => `-${of}`,
  butNot: (of, but) => `(${of} but ${but})`,
  named(name) {
    if (name === 'ghost') return { words: 'a ghost', operators: [], values: [written('ghost')] };
    if (name === 'odd') return { words: 'odd', operators: ['in'], hint: 'ask another', values: [written('odd')] };
    const term = { words: 'a word', operators: ['==', '!=', 'in', '<'] as const };
    if (name === 'both') return { ...term, values: [written('a'), written('b')] };
    return name.length === 1 ? { ...term, values: [written(name)] } : undefined;
  },
  names: () => ['both', 'ghost'],
};

describe('meaning', () => {
  const cases: Readonly<Record<string, string>> = {
    '': 'all',
    'x == 1': 'x==1',
    'x < 1': 'x<1',
    x: 'x!',
    both: '(a! | b!)',
    'both == 1': '(a==1 | b==1)',
    'x in {1, 2..3}': 'x==1/2..3',
    'x not in 1': '-x==1',
    // one value is enough for "there", and one that is equal for "not different"
    'x != 1': '(x? but x==1)',
    'both != 1': '((a? | b?) but (a==1 | b==1))',
    'not both == 1': '-(a==1 | b==1)',
    'x and y or not z': '((x! & y!) | -z!)',
    'x and (y or z) and w == 1': '(x! & (y! | z!) & w==1)',
  };
  for (const [text, meaning] of Object.entries(cases))
    test(text || 'the empty filter', () => {
      assert.equal(walk(text, WRITTEN), meaning);
    });
});

describe('errors', () => {
  const error = (ask: () => unknown): Record<string, unknown> => {
    try {
      ask();
    } catch (thrown) {
      assert.ok(thrown instanceof FilterError, String(thrown));
      const { code, message, position, length, hint } = thrown;
      return { code, message, position, length, hint };
    }
    return assert.fail('nothing is wrong with it');
  };
  const walked = (text: string): Record<string, unknown> => error(() => walk(text, WRITTEN));

  test('a name that nothing has, with the near one of this vocabulary', () => {
    const message = 'There is no field "bth".';
    assert.deepEqual(walked('x and bth == 1'), { code: 'unknown-field', message, position: 6, length: 3, hint: 'did you mean "both"?' });
    assert.equal(walked('nothing').hint, 'the fields are listed in docs/reference/flow-info.md');
  });

  test('an operator that it does not have, with those that it has', () => {
    const message = '"x" is a word: it does not go with ">".';
    assert.deepEqual(walked('x > 1'), { code: 'wrong-operator', message, position: 2, length: 1, hint: 'it goes with ==, !=, in, <' });
    assert.equal(walked('ghost == 1').hint, 'it can be asked for its presence alone');
    assert.equal(walked('odd == 1').hint, 'ask another');
  });

  const others: Readonly<Record<string, (text: string) => unknown>> = {
    rows: (text) => compileRowFilter(text),
    columns: (text) => filterSql(text, 'flows', createParameters()),
    alerts: (text) => compileAlertFilter(text),
    'columns of alerts': (text) => filterSql(text, 'alerts', createParameters()),
  };
  for (const text of ['bites > 1', 'bytes contains 1', 'bytes > x', 'server == 10.0.0', 'status == nonsense', 'l4 == tcp and'])
    test(`${text}: one error everywhere`, () => {
      const live = error(() => compileFilter(text, NO_NAMES));
      for (const [where, ask] of Object.entries(others)) {
        // columns take any name where they are not told which there are
        if (live.code === 'unknown-name' && where === 'columns') assert.doesNotThrow(() => ask(text));
        else
          assert.deepEqual(
            error(() => ask(text)),
            live,
            where,
          );
      }
    });

  test('what is wrong behind a name that is not checked is found all the same', () => {
    const columns = (text: string): Record<string, unknown> => error(() => others.columns?.(text));
    assert.equal(columns('status == nonsense and bites > 1').hint, 'did you mean "bytes"?');
    assert.equal(columns('status == nonsense and bytes contains 1').code, 'wrong-operator');
  });
});
