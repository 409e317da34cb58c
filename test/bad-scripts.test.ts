/**
 * Bad scripts beside a good one, in both languages: endless loops, a pattern that never ends, some that eat memory, one that throws. On a capture and
 * on live traffic the good one misses no event, nothing of the capture is lost, and each bad one is named.
 *
 * The live part needs root, iproute2 and tcpreplay.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CAPTURES } from './support/golden.ts';
import { CLI, runCli } from './support/run-cli.ts';
import { asRoot, createVeth, isRoot, LISTENER, SENDER } from './support/veth.ts';

const BAD = fileURLToPath(new URL('./scripts/bad', import.meta.url));
const CALLBACKS = ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle'];
const PACKETS_PER_SECOND = 10_000;
const LOOPS = 30;

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-bad-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Line {
  readonly msg: string;
  readonly script?: string;
  readonly ms?: number;
  readonly counters?: Readonly<Record<string, number>>;
}

/** Log lines are JSON; the summary is not. */
const logLines = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);

/** Alerts of the good script by callback, each flow and visit once, and numbered by the cache without a gap. */
function goodCalls(file: string): Record<string, number> {
  const seen = new Set<string>();
  const calls: Record<string, number> = {};
  const counts = new Set<number>();
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const alert = JSON.parse(line) as {
      script: string;
      callback: string;
      time: number;
      flow: { 'flow.id': string };
      info: { count: number };
    };
    if (alert.script !== 'good') continue;
    const once = `${alert.callback} ${alert.flow['flow.id']} ${alert.time}`;
    assert.ok(!seen.has(once), `twice: ${once}`);
    seen.add(once);
    calls[alert.callback] = (calls[alert.callback] ?? 0) + 1;
    counts.add(alert.info.count);
  }
  // what the script keeps in the cache outlives the host
  assert.equal(counts.size, seen.size);
  assert.equal(Math.max(...counts), seen.size);
  return calls;
}

function check(t: TestContext, said: string, alerts: string): void {
  const lines = logLines(said);
  const counters = lines.find((line) => line.counters !== undefined)?.counters ?? {};
  const due = Object.fromEntries(CALLBACKS.map((name) => [name, counters[`callbacks.${name}`] ?? 0]).filter(([, count]) => count !== 0));
  assert.ok((due.protocolDetected as number) > 100, said);
  assert.deepEqual(goodCalls(alerts), due, said);
  assert.equal(counters['events.lost'], 0);
  const told = (script: string, message: RegExp): void =>
    assert.ok(
      lines.some((line) => line.script === script && message.test(line.msg)),
      `${script} ${message}:\n${said}`,
    );
  told('pattern', /did not return for 200 ms of CPU time and was ended; it goes on in a host of its own/);
  for (const script of ['ts_loop', 'ts_memory']) {
    told(script, /(did not return for 200 ms of CPU time|used up the memory of its host) and was ended; it goes on in a host of its own/);
  }
  // nobody else was taken for it, and each host that was ended has another one in its place
  const ofAll = lines.filter(({ msg }) => msg === 'the host of the scripts is made anew').length;
  assert.equal(ofAll, lines.filter(({ msg }) => /goes on in a host of its own$/.test(msg) && /was ended/.test(msg)).length, said);
  const took = lines.flatMap(({ script, ms }) => (ms === undefined || script !== undefined ? [] : [ms]));
  t.diagnostic(`the host of all scripts was made anew within ${took.join(', ')} ms`);
  told('loop', /used up its budget of 1,000,000 instructions/);
  told('throws', /an error whose __tostring fails/);
}

test('on a capture the good script is called for everything', (t) => {
  const folder = folderFor(t);
  const alerts = join(folder, 'alerts.jsonl');
  const events = join(folder, 'events.jsonl');
  const args = [
    '--shutdown-when-done',
    '--pcap-callbacks',
    'all',
    '--log-level',
    'debug',
    '--scripts-dir',
    BAD,
    '--export-alerts',
    alerts,
    '--export-events',
    events,
  ];
  const { status, stderr } = runCli(['-i', `${CAPTURES}demo.pcap`, ...args]);
  assert.equal(status, 0, stderr);
  check(t, stderr, alerts);
  // the lines of exports are whole, too
  assert.equal(
    readFileSync(events, 'utf8').split('\n').length - 1,
    Object.values(goodCalls(alerts)).reduce((sum, count) => sum + count, 0),
  );
  assert.ok(
    logLines(stderr).some((line) => line.script === 'memory' && /hold more than 64 MiB of memory, and it grew most/.test(line.msg)),
  );
});

test('on live traffic of 10,000 packets a second it is, too, and capture drops nothing', async (t) => {
  if (!asRoot(import.meta.url)) return;
  assert.ok(isRoot);
  const alerts = join(folderFor(t), 'alerts.jsonl');
  const veth = createVeth('bad');
  t.after(() => veth.remove());
  const args = ['-i', LISTENER, '--no-web', '--log-level', 'debug', '--scripts-dir', BAD, '--export-alerts', alerts];
  const program = spawn('ip', veth.inside(process.execPath, CLI, ...args), { stdio: ['ignore', 'inherit', 'pipe'] });
  const ended = once(program, 'exit');
  const said: string[] = [];
  const { promise: capturing, resolve, reject } = Promise.withResolvers<void>();
  createInterface({ input: program.stderr }).on('line', (line) => {
    said.push(line);
    if (line.includes('capturing')) resolve();
  });
  void ended.then(() => reject(new Error(`the program ended:\n${said.join('\n')}`)));
  await capturing;
  const captures = ['demo.pcap', 'windows-network.pcap', 'http-dns.pcap'].map((name) => `${CAPTURES}${name}`);
  const replay = spawnSync(
    'ip',
    veth.inside('tcpreplay', '--intf1', SENDER, '--preload-pcap', '--loop', `${LOOPS}`, '--pps', `${PACKETS_PER_SECOND}`, ...captures),
    { encoding: 'utf8' },
  );
  assert.equal(replay.status, 0, replay.stderr);
  const sent = Number(/Successful packets:\s+(\d+)/.exec(replay.stdout)?.[1]);
  program.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], said.join('\n'));
  const all = said.join('\n');
  check(t, all, alerts);
  const counters = logLines(all).find((line) => line.counters !== undefined)?.counters ?? {};
  assert.equal(counters.packets, sent);
  assert.equal(counters['drops.kernel'], 0);
  assert.equal(counters['drops.interface'], 0);
  assert.ok(
    logLines(all).some((line) => line.script === 'throws' && /^the script was switched off: 5 calls in a row failed/.test(line.msg)),
  );
});
