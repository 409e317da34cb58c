/** Real exporters: what they make of a capture is what the capture holds, flow by flow. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openNetflowCollector } from '../../../src/records/netflow/collector.ts';
import { COLLECTOR_COUNTERS } from '../../../src/records/netflow/counters.ts';
import { capture, exportTo, inCapture, inRecords, nfreplay, shifted, softflowd, type Totals } from './exporters.ts';
import { createHarness } from './support.ts';

const read = (datagrams: readonly Buffer[]) => {
  const harness = createHarness();
  for (const bytes of datagrams) harness.send(bytes);
  return harness;
};

const counted = (all: ReadonlyMap<string, Totals>): Record<string, string> =>
  Object.fromEntries(
    [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { packets, bytes, flags }]) => [key, `${packets} ${bytes} ${flags}`]),
  );

const WAYS = [
  { way: 'v5', version: 5, args: [] },
  { way: 'v9', version: 9, args: [] },
  { way: 'IPFIX', version: 10, args: [] },
  { way: 'IPFIX, both directions in a record', version: 10, args: ['-b'] },
  { way: 'IPFIX, times in µs', version: 10, args: ['-A', 'micro'] },
] as const;

describe('softflowd', () => {
  const V4 = [
    'demo.pcap',
    'http-dns.pcap',
    'irc.pcap',
    'mqtt.pcapng',
    'quic.pcap',
    'smtp-icmp-errors.pcap',
    'ssh-icmp.pcap',
    'tls-1.1.pcap',
  ];
  for (const { way, version, args } of WAYS) {
    test(way, async () => {
      for (const name of version === 5 ? V4 : [...V4, 'ipv6.pcap']) {
        const { records, count } = read(await softflowd(capture(name), version, args));
        assert.deepEqual(counted(inRecords(records)), counted(inCapture(capture(name), 'frames')), name);
        assert.equal(count('records.damaged') + count('sets.damaged') + count('templates.damaged') + count('sets.waiting.refused'), 0);
        if (version !== 10) assert.equal(count('sequence.lost'), 0, name);
      }
    });
  }

  test('packets without Ethernet, IPv4 and IPv6', async () => {
    const { records } = read(await softflowd(capture('raw-ip.pcap'), 9));
    assert.deepEqual(counted(inRecords(records)), counted(inCapture(capture('raw-ip.pcap'), 'packets')));
  });

  test('ICMP has its type and code', async () => {
    for (const version of [5, 9, 10] as const) {
      const { records } = read(await softflowd(capture('ssh-icmp.pcap'), version));
      const icmp = records.filter(({ protocol }) => protocol === 1).map(({ icmpType, icmpCode, srcPort }) => [icmpType, icmpCode, srcPort]);
      assert.deepEqual(icmp.sort(), [
        [0, 0, 0],
        [8, 0, 0],
      ]);
    }
  });

  test('sampling rate, MAC addresses, VLAN, MPLS labels', async () => {
    for (const version of [5, 9, 10] as const) {
      const sampled = read(await softflowd(capture('demo.pcap'), version, ['-s', '10']));
      assert.deepEqual([...new Set(sampled.records.map(({ samplingRate }) => samplingRate))], [10]);
      if (version === 5) continue;
      const { records } = read(await softflowd(capture('vlan-mpls.pcap'), version, ['-T', 'ether', '-x', '3']));
      const labelled = records.find(({ source }) => source === '10.1.2.1');
      assert.deepEqual(labelled?.more?.slice(-2), ['MPLS_LABEL_1', 29]);
      assert.equal(records.find(({ source }) => source === '10.20.80.1')?.vlan, 4093);
      assert.deepEqual([labelled?.srcMac, labelled?.dstMac], [0x003096052838, 0x003096e6fc39]);
    }
  });

  test('IPFIX over TCP', async () => {
    const harness = createHarness();
    const counters = new Float64Array(COLLECTOR_COUNTERS.length);
    const collector = await openNetflowCollector({ address: '127.0.0.1', port: 0, transport: 'tcp', counters }, harness.decoder.datagram);
    await exportTo(collector.port, capture('demo.pcap'), 10, ['-P', 'tcp']);
    const truth = inCapture(capture('demo.pcap'), 'frames');
    while (inRecords(harness.records).size < truth.size) await turn();
    assert.deepEqual(counted(inRecords(harness.records)), counted(truth));
    await collector.close();
  });

  for (const [way, version, args, within] of [
    ['v5, uptime in ms and a header with ns', 5, [], 2000],
    ['v9, uptime in ms and a header with seconds', 9, [], 1_001_000],
    ['IPFIX, uptime and when it was switched on', 10, [], 2000],
    ['IPFIX, ms', 10, ['-A', 'milli'], 1000],
    ['IPFIX, NTP time in µs', 10, ['-A', 'micro'], 2],
    ['IPFIX, NTP time in ns', 10, ['-A', 'nano'], 2],
  ] as const) {
    test(`times: ${way}`, async () => {
      // uptime is what the exporter has been up for: the capture has to begin when it does
      const { file, remove } = shifted(capture('http-dns.pcap'), Math.floor(Date.now() / 1000) + 1);
      const { records } = read(await softflowd(file, version, args));
      const truth = inCapture(file, 'frames');
      // a record has the times of both directions
      const both = (key: string): Totals[] => {
        const [protocol, source, , destination] = key.split(/ (?=[0-9a-f.:]+ \d+)| (>) /).filter((part) => part !== undefined);
        return [truth.get(key), truth.get(`${protocol} ${destination} > ${source}`)].filter((totals) => totals !== undefined);
      };
      assert.equal(records.length, 6);
      for (const [key, totals] of inRecords(records)) {
        const wanted = both(key);
        assert.equal(wanted.length, 2, key);
        assert.ok(Math.abs(totals.first - Math.min(...wanted.map(({ first }) => first))) <= within, `${key} begins at ${totals.first}`);
        assert.ok(Math.abs(totals.last - Math.max(...wanted.map(({ last }) => last))) <= within, `${key} ends at ${totals.last}`);
      }
      remove();
    });
  }
});

describe('nfreplay of what nfpcapd has made of a capture', () => {
  for (const name of [
    'demo.pcap',
    'http-dns.pcap',
    'ipv6.pcap',
    'lost-segment.pcap',
    'raw-ip.pcap',
    'retransmissions.pcap',
    'vlan-mpls.pcap',
  ]) {
    test(`v9, ${name}`, async () => {
      const { records, troubles } = read(await nfreplay(capture(name), 9));
      assert.deepEqual(counted(inRecords(records)), counted(inCapture(capture(name), 'packets')));
      assert.deepEqual(troubles(), {});
    });
  }
  test('v5, http-dns.pcap', async () => {
    const { records, troubles } = read(await nfreplay(capture('http-dns.pcap'), 5));
    assert.deepEqual(counted(inRecords(records)), counted(inCapture(capture('http-dns.pcap'), 'packets')));
    assert.deepEqual(troubles(), {});
  });
});
