/** Whole messages as probes send them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BASE, decoding, hexBytes, NOW, type Shown } from './decoding.ts';
import { header } from './encode.ts';
import { AGENT, COUNTER_JSON, LISTENING_PORTS, SNMP_INTERFACES, VECTORS } from './vectors.ts';

const play = (name: keyof typeof VECTORS) => {
  const decoded = decoding();
  const { header: head, payload } = VECTORS[name];
  decoded.send(payload, hexBytes(head));
  return decoded;
};

describe('flows', () => {
  const expectations: [keyof typeof VECTORS, Shown[]][] = [
    [
      'jsonNumbers',
      [
        {
          src: '192.0.2.10 51514',
          dst: '198.51.100.20 443',
          protocol: 6,
          vlan: 100,
          first: BASE,
          last: BASE + 9e6,
          inPackets: 12,
          inBytes: 2345,
          outPackets: 34,
          outBytes: 45678,
          srcTcpFlags: 27,
          dstTcpFlags: 27,
          master: 91,
          application: 126,
          clientLatency: 11250,
          serverLatency: 3500,
          inIndex: 3,
          outIndex: 5,
          exporter: '203.0.113.1',
          details: { host_server_name: 'www.example.com' },
          more: { '35632.59999': 'custom' },
        },
      ],
    ],
    [
      'jsonLabels',
      [
        {
          src: '192.0.2.11 40000',
          dst: '198.51.100.53 53',
          protocol: 17,
          first: BASE + 1e6,
          last: BASE + 1e6,
          inPackets: 1,
          inBytes: 74,
          outPackets: 1,
          outBytes: 170,
          master: 5,
          application: 126,
          details: { 'dns.query_type': '1', host_server_name: 'www.example.com' },
        },
        {
          src: '2001:0db8:0000:0000:0000:0000:0000:0010 51000',
          dst: '2001:0db8:0001:0000:0000:0000:0000:0020 80',
          ipVersion: 6,
          protocol: 6,
          first: BASE + 2e6,
          last: BASE + 3e6,
          inPackets: 6,
          inBytes: 900,
          outPackets: 7,
          outBytes: 5200,
          srcTcpFlags: 27,
          dstTcpFlags: 27,
          master: 0,
          application: 7,
          details: { 'http.url': '/index.html', 'http.return_code': '200', host_server_name: 'www.example.com' },
        },
      ],
    ],
    [
      'compressedAfterNul',
      [
        {
          src: '192.0.2.12 49152',
          dst: '198.51.100.21 22',
          protocol: 6,
          first: BASE + 4e6,
          last: BASE + 4e6,
          inPackets: 1,
          inBytes: 100,
          srcTcpFlags: 24,
          mergedFlags: true,
        },
      ],
    ],
    [
      'tlvNumbers',
      [
        {
          src: '192.0.2.10 51514',
          dst: '198.51.100.20 443',
          protocol: 6,
          first: BASE,
          last: BASE + 9e6,
          inPackets: 12,
          inBytes: 2345,
          outPackets: 2_500_000,
          outBytes: 3_000_000_000,
          srcTcpFlags: 27,
          mergedFlags: true,
          master: 91,
          application: 126,
          clientLatency: 11250,
          details: { host_server_name: 'www.example.com' },
        },
      ],
    ],
    [
      'tlvLabels',
      [
        { src: '192.0.2.1 0', dst: '192.0.2.2 0', protocol: 1, first: NOW, last: NOW, inPackets: 1, inBytes: 98 },
        { src: '192.0.2.3 0', dst: '192.0.2.4 0', protocol: 47, first: NOW, last: NOW, inPackets: 70_000, inBytes: 4_294_967_301 },
      ],
    ],
    ['versionOne', [{ src: '192.0.2.13 1234', dst: '192.0.2.14 80', protocol: 6, first: BASE, last: BASE, inPackets: 1, inBytes: 1 }]],
  ];
  for (const [name, records] of expectations) test(name, () => assert.deepEqual(play(name).records, records));

  test('sources and numbers of messages', () => {
    const [{ id }] = play('jsonNumbers').decoder.probes();
    assert.equal(id, 0x0a0b0c0d);
    assert.equal(play('jsonLabels').decoder.probes()[0].id, 7);
    const versionOne = play('versionOne');
    assert.equal(versionOne.decoder.probes()[0].id, 0);
    versionOne.send({}, header(24, { version: 1, id: 260 }));
    assert.equal(versionOne.count('zmq.sequence.lost'), 1, 'the vector has number 258');
  });
});

test('an event in zlib', () => {
  const { events, decoder } = play('event');
  assert.deepEqual(events, [
    {
      source: 'tcp://probe:5556 #168496141',
      activeTimeout: 120,
      idleTimeout: 60,
      clock: BASE + 10e6,
      name: 'constructed-probe-1',
      version: '10.8.0',
      address: '192.0.2.5',
      interfaceName: 'eth1',
      interfaceSpeed: 10_000,
      totals: {
        bytes: 123_456_789,
        packets: 234_567,
        packet_drops: 0,
        'drops.export_queue_full': 0,
        'drops.too_many_flows': 0,
        'drops.elk_flow_drops': 0,
        'drops.sflow_pkt_sample_drops': 0,
        'drops.flow_collection_drops': 2,
        'drops.flow_collection_udp_socket_drops': 1,
        'flow_collection.nf_ipfix_flows': 5000,
        'flow_collection.sflow_samples': 0,
        'zmq.num_flow_exports': 4998,
        'zmq.num_zmq_exporters': 1,
      },
    },
  ]);
  const [probe] = decoder.probes();
  assert.equal(probe.drift, NOW - BASE - 10e6);
  assert.equal(probe.said['timeout.collected_lifetime'], 60);
  assert.equal(probe.said['probe.edition'], 'Pro');
  assert.deepEqual(probe.exporters['203.0.113.1'].num_drops, 2);
});

test('an event with the flat keys of 2016', () => {
  const { events } = play('flatEvent');
  assert.deepEqual(events, [
    {
      source: 'tcp://probe:5556 #0',
      clock: BASE + 11e6,
      address: '192.0.2.6',
      interfaceName: 'eth0',
      interfaceSpeed: 1000,
      totals: { bytes: 1000, packets: 10 },
    },
  ]);
});

test('a template names fields', () => {
  const decoded = play('template');
  const flow = { '8': '192.0.2.1', '12': '192.0.2.2', MY_CUSTOM: 'a', CLIENT_NW_LATENCY_MS: 2 };
  assert.deepEqual(decoded.send(flow)[0].more, { MY_CUSTOM: 'a' });
  assert.deepEqual(decoded.send({ ...flow, MY_CUSTOM: '', '59999': 'b' })[0].more, { MY_CUSTOM: 'b' });
  assert.deepEqual(decoded.send({ ...flow, MY_CUSTOM: '', '35632.59999': 'c' })[0].more, { MY_CUSTOM: 'c' });
  assert.equal(decoded.count('zmq.fields.unknown'), 0);
});

test('an option names a value', () => {
  const decoded = play('option');
  const flow = { '8': '192.0.2.1', '12': '192.0.2.2' };
  assert.equal(decoded.send({ ...flow, '57590': 250 })[0].protocolName, 'my_app');
  assert.equal(decoded.send({ ...flow, L7_PROTO: '250' })[0].protocolName, 'my_app');
  const [{ application, protocolName }] = decoded.send({ ...flow, '57590': 91 });
  assert.deepEqual([application, protocolName], [91, undefined]);
});

test('counters of an interface, in TLV and in JSON', () => {
  const values = {
    samplesGenerated: 17,
    ifName: 'ge-0/0/3',
    ifType: 6,
    ifSpeed: 10_000_000_000,
    ifDirection: 'Full',
    ifAdminStatus: 'Up',
    ifOperStatus: 'Up',
    ifInOctets: 8_589_934_592,
    ifInPackets: 900_000,
    ifInErrors: 0,
    ifOutOctets: 777,
    ifOutPackets: 7,
    ifOutErrors: 0,
    ifPromiscuousMode: 2,
  };
  const tlv = play('counter');
  const json = decoding();
  json.send(COUNTER_JSON, header(28, { topic: 'counter' }));
  for (const { decoder } of [tlv, json]) {
    const [found] = decoder.exporters.interfaces();
    assert.deepEqual([found.exporter, found.index, found.name], ['203.0.113.1', 3, 'ge-0/0/3']);
    assert.deepEqual(Object.fromEntries(found.values), values);
  }
});

test('listening ports and names of interfaces', () => {
  const { send, decoder, counts } = decoding();
  send(LISTENING_PORTS, header(28, { topic: 'listening-ports' }));
  send(SNMP_INTERFACES, header(28, { topic: 'snmp-ifaces', id: 2 }));
  assert.deepEqual(decoder.exporters.ports().get('2001:db8::5'), [
    { protocol: 6, port: 22, process: 'sshd', package: 'openssh-server' },
    { protocol: 17, port: 53, process: 'named', package: 'bind9' },
  ]);
  assert.equal(decoder.exporters.interfaceName('203.0.113.1', 5), 'ge-0/0/5');
  assert.deepEqual(counts(), {});
});

test('a socket that an agent reports', () => {
  const [flow] = decoding().send(AGENT);
  assert.deepEqual(JSON.parse(String(flow.srcProcess)), {
    pid: 4242,
    uid: 1000,
    gid: 1000,
    actual_memory: 20480,
    peak_memory: 40960,
    name: 'app',
    user_name: 'app',
    father_pid: 1,
    father_uid: 0,
    father_gid: 0,
    father_name: 'init',
    father_user_name: 'root',
  });
  assert.deepEqual(JSON.parse(String(flow.srcContainer)), { id: '0123456789ab', 'docker.name': 'web' });
  assert.deepEqual(JSON.parse(String(flow.srcTcpInfo)), { rtt: 1.5, rtt_var: 0.25 });
  const { srcProcess: _process, srcContainer: _container, srcTcpInfo: _socket, ...rest } = flow;
  assert.deepEqual(rest, {
    src: '192.0.2.20 42000',
    dst: '198.51.100.30 5432',
    protocol: 6,
    absolute: true,
    first: BASE + 12.5e6,
    last: BASE + 12.5e6,
    inBytes: 1200,
    outBytes: 9000,
    inPackets: 12,
    outPackets: 10,
    srcRetransmitted: 1,
    more: { INTERFACE_NAME: 'eth0', TCP_EVENT_TYPE: 'CONNECT', TCP_CONN_STATE: 'ESTABLISHED' },
  });
});
