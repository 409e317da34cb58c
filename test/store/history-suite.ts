/** What holds for every store of history. Called by the tests of each of them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { FilterError } from '../../src/filter/filter.ts';
import type { AlertGroupsQuery, AlertQuery, FieldsQuery, FlowEntry, History, HistoryQuery, SeriesQuery } from '../../src/store/history.ts';
import { ALERT_GROUPS, type AlertGrouping, type AlertGroupSort, HistoryError } from '../../src/store/history-checks.ts';
import { FLOWS } from '../filter/flows.ts';
import { alertOf, ENTRIES, entry, everything, idOf, START } from './history-data.ts';

const SECOND = 1e6;
const DAY = 86_400;

/** @param open makes an empty history; `clock` gives the time at which entries are stored, µs */
export function historySuite(name: string, open: (clock: () => number) => Promise<History>): void {
  describe(`${name}: flows`, () => {
    let history: History;
    before(async () => {
      history = await open(() => START);
      await history.appendFlows(ENTRIES);
    });
    after(() => history.close());

    const ids = async (query: Partial<HistoryQuery>): Promise<string[]> =>
      (await history.flows({ ...everything, ...query })).rows.map((found) => idOf(found).replace('k3x9-0-', ''));

    test('what was stored comes back as it was, tables too', async () => {
      assert.deepEqual((await history.flows(everything)).rows, ENTRIES);
      assert.deepEqual(await history.flow('k3x9-0-4'), ENTRIES[3]);
      assert.equal(await history.flow('k3x9-0-99'), undefined);
    });

    test('filters, times and pages', async () => {
      assert.deepEqual(await ids({ filter: 'l4 == tcp and bytes > 1K' }), ['1']);
      assert.deepEqual(await ids({ filter: 'ip in 10.0.0.0/8' }), ['2', '4']);
      assert.deepEqual(await ids({ filter: 'not proto == TLS' }), ['2', '3', '4', '5']);
      assert.deepEqual(await ids({ from: START + SECOND, to: START + 2 * SECOND }), ['2', '3']);
      assert.deepEqual(await ids({ limit: 2, offset: 3 }), ['4', '5']);
      assert.equal((await history.flows({ ...everything, filter: 'l4 == tcp', limit: 1 })).total, 3);
    });

    test('rows with some keys alone', async () => {
      const query: FieldsQuery = { ...everything, filter: 'port == 8080', fields: ['bytes', 'cli.ip', 'icmp'] };
      const { rows } = await history.flows(query);
      assert.deepEqual(rows, [{ ...(ENTRIES[4] as FlowEntry), flow: { 'cli.ip': '192.168.1.20', bytes: 174 } }]);
      const wrong: FieldsQuery = { ...everything, fields: ['bites'] };
      await assert.rejects(history.flows(wrong), HistoryError);
    });

    test('order: addresses by their bytes, what is missing last', async () => {
      assert.deepEqual(await ids({ sort: 'bytes', descending: true }), ['1', '5', '2', '3', '4', '6']);
      assert.deepEqual(await ids({ sort: 'time', descending: true, limit: 3 }), ['6', '5', '4']);
      assert.deepEqual(await ids({ sort: 'cli.ip' }), ['2', '4', '1', '5', '6', '3']);
      assert.deepEqual(await ids({ sort: 'cli.ip', descending: true }), ['3', '1', '5', '6', '2', '4']);
      assert.deepEqual(await ids({ sort: 'host_server_name' }), ['6', '1', '2', '3', '4', '5']);
      assert.deepEqual(await ids({ sort: 'host_server_name', descending: true }), ['1', '6', '2', '3', '4', '5']);
      assert.deepEqual(await ids({ sort: 'tcp_reset', descending: true, limit: 1 }), ['5']);
    });

    test('sums', async () => {
      const top = (of: 'bytes' | 'packets' | 'flows', by: string, filter = ''): Promise<unknown> =>
        history.top({ filter, by, of, limit: 2 });
      assert.deepEqual(await top('flows', 'cli.ip'), [
        { value: '192.168.1.20', sum: 3 },
        { value: '10.0.0.5', sum: 2 },
      ]);
      assert.deepEqual(await top('bytes', 'srv.port', 'l4 == tcp'), [
        { value: 443, sum: 2_461_000 },
        { value: 8080, sum: 174 },
      ]);
      assert.deepEqual(await top('packets', 'host_server_name', 'packets > 0'), [{ value: 'www.Example.org', sum: 42 }]);
      assert.deepEqual(await top('flows', 'flow.idle'), [
        { value: false, sum: 5 },
        { value: true, sum: 1 },
      ]);
    });

    test('a wrong question is answered with what is wrong', async () => {
      const asked = (query: Partial<HistoryQuery>): Promise<unknown> => history.flows({ ...everything, ...query });
      await assert.rejects(asked({ filter: 'bytez > 1' }), FilterError);
      await assert.rejects(asked({ filter: 'bytes > many' }), FilterError);
      await assert.rejects(asked({ filter: 'proto == TSL' }), FilterError);
      await assert.rejects(asked({ sort: 'bites' }), (error) => error instanceof HistoryError && /did you mean bytes/.test(error.message));
      await assert.rejects(asked({ sort: 'icmp' }), HistoryError);
      await assert.rejects(asked({ sort: 'bytes; DROP TABLE flows' }), HistoryError);
      await assert.rejects(asked({ limit: 0 }), HistoryError);
      await assert.rejects(asked({ limit: 10_001 }), HistoryError);
      await assert.rejects(asked({ offset: -1 }), HistoryError);
      await assert.rejects(history.top({ filter: '', by: 'flow_risk', of: 'bytes', limit: 1 }), HistoryError);
      assert.equal((await history.flows(everything)).total, 6);
    });

    test('texts of a filter stay texts', async () => {
      for (const text of [`x' OR 1=1 --`, `"; DROP TABLE flows; --`, '$1', '\\', '%']) {
        assert.deepEqual(await ids({ filter: `host contains ${JSON.stringify(text)}` }), []);
      }
    });
  });

  describe(`${name}: life of a flow`, () => {
    test('the newest entry counts, in rows and sums, until the flow has ended', async () => {
      const history = await open(() => START);
      const part = (seq: number, bytes: number, ended: boolean, time: number): FlowEntry =>
        entry({ ...FLOWS.dns, seq, cli2srv: { lengths: [bytes] } }, { ended, time });
      const seen = async (): Promise<unknown> =>
        (await history.flows(everything)).rows.map((row) => [idOf(row), row.flow.bytes, row.ended, row.time - START]);

      await history.appendFlows([part(1, 100, false, START), part(2, 7, false, START)]);
      await history.appendFlows([part(1, 200, false, START + 1), part(1, 300, false, START + 2)]);
      assert.deepEqual(await seen(), [
        ['k3x9-0-1', 300, false, 2],
        ['k3x9-0-2', 7, false, 0],
      ]);
      await history.appendFlows([part(1, 350, false, START + 3), part(1, 400, true, START + 4), part(3, 1, true, START)]);
      assert.deepEqual(await seen(), [
        ['k3x9-0-1', 400, true, 4],
        ['k3x9-0-2', 7, false, 0],
        ['k3x9-0-3', 1, true, 0],
      ]);
      assert.deepEqual(await history.top({ filter: '', by: 'cli.ip', of: 'bytes', limit: 5 }), [{ value: '10.0.0.5', sum: 408 }]);
      assert.equal((await history.flow('k3x9-0-1'))?.flow.bytes, 400);
      assert.equal((await history.flow('k3x9-0-2'))?.ended, false);
      await history.close();
    });

    test('values that are no field, or not of its type, are kept', async () => {
      const history = await open(() => START);
      const odd = { ...(ENTRIES[0] as FlowEntry), flow: { 'flow.id': 'x', bytes: 'many', 'of.tomorrow': { a: 1 }, 'cli.ip': 'unknown' } };
      await history.appendFlows([odd]);
      assert.deepEqual(await history.flow('x'), odd);
      await history.close();
    });
  });

  test(`${name}: flows of one interface: rows, sums, files`, async () => {
    const history = await open(() => START);
    await history.appendFlows([
      ...ENTRIES,
      ...[98, 99].map((seq) => entry({ ...FLOWS.dns, seq }, { interface: "a 'b'.pcap", ended: seq === 98 })),
    ]);
    const of = { interface: "a 'b'.pcap" };
    const { rows, total } = await history.flows({ ...everything, ...of });
    assert.deepEqual([rows.map(idOf), total], [['k3x9-0-98', 'k3x9-0-99'], 2]);
    assert.equal((await history.flows({ ...everything, interface: 'eth0' })).total, ENTRIES.length);
    assert.equal((await history.flows({ ...everything, interface: 'eth7' })).total, 0);
    assert.deepEqual(await history.top({ filter: '', by: 'proto.ndpi', of: 'flows', limit: 5, ...of }), [{ value: 'DNS', sum: 2 }]);
    const directory = await mkdtemp(join(tmpdir(), 'history-export-'));
    const query = { filter: '', sort: 'flow.id', descending: false, ...of };
    assert.equal(await history.exportFlows(query, 'jsonl', join(directory, 'flows.jsonl')), 2);
    await rm(directory, { recursive: true });
    await history.close();
  });

  describe(`${name}: alerts`, () => {
    let history: History;
    const all: AlertQuery = { ...everything, sort: 'time' };
    const ALERTS = [
      alertOf('a1', { severity: 'error', time: START + 5, firstTime: START + 5, lastTime: START + 50, count: 4 }),
      alertOf('a2', {
        severity: 'notice',
        score: 20,
        script: 'blacklisted',
        state: 'closed',
        by: 'ann',
        flow: (ENTRIES[1] as FlowEntry).flow,
      }),
      alertOf('a3', { severity: 'critical', score: 200, shadow: true, title: '', flow: (ENTRIES[2] as FlowEntry).flow }),
    ];
    before(async () => {
      history = await open(() => START);
      await history.putAlerts(ALERTS);
    });
    after(() => history.close());
    const ids = async (query: Partial<AlertQuery>): Promise<string[]> =>
      (await history.alerts({ ...all, ...query })).rows.map(({ id }) => id);

    test('an alert comes back as it was', async () => {
      for (const alert of ALERTS) assert.deepEqual(await history.alert(alert.id), alert);
      assert.equal(await history.alert('none'), undefined);
      assert.deepEqual((await history.alerts({ ...all, sort: 'id' })).rows, ALERTS);
    });

    test('filters over their members and their flows, states, shadow, times', async () => {
      assert.deepEqual(await ids({ filter: 'severity >= error', sort: 'id' }), ['a1', 'a3']);
      assert.deepEqual(await ids({ filter: 'domain == example.org' }), ['a1']);
      assert.deepEqual(await ids({ filter: 'script == blacklisted and ip == 10.0.0.5' }), ['a2']);
      assert.deepEqual(await ids({ filter: 'score < 100', sort: 'id' }), ['a1', 'a2']);
      assert.deepEqual(await ids({ states: ['closed'] }), ['a2']);
      assert.deepEqual(await ids({ states: [] }), []);
      assert.deepEqual(await ids({ shadow: false, sort: 'id' }), ['a1', 'a2']);
      assert.deepEqual(await ids({ from: START + 50 }), ['a1']);
      assert.deepEqual(await ids({ to: START + 4, sort: 'id' }), ['a2', 'a3']);
      assert.equal((await history.alerts({ ...all, limit: 1 })).total, 3);
      await assert.rejects(ids({ filter: 'severity >= huge' }), FilterError);
    });

    test('order: severities from weak to strong, members, fields of the flow', async () => {
      assert.deepEqual(await ids({ sort: 'severity' }), ['a2', 'a1', 'a3']);
      assert.deepEqual(await ids({ sort: 'count', descending: true }), ['a1', 'a2', 'a3']);
      assert.deepEqual(await ids({ sort: 'title', descending: true }), ['a1', 'a2', 'a3']);
      assert.deepEqual(await ids({ sort: 'cli.ip' }), ['a2', 'a1', 'a3']);
      await assert.rejects(ids({ sort: 'reason' }), HistoryError);
    });

    test('groups: how many, from when to when, the strongest of them', async () => {
      const groups = (query: Partial<AlertGroupsQuery> = {}): Promise<unknown> =>
        history.alertGroups({ filter: '', by: 'script', sort: 'count', limit: 100, offset: 0, ...query });
      const low = {
        ...{ value: 'low_goodput', count: 2, raised: 5, firstTime: START, lastTime: START + 50, score: 200 },
        ...{ severity: 'critical', severities: { error: 1, critical: 1 } },
      };
      const listed = {
        ...{ value: 'blacklisted', count: 1, raised: 1, firstTime: START, lastTime: START, score: 20 },
        ...{ severity: 'notice', severities: { notice: 1 } },
      };
      assert.deepEqual(await groups(), { rows: [low, listed], total: 2 });
      assert.deepEqual(await groups({ states: ['closed'] }), { rows: [listed], total: 1 });
      const error = { ...low, count: 1, raised: 4, firstTime: START + 5, score: 50, severity: 'error', severities: { error: 1 } };
      assert.deepEqual(await groups({ shadow: false, sort: 'lastTime' }), { rows: [error, listed], total: 2 });
      assert.deepEqual(await groups({ from: START + 50, filter: 'severity == error', interface: 'eth0' }), { rows: [error], total: 1 });
      assert.deepEqual(await groups({ interface: 'eth1' }), { rows: [], total: 0 });
      assert.deepEqual(await groups({ limit: 1, offset: 1 }), { rows: [listed], total: 2 });
      await assert.rejects(groups({ limit: 0 }), HistoryError);
      await assert.rejects(groups({ filter: 'severity >= huge' }), FilterError);
    });

    test('groups by members and by fields of the flow; what has no value is one group, the last of its size', async () => {
      const values = async (by: AlertGrouping, sort: AlertGroupSort = 'count'): Promise<unknown> =>
        (await history.alertGroups({ filter: '', by, sort, limit: 100, offset: 0 })).rows.map(({ value, count }) => [value, count]);
      assert.deepEqual(await values('type'), [['flow_low_goodput', 3]]);
      assert.deepEqual(await values('severity', 'severity'), [
        ['critical', 1],
        ['error', 1],
        ['notice', 1],
      ]);
      assert.deepEqual(await values('script', 'score'), [
        ['low_goodput', 2],
        ['blacklisted', 1],
      ]);
      assert.deepEqual(await values('state'), [
        ['new', 2],
        ['closed', 1],
      ]);
      const flows = [0, 1, 2].map((i) => (ENTRIES[i] as FlowEntry).flow);
      for (const [by, key] of Object.entries(ALERT_GROUPS).filter(([, of]) => of.includes('.') || of === 'host_server_name')) {
        const counts = Map.groupBy(flows, (flow) => (flow[key] === '' ? undefined : flow[key]));
        const found = (await values(by as AlertGrouping)) as [unknown, number][];
        assert.deepEqual(new Map(found), new Map([...counts].map(([value, of]) => [value, of.length])), by);
        assert.ok(
          found.every(([, count], i) => i === 0 || count <= (found[i - 1]?.[1] as number)),
          by,
        );
      }
      assert.deepEqual(await values('name'), [
        [undefined, 2],
        ['www.Example.org', 1],
      ]);
    });

    test('those of one interface', async () => {
      assert.equal((await history.alerts({ ...all, interface: 'eth0' })).total, 3);
      assert.deepEqual(await history.alerts({ ...all, interface: 'eth1' }), { rows: [], total: 0 });
    });

    test('one that is put again takes the place of the first', async () => {
      const changed = alertOf('a2', { state: 'acknowledged', by: 'ben', comment: "it's fine", changed: START });
      await Promise.all([
        history.putAlerts([alertOf('a2', { count: 2 })]),
        history.putAlerts([changed, alertOf('a4')]),
        history.putAlerts([]),
      ]);
      assert.deepEqual(await history.alert('a2'), changed);
      assert.equal((await history.alerts(all)).total, 4);
    });
  });

  describe(`${name}: figures over time`, () => {
    test('sums of steps, by interface and name, in every roll-up', async () => {
      const history = await open(() => START);
      const HOUR = 3600;
      // two hours, a point of each name every minute; the second interface is a capture of a day before
      for (let i = 0; i < 2 * HOUR; i += 60) {
        await history.appendSeries([
          { time: START + i * SECOND, interface: 'eth0', name: 'bytes', value: 60 },
          { time: START + i * SECOND, interface: 'eth0', name: 'protocol:TLS', value: 0.5 },
          { time: START + (i - DAY) * SECOND, interface: 'old.pcap', name: 'bytes', value: 1 },
        ]);
      }
      const ask = async (query: Partial<SeriesQuery>): Promise<unknown> =>
        (await history.series({ names: ['bytes'], from: START, to: START + 2 * HOUR * SECOND - 1, points: 1000, ...query })).map(
          ({ time, interface: of, name: label, value }) => [(time - START) / SECOND, of, label, value],
        );
      assert.deepEqual(await ask({ to: START + 179 * SECOND }), [
        [0, 'eth0', 'bytes', 60],
        [60, 'eth0', 'bytes', 60],
        [120, 'eth0', 'bytes', 60],
      ]);
      assert.deepEqual(await ask({ points: 2 }), [
        [0, 'eth0', 'bytes', 3600],
        [HOUR, 'eth0', 'bytes', 3600],
      ]);
      assert.deepEqual(
        ((await ask({ points: 120 })) as [number, string, string, number][]).map(([time, , , value]) => [time, value]),
        Array.from({ length: 120 }, (_, i) => [i * 60, 60]),
      );
      assert.deepEqual(await ask({ names: ['bytes', 'protocol:TLS'], from: START - DAY * SECOND, points: 1, interface: 'old.pcap' }), [
        [-DAY - ((START / SECOND - DAY) % (26 * HOUR)), 'old.pcap', 'bytes', 120],
      ]);
      assert.deepEqual(await ask({ names: [] }), []);
      await assert.rejects(ask({ points: 0 }), HistoryError);
      await assert.rejects(ask({ from: START + 1, to: START }), HistoryError);
      await history.close();
    });
  });

  test(`${name}: figures of the flows that match, whatever a page has of them`, async () => {
    const history = await open(() => START);
    await history.appendFlows(ENTRIES);
    await history.appendFlows([entry({ ...FLOWS.dns, seq: 99 }, { time: START + 3 * SECOND, ended: false, interface: 'eth1' })]);
    const query = { filter: 'proto == DNS', from: START, to: START + 10 * SECOND, points: 100 };
    const points = await history.series({ ...query, names: ['flows', 'bytes', 'packets'] });
    const { rows } = await history.flows({ ...everything, filter: query.filter });
    for (const figure of ['bytes', 'packets', 'flows']) {
      const sum = points.reduce((total, point) => total + (point.name === figure ? point.value : 0), 0);
      assert.equal(
        sum,
        rows.reduce((total, { flow }) => total + (figure === 'flows' ? 1 : Number(flow[figure])), 0),
      );
    }
    assert.deepEqual(
      points.map(({ time }) => time),
      points.map(({ time }) => time).toSorted(),
    );
    const one = await history.series({ ...query, names: ['flows'], interface: 'eth1' });
    assert.deepEqual(one, [{ time: START + 3 * SECOND, interface: 'eth1', name: 'flows', value: 1 }]);
    await assert.rejects(history.series({ ...query, names: ['alerts'] }), HistoryError);
    await history.close();
  });

  describe(`${name}: retention`, () => {
    test('what was stored too long ago goes, and alerts beyond their number', async () => {
      let now = START;
      const history = await open(() => now);
      await history.appendFlows(ENTRIES.slice(0, 2));
      await history.putAlerts([alertOf('old')]);
      await history.appendSeries([{ time: 0, interface: 'eth0', name: 'flows', value: 1 }]);
      now += 10 * SECOND;
      await history.appendFlows([...ENTRIES.slice(2, 4), { ...(ENTRIES[4] as FlowEntry), ended: false }]);
      await history.putAlerts(['n1', 'n2', 'n3'].map((id) => alertOf(id)));

      const policy = { seconds: 5, mostAlerts: 2, mostBytes: Number.MAX_SAFE_INTEGER };
      assert.equal(await history.retain(policy, now), 2 + 1 + 1 + 1);
      assert.deepEqual((await history.flows(everything)).rows.map(idOf), ['k3x9-0-3', 'k3x9-0-4', 'k3x9-0-5']);
      assert.deepEqual(
        (await history.alerts({ ...everything, sort: 'id' })).rows.map(({ id }) => id),
        ['n2', 'n3'],
      );
      assert.deepEqual(await history.series({ names: ['flows'], from: 0, to: SECOND, points: 10 }), []);
      assert.equal(await history.retain(policy, now), 0);
      await history.close();
    });
  });

  describe(`${name}: export`, () => {
    let history: History;
    let directory: string;
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), "history's export "));
      history = await open(() => START);
      await history.appendFlows([...ENTRIES.slice(0, 5), { ...(ENTRIES[5] as FlowEntry), ended: false }]);
    });
    after(async () => {
      await history.close();
      await rm(directory, { recursive: true });
    });
    const query = { filter: 'ip in 10.0.0.0/8 or host contains "mail"', sort: 'flow.id', descending: true };

    test('JSON lines have what the flow has', async () => {
      const file = join(directory, 'flows.jsonl');
      assert.equal(await history.exportFlows(query, 'jsonl', file), 3);
      const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => JSON.parse(line)),
        [5, 3, 1].map((i) => {
          const { time, interface: of, flow } = ENTRIES[i] as FlowEntry;
          return { time, interface: of, ended: i !== 5, ...flow };
        }),
      );
    });

    test('CSV has a column of each field, Parquet too', async () => {
      const csv = join(directory, 'flows.csv');
      const parquet = join(directory, 'flows.parquet');
      assert.equal(await history.exportFlows(query, 'csv', csv), 3);
      assert.equal(await history.exportFlows(query, 'parquet', parquet), 3);
      const [head, first] = (await readFile(csv, 'utf8')).split('\n') as [string, string];
      assert.match(head, /^time,interface,ended,cli\.ip,/);
      assert.match(first, /^1704067205000000,eth0,false,192\.168\.1\.20,/);
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const read = await connection.runAndReadAll('SELECT "flow.id", bytes FROM read_parquet($1)', [parquet]);
      assert.deepEqual(read.getRows(), [
        ['k3x9-0-6', 0n],
        ['k3x9-0-4', 0n],
        ['k3x9-0-2', 80n],
      ]);
      connection.closeSync();
      instance.closeSync();
    });

    test('a file that cannot be written is named, and none is left', async () => {
      await assert.rejects(history.exportFlows(query, 'csv', join(directory, 'none', 'x.csv')), /none\/x\.csv/);
    });
  });
}
