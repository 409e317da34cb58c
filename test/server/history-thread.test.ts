/** The history in its thread: the same answers, the same errors, names of hosts, an end. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FilterError } from '../../src/filter/filter.ts';
import { startHistory } from '../../src/server/history-thread.ts';
import { HistoryError } from '../../src/store/history-checks.ts';
import { flowsOf } from '../api/support.ts';
import { alertOf } from '../store/history-data.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-history-'));
after(() => rmSync(scratch, { recursive: true }));
const flows = flowsOf('demo.pcap');
const hosts = { geoFiles: [], geoOff: true, systemAddresses: [] };
const query = { filter: '', sort: 'bytes', descending: true, limit: 10, offset: 0 } as const;
const batch = (): Uint8Array<ArrayBuffer> => {
  const all = Buffer.concat(flows.events);
  const bytes = new Uint8Array(all.length);
  bytes.set(all);
  return bytes;
};

for (const directory of [undefined, join(scratch, 'kept')]) {
  test(`flows, names, errors and the end, ${directory === undefined ? 'in memory' : 'on disk'}`, async () => {
    const failures: string[] = [];
    const thread = await startHistory({ directory, hosts }, (message) => failures.push(message));
    const { history } = thread;
    const address = '192.168.1.2';
    thread.learned([{ address, name: 'desk.example', source: 'reverse' }]);
    const of = { interface: 'test', names: flows.names, live: false };
    await thread.record(batch(), of);
    await thread.flush();
    await history.appendFlows([]);
    const found = await history.flows({ ...query, filter: `cli.ip == ${address}` });
    // on disk they wait for others a while
    if (directory === undefined) {
      assert.equal((await history.flows(query)).total, flows.events.length);
      assert.ok(found.rows.length > 0 && found.rows.every(({ flow }) => flow['cli.host'] === 'desk.example'));
    }
    await assert.rejects(
      history.flows({ ...query, filter: 'byts > 1' }),
      (error) =>
        error instanceof FilterError && error.code === 'unknown-field' && error.position === 0 && error.length === 4 && error.hint !== '',
    );
    await assert.rejects(history.flows({ ...query, sort: 'nonsense' }), HistoryError);
    await history.close();
    await assert.rejects(history.flows(query), /closed/);
    assert.deepEqual(failures, []);
    assert.deepEqual(thread.losses(), []);
    if (directory === undefined) return;
    const again = await startHistory({ directory, hosts }, assert.fail);
    assert.equal((await again.history.flows(query)).total, flows.events.length);
    await again.history.close();
  });
}

/** Niceness of the threads of this process, by their names (proc(5), field 19 of stat). */
function niceness(name: string): number[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    return stat.slice(stat.indexOf('(') + 1, end) === name ? [Number(stat.slice(end + 2).split(' ')[16])] : [];
  });
}

test('it gives way: its thread and the pool that DuckDB works in, and no other', async () => {
  const own = getPriority(0);
  const nicer = Math.min(19, own + 5);
  const before = niceness('WorkerThread').length;
  const thread = await startHistory({ directory: join(scratch, 'nice'), hosts }, assert.fail);
  assert.deepEqual(niceness('WorkerThread').slice(before), [nicer]);
  assert.deepEqual([...new Set(niceness('libuv-worker'))], [nicer]);
  assert.equal(getPriority(0), own);
  assert.deepEqual([...new Set(niceness('V8Worker'))], [own]);
  await thread.history.close();
});

test('a directory that cannot be used is one clear error', async () => {
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  await assert.rejects(startHistory({ directory: join(file, 'below'), hosts }, assert.fail));
});

test('a thread that ends by an error is replaced: what was stored is there, what was asked is answered, the end is counted', async () => {
  const failures: string[] = [];
  const directory = join(scratch, 'replaced');
  const named = [{ address: '192.168.1.2', name: 'desk.example', source: 'reverse' }] as const;
  let known: typeof named | readonly [] = [];
  const thread = await startHistory(
    { directory, hosts },
    (message) => failures.push(message),
    () => known,
  );
  known = named;
  const { history } = thread;
  const of = { interface: 'test', names: flows.names, live: false };
  await thread.record(batch(), of);
  // what no interface ever says: the thread cannot go on
  thread.figures({ interfaces: [null] } as never);
  const alert = alertOf('shown');
  await history.putAlerts([alert]);
  await thread.record(batch(), of);
  assert.deepEqual(await history.alert('shown'), alert);
  await thread.flush();
  assert.equal((await history.flows(query)).total, flows.events.length); // of the first thread, stored at its end
  assert.match(failures.join('\n'), /its thread has ended: .*; it is started again$/m);
  assert.deepEqual(
    thread.losses().map(({ name, value }) => [name, value]),
    [['history.restarts', 1]],
  );
  await history.close();
  const again = await startHistory({ directory, hosts }, assert.fail);
  assert.equal((await again.history.flows(query)).total, 2 * flows.events.length);
  assert.deepEqual(await again.history.alert('shown'), alert);
  const ofDesk = await again.history.flows({ ...query, filter: 'cli.host == "desk.example"' });
  assert.equal(ofDesk.total, (await again.history.flows({ ...query, filter: 'cli.ip == 192.168.1.2' })).total / 2);
  assert.ok(ofDesk.total > 0, 'the second thread was told all names');
  await again.history.close();
});
