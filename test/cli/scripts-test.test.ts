/** `flowpatrol test`: what a script does on captures, and whether it is what its golden text says. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { CLI, type CliRun, runCli } from '../support/run-cli.ts';

const CAPTURES = resolve(import.meta.dirname, '../captures');
const HTTP = join(CAPTURES, 'http-dns.pcap');
const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-test-command-'));
after(() => rmSync(scratch, { recursive: true }));

const folder = (): string => mkdtempSync(join(scratch, 'f-'));
const is = ({ status, stdout, stderr }: CliRun, code: number): string => {
  assert.equal(status, code, stdout + stderr);
  return stdout;
};

const script = (body: string, key = 'told'): string => `
local script = { key = "${key}", gui = { i18n_title = "Told", i18n_description = "" } }
function script.setup() return true end
${body}
return script
`;

const TOLD = script(`
function script.protocolDetected(info)
  print("detected " .. info["proto.ndpi"])
  if info["srv.port"] == 53 then
    flow.setStatus(flow_consts.status_types.status_web_mining_detected, 20, 10, 5)
    alerts_api.storeFlowAlert(alert_consts.alert_types.suspicious_activity, alert_consts.alert_severities.warning, { q = info["cli.port"] })
  end
end
function script.statusChanged(info) print("status " .. info.status_map) end
function script.periodicUpdate(info) print("never") end
function script.idle(info)
  if info["srv.port"] == 53 then error("at the end") end
end`);

test('a golden text is written, compared and told apart; what a script sets comes back to it', () => {
  const directory = folder();
  const path = join(directory, 'told.lua');
  const golden = join(directory, 'tests', 'told.golden');
  writeFileSync(path, TOLD);

  const first = is(runCli(['test', path, HTTP]), 1);
  assert.match(first, /^failed +\S+told\.lua on http-dns\.pcap/);
  assert.match(first, /nothing to compare with: --update writes/);
  assert.ok(!existsSync(golden));

  assert.match(
    is(runCli(['test', path, HTTP, '--update']), 0),
    /^updated .*\n {2}protocolDetected: 3 calls, statusChanged: 5 calls, periodicUpdate: never called, idle: 3 calls\n$/,
  );
  const text = readFileSync(golden, 'utf8');
  assert.equal(
    text.slice(0, text.indexOf('\n2004-05-13T10:17:15')),
    `capture http-dns.pcap

2004-05-13T10:17:10.000000Z protocolDetected TCP 145.254.160.237:3372 -> 65.208.228.223:80 HTTP [status_remote_to_remote]
  print detected HTTP
2004-05-13T10:17:10.000000Z statusChanged TCP 145.254.160.237:3372 -> 65.208.228.223:80 HTTP [status_remote_to_remote]
  print status 4096
2004-05-13T10:17:10.000000Z statusChanged UDP 145.254.160.237:3009 -> 145.253.2.203:53 Unknown [status_remote_to_remote, status_udp_unidirectional]
  print status 1073745920`,
  );
  assert.match(
    text,
    /UDP 145\.254\.160\.237:3009 -> 145\.253\.2\.203:53 DNS\.Google \[status_remote_to_remote\]\n {2}print detected DNS\.Google\n {2}alert suspicious_activity, warning \{"q":3009\}\n/,
  );
  assert.match(text, /\n {2}status status_web_mining_detected set\n/);
  // set at one visit, it is in the flow's statuses at the next
  assert.match(text, /idle UDP .*:53 DNS\.Google \[.*status_web_mining_detected.*\]\n {2}failed told\.lua:\d+: at the end\n/);
  assert.match(text, /\nperiodicUpdate: never called\nidle: 3 calls, 1 failed \(error 1\)\n$/);

  assert.match(is(runCli(['test', path, HTTP]), 0), /^same /);
  writeFileSync(path, TOLD.replace('detected "', 'saw "'));
  const differs = is(runCli(['test', path, HTTP]), 1);
  assert.match(differs, /^differs .*\n {2}- \S+told\.golden\n {2}\+ now\n/);
  assert.match(differs, /\n {2}- {3}print detected HTTP\n {2}\+ {3}print saw HTTP\n/);
  // another capture is another section
  assert.match(is(runCli(['test', path, join(CAPTURES, 'irc.pcap'), '--update']), 0), /^updated/);
  assert.match(readFileSync(golden, 'utf8'), /^capture http-dns\.pcap\n[\s\S]*\ncapture irc\.pcap\n/);
});

test('a name that is nearly right: the script, the capture, the file that was meant', () => {
  const directory = folder();
  writeFileSync(join(directory, 'told.lua'), TOLD);
  copyFileSync(HTTP, join(directory, 'http-dns.pcap'));
  const missing = (...words: string[]): string => {
    const run = runCli(['test', ...words]);
    is(run, 2);
    return run.stderr;
  };
  // scripts of the folder that comes with the program, by their bare names
  assert.match(
    missing('port_scna', HTTP),
    /^flowpatrol: test: port_scna does not exist, and in .* there is no port_scna\.lua or port_scna\.ts\n {2}did you mean port_scan\?\n$/,
  );
  assert.match(missing('port_scna.lua', HTTP), /\n {2}did you mean port_scan\.lua\?\n$/);
  assert.match(missing('package.jsn'), /\n {2}did you mean package\.json\?\n$/);
  // by their paths
  assert.match(missing(join(directory, 'tolt.lua'), HTTP), new RegExp(`\\n {2}did you mean ${directory}/told\\.lua\\?\\n$`));
  const told = join(directory, 'told.lua');
  assert.match(missing(told, join(directory, 'http-dsn.pcap')), new RegExp(`\\n {2}did you mean ${directory}/http-dns\\.pcap\\?\\n$`));
  assert.match(missing('something_else', HTTP), /\n {2}flowpatrol test SCRIPT\|DIR/);
});

test('all calls, also the silent ones; JSON', () => {
  const path = join(folder(), 'told.lua');
  writeFileSync(path, script('function script.idle(info) end'));
  const calls = is(runCli(['test', path, HTTP, '--callbacks']), 0);
  assert.equal(calls.match(/ idle (TCP|UDP) /g)?.length, 3);
  const { tests } = JSON.parse(is(runCli(['test', path, HTTP, '--json']), 0)) as { tests: { outcome: string; captures: object[] }[] };
  assert.equal(tests[0]?.outcome, 'new');
  assert.deepEqual(tests[0]?.captures, [
    { capture: 'http-dns.pcap', calls: [], callbacks: { idle: { calls: 3, failures: 0, failed: {} } }, alerts: 0 },
  ]);
});

test('a script that cannot be loaded, a call that does not return, a capture that is none', () => {
  const directory = folder();
  const path = join(directory, 'bad.lua');
  writeFileSync(path, 'return {\n  key = "bad"\n  gui = {}\n}');
  assert.match(is(runCli(['test', path, HTTP]), 1), /^failed .*\n {2}refused: bad\.lua:3: /);
  writeFileSync(path, script('function script.idle(info) string.find(string.rep("a", 40), ("a*"):rep(30) .. "b") end'));
  assert.match(is(runCli(['test', path, HTTP]), 1), /idle: 3 calls, 3 failed \(ended 3\)/);
  const capture = join(directory, 'x.pcap');
  writeFileSync(capture, 'no capture');
  const run = runCli(['test', path, capture]);
  assert.equal(run.status, 1);
  assert.match(run.stderr + run.stdout, /x\.pcap/);
});

test('a folder: every script that has a capture beside it', () => {
  const directory = folder();
  mkdirSync(join(directory, 'tests'));
  copyFileSync(HTTP, join(directory, 'tests', 'one-a.pcap'));
  copyFileSync(join(CAPTURES, 'irc.pcap'), join(directory, 'tests', 'one.pcap'));
  for (const name of ['one', 'two']) writeFileSync(join(directory, `${name}.lua`), script('function script.idle(info) end', name));
  assert.match(is(runCli(['test', directory, '--update']), 0), /^updated +\S+one\.lua on one-a\.pcap, one\.pcap /);
  assert.match(is(runCli(['test', directory, HTTP]), 0), /^new +\S+one\.lua on http-dns[\s\S]*\nnew +\S+two\.lua[\s\S]*\n2 new\n$/);
  const without = runCli(['test', join(directory, 'two.lua')]);
  is(without, 2);
  assert.match(without.stderr, /no capture for two\.lua\n {2}name one, or put it at \S+two\.pcap/);
});

test('wrong use', () => {
  const wrong = (args: readonly string[], why: RegExp): void => {
    const run = runCli(['test', ...args]);
    is(run, 2);
    assert.match(run.stderr, why);
  };
  wrong([], /no script given/);
  wrong(['nowhere.lua'], /nowhere\.lua does not exist/);
  wrong([HTTP], /there is no script with a capture/);
  const path = join(folder(), 'x.lua');
  writeFileSync(path, script(''));
  wrong([path, HTTP, '--update', '--callbacks'], /--callbacks shows what no golden text has/);
  wrong([path, HTTP, '-i', HTTP], /test has no option -i/);
});

test('watching: a changed script is tested again', async () => {
  const path = join(folder(), 'told.lua');
  writeFileSync(path, script('function script.idle(info) print("one") end'));
  const child: ChildProcess = spawn(process.execPath, [CLI, 'test', path, HTTP, '--watch'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  const until = async (what: RegExp, stream: NodeJS.ReadableStream): Promise<void> => {
    while (!what.test(out)) out += String((await once(stream, 'data'))[0]);
  };
  const stdout = child.stdout as NodeJS.ReadableStream;
  try {
    await Promise.all([until(/print one/, stdout), once(child.stderr as NodeJS.ReadableStream, 'data')]);
    writeFileSync(path, script('function script.idle(info) print("another") end'));
    await until(/print another/, stdout);
  } finally {
    child.kill('SIGKILL');
  }
});
