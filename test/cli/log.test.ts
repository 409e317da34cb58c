/** The log: its form, and what a failing script may say in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, type Screen } from '../../src/cli/screen.ts';
import { limitScriptErrors } from '../../src/cli/script-errors.ts';

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
