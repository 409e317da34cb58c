/** What the pages compute: texts in all languages, completion, profiles, charts, values as people read them. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ALERT_COUNTERS } from '../../src/alerts/counters.ts';
import { PROBLEMS } from '../../src/api/problems.ts';
import { COUNTERS } from '../../src/flows/counters.ts';
import { FIELDS } from '../../src/flows/fields.ts';
import { IDS_COUNTERS } from '../../src/ids/sources.ts';
import { KINDS } from '../../src/notify/kinds.ts';
import { NOTIFY_COUNTERS } from '../../src/notify/queue.ts';
import { PREFERENCES } from '../../src/preferences.ts';
import { defaultColumns, fitted } from '../../web/src/core/columns.ts';
import { completions } from '../../web/src/core/completion.ts';
import { createFormats } from '../../web/src/core/format.ts';
import { pastHosts } from '../../web/src/core/hosts.ts';
import { lineOf, profileOf, switchOf } from '../../web/src/core/scripts.ts';
import { binsOf, chartOf } from '../../web/src/core/series.ts';
import { rangeOf } from '../../web/src/core/times.ts';

const ROOT = join(import.meta.dirname, '../..');
type Texts = Readonly<Record<string, string>>;
const texts = (language: string): Texts =>
  JSON.parse(readFileSync(new URL(`../../web/src/text/${language}.json`, import.meta.url), 'utf8')) as Texts;

describe('texts', () => {
  const english = texts('en');
  const holes = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

  for (const language of ['it', 'de']) {
    it(`${language} has every text, with the same places for values`, () => {
      const other = texts(language);
      assert.deepEqual(Object.keys(other), Object.keys(english));
      for (const [key, text] of Object.entries(english)) assert.deepEqual(holes(other[key] ?? ''), holes(text), key);
    });
  }
});

describe('words of declarations', () => {
  const declared = (language: string): Readonly<Record<string, { title?: string; help?: string }>> =>
    JSON.parse(readFileSync(new URL(`../../web/src/text/declared.${language}.json`, import.meta.url), 'utf8'));
  const columns = FIELDS.filter(({ column }) => column !== undefined).map(({ key }) => key);
  const preferences = Object.keys(PREFERENCES).map((name) => `pref.${name}`);
  const settings = Object.entries(KINDS).flatMap(([kind, { settings: of }]) => of.map(({ name }) => `${kind}.${name}`));
  const kinds = Object.keys(KINDS).map((kind) => `notify.${kind}`);
  const problems = Object.keys(PROBLEMS).map((code) => `problem.${code}`);
  /** Those that stand as a value where losses are told: nothing else knows them. */
  const counted = globSync('src/**/*.ts', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .filter((text) => text.includes('losses'))
    .flatMap((text) => [...text.matchAll(/name: '([\w.-]+)',\s*help: (?:'[^']*'|`[^`]*`),\s*value\b/g)].map(([, name]) => name as string));
  const lost = (counters: readonly { readonly name: string; readonly loss: boolean }[]): string[] =>
    counters.filter(({ loss }) => loss).map(({ name }) => name);
  const counters = [
    ...COUNTERS.map(({ name }) => name),
    ...ALERT_COUNTERS.map(({ name }) => `alerts.${name}`),
    ...lost(IDS_COUNTERS).map((name) => `ids.${name}`),
    ...lost(NOTIFY_COUNTERS).map((name) => `notifications.${name}`),
    ...counted,
  ].map((name) => `counter.${name}`);
  for (const language of ['it', 'de']) {
    it(`${language} has those of all columns, preferences, notifications, counters and problems, and of nothing else`, () => {
      const keys = [...columns, ...preferences, ...settings, ...kinds, ...problems, ...new Set(counters)];
      assert.deepEqual(Object.keys(declared(language)).sort(), keys.sort());
      for (const key of [...columns, ...kinds, ...problems]) assert.ok(declared(language)[key]?.title, key);
      for (const key of counters) assert.ok(declared(language)[key]?.help, key);
    });
  }
  it('what is counted is found where it is counted', () => {
    for (const name of ['history.lost', 'streams.dropped', 'geo.broken']) assert.ok(counted.includes(name), name);
  });
  it('English names every setting', () => {
    const english = texts('en');
    for (const kind of Object.values(KINDS)) for (const { name } of kind.settings) assert.ok(english[`setting.${name}`], name);
  });
});

describe('columns', () => {
  const shown = FIELDS.filter(({ column }) => column?.shown).map(({ key, column }) => ({ key, width: 40 + 7.6 * (column?.width ?? 0) }));
  const widthOf = (keys: readonly string[]): number =>
    keys.reduce((sum, key) => sum + (key === 'info' ? 140 : (shown.find((each) => each.key === key)?.width ?? 0)), 0);

  it('the most useful ones that fit: ends, protocol and bytes always, names where there is room', () => {
    for (const room of [300, 800, 1140, 1700, 3600]) {
      const keys = defaultColumns(shown, room);
      for (const key of ['cli.ip', 'srv.ip', 'proto.ndpi', 'bytes']) assert.ok(keys.includes(key), `${key} at ${room}`);
      assert.ok(keys.length === 4 || widthOf(keys) <= room, `${room}: ${widthOf(keys)}`);
    }
    assert.ok(!defaultColumns(shown, 1140).includes('cli.host'));
    assert.equal(defaultColumns(shown, 3600).length, shown.length);
  });
  it('the last text takes what is left', () => {
    assert.deepEqual(fitted([100, 100, 300], 1000, true), [100, 100, 800]);
    assert.deepEqual(fitted([100, 100, 300], 250, true), [100, 100, 140]);
    assert.deepEqual(fitted([100, 100], 1000, false), [100, 100]);
  });
});

describe('hosts of the past', () => {
  it('are clients and servers put together, the largest first', () => {
    const of = (...pairs: [string, number][]) => pairs.map(([value, sum]) => ({ value, sum }));
    const hosts = pastHosts({
      ...{ clientBytes: of(['a', 10], ['b', 5]), serverBytes: of(['b', 10]) },
      ...{ clientFlows: of(['a', 1], ['b', 1]), serverFlows: of(['b', 1], ['', 3]) },
    });
    assert.deepEqual(hosts, [
      { address: 'b', asClient: 5, asServer: 10, bytes: 15, flows: 2 },
      { address: 'a', asClient: 10, asServer: 0, bytes: 10, flows: 1 },
    ]);
  });
});

describe('completion', () => {
  const field = (key: string) => ({ key, type: 'int', doc: `${key} of the flow`, group: 'traffic', sortable: true }) as const;
  const declared = {
    fields: ['bytes', 'bytes.last', 'packets', 'cli2srv.bytes'].map(field),
    statuses: [{ id: 13, name: 'status_blacklisted', title: 'Blacklisted', alertType: 'flow_blacklisted', severity: 'error' }],
    alertTypes: ['flow_blacklisted'],
    severities: ['info', 'warning', 'error'],
    ...{ callbacks: [], counters: [] },
    filterNames: [
      { name: 'severity', type: 'rank', doc: '', of: ['alerts' as const] },
      { name: 'ip', type: 'address', doc: '', of: ['flows' as const, 'history' as const, 'alerts' as const] },
      ...['bytes', 'bytes.last', 'packets', 'cli2srv.bytes'].map((name) => ({
        ...{ name, type: 'number', doc: `${name} of the flow`, of: ['flows' as const, 'history' as const, 'alerts' as const] },
      })),
    ],
    filterOperators: { number: ['==', '>='], address: ['==', 'in'], rank: ['<'] },
  };
  const at = (text: string, of?: 'alerts'): string[] => completions(text, text.length, declared, of).map((found) => found.text);

  it('names of fields where one may stand, those that begin so before those that hold it', () => {
    assert.deepEqual(at('byt'), ['bytes', 'bytes.last', 'cli2srv.bytes']);
    assert.deepEqual(at('not (pack'), ['packets']);
    assert.deepEqual(at('proto == TLS and pack'), ['packets']);
    assert.deepEqual([at('sev'), at('sev', 'alerts')], [[], ['severity']]);
  });
  it('operators after a name, values where they are known, and then how to go on', () => {
    assert.deepEqual(at('bytes '), ['==', '>=', 'and', 'or', 'not']);
    assert.deepEqual(at('not IP '), ['==', 'in', 'and', 'or', 'not']);
    assert.deepEqual(at('status == bl'), ['blacklisted']);
    assert.deepEqual(at('severity >= w'), ['warning']);
    assert.deepEqual(at('bytes > '), []);
    assert.ok(at('bytes > 10 ').includes('and'));
  });
});

describe('profiles', () => {
  const stats = { calls: 3, failures: 1, failed: { error: 1 }, skipped: { filter: 2 }, cpuUs: 30, meanUs: 10, p99Us: 40 };
  const script = (more: object) =>
    ({ key: 'a', state: 'on', stats: { protocolDetected: stats, idle: stats }, share: 0.5, alerts: 2, shadowAlerts: 0, ...more }) as never;

  it('add up callbacks and interfaces', () => {
    const { calls, failed, skipped, meanUs, p99Us, alerts, share } = profileOf([script({}), script({ share: 0.1 })]);
    assert.deepEqual(
      { calls, failed, skipped, meanUs, p99Us, alerts },
      { calls: 12, failed: { error: 4 }, skipped: { filter: 8 }, meanUs: 10, p99Us: 40, alerts: 4 },
    );
    assert.ok(Math.abs(share - 0.3) < 1e-9);
  });
  it('say where the switch stands', () => {
    assert.equal(switchOf([script({ state: 'broken' }), script({})]), 'on');
    assert.equal(switchOf([script({ state: 'off' }), script({})]), 'mixed');
    assert.equal(switchOf([script({ state: 'shadow' })]), 'shadow');
  });
  it('find the line of an error', () => {
    assert.equal(lineOf('telnet.lua:12: attempt to index a nil value'), 12);
    assert.equal(lineOf('no line'), undefined);
  });
});

describe('charts', () => {
  it('of the history lose nothing either', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.integer({ min: 1, max: 1e9 }), value: fc.integer({ min: 0, max: 1000 }) })), (points) => {
        const { times, values } = binsOf(points);
        const sum = (of: readonly number[]): number => of.reduce((total, value) => total + value, 0);
        assert.equal(sum(values), sum(points.map(({ value }) => value)));
        assert.ok(times.length === values.length && times.length <= 61);
      }),
    );
  });
  it('lose nothing, and have few points, whatever the times', () => {
    const point = fc.record({ time: fc.integer({ min: 0, max: 400_000 }), value: fc.integer({ min: 0, max: 1000 }) });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 60 }), fc.integer({ min: 0, max: 400_000 }), (given, last) => {
        const from = 1.5e15;
        const to = from + Math.max(last, ...given.map(({ time }) => time)) * 1e6;
        const points = given.map(({ time, value }) => ({ time: from + time * 1e6, interface: 'a', name: 'bytes', value }));
        const { times, lines } = chartOf(points, ['bytes'], from, to);
        const sum = (of: readonly number[]): number => of.reduce((total, value) => total + value, 0);
        assert.equal(sum(lines[0]?.values ?? []), sum(given.map(({ value }) => value)));
        assert.ok(times.length <= 602, `${times.length} points`);
      }),
    );
  });
});

describe('values', () => {
  const { bytes, size, bits, duration, micros, tick, time, value } = createFormats('en');
  it('have the units of their fields', () => {
    assert.deepEqual([bytes(999), bytes(1_234_567), bits(1000)], ['999 B', '1.23 MB', '8 kbit/s']);
    assert.deepEqual([duration(0.5), duration(75), duration(93_600)], ['0.5 s', '1 min 15 s', '1 d 02 h']);
    assert.deepEqual([micros(12), micros(1500)], ['12 µs', '1.5 ms']);
    assert.deepEqual([value(1500, 'bytes'), value(true), value({ a: 1 }), value(undefined)], ['1.5 kB', '✓', '{"a":1}', '']);
    assert.deepEqual([size(1023), size(4 * 2 ** 30)], ['1,020 B', '4 GiB']);
    assert.deepEqual([tick(1_120_471_107, 31_536_000), tick(1_120_471_107, 86_400)], ['2005', '2005-07-04']);
    assert.match(time(1_120_471_107_000_000), /^2005-07-04 \d\d:\d\d:27 \S+/);
  });
  it('ranges end now, all times have no end', () => {
    assert.deepEqual(rangeOf('1h', 7200e6), { from: 3600e6 });
    assert.deepEqual(rangeOf('all', 7200e6), {});
    assert.deepEqual(rangeOf('custom', 0, { from: '5', to: 'x' }), { from: 5 });
  });
});
