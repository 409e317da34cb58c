/** Flow records become flows: identity, direction, counters, times, protocol, details. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createBatch, createScratch } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { ethernet, icmp, ipv4, ipv6, tcp, udp, vlan } from '../support/packets.ts';
import { createRecordPlay, type RecordPlayOptions, type RecordText } from '../support/records/play.ts';

const HTTPS: RecordText = {
  from: '10.0.0.1',
  to: '198.51.100.20',
  srcPort: 51514,
  dstPort: 443,
  first: 1,
  last: 4,
  inPackets: 12,
  inBytes: 2345,
  outPackets: 34,
  outBytes: 45678,
  srcTcpFlags: 0x1a,
  dstTcpFlags: 0x1a,
};

/** The records, one a second from second 5 on, and a visit: the fields of each flow. */
function flowsOf(records: readonly RecordText[], keys: readonly string[], options: RecordPlayOptions = {}): unknown[][] {
  const play = createRecordPlay(options);
  play.to(5);
  records.forEach((record, i) => {
    play.to(5 + i);
    play.take(record);
  });
  play.to(5 + records.length);
  play.engine.finish('shutdown');
  const flows = play.events
    .filter((event) => event.callbacks.includes('idle'))
    .map((event) => [event.flow, ...keys.map((key) => event.field(key))]);
  play.close();
  return flows;
}

test('a record is a flow: client, counters by direction, times, flags, VLAN, MAC addresses', () => {
  const keys = ['cli2srv.bytes', 'srv2cli.bytes', 'cli2srv.packets', 'srv2cli.packets', 'seen.first', 'seen.last', 'duration', 'vlan'];
  assert.deepEqual(flowsOf([{ ...HTTPS, vlan: 100 }], keys), [
    ['10.0.0.1:51514 > 198.51.100.20:443', 2345, 45678, 12, 34, 1_700_001_001, 1_700_001_004, 3, 100],
  ]);
  const more = ['cli2srv.tcp_flags', 'srv2cli.tcp_flags', 'tcp_established', 'cli.mac', 'srv.mac', 'tos', 'cli.network_id'];
  assert.deepEqual(
    flowsOf([{ ...HTTPS, srcMac: 0xaabbccddeeff, dstMac: 0x010203040506, srcTos: 0xb8, dstTos: 1 }], more).map(([, ...values]) => values),
    [[0x1a, 0x1a, true, 'AA:BB:CC:DD:EE:FF', '01:02:03:04:05:06', { client: { DSCP: 46, ECN: 0 }, server: { DSCP: 0, ECN: 1 } }, 0]],
  );
});

test('later records of the flow add up, whichever end they name first', () => {
  const back: RecordText = {
    ...HTTPS,
    from: HTTPS.to,
    to: HTTPS.from,
    srcPort: 443,
    dstPort: 51514,
    first: 4,
    last: 9,
    inBytes: 7,
    inPackets: 1,
    outBytes: 5,
    outPackets: 2,
    srcTcpFlags: 1,
    dstTcpFlags: 0x10,
  };
  const keys = [
    'cli2srv.bytes',
    'srv2cli.bytes',
    'cli2srv.packets',
    'srv2cli.packets',
    'duration',
    'cli2srv.tcp_flags',
    'srv2cli.tcp_flags',
  ];
  assert.deepEqual(flowsOf([HTTPS, back], keys), [['10.0.0.1:51514 > 198.51.100.20:443', 2350, 45685, 14, 35, 8, 0x1a, 0x1b]]);
});

test('another VLAN, protocol or port is another flow', () => {
  const records = [HTTPS, { ...HTTPS, vlan: 5 }, { ...HTTPS, protocol: 17 }, { ...HTTPS, srcPort: 51515 }];
  assert.equal(flowsOf(records, []).length, 4);
});

test('ports of protocols that have none do not count; ICMP has its type where NetFlow has it', () => {
  const ping: RecordText = { ...HTTPS, protocol: 1, srcPort: 0, dstPort: 0x0800 };
  assert.deepEqual(flowsOf([ping, { ...ping, dstPort: 0x0303 }], ['icmp', 'packets']), [
    ['10.0.0.1:0 > 198.51.100.20:0', { type: 3, code: 3 }, 92],
  ]);
});

test('IPv6, in both orders', () => {
  const six: RecordText = { ...HTTPS, from: 'fd00::1', to: '2001:db8::20' };
  const back: RecordText = { ...six, from: six.to, to: six.from, srcPort: 443, dstPort: 51514 };
  assert.deepEqual(flowsOf([six, back], ['bytes', 'cli.network_id']), [['fd00::1:51514 > 2001:db8::20:443', 2 * (2345 + 45678), 2]]);
});

describe('who is the client', () => {
  const client = (record: RecordText, options?: RecordPlayOptions): string =>
    String(flowsOf([record], [], options)[0]?.[0]).split(' ')[0] ?? '';
  const reply: RecordText = { ...HTTPS, from: HTTPS.to, to: HTTPS.from, srcPort: 443, dstPort: 51514 };
  const only: RecordText = { ...reply, outPackets: 0, outBytes: 0, dstTcpFlags: 0 };
  test('the source of a record of both directions, if it sent a SYN', () => assert.equal(client(reply), '198.51.100.20:443'));
  test('else the end with the higher port', () => assert.equal(client({ ...reply, srcTcpFlags: 0x18 }), '10.0.0.1:51514'));
  test('never by ports over UDP', () => assert.equal(client({ ...reply, protocol: 17 }), '198.51.100.20:443'));
  test('never by ports when the exporter says who began', () =>
    assert.equal(client({ ...reply, srcTcpFlags: 0x18, directed: true }), '198.51.100.20:443'));
  test('never by ports to a group', () => assert.equal(client({ ...reply, protocol: 132, to: '224.0.0.5' }), '198.51.100.20:443'));
  test('records of one direction: the end with the higher port, whatever flags and protocol', () => {
    assert.equal(client(only, { oneWay: true }), '10.0.0.1:51514');
    assert.equal(client({ ...only, protocol: 17 }, { oneWay: true }), '10.0.0.1:51514');
  });
  test('records of one direction: who sent only a SYN', () =>
    assert.equal(client({ ...only, srcTcpFlags: 2 }, { oneWay: true }), '198.51.100.20:443'));
  test('records of both directions of exporters that put any end first: a SYN without an answer, else the end with the higher port', () => {
    for (const protocol of [6, 17]) assert.equal(client({ ...reply, protocol }, { oneWay: true }), '10.0.0.1:51514');
    assert.equal(client({ ...reply, srcTcpFlags: 0x12, dstTcpFlags: 0x14 }, { oneWay: true }), '198.51.100.20:443');
    assert.equal(client({ ...reply, directed: true }, { oneWay: true }), '198.51.100.20:443');
  });
  test('records of one direction: the answer to a ping was sent by the server', () => {
    const pong: RecordText = { ...only, protocol: 1, srcPort: 0, dstPort: 0, icmpType: 0, icmpCode: 0 };
    assert.equal(client(pong, { oneWay: true }), '10.0.0.1:0');
    assert.equal(client({ ...pong, icmpType: 8 }, { oneWay: true }), '198.51.100.20:0');
  });
  test('what is exchanged: counters, MAC addresses, latencies', () => {
    const swapped: RecordText = {
      ...reply,
      srcTcpFlags: 0x18,
      srcMac: 1,
      dstMac: 2,
      clientLatency: 1000,
      serverLatency: 3000,
      applicationLatency: 5000,
      srcRetransmitted: 7,
    };
    const keys = [
      'cli2srv.bytes',
      'cli.mac',
      'tcp.nw_latency.client',
      'tcp.nw_latency.server',
      'tcp.appl_latency',
      'srv2cli.retransmissions',
    ];
    assert.deepEqual(flowsOf([swapped], keys)[0]?.slice(1), [45678, '00:00:00:00:00:02', 3, 1, 0, 7]);
  });
});

test('the sampling rate scales bytes, packets and problems', () => {
  const keys = ['cli2srv.bytes', 'srv2cli.packets', 'cli2srv.lost'];
  assert.deepEqual(flowsOf([{ ...HTTPS, samplingRate: 1000, srcLost: 2 }], keys)[0]?.slice(1), [2_345_000, 34_000, 2000]);
});

test('counters beyond 32 bits: bytes go on, packets stay at the highest number', () => {
  const keys = ['cli2srv.bytes', 'cli2srv.packets'];
  assert.deepEqual(flowsOf([{ ...HTTPS, inBytes: 2 ** 40, inPackets: 2 ** 33 }, HTTPS], keys)[0]?.slice(1), [2 ** 40 + 2345, 2 ** 32 - 1]);
});

test('counters from the start of the flow on: what is new is added, what comes late is not, zero says nothing', () => {
  const keys = ['cli2srv.bytes', 'srv2cli.bytes', 'cli2srv.packets', 'cli2srv.retransmissions'];
  const record: RecordText = { ...HTTPS, absolute: true, inBytes: 1000, inPackets: 10, outBytes: 500, srcRetransmitted: 3 };
  const later: RecordText = { ...record, inBytes: 1500, inPackets: 12, outBytes: 0, outPackets: 0, srcRetransmitted: 4 };
  assert.deepEqual(flowsOf([record, later, record], keys)[0]?.slice(1), [1500, 500, 12, 4]);
});

test('fragments, windows, the ICMP message', () => {
  const record: RecordText = {
    ...HTTPS,
    srcFragments: 2,
    dstFragments: 1,
    srcWindow: 100,
    dstWindow: 1000,
    clientLatency: 1e6,
    serverLatency: 1e6,
  };
  const keys = ['cli2srv.fragments', 'srv2cli.fragments', 'tcp.max_thpt.cli2srv', 'tcp.max_thpt.srv2cli'];
  assert.deepEqual(flowsOf([record, { ...record, srcWindow: 50 }], keys)[0]?.slice(1), [4, 2, 2000, 200]);
  assert.deepEqual(flowsOf([{ ...HTTPS, protocol: 58, icmpType: 128, icmpCode: 0 }], ['icmp'])[0]?.slice(1), [{ type: 128, code: 0 }]);
});

test('latencies of the record', () => {
  const keys = ['tcp.nw_latency.client', 'tcp.nw_latency.server', 'tcp.appl_latency'];
  const measured = { clientLatency: 11_250, serverLatency: 3500, applicationLatency: 1860 };
  assert.deepEqual(flowsOf([{ ...HTTPS, ...measured }], keys)[0]?.slice(1), [11.25, 3.5, 1.86]);
  assert.deepEqual(flowsOf([{ ...HTTPS, clientLatency: 500 }], keys)[0]?.slice(1), [0.5, 0, 0]);
});

test('what records cannot tell is empty: payload, time between packets', () => {
  assert.deepEqual(flowsOf([HTTPS], ['goodput_bytes', 'cli2srv.pkt_len.min', 'cli2srv.pkt_len.avg', 'interarrival.cli2srv'])[0]?.slice(1), [
    0,
    0,
    0,
    undefined,
  ]);
});

describe('times', () => {
  const seen = (record: RecordText): unknown[] => {
    const [flow] = flowsOf([record], ['seen.first', 'seen.last']);
    return (flow ?? []).slice(1).map((time) => (time as number) - 1_700_001_000);
  };
  test('are taken as they are, also old ones', () =>
    assert.deepEqual(seen({ ...HTTPS, first: -90_000, last: -80_000 }), [-90_000, -80_000]));
  test('over a minute ahead of our clock are clamped to it', () => assert.deepEqual(seen({ ...HTTPS, first: 3, last: 70 }), [3, 5]));
  test('up to a minute ahead are let through', () => assert.deepEqual(seen({ ...HTTPS, first: 3, last: 60 }), [3, 60]));
  test('of a device without a clock are those of reception', () => {
    const { first: _first, last: _last, ...untimed } = HTTPS;
    assert.deepEqual(seen(untimed), [5, 5]);
  });
  test('a first after the last is the last', () => assert.deepEqual(seen({ ...HTTPS, first: 5, last: 4 }), [4, 4]));
  test('a record without bytes does not move the last', () => {
    const empty = { ...HTTPS, inBytes: 0, outBytes: 0, last: 5, first: 5 };
    assert.deepEqual(flowsOf([HTTPS, empty], ['duration'])[0]?.slice(1), [3]);
  });
  test('are counted where they are wrong', () => {
    const play = createRecordPlay();
    play.take({ ...HTTPS, last: 1000 });
    play.take({ ...HTTPS, first: 0, last: -1_700_001_000 });
    assert.deepEqual([play.counter('records'), play.counter('records.ahead'), play.counter('records.untimed')], [2, 1, 1]);
    play.close();
  });
});

describe('the protocol', () => {
  const KEYS = ['proto.ndpi', 'proto.ndpi_id', 'proto.ndpi_confidence'];
  const protocol = (record: Partial<RecordText>): unknown[] => (flowsOf([{ ...HTTPS, ...record }], KEYS)[0] ?? []).slice(1);
  test('by the ids of the probe', () => {
    assert.deepEqual(protocol({ master: 91, application: 126 }), ['TLS.Google', 126, 'DPI']);
    assert.deepEqual(protocol({ application: 7 }), ['HTTP', 7, 'DPI']);
  });
  test('by name, in any case', () => {
    assert.deepEqual(protocol({ protocolName: 'DNS.Google' }), ['DNS.Google', 126, 'DPI']);
    assert.deepEqual(protocol({ protocolName: 'ssh' }), ['SSH', 92, 'DPI']);
  });
  test('guessed from ports, and from addresses', () => {
    assert.deepEqual(protocol({}), ['TLS', 91, 'Match by port']);
    assert.deepEqual(protocol({ to: '8.8.8.8' }), ['TLS.Google', 126, 'Match by IP']);
    assert.deepEqual(protocol({ protocol: 17, dstPort: 53 }), ['DNS', 5, 'Match by port']);
    assert.deepEqual(protocol({ protocol: 47 }).slice(0, 1), ['GRE']);
    assert.deepEqual(protocol({ from: 'fd00::1', to: '2001:db8::1', dstPort: 22 }).slice(0, 1), ['SSH']);
    assert.deepEqual(protocol({ dstPort: 9 }), ['Unknown', 0, 'Unknown']);
  });
  test('a name that nDPI does not have is kept', () => {
    const play = createRecordPlay();
    play.take({ ...HTTPS, protocolName: 'secure-erp' });
    play.to(5);
    assert.equal(play.events[0]?.field('proto.ndpi'), 'secure-erp');
    play.close();
  });
  test('of the first record stays, a guess does not', () => {
    const after = (first: Partial<RecordText>, second: Partial<RecordText>): unknown =>
      flowsOf(
        [
          { ...HTTPS, ...first },
          { ...HTTPS, ...second },
        ],
        ['proto.ndpi'],
      )[0]?.[1];
    assert.equal(after({ application: 7 }, { application: 92 }), 'HTTP');
    assert.equal(after({}, { application: 92 }), 'SSH');
  });
  test('its category and breed are those of nDPI, unless the probe says another category', () => {
    const keys = ['proto.ndpi_cat', 'proto.ndpi_breed'];
    assert.deepEqual(flowsOf([{ ...HTTPS, application: 92 }], keys)[0]?.slice(1), ['RemoteAccess', 'Acceptable']);
    assert.deepEqual(flowsOf([{ ...HTTPS, application: 92, category: 5 }], keys)[0]?.slice(1), ['Web', 'Acceptable']);
  });
  test('without nDPI there are only its numbers', () => {
    assert.deepEqual(flowsOf([{ ...HTTPS, application: 92 }], ['proto.ndpi'], { dpi: false })[0]?.slice(1), ['92']);
  });
});

describe('details', () => {
  const dns: RecordText = { ...HTTPS, protocol: 17, dstPort: 53, application: 5 };
  const KEYS = ['protos.dns.last_query', 'protos.dns.last_query_type', 'protos.dns.last_return_code'];
  test('texts and numbers', () => {
    const details = { host_server_name: 'www.example.com', 'dns.query_type': '28', 'dns.reply_code': '3' };
    assert.deepEqual(flowsOf([{ ...dns, details }], KEYS)[0]?.slice(1), ['www.example.com', 28, 3]);
  });
  test('later records add and replace, and nothing empties', () => {
    const first = { ...dns, details: { host_server_name: 'a.example', 'dns.query_type': '1' } };
    const second = { ...dns, details: { host_server_name: '', 'dns.query_type': '28', 'dns.reply_code': '2' } };
    assert.deepEqual(flowsOf([first, second], KEYS)[0]?.slice(1), ['a.example', 28, 2]);
  });
  test('what nobody knows is one JSON object, of all records', () => {
    const play = createRecordPlay();
    play.take({ ...dns, more: { '35632.59999': 'cu"stom', NEXT_HOP: 7 }, details: { 'no.such.detail': 'x' }, exporter: '203.0.113.1:7' });
    play.take({ ...dns, more: { NEXT_HOP: 8, '57979': 'y' }, inIndex: 4 });
    play.to(5);
    assert.deepEqual(JSON.parse(play.events[0]?.field('moreinfo.json') as string), {
      '35632.59999': 'cu"stom',
      NEXT_HOP: 8,
      'no.such.detail': 'x',
      '57979': 'y',
    });
    assert.equal(play.events[0]?.field('exporter'), '203.0.113.1:7');
    play.close();
  });
  test('interfaces of the exporter, as the client sees them', () => {
    const play = createRecordPlay();
    play.take({ ...dns, inIndex: 3, outIndex: 5 });
    play.take({ ...HTTPS, from: HTTPS.to, to: HTTPS.from, srcPort: 443, dstPort: 51514, srcTcpFlags: 0x10, inIndex: 3, outIndex: 5 });
    play.to(5);
    assert.deepEqual(
      play.events.map(({ view }) => [view.number('in_index'), view.number('out_index')]),
      [
        [3, 5],
        [5, 3],
      ],
    );
    play.close();
  });
  test('autonomous systems and the VRF, as the client sees them; the exporter by its number', () => {
    const keys = ['src_as', 'dst_as', 'prev_adjacent_as', 'next_adjacent_as', 'vrfId', 'device_id'];
    const routed = { srcAs: 64_500, dstAs: 4_200_000_001, previousAs: 64_501, nextAs: 64_502, vrf: 7 };
    const back: RecordText = { ...HTTPS, from: HTTPS.to, to: HTTPS.from, srcPort: 443, dstPort: 51514, srcTcpFlags: 0x10 };
    const of = (record: RecordText): unknown[] => {
      const play = createRecordPlay();
      play.take(record);
      play.to(5);
      const found = keys.map((key) => play.events[0]?.field(key));
      play.close();
      return found;
    };
    assert.deepEqual(of({ ...dns, ...routed, exporter: '203.0.113.1' }), [64_500, 4_200_000_001, 64_501, 64_502, 7, 0xcb007101]);
    assert.deepEqual(of({ ...back, ...routed, exporter: '203.0.113.1:7' }), [4_200_000_001, 64_500, 64_502, 64_501, 7, 0xcb007101]);
    assert.deepEqual(of({ ...dns, exporter: '2001:db8::1' }), [undefined, undefined, undefined, undefined, undefined, undefined]);
  });
  test('what agents say of the ends', () => {
    const play = createRecordPlay();
    play.take({ ...HTTPS, srcProcess: '{"pid":1}' });
    const back: RecordText = { ...HTTPS, from: HTTPS.to, to: HTTPS.from, srcPort: 443, dstPort: 51514 };
    play.take({ ...back, srcProcess: '{"pid":2}', dstContainer: '{"id":"c"}' });
    play.to(5);
    const view = play.events[0]?.view;
    const texts = ['client_process', 'server_process', 'client_container', 'server_container'] as const;
    assert.deepEqual(
      texts.map((name) => view?.text(name)),
      ['{"pid":1}', '{"pid":2}', '{"id":"c"}', undefined],
    );
    play.close();
  });
  test('bytes that are no UTF-8 and more than a block takes are no crash; what is left out is counted', () => {
    const play = createRecordPlay();
    play.take({ ...dns, details: { host_server_name: '\xff\xfe\x00', 'http.user_agent': 'x'.repeat(70_000) }, more: { a: '\xff"' } });
    play.to(5);
    assert.equal(play.events[0]?.view.text('host_server_name'), '\xff\xfe\x00');
    assert.equal(play.events[0]?.view.text('moreinfo'), '{"a":"\xff\\""}');
    assert.equal(play.counter('details.dropped'), 1);
    play.close();
  });
});

test('a packet of the conversation finds the flow of its record: alerts of an intrusion detection system do', () => {
  const play = createRecordPlay({ seed: 77 });
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, play.counters.subarray(DECODE_COUNTERS_START), 77);
  const batch = createBatch(1);
  const scratch = createScratch();
  const find = (bytes: Uint8Array): boolean => {
    batch.bytes.set(bytes);
    batch.frames.set([0, bytes.length, bytes.length]);
    batch.times[0] = play.engine.clock();
    batch.count = 1;
    decoder.decode(batch, 0, scratch);
    return play.engine.report(scratch, batch.bytes, 0, '{"id":1}', true);
  };
  const ports = { from: 50_000, to: 443 };
  const there = [
    ethernet({}, ipv4({ from: '10.0.0.1', to: '198.51.100.20' }, tcp(ports))),
    ethernet({}, vlan({ id: 7 }, ipv4({ from: '198.51.100.20', to: '10.0.0.1' }, udp({ from: 443, to: 50_000 })))),
    ethernet({}, ipv6({ from: 'fd00::1', to: '2001:db8::20' }, tcp(ports))),
    ethernet({}, ipv6({ from: '2001:db8::20', to: 'fd00::1' }, udp({ from: 443, to: 50_000 }))),
    ethernet({}, ipv4({ from: '10.0.0.1', to: '198.51.100.20' }, icmp({}))),
  ];
  assert.deepEqual(
    there.map(find),
    there.map(() => false),
  );
  const record: RecordText = { ...HTTPS, srcPort: 50_000 };
  const six = { ...record, from: 'fd00::1', to: '2001:db8::20' };
  for (const text of [record, { ...record, protocol: 17, vlan: 7 }, six, { ...six, protocol: 17 }, { ...record, protocol: 1 }])
    play.take(text);
  assert.deepEqual(
    there.map(find),
    there.map(() => true),
  );
  play.to(5);
  assert.ok(play.events.every((event) => ((event.field('status_map') as number) & (1 << 21)) !== 0));
  assert.equal(play.events.length, there.length);
  play.close();
});

test('records without addresses are refused and counted', () => {
  const play = createRecordPlay();
  play.take({ ...HTTPS, from: '0.0.0.0', to: '0.0.0.0' });
  play.take({ ...HTTPS, from: '::', to: '::' });
  play.take({ ...HTTPS, from: '0.0.0.0', to: '255.255.255.255' });
  assert.deepEqual([play.counter('records.refused'), play.counter('records'), play.counter('flows.created')], [2, 1, 1]);
  play.close();
});

test('totals are those of the records, whatever directions, order and seed', () => {
  const one = fc.record({
    client: fc.integer({ min: 1, max: 3 }),
    server: fc.integer({ min: 1, max: 3 }),
    six: fc.boolean(),
    srcPort: fc.constantFrom(22, 50_000, 50_001),
    dstPort: fc.constantFrom(22, 443, 50_000),
    protocol: fc.constantFrom(1, 6, 17, 47, 58),
    turned: fc.boolean(),
    flags: fc.constantFrom(0, 2, 0x12, 0x18, 4),
    inBytes: fc.nat(1000),
    outBytes: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), fc.integer(), fc.boolean(), (list, seed, oneWay) => {
      const records = list.map(({ client, server, six, turned, flags, ...of }): RecordText => {
        const ends = six ? [`2001:db8::${client}`, `fd00::${server}`] : [`192.0.2.${client}`, `10.0.0.${server}`];
        const [from, to] = (turned ? ends.toReversed() : ends) as [string, string];
        const [srcPort, dstPort] = turned ? [of.dstPort, of.srcPort] : [of.srcPort, of.dstPort];
        return { ...of, from, to, srcPort, dstPort, srcTcpFlags: flags, inPackets: 1, outPackets: 1, first: 1, last: 2 };
      });
      const flows = flowsOf(records, ['bytes', 'packets', 'cli.ip', 'srv.ip'], { seed, oneWay, dpi: false });
      const sum = (at: number): number => flows.reduce((total, flow) => total + (flow[at] as number), 0);
      assert.equal(
        sum(1),
        records.reduce((total, { inBytes = 0, outBytes = 0 }) => total + inBytes + outBytes, 0),
      );
      assert.equal(sum(2), 2 * records.length);
      const keys = new Set(
        records.map(({ from, to, srcPort, dstPort, protocol = 0 }) => {
          const hasPorts = protocol === 6 || protocol === 17;
          return [protocol, ...[`${from} ${hasPorts ? srcPort : 0}`, `${to} ${hasPorts ? dstPort : 0}`].sort()].join();
        }),
      );
      assert.equal(flows.length, keys.size);
    }),
    { numRuns: 60 },
  );
});
