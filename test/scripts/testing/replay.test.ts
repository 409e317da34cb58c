/** Which doings of two runs belong together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Doing } from '../../../src/recording/format.ts';
import { differences } from '../../../src/scripts/testing/replay.ts';

type Compared = Extract<Doing, { type: 'alert' | 'print' }>;

const alert = (alertType: number, severity: number, version = 'v1'): Compared => ({
  type: 'alert',
  alert: { alertType, severity, script: 's', version, callback: 'idle', shadow: false, reason: { bytes: severity } },
});
const doing = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })).map(([type, severity]) => alert(type, severity)),
  fc.constantFrom('a', 'b').map((line): Compared => ({ type: 'print', script: 's', level: 'print', line, callback: 'idle' })),
);

test('the same in any order is no difference; every doing is told at most once', () => {
  fc.assert(
    fc.property(fc.array(doing, { maxLength: 8 }), fc.array(doing, { maxLength: 8 }), (a, b) => {
      assert.deepEqual(differences(a, a.toReversed()), []);
      const found = differences(a, b);
      const gone = found.filter(({ before }) => before !== undefined).length;
      const come = found.filter(({ after }) => after !== undefined).length;
      assert.equal(a.length - gone, b.length - come);
      for (const { before, after } of found) if (before !== undefined && after !== undefined) assert.equal(before.type, 'alert');
    }),
  );
});

test('an alert that changes is paired by its type; the version and its reason are no change', () => {
  assert.deepEqual(differences([alert(1, 1, 'v1')], [alert(1, 1, 'v2')]), []);
  assert.deepEqual(differences([alert(1, 1), alert(2, 1)], [alert(2, 2), alert(3, 1)]), [
    { before: alert(1, 1) },
    { before: alert(2, 1), after: alert(2, 2) },
    { after: alert(3, 1) },
  ]);
});
