/** sFlow datagrams become flows of packets, scaled up; tshark reads the same datagrams as we do. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { namesOf } from '../../../src/dpi/names.ts';
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../../../src/flows/counters.ts';
import { createFlowEngine } from '../../../src/flows/engine.ts';
import { fieldByKey } from '../../../src/flows/fields.ts';
import { DEFAULT_POLICY } from '../../../src/flows/policy.ts';
import { createEventView, type EventView } from '../../../src/flows/view.ts';
import { createPrefixSet } from '../../../src/hosts/prefixes.ts';
import { native } from '../../../src/native.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../../src/packet/decode.ts';
import { SFLOW_COUNTERS, type SflowCounterName, sflowCounter } from '../../../src/records/sflow/counters.ts';
import { createSflowDecoder, type SflowDecoder } from '../../../src/records/sflow/decoder.ts';
import { createSamplePackets } from '../../../src/records/sflow/packets.ts';
import { parseSflowUrl } from '../../../src/records/sflow/url.ts';
import { ACK, ethernet, FIN, ipv4, ipv6, PSH, pcapFile, SYN, tcp, udp, vlan } from '../../support/packets.ts';
import {
  counterSample,
  discardSample,
  ethernetFields,
  flowSample,
  genericCounters,
  ipFields,
  rawHeader,
  routerFields,
  sflow,
  switchFields,
  unknownSample,
} from '../../support/records/sflow.ts';

const START_US = 1_700_001_000e6;

interface Play {
  readonly decoder: SflowDecoder;
  readonly flows: { at: number; callbacks: readonly string[]; view: EventView; field: (key: string) => unknown }[];
  /** A datagram at a second after the start. */
  send(at: number, datagram: Uint8Array): void;
  to(at: number): void;
  count(name: SflowCounterName): number;
  counter(name: string): number;
  close(): void;
}

/** sFlow through the packet decoder, the engine and nDPI, on a clock of our own. */
function play(maxFlows = 1000): Play {
  const dpi = native.dpiCreate(maxFlows);
  const localNetworks = createPrefixSet();
  localNetworks.add('10.0.0.0/8');
  const own = { localNetworks: localNetworks.texts, interfaceName: 'sflow', run: 'run', packetInterface: true, sampled: true };
  const names = namesOf(native, dpi, own);
  const counters = new Float64Array(COUNTERS.length);
  const ours = new Float64Array(SFLOW_COUNTERS.length);
  const bytes = new Uint8Array(64 << 10);
  const flows: Play['flows'] = [];
  const engine = createFlowEngine({
    interfaceId: 0,
    maxFlows,
    dpiPackets: { tcp: 12, udp: 12 },
    dpi,
    names,
    localNetworks,
    policy: DEFAULT_POLICY,
    counters,
    visitsInline: false,
    sink: {
      bytes,
      reserve: () => 0,
      commit(length) {
        const view = createEventView(names);
        view.set(bytes.slice(0, length), 0);
        const at = view.time() / 1e6 - START_US / 1e6;
        flows.push({ at, callbacks: view.callbacks(), view, field: (key) => fieldByKey.get(key)?.read(view) });
      },
    },
  });
  const { decode } = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START), 1);
  const packets = createSamplePackets(engine, decode);
  const decoder = createSflowDecoder(packets, ours);
  let now = 0;
  const to = (at: number): void => {
    for (; now <= at; now++) while (engine.advance(START_US + now * 1e6, 1000));
    now = at;
  };
  to(0);
  return {
    decoder,
    flows,
    to,
    send(at, datagram) {
      to(at);
      packets.at(START_US + at * 1e6);
      decoder.datagram('192.0.2.1', datagram, START_US + at * 1e6);
    },
    count: (name) => ours[sflowCounter(name)],
    counter: (name) => counters[counterIndex(name)],
    close: () => native.dpiClose(dpi),
  };
}

const query = ethernet({}, ipv4({ from: '10.0.0.1', to: '8.8.8.8' }, udp({ from: 40_000, to: 53 }, new Uint8Array(30))));
const segment = (flags: number, payload = ''): Uint8Array =>
  ethernet({}, ipv4({ from: '10.0.0.1', to: '198.51.100.1' }, tcp({ from: 50_000, to: 80, flags, seq: 1000 }, payload)));

const withPlay = (check: (play: Play) => void): void => {
  const of = play();
  check(of);
  of.close();
};

test('a sample is a flow of as many packets and bytes as it stands for', () =>
  withPlay((of) => {
    of.send(1, sflow({}, [flowSample({ rate: 1000, input: 3, output: 5 }, [rawHeader(query)])]));
    of.to(70);
    const last = of.flows.at(-1);
    assert.deepEqual(last?.callbacks, ['idle']);
    const keys = ['cli.ip', 'srv.ip', 'srv.port', 'cli2srv.packets', 'cli2srv.bytes', 'proto.ndpi', 'cli2srv.pkt_len.avg', 'goodput_bytes'];
    assert.deepEqual(
      keys.map((key) => last?.field(key)),
      ['10.0.0.1', '8.8.8.8', 53, 1000, query.length * 1000, 'DNS.Google', query.length, 30_000],
    );
    assert.deepEqual([of.count('sflow.packets'), of.count('sflow.traffic'), of.counter('packets')], [1000, query.length * 1000, 1]);
  }));

test('the lifecycle is that of a packet interface: visits every 5 s, idle after 60 s; an unseen handshake ends nothing early', () =>
  withPlay((of) => {
    for (let i = 0; i < 3; i++) {
      of.send(i * 25, sflow({ sequence: 1 + i }, [flowSample({ rate: 100, sequence: 1 + i }, [rawHeader(segment(ACK | PSH, 'x'))])]));
    }
    of.to(200);
    assert.deepEqual(
      of.flows.map(({ at, callbacks }) => [at, ...callbacks]),
      [
        [10, 'protocolDetected'],
        [115, 'idle'],
      ],
    );
    const problems = ['cli2srv.lost', 'cli2srv.retransmissions', 'cli2srv.out_of_order', 'status_map', 'interarrival.cli2srv'];
    assert.deepEqual(
      problems.map((key) => of.flows.at(-1)?.field(key)),
      [0, 0, 0, 0, undefined],
    );
  }));

test('FIN ends a flow after 15 s', () =>
  withPlay((of) => {
    of.send(1, sflow({}, [flowSample({ rate: 100 }, [rawHeader(segment(FIN | ACK))])]));
    of.to(60);
    assert.equal(of.flows.at(-1)?.at, 20);
  }));

test('no status is set that needs every packet', () =>
  withPlay((of) => {
    of.send(1, sflow({}, [flowSample({ rate: 100 }, [rawHeader(segment(SYN))])]));
    of.to(300);
    assert.ok(of.flows.length > 0);
    for (const flow of of.flows) assert.equal(flow.field('status_map'), 0);
  }));

test('a cut header: the length of the frame counts, and what is missing is payload', () =>
  withPlay((of) => {
    const frame = segment(ACK, 'x'.repeat(1400));
    const datagram = ethernet({}, ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, udp({ from: 50_000, to: 443 }, new Uint8Array(1300))));
    const cut = (of: Uint8Array): Uint8Array => rawHeader(of.subarray(0, 128), { frame: of.length + 4 });
    of.send(1, sflow({}, [flowSample({ rate: 10 }, [cut(frame)]), flowSample({ sequence: 2, rate: 10 }, [cut(datagram)])]));
    of.to(70);
    const flows = of.flows.filter(({ callbacks }) => callbacks.includes('idle'));
    assert.deepEqual(
      flows.map(({ field }) => [field('bytes'), field('goodput_bytes')]),
      [
        [frame.length * 10, 14_000],
        [datagram.length * 10, 13_000],
      ],
    );
  }));

test('the VLAN of the switch tags a frame that has no tag; what else the agent knows is kept', () =>
  withPlay((of) => {
    const beside = [switchFields(100, 200), routerFields('203.0.113.9', 24, 16)];
    of.send(1, sflow({ agent: '2001:db8::1' }, [flowSample({ expanded: true, input: 70_000 }, [rawHeader(query), ...beside])]));
    const tagged = ethernet({}, vlan({ id: 7 }, ipv4({ from: '10.0.0.1', to: '8.8.8.8' }, udp({ from: 40_001, to: 53 }))));
    of.send(2, sflow({ sequence: 2 }, [flowSample({ sequence: 2, output: 0x80000002 }, [...beside, rawHeader(tagged)])]));
    of.to(70);
    const flows = of.flows.filter(({ callbacks }) => callbacks.includes('idle'));
    assert.deepEqual(
      flows.map(({ field }) => [field('vlan'), field('bytes')]),
      [
        [100, query.length],
        [7, tagged.length],
      ],
    );
    const known = { INPUT_SNMP: 70_000, OUTPUT_SNMP: 5, DST_VLAN: 200, IPV4_NEXT_HOP: '203.0.113.9', IPV4_SRC_MASK: 24, IPV4_DST_MASK: 16 };
    assert.deepEqual(
      flows.map(({ view }) => JSON.parse(view.text('moreinfo') ?? '')),
      [
        { EXPORTER_IPV6_ADDRESS: '2001:db8::1', ...known },
        (({ OUTPUT_SNMP: _, INPUT_SNMP: __, ...rest }) => ({ EXPORTER_IPV4_ADDRESS: '192.0.2.1', INPUT_SNMP: 3, ...rest }))(known),
      ],
    );
  }));

test('bare IP headers, and packets as fields', () =>
  withPlay((of) => {
    const bare4 = ipv4({ from: '10.0.0.1', to: '8.8.8.8' }, udp({ from: 1, to: 53 }, 'abc'));
    const bare6 = ipv6({ from: 'fd00::1', to: '2001:db8::1' }, udp({ from: 2, to: 53 }, 'abc'));
    const fields = { length: 1000, protocol: 6, srcPort: 3, dstPort: 80, flags: 0x12, tos: 0xb8 };
    of.send(
      1,
      sflow({}, [
        flowSample({ sequence: 1 }, [rawHeader(bare4, { protocol: 11 })]),
        flowSample({ sequence: 2 }, [rawHeader(bare6, { protocol: 12 })]),
        flowSample({ sequence: 3, rate: 2 }, [ipFields({ ...fields, from: '10.0.0.1', to: '10.0.0.2' })]),
        flowSample({ sequence: 4 }, [
          ethernetFields(1014, '02:00:00:00:00:0a', '02:00:00:00:00:0b', 0x86dd),
          ipFields({ ...fields, from: 'fd00::1', to: 'fd00::2' }),
        ]),
        flowSample({ sequence: 5 }, [ethernetFields(60, '02:00:00:00:00:0a', '02:00:00:00:00:0b', 0x0806)]),
      ]),
    );
    of.to(70);
    const idle = of.flows.filter(({ callbacks }) => callbacks.includes('idle'));
    const keys = ['cli.ip', 'cli.port', 'srv.port', 'bytes', 'cli.mac', 'cli2srv.tcp_flags'];
    assert.deepEqual(
      idle.map(({ field }) => keys.map(field)).toSorted((a, b) => Number(a[1]) - Number(b[1])),
      [
        ['10.0.0.1', 1, 53, bare4.length + 14, '00:00:00:00:00:00', undefined],
        ['fd00::1', 2, 53, bare6.length + 14, '00:00:00:00:00:00', undefined],
        ['10.0.0.1', 3, 80, 2028, '00:00:00:00:00:00', 0x12],
        ['fd00::1', 3, 80, 1014, '02:00:00:00:00:0A', 0x12],
      ],
    );
    assert.equal(of.count('sflow.samples.unreadable'), 1);
  }));

test('counters of interfaces', () =>
  withPlay((of) => {
    const counters = {
      index: 7,
      speed: 100e9,
      status: 1,
      inOctets: 2 ** 40 + 1,
      inPackets: 4e9,
      outOctets: 5,
      outPackets: 6,
      outErrors: 2,
    };
    of.send(
      1,
      sflow({}, [counterSample({}, [genericCounters({})]), counterSample({ expanded: true, sequence: 2 }, [genericCounters(counters)])]),
    );
    const [agent] = of.decoder.agents();
    assert.deepEqual(
      agent?.interfaces.map(({ index }) => index),
      [3, 7],
    );
    const { adminUp, operUp, speed, inOctets, inPackets, outErrors } = agent?.interfaces[1] ?? assert.fail();
    assert.deepEqual(
      { adminUp, operUp, speed, inOctets, inPackets, outErrors },
      {
        adminUp: true,
        operUp: false,
        speed: 100e9,
        inOctets: 2 ** 40 + 1,
        inPackets: 4e9,
        outErrors: 2,
      },
    );
  }));

describe('losses', () => {
  test('missing datagrams and samples, late ones, drops of the agent', () =>
    withPlay((of) => {
      const send = (sequence: number, sample: number, drops = 0): void =>
        of.send(1, sflow({ sequence }, [flowSample({ sequence: sample, drops }, [rawHeader(query)])]));
      send(10, 100, 50); // what was before is not ours
      send(11, 101, 50);
      send(14, 107, 53);
      send(12, 102, 53); // late
      send(15, 108, 60);
      assert.deepEqual(
        [of.count('sflow.sequence.lost'), of.count('sflow.sequence.late'), of.count('sflow.samples.lost'), of.count('sflow.drops')],
        [1, 1, 4, 10],
      );
      const [agent] = of.decoder.agents();
      assert.deepEqual([agent?.lost, agent?.samplesLost, agent?.drops, agent?.restarts], [1, 4, 10, 0]);
    }));
  test('an agent that begins anew has lost nothing', () =>
    withPlay((of) => {
      of.send(1, sflow({ sequence: 5000, uptime: 1e9 }, [flowSample({ sequence: 9000, drops: 7 }, [rawHeader(query)])]));
      of.send(2, sflow({ sequence: 1, uptime: 10 }, [flowSample({ sequence: 1 }, [rawHeader(query)])]));
      assert.deepEqual(
        [of.count('sflow.sequence.lost'), of.count('sflow.samples.lost'), of.count('sflow.drops'), of.count('sflow.sequence.restarts')],
        [0, 0, 0, 1],
      );
    }));
  test('numbers wrap around', () =>
    withPlay((of) => {
      of.send(1, sflow({ sequence: 2 ** 32 - 1 }, []));
      of.send(1, sflow({ sequence: 1 }, []));
      assert.equal(of.count('sflow.sequence.lost'), 1);
    }));
});

test('other versions, damage and unknown samples are counted; what came before the damage is used', () =>
  withPlay((of) => {
    const good = flowSample({}, [rawHeader(query)]);
    of.send(1, sflow({ version: 4 }, []));
    of.send(1, sflow({}, [good, unknownSample(), discardSample()]));
    of.send(1, sflow({ sequence: 2 }, [good, good]).subarray(0, -10));
    of.send(1, sflow({ sequence: 3 }, []).subarray(0, 20));
    of.send(1, new Uint8Array(0));
    assert.deepEqual(
      [
        of.count('sflow.refused.version'),
        of.count('sflow.refused.damaged'),
        of.count('sflow.samples.unknown'),
        of.count('sflow.samples.discard'),
      ],
      [2, 2, 1, 1],
    );
    assert.equal(of.count('sflow.samples.flow'), 2);
  }));

test('any bytes: no crash, and every datagram is counted', () => {
  const of = play(64);
  const whole = sflow({}, [
    flowSample({ expanded: true }, [rawHeader(query), switchFields(1, 2), routerFields('2001:db8::1', 1, 2)]),
    flowSample({}, [
      ipFields({ length: 60, protocol: 17, from: 'fd00::1', to: 'fd00::2', srcPort: 1, dstPort: 2 }),
      ethernetFields(60, '02:00:00:00:00:01', '02:00:00:00:00:02', 0x86dd),
    ]),
    counterSample({}, [genericCounters({})]),
  ]);
  let sent = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }))), {
        maxLength: 6,
      }),
      fc.nat({ max: whole.length }),
      (changes, length) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        of.send(1, changes.length % 2 === 0 ? bytes : bytes.subarray(0, length));
        sent++;
      },
    ),
    { numRuns: 3000 },
  );
  assert.equal(of.count('sflow.datagrams'), sent);
  assert.ok(of.decoder.agents().length <= 1024);
  of.close();
});

test('tshark reads the same', (t) => {
  if (spawnSync('tshark', ['--version']).status !== 0) {
    t.skip('tshark is not installed');
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'sflow-'));
  const datagrams = [
    sflow({ sequence: 17, uptime: 12_345, subAgent: 2 }, [
      flowSample({ sequence: 4, rate: 512, pool: 2048, drops: 9 }, [
        rawHeader(query),
        switchFields(100, 200),
        routerFields('203.0.113.9', 24, 16),
      ]),
      flowSample({ sequence: 5, rate: 256, expanded: true }, [rawHeader(segment(ACK, 'hello'))]),
      counterSample({ sequence: 6 }, [genericCounters({ index: 7, inOctets: 2 ** 33 })]),
    ]),
    sflow({ sequence: 18, agent: '2001:db8::1' }, [
      flowSample({ sequence: 6 }, [ipFields({ length: 60, protocol: 17, from: '10.0.0.1', to: '10.0.0.2', srcPort: 1, dstPort: 2 })]),
    ]),
  ];
  const file = join(directory, 'sflow.pcap');
  const packets = datagrams.map((bytes, i) => ({
    time: 1_000_000 + i,
    bytes: ethernet({}, ipv4({}, udp({ from: 6343, to: 6343 }, bytes))),
  }));
  writeFileSync(file, pcapFile(packets));
  const { stdout } = spawnSync('tshark', ['-r', file, '-T', 'json'], { encoding: 'utf8' });
  rmSync(directory, { recursive: true });
  assert.ok(!stdout.includes('_ws.malformed'), 'no damage for tshark');
  // each value as tshark names it, and how often it says so
  const expected: readonly (readonly [string, string | number, number])[] = [
    ['sflow_245.sequence_number', 17, 1],
    ['sflow_245.sequence_number', 18, 1],
    ['sflow_245.sub_agent_id', 2, 1],
    ['sflow_245.sysuptime', 12_345, 1],
    ['sflow.flow_sample.sequence_number', 4, 1],
    ['sflow.flow_sample.sampling_rate', 512, 1],
    ['sflow.flow_sample.sampling_rate', 256, 1],
    ['sflow.flow_sample.sample_pool', 2048, 1],
    ['sflow.flow_sample.dropped_packets', 9, 1],
    ['sflow_245.header.frame_length', query.length + 4, 1],
    ['sflow_245.header.sampled_header_length', segment(ACK, 'hello').length, 1],
    ['sflow_245.vlan.in', 100, 1],
    ['sflow_245.vlan.out', 200, 1],
    ['sflow_245.nexthop', '203.0.113.9', 1],
    ['sflow_245.nexthop.src_mask', 24, 1],
    ['sflow_245.ifindex', 7, 1],
    ['sflow_245.ifspeed', 10e9, 1],
    ['sflow_245.ifinoct', 2 ** 33, 1],
  ];
  for (const [name, value, times] of expected) assert.equal(stdout.split(`"${name}": "${value}"`).length - 1, times, `${name} = ${value}`);

  const of = play();
  for (const bytes of datagrams) of.send(1, bytes);
  of.to(70);
  assert.equal(of.counter('packets'), 3);
  assert.deepEqual(
    of.decoder
      .agents()
      .map(({ agent, samplingRate, uptime, samples, interfaces }) => [agent, samplingRate, uptime, samples, interfaces[0]?.inOctets]),
    [
      ['192.0.2.1/2', 256, 12_345, 2, 2 ** 33],
      ['2001:db8::1', 1, 1000, 1, undefined],
    ],
  );
  of.close();
});

test('addresses for -i', () => {
  assert.deepEqual(parseSflowUrl('sflow://0.0.0.0'), { address: '0.0.0.0', port: 6343, buffer: 32 << 20 });
  assert.deepEqual(parseSflowUrl('sflow://[::1]:7000?buffer=1m'), { address: '::1', port: 7000, buffer: 1 << 20 });
  assert.throws(() => parseSflowUrl('sflow://0.0.0.0:x'), /sflow:\/\/.*port.*6343/);
  assert.throws(() => parseSflowUrl('sflow://0.0.0.0?sampling=5'), /unknown setting "sampling"/);
  assert.throws(() => parseSflowUrl('sflow://0.0.0.0:1/x'), /should look like sflow/);
});
