/**
 * Hosts of scripts that have to be ended from outside, in a whole run on a capture: what is made anew in which order, and that the run
 * comes to the same each time.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Config, DEFAULT_CONFIG } from '../../src/config.ts';
import { createPatrol } from '../../src/patrol.ts';
import type { Log } from '../../src/patrol-types.ts';
import type { ScriptReport } from '../../src/scripts/report.ts';
import { CAPTURES } from '../support/golden.ts';

/** A pattern match that takes longer than anybody lives: no instruction of Lua runs in it. */
const STUCK = '("a"):rep(40):find(("a-"):rep(30) .. "b")';

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-hosts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** A change takes less. */
const PATIENCE_MS = 20_000;

interface Said {
  readonly script?: string;
  readonly ms?: number;
  readonly text: string;
}

async function run(config: Partial<Config>): Promise<{ said: Said[]; scripts: readonly ScriptReport[] }> {
  const said: Said[] = [];
  const take = (fields: object, text: string): void => void said.push({ ...fields, text });
  const log: Log = { debug() {}, info: take, warn: take, error: take };
  const patrol = createPatrol(
    { ...DEFAULT_CONFIG, interfaces: [`${CAPTURES}demo.pcap`], pcapCallbacks: 'all', ...config },
    log,
    () => 'pcap',
  );
  await patrol.start();
  await patrol.done;
  const { scripts, interfaces } = patrol.snapshot();
  assert.equal(interfaces[0]?.error, undefined);
  return { said, scripts };
}

/** Stuck at one of the flows of the demo. */
const stuckAt = (key: string, port: number, body = ''): string => `local script = { key = "${key}", setup = function() return true end }
function script.protocolDetected(info)
  if info["cli.port"] == ${port} then ${STUCK} end
  ${body}
end
return script`;

test('the script that did not return is known the first time, and only it gets a host of its own', async (t) => {
  const good = 'return { key = "good", setup = function() return true end, protocolDetected = function() end }';
  const files = { 'a.lua': good, 'b.lua': stuckAt('bad', 2745), 'c.lua': good.replace('good', 'better'), 'd.lua': stuckAt('worse', 2760) };
  const { said, scripts } = await run({ scriptDirectories: [folderWith(t, files)] });
  const story = said.map(({ script, text }) => `${script ?? 'all'}: ${text}`);
  const of = (key: string): string[] => story.filter((line) => line.startsWith(`${key}: `));
  for (const key of ['bad', 'worse']) {
    assert.deepEqual(of(key), [
      `${key}: the script did not return for 200 ms of CPU time and was ended; it goes on in a host of its own`,
      `${key}: the script goes on in a host of its own`,
    ]);
  }
  assert.deepEqual(of('all'), Array<string>(2).fill('all: the host of the scripts is made anew'));
  const calls = scripts.map(({ key, ownHost, stateLost, stats }) => [key, ownHost, stateLost, stats.protocolDetected?.calls]);
  assert.deepEqual(calls, [
    ['good', false, 2, 122],
    ['bad', true, 1, 122],
    ['better', false, 2, 122],
    ['worse', true, 2, 122],
  ]);
  const took = said.flatMap(({ ms }) => (ms === undefined ? [] : [ms]));
  t.diagnostic(`made anew within ${took.join(', ')} ms`);
});

test('after the end of a capture scripts still come, change and go', async (t) => {
  const plain = (key: string, title: string): string =>
    `return { key = "${key}", gui = { i18n_title = "${title}" }, setup = function() return true end, idle = function() end }`;
  const folder = folderWith(t, { 'a.lua': plain('a', 'one'), 'b.lua': plain('b', 'b') });
  const log: Log = { debug() {}, info() {}, warn() {}, error() {} };
  const config = { ...DEFAULT_CONFIG, interfaces: [`${CAPTURES}demo.pcap`], pcapCallbacks: 'all', scriptDirectories: [folder] } as const;
  const patrol = createPatrol(config, log, () => 'pcap', { stays: true });
  await patrol.start();
  t.after(() => patrol.stop());
  await patrol.read;
  const until = async (wanted: (scripts: readonly ScriptReport[]) => boolean): Promise<void> => {
    const began = performance.now();
    while (!wanted(patrol.snapshot().scripts)) {
      assert.ok(performance.now() - began < PATIENCE_MS, JSON.stringify(patrol.snapshot().scripts));
      await turn();
    }
  };
  const calls = patrol.snapshot().scripts.find(({ key }) => key === 'a')?.stats.idle?.calls ?? 0;
  assert.equal(calls, 122);
  writeFileSync(join(folder, 'c.ts'), "export default { key: 'c', title: 'c', idle() {} };");
  writeFileSync(join(folder, 'a.lua'), plain('a', 'two'));
  rmSync(join(folder, 'b.lua'));
  await until((scripts) => `${scripts.map(({ title }) => title)}` === 'two,c');
  writeFileSync(join(folder, 'a.lua'), 'return {');
  await until(([a]) => a?.error !== undefined);
  const [a] = patrol.snapshot().scripts;
  assert.match(a?.error ?? '', /^a\.lua:1: /);
  assert.deepEqual([a?.title, a?.state, a?.stats.idle?.calls], ['two', 'on', calls]);
});

test('statuses that a script sets in a host of its own come at the same visits in every run', async (t) => {
  const folder = folderWith(t, {
    'a.lua': stuckAt('setter', 2736, 'flow.setStatus(flow_consts.status_types.status_blacklisted, 10, 10, 10)'),
  });
  const exportEvents = join(folder, 'events.jsonl');
  const runs = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const { scripts } = await run({ scriptDirectories: [folder], exportEvents });
    assert.equal(scripts[0]?.ownHost, true);
    assert.equal(scripts[0]?.stats.protocolDetected?.failures, 1);
    const events = readFileSync(exportEvents, 'utf8').replaceAll(/"flow\.id":"[^-]*-/g, '"flow.id":"');
    assert.ok(events.split('\n').filter((line) => line.includes('"callback":"statusChanged"')).length > 100, events.slice(0, 3000));
    runs.add(events);
  }
  assert.equal(runs.size, 1);
});
