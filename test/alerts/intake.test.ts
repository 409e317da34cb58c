/** What becomes of raised alerts: windows, limits, a flow's strongest, stored before shown, and that the counts add up. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Alert, RaisedFlowAlert } from '../../src/alerts/alert.ts';
import { createExclusions } from '../../src/alerts/exclusions.ts';
import { type AlertIntake, createAlertIntake } from '../../src/alerts/intake.ts';
import { alertTranslator } from '../../src/alerts/words.ts';
import type { AlertEvent } from '../../src/alerts/writing.ts';
import { DEFAULT_PREFERENCES, type Preferences } from '../../src/preferences.ts';
import { openSettings } from '../../src/store/settings.ts';
import { type HandClock, handClock, raised, SECOND, START, settled, type TestHistory, testHistory } from './support.ts';

interface Play {
  readonly intake: AlertIntake;
  readonly history: TestHistory;
  readonly clock: HandClock;
  readonly events: AlertEvent[];
  readonly errors: string[];
  readonly exclusions: ReturnType<typeof createExclusions>;
  readonly all: () => Alert[];
}

function play(preferences: Partial<Preferences> = {}): Play {
  const clock = handClock();
  const history = testHistory();
  const events: AlertEvent[] = [];
  const errors: string[] = [];
  const exclusions = createExclusions(openSettings(undefined), clock);
  const intake = createAlertIntake({
    history,
    exclusions,
    preferences: () => ({ ...DEFAULT_PREFERENCES, ...preferences }),
    translate: alertTranslator('en'),
    clock,
    log: { error: (_, text) => errors.push(text), info() {} },
  });
  intake.listen((batch) => events.push(...batch));
  return { intake, history, clock, events, errors, exclusions, all: () => [...history.rows.values()] };
}

async function take({ intake }: Play, alerts: readonly RaisedFlowAlert[], live = true): Promise<void> {
  for (const alert of alerts) await intake.raised([alert], live);
  await intake.flush();
}

describe('an alert', () => {
  test('is stored and then told, with its words, count and times', async () => {
    const run = play();
    const release = run.history.hold();
    run.intake.raised([raised({ at: 3 })], true);
    await settled();
    assert.equal(run.events.length, 0);
    release();
    await run.intake.flush();
    const [alert] = run.all() as [Alert];
    assert.deepEqual(
      run.events.map(({ type, alert: of }) => [type, of.id]),
      [['new', alert.id]],
    );
    assert.equal(alert.title, 'Suspicious activity');
    assert.equal(alert.description, '10.0.0.1:40001 → 198.51.100.7:443 (TLS.Google): bytes 1000');
    assert.deepEqual(
      [alert.count, alert.firstTime, alert.lastTime, alert.bytes, alert.packets, alert.state, alert.secondary],
      [1, START + 3 * SECOND, START + 3 * SECOND, 1000, 10, 'new', false],
    );
  });

  test('of a script in shadow is stored and told to nobody, and leaves the others alone', async () => {
    const run = play({ alert_host_limit: 1 });
    await take(run, [raised({ shadow: true, score: 900 }), raised({})]);
    assert.equal(run.all().length, 2);
    assert.deepEqual(
      run.events.map(({ alert }) => alert.shadow),
      [false],
    );
    assert.ok(run.all().every(({ secondary }) => !secondary));
  });

  test('has an id that sorts by the time of its making', async () => {
    const run = play({ alert_merge_window: 0, alert_host_limit: 0 });
    for (let i = 0; i < 50; i++) {
      run.intake.raised([raised({ of: i }), raised({ of: i })], true);
      if (i % 7 === 0) await run.clock.turn(1);
    }
    await run.intake.flush();
    const ids = run.all().map(({ id }) => id);
    assert.equal(new Set(ids).size, 100);
    assert.deepEqual(ids, [...ids].sort());
  });
});

describe('repetitions', () => {
  test('are counted on the first within the window, from the last one on', async () => {
    const run = play();
    await take(
      run,
      [0, 299, 590, 880].map((at, i) => raised({ at, of: i + 1 })),
    );
    await take(run, [raised({ at: 1181, of: 9 })]);
    const [first, second] = run.all() as [Alert, Alert];
    assert.deepEqual([first.count, first.firstTime, first.lastTime], [4, START, START + 880 * SECOND]);
    assert.deepEqual([first.bytes, first.packets], [4000, 40]);
    assert.equal(second.count, 1);
  });

  test('of one flow add to its counters what is new', async () => {
    const run = play();
    const at = [0, 60, 120];
    await take(
      run,
      at.map((s) => raised({ at: s, flow: { bytes: 1000 + s, packets: 10 + s } })),
    );
    const [alert] = run.all() as [Alert];
    assert.deepEqual([alert.count, alert.bytes, alert.packets], [3, 1120, 130]);
  });

  for (const [what, other] of Object.entries({
    script: { script: 'other' },
    type: { type: 'web_mining' },
    severity: { severity: 'error' },
    client: { client: '10.0.0.2' },
    server: { server: '10.0.0.3' },
    protocol: { flow: { 'proto.ndpi': 'DNS' } },
    VLAN: { flow: { vlan: 7 } },
    interface: { interface: 'eth1' },
  } as const)) {
    test(`need the same ${what}`, async () => {
      const run = play();
      await take(run, [raised(), raised({ ...other, of: 2 })]);
      assert.equal(run.all().length, 2);
      assert.equal(run.intake.counters().merged, 0);
    });
  }

  test('go on for a day at most', async () => {
    const run = play();
    await take(
      run,
      Array.from({ length: 500 }, (_, i) => raised({ at: i * 200 })),
    );
    assert.deepEqual(
      run.all().map(({ count }) => count),
      [433, 67],
    );
  });

  test('are told within a second, together', async () => {
    const run = play();
    await take(run, [raised()]);
    for (let i = 1; i <= 100; i++) run.intake.raised([raised({ at: i / 10, of: i })], true);
    await settled();
    assert.equal(run.history.writes.length, 1);
    await run.clock.turn(1000);
    assert.equal(run.history.writes.length, 2);
    assert.deepEqual(
      run.events.map(({ type, alert }) => [type, alert.count]),
      [
        ['new', 1],
        ['changed', 101],
      ],
    );
  });

  test('begin anew when the alert was closed, and not when it was acknowledged', async () => {
    const run = play();
    await take(run, [raised()]);
    const [{ id }] = run.all() as [Alert];
    await run.intake.change([id], { state: 'acknowledged', by: 'ann', comment: 'looking' });
    await take(run, [raised({ at: 10 })]);
    assert.deepEqual(
      run.all().map(({ count, state, by }) => [count, state, by]),
      [[2, 'acknowledged', 'ann']],
    );
    await run.intake.change([id], { state: 'closed', by: 'bob', comment: 'done' });
    await take(run, [raised({ at: 20 })]);
    assert.deepEqual(
      run.all().map(({ count, state }) => [count, state]),
      [
        [2, 'closed'],
        [1, 'new'],
      ],
    );
  });
});

test('an exclusion keeps alerts away and counts them', async () => {
  const run = play();
  const { id } = run.exclusions.add({ filter: 'client == 10.0.0.0/8', comment: 'lab', owner: 'ann' });
  await take(run, [raised(), raised({ client: '192.0.2.1' }), raised({ client: '10.9.9.9', at: 5 })]);
  assert.deepEqual(
    run.all().map(({ flow }) => flow['cli.ip']),
    ['192.0.2.1'],
  );
  assert.deepEqual(run.intake.counters(), { raised: 3, shown: 1, merged: 0, excluded: 2, suppressed: 0, limited: 0, dropped: 0 });
  assert.deepEqual([run.exclusions.get(id)?.hits, run.exclusions.get(id)?.lastHit], [2, START + 5 * SECOND]);
});

test('within the suppression window a client is silent for the script and type; repetitions still count', async () => {
  const run = play({ alert_suppress_window: 60 });
  await take(run, [
    raised(),
    raised({ server: '198.51.100.8', at: 30 }),
    raised({ at: 40 }),
    raised({ server: '198.51.100.9', at: 50, script: 'other' }),
    raised({ server: '198.51.100.8', at: 61 }),
  ]);
  const counters = run.intake.counters();
  assert.deepEqual([counters.shown, counters.suppressed, counters.merged], [3, 1, 1]);
});

test('after a restart alerts go on where their window is open', async () => {
  const before = play();
  await take(before, [raised({ at: 0, script: 'old' }), raised({ at: 400 }), raised({ at: 410, script: 'closed' })]);
  const [, open, closed] = before.all() as [Alert, Alert, Alert];
  await before.intake.change([open.id], { state: 'acknowledged', by: 'ann', comment: '' });
  await before.intake.change([closed.id], { state: 'closed', by: 'ann', comment: '' });
  const after = play();
  await after.history.putAlerts(before.all());
  await after.clock.turn(500_000);
  assert.equal(await after.intake.resume(), 1);
  await take(after, [raised({ at: 510, of: 7 }), raised({ at: 511, script: 'closed' }), raised({ at: 512, script: 'old' })]);
  assert.deepEqual([after.history.rows.get(open.id)?.count, after.history.rows.get(open.id)?.state], [2, 'acknowledged']);
  assert.deepEqual(
    after.events.filter(({ type }) => type === 'new').map(({ alert }) => alert.script),
    ['closed', 'old'],
  );
});

describe('the limit per host', () => {
  const scan = (count: number, at = 0): RaisedFlowAlert[] =>
    Array.from({ length: count }, (_, i) => raised({ server: `198.51.100.${i}`, of: i, at }));

  test('lets so many a minute through, of the client and of the server', async () => {
    const run = play({ alert_host_limit: 10 });
    await take(run, scan(30));
    assert.equal(run.intake.counters().limited, 20);
    await take(run, scan(30, 30)); // half of them is back; alerts that repeat are not charged
    assert.deepEqual([run.intake.counters().shown, run.intake.counters().merged], [15, 10]);
    await take(
      run,
      Array.from({ length: 30 }, (_, i) => raised({ client: `192.0.2.${i}`, server: '203.0.113.1', at: 40 })),
    );
    assert.equal(run.intake.counters().shown, 25);
  });

  test('is none for captures', async () => {
    const run = play({ alert_host_limit: 10 });
    await take(run, scan(30), false);
    assert.equal(run.intake.counters().shown, 30);
  });
});

describe('of a flow', () => {
  test('the strongest alert counts, the others are secondary', async () => {
    const run = play();
    await take(run, [
      raised({ script: 'weak', score: 50 }),
      raised({ script: 'weaker', score: 20, severity: 'notice' }),
      raised({ script: 'strong', score: 200, severity: 'error' }),
      raised({ script: 'elsewhere', of: 2 }),
    ]);
    assert.deepEqual(Object.fromEntries(run.all().map(({ script, secondary }) => [script, secondary])), {
      weak: true,
      weaker: true,
      strong: false,
      elsewhere: false,
    });
  });

  test('so is one that is in the history only', async () => {
    const run = play({ alert_merge_window: 0 });
    await take(run, [raised({ script: 'weak' })]);
    await take(run, [raised({ script: 'strong', score: 900, at: 9000 })]);
    assert.deepEqual(
      run.all().map(({ secondary }) => secondary),
      [true, false],
    );
  });
});

describe('a change of state', () => {
  test('is stored with who, when and why when it resolves, and told', async () => {
    const run = play();
    await take(run, [raised(), raised({ script: 'other' })]);
    const [{ id }] = run.all() as [Alert];
    await run.clock.turn(5000);
    assert.equal(await run.intake.change([id, 'nobody'], { state: 'acknowledged', by: 'ann', comment: 'known' }), 1);
    const { state, by, comment, changed } = run.history.rows.get(id) as Alert;
    assert.deepEqual([state, by, comment, changed], ['acknowledged', 'ann', 'known', START + 5 * SECOND]);
    assert.deepEqual(
      [run.events.at(-1)?.type, run.events.at(-1)?.alert.state, (await run.intake.alert(id))?.state],
      ['changed', 'acknowledged', 'acknowledged'],
    );
    assert.equal(await run.intake.change([id], { state: 'new', by: 'bob', comment: 'not at all' }), 1);
    assert.equal(run.history.rows.get(id)?.state, 'new');
  });

  test('is not undone by a repetition that was on its way', async () => {
    const run = play();
    await take(run, [raised()]);
    const [{ id }] = run.all() as [Alert];
    run.intake.raised([raised({ at: 1 })], true);
    const done = run.intake.change([id], { state: 'acknowledged', by: 'ann', comment: '' });
    run.intake.raised([raised({ at: 2 })], true);
    await done;
    await run.clock.turn(1000);
    const { state, count } = run.history.rows.get(id) as Alert;
    assert.deepEqual([state, count], ['acknowledged', 3]);
  });

  test('does not wait for what comes after it', async () => {
    const run = play();
    await take(run, [raised()]);
    const [{ id }] = run.all() as [Alert];
    let busy = true;
    let at = 0;
    const flood = (async () => {
      while (busy) {
        run.intake.raised([raised({ at: ++at / 1000 }), raised({ client: `10.1.${at >> 8}.${at & 255}` })], true);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    assert.equal(await run.intake.change([id], { state: 'acknowledged', by: 'ann', comment: '' }), 1);
    busy = false;
    await flood;
    await run.intake.flush();
    assert.equal(run.history.rows.get(id)?.state, 'acknowledged');
    assert.equal(run.history.rows.get(id)?.count, at + 1);
  });

  test('of an alert that is in the history only, and twice at once, keeps the last word', async () => {
    const run = play({ alert_merge_window: 0 });
    await take(run, [raised()]);
    const [{ id }] = run.all() as [Alert];
    await Promise.all([
      run.intake.change([id, id], { state: 'acknowledged', by: 'ann', comment: 'first' }),
      run.intake.change([id], { state: 'closed', by: 'bob', comment: 'second' }),
    ]);
    assert.deepEqual([run.history.rows.get(id)?.by, run.history.rows.get(id)?.count], ['bob', 1]);
  });

  test('is made of all that match', async () => {
    const run = play({ alert_host_limit: 0 });
    await take(
      run,
      Array.from({ length: 2500 }, (_, i) => raised({ client: `10.${i >> 8}.${i & 255}.1`, of: i, script: i % 2 === 0 ? 'a' : 'b' })),
    );
    const done = await run.intake.changeAll({ filter: 'script == a', states: ['new'] }, { state: 'closed', by: 'ann', comment: '' });
    assert.deepEqual(done, { changed: 1250, complete: true });
    assert.ok(run.all().every(({ script, state }) => (script === 'a') === (state === 'closed')));
  });
});

describe('when the store fails', () => {
  test('nothing is told, it is tried again, and nothing is lost', async () => {
    const run = play();
    run.history.failing = 'disk full';
    run.intake.raised([raised(), raised({ script: 'b' })], true);
    await assert.rejects(run.intake.flush(), /disk full/);
    assert.deepEqual([run.events.length, run.errors.length], [0, 1]);
    await run.clock.turn(10_000);
    assert.equal(run.errors.length, 1, 'it is said once');
    run.history.failing = undefined;
    await run.clock.turn(60_000);
    assert.deepEqual([run.all().length, run.events.length], [2, 2]);
  });

  test('alerts of live traffic are dropped and counted at last, a capture waits', async () => {
    const run = play({ alert_host_limit: 0 });
    const release = run.history.hold();
    const many = (count: number, script: string): RaisedFlowAlert[] =>
      Array.from({ length: count }, (_, i) => raised({ script, server: `10.1.${i >> 8}.${i & 255}`, of: i }));
    assert.equal(run.intake.raised(many(6000, 'live'), true), undefined);
    assert.deepEqual([run.intake.counters().shown, run.intake.counters().dropped], [5000, 1000]);
    const room = run.intake.raised(many(10, 'capture'), false);
    assert.ok(room instanceof Promise);
    release();
    await room;
    await run.intake.flush();
    assert.equal(run.all().length, 5010);
  });

  test('a capture waits no longer', async () => {
    const run = play();
    run.history.failing = 'disk full';
    const many = Array.from({ length: 6000 }, (_, i) => raised({ server: `10.1.${i >> 8}.${i & 255}`, of: i }));
    await run.intake.raised(many.slice(0, 2000), false);
    await run.intake.raised(many.slice(2000), false);
    assert.deepEqual([run.intake.counters().shown, run.intake.counters().dropped], [5000, 1000]);
    await assert.rejects(run.intake.flush(), /disk full/);
  });

  test('what is lost at the end is said', async () => {
    const run = play();
    run.history.failing = 'disk full';
    run.intake.raised([raised()], true);
    await settled();
    await run.intake.close();
    assert.match(run.errors.at(-1) as string, /^1 alerts could not be stored/);
  });
});

test('property: what was raised is shown, merged, excluded, suppressed or limited, and each shown one is in the store', async () => {
  const some = fc.record({
    client: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1'),
    server: fc.integer({ min: 0, max: 5 }).map((i) => `198.51.100.${i}`),
    script: fc.constantFrom('a', 'b', 'excluded'),
    severity: fc.constantFrom('info', 'error'),
    of: fc.integer({ min: 1, max: 20 }),
    score: fc.integer({ min: 0, max: 3 }),
    interface: fc.constantFrom('eth0', 'eth1'),
    shadow: fc.boolean(),
    wait: fc.integer({ min: 0, max: 40 }),
  });
  const windows = fc.record({
    alert_merge_window: fc.constantFrom(0, 10, 300),
    alert_suppress_window: fc.constantFrom(0, 30),
    alert_host_limit: fc.constantFrom(0, 2, 120),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(some, { maxLength: 120 }), windows, fc.boolean(), async (steps, preferences, live) => {
      const run = play(preferences as Partial<Preferences>);
      run.exclusions.add({ filter: 'script == excluded', comment: '', owner: '' });
      let at = 0;
      for (const { wait, ...of } of steps) {
        at += wait;
        run.intake.raised([raised({ ...of, at } as Parameters<typeof raised>[0])], live);
        if (wait > 35) await run.clock.turn(1000);
      }
      await run.intake.flush();
      const { raised: all, shown, merged, excluded, suppressed, limited, dropped } = run.intake.counters();
      assert.equal(all, steps.length);
      assert.equal(shown + merged + excluded + suppressed + limited + dropped, all);
      const stored = run.all();
      assert.equal(stored.length, shown);
      assert.equal(
        stored.reduce((sum, { count }) => sum + count, 0),
        shown + merged,
      );
      assert.equal(excluded, steps.filter(({ script }) => script === 'excluded').length);
      if (preferences.alert_merge_window === 0) assert.equal(merged, 0);
      if (!live) assert.equal(limited, 0);
      if (preferences.alert_merge_window === 0) {
        const flows = Map.groupBy(stored, ({ flow, shadow }) => `${shadow} ${flow['flow.id']}`);
        for (const alerts of flows.values()) {
          const first = alerts.filter(({ secondary }) => !secondary);
          assert.equal(first.length, 1, 'a flow has one that counts');
          assert.equal(first[0]?.score, Math.max(...alerts.map(({ score }) => score)));
        }
      }
      for (const { firstTime, lastTime, time, count } of stored) {
        assert.ok(firstTime <= lastTime && firstTime === time);
        if (count === 1) assert.equal(firstTime, lastTime);
      }
      await run.intake.close();
    }),
    { numRuns: 150 },
  );
});
