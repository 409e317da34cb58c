/** What the source of a script says of it before it runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELDS } from '../../src/flows/fields.ts';
import { fieldsReadBy, mayFeedBack } from '../../src/scripts/reading.ts';

const keys = (source: string): string[] => fieldsReadBy(source, FIELDS).map(({ key }) => key);

test('fields are found by quoted keys, members and getters; members that every object has are none of them', () => {
  assert.deepEqual(keys("info['cli.ip'] info.bytes"), ['cli.ip', 'bytes']);
  assert.ok(keys('flow.getClientGeolocation()').includes('cli.country'));
  assert.deepEqual(keys('(5).toString() x.constructor x.hasOwnProperty("y") x.__proto__ x.valueOf()'), []);
});

test('a script changes flows itself, or through a file of its own', () => {
  for (const source of [
    'flow.setStatus(x)',
    'flow:triggerStatus()',
    'flow.setScore(5)',
    'require "lib.marks"',
    "require('marks')",
    'require(name)',
    "import { mark } from './lib/mark.ts';",
  ]) {
    assert.ok(mayFeedBack(source), source);
  }
  for (const source of ['require "json"', 'require("alert_consts")', "import { defineScript } from 'flowpatrol';", 'print(info.score)']) {
    assert.ok(!mayFeedBack(source), source);
  }
});
