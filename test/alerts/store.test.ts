/** The intake over the history on disk: what was told is there after a restart, in its newest state; changes find alerts by filter. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Alert } from '../../src/alerts/alert.ts';
import { systemClock } from '../../src/alerts/clock.ts';
import { createExclusions, previewExclusion } from '../../src/alerts/exclusions.ts';
import { type AlertIntake, createAlertIntake } from '../../src/alerts/intake.ts';
import { alertTranslator } from '../../src/alerts/words.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import type { History } from '../../src/store/history.ts';
import { openSettings } from '../../src/store/settings.ts';
import { raised, SECOND, START } from './support.ts';

const intakeOf = (history: History): AlertIntake =>
  createAlertIntake({
    history,
    exclusions: createExclusions(openSettings(undefined), systemClock),
    preferences: () => ({ ...DEFAULT_PREFERENCES, alert_host_limit: 0 }),
    translate: alertTranslator('en'),
    clock: systemClock,
    log: { error: (_, text) => assert.fail(text), info() {} },
  });

test('alerts, their repetitions and what people say are there after a restart', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-alerts-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const history = await openDuckHistory({ directory });
  const intake = intakeOf(history);
  const told = new Map<string, Alert>();
  intake.listen((events) => {
    for (const { alert } of events) told.set(alert.id, alert);
  });
  for (let i = 0; i < 1500; i++) {
    const script = i % 3 === 0 ? 'a' : 'b';
    intake.raised([raised({ script, client: `10.0.${i >> 8}.${i & 255}`, of: i, at: i / 10 })], true);
  }
  await intake.flush();
  intake.raised(
    [raised({ script: 'a', client: '10.0.0.0', at: 200 }), raised({ script: 'strong', score: 900, client: '10.0.0.1', of: 1 })],
    true,
  );
  const [first] = [...told.values()] as [Alert];
  assert.equal(await intake.change([first.id], { state: 'acknowledged', by: 'ann', comment: 'größer' }), 1);
  const closed = await intake.changeAll({ filter: 'script == b and ip == 10.0.1.0/24' }, { state: 'closed', by: 'bob', comment: '' });
  assert.deepEqual(closed, { changed: 171, complete: true });
  await intake.close();
  await history.close();

  const again = await openDuckHistory({ directory });
  t.after(() => again.close());
  assert.equal(told.size, 1501);
  for (const alert of told.values()) assert.deepEqual(await again.alert(alert.id), JSON.parse(JSON.stringify(alert)));
  const { state, count, lastTime } = (await again.alert(first.id)) as Alert;
  assert.deepEqual([state, count, lastTime], ['acknowledged', 2, START + 200 * SECOND]);
  const page = { from: START, to: START + 1000 * SECOND, sort: 'time', descending: true, limit: 10, offset: 0 } as const;
  assert.equal((await again.alerts({ ...page, filter: 'secondary' })).total, 1);
  const seen = await previewExclusion('script == a and severity >= warning', page.from, page.to, again);
  assert.deepEqual([seen.matched, seen.raised, seen.complete], [500, 501, true]);
  assert.equal(await intakeOf(again).change(['nobody'], { state: 'closed', by: 'x', comment: '' }), 0);
});
