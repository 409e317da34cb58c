/**
 * Ten million flows: `node bench/store/ten-million.ts [DIRECTORY]`. Makes them by SQL where the directory has none yet (minutes, 2 GB), then
 * measures a start, top talkers, a page, a flow by its id, and an append between them. Target: top talkers within 1 s.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type Column, columnList, FLOW_COLUMNS } from '../../src/store/duckdb/columns.ts';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import { FLOWS } from '../../test/filter/flows.ts';
import { entry } from '../../test/store/history-data.ts';

const ROWS = 10_000_000;
const PART = 500_000;
const START = 1_700_000_000;

/** SQL of a value of row `i`: few values where a network has few, many where it has many. */
function sqlOf({ name, type, key }: Column): string {
  const random = (salt: number): string => `hash(i * ${salt} + ${name.length})`;
  switch (key ?? name) {
    case '_time':
      return `${START}000000 + i * 1000`;
    case '_stored':
      return `${START}000000 + i * 1000`;
    case '_interface':
      return `'eth0'`;
    case '_ended':
      return 'true';
    case 'flow.id':
      return `'k3x9-0-' || i`;
    case 'hash_entry_id':
      return 'i';
    case 'cli.ip':
      return `'10.' || hash(i) % 8 || '.' || hash(i * 3) % 256 || '.' || hash(i * 7) % 40`;
    case 'srv.ip':
      return `'203.0.' || hash(i * 11) % 256 || '.' || hash(i * 5) % 256`;
    case 'proto.ndpi':
      return `['TLS.Google', 'DNS', 'HTTP', 'TLS', 'QUIC.YouTube', 'Unknown'][1 + (hash(i * 13) % 6)::INTEGER]`;
    case 'bytes':
      return `floor(exp((hash(i * 17) % 12000) / 1000.0) * 60)`;
    case 'seen.first':
      return `${START} + i // 1000`;
    case 'host_server_name':
      return `CASE WHEN hash(i * 29) % 2 = 0 THEN 'host' || hash(i * 23) % 5000 || '.example' END`;
  }
  if (name.startsWith('_') || (key?.startsWith('protos.') ?? false) || type === 'JSON') return 'NULL';
  if (type === 'BIGINT') return `${random(17)} % 1000`;
  if (type === 'DOUBLE') return `(${random(19)} % 1000) / 10`;
  return type === 'BOOLEAN' ? `${random(31)} % 7 = 0` : `'v' || ${random(23)} % 50`;
}

async function fill(directory: string): Promise<void> {
  await (await openDuckHistory({ directory })).close();
  const instance = await DuckDBInstance.create(join(directory, 'flows.duckdb'), { threads: '2', memory_limit: '2GiB' });
  const connection = await instance.connect();
  const values = FLOW_COLUMNS.map((column) => `(${sqlOf(column)})::${column.type}`).join(', ');
  for (let first = 0; first < ROWS; first += PART) {
    await connection.run(`INSERT INTO flows (${columnList(FLOW_COLUMNS)}) SELECT ${values} FROM range(${first}, ${first + PART}) rows(i)`);
  }
  connection.closeSync();
  instance.closeSync();
}

const given = process.argv[2];
const directory = given ?? (await mkdtemp(join(tmpdir(), 'bench-store-')));
if (!existsSync(join(directory, 'flows.duckdb'))) await fill(directory);

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${what.padEnd(48)} ${(performance.now() - began).toFixed(0).padStart(6)} ms, CPU ${((user + system) / 1e3).toFixed(0).padStart(6)} ms`,
  );
  return result;
}

const history = await timed('start', () => openDuckHistory({ directory, lingerMs: 0 }));
const all = { filter: '', sort: 'bytes', descending: true, limit: 100, offset: 0 };
for (const round of ['first', 'again']) {
  await timed(`top 10 clients by bytes, ${round}`, () => history.top({ filter: '', by: 'cli.ip', of: 'bytes', limit: 10 }));
  await timed(`top 10 servers by bytes, ${round}`, () => history.top({ filter: '', by: 'srv.ip', of: 'bytes', limit: 10 }));
  await timed(`top 10 protocols by packets, ${round}`, () => history.top({ filter: '', by: 'proto.ndpi', of: 'packets', limit: 10 }));
  await timed(`top clients, filter of two fields, ${round}`, () =>
    history.top({ filter: 'proto == TLS and bytes > 100K', by: 'cli.ip', of: 'bytes', limit: 10 }),
  );
}
await timed('page of 100 by bytes', () => history.flows(all));
const fields = ['flow.id', 'cli.ip', 'cli.port', 'srv.ip', 'srv.port', 'proto.ndpi', 'bytes', 'packets', 'seen.first', 'seen.last', 'info'];
await timed(`page of 100 by bytes, ${fields.length} fields`, () => history.flows({ ...all, fields }));
await timed('page of 100, network and text', () =>
  history.flows({ ...all, filter: 'ip in 10.3.0.0/16 and host contains "host49"', fields }),
);
await timed('page of 100, pattern', () => history.flows({ ...all, filter: 'host matches "9.*9[.]"', fields }));
await timed('page of 100 of the last hour', () => history.flows({ ...all, from: (START + ROWS / 1000 - 3600) * 1e6, fields }));
await timed('a flow by its id', () => history.flow('k3x9-0-7654321'));
await timed('append of 1,000 flows while clients are summed', async () => {
  const rows = Array.from({ length: 1000 }, (_, i) => entry({ ...FLOWS.dns, seq: ROWS + i + 1 }));
  const began = performance.now();
  const top = history.top({ filter: '', by: 'cli.ip', of: 'bytes', limit: 10 });
  await history.appendFlows(rows);
  console.log(`  of which the append ${(performance.now() - began).toFixed(0)} ms`);
  await top;
});
console.log(`memory of the process ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
await history.close();
if (given === undefined) await rm(directory, { recursive: true });
