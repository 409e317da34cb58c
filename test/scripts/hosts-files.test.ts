/** Which versions of files a host starts with that is made anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileChange } from '../../src/scripts/host.ts';
import { createFileBook, type FileBook } from '../../src/scripts/hosting/file-book.ts';

const PATH = '/s/a.lua';
const version = (hash: string): FileChange => ({
  path: PATH,
  version: { file: 'a.lua', path: PATH, language: 'lua', source: new Uint8Array(), hash },
});
const hashes = (book: FileBook): (string | undefined)[] => book.files().map(({ change }) => change.version?.hash);
const had = (loaded: string | undefined, tried: string): Parameters<FileBook['ran']>[0] => ({
  loaded: new Map(loaded === undefined ? [] : [[PATH, loaded]]),
  tried: new Map([[PATH, tried]]),
});

test('a version that did not return is to blame only while its file is the same', () => {
  const book = createFileBook([version('one')]);
  assert.ok(book.runs(PATH, 'one'));
  book.keep(version('two')); // while the host is being ended
  book.ran(had('one', 'one'));
  assert.ok(!book.runs(PATH, 'one'));
  assert.deepEqual(hashes(book), ['two']);
});

test('where the newest version was refused the next host has the one that ran, too', () => {
  const book = createFileBook([version('one')]);
  book.keep(version('two'));
  book.ran(had('one', 'two'));
  assert.deepEqual(hashes(book), ['one', 'two']);
  assert.ok(book.runs(PATH, 'one'));
  book.keep(version('three'));
  book.ran(had('three', 'three'));
  assert.deepEqual(hashes(book), ['three']);
});

test('a version whose setup() does not return is an error, and the one that ran runs on', () => {
  const book = createFileBook([version('one')]);
  book.keep(version('two'));
  book.keep(version('three'));
  book.ran(had('one', 'three'));
  book.refuse(PATH, 'it does not return');
  assert.deepEqual(
    book.files().map(({ change }) => [change.version?.hash, change.error]),
    [['one', 'it does not return']],
  );
});

test('a file keeps its number, and one that is gone leaves nothing', () => {
  const book = createFileBook([version('one')]);
  const number = book.numberOf(PATH);
  book.keep({ path: PATH });
  assert.deepEqual([book.files(), book.has(PATH)], [[], false]);
  assert.equal(book.keep(version('one')).number, number);
  book.keep({ path: PATH, error: 'it cannot be read' });
  assert.deepEqual(hashes(book), ['one']);
});
