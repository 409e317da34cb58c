/** Runs every case of cases.ts in both languages, and in both orders of a mixed row. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import type { FlowChange, ScriptAlert } from '../../../src/scripts/host.ts';
import { start, VISIT_TIME } from '../support.ts';
import { CASES } from './cases.ts';

const changeText = ({ status, score }: FlowChange): string =>
  status === undefined ? `${score?.of}=${score?.value}` : `${status.set ? '+' : '-'}${status.id}`;

/** Texts of alerts are bytes, one character each. */
const alertOf = ({ alertTypeName, severityName, info }: ScriptAlert): unknown[] => [
  alertTypeName,
  severityName,
  ...(info === undefined ? [] : [JSON.parse(Buffer.from(info, 'latin1').toString('utf8'))]),
];

for (const language of ['lua', 'typescript'] as const) {
  describe(language, () => {
    for (const { name, events, lines = [], alerts = [], changes = [], failed = [], states, ...sources } of CASES) {
      test(name, async (t) => {
        const suffix = language === 'lua' ? 'lua' : 'ts';
        const files = Object.fromEntries(sources[language].map((text, i) => [`${String.fromCharCode(97 + i)}.${suffix}`, text]));
        const harness = await start(t, files, { cache: createScriptCache({ now: () => VISIT_TIME / 1e6 }) });
        const refused = harness.errors.splice(0);
        for (const [callback, values] of events) harness.run(callback, values);
        assert.deepEqual(harness.lines, lines);
        assert.deepEqual(harness.alerts.map(alertOf), alerts);
        assert.deepEqual(harness.changes.map(changeText), changes);
        // the line where both languages have it on the same one
        const failures = harness.errors.map((text) => /^(\w+) (\w+): \w+\.(?:lua|ts):(\d+): ./.exec(text)?.slice(1) ?? [text]);
        assert.deepEqual(
          failures.map(([callback, key, line], i) => [callback, key, ...(failed[i]?.split(' ').length === 3 ? [line] : [])].join(' ')),
          failed,
        );
        assert.deepEqual(
          harness.reports().map(({ state }) => state),
          states ?? sources[language].map(() => 'on'),
          refused.join('\n'),
        );
      });
    }
  });
}

test('scripts of both languages take turns by prio', async (t) => {
  const { lines, run } = await start(t, {
    'a.lua':
      'local s = { key = "a", prio = 3, setup = function() return true end }\nfunction s.idle(info) print("lua 3", info.by) info.by = "lua" end\nreturn s',
    'b.ts': "export default { key: 'b', prio: 2, idle(info) { console.log('ts 2', info.by ?? 'nil'); info.by = 'ts'; } };",
    'c.lua': 'local s = { key = "c", prio = 1, setup = function() return true end }\nfunction s.idle(info) print("lua 1") end\nreturn s',
    'd.ts': "export default { key: 'd', idle(info) { console.log('ts 0', info.by); } };",
  });
  run('idle');
  assert.deepEqual(lines, ['lua 3\tnil', 'ts 2 nil', 'lua 1', 'ts 0 ts']);
});
