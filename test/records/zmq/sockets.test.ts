/** The reader against libzmq, in every role, and against peers that are none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { curveKeyPair, Publisher, type SocketOptions } from 'zeromq';
import { ZMQ_COUNTERS, type ZmqCounterName, zmqCounter } from '../../../src/records/zmq/counters.ts';
import { parseZmqEndpoints } from '../../../src/records/zmq/endpoint.ts';
import { hexForm, ownKeyPair } from '../../../src/records/zmq/keys.ts';
import { openZmqReader, type ZmqReader } from '../../../src/records/zmq/reader.ts';
import { NOTHING_AFTER } from '../../../src/records/zmq/status.ts';

const directory = mkdtempSync(join(tmpdir(), 'zmq-sockets-'));
after(() => rmSync(directory, { recursive: true }));

interface Open {
  readonly reader: ZmqReader;
  readonly messages: [header: string, payload: Buffer][];
  readonly notices: string[];
  /** Resolves when it holds; looked at whenever something comes. */
  until(holds: () => boolean): Promise<void>;
  count(name: ZmqCounterName): number;
  clock: number;
}

async function open(text: string): Promise<Open> {
  const counters = new Float64Array(ZMQ_COUNTERS.length);
  const messages: Open['messages'] = [];
  const notices: string[] = [];
  let wake = (): void => {};
  const open = {
    messages,
    notices,
    clock: 1e15,
    async until(holds: () => boolean) {
      while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
    },
    count: (name: ZmqCounterName) => counters[zmqCounter(name)],
  };
  const reader = await openZmqReader(
    {
      endpoints: parseZmqEndpoints(text),
      keyDirectory: directory,
      counters,
      now: () => open.clock,
      notice(notice) {
        notices.push(notice.text);
        wake();
      },
    },
    (_endpoint, header, payload) => {
      messages.push([Buffer.from(header).toString('latin1'), Buffer.from(payload)]);
      wake();
    },
  );
  return Object.assign(open, { reader });
}

/** Sends until something arrives: a publisher drops what it sends before the subscription has reached it. */
async function greet(publisher: Publisher, { messages }: Open): Promise<void> {
  const before = messages.length;
  while (messages.length === before) {
    await publisher.send(['greeting', '']);
    await turn();
  }
}

const payloads = Array.from({ length: 300 }, (_, i) => Buffer.alloc(i % 50 === 0 ? 1 << 20 : i % 7 === 0 ? 70_000 : i * 3, i));

/** All payloads come, whole and in order. */
async function exchange(publisher: Publisher, opened: Open): Promise<void> {
  await greet(publisher, opened);
  for (const payload of payloads) await publisher.send(['flow', payload]);
  await opened.until(() => opened.messages.filter(([header]) => header === 'flow').length === payloads.length);
  const flows = opened.messages.filter(([header]) => header === 'flow');
  for (const [i, payload] of payloads.entries()) assert.ok(payload.equals(flows[i][1]), `payload ${i}`);
}

async function bound(options: SocketOptions<Publisher> = {}, address = 'tcp://127.0.0.1:*'): Promise<[Publisher, string]> {
  const publisher = new Publisher({ sendHighWaterMark: 0, linger: 0, ...options });
  await publisher.bind(address);
  return [publisher, publisher.lastEndpoint as string];
}

function connected(address: string, options: SocketOptions<Publisher> = {}): Publisher {
  const publisher = new Publisher({ sendHighWaterMark: 0, linger: 0, ...options });
  publisher.connect(address);
  return publisher;
}

const own = (): SocketOptions<Publisher> => {
  const { publicKey: curvePublicKey, secretKey: curveSecretKey } = curveKeyPair();
  return { curveServerKey: ownKeyPair(directory).publicKey, curvePublicKey, curveSecretKey };
};

describe('probe and collector', () => {
  for (const [query, options] of [
    ['', () => ({})],
    ['?curve', own],
  ] as const) {
    const how = query === '' ? 'in clear text' : 'encrypted';
    test(`the probe listens, ${how}`, async () => {
      const [publisher, address] = await bound(options());
      const opened = await open(`${address}${query}`);
      await exchange(publisher, opened);
      assert.partialDeepStrictEqual(opened.reader.status()[0], {
        bind: false,
        encrypted: query !== '',
        peers: 1,
        connections: 1,
        problem: '',
      });
      await opened.reader.close();
      publisher.close();
    });

    test(`we listen, ${how}`, async () => {
      const opened = await open(`tcp://127.0.0.1:0c${query}`);
      const [{ address }] = opened.reader.status();
      const publisher = connected(`tcp://${address}`, options());
      await exchange(publisher, opened);
      assert.partialDeepStrictEqual(opened.reader.status()[0], { bind: true, peers: 1, problem: '' });
      publisher.close();
      await opened.reader.close();
    });

    test(`on a Unix socket, ${how}`, async () => {
      const path = join(directory, `probe${query.length}.sock`);
      const [publisher] = await bound(options(), `ipc://${path}`);
      const opened = await open(`ipc://${path}${query}`);
      await exchange(publisher, opened);
      await opened.reader.close();
      publisher.close();
    });
  }

  test('we listen on a Unix socket that a killed process left', async () => {
    const path = join(directory, 'left.sock');
    const left = createServer().listen(path);
    await once(left, 'listening');
    // closing would take the file away
    const script = `require('node:net').createServer().listen(${JSON.stringify(`${path}2`)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    assert.ok(existsSync(`${path}2`));
    const opened = await open(`ipc://${path}2c`);
    const publisher = connected(`ipc://${path}2`);
    await greet(publisher, opened);
    publisher.close();
    await opened.reader.close();
    await assert.rejects(open(`ipc://${path}c`), /cannot listen there/);
    left.close();
  });

  test('several endpoints are one stream', async () => {
    const [[one, first], [two, second]] = [await bound(), await bound(own())];
    const opened = await open(`${first},${second}?curve`);
    await greet(one, opened);
    await greet(two, opened);
    assert.equal(opened.count('zmq.connections'), 2);
    assert.deepEqual([...opened.reader.publicKeys().values()], [ownKeyPair(directory).publicKey]);
    await opened.reader.close();
    one.close();
    two.close();
  });

  test('a probe that goes away and comes back is found again', async () => {
    const [before, address] = await bound();
    const opened = await open(address);
    await greet(before, opened);
    await before.unbind(address);
    before.close();
    await opened.until(() => opened.reader.status()[0].peers === 0);
    const [again] = await bound({}, address);
    await greet(again, opened);
    assert.deepEqual([opened.reader.status()[0].connections, opened.count('zmq.connections')], [2, 2]);
    await opened.reader.close();
    again.close();
  });
});

describe('keys and their failures', () => {
  test("another secret key of the user's", async () => {
    const { publicKey, secretKey } = curveKeyPair();
    const keyFile = join(directory, 'users-key');
    writeFileSync(keyFile, hexForm(secretKey), { mode: 0o600 });
    const [publisher, address] = await bound({ ...own(), curveServerKey: publicKey });
    const opened = await open(`${address}?curve=${keyFile}`);
    await greet(publisher, opened);
    await opened.reader.close();
    publisher.close();
  });

  for (const [name, options] of [
    ['a probe with a wrong key', (): SocketOptions<Publisher> => ({ ...own(), curveServerKey: curveKeyPair().publicKey })],
    ['a probe without encryption', (): SocketOptions<Publisher> => ({})],
  ] as const) {
    test(`${name} is told of, with our public key`, async () => {
      const opened = await open('tcp://127.0.0.1:0c?curve');
      const publisher = connected(`tcp://${opened.reader.status()[0].address}`, options());
      await opened.until(() => opened.reader.status()[0].failures > 0);
      const [{ problem, peers, messages }] = opened.reader.status();
      assert.ok(problem.includes(ownKeyPair(directory).publicKey) && problem.includes(hexForm(ownKeyPair(directory).publicKey)), problem);
      assert.deepEqual([peers, messages], [0, 0]);
      assert.ok(opened.count('zmq.connections.failed') > 0);
      publisher.close();
      await opened.reader.close();
    });
  }

  test('a probe that encrypts to an endpoint in clear text', async () => {
    const [publisher, address] = await bound(own());
    const opened = await open(address);
    await opened.until(() => opened.reader.status()[0].failures > 0);
    assert.match(opened.reader.status()[0].problem, /the probe encrypts \(CURVE\)/);
    await opened.reader.close();
    publisher.close();
  });
});

describe('what goes wrong is said', () => {
  test('nothing arrives although the probe is connected', async () => {
    for (const [query, options, why] of [
      ['', {}, /does the probe export/],
      ['?curve', own(), /our public key/],
    ] as const) {
      const [publisher, address] = await bound(options);
      const opened = await open(`${address}${query}`);
      await opened.until(() => opened.reader.status()[0].peers === 1);
      assert.equal(opened.reader.status()[0].problem, '');
      opened.clock += NOTHING_AFTER;
      assert.match(opened.reader.status()[0].problem, why);
      await greet(publisher, opened);
      assert.equal(opened.reader.status()[0].problem, '');
      await opened.reader.close();
      publisher.close();
    }
  });

  test('nobody is there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const opened = await open(`tcp://127.0.0.1:${port}`);
    await opened.until(() => opened.notices.length > 0);
    assert.match(opened.reader.status()[0].problem, /cannot be reached .*ECONNREFUSED/);
    await opened.reader.close();
  });

  test('somebody is there who hangs up', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const opened = await open(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await opened.until(() => opened.count('zmq.connections.failed') > 0);
    assert.match(opened.reader.status()[0].problem, /ends the connection in the handshake/);
    await opened.reader.close();
    server.close();
  });

  test('another server is there', async () => {
    const server = createServer((socket) => socket.end('220 mail.example ready\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const opened = await open(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await opened.until(() => opened.count('zmq.connections.failed') > 0);
    assert.match(opened.reader.status()[0].problem, /does not speak ZMTP/);
    await opened.reader.close();
    server.close();
  });

  test('the port is taken', async () => {
    const [publisher, address] = await bound();
    await assert.rejects(open(`${address}c`), /cannot listen there.*EADDRINUSE/);
    await assert.rejects(open(`${address}c?curve`), /cannot listen there/);
    publisher.close();
  });

  test('a message of three frames', async () => {
    const [publisher, address] = await bound();
    const opened = await open(address);
    await greet(publisher, opened);
    await publisher.send(['flow', 'a', 'b']);
    await publisher.send(['flow', 'c']);
    await opened.until(() => opened.messages.at(-1)?.[0] === 'flow');
    assert.equal(opened.count('zmq.rejected.frames'), 1);
    await opened.reader.close();
    publisher.close();
  });
});
