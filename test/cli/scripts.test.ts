/** `flowpatrol scripts`: of folders where nothing runs, and of a flowpatrol that runs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import type { ScriptReport } from '../../src/scripts/report.ts';
import { CLI, type CliRun, runCli } from '../support/run-cli.ts';

const CAPTURES = resolve(import.meta.dirname, '../captures');
const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-scripts-'));
after(() => rmSync(scratch, { recursive: true }));

const is = ({ status, stdout, stderr }: CliRun, code: number): string => {
  assert.equal(status, code, stdout + stderr);
  return stdout;
};
const wrong = (args: readonly string[], why: RegExp, code = 2): void => {
  const run = runCli(args);
  is(run, code);
  assert.match(run.stderr, why);
};

const script = (key: string, body = ''): string => `
local script = { key = "${key}", gui = { i18n_title = "Title of ${key}", i18n_description = "" } }
function script.setup() return true end
${body}
return script
`;

function folder(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(scratch, 'f-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

const CALLS = 'function script.protocolDetected(info) alerts_api.storeFlowAlert(alert_consts.alert_types.web_mining, 1) end';
const FAILS = 'function script.protocolDetected(info)\n  local x = nil\n  print(x.y)\nend';

test('where nothing runs: the scripts of the folders, their errors, and the source with the line at fault', () => {
  const directory = folder({ 'good.lua': script('good', CALLS), 'bad.lua': 'local script = {}\nretrun script' });
  const list = is(runCli(['scripts', '--scripts-dir', directory]), 1);
  assert.match(list, /^Script +state +kind +version +calls /);
  assert.match(list, /\ngood +on +Lua 2019 +[0-9a-f]{12} +0 /);
  assert.match(list, /\nbad\.lua +error +Lua .*\n {4}bad\.lua: no callbacks\n {4}error: bad\.lua:2: /);
  const { scripts } = JSON.parse(is(runCli(['scripts', 'list', '--scripts-dir', directory, '--json']), 1)) as { scripts: ScriptReport[] };
  assert.deepEqual(
    scripts.map(({ key, state }) => [key, state]),
    [
      ['bad.lua', 'error'],
      ['good', 'on'],
    ],
  );
  assert.match(
    is(runCli(['scripts', 'show', 'bad.lua', '--scripts-dir', directory]), 0),
    /^ {2}1 │ local script = \{\}\n> 2 │ retrun script\n {4}└ bad\.lua:2: .*\n$/,
  );
  wrong(['scripts', 'show', 'goood', '--scripts-dir', directory], /there is no script 'goood'\n {2}did you mean good\?/);
});

test('check: what keeps scripts from running, and what looks wrong', () => {
  const good = folder({ 'good.lua': script('good', CALLS) });
  assert.equal(is(runCli(['scripts', 'check', '--scripts-dir', good]), 0), '1 script, 1 without a finding, 0 errors\n');
  const bad = folder({
    'good.lua': script('good', CALLS),
    'misspelt.lua': script('misspelt', 'function script.protocolDetcted(info) end'),
    'twice.lua': script('good'),
  });
  writeFileSync(
    join(bad, 'typed.ts'),
    "import { defineScript } from 'flowpatrol';\nexport default defineScript({ key: 'typed', idle(info) { info.nothing; } });\n",
  );
  const found = is(runCli(['scripts', 'check', '--scripts-dir', bad]), 1);
  assert.match(found, /twice\.lua: error: the key "good" is taken by good\.lua\n/);
  assert.match(found, /misspelt\.lua(:\d+)?: warning: .*protocolDetcted.*\n/);
  assert.match(found, /typed\.ts:2:\d+: error: .*'nothing' does not exist/);
  assert.match(found, /\n4 scripts, 1 without a finding, 2 errors\n$/);
});

test('check and list: a script that does not return is named, and the others are looked at', () => {
  const directory = folder({
    'good.lua': script('good', CALLS),
    'slow.lua': script('slow', CALLS).replace('return true', 'return (("a"):rep(40)):find(("a-"):rep(30) .. "b")'),
  });
  const check = (): string => is(runCli(['scripts', 'check', '--scripts-dir', directory]), 1);
  assert.match(
    check(),
    /slow\.lua: error: its setup\(\) did not return for 1500 ms of CPU time\n2 scripts, 1 without a finding, 1 error\n$/,
  );
  const { scripts } = JSON.parse(is(runCli(['scripts', 'list', '--scripts-dir', directory, '--json']), 1)) as { scripts: ScriptReport[] };
  assert.deepEqual(
    scripts.map(({ file, state, error }) => [file, state, error]),
    [
      ['good.lua', 'on', undefined],
      ['slow.lua', 'error', 'slow.lua: its setup() did not return for 1500 ms of CPU time'],
    ],
  );
  writeFileSync(
    join(directory, 'loop.ts'),
    "import { defineScript } from 'flowpatrol';\nwhile (true);\nexport default defineScript({ key: 'loop', idle() {} });\n",
  );
  assert.match(
    check(),
    /loop\.ts: error: .* took more than 1000 ms\n[\s\S]*slow\.lua: error: [\s\S]*\n3 scripts, 1 without a finding, 2 errors\n$/,
  );
});

test('new: a script that loads and runs, and is never overwritten', () => {
  const directory = join(scratch, 'new');
  const made = is(runCli(['scripts', 'new', 'beacon', '--lua', '--scripts-dir', directory]), 0);
  assert.match(made, /beacon\.lua\nTry it: flowpatrol test \S+beacon\.lua CAPTURE\n$/);
  assert.equal(is(runCli(['scripts', 'check', '--scripts-dir', directory]), 0), '1 script, 1 without a finding, 0 errors\n');
  const run = is(runCli(['test', join(directory, 'beacon.lua'), join(CAPTURES, 'http-dns.pcap')]), 0);
  assert.match(run, /protocolDetected: 3 calls\n/);
  is(runCli(['scripts', 'new', 'typed', '--ts', '--scripts-dir', directory]), 0);
  assert.equal(is(runCli(['scripts', 'check', '--scripts-dir', directory]), 0), '2 scripts, 2 without a finding, 0 errors\n');
  wrong(['scripts', 'new', 'beacon', '--lua', '--scripts-dir', directory], /beacon\.lua is there already/);
  wrong(['scripts', 'new', '../x', '--lua', '--scripts-dir', directory], /'\.\.\/x' cannot be a key/);
  wrong(['scripts', 'new', 'x', '--scripts-dir', directory], /in which language\?/);
  wrong(['scripts', 'list', '--lua'], /--lua and --ts belong to scripts new/);
  wrong(['scripts', 'lst'], /'lst' is none of .*\n {2}did you mean list\?/);
});

test('switches are kept for the next run', () => {
  const directory = folder({ 'a.lua': script('a', CALLS) });
  const data = join(scratch, 'data');
  wrong(['scripts', 'disable', 'a'], /a switch is kept in the data directory/);
  wrong(['scripts', 'disable', 'a', '-d', data], /there is no data directory/, 1);
  mkdirSync(data);
  const capture = join(CAPTURES, 'http-dns.pcap');
  const alerts = (): string[] => {
    const file = join(scratch, 'alerts');
    is(runCli(['-i', capture, '-d', data, '--scripts-dir', directory, '--export-alerts', file]), 0);
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"script":"a"'));
  };
  assert.equal(alerts().length, 3);
  const off = runCli(['scripts', 'disable', 'a', '-d', data]);
  assert.equal(is(off, 0), 'a: off\n');
  assert.match(off.stderr, /it is stored there for the next run/);
  assert.equal(alerts().length, 0);
  assert.match(is(runCli(['scripts', 'list', '-d', data, '--scripts-dir', directory]), 0), /\na +off /);
  is(runCli(['scripts', 'enable', 'a', '-d', data, '-i', capture]), 0);
  assert.equal(alerts().length, 3);
});

test('a flowpatrol that runs: its list, switches at once, the last failure in the source, traces', async () => {
  const directory = folder({ 'calls.lua': script('calls', CALLS), 'fails.lua': script('fails', FAILS) });
  const data = join(scratch, 'running');
  const capture = join(CAPTURES, 'demo.pcap'); // 26 minutes at its own speed
  const child = spawn(
    process.execPath,
    [
      CLI,
      '-i',
      capture,
      '--no-web',
      '--original-speed',
      '-d',
      data,
      '--scripts-dir',
      directory,
      '--export-alerts',
      '-',
      '--pref',
      'housekeeping_frequency=1',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ask = (...args: string[]): string => is(runCli([...args, '-d', data]), 0);
  try {
    await once(child.stdout as NodeJS.ReadableStream, 'data'); // the first alert
    child.stdout?.resume();
    const list = ask('scripts');
    assert.match(list, /\ncalls +on +Lua 2019 +[0-9a-f]{12} +[1-9]/);
    assert.match(list, /\n {4}last failure: fails\.lua:6: /);
    assert.match(ask('scripts', 'show', 'fails'), /\n> 6 │ {3}print\(x\.y\)\n {4}└ fails\.lua:6: /);
    assert.equal(ask('scripts', 'shadow', 'calls', '-i', capture), `calls: shadow on ${capture}\n`);
    const state = (): unknown =>
      (JSON.parse(ask('scripts', 'list', '--json')) as { scripts: ScriptReport[] }).scripts.find(({ key }) => key === 'calls')?.state;
    while (state() !== 'shadow'); // its host has to say so
    wrong(['scripts', 'disable', 'cals', '-d', data], /There is no script with the key 'cals'\.\n {2}did you mean calls\?/, 1);
    const flows = ask('explain', 'proto == DNS');
    const [flow = ''] = flows.split(' ');
    assert.match(flow, /^\w+-0-\d+$/);
    assert.match(ask('explain', flow), /protocolDetected: .*\n {4}calls +called, 1 alert\n {4}fails +failed: fails\.lua:6: /);
  } finally {
    child.kill('SIGKILL');
  }
});
