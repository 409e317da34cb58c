/** The guides say what is so: their lines compile, their tables name what is declared. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SEVERITIES, SEVERITY_SCORES } from '../../src/alerts/alert.ts';
import { ALERT_COUNTERS } from '../../src/alerts/counters.ts';
import { compileAlertFilter, MEMBERS } from '../../src/alerts/filter.ts';
import { KINDS, type Kind } from '../../src/notify/kinds.ts';
import { alertOf } from '../notify/support.ts';

const guide = (name: string): string => readFileSync(new URL(`../../docs/guides/${name}.md`, import.meta.url), 'utf8');
const [alerts, notifications] = [guide('alerts'), guide('notifications')];
const words = (text: string): string[] => [...text.replace(/```[^`]*```/g, '').matchAll(/`([^`]+)`/g)].map(([, word]) => word as string);

for (const [, block = ''] of `${alerts}${notifications}`.matchAll(/```filter\n([^`]*)```/g)) {
  for (const line of block.trim().split('\n')) {
    test(`example: ${line}`, () => {
      assert.equal(compileAlertFilter(line).matches(alertOf({ type: 'other', severity: 'notice', shadow: true })), false);
    });
  }
}

test('the members of alerts in filters are all named', () => {
  const table = alerts.split('Beside every field of flows a line may name:')[1]?.split('\n\n**Exclude this**')[0] ?? '';
  const named = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => words(line.split(' | ')[0] as string));
  assert.deepEqual(named.sort(), MEMBERS.map(({ name }) => name).sort());
});

test('the members of an alert, its severities and scores, and the counters are all named', () => {
  const made = alertOf({ info: 'x' });
  const named = words(alerts);
  for (const member of Object.keys(made)) if (member !== 'schema') assert.ok(named.includes(member), member);
  for (const severity of SEVERITIES) assert.ok(named.includes(severity), severity);
  assert.ok(alerts.includes(Object.values(SEVERITY_SCORES).join(', ')));
  for (const { name } of ALERT_COUNTERS) assert.ok(named.includes(`alerts.${name}`), name);
});

test('the table of kinds has their settings, sizes and pauses', () => {
  const rows = notifications.split('\n').filter((line) => /^\| `\w+` \| `/.test(line));
  const shown = rows.map((row) => {
    const [, kind = '', settings = '', , pause = ''] = row.split('|').map((cell) => cell.trim());
    return [words(kind)[0], words(settings.replace(/ \([^)]*\)/g, '')), Number.parseInt(pause, 10)];
  });
  const declared = Object.entries(KINDS).map(([name, kind]: [string, Kind]) => [
    name,
    kind.settings.map((setting) => setting.name),
    kind.pause,
  ]);
  assert.deepEqual(shown, declared);
});
