/** The types of the pages are those of the schemas as they are now. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { answerTypes, FILE } from './answer-types.ts';

it('types of answers are made of the schemas', () => {
  assert.equal(readFileSync(FILE, 'utf8'), answerTypes(), 'node test/web/answer-types.ts makes them anew');
});
