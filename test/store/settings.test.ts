/** The settings store, and who wins: default < stored < command line. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { PREFERENCE_NAMES, PreferenceError, type Preferences } from '../../src/preferences.ts';
import { createPreferenceBook } from '../../src/store/preferences.ts';
import { openSettings, SETTINGS_FILE, SettingsError } from '../../src/store/settings.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-settings-'));
after(() => rmSync(scratch, { recursive: true }));
const directory = (): string => mkdtempSync(join(scratch, 'd-'));

test('what is stored is there in the next run; what is reset is not', () => {
  const data = directory();
  const first = openSettings(data);
  first.setPreference('flow_max_idle', 90);
  first.setPreference('flow_max_idle', 120);
  first.setPreference('ssl_alerts', true);
  first.setPreference('dns_servers', '10.0.0.1, 10.1.0.0/16');
  first.setPreference('mining_alerts', false);
  first.resetPreference('mining_alerts');
  first.close();
  const second = openSettings(data);
  assert.deepEqual(second.preferences(), { dns_servers: '10.0.0.1, 10.1.0.0/16', flow_max_idle: 120, ssl_alerts: true });
  second.close();
});

test('two processes write at once, and nothing is lost', () => {
  const data = directory();
  const here = openSettings(data);
  const module = new URL('../../src/store/settings.ts', import.meta.url).href;
  const code = `import { openSettings } from ${JSON.stringify(module)};
    const settings = openSettings(process.argv[1]);
    for (let i = 0; i < 50; i++) settings.setPreference('flow_max_idle', 100 + i);
    settings.close();`;
  for (let i = 0; i < 50; i++) here.setPreference('detail_wait', i);
  const there = spawnSync(process.execPath, ['--input-type=module', '-e', code, data], { encoding: 'utf8' });
  assert.equal(there.status, 0, there.stderr);
  assert.deepEqual(here.preferences(), { detail_wait: 49, flow_max_idle: 149 });
  here.close();
});

test('without a directory nothing is kept', () => {
  const settings = openSettings(undefined);
  settings.setPreference('flow_max_idle', 90);
  assert.deepEqual(settings.preferences(), { flow_max_idle: 90 });
  settings.close();
  const again = openSettings(undefined);
  assert.deepEqual(again.preferences(), {});
  again.close();
});

test('unknown names and values that are out of range are reported and ignored', () => {
  const data = directory();
  openSettings(data).close();
  const raw = new DatabaseSync(join(data, SETTINGS_FILE));
  raw.exec("INSERT INTO preferences VALUES ('flow_max_idle', '99999'), ('of_the_future', '1'), ('ssl_alerts', 'true')");
  raw.close();
  const reports: string[] = [];
  const settings = openSettings(data, (text) => reports.push(text));
  assert.deepEqual(settings.preferences(), { ssl_alerts: true });
  settings.close();
  assert.equal(reports.length, 2);
  assert.match(reports[0] as string, /settings\.db: flow_max_idle: '99999' is not a whole number from 1 to 3600 \(s\); the stored value/);
  assert.match(reports[1] as string, /settings\.db: there is no preference of_the_future;/);
});

test('a file of a newer version, and one that is no database, are left alone', () => {
  const data = directory();
  openSettings(data).close();
  const raw = new DatabaseSync(join(data, SETTINGS_FILE));
  raw.exec('PRAGMA user_version = 99');
  raw.close();
  assert.throws(() => openSettings(data), /written by a newer flowpatrol \(version 99, this one knows \d+\)/);
  const broken = directory();
  writeFileSync(join(broken, SETTINGS_FILE), 'no database at all, but long enough to be looked at'.repeat(100));
  assert.throws(() => openSettings(broken), SettingsError);
  assert.throws(() => openSettings(join(scratch, 'nowhere')), SettingsError);
});

test('the command line wins over what is stored, that over the default, and who changes what is told', () => {
  const settings = openSettings(undefined);
  settings.setPreference('detail_wait', 2000);
  const changes: Partial<Preferences>[] = [];
  const book = createPreferenceBook({ settings, commandLine: { flow_max_idle: 30 }, changed: (values) => changes.push(values) });
  const shown = (): unknown[] =>
    (['housekeeping_frequency', 'flow_max_idle', 'detail_wait'] as const).map((name) => {
      const { value, origin, stored } = book.state(name);
      return [value, origin, stored];
    });
  assert.deepEqual(shown(), [
    [5, 'default', undefined],
    [30, 'command line', undefined],
    [2000, 'stored', 2000],
  ]);
  book.set('flow_max_idle', '90');
  book.set('housekeeping_frequency', 10);
  book.set('housekeeping_frequency', 10);
  book.reset('detail_wait');
  assert.deepEqual(shown(), [
    [10, 'stored', 10],
    [30, 'command line', 90],
    [1000, 'default', undefined],
  ]);
  assert.deepEqual(changes, [{ housekeeping_frequency: 10 }, { detail_wait: 1000 }]);
  assert.deepEqual(book.values(), { housekeeping_frequency: 10, flow_max_idle: 30 });
  assert.deepEqual(settings.preferences(), { flow_max_idle: 90, housekeeping_frequency: 10 });
  assert.throws(() => book.set('flow_max_idle', 0), PreferenceError);
  assert.deepEqual(
    book.states().map(({ name }) => name),
    PREFERENCE_NAMES,
  );
  settings.close();
});
