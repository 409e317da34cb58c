/** `flowpatrol scripts new --lua`: the script that is written loads, and an editor knows its types. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCli } from '../../support/run-cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-new-'));
after(() => rmSync(scratch, { recursive: true }));

const make = (directory: string, name: string, language: string): string => {
  const { status, stdout, stderr } = runCli(['scripts', 'new', name, language, '--scripts-dir', directory]);
  assert.equal(status, 0, stdout + stderr);
  return stdout;
};

test('with settings for editors, which point to the types', () => {
  const directory = join(scratch, 'a');
  make(directory, 'beacon', '--lua');
  assert.deepEqual(readdirSync(directory).sort(), ['.luarc.json', 'beacon.lua']);
  assert.match(readFileSync(join(directory, 'beacon.lua'), 'utf8'), /^---@type flowpatrol\.Script\nlocal script = \{$/m);
  const [types = ''] = (JSON.parse(readFileSync(join(directory, '.luarc.json'), 'utf8')) as { 'workspace.library': string[] })[
    'workspace.library'
  ];
  for (const file of ['info.lua', 'lua/types.lua', 'lua/flow.lua']) assert.ok(existsSync(join(types, file)), file);
  const { status, stdout } = runCli(['scripts', 'list', '--scripts-dir', directory]);
  assert.equal(status, 0);
  assert.match(stdout, /^beacon +on +Lua 2019 /m);
});

test('settings that are there stay as they are, and are named; TypeScript needs none', () => {
  const own = mkdtempSync(join(scratch, 'b-'));
  writeFileSync(join(own, '.luarc.json'), '{}');
  assert.match(make(own, 'beacon', '--lua'), new RegExp(`\nEditors that have its folder open use ${own}/\\.luarc\\.json\n`));
  assert.equal(readFileSync(join(own, '.luarc.json'), 'utf8'), '{}');
  const below = join(own, 'some', 'scripts');
  assert.match(make(below, 'beacon', '--lua'), new RegExp(`\nEditors that have its folder open use ${own}/\\.luarc\\.json\n`));
  assert.deepEqual(readdirSync(below), ['beacon.lua']);
  writeFileSync(join(own, 'some', '.luarc.jsonc'), '{}');
  assert.match(make(below, 'another', '--lua'), /\/some\/\.luarc\.jsonc\n/, 'the nearest');
  const typed = join(scratch, 'c');
  make(typed, 'typed', '--ts');
  assert.deepEqual(readdirSync(typed), ['typed.ts']);
});

test('where no folder can be made: said at once', () => {
  const { status, stderr } = runCli(['scripts', 'new', 'beacon', '--lua', '--scripts-dir', '/proc/flowpatrol/scripts']);
  assert.equal(status, 1);
  assert.match(stderr, /^flowpatrol: scripts new: the directory \/proc\/flowpatrol\/scripts cannot be made: ENOENT/);
});
