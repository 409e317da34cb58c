/** The history on disk: the contract, and what only a store on disk has. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { type DuckHistory, openDuckHistory } from '../../src/store/duckdb/history.ts';
import type { FlowEntry } from '../../src/store/history.ts';
import { HistoryError } from '../../src/store/history-checks.ts';
import { FLOWS, NAMES_OF_FLOWS } from '../filter/flows.ts';
import { alertOf, ENTRIES, entry, everything, idOf, START } from './history-data.ts';
import { historySuite } from './history-suite.ts';

const directories: string[] = [];
const directory = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), "history's "));
  directories.push(made);
  return made;
};
after(() => Promise.all(directories.map((each) => rm(each, { recursive: true }))));

const open = async (at: string, clock = (): number => START): Promise<DuckHistory> =>
  openDuckHistory({ directory: at, memoryLimitMiB: 256, lingerMs: 0, rollUpBatches: 7, clock, names: NAMES_OF_FLOWS });

historySuite('DuckDB', async (clock) => open(await directory(), clock));

/** A file of the history, opened by itself. */
async function inFile(file: string, work: (run: (statement: string) => Promise<unknown[][]>) => Promise<void>): Promise<void> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await work(async (statement) => (await connection.runAndReadAll(statement)).getRowsJson());
  connection.closeSync();
  instance.closeSync();
}

describe('files', () => {
  test('what was stored is there at the next start; nothing else is left in the directory', async () => {
    const at = await directory();
    const first = await open(at);
    await first.appendFlows([...ENTRIES.slice(0, 3), { ...(ENTRIES[3] as FlowEntry), ended: false }]);
    await first.putAlerts([alertOf('a')]);
    await first.appendSeries([{ time: START, interface: 'eth0', name: 'flows', value: 4 }]);
    assert.equal(first.figures().flowsStored, 4);
    await first.close();
    assert.deepEqual((await readdir(at)).sort(), ['alerts.duckdb', 'flows.duckdb']);

    const second = await open(at);
    // the flow that was alive ends: its part from before goes
    await second.appendFlows([ENTRIES[3] as FlowEntry]);
    assert.deepEqual((await second.flows(everything)).rows, ENTRIES.slice(0, 4));
    assert.deepEqual(await second.alert('a'), alertOf('a'));
    await second.appendSeries([{ time: START, interface: 'eth0', name: 'flows', value: 1 }]);
    assert.equal((await second.series({ names: ['flows'], from: START, to: START, points: 1 }))[0]?.value, 5);
    await second.close();
  });

  test('a field that is new becomes a column; rows from before have no value', async () => {
    const at = await directory();
    const first = await open(at);
    await first.appendFlows([ENTRIES[0] as FlowEntry]);
    await first.close();
    await inFile(join(at, 'flows.duckdb'), async (run) => {
      for (const table of ['flows', 'living']) {
        await run(`ALTER TABLE ${table} DROP COLUMN "duration"`);
        await run(`ALTER TABLE ${table} ALTER "vlan" TYPE VARCHAR`);
      }
    });
    const second = await open(at);
    await second.appendFlows([ENTRIES[1] as FlowEntry]);
    const { duration: _, ...without } = (ENTRIES[0] as FlowEntry).flow;
    assert.deepEqual(
      (await second.flows(everything)).rows.map(({ flow }) => flow),
      [without, (ENTRIES[1] as FlowEntry).flow],
    );
    assert.equal((await second.flows({ ...everything, filter: 'duration' })).total, 1);
    await second.close();
  });

  test('a file of a newer version, one in use and one that is none are refused, and named', async () => {
    const at = await directory();
    const first = await open(at);
    await first.close();
    await inFile(join(at, 'alerts.duckdb'), async (run) => void (await run('INSERT INTO schema_version VALUES (99)')));
    await assert.rejects(open(at), (error) => error instanceof HistoryError && /alerts\.duckdb was written by a newer/.test(error.message));

    const other = await directory();
    await writeFile(join(other, 'flows.duckdb'), 'no database at all, but long enough to look like one'.repeat(1000));
    await assert.rejects(open(other), (error) => error instanceof HistoryError && /flows\.duckdb cannot be used/.test(error.message));
  });
});

describe('batches', () => {
  test('rows of several chunks and calls are all there, and share transactions', async () => {
    const history = await openDuckHistory({ directory: await directory(), memoryLimitMiB: 256, lingerMs: 3_600_000 });
    const { flow } = ENTRIES[1] as FlowEntry;
    const rows = Array.from({ length: 5000 }, (_, i) =>
      entry(FLOWS.dns, { flow: { ...flow, 'flow.id': `k3x9-0-${i + 1}`, 'cli.port': i } }),
    );
    const stored = [0, 1000, 2500].map((from, i, all) => history.appendFlows(rows.slice(from, all[i + 1])));
    await history.flush();
    await Promise.all(stored);
    assert.equal((await history.flows({ ...everything, limit: 1 })).total, 5000);
    assert.deepEqual((await history.flow('k3x9-0-4321'))?.flow, rows[4320]?.flow);
    assert.deepEqual([history.figures().flowsStored, history.figures().flowBatches], [5000, 1]);
    await history.close();
  });

  test('what waits at the end is stored', async () => {
    const at = await directory();
    const history = await openDuckHistory({ directory: at, lingerMs: 3_600_000 });
    const stored = history.appendFlows(ENTRIES);
    await history.close();
    await stored;
    const again = await open(at);
    assert.equal((await again.flows(everything)).total, 6);
    await again.close();
  });

  test('flows that there is no room for are refused and counted', async () => {
    const history = await openDuckHistory({ directory: await directory(), mostWaiting: 4, lingerMs: 0 });
    await assert.rejects(
      history.appendFlows(ENTRIES),
      (error) => error instanceof HistoryError && /6 flows were not stored/.test(error.message),
    );
    await history.appendFlows(ENTRIES.slice(0, 4));
    assert.deepEqual([history.figures().flowsStored, history.figures().flowsLost], [4, 6]);
    await history.close();
  });

  test('queries and appends at once', async () => {
    const history = await open(await directory());
    const rows = Array.from({ length: 40 }, (_, i) => entry({ ...FLOWS.dns, seq: i + 1 }));
    const work: Promise<unknown>[] = rows.map((row) => history.appendFlows([row]));
    for (let i = 0; i < 20; i++) {
      work.push(history.flows({ ...everything, filter: 'bytes > 0' }), history.putAlerts([alertOf(`a${i}`)]));
      work.push(history.top({ filter: '', by: 'cli.ip', of: 'flows', limit: 1 }));
    }
    await Promise.all(work);
    assert.deepEqual((await history.flows(everything)).rows.map(idOf).length, 40);
    assert.equal((await history.alerts({ ...everything, sort: 'id' })).total, 20);
    await history.close();
  });
});

test('too many bytes: the oldest flows go, until the rest fits', async () => {
  let now = START;
  const history = await open(await directory(), () => now);
  const base = ENTRIES[1] as FlowEntry;
  const ROWS = 16_384;
  for (let part = 0; part < 3; part++) {
    now += 1e6;
    // texts that cannot be packed tightly
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const info = createHash('sha512').update(`${part} ${i}`).digest('hex');
      return { ...base, flow: { ...base.flow, info, 'flow.id': `p${part}-${i}` } };
    });
    await history.appendFlows(rows);
  }
  const mostBytes = history.figures().fileBytes / 2;
  const gone = await history.retain({ seconds: 1e9, mostAlerts: 1, mostBytes }, now);
  assert.ok(gone >= ROWS && gone < 3 * ROWS, `${gone} of ${3 * ROWS} went`);
  assert.equal((await history.flows({ ...everything, limit: 1 })).total, 3 * ROWS - gone);
  assert.equal(await history.flow('p0-0'), undefined);
  assert.notEqual(await history.flow(`p2-${ROWS - 1}`), undefined);
  await history.close();
});
