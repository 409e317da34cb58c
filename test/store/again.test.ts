/**
 * Questions that are asked again and again while rows come and go: the history on disk remembers sums and begins pages among the last rows;
 * the history in memory looks at every row each time, and says the same.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import type { FieldsQuery, FlowEntry, History, TopQuery } from '../../src/store/history.ts';
import { createMemoryHistory } from '../../src/store/memory-history.ts';
import { NAMES_OF_FLOWS } from '../filter/flows.ts';
import { ENTRIES, START } from './history-data.ts';

const SECOND = 1e6;
const FOREVER = { mostAlerts: 1, mostBytes: 1e12 };

/** Numbers from 0 up to `below`, the same each time. */
function createRandom(): (below: number) => number {
  let state = 7;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

const TOPS: readonly TopQuery[] = [
  { filter: '', by: 'proto.ndpi', of: 'bytes', limit: 3 },
  { filter: '', by: 'cli.port', of: 'flows', limit: 4 },
  { filter: 'bytes > 50', by: 'cli.ip', of: 'packets', limit: 2 },
  { filter: '', interface: 'eth1', by: 'flow.idle', of: 'flows', limit: 5 },
  { filter: '', from: START + 20, to: START + 60, by: 'srv.port', of: 'bytes', limit: 3 },
  { filter: 'bytes > 1000000', by: 'cli.ip', of: 'bytes', limit: 3 },
];
const page = { filter: '', limit: 7, offset: 0, descending: true } as const;
const PAGES: readonly FieldsQuery[] = [
  { ...page, sort: 'seen.last' },
  { ...page, sort: 'seen.last', offset: 5 },
  { ...page, sort: 'bytes', filter: 'bytes > 50', fields: ['bytes'] },
  { ...page, sort: 'time', interface: 'eth1' },
  { ...page, sort: 'host_server_name' },
  { ...page, sort: 'flow.idle' },
  { ...page, sort: 'cli.ip', descending: false },
  { ...page, sort: 'tcp_reset', limit: 1000 },
];

for (const kind of ['a clock that goes on', 'a clock that is set back'] as const) {
  describe(kind, () => {
    let directory: string;
    let now = START;
    let disk: History;
    let memory: History;
    let seq = 0;
    const random = createRandom();
    const clock = (): number => now;

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'history-again-'));
      disk = await openDuckHistory({ directory, memoryLimitMiB: 256, lingerMs: 0, renewRows: 50, clock, names: NAMES_OF_FLOWS });
      memory = createMemoryHistory({ clock, names: NAMES_OF_FLOWS });
    });
    after(async () => {
      await disk.close();
      await rm(directory, { recursive: true });
    });

    const alive: string[] = [];

    const some = (count: number): FlowEntry[] =>
      Array.from({ length: count }, () => {
        const { flow } = ENTRIES[random(ENTRIES.length)] as FlowEntry;
        // a flow that has ended is never heard of again
        const id = (random(3) === 0 ? alive.shift() : undefined) ?? `f${++seq}`;
        const ended = random(4) > 0;
        if (!ended) alive.push(id);
        return {
          ...{ time: START + random(100), interface: `eth${random(2)}`, ended },
          flow: { ...flow, 'flow.id': id, bytes: random(200), 'cli.port': random(9), 'seen.last': 1000 + random(30) + seq },
        };
      });

    async function same(): Promise<void> {
      for (const query of TOPS) assert.deepEqual(await disk.top(query), await memory.top(query), JSON.stringify(query));
      for (const query of PAGES) assert.deepEqual(await disk.flows(query), await memory.flows(query), JSON.stringify(query));
    }

    test('as rows come', async () => {
      await same();
      for (let round = 0; round < 12; round++) {
        now += kind === 'a clock that goes on' || round < 6 ? SECOND : -3600 * SECOND;
        const rows = some(1 + random(40));
        await Promise.all([disk.appendFlows(rows), memory.appendFlows(rows)]);
        await same();
      }
    });

    test('as the oldest go', async () => {
      const later = kind === 'a clock that goes on' ? 0 : 3600 * 3 * SECOND;
      const [gone, also] = await Promise.all([disk, memory].map((each) => each.retain({ ...FOREVER, seconds: 6 }, now + later)));
      assert.ok((gone as number) > 0);
      assert.equal(gone, also);
      await same();
      const rows = some(20);
      await Promise.all([disk.appendFlows(rows), memory.appendFlows(rows)]);
      await same();
    });

    test('more values than are remembered', async () => {
      const { flow } = ENTRIES[1] as FlowEntry;
      const rows = Array.from({ length: 6000 }, (_, i) => ({
        ...{ time: START, interface: 'eth0', ended: true },
        flow: { ...flow, 'flow.id': `many-${i}`, 'cli.port': 1000 + i, bytes: i },
      }));
      for (const part of [rows.slice(0, 4000), rows.slice(4000, 5990), rows.slice(5990)]) {
        await Promise.all([disk.appendFlows(part), memory.appendFlows(part)]);
        await same();
      }
    });
  });
}
