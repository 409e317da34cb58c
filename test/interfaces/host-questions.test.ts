/** Questions about live flows by what is known of their hosts: places, pools, names learned before and after the first question. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { createPatrol } from '../../src/patrol.ts';
import { QUIET } from '../api/support.ts';
import { CAPTURES } from '../support/golden.ts';

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}

test('filters and orders of live flows know countries, names and pools', async (t) => {
  const patrol = createPatrol(
    { ...DEFAULT_CONFIG, interfaces: [`${CAPTURES}http-dns.pcap`], scripts: true, speed: 5, pcapCallbacks: 'all' },
    QUIET,
    () => 'pcap',
    { flows: async () => {} },
  );
  await patrol.start();
  t.after(() => patrol.stop());
  const ask = async (filter: string, sort = 'bytes') =>
    (await patrol.queryFlows({ filter, sort, descending: true, limit: 10 }))[0] ?? assert.fail('it has ended');
  await until(() => (patrol.snapshot().interfaces[0]?.capture?.read ?? 0) > 0.2);
  // the tables of hosts are read in a thread of their own, and questions that want none are answered meanwhile
  const order: string[] = [];
  const gone = new AbortController();
  const forgotten = patrol.queryFlows({ filter: 'srv.country == US', sort: 'bytes', descending: true, limit: 10 }, gone.signal);
  const byCountry = ask('srv.country == US').finally(() => order.push('country'));
  await ask('bytes > 0').finally(() => order.push('bytes'));
  const refused = assert.rejects(forgotten, { name: 'AbortError' });
  gone.abort();
  await refused;
  assert.ok((await byCountry).matched > 0);
  assert.deepEqual(order, ['bytes', 'country']);
  assert.equal((await ask('country == IT')).matched, 0);
  assert.ok((await ask('srv.asn == 15169')).matched > 0);
  assert.equal((await ask('cli.pool_id == 0')).matched, (await ask('')).total);
  await until(async () => (await ask('host contains ethereal')).matched > 0); // learned after the first question
  patrol.regulate(0, { paused: true });
});
