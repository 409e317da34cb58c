/** Exclusions: kept, held to their time, counted; lines to begin with; what a line would have kept away. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Alert } from '../../src/alerts/alert.ts';
import { createExclusions, ExclusionError, previewExclusion, suggestExclusions } from '../../src/alerts/exclusions.ts';
import { compileAlertFilter } from '../../src/alerts/filter.ts';
import { FilterError } from '../../src/filter/filter.ts';
import { openSettings } from '../../src/store/settings.ts';
import { handClock, raised, SECOND, START, testHistory } from './support.ts';

const ASK = { comment: 'backup', owner: 'ann' };

test('exclusions and their hits are there after a restart', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-exclusions-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const clock = handClock();
  const settings = openSettings(directory);
  const first = createExclusions(settings, clock);
  const added = first.add({ ...ASK, filter: 'port == 873', expires: START + 100 * SECOND });
  assert.deepEqual(added, { id: 1, ...ASK, filter: 'port == 873', created: START, expires: START + 100 * SECOND, hits: 0 });
  assert.equal(first.find(raised({ flow: { 'srv.port': 873 }, at: 5 })), 1);
  assert.equal(first.find(raised()), undefined);
  first.flush();
  settings.close();

  const again = openSettings(directory);
  const second = createExclusions(again, clock);
  assert.deepEqual(second.list(), [{ ...added, hits: 1, lastHit: START + 5 * SECOND }]);
  assert.deepEqual(second.update(1, { comment: 'moved', expires: undefined })?.comment, 'moved');
  assert.equal('expires' in (second.get(1) as object), false);
  assert.ok(second.remove(1));
  assert.deepEqual([second.remove(1), second.list(), second.update(1, {})], [false, [], undefined]);
  again.close();
});

test('an exclusion holds for the traffic of its time', () => {
  const exclusions = createExclusions(openSettings(undefined), handClock());
  exclusions.add({ ...ASK, filter: 'script == watch', starts: START + 10 * SECOND, expires: START + 20 * SECOND });
  assert.deepEqual(
    [9, 10, 19, 20].map((at) => exclusions.find(raised({ at }))),
    [undefined, 1, 1, undefined],
  );
});

test('what cannot be meant is refused, and one that does not work any more is told and kept', () => {
  const settings = openSettings(undefined);
  const exclusions = createExclusions(settings, handClock());
  assert.throws(() => exclusions.add({ ...ASK, filter: ' ' }), ExclusionError);
  assert.throws(() => exclusions.add({ ...ASK, filter: 'nonsense == 1' }), FilterError);
  assert.throws(() => exclusions.add({ ...ASK, filter: 'port == 1', starts: 5, expires: 5 }), /before it starts/);
  assert.throws(() => exclusions.add({ ...ASK, filter: 'port == 1', comment: 'x'.repeat(2000) }), /1000 are the most/);
  exclusions.add({ ...ASK, filter: 'port == 1' });
  assert.throws(() => exclusions.update(1, { filter: 'nonsense' }), FilterError);
  assert.equal(exclusions.get(1)?.filter, 'port == 1');

  settings.database.exec("UPDATE alert_exclusions SET filter = 'gone == 1'");
  const said: string[] = [];
  const later = createExclusions(settings, handClock(), (text) => said.push(text));
  assert.match(said[0] as string, /exclusion 1 \(gone == 1\) does not work: There is no field "gone"/);
  assert.match(later.list()[0]?.error as string, /no field/);
  assert.equal(later.find(raised()), undefined);
  assert.equal(later.update(1, { filter: 'port == 443' })?.error, undefined);
  assert.equal(later.find(raised()), 1);
});

test('"exclude this" begins with a line for this pair; each suggestion fits the alert', () => {
  const alert = raised({ flow: { host_server_name: 'www.example.org', 'cli.network': '10.0.0.0/8' } });
  const [first, ...others] = suggestExclusions(alert);
  assert.deepEqual(first, {
    about: 'pair',
    filter: 'script == watch and type == suspicious_activity and client == 10.0.0.1 and server == 198.51.100.7 and srv.port == 443',
  });
  assert.deepEqual(
    others.map(({ about }) => about),
    ['name', 'client', 'server', 'network', 'protocol', 'type'],
  );
  for (const { filter } of [first, ...others] as const) assert.ok(compileAlertFilter(filter as string).matches(alert), filter);
});

test('property: suggestions can be read whatever the names are, and fit', () => {
  const name = fc.string({ maxLength: 60 });
  fc.assert(
    fc.property(name, name, name, fc.ipV6(), (script, host, network, server) => {
      const alert = raised({
        script,
        server,
        flow: { 'srv.ip': server, host_server_name: host, 'cli.network': network, 'cli.ip': server },
      });
      for (const { about, filter } of suggestExclusions(alert)) {
        const { matches } = compileAlertFilter(filter);
        if (about !== 'name') assert.ok(matches(alert), filter);
      }
    }),
  );
});

test('a preview says what a line would have kept away', async () => {
  const history = testHistory();
  const alerts = Array.from({ length: 2500 }, (_, i): Alert => {
    const time = START + i * SECOND;
    return {
      ...raised({ at: i, of: i, script: i % 5 === 0 ? 'noisy' : 'watch' }),
      ...({
        schema: 2,
        id: `a${String(i).padStart(5, '0')}`,
        title: '',
        description: '',
        count: 3,
        firstTime: time,
        lastTime: time,
      } as const),
      ...({ bytes: 0, packets: 0, secondary: false, state: 'new', by: '', comment: '', changed: 0 } as const),
    };
  });
  await history.putAlerts(alerts);
  const seen = await previewExclusion('script == noisy', START, START + 2499 * SECOND, history);
  assert.deepEqual([seen.matched, seen.raised, seen.looked, seen.complete, seen.examples.length], [500, 1500, 2500, true, 20]);
  assert.equal(seen.examples[0]?.time, START + 2495 * SECOND);
  assert.equal((await previewExclusion('script == noisy', START, START + 9 * SECOND, history)).matched, 2);
  await assert.rejects(previewExclusion('script ==', START, START, history), FilterError);
});
