/**
 * Scripts that come, change and go while flowpatrol runs, and their switches: a capture is written to its standard input packet by packet,
 * so the run lasts as long as the test wants, and the control socket tells what is in force.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ask, Refused } from '../../src/api/client.ts';
import type { ScriptReport } from '../../src/scripts/report.ts';
import { CAPTURES } from '../support/golden.ts';
import { CLI } from '../support/run-cli.ts';

/** Longest that a change may take, ms. */
const TAKES_EFFECT_MS = 2000;
/** Until then a run has started. */
const PATIENCE_MS = 20_000;

const SCRIPT = (name: string): string => `local script = { key = "a", gui = { i18n_title = "${name}" } }
function script.setup() return true end
function script.protocolDetected(info)
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.info, { by = "${name}" })
end
return script
`;

interface Session {
  readonly directory: string;
  readonly scripts: string;
  /** Writes the next packets of the capture. */
  feed(packets: number): Promise<void>;
  /** Ends the input. @returns what the run said */
  end(): Promise<string>;
  reports(): Promise<ScriptReport[]>;
  /** Waits until `wanted` is true of the reports. @returns ms that it took */
  until(wanted: (reports: readonly ScriptReport[]) => boolean, patience?: number): Promise<number>;
  /** Alerts so far, by what is in their info. */
  alerts(): { by: string; script: string; shadow: boolean }[];
}

function packetsOf(file: string): { header: Buffer; packets: Buffer[] } {
  const bytes = readFileSync(file);
  const packets: Buffer[] = [];
  for (let at = 24; at < bytes.length; ) {
    const length = 16 + bytes.readUInt32LE(at + 8);
    packets.push(bytes.subarray(at, at + length));
    at += length;
  }
  return { header: bytes.subarray(0, 24), packets };
}

async function startRun(t: TestContext, files: Readonly<Record<string, string>>, directory?: string): Promise<Session> {
  const folder = directory ?? mkdtempSync(join(tmpdir(), 'flowpatrol-reload-'));
  if (directory === undefined) t.after(() => rmSync(folder, { recursive: true, force: true }));
  const scripts = join(folder, 'scripts');
  mkdirSync(scripts, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(scripts, name), text);
  const exported = join(folder, 'alerts.jsonl');
  const data = join(folder, 'data');
  const args = ['-i', '-', '--no-web', '-d', data, '--scripts-dir', scripts, '--pcap-callbacks', 'all', '--export-alerts', exported];
  const run: ChildProcess = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
  t.after(() => run.kill('SIGKILL'));
  let said = '';
  run.stderr?.on('data', (text) => {
    said += text;
  });
  const ended = once(run, 'exit');
  const { header, packets } = packetsOf(`${CAPTURES}demo.pcap`);
  const write = async (bytes: Buffer): Promise<void> => {
    if (run.stdin?.write(bytes) === false) await once(run.stdin, 'drain');
  };
  await write(header);
  let next = 0;
  const session: Session = {
    directory: folder,
    scripts,
    async feed(count) {
      await write(Buffer.concat(packets.slice(next, next + count)));
      next += count;
    },
    async end() {
      await write(Buffer.concat(packets.slice(next)));
      run.stdin?.end();
      assert.deepEqual(await ended, [0, null], said);
      return said;
    },
    async reports() {
      return (await ask<{ scripts: ScriptReport[] }>(data, 'GET', '/scripts')).scripts;
    },
    async until(wanted, patience = PATIENCE_MS) {
      const began = performance.now();
      for (;;) {
        const reports = await session.reports().catch(() => []);
        if (wanted(reports)) return performance.now() - began;
        assert.ok(performance.now() - began < patience, `${JSON.stringify(reports)}\n${said}`);
      }
    },
    alerts: () =>
      readFileSync(exported, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { script: string; shadow?: boolean; info?: { by: string } })
        .filter(({ script }) => script !== 'core')
        .map(({ script, shadow, info }) => ({ script, shadow: shadow === true, by: info?.by ?? '' })),
  };
  await session.until((reports) => reports.length === Object.keys(files).length);
  return session;
}

test('added, changed, broken and removed files take effect within 2 s, and no event is lost', async (t) => {
  const run = await startRun(t, { 'a.lua': SCRIPT('one') });
  await run.feed(200);
  await run.until(([a]) => (a?.stats.protocolDetected?.calls ?? 0) > 5);
  writeFileSync(join(run.scripts, 'a.lua'), SCRIPT('two'));
  await run.until(([a]) => a?.title === 'two', TAKES_EFFECT_MS);
  await run.feed(200);
  await run.until(([a]) => (a?.stats.protocolDetected?.calls ?? 0) > 40);
  writeFileSync(join(run.scripts, 'a.lua'), 'return {');
  await run.until(([a]) => a?.error !== undefined, TAKES_EFFECT_MS);
  const [refused] = await run.reports();
  assert.equal(refused?.title, 'two');
  assert.equal(refused?.state, 'on');
  assert.match(refused?.error ?? '', /^a\.lua:1: unexpected symbol/);
  writeFileSync(join(run.scripts, 'b.lua'), SCRIPT('b').replace('"a"', '"b"'));
  await run.until((reports) => reports.length === 2, TAKES_EFFECT_MS);
  rmSync(join(run.scripts, 'a.lua'));
  await run.until((reports) => reports.length === 1, TAKES_EFFECT_MS);
  const said = await run.end();
  const by = Object.groupBy(run.alerts(), (alert) => alert.by);
  assert.deepEqual(Object.keys(by).sort(), ['b', 'one', 'two']);
  // each flow was told by exactly one version: those of the demo capture
  assert.equal(run.alerts().length, 122);
  assert.match(said, /a new version of the script runs/);
  assert.match(said, /the script is gone/);
});

test('a switch takes effect, is kept, and shadow tells nobody', async (t) => {
  const run = await startRun(t, { 'a.lua': SCRIPT('one') });
  const data = join(run.directory, 'data');
  await ask(data, 'PUT', '/scripts/a/switch', { state: 'off' });
  await run.until(([a]) => a?.state === 'off', TAKES_EFFECT_MS);
  await run.end();
  assert.deepEqual(run.alerts(), []);
  const again = await startRun(t, { 'a.lua': SCRIPT('one') }, run.directory);
  assert.equal((await again.reports())[0]?.state, 'off');
  await assert.rejects(
    ask(data, 'PUT', '/scripts/aa/switch', { state: 'on' }),
    (error) => error instanceof Refused && error.problem.code === 'unknown-script' && error.problem.hint === 'did you mean a?',
  );
  await assert.rejects(
    ask(data, 'PUT', '/scripts/a/switch', { state: 'on', interface: 'eth9' }),
    (error) => error instanceof Refused && error.problem.code === 'unknown-interface',
  );
  await ask(data, 'PUT', '/scripts/a/switch', { state: 'shadow', interface: '-' });
  await again.until(([a]) => a?.state === 'shadow', TAKES_EFFECT_MS);
  await again.end();
  assert.equal(again.alerts().length, 122);
  assert.ok(again.alerts().every(({ shadow }) => shadow));
});

test('calls are traced where there is an alert or the filter says so', async (t) => {
  const run = await startRun(t, {
    'a.lua': SCRIPT('one'),
    'b.lua': 'return { key = "b", setup = function() return true end, idle = function() end }',
  });
  const data = join(run.directory, 'data');
  await ask(data, 'PUT', '/explain/filter', { filter: 'srv.port = 53' });
  await assert.rejects(ask(data, 'PUT', '/explain/filter', { filter: 'srv.port ==== 53' }), Refused);
  await run.feed(600);
  await run.until(([a]) => (a?.stats.protocolDetected?.calls ?? 0) > 60);
  interface Flows {
    readonly flows: readonly { flow: string; label: string }[];
  }
  interface Traces {
    readonly traces: readonly {
      callback: string;
      status: number;
      scripts: readonly { script: string; outcome: string; alerts: number }[];
    }[];
  }
  const tracedDns = async (): Promise<Flows['flows'][number] | undefined> =>
    (await ask<Flows>(data, 'GET', '/explain')).flows.find(({ label }) => label.endsWith(':53'));
  const deadline = performance.now() + PATIENCE_MS;
  let dns = await tracedDns();
  while (dns === undefined && performance.now() < deadline) dns = await tracedDns();
  assert.ok(dns !== undefined);
  const { traces } = await ask<Traces>(data, 'GET', `/explain?flow=${dns.flow}`);
  assert.deepEqual(traces[0]?.callback, 'protocolDetected');
  assert.deepEqual(traces[0]?.scripts, [{ script: 'a', outcome: 'run', alerts: 1 }]);
  await run.end();
});

/** A pattern match that takes longer than anybody lives: no instruction of Lua runs in it. */
const STUCK = '("a"):rep(40):find(("a-"):rep(30) .. "b")';

test('a version whose setup() does not return is refused, and the one before it runs on; a teardown() that does not return holds up nothing', async (t) => {
  const run = await startRun(t, { 'a.lua': SCRIPT('one') });
  await run.feed(200);
  await run.until(([a]) => (a?.stats.protocolDetected?.calls ?? 0) > 5);
  writeFileSync(join(run.scripts, 'a.lua'), SCRIPT('two').replace('return true', `return ${STUCK}`));
  await run.until(([a]) => a?.error !== undefined);
  const [refused] = await run.reports();
  assert.equal(refused?.title, 'one');
  assert.equal(refused?.state, 'on');
  assert.match(refused?.error ?? '', /^a\.lua: loading it, with its setup\(\), did not return for 1500 ms of CPU time and was ended$/);
  const teardown = "export default { key: 'b', title: 'b1', idle() {}, teardown() { for (;;); } };";
  writeFileSync(join(run.scripts, 'b.ts'), teardown);
  await run.until((reports) => reports.some(({ title }) => title === 'b1'));
  writeFileSync(join(run.scripts, 'b.ts'), teardown.replace('b1', 'b2'));
  await run.until((reports) => reports.some(({ title }) => title === 'b2'));
  rmSync(join(run.scripts, 'b.ts'));
  await run.until((reports) => reports.length === 1);
  await run.end();
  assert.deepEqual(
    run.alerts().map(({ by }) => by),
    Array<string>(122).fill('one'),
  );
});

test('a script that does not return comes back behind the call that it died in; every other call of it is counted, and those of others come once', async (t) => {
  const callbacks = ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle'] as const;
  const all = (key: string, body: string): string =>
    `local script = { key = "${key}", setup = function() return true end }
for _, name in ipairs({ ${callbacks.map((name) => `"${name}"`).join()} }) do script[name] = function(info) ${body} end end
return script`;
  const run = await startRun(t, {
    // not in the first callback of its events
    'bad.lua': all('bad', `if name == "statusChanged" then ${STUCK} end`),
    'good.lua': all(
      'good',
      'flow.storeAlert(4, 1, { by = name .. info["ntopng.key"] .. info["seen.last"] .. info["packets.last"] .. info["bytes"] })',
    ),
  });
  await run.feed(650);
  const counted = (report: ScriptReport | undefined): number[] =>
    callbacks.map((name) => {
      const { calls = 0, skipped = {} } = report?.stats[name] ?? {};
      return calls + Object.values(skipped).reduce((sum, count) => sum + count, 0);
    });
  await run.until(
    ([bad, good]) => bad?.state === 'broken' && (good?.stats.statusChanged?.calls ?? 0) > 40 && `${counted(bad)}` === `${counted(good)}`,
  );
  const [bad] = await run.reports();
  assert.equal(bad?.stats.statusChanged?.failures, 4); // once with all, three times alone
  assert.equal(bad?.stats.protocolDetected?.failures, 0);
  writeFileSync(join(run.scripts, 'bad.lua'), all('bad', ''));
  await run.until(([report]) => report?.state === 'on' && !report.ownHost);
  await run.end();
  const calls = run.alerts().map(({ by }) => by);
  assert.equal(calls.length, 318);
  assert.equal(new Set(calls).size, 318);
});
