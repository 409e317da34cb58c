/** The best flows of many: the same as sorting them all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FilterError } from '../../src/filter/filter.ts';
import { fieldByKey } from '../../src/flows/fields.ts';
import { answerOf, mergeAnswers, selectEvents } from '../../src/flows/selection.ts';
import { createEventView } from '../../src/flows/view.ts';
import type { FlowQuery } from '../../src/patrol-types.ts';
import { type EventOf, event, NAMES } from '../support/events.ts';

const QUERY: FlowQuery = { filter: '', sort: 'bytes', descending: true, limit: 100 };

/** @returns the selection with all flows offered out of one buffer, as a ring has them */
function select(flows: readonly EventOf[], query: Partial<FlowQuery>) {
  const selection = selectEvents({ ...QUERY, ...query }, NAMES);
  const view = createEventView(NAMES);
  const all = flows.map((flow, index) => event({ seq: index + 1, ...flow }));
  const ring = new Uint8Array(new SharedArrayBuffer(all.reduce((sum, bytes) => sum + bytes.length, 0)));
  let at = 0;
  for (const bytes of all) {
    ring.set(bytes, at);
    view.set(ring, at);
    selection.offer(view);
    at += bytes.length;
  }
  ring.fill(0xff); // what is kept are copies
  return selection;
}

const read = (events: readonly Uint8Array[], key: string): unknown[] => {
  const view = createEventView(NAMES);
  return events.map((bytes) => {
    view.set(bytes, 0);
    return fieldByKey.get(key)?.read(view);
  });
};

const sorted = (flows: readonly EventOf[], key: string, query: Partial<FlowQuery> = {}): unknown[] =>
  read(select(flows, { sort: key, descending: false, ...query }).take(), key);

test('numbers: as a stable sort of all would have them', () => {
  const flows = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 });
  fc.assert(
    fc.property(flows, fc.integer({ min: 1, max: 30 }), fc.boolean(), (lengths, limit, descending) => {
      const all = lengths.map((length, index) => ({ length, seq: index + 1 }));
      const expected = all
        .toSorted((a, b) => (descending ? b.length - a.length : a.length - b.length) || a.seq - b.seq)
        .slice(0, limit)
        .map(({ seq }) => seq);
      const selection = select(
        lengths.map((length) => ({ cli2srv: { lengths: [length] } })),
        { limit, descending },
      );
      assert.deepEqual(read(selection.take(), 'hash_entry_id'), expected);
      const { matched, total } = selection.figures();
      assert.deepEqual([matched, total], [lengths.length, lengths.length]);
    }),
  );
});

test('addresses are sorted as addresses, IPv4 first', () => {
  const clients = ['10.0.0.10', '2001:db8::10', '9.255.0.1', '200.1.1.1', '2001:db8::9', '10.0.0.9', '2001:db8:0:1::', 'fe80::1'];
  const flows = clients.map((client) => ({ client, server: client }));
  const expected = ['9.255.0.1', '10.0.0.9', '10.0.0.10', '200.1.1.1', '2001:db8::9', '2001:db8::10', '2001:db8:0:1::', 'fe80::1'];
  assert.deepEqual(sorted(flows, 'cli.ip'), expected);
  assert.deepEqual(sorted(flows, 'srv.ip', { descending: true }), expected.toReversed());
});

test('texts beyond their first characters; what is missing or empty comes last either way', () => {
  const names = ['www.example.org', '', 'www.example.com', 'b', 'www.exam'];
  const flows: EventOf[] = [...names.map((name) => ({ application: 'HTTP', details: { host_server_name: name } })), {}];
  const up = ['b', 'www.exam', 'www.example.com', 'www.example.org'];
  assert.deepEqual(sorted(flows, 'host_server_name').slice(0, 4), up);
  assert.deepEqual(sorted(flows, 'host_server_name', { descending: true }).slice(0, 4), up.toReversed());
  // a TCP field that other flows do not have
  const latency = [{ l4: 17 }, { l4: 6 }, { l4: 17 }, { l4: 6 }];
  for (const descending of [true, false]) {
    assert.deepEqual(sorted(latency, 'cli2srv.lost', { descending }), [0, 0, undefined, undefined]);
    assert.deepEqual(sorted(latency, 'cli2srv.lost', { descending, limit: 3 }), [0, 0, undefined]);
  }
});

test('the filter decides what is counted; sums are of what matches', () => {
  const flows = [53, 443, 53].map((serverPort) => ({ serverPort, l4: 17, cli2srv: { lengths: [100, 50] }, srv2cli: { lengths: [1] } }));
  const answer = answerOf(select(flows, { filter: 'port == 53', limit: 1 }), NAMES);
  const { matched, total, packets, bytes, events } = answer;
  assert.deepEqual([matched, total, packets, bytes, events.length], [2, 3, 6, 302, 1]);
  assert.equal(answer.interface, NAMES.interfaceName);
  assert.throws(() => select([], { filter: 'prt == 53' }), FilterError);
  assert.throws(() => select([], { sort: 'tos' }), /cannot be sorted by tos/);
});

test('answers of several interfaces become one order', () => {
  const one = answerOf(select([{ cli2srv: { lengths: [10] } }, { cli2srv: { lengths: [30] } }], {}), NAMES);
  const two = answerOf(select([{ cli2srv: { lengths: [20] } }, { cli2srv: { lengths: [30] } }], {}), NAMES);
  const merged = mergeAnswers({ ...QUERY, limit: 3 }, [one, { ...two, interface: 'two' }]);
  assert.deepEqual(
    merged.map(({ answer, bytes }) => [answer.interface, read([bytes], 'bytes')[0]]),
    [
      [NAMES.interfaceName, 30],
      ['two', 30],
      ['two', 20],
    ],
  );
});
