/**
 * From the scripts to the store: on a capture, beside scripts whose hosts have to be ended from outside, every alert that was written to
 * the export was taken in, once, and stored as it is there.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Alert } from '../../src/alerts/alert.ts';
import { systemClock } from '../../src/alerts/clock.ts';
import { createExclusions } from '../../src/alerts/exclusions.ts';
import { createAlertIntake } from '../../src/alerts/intake.ts';
import { alertTranslator } from '../../src/alerts/words.ts';
import { type Config, DEFAULT_CONFIG } from '../../src/config.ts';
import { createPatrol } from '../../src/patrol.ts';
import type { InterfaceSnapshot } from '../../src/patrol-types.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import { openSettings } from '../../src/store/settings.ts';
import { CAPTURES } from '../support/golden.ts';
import { testHistory } from './support.ts';

const BAD = fileURLToPath(new URL('../scripts/bad', import.meta.url));

async function run(config: Partial<Config>, window: number): Promise<{ alerts: Alert[]; snapshot: InterfaceSnapshot }> {
  const history = testHistory();
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const preferences = { ...DEFAULT_PREFERENCES, alert_merge_window: window };
  const intake = createAlertIntake({
    history,
    exclusions: createExclusions(openSettings(undefined), systemClock),
    preferences: () => preferences,
    translate: alertTranslator('en'),
    clock: systemClock,
    log,
  });
  const patrol = createPatrol({ ...DEFAULT_CONFIG, pcapCallbacks: 'all', ...config }, log, () => 'pcap', { alerts: intake });
  await patrol.start();
  await patrol.done;
  const [snapshot] = patrol.snapshot().interfaces as [InterfaceSnapshot];
  assert.equal(snapshot.error, undefined);
  await intake.close();
  return { alerts: [...history.rows.values()], snapshot };
}

test('no alert is lost when a host is ended from outside', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-intake-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const exportAlerts = join(folder, 'alerts.jsonl');
  const { alerts, snapshot } = await run({ interfaces: [`${CAPTURES}demo.pcap`], scriptDirectories: [BAD], exportAlerts }, 0);
  assert.ok((snapshot.losses.find(({ name }) => name === 'calls.ended')?.value ?? 0) > 0, 'a host was ended');
  const lines = readFileSync(exportAlerts, 'utf8').trimEnd().split('\n');
  assert.ok(lines.length > 100);
  // what a stronger alert of the same flow does to it comes later
  const known = ({ secondary: _, ...alert }: Alert): Omit<Alert, 'secondary'> => alert;
  const byId = (all: readonly Alert[]): Omit<Alert, 'secondary'>[] => all.map(known).sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(byId(lines.map((line) => JSON.parse(line) as Alert)), byId(JSON.parse(JSON.stringify(alerts)) as Alert[]));
  const stored = alerts.map(({ script, callback, flow, time }) => `${script} ${callback} ${flow['flow.id']} ${time}`);
  assert.equal(new Set(stored).size, stored.length);
  assert.equal(snapshot.counters['alerts.shown'], stored.length);
});

test("the core's alerts come without any script, merged and explained", async () => {
  const captures = ['demo.pcap', 'windows-network.pcap', 'tls-1.1.pcap'];
  const preferences = { ssl_alerts: true, probing_alerts: true, udp_unidirectional_alerts: true, remote_to_remote_alerts: true };
  const of = async (capture: string): Promise<Alert[]> => {
    const { alerts, snapshot } = await run({ interfaces: [`${CAPTURES}${capture}`], scripts: false, preferences }, 300);
    assert.equal(snapshot.counters['alerts.raised'], snapshot.counters['alerts.core']);
    return alerts;
  };
  const alerts = (await Promise.all(captures.map(of))).flat();
  assert.ok(alerts.length > 0);
  for (const { script, forStatus, status, title, reason } of alerts) {
    assert.equal(script, 'core');
    assert.ok(forStatus > 0 && title !== '' && Object.keys(reason).length > 0);
    assert.equal(Math.floor(status / 2 ** forStatus) % 2, 1, 'the status was set');
  }
  assert.ok(
    alerts.some(({ count }) => count > 1),
    'some were merged',
  );
});
