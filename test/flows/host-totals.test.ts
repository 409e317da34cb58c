/** Hosts added up from flows: each once, the first of them in order, whatever threads and interfaces they came from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createHostAdder, HOST_ORDERS, type HostTotals, topHosts } from '../../src/flows/host-totals.ts';
import { createEventView } from '../../src/flows/view.ts';
import { event, NAMES } from '../support/events.ts';

interface Talk {
  readonly client: number;
  readonly server: number;
  readonly sent: number;
}

const hostOf = (n: number): string => (n < 20 ? `10.0.0.${n}` : `2001:db8::${n}`);

function added(talks: readonly Talk[]): HostTotals {
  const adder = createHostAdder();
  const view = createEventView(NAMES);
  for (const { client, server, sent } of talks) {
    // both ends of one address family
    view.set(event({ client: hostOf(client), server: hostOf((client < 20 ? 0 : 20) + (server % 20)), cli2srv: { lengths: [sent] } }), 0);
    adder.add(view);
  }
  return adder.take();
}

const talk = fc.record({
  client: fc.integer({ min: 0, max: 39 }),
  server: fc.integer({ min: 0, max: 39 }),
  sent: fc.integer({ min: 60, max: 64 }),
});

test('the first of several threads and interfaces are those of a sort of all', () => {
  const threads = fc.array(fc.array(talk, { maxLength: 30 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(threads, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...HOST_ORDERS),
      fc.boolean(),
      fc.integer({ min: 1, max: 20 }),
      (interfaces, order, descending, limit) => {
        const answers = interfaces.map((of) => of.map(added));
        const all = topHosts(answers, order, descending, 1000);
        assert.equal(all.hosts.length, all.total);
        const { hosts, total } = topHosts(answers, order, descending, limit);
        assert.deepEqual([hosts, total], [all.hosts.slice(0, limit), all.total]);
        for (const [answer, of] of interfaces.entries()) {
          const own = all.hosts.filter((host) => host.answer === answer);
          assert.equal(new Set(own.map(({ address }) => address)).size, own.length, 'each once');
          const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
          assert.equal(sum(own.map(({ sent }) => sent)), sum(of.flat().map(({ sent }) => sent)));
          assert.equal(sum(own.map(({ asClient }) => asClient)), of.flat().length);
        }
        const value = ({ sent, received, asClient, asServer, score, ipv6 }: (typeof hosts)[number]): number =>
          ({ bytes: sent + received, sent, received, flows: asClient + asServer, score, address: ipv6 })[order];
        const values = all.hosts.map(value);
        assert.deepEqual(
          values,
          values.toSorted((a, b) => (descending ? b - a : a - b)),
        );
      },
    ),
  );
});
