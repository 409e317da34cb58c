/** Which files are scripts, and when they have changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createScriptFiles, type ScriptFiles } from '../../src/scripts/files.ts';
import type { FileChange } from '../../src/scripts/host.ts';

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
      age -= 10; // each write has a time of its own
      utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
    },
  };
}

/** What has changed, once it has come to rest. */
function settled(files: ScriptFiles): FileChange[] {
  assert.deepEqual(files.scan(), []);
  return files.scan();
}

const names = (changes: readonly { readonly path: string }[]): string[] => changes.map(({ path }) => basename(path));

test('scripts are found, changed and gone; other files are not', (t) => {
  const { folder, write } = folderOf(t);
  const files = createScriptFiles([folder], assert.fail);
  for (const name of ['b.lua', 'a.ts', '.hidden.lua', 'types.d.ts', 'notes.txt', 'lib/helper.lua']) write(name, 'return 1');
  assert.deepEqual(names(files.scan()), ['a.ts', 'b.lua']);
  assert.deepEqual(files.scan(), []);
  write('b.lua', 'return 2');
  assert.deepEqual(names(settled(files)), ['b.lua']);
  rmSync(join(folder, 'a.ts'));
  assert.deepEqual(settled(files), [{ path: join(folder, 'a.ts') }]);
});

test('a file that is being written is let be until it is the same at two looks; one that is written anew is never gone', (t) => {
  const { folder, write } = folderOf(t);
  write('a.lua', 'return 1');
  const files = createScriptFiles([folder], assert.fail);
  files.scan();
  for (const half of ['return {', 'return { key', 'return { key = "a" }']) {
    write('a.lua', half);
    assert.deepEqual(files.scan(), []);
  }
  const [change] = files.scan();
  assert.equal(Buffer.from(change?.version?.source ?? []).toString(), 'return { key = "a" }');
  rmSync(join(folder, 'a.lua'));
  write('b.lua', '');
  assert.deepEqual(files.scan(), []);
  write('a.lua', 'return 3');
  assert.deepEqual(names(files.scan()), ['b.lua']);
  assert.deepEqual(names(files.scan()), ['a.lua']);
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
  assert.deepEqual(settled(files), []);
  write('lib/helper.lua', 'return 2');
  const after = settled(files);
  assert.deepEqual(names(after), ['uses.lua', 'uses.ts']);
  for (const { path, version } of after) assert.notEqual(version?.hash, before.get(basename(path)));
  write('lib/helper.lua', 'return 1');
  for (const { path, version } of settled(files)) assert.equal(version?.hash, before.get(basename(path)));
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
