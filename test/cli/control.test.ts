/** A run and those who talk to it, as real processes: prefs, top in a terminal; flows; the examples of the guides. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { FlowList } from '../../src/api/rows.ts';
import { actionOf } from '../../src/cli/prefs.ts';
import { PREFERENCE_NAMES, PREFERENCES, type Preference } from '../../src/preferences.ts';
import type { PreferenceState } from '../../src/store/preferences.ts';
import { CLI, type CliRun, runCli } from '../support/run-cli.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const DEMO = join(PROJECT, 'test/captures/demo.pcap');
const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-control-'));
after(() => rmSync(scratch, { recursive: true }));

const ok = ({ status, stdout, stderr }: CliRun): string => {
  assert.equal(status, 0, stderr);
  return stdout;
};
const wrong = ({ status, stdout, stderr }: CliRun, expected: RegExp): void => {
  assert.deepEqual([status, stdout], [2, ''], stderr);
  assert.match(stderr, expected);
};

/** A run that goes on, and its socket. The capture is played as slowly as it was recorded: 26 minutes. */
async function startRun(data: string, ...args: string[]): Promise<{ child: ChildProcess; errors: Promise<string> }> {
  const child = spawn(
    process.execPath,
    [CLI, '-i', DEMO, '--no-web', '--original-speed', '--no-scripts', '-d', data, '--export-events', '-', ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const errors = text(child.stderr as NodeJS.ReadableStream as AsyncIterable<Uint8Array>);
  await once(child.stdout as NodeJS.ReadableStream, 'readable'); // the first event: flows are there, and the socket was before them
  child.stdout?.resume();
  return { child, errors };
}

describe('a run that goes on', () => {
  const data = join(scratch, 'running');
  let running: { child: ChildProcess; errors: Promise<string> };
  before(async () => {
    running = await startRun(data, '--visit-period', '1', '--pref', 'detail_wait=700');
  });
  after(() => running.child.kill('SIGKILL'));

  test('prefs: set, get, reset; the command line wins over what is stored', () => {
    const state = (name: string): PreferenceState =>
      JSON.parse(ok(runCli(['prefs', 'get', name, '-d', data, '--json']))) as PreferenceState;
    const set = runCli(['prefs', 'set', 'flow_max_idle', '90', '-d', data]);
    assert.deepEqual([ok(set), set.stderr], ['flow_max_idle = 90 s (stored)\n', '']);
    assert.equal(ok(runCli(['prefs', 'get', 'flow_max_idle', '-d', data])), '90\n');
    const kept = runCli(['prefs', 'set', 'detail_wait', '800', '-d', data]);
    assert.equal(ok(kept), 'detail_wait = 700 ms (command line (800 ms is stored))\n');
    assert.match(kept.stderr, /this run keeps what its command line says/);
    assert.equal(state('housekeeping_frequency').origin, 'command line');
    assert.equal(ok(runCli(['prefs', 'reset', 'flow_max_idle', '-d', data])), 'flow_max_idle = 60 s (default)\n');
    assert.equal(ok(runCli(['prefs', '-d', data])).split('\n').length, PREFERENCE_NAMES.length + 2);
    wrong(
      runCli(['prefs', 'set', 'flow_max_idle', '0', '-d', data]),
      /^flowpatrol: flow_max_idle: '0' is not a whole number from 1 to 3600/,
    );
  });

  test('top --once: a table for pipes, JSON, a wrong filter with its place', () => {
    const [head, ...rows] = ok(runCli(['top', '-d', data, '--once', '--columns', 'client,bytes']))
      .trimEnd()
      .split('\n');
    assert.equal(head, 'cli.ip\tbytes');
    assert.ok(rows.length > 0 && rows.every((row) => /^\d+\.\d+\.\d+\.\d+\t\d+$/.test(row)), rows.join('\n'));
    const list = JSON.parse(ok(runCli(['top', '-d', data, '--json', '-n', '1']))) as FlowList;
    assert.equal(list.flows.length, 1);
    assert.equal(list.flows[0]?.interface, DEMO);
    wrong(runCli(['top', '-d', data, '--once', '--filter', 'port == (']), /\n {2}port == \(\n {10}\^/);
  });

  test('top in a terminal: shows, moves, refuses a filter, restores the terminal', async () => {
    const command = `stty cols 80 rows 24; '${process.execPath}' '${CLI}' top -d '${data}' --interval 1`;
    const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let seen = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (seen += part));
    const shows = async (expected: RegExp): Promise<void> => {
      const since = seen.length;
      while (!expected.test(stripVTControlCharacters(seen.slice(since)))) await once(child.stdout, 'data');
    };
    await shows(/Client +Port +Server +Port Protocol +Bytes▼/);
    child.stdin.write('>');
    await shows(/Speed▼/);
    child.stdin.write('/port == (\r');
    await shows(/Filter: port == \([^\n]*\n +\^/);
    child.stdin.write('\u0015port == 1\r');
    await shows(/0 of [\d,]+ flows +filter: port == 1/);
    child.stdin.write('/\u0015\r');
    await shows(/no filter/);
    child.stdin.write('\r');
    await shows(/cli\.ip +\d/);
    child.stdin.write('q');
    await shows(/Enter details/);
    child.stdin.write('q');
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0);
    assert.ok(seen.includes('\u001b[?1049h'));
    assert.ok(seen.trimEnd().endsWith('\u001b[?25h\u001b[?1049l'), JSON.stringify(seen.slice(-80)));
  });

  test('the end: the socket is gone, what was stored stays', async () => {
    running.child.kill('SIGTERM');
    const [code] = (await once(running.child, 'exit')) as [number];
    assert.equal(code, 0, await running.errors);
    assert.ok(!existsSync(join(data, 'control.sock')));
    const get = runCli(['prefs', 'get', 'detail_wait', '-d', data]);
    assert.equal(ok(get), '800\n');
    assert.match(get.stderr, /^no flowpatrol runs with .*: this is what is stored there$/m);
    const top = runCli(['top', '-d', data, '--once']);
    assert.equal(top.status, 1);
    assert.match(top.stderr, /no flowpatrol runs with/);
  });
});

test('prefs where nothing runs: looking leaves nothing behind, a change holds for the next run', async () => {
  const nowhere = join(scratch, 'nowhere');
  assert.equal(ok(runCli(['prefs', 'get', 'flow_max_idle', '-d', nowhere])), '60\n');
  const set = runCli(['prefs', 'set', 'flow_max_idle', '77', '-d', nowhere]);
  assert.equal(set.status, 1);
  assert.match(set.stderr, /there is no data directory/);
  assert.ok(!existsSync(nowhere));

  const data = mkdtempSync(join(scratch, 'stored-'));
  ok(runCli(['prefs', '-d', data]));
  assert.ok(!existsSync(join(data, 'settings.db')));
  ok(runCli(['prefs', 'set', 'housekeeping_frequency', '1', '-d', data]));
  const { child } = await startRun(data);
  try {
    const state = JSON.parse(ok(runCli(['prefs', 'get', 'housekeeping_frequency', '-d', data, '--json']))) as PreferenceState;
    assert.deepEqual([state.value, state.origin], [1, 'stored']);
  } finally {
    child.kill('SIGKILL');
  }
});

test('what can follow prefs', () => {
  assert.deepEqual(actionOf([]), { verb: 'list' });
  assert.deepEqual(actionOf(['set', 'ssl_alerts', 'on']), { verb: 'set', name: 'ssl_alerts', value: 'on' });
  const errors: [string[], string, string | RegExp][] = [
    [['rest', 'ssl_alerts'], "prefs: 'rest' is none of list, get, set, reset", 'did you mean reset?'],
    [['get'], 'prefs get takes a name', /^flowpatrol prefs \[list/],
    [['set', 'ssl_alerts'], 'prefs set takes a name and a value', /^flowpatrol prefs/],
    [['list', 'ssl_alerts'], 'prefs list takes nothing', /^flowpatrol prefs/],
    [['get', 'ssl_alert'], "there is no preference 'ssl_alert'", 'did you mean ssl_alerts?'],
    [['get', 'toString'], "there is no preference 'toString'", 'flowpatrol prefs lists them'],
  ];
  for (const [words, message, hint] of errors) assert.throws(() => actionOf(words), { message, hint, exitCode: 2 });
});

describe('flows', () => {
  test('JSON has what a table has: the largest first, sums of all that match', () => {
    const list = JSON.parse(ok(runCli(['flows', '-i', DEMO, '--json', '--filter', 'l4 == TCP', '-n', '3']))) as FlowList;
    assert.ok(list.matched < list.total && list.flows.length === 3);
    const all = JSON.parse(
      ok(runCli(['flows', '-i', DEMO, '--json', '--filter', 'l4 == TCP', '-n', '10000', '--columns', 'bytes'])),
    ) as FlowList;
    const sizes = all.flows.map((row) => row.bytes as number);
    assert.equal(all.flows.length, list.matched);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      list.bytes,
    );
    assert.deepEqual(
      sizes.slice(0, 3),
      list.flows.map((row) => row.bytes),
    );
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    );
  });

  test('a table for people, and one for programs', () => {
    const people = ok(runCli(['flows', '-i', DEMO, '--wide', '-n', '2', '--columns', 'client,proto,bytes']));
    assert.match(people, /^Client +Protocol +Bytes\n\d[^\n]+kB\n\d[^\n]+kB\n\n\d+ flows, \d+ packets, [\d.]+ kB; the first 2 are shown\n$/);
    const programs = runCli(['flows', '-i', DEMO, '-n', '2', '--columns', 'client,proto,bytes']);
    assert.match(ok(programs), /^cli\.ip\tproto\.ndpi\tbytes\n[\d.]+\t[\w.]+\t\d+\n[\d.]+\t[\w.]+\t\d+\n$/);
    assert.match(programs.stderr, /^\d+ flows, \d+ packets, [\d.]+ kB; the first 2 are shown\n$/);
  });

  test('what is wrong is said before the capture is read', () => {
    wrong(
      runCli(['flows', '-i', DEMO, '--filter', 'bytes > 1K and byts > 1']),
      /\n {2}bytes > 1K and byts > 1\n {17}\^{4}\n {2}did you mean/,
    );
    wrong(runCli(['flows', '-i', DEMO, '--sort', 'byts']), /--sort: there is no field 'byts'\n {2}did you mean bytes\?/);
    wrong(runCli(['flows', '-i', 'lo']), /flows reads captures, but -i lo is a network interface/);
  });
});

const blocks = (guide: string): string[] =>
  [...readFileSync(join(PROJECT, 'docs/guides', guide), 'utf8').matchAll(/```sh\n([^`]*)```/g)].flatMap(([, block]) =>
    (block as string).trim().split('\n'),
  );
/** A line of a guide as arguments; what comes after a pipe is left out. */
const argumentsOf = (line: string): string[] =>
  [...(line.split(' | ')[0] as string).matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => (quoted ?? word) as string).slice(1);

describe('examples of the guides', () => {
  for (const line of blocks('terminal.md').filter((line) => line.startsWith('flowpatrol flows'))) {
    test(line, () => {
      const args = argumentsOf(line).map((word) => (word.startsWith('test/') ? join(PROJECT, word) : word));
      assert.ok(ok(runCli(args)).trimEnd().split('\n').length >= (args.includes('--json') ? 1 : 2));
    });
  }

  test('prefs, one after another', () => {
    const data = mkdtempSync(join(scratch, 'guide-'));
    for (const line of blocks('preferences.md').filter((line) => line.startsWith('flowpatrol '))) {
      ok(runCli(argumentsOf(line).map((word) => (word === 'data' ? data : word))));
    }
  });

  test('the table of preferences says what is declared', () => {
    const rows = readFileSync(join(PROJECT, 'docs/guides/preferences.md'), 'utf8').split('\n');
    const show = (value: number): string => value.toLocaleString('en-US');
    for (const name of PREFERENCE_NAMES) {
      const declared: Preference = PREFERENCES[name];
      const [fallback, takes] =
        declared.type === 'bool'
          ? [declared.default ? 'on' : 'off', 'on, off']
          : declared.type === 'int'
            ? [show(declared.default), `${show(declared.from)} to ${show(declared.to)} ${declared.unit}`]
            : ['any', 'addresses, networks'];
      assert.ok(rows.includes(`| \`${name}\` | ${fallback} | ${takes} | ${declared.doc} |`), name);
    }
    assert.equal(rows.filter((row) => /^\| `[a-z_]+` \|/.test(row)).length, PREFERENCE_NAMES.length);
  });
});
