/** Reverse DNS against a name server of the test's own, on a clock of the test's own. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, describe, test } from 'node:test';
import { createResolver, type Resolver, systemReverse } from '../../src/hosts/resolver.ts';

const NO_SUCH_NAME = 3;
/** Addresses that the server knows, by the name under which they are asked for. */
const NAMES: Readonly<Record<string, string>> = {
  '7.0.0.10.in-addr.arpa': 'printer.example.org',
  '8.0.0.10.in-addr.arpa': '10.0.0.8',
  '9.0.0.10.in-addr.arpa': 'a\x1bb.example.org',
  '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': 'six.example.org',
};

const wireName = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);

/** The answer to a question (RFC 1035, section 4): one PTR record, or no such name. */
function answerTo(question: Buffer): { name: string; answer: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] as number; length > 0; length = question[at] as number) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const name = labels.join('.').toLowerCase();
  const known = NAMES[name];
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(known === undefined ? 0x8180 | NO_SUCH_NAME : 0x8180, 2);
  header.writeUInt16BE(known === undefined ? 0 : 1, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10); // without the question's own additional records
  const parts = [header, question.subarray(12, at + 5)];
  if (known !== undefined) {
    const target = wireName(known);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name of the question
    record.writeUInt16BE(12, 2); // PTR
    record.writeUInt16BE(1, 4); // IN
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(target.length, 10);
    parts.push(record, target);
  }
  return { name, answer: Buffer.concat(parts) };
}

describe('against a name server', () => {
  const server = createSocket('udp4');
  const asked: string[] = [];
  let resolver: Resolver;
  let time = 0;

  before(async () => {
    server.on('message', (question, from) => {
      const { name, answer } = answerTo(question);
      asked.push(name);
      server.send(answer, from.port, from.address);
    });
    await new Promise<void>((done) => server.bind(0, '127.0.0.1', done));
    resolver = createResolver({ reverse: systemReverse([`127.0.0.1:${server.address().port}`]).reverse, now: () => time });
  });
  after(() => server.close());

  test('names, no names, and what is no proper name', async () => {
    for (const address of ['10.0.0.7', '10.0.0.8', '10.0.0.9', '10.0.0.10', '2001:db8::1', '10.0.0.7']) resolver.ask(address);
    assert.deepEqual(resolver.take(), [], 'nothing is known at once');
    await resolver.settled();
    assert.deepEqual(
      resolver.take().toSorted((a, b) => a.address.localeCompare(b.address)),
      [
        { address: '10.0.0.7', name: 'printer.example.org' },
        { address: '10.0.0.9', name: 'a\\027b.example.org' },
        { address: '2001:db8::1', name: 'six.example.org' },
      ],
    );
    assert.deepEqual(resolver.counters, { asked: 5, resolved: 3, failed: 2, dropped: 0 });
    assert.deepEqual(resolver.take(), [], 'taken once');
    assert.equal(asked.length, 5);
  });

  test('names are kept for an hour, failures for 5 minutes', async () => {
    const again = async (at: number, address: string): Promise<number> => {
      time = at;
      const before = resolver.counters.asked;
      resolver.ask(address);
      await resolver.settled();
      return resolver.counters.asked - before;
    };
    assert.equal(await again(299_999, '10.0.0.10'), 0);
    assert.equal(await again(300_000, '10.0.0.10'), 1);
    assert.equal(await again(3_599_999, '10.0.0.7'), 0);
    assert.equal(await again(3_600_000, '10.0.0.7'), 1);
    assert.deepEqual(resolver.take(), [{ address: '10.0.0.7', name: 'printer.example.org' }]);
  });
});

describe('limits', () => {
  test('questions under way, waiting and dropped', async () => {
    const open: ((names: string[]) => void)[] = [];
    const resolver = createResolver({
      reverse: () => new Promise((answer) => open.push(answer)),
      now: () => 0,
      concurrency: 2,
      queue: 3,
    });
    for (let i = 1; i <= 8; i++) resolver.ask(`10.0.0.${i}`);
    assert.equal(open.length, 2);
    assert.deepEqual(resolver.counters, { asked: 2, resolved: 0, failed: 0, dropped: 3 });
    const settled = resolver.settled();
    for (let i = 0; i < 5; i++) {
      (open[i] as (names: string[]) => void)([`host${i + 1}.`]);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    await settled;
    assert.deepEqual(
      resolver.take().map(({ name }) => name),
      ['host1', 'host2', 'host3', 'host4', 'host5'],
    );
    resolver.ask('10.0.0.8');
    assert.equal(open.length, 6, 'what was dropped can be asked again');
  });

  test('close: what waits is not asked', async () => {
    const open: ((names: string[]) => void)[] = [];
    const resolver = createResolver({ reverse: () => new Promise((answer) => open.push(answer)), now: () => 0, concurrency: 1 });
    resolver.ask('10.0.0.1');
    resolver.ask('10.0.0.2');
    resolver.close();
    (open[0] as (names: string[]) => void)([]);
    await resolver.settled();
    assert.deepEqual(resolver.counters, { asked: 1, resolved: 0, failed: 1, dropped: 0 });
  });
});
