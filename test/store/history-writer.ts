/**
 * A process that is going to be killed: stores alerts, flows and figures as fast as it can, and says what it was told is stored.
 *
 *   node history-writer.ts DIRECTORY RUN      `opening`, `open`, then `alert ID COUNT`, `flows FIRST LAST`, one a line
 */
import { writeSync } from 'node:fs';
import type { Alert } from '../../src/alerts/alert.ts';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import type { FlowEntry } from '../../src/store/history.ts';
import { FLOWS } from '../filter/flows.ts';
import { alertOf, entry, START } from './history-data.ts';

const [directory = '', run = ''] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`); // at once: what is said is in the pipe when the process dies

say('opening');
const history = await openDuckHistory({ directory, memoryLimitMiB: 256, lingerMs: 20, rollUpBatches: 3, renewRows: 2000 });
say('open');

const alertNamed = (name: string, count: number): Alert => alertOf(`${run}-${name}`, { count, description: `${count} of ${name}` });

/** Several at once: their transactions are shared, and one alert is put again and again. */
async function alerts(worker: number): Promise<never> {
  for (let i = 0; ; i++) {
    const batch = [alertNamed(`hot-${worker}`, i + 1), ...Array.from({ length: i % 7 }, (_, k) => alertNamed(`${worker}-${i}-${k}`, 1))];
    await history.putAlerts(batch);
    for (const { id, count } of batch) say(`alert ${id} ${count}`);
  }
}

/** Small batches, which go through the write-ahead log, and large ones, which do not. */
async function flows(): Promise<never> {
  const { flow } = entry(FLOWS.dns);
  const named = (i: number, ended: boolean): FlowEntry => ({
    time: START + i,
    interface: 'eth0',
    ended,
    flow: { ...flow, 'flow.id': `${run}-${i}`, hash_entry_id: i },
  });
  for (let i = 0, size = 50; ; i += size, size = (size * 5) % 20_011) {
    const rows = Array.from({ length: size }, (_, k) => named(i + k, true));
    // some were alive before
    await history.appendFlows(rows.slice(0, 20).map((row) => ({ ...row, ended: false })));
    await history.appendFlows(rows);
    say(`flows ${run}-${i} ${run}-${i + size - 1} ${size}`);
    await history.flows({ filter: 'bytes > 0', sort: 'bytes', descending: true, limit: 10, offset: 0 });
  }
}

async function figures(): Promise<never> {
  for (let i = 0; ; i++) {
    await history.appendSeries([{ time: START + i * 1e6, interface: run, name: 'flows', value: 1 }]);
    say(`points ${run} ${i + 1}`);
  }
}

await Promise.all([alerts(0), alerts(1), alerts(2), flows(), figures()]);
