/**
 * What it costs to store flows: `node bench/store/append.ts [ROUNDS]`.
 *
 * In one run, in turn: the history with all columns of a flow, and DuckDB's plain row appender with 40 of them. Figures are medians of
 * rows per second of CPU time of the process, all threads.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { databaseColumns } from '../../src/flows/derived/columns.ts';
import { FIELDS } from '../../src/flows/fields.ts';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import type { FlowEntry } from '../../src/store/history.ts';
import { FLOWS } from '../../test/filter/flows.ts';
import { entry } from '../../test/store/history-data.ts';

const BATCH = 16_384;
const BATCHES = 4;
const PEER_COLUMNS = 40;
const rounds = Number(process.argv[2] ?? 5);

const bases = Object.values(FLOWS).map((of, i) => entry({ ...of, seq: i + 1 }).flow);

/** Rows that differ where those of a network do. */
const rowsFrom = (first: number): FlowEntry[] =>
  Array.from({ length: BATCH }, (_, k) => {
    const i = first + k;
    const flow = {
      ...bases[i % bases.length],
      'flow.id': `k3x9-0-${i}`,
      hash_entry_id: i,
      'cli.ip': `10.${(i * 7) & 7}.${(i * 31) & 255}.${(i * 13) & 255}`,
      'cli.port': 1024 + ((i * 7919) % 60_000),
      bytes: (i * 104_729) % 1_000_000,
      packets: 1 + ((i * 31) % 500),
      'seen.first': 1_700_000_000 + (i >> 8),
    };
    return { time: 1_700_000_000_000_000 + i, interface: 'eth0', ended: true, flow };
  });

const cpuOf = async (work: () => Promise<void>): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const directory = await mkdtemp(join(tmpdir(), 'bench-store-'));

async function ours(round: number): Promise<number> {
  const history = await openDuckHistory({ directory: join(directory, `ours-${round}`), lingerMs: 60_000 });
  let seconds = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const rows = rowsFrom(batch * BATCH);
    seconds += await cpuOf(async () => {
      const stored: Promise<void>[] = [];
      for (let i = 0; i < BATCH; i += 256) stored.push(history.appendFlows(rows.slice(i, i + 256)));
      await Promise.all(stored);
    });
  }
  seconds += await cpuOf(() => history.close());
  return (BATCH * BATCHES) / seconds;
}

async function peer(round: number): Promise<number> {
  const columns = databaseColumns(FIELDS)
    .filter(({ type, nullable }) => type !== 'JSON' && !nullable)
    .slice(0, PEER_COLUMNS);
  const instance = await DuckDBInstance.create(join(directory, `peer-${round}.duckdb`), { threads: '2' });
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE flows (${columns.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`);
  let seconds = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const rows = rowsFrom(batch * BATCH);
    seconds += await cpuOf(async () => {
      const appender = await connection.createAppender('flows');
      for (const { flow } of rows) {
        for (const { field, type } of columns) {
          const value = flow[field.key];
          if (type === 'BIGINT') appender.appendBigInt(BigInt(value as number));
          else if (type === 'DOUBLE') appender.appendDouble(value as number);
          else if (type === 'BOOLEAN') appender.appendBoolean(value as boolean);
          else appender.appendVarchar(value as string);
        }
        appender.endRow();
      }
      appender.closeSync();
    });
  }
  seconds += await cpuOf(async () => {
    connection.closeSync();
    instance.closeSync();
  });
  return (BATCH * BATCHES) / seconds;
}

const figures = { ours: [] as number[], peer: [] as number[] };
for (let round = 0; round < rounds; round++) {
  figures.ours.push(await ours(round));
  figures.peer.push(await peer(round));
}
await rm(directory, { recursive: true });
const [us, them] = [median(figures.ours), median(figures.peer)];
console.log(
  `history, ${FIELDS.length} fields:   ${Math.round(us)} rows per CPU-second (${((us * FIELDS.length) / 1e6).toFixed(1)} M values)`,
);
console.log(
  `plain appender, ${PEER_COLUMNS} columns: ${Math.round(them)} rows per CPU-second (${((them * PEER_COLUMNS) / 1e6).toFixed(1)} M values)`,
);
