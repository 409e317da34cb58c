/** The log: its form, and what a failing script may say in it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../../src/api/client.ts';
import { createLog, type Screen } from '../../src/cli/screen.ts';
import { limitScriptErrors } from '../../src/cli/script-errors.ts';
import type { LossSnapshot } from '../../src/patrol-types.ts';
import { CAPTURES } from '../support/golden.ts';
import { CLI } from '../support/run-cli.ts';

/** A screen that keeps its lines. */
function paper(terminal: boolean): { screen: Screen; lines: string[] } {
  const lines: string[] = [];
  return { lines, screen: { terminal, columns: 80, line: (text) => void lines.push(text), status: () => {}, clear: () => {} } };
}

test('the form of the log can be asked for', () => {
  const text = paper(false);
  createLog('info', text.screen, true, 'text').warn({ interface: 'eth0' }, 'gone');
  assert.deepEqual(text.lines, ['warning: eth0: gone'], 'no colours where there is no terminal');

  const json = paper(true);
  createLog('info', json.screen, true, 'json').warn({ interface: 'eth0' }, 'gone');
  assert.equal(json.lines.length, 1);
  const { level, interface: name, msg } = JSON.parse(json.lines[0] as string) as Record<string, unknown>;
  assert.deepEqual([level, name, msg], [40, 'eth0', 'gone']);
});

test('of a failing script five errors are told, then one in 10 s with the number left out; the rest is counted', () => {
  const { screen, lines } = paper(true);
  let now = 1000;
  const { log, losses } = limitScriptErrors(createLog('info', screen, false, 'text'), () => now);
  const fail = (script: string): void => log.error({ script, callback: 'idle' }, 'x.lua:1: nil');
  for (let i = 0; i < 100; i++) fail('bad');
  assert.deepEqual(
    lines,
    Array.from({ length: 5 }, () => 'error: script bad, idle: x.lua:1: nil'),
  );
  assert.equal(losses()[0]?.value, 95);

  fail('other');
  log.error({ script: 'bad' }, 'the script was switched off: …');
  log.warn({ script: 'bad', callback: 'idle' }, 'careful');
  assert.equal(lines.length, 8, 'other scripts and other lines are not held back');

  now += 9_999;
  fail('bad');
  assert.equal(lines.length, 8);
  now += 1;
  fail('bad');
  fail('bad');
  assert.deepEqual(lines.slice(8), ['error: script bad, idle: x.lua:1: nil (96 errors of the script were left out before)']);
  assert.equal(losses()[0]?.value, 97);
});

test('nothing left out is no loss', () => {
  const { log, losses } = limitScriptErrors(createLog('info', paper(true).screen, false), () => 0);
  log.error({ script: 'bad', callback: 'idle' }, 'x');
  assert.deepEqual(losses(), []);
});

test('what was left out is among the losses that a run tells', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  writeFileSync(
    join(folder, 'bad.lua'),
    'return { key = "bad", gui = {}, setup = function() return true end, protocolDetected = function(info) error("always") end }\n',
  );
  const args = ['-i', '-', '--no-web', '-d', data, '--scripts-dir', folder];
  const run = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'ignore', 'inherit'] });
  t.after(() => run.kill('SIGKILL'));
  run.stdin.write(readFileSync(`${CAPTURES}demo.pcap`)); // and it stays open: the run goes on
  const told = async (): Promise<LossSnapshot | undefined> => {
    const { losses } = await ask<{ losses: LossSnapshot[] }>(data, 'GET', '/losses');
    return losses.find(({ name }) => name === 'log.scriptErrors');
  };
  let loss: LossSnapshot | undefined;
  for (const end = performance.now() + 20_000; loss === undefined && performance.now() < end; ) loss = await told().catch(() => undefined);
  assert.ok(loss !== undefined && loss.value > 0, 'it is not among them');
});
