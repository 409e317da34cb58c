/** Switches of scripts: of one interface or all, kept over runs. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createScriptSwitches } from '../../src/store/script-switches.ts';
import { openSettings } from '../../src/store/settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-switches-'));
after(() => rmSync(directory, { recursive: true }));

test('a switch of one interface wins over that of all, and both are there in the next run', () => {
  const settings = openSettings(directory);
  const switches = createScriptSwitches(settings);
  assert.equal(switches.get('eth0', 'a'), 'on');
  switches.set(undefined, 'a', 'off');
  switches.set('eth0', 'a', 'shadow');
  switches.set('eth1', 'a', 'on');
  switches.set('eth0', 'b', 'off');
  assert.deepEqual(
    ['eth0', 'eth1', 'eth2'].map((name) => switches.get(name, 'a')),
    ['shadow', 'on', 'off'],
  );
  settings.close();

  const again = openSettings(directory);
  const stored = createScriptSwitches(again);
  const of = (name: string): unknown => Object.fromEntries(stored.of(name));
  assert.deepEqual([of('eth0'), of('eth1'), of('eth2')], [{ a: 'shadow', b: 'off' }, {}, { a: 'off' }]);
  stored.set(undefined, 'a', 'on');
  stored.set('eth0', 'b', 'on');
  assert.deepEqual(stored.all(), []);
  again.close();
});
