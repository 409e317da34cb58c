/** Which files are scripts, and when they have changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createScriptFiles } from '../../src/scripts/files.ts';

function folderOf(t: TestContext): { folder: string; write(name: string, text: string): void } {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-files-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let age = 1000;
  return {
    folder,
    write(name, text) {
      const path = join(folder, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text);
      age -= 10; // each write has a time of its own, long enough ago to be whole
      utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
    },
  };
}

const names = (changes: readonly { readonly path: string }[]): string[] => changes.map(({ path }) => basename(path));

test('scripts are found, changed and gone; other files are not', (t) => {
  const { folder, write } = folderOf(t);
  const files = createScriptFiles([folder], assert.fail);
  for (const name of ['b.lua', 'a.ts', '.hidden.lua', 'types.d.ts', 'notes.txt', 'lib/helper.lua']) write(name, 'return 1');
  assert.deepEqual(names(files.scan()), ['a.ts', 'b.lua']);
  assert.deepEqual(files.scan(), []);
  write('b.lua', 'return 2');
  assert.deepEqual(names(files.scan()), ['b.lua']);
  rmSync(join(folder, 'a.ts'));
  assert.deepEqual(files.scan(), [{ path: join(folder, 'a.ts') }]);
});

test('what a script requires is a part of its version', (t) => {
  const { folder, write } = folderOf(t);
  write('lib/helper.lua', 'return 1');
  write('tests/other.lua', 'return 1');
  write('uses.lua', 'local helper = require "lib.helper"');
  write('uses.ts', "import { x } from './lib/x.ts';");
  write('alone.lua', 'local json = require("json")');
  const files = createScriptFiles([folder], assert.fail);
  const before = new Map(files.scan().map(({ path, version }) => [basename(path), version?.hash]));
  assert.deepEqual(files.scan(), []);
  write('tests/other.lua', 'return 2');
  assert.deepEqual(files.scan(), []);
  write('lib/helper.lua', 'return 2');
  const after = files.scan();
  assert.deepEqual(names(after), ['uses.lua', 'uses.ts']);
  for (const { path, version } of after) assert.notEqual(version?.hash, before.get(basename(path)));
  write('lib/helper.lua', 'return 1');
  for (const { path, version } of files.scan()) assert.equal(version?.hash, before.get(basename(path)));
});

test('what is no regular file is an error of its own, and nothing is waited for', (t) => {
  const { folder, write } = folderOf(t);
  write('good.lua', 'return 1');
  execFileSync('mkfifo', [join(folder, 'pipe.lua')]);
  mkdirSync(join(folder, 'folder.lua'));
  symlinkSync('/dev/zero', join(folder, 'endless.lua'));
  symlinkSync('loop.lua', join(folder, 'loop.lua'));
  const files = createScriptFiles([folder], assert.fail);
  assert.deepEqual(
    files.scan().map(({ path, error = '' }) => `${basename(path)}: ${error.replace(/, stat .*/, '')}`),
    [
      'endless.lua: a script is a regular file, and this is none',
      'folder.lua: a script is a regular file, and this is none',
      'good.lua: ',
      'loop.lua: ELOOP: too many symbolic links encountered',
      'pipe.lua: a script is a regular file, and this is none',
    ],
  );
});
