/** What the script host does with versions, switches, failures and too much work; scripts are in Lua. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MEMORY_LIMIT } from '../../src/scripts/host/limits.ts';
import { NAMES, script, start, TYPICAL, VISIT_TIME } from './support.ts';

const SECOND = 1e6;

test('a new version takes the place of the old one, and one that cannot be loaded does not', async (t) => {
  const { lines, errors, reports, run, write } = await start(t, {
    'a.lua': script('a', 'idle', 'n = (n or 0) + 1 print("one " .. n)'),
    'b.lua': script('b', 'idle', 'm = (m or 0) + 1 print("b " .. m)'),
  });
  run('idle');
  write('a.lua', script('a', 'idle', 'n = (n or 0) + 1 print("two " .. n)'));
  run('idle');
  const running = reports()[0]?.hash;
  write('a.lua', 'return {');
  run('idle');
  assert.deepEqual(lines, ['one 1', 'b 1', 'two 1', 'b 2', 'two 2', 'b 3']);
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /^load a: a\.lua:1: unexpected symbol near <eof>/);
  const [refused] = reports();
  assert.equal(refused?.state, 'on');
  assert.equal(refused?.hash, running);
  assert.match(refused?.error ?? '', /^a\.lua:1: /);
  write('a.lua', script('a', 'idle', 'print("three")'));
  run('idle');
  assert.deepEqual(lines.slice(6), ['three', 'b 4']);
  assert.equal(reports()[0]?.error, undefined);
  assert.equal(reports()[0]?.stats.idle?.calls, 4);
});

test('every fault of a new version leaves the running one alone', async (t) => {
  const faults: Record<string, RegExp> = {
    'local x = ': /a\.lua:1: /,
    'return 5': /must return the table/,
    'return { setup = function() return true end }': /no `key`/,
    'return { key = "a" }': /no function `setup`/,
    'return { key = "a", setup = function() error("no") end }': /a\.lua:1: no/,
    'return { key = "b", setup = function() return true end }': /the key "b" is taken by b\.lua/,
  };
  const { errors, lines, run, write } = await start(t, {
    'a.lua': script('a', 'idle', 'print("a")'),
    'b.lua': script('b', 'idle', ''),
  });
  for (const [text, message] of Object.entries(faults)) {
    write('a.lua', text);
    assert.match(errors.pop() ?? '', message);
    assert.deepEqual(errors, []);
    run('idle');
    assert.deepEqual(lines.splice(0), ['a'], text);
  }
});

test('a removed file is gone, and a script that waited for its key comes', async (t) => {
  const { lines, reports, run, write } = await start(t, {
    'a.lua': script('same', 'idle', 'print("a")'),
    'b.lua': script('same', 'idle', 'print("b")'),
  });
  assert.deepEqual(
    reports().map(({ file, state }) => [file, state]),
    [
      ['a.lua', 'on'],
      ['b.lua', 'error'],
    ],
  );
  run('idle');
  write('a.lua', undefined);
  run('idle');
  assert.deepEqual(lines, ['a', 'b']);
  assert.deepEqual(
    reports().map(({ file, state, error }) => [file, state, error]),
    [['b.lua', 'on', undefined]],
  );
});

test('switched off it is not called, in shadow it is and its alerts are marked', async (t) => {
  const { host, alerts, reports, run } = await start(t, { 'a.lua': script('a', 'idle', 'flow.storeAlert(1, 2)') });
  run('idle');
  host.switch('a', 'off');
  run('idle');
  assert.equal(reports()[0]?.state, 'off');
  host.switch('a', 'shadow');
  run('idle');
  assert.equal(reports()[0]?.state, 'shadow');
  host.switch('a', 'on');
  run('idle');
  assert.deepEqual(
    alerts.map(({ shadow }) => shadow),
    [false, true, false],
  );
  const [report] = reports();
  assert.deepEqual([report?.alerts, report?.shadowAlerts, report?.stats.idle?.calls], [2, 1, 3]);
});

test('an alert says what the script read, and which version of it', async (t) => {
  const { alerts, reports, run } = await start(t, {
    'a.lua': script('a', 'idle', 'local x = info["cli.port"] + info.bytes flow.storeAlert(1, 2, { x = x })'),
  });
  run('idle');
  assert.deepEqual(alerts[0]?.reason, { 'cli.port': TYPICAL['cli.port'], bytes: TYPICAL.bytes });
  assert.match(alerts[0]?.version ?? '', /^[0-9a-f]{12}$/);
  assert.equal(alerts[0]?.version, reports()[0]?.hash);
});

const FAILS_TILL = script('a', 'idle', 'if info.bytes < 100 then error("small") end print("fine")');

test('on a live interface five failures in a row switch a script off, for longer each time', async (t) => {
  const { lines, reports, run, switched } = await start(t, { 'a.lua': FAILS_TILL }, { live: true });
  const fail = (time: number): void => run('idle', { ...TYPICAL, bytes: 1 }, time);
  const succeed = (time: number): void => run('idle', TYPICAL, time);
  for (let i = 0; i < 4; i++) fail(VISIT_TIME);
  succeed(VISIT_TIME);
  for (let i = 0; i < 4; i++) fail(VISIT_TIME);
  assert.equal(reports()[0]?.state, 'on');
  fail(VISIT_TIME);
  assert.equal(reports()[0]?.state, 'broken');
  assert.equal(reports()[0]?.broken?.until, VISIT_TIME + 60 * SECOND);
  assert.match(
    switched[0] ?? '',
    /^a off: 5 calls in a row failed, the last one with: a\.lua:4: small; it is off until 2019-09-30T16:01:50/,
  );
  succeed(VISIT_TIME + 59 * SECOND);
  assert.deepEqual(lines, ['fine']);
  assert.deepEqual(reports()[0]?.stats.idle?.skipped, { broken: 1 });
  succeed(VISIT_TIME + 60 * SECOND);
  assert.deepEqual(lines, ['fine', 'fine']);
  assert.match(switched[1] ?? '', /^a on: its cooldown is over/);
  for (let i = 0; i < 5; i++) fail(VISIT_TIME + 61 * SECOND);
  assert.equal(reports()[0]?.broken?.until, VISIT_TIME + (61 + 120) * SECOND);
});

test('switched on by hand, or with a new version, it is back at once; a file has no breaker', async (t) => {
  const { host, reports, run, write } = await start(t, { 'a.lua': FAILS_TILL }, { live: true });
  const fail = (): void => run('idle', { ...TYPICAL, bytes: 1 });
  for (let i = 0; i < 5; i++) fail();
  assert.equal(reports()[0]?.state, 'broken');
  host.switch('a', 'on');
  assert.equal(reports()[0]?.state, 'on');
  for (let i = 0; i < 5; i++) fail();
  assert.equal(reports()[0]?.state, 'broken');
  write('a.lua', `${FAILS_TILL}-- better now`);
  assert.equal(reports()[0]?.state, 'on');
  const capture = await start(t, { 'a.lua': FAILS_TILL });
  for (let i = 0; i < 50; i++) capture.run('idle', { ...TYPICAL, bytes: 1 });
  assert.equal(capture.reports()[0]?.state, 'on');
  assert.deepEqual(capture.reports()[0]?.stats.idle?.failed, { error: 50 });
});

test('the script whose variables grow beyond the limit is switched off and loses them; the other goes on', async (t) => {
  const { errors, lines, reports, run, switched } = await start(t, {
    'eats.lua': script('eats', 'idle', 'kept = kept or {} for i = 1, 100 do kept[#kept + 1] = ("x"):rep(10000) .. #kept end'),
    'good.lua': script('good', 'idle', 'n = (n or 0) + 1 print(n)'),
  });
  for (let i = 0; i < 200; i++) run('idle', TYPICAL, VISIT_TIME + i * SECOND);
  assert.deepEqual(errors, []);
  assert.equal(lines.at(-1), '200');
  assert.ok(switched.length > 0);
  assert.match(switched[0] ?? '', new RegExp(`^eats off: the scripts hold more than ${MEMORY_LIMIT >> 20} MiB`));
  assert.ok((reports().find(({ key }) => key === 'eats')?.stats.idle?.failed.memory ?? 0) > 0);
});

test('a call that takes too much memory fails alone', async (t) => {
  const { errors, lines, reports, run } = await start(t, {
    'a.lua': script('a', 'idle', 'local t = {} for i = 1, 1e9 do t[i] = { i } end'),
    'b.lua': script('b', 'idle', 'print("b")'),
  });
  run('idle');
  assert.deepEqual(lines, ['b']);
  assert.equal(errors.length, 1);
  const [report] = reports();
  const failed = report?.stats.idle?.failed ?? {};
  assert.equal((failed.budget ?? 0) + (failed.memory ?? 0), 1);
});

test('when events come too fast, the script that takes more than its part is left out now and then', async (t) => {
  const { host, reports, run } = await start(
    t,
    {
      'heavy.lua': script('heavy', 'idle', 'local x = 0 for i = 1, 20000 do x = x + i end'),
      'light.lua': script('light', 'idle', ''),
    },
    { live: true },
  );
  for (let i = 0; i < 100; i++) run('idle', TYPICAL, VISIT_TIME + i * SECOND);
  host.crowd(true);
  for (let i = 0; i < 100; i++) run('idle', TYPICAL, VISIT_TIME + (100 + i) * SECOND);
  host.crowd(false);
  run('idle', TYPICAL, VISIT_TIME + 200 * SECOND);
  const statsOf = (key: string) => reports().find((report) => report.key === key)?.stats.idle;
  // who takes more is measured, and a busy machine may measure a light call as a heavy one: so not exactly every other event
  const shed = statsOf('heavy')?.skipped.shed ?? 0;
  assert.ok(shed > 25 && shed <= 50, `${shed}`);
  assert.equal((statsOf('heavy')?.calls ?? 0) + shed, 201);
  assert.equal((statsOf('light')?.calls ?? 0) + (statsOf('light')?.skipped.shed ?? 0), 201);
  assert.ok((statsOf('light')?.skipped.shed ?? 0) < shed);
});

test('the profile knows mean and p99 of what was measured, and the parts of the time add up', async (t) => {
  const { reports, run } = await start(t, {
    'heavy.lua': script('heavy', 'idle', 'local x = 0 for i = 1, 20000 do x = x + i end'),
    'light.lua': script('light', 'idle', ''),
  });
  for (let i = 0; i < 160; i++) run('idle');
  const [heavy, light] = reports();
  assert.ok((heavy?.stats.idle?.meanUs ?? 0) > (light?.stats.idle?.meanUs ?? 0));
  assert.ok((heavy?.stats.idle?.p99Us ?? 0) >= (heavy?.stats.idle?.meanUs ?? 0) * 0.8);
  assert.ok(Math.abs((heavy?.share ?? 0) + (light?.share ?? 0) - 1) < 1e-9);
  assert.ok((heavy?.share ?? 0) > 0.5);
});

test('before each call a word says which version is called, also behind one that fails, and where some are left out', async (t) => {
  const running = new Int32Array(1);
  const seen: number[] = [];
  const call = (key: string, more = '', after = ''): string => script(key, 'idle', `i18n("x") ${after}`, more);
  const { run, write } = await start(
    t,
    {
      'a.lua': call('a'),
      'b.lua': call('b', '', 'error("x")'),
      'c.ts': "import { i18n } from 'flowpatrol'; export default { key: 'c', title: 'c', filter: { l4: 'udp' }, idle() { i18n('x'); } };",
      'd.ts': "import { i18n } from 'flowpatrol'; export default { key: 'd', title: 'd', idle() { i18n('x'); } };",
      'e.lua': call('e'),
    },
    {
      running,
      translate() {
        if (running[0] !== 0) seen.push(running[0] as number);
        return undefined;
      },
    },
  );
  seen.length = 0;
  run('idle'); // measured
  assert.deepEqual(seen.splice(0), [1, 2, 4, 5]);
  run('idle');
  assert.deepEqual(seen.splice(0), [1, 2, 4, 5]);
  write('c.ts', undefined);
  write('d.ts', undefined);
  write('b.lua', call('b'));
  seen.length = 0; // of its title
  run('idle');
  assert.deepEqual(seen.splice(0), [1, 6, 5]);
});

test('traces say of every script that has the callback what became of it', async (t) => {
  const traced: string[] = [];
  const { host, run } = await start(
    t,
    {
      'a.lua': script('a', 'idle', 'flow.storeAlert(1, 2)'),
      'b.lua': script('b', 'idle', 'error("x")'),
      'c.lua': script('c', 'idle', ''),
      'd.lua': script('d', 'protocolDetected', ''),
      'e.lua': 'return { key = "e", setup = function() return false end, idle = function() end }',
    },
    {
      traced: () => true,
      sink: {
        alert() {},
        print() {},
        error() {},
        changes() {},
        loaded() {},
        switched() {},
        trace(callback, traces) {
          for (const { script: key, outcome, alerts } of traces) traced.push(`${callback} ${key} ${outcome} ${alerts}`);
        },
      },
    },
  );
  host.switch('c', 'off');
  run('idle');
  assert.deepEqual(traced, ['idle a run 1', 'idle b failed 0', 'idle c off 0', 'idle e off by setup 0']);
});

test('a script that needs packets is not applicable where there are flow records', async (t) => {
  const files = { 'a.lua': 'return { key = "a", packet_interface_only = true, hooks = { flowEnd = function() print("called") end } }' };
  const records = await start(t, files, { names: { ...NAMES, packetInterface: false } });
  records.run('idle');
  assert.deepEqual(records.lines, []);
  assert.equal(records.reports()[0]?.state, 'not applicable');
  const packets = await start(t, files);
  assert.equal(packets.reports()[0]?.state, 'on');
});
