/** Lifecycle events go into their columns without becoming objects: what comes out is what their fields say. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { E_SEQ } from '../../src/flows/event.ts';
import { createEventView } from '../../src/flows/view.ts';
import { EMPTY_BOOK } from '../../src/hosts/book.ts';
import { createRecorder } from '../../src/server/recorder.ts';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import { flowsOf } from '../api/support.ts';
import { everything, idOf, rowOf } from './history-data.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-recorded-'));
after(() => rmSync(directory, { recursive: true }));

const CAPTURES = ['demo', 'ipv6', 'tls-1.1', 'http-dns', 'smtp-icmp-errors', 'ssh-icmp', 'quic', 'vlan-mpls', 'windows-network'];

for (const capture of CAPTURES) {
  test(`${capture}: every field of every flow, as events of one shape follow each other`, async () => {
    const { events, names } = flowsOf(`${capture}.pcap`);
    const history = await openDuckHistory({ directory: join(directory, capture), lingerMs: 0 });
    const recorder = createRecorder({ history, hosts: () => EMPTY_BOOK, failed: assert.fail });
    const wanted = new Map<string, unknown>();
    const view = createEventView(names, EMPTY_BOOK);
    const repeated = Array.from({ length: 3 }, () => events.map((event) => event.slice())).flat();
    for (const [i, event] of repeated.entries()) {
      new DataView(event.buffer).setFloat64(E_SEQ, i + 1, true);
      view.set(event, 0);
      wanted.set(view.flowId(), rowOf(view));
    }
    const bytes = Buffer.concat(repeated);
    const batch = new Uint8Array(bytes.length);
    batch.set(bytes);
    await recorder.take(batch, { interface: 'test', names, live: true });
    await recorder.flush();
    await history.flush();
    const { rows, total } = await history.flows(everything);
    assert.equal(total, wanted.size);
    for (const row of rows) assert.deepEqual(row.flow, wanted.get(idOf(row)));
    await history.close();
  });
}
