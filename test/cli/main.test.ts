/** The program itself, as a process: exit codes, what goes where, signals. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { ask } from '../../src/api/client.ts';
import type { FlowList } from '../../src/api/rows.ts';
import { ethernet, ipv4, pcapFile, udp } from '../support/packets.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
const CAPTURES = resolve(import.meta.dirname, '../captures');
const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-main-'));
after(() => rmSync(scratch, { recursive: true }));

const start = (...args: string[]) => {
  // runs end by themselves: with a web interface they would go on
  const all = args.length === 0 || args[0] === '-i' ? [...args, '--no-web'] : args;
  const child = spawn(process.execPath, [MAIN, ...all], { stdio: ['pipe', 'pipe', 'pipe'], cwd: scratch });
  const result = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]).then(([[code], out, err]) => ({
    code: code as number | null,
    out,
    err,
  }));
  return { child, result };
};

const run = (...args: string[]) => {
  const { child, result } = start(...args);
  child.stdin.end();
  return result;
};

const lines = (jsonl: string): unknown[] =>
  jsonl
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('help, version and interfaces answer on standard output', async () => {
  const help = await run('--help');
  assert.deepEqual([help.code, help.err], [0, '']);
  assert.match(help.out, /--interface NAME\|FILE\|-/);
  const version = await run('--version');
  assert.deepEqual([version.code, version.err], [0, '']);
  assert.match(version.out, /^flowpatrol \d+\.\d+\.\d+, Node v\d+.*, libpcap .*, nDPI \d/);
  const interfaces = await run('interfaces');
  assert.deepEqual([interfaces.code, interfaces.err], [0, '']);
  assert.match(interfaces.out, /^lo +up +127\.0\.0\.1/m);
});

test('what is no capture: exit code 1, and what it is instead', async () => {
  writeFileSync(join(scratch, 'text.txt'), 'This is a text, longer than the header of a capture.\n');
  writeFileSync(join(scratch, 'check.lua'), 'return { hooks = {}, title = "a script, and no capture" }\n');
  const cases: [string, RegExp][] = [
    ['text.txt', /^flowpatrol: text\.txt cannot be opened: it is no capture in the format pcap or pcapng \(unknown file format\)\n$/],
    ['check.lua', /^flowpatrol: check\.lua cannot be opened: that is a script, no capture \(--scripts-dir FOLDER runs/],
  ];
  for (const [name, expected] of cases) {
    const { code, out, err } = await run('-i', name);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, expected);
  }
});

test('wrong options: exit code 2, a sentence, a hint, nothing on standard output', async () => {
  writeFileSync(join(scratch, 'notes.pcap'), '');
  const cases: [string[], RegExp][] = [
    [['--max-flow', '3'], /^flowpatrol: unknown option '--max-flow'\n {2}did you mean --max-flows\?\n$/],
    [['-i', 'loo'], /no network interface and no file has this name\n {2}did you mean -i lo\?\n$/],
    [['-i', 'note.pcap'], /-i note\.pcap: no such file\n {2}did you mean notes\.pcap\?\n$/],
    [['-i', scratch], /that is a directory/],
    [['-i', 'lo', '--original-speed'], /-i lo is a network interface/],
    [['-i', join(CAPTURES, 'irc.pcap'), '-B', 'tcp prot 80'], /^flowpatrol: -B: filter 'tcp prot 80'/],
    [['-i', 'tcp://127.0.0.1'], /tcp:\/\/127.0.0.1: .*should look like tcp:\/\/probe:5556/],
    [['-i', join(CAPTURES, 'irc.pcap'), '--scripts-dir', '/nowhere'], /--scripts-dir: \/nowhere does not exist/],
    [['-i', join(CAPTURES, 'irc.pcap'), '--blacklist', scratch], /--blacklist, --list: .* is a directory/],
    [['-i', join(CAPTURES, 'irc.pcap'), '--export-flows', '/nowhere/x'], /the directory \/nowhere does not exist/],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await run(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, expected);
  }
});

test('an export never overwrites what is read', async () => {
  const capture = join(scratch, 'mine.pcap');
  copyFileSync(join(CAPTURES, 'irc.pcap'), capture);
  const { code, err } = await run('-i', capture, '--export-flows', 'mine.pcap');
  assert.equal(code, 2);
  assert.match(err, /it would be overwritten/);
  assert.deepEqual(readFileSync(capture), readFileSync(join(CAPTURES, 'irc.pcap')));
});

test('what is no capture: exit code 1', async () => {
  writeFileSync(join(scratch, 'text.pcap'), 'this is no capture at all, only some text');
  const { code, out, err } = await run('-i', 'text.pcap');
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /text\.pcap cannot be opened/);
});

test('a capture to its end: flows on standard output, the summary on standard error', async () => {
  const { code, out, err } = await run('-i', join(CAPTURES, 'http-dns.pcap'), '--export-flows', '-');
  assert.equal(code, 0, err);
  assert.ok(lines(out).length > 0);
  assert.match(err, /^Interface +flows/m);
  assert.match(err, /^Losses: nothing lost$/m);
});

test('two captures write whole lines to one output, however slowly it is read', async () => {
  const names = ['left.pcap', 'right.pcap'].map((name, side) => {
    const packets = Array.from({ length: 3000 }, (_, i) => ({
      time: 1e15 + i,
      bytes: ethernet({}, ipv4({}, udp({ from: 1024 + i, to: 9000 + side }, 'x'))),
    }));
    writeFileSync(join(scratch, name), pcapFile(packets));
    return name;
  });
  const { code, out } = await run('-i', names[0] as string, '-i', names[1] as string, '--no-scripts', '--export-events', '-');
  assert.equal(code, 0);
  assert.equal(lines(out).length, 2 * 3000 * 3); // protocolDetected, statusChanged (nobody answers) and idle
});

test('a named pipe takes an export and sees one end', async () => {
  const pipe = join(scratch, 'flows.pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 });
  const [{ code }, out] = await Promise.all([run('-i', join(CAPTURES, 'irc.pcap'), '--export-flows', pipe), text(reader.stdout)]);
  assert.equal(code, 0);
  assert.ok(lines(out).length > 0);
});

test('an export that cannot be written ends the run with an error', async () => {
  const { code, err } = await run('-i', join(CAPTURES, 'irc.pcap'), '--export-flows', '/dev/full');
  assert.equal(code, 1);
  assert.match(err, /no space left on device/);
});

test('standard input, and a data directory that is free again afterwards', async () => {
  for (let i = 0; i < 2; i++) {
    const { child, result } = start('-i', '-', '-d', 'store', '--export-flows', 'flows.jsonl');
    child.stdin.end(readFileSync(join(CAPTURES, 'http-dns.pcap')));
    const { code, out, err } = await result;
    assert.equal(code, 0, err);
    assert.equal(out, '');
    assert.match(err, /^standard input +\d/m);
    assert.ok(lines(readFileSync(join(scratch, 'flows.jsonl'), 'utf8')).length > 0);
  }
});

test('the demo plays, and says what to try next', async () => {
  const { code, out, err } = await run();
  assert.equal(code, 0, err);
  assert.equal(out, '');
  assert.match(err, /^This is the demo/);
  assert.match(err, /^Try next:$/m);
});

test('one signal ends gracefully: last visits, the export complete, the summary; exit code 0', async () => {
  const { child, result } = start('-i', join(CAPTURES, 'demo.pcap'), '--original-speed', '--visit-period', '1', '--export-events', '-');
  await once(child.stdout, 'readable'); // the first event: it is running
  child.kill('SIGTERM');
  const { code, out, err } = await result;
  assert.equal(code, 0, err);
  assert.match(err, /^stopping/m);
  assert.match(err, /^Interface +flows/m);
  assert.ok(out.endsWith('\n'));
  assert.ok(lines(out).some((event) => (event as { callback: string }).callback === 'idle'));
});

for (const [where, some] of [
  ['before the header', 0],
  ['within the header', 10],
  ['within a packet', 20_000],
] as const)
  test(`standard input that stays open, ${where}: questions are answered, and one signal ends it at once`, async () => {
    const data = join(scratch, 'waiting');
    const { child, result } = start('-i', '-', '-d', data, '--no-scripts');
    child.stdin.write(readFileSync(join(CAPTURES, 'demo.pcap')).subarray(0, some));
    const rows = async (): Promise<number> => {
      const { interfaces, matched } = await ask<FlowList>(data, 'GET', '/flows?limit=1').catch(() => ({ interfaces: [], matched: -1 }));
      return interfaces.length === 1 ? matched : -1; // its thread has answered
    };
    while ((await rows()) < (some > 10 ? 1 : 0)) assert.equal(child.exitCode, null, 'it runs');
    const told = performance.now();
    child.kill('SIGTERM');
    const { code, err } = await result;
    assert.equal(code, 0, err);
    assert.ok(performance.now() - told < 3000, `${performance.now() - told} ms`);
    assert.match(err, /^stopping/m);
    assert.match(err, some > 10 ? /^standard input +[1-9]/m : /^standard input +0/m);
  });

test('a second signal ends at once, also when a thread hangs in a read', async () => {
  const { child, result } = start('-i', '-', '--no-scripts', '--export-events', '-');
  const bytes = Buffer.from(readFileSync(join(CAPTURES, 'demo.pcap')));
  bytes.writeUInt16LE(3, 6); // where records of this old version end is known to libpcap alone: it waits for more of them
  child.stdin.write(bytes);
  await once(child.stdout, 'readable'); // it is running, and standard input stays open
  child.kill('SIGINT');
  await once(child.stderr, 'readable'); // it says that it stops
  const again = setInterval(() => child.kill('SIGINT'), 100);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearInterval(again);
  const { err } = await result;
  assert.match(err, /^stopping/m);
  assert.deepEqual([code, signal], [null, 'SIGINT']);
});

test('a script that never returns from a library call is ended, and the others go on behind that event', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-stuck-'));
  const script = (key: string, body: string): string =>
    `return { key = "${key}", setup = function() return true end, protocolDetected = function(info) ${body} end }`;
  writeFileSync(join(folder, 'a_good.lua'), script('good', 'print("seen " .. info["cli.port"])'));
  writeFileSync(
    join(folder, 'b_stuck.lua'),
    script(
      'stuck',
      'if info["proto.ndpi"]:find("HTTP") and info["cli.port"] == 3372 then (("a"):rep(41) .. "b"):find(("a?"):rep(41) .. ("a"):rep(41)) end',
    ),
  );
  const { result } = start('-i', join(CAPTURES, 'http-dns.pcap'), '--scripts-dir', folder);
  const { code, err } = await result;
  assert.equal(code, 0, err);
  assert.match(err, /"script":"stuck".*the script did not return/);
  assert.match(err, /calls\.ended/);
  assert.equal(err.match(/"msg":"seen \d+"/g)?.length, 3, err);
});
