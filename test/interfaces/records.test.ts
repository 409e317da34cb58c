/** The interface thread of records as a patrol runs it: real sockets, real threads; and the time-outs of several probes. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { Publisher } from 'zeromq';
import { type Config, DEFAULT_CONFIG } from '../../src/config.ts';
import { createTimeouts } from '../../src/interfaces/records/timeouts.ts';
import { createPatrol } from '../../src/patrol.ts';
import type { InterfaceSnapshot, Log } from '../../src/patrol-types.ts';
import { type FieldOf, ip, set, template, u32, v9 } from '../records/netflow/support.ts';
import { header } from '../records/zmq/encode.ts';
import { ethernet, ipv4, udp } from '../support/packets.ts';
import { CONVERSATIONS, ipfixBiflow, netflow9, totals, zmqJson } from '../support/records/conversation.ts';
import { START_S } from '../support/records/play.ts';
import { counterSample, flowSample, genericCounters, rawHeader, sflow } from '../support/records/sflow.ts';

describe('time-outs of several probes', () => {
  const said = (source: string, activeTimeout?: number, idleTimeout?: number) => ({
    source,
    ...(activeTimeout === undefined ? {} : { activeTimeout }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  });
  test('the largest of each; the last event of a probe replaces the one before', () => {
    const timeouts = createTimeouts();
    assert.deepEqual(timeouts.current(0), { active: undefined, idle: undefined });
    timeouts.said(said('a', 120, 30), 0);
    timeouts.said(said('b', 60, 90), 0);
    assert.deepEqual(timeouts.current(0), { active: 120, idle: 90 });
    timeouts.said(said('a', 30), 1);
    assert.deepEqual(timeouts.current(1), { active: 60, idle: 90 });
    timeouts.said(said('b'), 1);
    assert.deepEqual(timeouts.current(1), { active: 30, idle: undefined });
  });
  test('a probe that was not heard of for half an hour counts no more', () => {
    const timeouts = createTimeouts();
    timeouts.said(said('a', 300, 30), 0);
    timeouts.said(said('b', 60, 10), 1000e6);
    assert.deepEqual(timeouts.current(1800e6), { active: 300, idle: 30 });
    assert.deepEqual(timeouts.current(1801e6), { active: 60, idle: 10 });
  });
  test('what is set counts always; zeros and impossible values do not', () => {
    const timeouts = createTimeouts({ active: 120, idle: 15 });
    timeouts.said(said('a', 0, Number.NaN), 0);
    assert.deepEqual(timeouts.current(0), { active: 120, idle: 15 });
    timeouts.said(said('a', 1800, 5), 0);
    assert.deepEqual(timeouts.current(0), { active: 1800, idle: 15 });
    timeouts.said(said('a', 1e12), 0);
    assert.deepEqual(timeouts.current(0), { active: 86_400, idle: 15 });
  });
});

const quiet = (lines: string[]): Log => {
  const take = (_: object, text: string): void => void lines.push(text);
  return { debug: take, info: take, warn: take, error: take };
};

/** Waits, without sleeping, until the snapshot of the first interface is as wanted: the thread tells its figures several times a second. */
async function until(snapshot: () => InterfaceSnapshot, wanted: (of: InterfaceSnapshot) => boolean): Promise<InterfaceSnapshot> {
  for (;;) {
    const of = snapshot();
    if (wanted(of)) return of;
    assert.notEqual(of.state, 'failed', of.error);
    await new Promise(setImmediate);
  }
}

/** A patrol of one interface on a port of the system's choice, until `use` is through. @returns the snapshot at its end */
async function withInterface(
  name: string,
  kind: 'netflow' | 'sflow' | 'zmq',
  use: (port: number, snapshot: () => InterfaceSnapshot) => Promise<void>,
  config: Partial<Config> = {},
): Promise<InterfaceSnapshot> {
  const lines: string[] = [];
  const patrol = createPatrol({ ...DEFAULT_CONFIG, ...config, interfaces: [name], scripts: false }, quiet(lines), () => kind);
  const snapshot = (): InterfaceSnapshot => patrol.snapshot().interfaces[0] ?? assert.fail('there is no interface');
  await patrol.start();
  await until(snapshot, ({ state }) => state === 'running');
  const port = Number(/(?:port |:)(\d+)/.exec(lines.find((line) => /collecting|listening/.test(line)) ?? '')?.[1]);
  try {
    await use(port, snapshot);
  } finally {
    await patrol.stop();
  }
  return snapshot();
}

async function sendUdp(port: number, datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const datagram of datagrams) await new Promise((done) => socket.send(datagram, port, '127.0.0.1', done));
  socket.close();
  await once(socket, 'close');
}

const old = -1000; // seconds before the start: records may be of any time

test('NetFlow by UDP and IPFIX by TCP: records, exporters, time-outs and counters are in the snapshot', async () => {
  const sum = CONVERSATIONS.reduce((total, of) => total + totals(of, 0).client.bytes + totals(of, 0).server.bytes, 0);
  const end = await withInterface('netflow://127.0.0.1:0', 'netflow', async (port, snapshot) => {
    await sendUdp(port, [netflow9(CONVERSATIONS, old, old + 5, 1), netflow9(CONVERSATIONS, old, old + 5, 4)]);
    const tcp = connect(port, '127.0.0.1');
    await once(tcp, 'connect');
    tcp.end(ipfixBiflow(CONVERSATIONS, old, old + 5, 0));
    const of = await until(snapshot, ({ counters, probes }) => counters.records === 23 && probes?.length === 2);
    assert.deepEqual(of.timeouts, { active: 120, idle: 15 });
    assert.ok(of.notApplicable?.includes('status_low_goodput'));
    assert.deepEqual(of.probes?.map(({ version, address }) => [version, address]).toSorted(), [
      ['IPFIX', '127.0.0.1'],
      ['NetFlow v9', '127.0.0.1'],
    ]);
  });
  assert.equal(end.state, 'ended');
  const { counters } = end;
  assert.deepEqual(
    [counters['netflow.v9'], counters['netflow.ipfix'], counters['netflow.sequence.lost'], counters['netflow.tcp.connections']],
    [2, 1, 2, 1],
  );
  assert.deepEqual(
    [counters['flows.created'], counters['flows.ended'], counters.bytes],
    [CONVERSATIONS.length, CONVERSATIONS.length, 3 * sum],
  );
  assert.equal(counters['zmq.messages'], undefined);
  assert.deepEqual(
    end.losses.map(({ name }) => name),
    ['netflow.sequence.lost'],
  );
});

test('templates outlive a restart where there is a data directory', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'templates-'));
  const name = 'netflow://127.0.0.1:0?transport=udp';
  const fields: FieldOf[] = [
    [8, 4],
    [12, 4],
    [1, 4],
  ];
  const record = Buffer.concat([ip('10.0.0.1'), ip('10.0.0.2'), u32(60)]);
  const first = withInterface(
    name,
    'netflow',
    async (port, snapshot) => {
      await sendUdp(port, [v9([set(0, template(300, fields))])]);
      await until(snapshot, ({ counters }) => counters['netflow.templates'] === 1);
    },
    { dataDirectory },
  );
  assert.equal((await first).counters.records, 0);
  const second = withInterface(
    name,
    'netflow',
    async (port, snapshot) => {
      await sendUdp(port, [v9([set(300, record)], { sequence: 1 })]);
      await until(snapshot, ({ counters }) => counters.records === 1);
    },
    { dataDirectory },
  );
  assert.equal((await second).counters['netflow.sets.waiting'], 0);
  rmSync(dataDirectory, { recursive: true });
});

test('sFlow: agents, scaled flows', async () => {
  const frame = ethernet({}, ipv4({ from: '10.0.0.1', to: '8.8.8.8' }, udp({ from: 40_000, to: 53 }, new Uint8Array(30))));
  const end = await withInterface('sflow://127.0.0.1:0', 'sflow', async (port, snapshot) => {
    await sendUdp(port, [sflow({}, [flowSample({ rate: 100 }, [rawHeader(frame)]), counterSample({}, [genericCounters({ index: 7 })])])]);
    await sendUdp(port, [Buffer.from('hello, this is no sFlow')]);
    await until(snapshot, ({ counters }) => counters['sflow.refused.version'] === 1);
    const of = await until(snapshot, ({ probes }) => probes?.[0]?.records === 1);
    assert.deepEqual(
      of.probes?.map(({ source, samplingRate }) => [source, samplingRate]),
      [['192.0.2.1', 100]],
    );
  });
  assert.deepEqual([end.counters['sflow.packets'], end.counters['flows.ended']], [100, 1]);
  assert.deepEqual(
    end.losses.map(({ name }) => name),
    ['sflow.refused.version'],
  );
  // what came beside flows, and what could not be read
  assert.deepEqual(
    end.collected?.interfaces.map(({ exporter, index, values }) => [exporter, index, values.ifOperStatus]),
    [['192.0.2.1', 7, 'Up']],
  );
  const [rejected] = end.collected?.rejected ?? [];
  assert.deepEqual([rejected?.reason, rejected?.length, rejected?.bytes.slice(0, 10)], ['sflow.refused.version', 23, '68656c6c6f']);
});

test('ZMQ: a probe connects to us; its time-outs hold from its event on', async () => {
  const probe = new Publisher();
  const end = await withInterface('tcp://127.0.0.1:0c', 'zmq', async (port, snapshot) => {
    assert.deepEqual(snapshot().timeouts?.active, undefined);
    probe.connect(`tcp://127.0.0.1:${port}`);
    const event = JSON.stringify({ time: START_S, timeout: { lifetime: 60, idle: 20 }, 'probe.ip': '203.0.113.7', bytes: 1, packets: 1 });
    // what is published before the connection is there is lost
    for (let id = 1; snapshot().counters['zmq.topics.event'] === 0; id++) {
      await probe.send([header(28, { topic: 'event', id, source: 7 }), event]);
      await new Promise(setImmediate);
    }
    const ports = { 'ip-addresses': ['10.0.0.9'], 'listening-ports': { tcp4: [{ port: 22, proc: 'sshd', pkg: 'openssh' }] } };
    await probe.send([header(28, { topic: 'listening-ports', id: 1e5, source: 7 }), JSON.stringify(ports)]);
    await probe.send([header(28, { topic: 'event', id: 1e5 + 1, source: 7 }), 'no JSON']);
    await probe.send([...zmqJson(CONVERSATIONS, old, 1e6)].map((part) => Buffer.from(part)));
    const of = await until(snapshot, ({ counters, timeouts }) => counters.records === CONVERSATIONS.length && timeouts?.active === 60);
    assert.deepEqual(of.timeouts, { active: 60, idle: 20 });
    assert.deepEqual(
      of.probes?.map(({ address, activeTimeout }) => [address, activeTimeout]),
      [['203.0.113.7', 60]],
    );
  });
  probe.close();
  assert.equal(end.counters['flows.ended'], CONVERSATIONS.length);
  assert.ok((end.counters['zmq.sequence.lost'] ?? 0) > 0, 'the gap up to the last message');
  const { listening = [], rejected = [], probes = [] } = end.collected ?? {};
  assert.deepEqual(listening, [{ address: '10.0.0.9', ports: [{ protocol: 6, port: 22, process: 'sshd', package: 'openssh' }] }]);
  assert.deepEqual(
    rejected.map(({ reason, bytes }) => [reason, Buffer.from(bytes, 'hex').toString()]),
    [['zmq.rejected.json', 'no JSON']],
  );
  assert.equal(probes[0]?.says['timeout.lifetime'], 60);
});

test('ZMQ: a message of very many records is taken whole, with visits between its records', async () => {
  const probe = new Publisher();
  const flows = Array.from({ length: 30_000 }, (_, i) => ({ 8: `10.0.${i >> 8}.${i & 255}`, 12: '192.0.2.1', 4: 17, 1: 60, 2: 1 }));
  const payload = deflateSync(JSON.stringify(flows));
  const end = await withInterface('tcp://127.0.0.1:0c', 'zmq', async (port, snapshot) => {
    probe.connect(`tcp://127.0.0.1:${port}`);
    for (let id = 1; snapshot().counters['zmq.topics.hello'] === 0; id++) {
      await probe.send([header(36, { topic: 'hello', id }), '{}']);
      await new Promise(setImmediate);
    }
    await probe.send([header(36, { id: 1e6, flags: 4 }), payload]);
    await until(snapshot, ({ counters }) => counters['zmq.topics.flow'] === 1);
  });
  probe.close();
  assert.deepEqual(
    [end.counters.records, end.counters['flows.created'], end.counters['flows.ended'], end.counters['zmq.rejected.inflated-size']],
    [flows.length, flows.length, flows.length, 0],
  );
});

test('an address that cannot be had fails the interface, and says what to do', async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const patrol = createPatrol({ ...DEFAULT_CONFIG, interfaces: [`sflow://127.0.0.1:${port}`], scripts: false }, quiet([]), () => 'sflow');
  await patrol.start();
  await patrol.done;
  const [of] = patrol.snapshot().interfaces;
  assert.equal(of?.state, 'failed');
  assert.match(of?.error ?? '', /another program has the port/);
  socket.close();
});
