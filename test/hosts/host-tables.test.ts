/** Tables of a book of hosts that were read for another thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { openHostBook } from '../../src/hosts/host-book.ts';
import { createTableReading, type HostTables, readHostTables } from '../../src/hosts/host-tables.ts';
import { type LearnedName, packNames, unpackNames } from '../../src/hosts/names.ts';
import { address, mac } from '../support/packets.ts';

const SOURCES = { geoFiles: [], systemAddresses: [] };

/** What a book says of some hosts and cards, and the CPU that this took, µs. */
function ask(open: () => ReturnType<typeof openHostBook>): { answers: unknown[]; cpu: number } {
  const began = process.cpuUsage();
  const book = open();
  const answers: unknown[] = ['8.8.8.8', '1.1.1.1', '2001:4860:4860::8888', '9.255.255.255'].map((text) => {
    const { country, asn, asName } = book.facts(address(text), 0, text.includes(':'));
    return [country, asn, asName];
  });
  answers.push(...['00:00:0c:12:34:56', '10:00:20:00:00:01'].map((text) => book.vendor(mac(text), 0)));
  const { user, system } = process.cpuUsage(began);
  return { answers, cpu: user + system };
}

test('a book says the same by tables that another thread has read, and opens them in a fraction of the time', () => {
  const own = ask(() => openHostBook(SOURCES));
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(readHostTables(SOURCES));
  const given = ask(() => {
    const { message } = receiveMessageOnPort(port2) as { message: HostTables };
    return openHostBook({ ...SOURCES, tables: message });
  });
  port1.close();
  assert.deepEqual(given.answers, own.answers);
  assert.equal((own.answers[0] as unknown[])[1], 15169);
  assert.ok(given.cpu < own.cpu / 20, `${given.cpu} of ${own.cpu} µs`);
});

test('a thread reads them once, whoever asks', async () => {
  const read = createTableReading(
    SOURCES,
    (reason) => assert.fail(reason),
    keptAlive(new URL('../../src/hosts/tables-worker.ts', import.meta.url)),
  );
  const [one, other] = await Promise.all([read(), read()]);
  assert.ok(one !== undefined && one === other);
  assert.equal(one.geo.length, 4);
  assert.ok(one.geo.every(({ content }) => content !== undefined));
  assert.ok(one.vendors.prefixes.length > 10_000);
});

test('a thread that fails or ends without a word: told once, nobody waits for ever', async () => {
  for (const [code, reason] of [
    ['throw new Error("no memory")', 'no memory'],
    ['', 'its thread has ended'],
  ] as const) {
    const told: string[] = [];
    const read = createTableReading(SOURCES, (why) => told.push(why), keptAlive(code));
    assert.deepEqual(await Promise.all([read(), read()]), [undefined, undefined]);
    assert.deepEqual(told, [reason]);
  }
});

/** Starts a thread that the test waits for: it has nothing else to wait for. */
function keptAlive(code: string | URL): () => Worker {
  return () => {
    const worker = new Worker(code, { eval: typeof code === 'string', workerData: SOURCES });
    worker.unref = () => undefined;
    return worker;
  };
}

test('names come in parts that are whole, in their order', () => {
  for (const count of [0, 1, 128, 129, 1000]) {
    const names = Array.from(
      { length: count },
      (_, i): LearnedName => ({ address: `10.0.${i >> 8}.${i & 255}`, name: `h\xe4${i}`, source: 'dns' }),
    );
    const packed = packNames(names);
    const parts = Array.from(packed.ends, (_, part) => unpackNames(packed, part));
    assert.deepEqual(parts.flat(), names);
    assert.ok(parts.every(({ length }) => length <= 128));
  }
});
