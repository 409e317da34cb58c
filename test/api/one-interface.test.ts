/** The running patrol asks the interface that is meant, and no other. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { createPatrol } from '../../src/patrol.ts';
import { CAPTURES } from '../support/golden.ts';
import { QUIET } from './support.ts';

test('flows of one interface, of all, of one that is not there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-interfaces-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const interfaces = ['one.pcap', 'other.pcap'].map((name) => join(folder, name));
  for (const name of interfaces) copyFileSync(join(CAPTURES, 'demo.pcap'), name);
  const patrol = createPatrol({ ...DEFAULT_CONFIG, interfaces, scripts: false, speed: 1 }, QUIET, () => 'pcap');
  t.after(() => patrol.stop());
  await patrol.start();
  const asked = async (of: { readonly interface?: string }): Promise<string[]> =>
    (await patrol.queryFlows({ filter: '', ...of, sort: 'bytes', descending: true, limit: 10 })).map((answer) => answer.interface);
  while ((await asked({})).length < 2) await new Promise(setImmediate); // both have told their names
  assert.deepEqual((await asked({})).sort(), interfaces);
  for (const name of interfaces) assert.deepEqual(await asked({ interface: name }), [name]);
  assert.deepEqual(await asked({ interface: 'one.pcap' }), []);
});
