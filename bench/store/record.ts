/**
 * What it costs to record flows: `node bench/store/record.ts [ROUNDS] [ROWS]`.
 *
 * Lifecycle events of real flows, in batches as script hosts send them ──► recorder ──► history on disk, all in one process. Figures
 * are µs of CPU time a row, all threads, of each round (the least of them is the one to compare), and bytes of the files.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { E_CLIENT, E_CLIENT_PORT, E_SEQ } from '../../src/flows/event.ts';
import { openHostBook } from '../../src/hosts/host-book.ts';
import type { FlowBatch } from '../../src/scripts/outbox.ts';
import { createRecorder } from '../../src/server/recorder.ts';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import { flowsOf } from '../../test/api/support.ts';

const rounds = Number(process.argv[2] ?? 4);
const rows = Number(process.argv[3] ?? 65_536);
const BATCH_BYTES = 256 << 10;
/** As many as a visit of a busy interface has. */
const CLIENTS = 5000;

const { events, names } = flowsOf('demo.pcap');

/** Batches of flows that differ where those of a network do. */
function batches(): FlowBatch[] {
  const all: FlowBatch[] = [];
  let buffer = new Uint8Array(BATCH_BYTES);
  let used = 0;
  const flush = (): void => {
    all.push(buffer.slice(0, used));
    buffer = new Uint8Array(BATCH_BYTES);
    used = 0;
  };
  for (let i = 0; i < rows; i++) {
    const event = events[i % events.length] as Uint8Array;
    if (used + event.length > BATCH_BYTES) flush();
    buffer.set(event, used);
    const view = new DataView(buffer.buffer, used, event.length);
    view.setFloat64(E_SEQ, i + 1, true);
    view.setUint16(E_CLIENT, (i * 7919) % CLIENTS, true);
    view.setUint16(E_CLIENT_PORT, 1024 + ((i * 7919) % 60_000), true);
    used += event.length;
  }
  flush();
  return all;
}

const directory = await mkdtemp(join(tmpdir(), 'bench-record-'));
/** What it reads of files is no cost of a row: the first round has it, the others do not. */
const book = openHostBook({ geoFiles: [], systemAddresses: [] });
const costs: number[] = [];
let onDisk = 0;
for (let round = 0; round < rounds; round++) {
  const given = batches();
  const history = await openDuckHistory({ directory: join(directory, String(round)) });
  const recorder = createRecorder({
    history,
    hosts: () => book,
    failed: (error) => {
      throw error;
    },
  });
  const before = process.cpuUsage();
  for (const batch of given) await recorder.take(batch, { interface: 'bench', names, live: true });
  await history.flush();
  const { user, system } = process.cpuUsage(before);
  costs.push((user + system) / rows);
  const { flowsStored, fileBytes } = history.figures();
  onDisk = fileBytes / rows;
  if (flowsStored !== rows) throw new Error(`${flowsStored} rows were stored of ${rows}`);
  await history.close();
}
await rm(directory, { recursive: true });
console.log(
  `µs of CPU a row: ${costs.map((cost) => cost.toFixed(1)).join(', ')}; least ${Math.min(...costs).toFixed(1)}; ${onDisk.toFixed(0)} bytes a row on disk`,
);
