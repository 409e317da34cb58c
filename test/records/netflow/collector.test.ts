import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openNetflowCollector } from '../../../src/records/netflow/collector.ts';
import { COLLECTOR_COUNTERS } from '../../../src/records/netflow/counters.ts';
import { createFraming } from '../../../src/records/netflow/framing.ts';
import { isNetflowUrl, parseNetflowUrl } from '../../../src/records/netflow/url.ts';
import { ipfix, set, template, v5 } from './support.ts';

const counter = (counters: Float64Array, name: string): number =>
  counters[COLLECTOR_COUNTERS.findIndex((one) => one.name === `netflow.${name}`)];

async function open(options: Partial<Parameters<typeof openNetflowCollector>[0]> = {}) {
  const counters = new Float64Array(COLLECTOR_COUNTERS.length);
  const lines: string[] = [];
  const received: { address: string; bytes: Buffer; arrival: number }[] = [];
  const collector = await openNetflowCollector(
    { address: '127.0.0.1', port: 0, counters, now: () => 42, log: (line) => lines.push(line), ...options },
    (address, _port, bytes, arrival) => received.push({ address, bytes: Buffer.from(bytes), arrival }),
  );
  return { collector, counters, lines, received };
}

const send = (socket: Socket, bytes: Buffer, port: number, address = '127.0.0.1'): Promise<void> =>
  new Promise((done, refuse) => socket.send(bytes, port, address, (error) => (error ? refuse(error) : done())));

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn();
};

describe('UDP', () => {
  test('datagrams with their exporter, on IPv4, IPv6 and both', async () => {
    for (const [address, family, to] of [
      ['127.0.0.1', 'udp4', '127.0.0.1'],
      ['::1', 'udp6', '::1'],
      ['::', 'udp4', '127.0.0.1'],
    ] as const) {
      const { collector, received } = await open({ address });
      const socket = createSocket(family);
      const message = v5([{}]);
      await send(socket, message, collector.port, to);
      await until(() => received.length > 0);
      assert.deepEqual(received, [{ address: to, bytes: message, arrival: 42 }]);
      socket.close();
      await collector.close();
    }
  });

  test('what the kernel drops is counted: sent = received + dropped', async () => {
    const { collector, counters, received } = await open({ buffer: 8192, transport: 'udp' });
    assert.ok(collector.receiveBuffer >= 8192);
    const socket = createSocket('udp4');
    const message = Buffer.alloc(1400);
    const sent = Array.from({ length: 500 }, () => send(socket, message, collector.port));
    await Promise.all(sent);
    await until(() => {
      collector.measure();
      return received.length + counter(counters, 'drops.kernel') >= sent.length;
    });
    assert.ok(counter(counters, 'drops.kernel') > 0);
    assert.equal(received.length + counter(counters, 'drops.kernel'), sent.length);
    socket.close();
    await collector.close();
  });

  test('a buffer that the kernel does not give is told of, with the setting to raise', async () => {
    const { collector, lines } = await open({ buffer: 2 ** 30, transport: 'udp' });
    assert.ok(collector.receiveBuffer > 0 && collector.receiveBuffer < 2 ** 30);
    assert.match(lines[0], /the kernel gives \d+ bytes.*net\.core\.rmem_max/);
    await collector.close();
  });

  test('a port in use and an address that is not ours say so', async () => {
    const { collector } = await open();
    await assert.rejects(
      open({ port: collector.port }),
      /cannot listen to UDP on 127\.0\.0\.1 port \d+: another program has the port.*ss -lunp/,
    );
    await assert.rejects(open({ port: collector.port, transport: 'tcp' }), /TCP.*another program has the port.*transport=udp/);
    await assert.rejects(open({ address: '192.0.2.77' }), /no interface of this machine has the address/);
    await collector.close();
  });
});

describe('TCP', () => {
  const message = ipfix([
    set(
      2,
      template(300, [
        [8, 4],
        [12, 4],
      ]),
    ),
  ]);

  test('messages however the stream is cut', async () => {
    const { collector, received, counters } = await open({ transport: 'tcp' });
    const connection = connect(collector.port, '127.0.0.1');
    const stream = Buffer.concat([message, message, message]);
    for (const [from, to] of [
      [0, 1],
      [1, 3],
      [3, message.length + 2],
      [message.length + 2, stream.length],
    ])
      connection.write(stream.subarray(from, to));
    await until(() => received.length === 3);
    assert.ok(received.every(({ bytes, address }) => bytes.equals(message) && address === '127.0.0.1'));
    connection.end(message.subarray(0, 9));
    await once(connection, 'close');
    await until(() => counter(counters, 'tcp.cut') === 1);
    await collector.close();
  });

  test('what is no IPFIX ends the connection', async () => {
    const { collector, received, counters, lines } = await open({ transport: 'tcp' });
    const connection = connect(collector.port, '127.0.0.1');
    connection.on('error', () => {});
    connection.write(Buffer.concat([message, Buffer.from('GET / HTTP/1.1\r\n')]));
    await once(connection, 'close');
    assert.deepEqual([received.length, counter(counters, 'tcp.framing')], [1, 1]);
    assert.match(lines.join(), /no IPFIX/);
    await collector.close();
  });

  test('connections beyond the limit are refused', async () => {
    const { collector, counters } = await open({ transport: 'tcp' });
    const connections = Array.from({ length: 65 }, () => connect(collector.port, '127.0.0.1').on('error', () => {}));
    await until(() => counter(counters, 'tcp.refused') === 1 && counter(counters, 'tcp.connections') === 64);
    for (const connection of connections) connection.destroy();
    await collector.close();
  });

  test('framing: any cut gives the same messages', () => {
    const stream = Buffer.concat([message, ipfix([]), message]);
    for (let size = 1; size < stream.length; size++) {
      const taken: Buffer[] = [];
      const framing = createFraming((bytes) => taken.push(Buffer.from(bytes)));
      for (let at = 0; at < stream.length; at += size) assert.ok(framing.push(stream.subarray(at, at + size)));
      assert.deepEqual(taken, [message, ipfix([]), message]);
      assert.equal(framing.pending(), 0);
    }
  });
});

describe('addresses', () => {
  const { address: _, ...defaults } = parseNetflowUrl('netflow://0.0.0.0:2055');
  const cases: [text: string, wanted: Partial<ReturnType<typeof parseNetflowUrl>>][] = [
    ['netflow://0.0.0.0:2055', { address: '0.0.0.0', port: 2055 }],
    ['netflow://[::]:9995', { address: '::', port: 9995 }],
    ['netflow://[2001:db8::1]', { address: '2001:db8::1', port: 2055 }],
    ['netflow://*:4739/', { address: '::', port: 4739 }],
    ['netflow://:4739', { address: '::', port: 4739 }],
    ['netflow://localhost', { address: '127.0.0.1' }],
    [
      'netflow://0.0.0.0?transport=udp&buffer=64m&sampling=1000&directions=ingress',
      { address: '0.0.0.0', transport: 'udp', buffer: 64 << 20, samplingRate: 1000, directions: 'ingress' },
    ],
  ];
  for (const [text, wanted] of cases) test(text, () => assert.deepEqual(parseNetflowUrl(text), { ...defaults, port: 2055, ...wanted }));

  for (const [text, message] of [
    ['netflow:0.0.0.0', /does not begin with netflow:\/\//],
    ['netflow://::1:2055', /not an address and a port|is no address|is no port/],
    ['netflow://example.net:2055', /"example\.net" is no address of this machine/],
    ['netflow://0.0.0.0:70000', /"70000" is no port/],
    ['netflow://0.0.0.0:', /is no port/],
    ['netflow://0.0.0.0:20x', /"20x" is no port/],
    ['netflow://[::', /not an address and a port|is no address|is no port/],
    ['netflow://[zz]:1', /is no address/],
    ['netflow://0.0.0.0?sampling=0', /sampling is a number from 1/],
    ['netflow://0.0.0.0?buffer=big', /buffer is a size/],
    ['netflow://0.0.0.0?transport=sctp', /transport is udp, tcp, both, not "sctp"/],
    ['netflow://0.0.0.0?rate=1', /unknown setting "rate"/],
  ] as const) {
    test(`${text} is refused`, () => assert.throws(() => parseNetflowUrl(text), message));
  }

  test('told from other interfaces', () => {
    assert.deepEqual(['netflow://x', 'eth0', 'tcp://x'].map(isNetflowUrl), [true, false, false]);
  });
});
