import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createHarness,
  EXPORTER,
  type FieldOf,
  ip,
  ipfix,
  ipfixOptions,
  NOW,
  ntp,
  set,
  template,
  u8,
  u16,
  u32,
  u64,
  v5,
  v9,
  v9Options,
  variable,
} from './support.ts';

const REVERSE = 29305;
const NPROBE = 35632;
const SOURCE = ip('192.0.2.10');
const DESTINATION = ip('198.51.100.20');
/** Addresses, ports and protocol: what every record of these tests begins with. */
const KEY: readonly FieldOf[] = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
];
const key = (protocol = 6): Buffer => Buffer.concat([SOURCE, DESTINATION, u16(51514), u16(443), u8(protocol)]);
const SENT = 1_700_000_010_000_000;

/** One record of a template that begins with {@link KEY}, as v9 and as IPFIX. */
function oneRecord(fields: readonly FieldOf[], values: readonly Buffer[], { version = 10, protocol = 6, options = {} } = {}) {
  const harness = createHarness(options);
  const sets = [set(version === 9 ? 0 : 2, template(300, [...KEY, ...fields])), set(300, Buffer.concat([key(protocol), ...values]), 0)];
  harness.send(version === 9 ? v9(sets) : ipfix(sets));
  assert.deepEqual(harness.troubles(), {});
  assert.equal(harness.records.length, 1);
  return harness.records[0];
}

describe('times', () => {
  test('uptime in ms, also over the wrap of 32 bit between the flow and the message', () => {
    const { send, records } = createHarness();
    const wrapped = { uptime: 5000, seconds: 1_700_000_010 };
    send(
      v9([set(0, template(256, [...KEY, [22, 4], [21, 4]])), set(256, Buffer.concat([key(), u32(2 ** 32 - 4000), u32(1000)]))], wrapped),
    );
    assert.equal(records[0]?.first, SENT - 9_000_000);
    assert.equal(records[0]?.last, SENT - 4_000_000);
  });

  test('v5: nanoseconds of the header count', () => {
    const { send, records } = createHarness();
    send(v5([{ first: 3_590_000, last: 3_600_000 }], { nanoseconds: 250_000_000 }));
    assert.equal(records[0]?.first, SENT - 9_750_000);
    assert.equal(records[0]?.last, SENT + 250_000);
  });

  for (const [name, first, last, value] of [
    ['seconds', 150, 151, (µs: number) => u32(µs / 1e6)],
    ['milliseconds', 152, 153, (µs: number) => u64(µs / 1e3)],
    ['microseconds', 154, 155, ntp],
    ['nanoseconds', 156, 157, ntp],
    ['plain microseconds where NTP time should be', 154, 155, u64],
    ['plain nanoseconds where NTP time should be', 156, 157, (µs: number) => u64(BigInt(µs) * 1000n)],
  ] as const) {
    test(name, () => {
      const at = [1_699_999_990_000_000, 1_700_000_005_000_000] as const;
      const bytes = [value(at[0]), value(at[1])] as const;
      const record = oneRecord(
        [
          [first, bytes[0].length],
          [last, bytes[1].length],
        ],
        bytes,
      );
      assert.equal(record?.first, at[0]);
      assert.equal(record?.last, at[1]);
    });
  }

  test('µs before the message; a duration in place of the other end', () => {
    const deltas = oneRecord(
      [
        [158, 4],
        [159, 4],
      ],
      [u32(3_000_000), u32(1_000_000)],
    );
    assert.deepEqual([deltas?.first, deltas?.last], [SENT - 3_000_000, SENT - 1_000_000]);
    const started = oneRecord(
      [
        [152, 8],
        [161, 4],
      ],
      [u64(1_700_000_000_000), u32(1500)],
    );
    assert.deepEqual([started?.first, started?.last], [1_700_000_000_000_000, 1_700_000_001_500_000]);
    const ended = oneRecord(
      [
        [153, 8],
        [162, 4],
      ],
      [u64(1_700_000_000_000), u32(1500)],
    );
    assert.deepEqual([ended?.first, ended?.last], [1_699_999_999_998_500, 1_700_000_000_000_000]);
  });

  test('IPFIX with times of uptime: from when the exporter was switched on, else ending with the message', () => {
    const fields: FieldOf[] = [
      [22, 4],
      [21, 4],
    ];
    const without = oneRecord(fields, [u32(1000), u32(3500)]);
    assert.deepEqual([without?.first, without?.last], [SENT - 2_500_000, SENT]);
    const boot = oneRecord([...fields, [160, 8]], [u32(1000), u32(3500), u64(1_700_000_000_000)]);
    assert.deepEqual([boot?.first, boot?.last], [1_700_000_001_000_000, 1_700_000_003_500_000]);
    const { send, records } = createHarness();
    send(ipfix([set(3, ipfixOptions(400, [[149, 4]], [[160, 8]])), set(400, Buffer.concat([u32(7), u64(1_700_000_000_000)]))]));
    send(ipfix([set(2, template(300, [...KEY, ...fields])), set(300, Buffer.concat([key(), u32(1000), u32(3500)]), 0)], { sequence: 1 }));
    assert.equal(records[0]?.last, 1_700_000_003_500_000);
  });

  test('none at all: the message has them', () => {
    const record = oneRecord([], []);
    assert.deepEqual([record?.first, record?.last], [SENT, SENT]);
  });
});

describe('fields', () => {
  test('integers of any length, counters of 64 bit', () => {
    const record = oneRecord(
      [
        [1, 3],
        [2, 5],
        [10, 1],
        [14, 8],
      ],
      [Buffer.from([1, 2, 3]), Buffer.from([1, 0, 0, 0, 2]), u8(9), u64(77)],
    );
    assert.deepEqual([record?.inBytes, record?.inPackets, record?.inIndex, record?.outIndex], [0x010203, 2 ** 32 + 2, 9, 77]);
    const large = oneRecord([[1, 8]], [u64(2n ** 40n + 5n)]);
    assert.equal(large?.inBytes, 2 ** 40 + 5);
  });

  test('VLAN, MAC addresses, MPLS labels, padding', () => {
    const record = oneRecord(
      [
        [56, 6],
        [80, 6],
        [58, 2],
        [59, 2],
        [70, 3],
        [71, 3],
        [210, 3],
        [5, 1],
      ],
      [
        Buffer.from('020000000001', 'hex'),
        Buffer.from('020000000002', 'hex'),
        u16(0xf064),
        u16(7),
        Buffer.from('012340', 'hex'),
        Buffer.from('000111', 'hex'),
        Buffer.alloc(3, 255),
        u8(0xb8),
      ],
    );
    assert.equal(record?.srcMac, 0x020000000001);
    assert.equal(record?.dstMac, 0x020000000002);
    assert.equal(record?.vlan, 0x064);
    assert.equal(record?.srcTos, 0xb8);
    assert.deepEqual(record?.more, ['MPLS_LABEL_1', 0x1234, 'MPLS_LABEL_2', 0x11]);
  });

  test('an event of address translation has no counters', () => {
    const record = oneRecord(
      [
        [225, 4],
        [226, 4],
        [227, 2],
        [228, 2],
        [230, 1],
        [323, 8],
      ],
      [ip('203.0.113.9'), DESTINATION, u16(1024), u16(443), u8(1), u64(1_700_000_001_234)],
    );
    assert.equal(record?.inPackets, 0);
    assert.deepEqual([record?.first, record?.last], [1_700_000_001_234_000, 1_700_000_001_234_000]);
    assert.deepEqual(record?.more, [
      'POST_NAT_SRC_IPV4_ADDR',
      '203.0.113.9',
      'POST_NAT_DST_IPV4_ADDR',
      '198.51.100.20',
      'POST_NAPT_SRC_TRANSPORT_PORT',
      1024,
      'POST_NAPT_DST_TRANSPORT_PORT',
      443,
      'NAT_EVENT',
      1,
    ]);
  });

  test('ICMP: type and code of their own elements, of one, or in the port of the destination', () => {
    for (const [fields, values] of [
      [
        [
          [176, 1],
          [177, 1],
        ],
        [u8(3), u8(1)],
      ],
      [[[32, 2]], [u16(0x301)]],
      [[[11, 2]], [u16(0x301)]],
    ] as const) {
      const record = oneRecord(fields, values, { protocol: 1 });
      assert.deepEqual([record?.icmpType, record?.icmpCode, record?.srcPort], [3, 1, 0]);
    }
  });

  test('IPv4 and IPv6 in one template: the one that is not zero', () => {
    const { send, records, count } = createHarness();
    const fields: FieldOf[] = [
      [8, 4],
      [12, 4],
      [27, 16],
      [28, 16],
    ];
    const six = (last: number): Buffer => Buffer.concat([Buffer.from('20010db8', 'hex'), Buffer.alloc(11), u8(last)]);
    const none = [Buffer.alloc(4), Buffer.alloc(16)] as const;
    send(
      ipfix([
        set(2, template(300, fields)),
        set(
          300,
          Buffer.concat([
            none[0],
            none[0],
            six(1),
            six(2),
            SOURCE,
            DESTINATION,
            none[1],
            none[1],
            SOURCE,
            none[0],
            none[1],
            six(2),
            none[0],
            none[0],
            none[1],
            none[1],
          ]),
          0,
        ),
      ]),
    );
    assert.deepEqual(
      records.map((record) => [record.ipVersion, record.source, record.destination]),
      [
        [6, '2001:db8::1', '2001:db8::2'],
        [4, '192.0.2.10', '198.51.100.20'],
      ],
    );
    assert.equal(count('records.mixed-address'), 1);
    assert.equal(count('records.no-address'), 1);
  });

  test('an address of a wrong length is no address, whatever says its length', () => {
    const { send, records, count } = createHarness();
    send(
      ipfix([
        set(
          2,
          template(300, [
            [8, 3],
            [12, 4],
            [27, 0xffff],
            [28, 0xffff],
          ]),
        ),
        set(300, Buffer.concat([Buffer.alloc(3, 1), DESTINATION, variable(Buffer.alloc(4, 1)), variable(Buffer.alloc(20, 1))]), 0),
      ]),
    );
    assert.equal(count('records.damaged'), 0);
    assert.equal(records[0]?.source, '0.0.0.0');
  });

  test('unknown elements are kept by number: as a number, a text or hexadecimal digits', () => {
    const record = oneRecord(
      [
        [999, 4],
        [1000, 12, 12345],
        [7, 9, 12345],
        [8, 0xffff, 12345],
        [9, 4, 12345],
      ],
      [u32(42), Buffer.from('hello\0\0\0\0\0\0\0'), Buffer.from('ff00000000000000aa', 'hex'), variable('x'.repeat(300)), u32(0)],
    );
    assert.deepEqual(record?.more, ['999', 42, '12345.1000', 'hello', '12345.7', 'ff00000000000000aa', '12345.8', 'x'.repeat(300)]);
  });

  test('elements without a meaning have their names where they have one', () => {
    const record = oneRecord(
      [
        [134, 4, NPROBE],
        [89, 1],
        [16, 4, REVERSE],
      ],
      [u32(5), u8(64), u32(9)],
    );
    assert.deepEqual(record?.more, ['SIP_INVITE_TIME', 5, 'FORWARDING_STATUS', 64, 'REVERSE_SRC_AS', 9]);
  });

  test('structured data (RFC 6313) are stepped over', () => {
    const record = oneRecord(
      [
        [291, 0xffff],
        [1, 4],
      ],
      [variable(Buffer.alloc(9, 7)), u32(99)],
    );
    assert.equal(record?.inBytes, 99);
    assert.deepEqual(record?.more, []);
  });

  test('more unknown fields than a record keeps are counted', () => {
    const { send, records, count } = createHarness();
    const fields = Array.from({ length: 60 }, (_, i): FieldOf => [1000 + i, 1]);
    send(ipfix([set(2, template(300, [...KEY, ...fields])), set(300, Buffer.concat([key(), Buffer.alloc(60, 1)]), 0)]));
    assert.equal(records[0]?.more?.length, 96);
    assert.equal(count('more.dropped'), 12);
  });
});

describe('both directions in one record', () => {
  const reverse: readonly FieldOf[] = [
    [1, 4],
    [1, 4, REVERSE],
    [2, 4],
    [2, 4, REVERSE],
    [6, 1],
    [6, 1, REVERSE],
  ];
  const values = [u32(100), u32(200), u32(1), u32(2), u8(2), u8(0x12)];

  test('RFC 5103: reverse elements, each side with its flags', () => {
    const record = oneRecord(reverse, values);
    assert.deepEqual([record?.inBytes, record?.outBytes, record?.inPackets, record?.outPackets], [100, 200, 1, 2]);
    assert.deepEqual([record?.srcTcpFlags, record?.dstTcpFlags, record?.mergedFlags, record?.directed], [2, 0x12, false, false]);
  });

  test('biflowDirection: 1 the source began, 2 the destination did and becomes the source', () => {
    const fields: readonly FieldOf[] = [...reverse, [239, 1], [10, 2], [14, 2]];
    const began = oneRecord(fields, [...values, u8(1), u16(3), u16(4)]);
    assert.deepEqual([began?.source, began?.directed], ['192.0.2.10', true]);
    const turned = oneRecord(fields, [...values, u8(2), u16(3), u16(4)]);
    assert.deepEqual([turned?.source, turned?.srcPort, turned?.destination, turned?.dstPort], ['198.51.100.20', 443, '192.0.2.10', 51514]);
    assert.deepEqual([turned?.inBytes, turned?.outBytes, turned?.srcTcpFlags, turned?.dstTcpFlags], [200, 100, 0x12, 2]);
    assert.deepEqual([turned?.inIndex, turned?.outIndex, turned?.directed], [4, 3, true]);
  });

  test('reverse times widen the flow', () => {
    const at = [1_700_000_001_000, 1_700_000_002_000, 1_700_000_000_000, 1_700_000_003_000].map((ms) => u64(ms));
    const record = oneRecord(
      [
        [152, 8],
        [153, 8],
        [152, 8, REVERSE],
        [153, 8, REVERSE],
      ],
      at,
    );
    assert.deepEqual([record?.first, record?.last], [1_700_000_000_000_000, 1_700_000_003_000_000]);
  });

  test('initiator and responder (Cisco, Juniper): the source is the client', () => {
    const record = oneRecord(
      [
        [231, 8],
        [232, 8],
        [298, 4],
        [299, 4],
        [6, 1],
      ],
      [u64(10), u64(20), u32(1), u32(2), u8(0x1b)],
    );
    assert.deepEqual([record?.inBytes, record?.outBytes, record?.inPackets, record?.outPackets], [10, 20, 1, 2]);
    assert.deepEqual([record?.directed, record?.mergedFlags, record?.absolute], [true, true, false]);
  });

  test('elements 23 and 24: the other direction from a probe, the same one from a router', () => {
    const probe = oneRecord(
      [
        [1, 4],
        [23, 4],
        [57590, 2],
        [57580, 1],
      ],
      [u32(100), u32(200), u16(91), u8(0)],
      { version: 9 },
    );
    assert.deepEqual([probe?.inBytes, probe?.outBytes, probe?.application], [100, 200, 91]);
    const router = oneRecord(
      [
        [1, 4],
        [23, 4],
      ],
      [u32(100), u32(90)],
      { version: 9 },
    );
    assert.deepEqual([router?.inBytes, router?.outBytes], [100, 0]);
    const egress = oneRecord(
      [
        [23, 4],
        [24, 4],
      ],
      [u32(100), u32(2)],
      { version: 9 },
    );
    assert.deepEqual([egress?.inBytes, egress?.inPackets, egress?.outBytes], [100, 2, 0]);
  });

  test('totals since the flow began are marked', () => {
    const record = oneRecord(
      [
        [85, 8],
        [86, 8],
      ],
      [u64(1000), u64(10)],
    );
    assert.deepEqual([record?.inBytes, record?.inPackets, record?.absolute], [1000, 10, true]);
  });
});

describe('a probe (nProbe), v9 and IPFIX', () => {
  const values = [u8(2), u8(0x12), u16(91), u32(12), u32(7), u64(2n ** 33n + 1n), Buffer.from('www.example.com\0\0')];
  const ids = [78, 79, 118, 123, 124, 509, 188];
  for (const version of [9, 10]) {
    test(`version ${version}: details, latencies, risks`, () => {
      const fields = ids.map((id, i): FieldOf => (version === 9 ? [57472 + id, values[i].length] : [id, values[i].length, NPROBE]));
      const record = oneRecord(fields, values, { version });
      assert.deepEqual([record?.srcTcpFlags, record?.dstTcpFlags, record?.application], [2, 0x12, 91]);
      assert.deepEqual([record?.clientLatency, record?.serverLatency], [12_000, 7000]);
      assert.deepEqual([record?.risksLow, record?.risksHigh], [1, 2]);
      assert.deepEqual(record?.details, ['host_server_name', 'www.example.com']);
    });
  }
  test('protocols as text', () => {
    const record = oneRecord([[118, 0xffff, NPROBE]], [variable('91.126')]);
    assert.deepEqual([record?.master, record?.application], [91, 126]);
  });
});

describe('Cisco', () => {
  test('a security event of an ASA (NSEL): both directions since the last event, translated addresses', () => {
    const record = oneRecord(
      [
        [231, 4],
        [232, 4],
        [233, 1],
        [33002, 2],
        [40001, 4],
        [40003, 2],
        [152, 8],
        [323, 8],
      ],
      [u32(700), u32(9000), u8(2), u16(2030), ip('203.0.113.9'), u16(1024), u64(1_700_000_000_000), u64(1_700_000_004_000)],
      { version: 9 },
    );
    assert.deepEqual([record?.inBytes, record?.outBytes, record?.directed], [700, 9000, true]);
    assert.deepEqual([record?.first, record?.last], [1_700_000_000_000_000, 1_700_000_004_000_000]);
    assert.deepEqual(record?.more, [
      ...['FIREWALL_EVENT', 2, 'FW_EXT_EVENT', 2030],
      ...['POST_NAT_SRC_IPV4_ADDR', '203.0.113.9', 'POST_NAPT_SRC_TRANSPORT_PORT', 1024],
    ]);
  });

  test('AVC: the ends of the connection stand for those of the flow, the host of HTTP', () => {
    const { send, records } = createHarness();
    const fields: FieldOf[] = [
      [4, 1],
      [12236, 4, 9],
      [12237, 4, 9],
      [12240, 2, 9],
      [12241, 2, 9],
      [12235, 0xffff, 9],
      [231, 8],
    ];
    const host = Buffer.concat([Buffer.from('030000503402', 'hex'), Buffer.from('www.example.com\0')]);
    send(
      ipfix([
        set(2, template(300, fields)),
        set(300, Buffer.concat([u8(6), SOURCE, DESTINATION, u16(51514), u16(80), variable(host), u64(5)]), 0),
      ]),
    );
    const [record] = records;
    assert.deepEqual([record?.source, record?.srcPort, record?.destination, record?.dstPort], ['192.0.2.10', 51514, '198.51.100.20', 80]);
    assert.deepEqual([record?.details, record?.directed], [['host_server_name', 'www.example.com'], true]);
  });
});

describe('options', () => {
  const fields: readonly FieldOf[] = [...KEY, [1, 4], [2, 4], [48, 1]];
  const data = (sampler: number): Buffer => Buffer.concat([key(), u32(100), u32(1), u8(sampler)]);

  test('v9 sampler table; a record of the sampler 0 is not sampled', () => {
    const { send, records } = createHarness();
    send(
      v9([
        set(
          1,
          v9Options(
            257,
            [[1, 4]],
            [
              [48, 1],
              [49, 1],
              [50, 4],
            ],
          ),
        ),
        set(257, Buffer.concat([u32(1), u8(1), u8(2), u32(100), u32(1), u8(2), u8(2), u32(500)]), 0),
      ]),
    );
    send(v9([set(0, template(300, fields)), set(300, Buffer.concat([data(1), data(2), data(0)]), 0)], { sequence: 1 }));
    assert.deepEqual(
      records.map((record) => record.samplingRate),
      [100, 500, 1],
    );
  });

  test('IPFIX selectors (RFC 5477): interval and space, size and population, probability', () => {
    const { send, records } = createHarness();
    send(
      ipfix([
        set(
          3,
          ipfixOptions(
            400,
            [[302, 4]],
            [
              [304, 2],
              [305, 4],
              [306, 4],
            ],
          ),
        ),
        set(400, Buffer.concat([u32(1), u16(1), u32(1), u32(999)]), 0),
        set(
          3,
          ipfixOptions(
            401,
            [[302, 4]],
            [
              [309, 4],
              [310, 4],
            ],
          ),
        ),
        set(401, Buffer.concat([u32(2), u32(2), u32(512)]), 0),
        set(3, ipfixOptions(402, [[302, 4]], [[311, 8]])),
        set(402, Buffer.concat([u32(3), Buffer.from('3fa0000000000000', 'hex')]), 0),
        set(2, template(300, [...KEY, [302, 4]])),
        set(300, Buffer.concat([1, 2, 3].flatMap((id) => [key(), u32(id)])), 0),
      ]),
    );
    assert.deepEqual(
      records.map((record) => record.samplingRate),
      [1000, 256, 32],
    );
  });

  test('by interface; the only sampler for records that name none; configuration before all', () => {
    const interfaces = v9([set(1, v9Options(257, [[2, 4]], [[34, 4]])), set(257, Buffer.concat([u32(3), u32(64)]))]);
    const flows = v9([set(0, template(300, [...KEY, [10, 2]])), set(300, Buffer.concat([key(), u16(3), key(), u16(4)]), 0)], {
      sequence: 1,
    });
    const plain = createHarness();
    plain.send(interfaces);
    plain.send(flows);
    assert.deepEqual(
      plain.records.map((record) => record.samplingRate),
      [64, 1],
    );
    const only = createHarness();
    only.send(
      v9([
        set(
          1,
          v9Options(
            257,
            [[1, 4]],
            [
              [48, 1],
              [50, 4],
            ],
          ),
        ),
        set(257, Buffer.concat([u32(1), u8(1), u32(100)]), 0),
      ]),
    );
    only.send(flows);
    assert.deepEqual(
      only.records.map((record) => record.samplingRate),
      [100, 100],
    );
    const configured = createHarness({ samplingRates: new Map([[EXPORTER, 10]]), samplingRate: 7 });
    configured.send(interfaces);
    configured.send(flows);
    assert.deepEqual(
      configured.records.map((record) => record.samplingRate),
      [10, 10],
    );
    const defaults = createHarness({ samplingRate: 7 });
    defaults.send(flows);
    assert.deepEqual(
      defaults.records.map((record) => record.samplingRate),
      [7, 7],
    );
  });

  test('time-outs become an event, again when they change', () => {
    const { send, events } = createHarness();
    const options = set(
      1,
      v9Options(
        257,
        [[1, 4]],
        [
          [36, 2],
          [37, 2],
        ],
      ),
    );
    send(v9([options, set(257, Buffer.concat([u32(1), u16(120), u16(15)]))]));
    send(v9([set(257, Buffer.concat([u32(1), u16(120), u16(15)]))], { sequence: 1 }));
    send(v9([set(257, Buffer.concat([u32(1), u16(60), u16(15)]))], { sequence: 2 }));
    assert.deepEqual(
      events.map(({ source, activeTimeout, idleTimeout }) => [source, activeTimeout, idleTimeout]),
      [
        ['203.0.113.1:7', undefined, undefined],
        ['203.0.113.1:7', 120, 15],
        ['203.0.113.1:7', 60, 15],
      ],
    );
  });

  test('names of applications (NBAR) by their table', () => {
    const { send, records } = createHarness();
    const name = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc(24 - text.length)]);
    const id = (engine: number, selector: number): Buffer => u32(engine * 2 ** 24 + selector);
    send(
      v9([
        set(
          1,
          v9Options(
            257,
            [[1, 4]],
            [
              [95, 4],
              [96, 24],
            ],
          ),
        ),
        set(
          257,
          Buffer.concat([
            u32(1),
            id(13, 453),
            name('secure-http'),
            u32(1),
            id(13, 80),
            name('youtube'),
            u32(1),
            id(13, 1),
            name('unknown'),
          ]),
          0,
        ),
        set(0, template(300, [...KEY, [95, 4]])),
        set(300, Buffer.concat([key(), id(13, 453), key(), id(13, 80), key(), id(13, 1), key(), id(13, 999)]), 0),
      ]),
    );
    assert.deepEqual(
      records.map((record) => record.protocolName),
      ['TLS', 'youtube', '', ''],
    );
    assert.deepEqual(records[3]?.more, ['APPLICATION_ID', '13:999']);
  });
});

describe('templates', () => {
  const first = template(300, [...KEY, [1, 4]]);
  const data = set(300, Buffer.concat([key(), u32(77)]));

  test('data before their template wait for it and keep their times', () => {
    const { send, records, count, troubles } = createHarness();
    send(v9([data], { uptime: 1000, seconds: 1_700_000_000 }));
    send(v9([data], { uptime: 2000, seconds: 1_700_000_001, sequence: 1 }));
    assert.equal(records.length, 0);
    send(v9([set(0, first)], { uptime: 3000, seconds: 1_700_000_002, sequence: 2 }));
    assert.deepEqual(
      records.map((record) => [record.inBytes, record.last]),
      [
        [77, 1_700_000_000_000_000],
        [77, 1_700_000_001_000_000],
      ],
    );
    assert.deepEqual([count('sets.waiting'), count('sets.waited')], [2, 2]);
    assert.deepEqual(troubles(), {});
  });

  test('what waits is limited in bytes and in time', () => {
    const { send, records, count, decoder } = createHarness({ limits: { waitingBytesOfDomain: 600, waitingSeconds: 60 } });
    for (let sequence = 0; sequence < 3; sequence++) send(v9([data], { sequence }), { at: NOW + sequence });
    assert.equal(count('sets.waiting.refused'), 1);
    decoder.tick(NOW + 61e6);
    assert.equal(count('sets.waiting.expired'), 2);
    assert.equal(decoder.exporters()[0]?.waiting, 0);
    send(v9([set(0, first)], { sequence: 3 }));
    assert.equal(records.length, 0);
  });

  test('told again: nothing; told otherwise: taken from there on', () => {
    const { send, records, count, decoder } = createHarness();
    send(v9([set(0, first), data]));
    const revision = decoder.revision();
    send(v9([set(0, first), data], { sequence: 1 }));
    assert.equal(decoder.revision(), revision);
    send(v9([set(0, template(300, [...KEY, [2, 4]])), data], { sequence: 2 }));
    assert.deepEqual(
      records.map((record) => [record.inBytes, record.inPackets]),
      [
        [77, 0],
        [77, 0],
        [0, 77],
      ],
    );
    assert.deepEqual([count('templates'), count('templates.changed')], [2, 1]);
  });

  test('IPFIX: one is withdrawn, all of a kind are', () => {
    const { send, records, count } = createHarness();
    send(
      ipfix([
        set(2, Buffer.concat([first, template(301, KEY), template(302, KEY)])),
        set(3, ipfixOptions(400, [[149, 4]], [[36, 2]])),
        data,
      ]),
    );
    send(ipfix([set(2, Buffer.concat([u16(300), u16(0)])), data], { sequence: 1 }));
    assert.equal(records.length, 1);
    assert.equal(count('templates.withdrawn'), 1);
    send(ipfix([set(2, Buffer.concat([u16(2), u16(0)]))], { sequence: 2 }));
    assert.equal(count('templates.withdrawn'), 3);
    send(ipfix([set(3, Buffer.concat([u16(3), u16(0)]))], { sequence: 2 }));
    assert.equal(count('templates.withdrawn'), 4);
  });

  test('limits: of one domain, of all fields, of one template', () => {
    const { send, count, decoder } = createHarness({ limits: { templates: 2, fields: 30 } });
    send(v9([set(0, Buffer.concat([template(300, KEY), template(301, KEY), template(302, KEY)]))]));
    assert.deepEqual([decoder.exporters()[0]?.templates, count('templates.refused')], [2, 1]);
    send(
      v9(
        [
          set(
            0,
            template(
              300,
              Array.from({ length: 19 }, (): FieldOf => [1, 1]),
            ),
          ),
        ],
        { sequence: 1 },
      ),
    );
    assert.deepEqual([decoder.exporters()[0]?.templates, count('templates.refused')], [1, 2]);
    const large = createHarness();
    large.send(
      v9([
        set(
          0,
          template(
            300,
            Array.from({ length: 513 }, (): FieldOf => [1, 1]),
          ),
        ),
      ]),
    );
    assert.equal(large.count('templates.refused'), 1);
  });

  test('that no record can have: no bytes, more scopes than fields, cut', () => {
    const { send, count } = createHarness();
    send(ipfix([set(2, template(300, [[1, 0]]))]));
    send(ipfix([set(3, Buffer.concat([u16(300), u16(1), u16(2), u16(1), u16(4)]))]));
    send(ipfix([set(2, Buffer.concat([u16(300), u16(9), u16(1), u16(4)]))]));
    send(v9([set(1, Buffer.concat([u16(300), u16(3), u16(1), u16(1), u16(4)]))]));
    assert.equal(count('templates.damaged'), 4);
  });

  test('the domains of an exporter do not share them', () => {
    const { send, records } = createHarness();
    send(v9([set(0, first)], { domain: 1 }));
    send(v9([data], { domain: 2 }));
    assert.equal(records.length, 0);
    send(v9([data], { domain: 1, sequence: 1 }));
    assert.equal(records.length, 1);
  });

  test('an exporter with another port begins with what it had said', () => {
    const { send, records, troubles } = createHarness();
    send(v9([set(0, first), set(1, v9Options(257, [[1, 4]], [[34, 4]])), set(257, Buffer.concat([u32(1), u32(50)]))], { sequence: 900 }));
    send(v9([data], { sequence: 0 }), { port: 6000 });
    assert.deepEqual(
      records.map((record) => [record.inBytes, record.samplingRate]),
      [[77, 50]],
    );
    assert.deepEqual(troubles(), {});
  });

  test('sessions of one exporter share what it told until one tells something else: from many ports nobody fills the memory', () => {
    const { send, records, count } = createHarness({ limits: { fields: 2 * (KEY.length + 9) } });
    send(v9([set(0, first)]));
    for (let port = 6000; port < 6500; port++) send(v9([data]), { port });
    assert.equal(records.length, 500);
    // the first that tells something else has room for it; then there is none
    send(v9([set(0, template(300, [...KEY, [2, 4]])), data], { sequence: 1 }), { port: 6000 });
    send(v9([data], { sequence: 1 }), { port: 6001 });
    assert.deepEqual(
      records.slice(-2).map(({ inBytes, inPackets }) => [inBytes, inPackets]),
      [
        [0, 77],
        [77, 0],
      ],
    );
    assert.equal(count('templates.refused'), 0);
    send(v9([set(0, template(301, KEY))], { sequence: 2 }), { port: 6002 });
    assert.equal(count('templates.refused'), 1);
  });

  test('kept over a restart', () => {
    const before = createHarness();
    before.send(
      v9([
        set(0, first),
        set(
          1,
          Buffer.concat([
            v9Options(
              257,
              [[1, 4]],
              [
                [34, 4],
                [36, 2],
                [37, 2],
              ],
            ),
            v9Options(
              258,
              [[1, 4]],
              [
                [95, 4],
                [96, 8],
              ],
            ),
          ]),
        ),
        set(257, Buffer.concat([u32(1), u32(50), u16(60), u16(10)])),
        set(258, Buffer.concat([u32(1), u32(5), Buffer.from('youtube\0')])),
      ]),
    );
    const after = createHarness();
    assert.deepEqual(after.decoder.exporters(), []);
    assert.equal(before.decoder.revision() > 3, true);
    assert.deepEqual(after.decoder.restore(before.decoder.save()), { exporters: 1, templates: 3 });
    after.send(v9([data], { sequence: 5000 }), { port: 6001 });
    assert.deepEqual(
      after.records.map((record) => [record.inBytes, record.samplingRate]),
      [[77, 50]],
    );
    assert.deepEqual([after.events.at(-1)?.activeTimeout, after.events.at(-1)?.idleTimeout], [60, 10]);
    assert.deepEqual(after.troubles(), {});
  });

  test('a damaged file is an error that says what to do, damaged entries are left out', () => {
    const { decoder } = createHarness();
    assert.throws(() => decoder.restore('{'), /no JSON.*Delete it/);
    assert.throws(() => decoder.restore('{"format":2}'), /format 1/);
    const entries = [
      7,
      {},
      { address: 'x', version: 9, templates: ['01', 'zz', 7, '012c0001'] },
      { address: 'y', version: 10, options: ['012c00018000'] },
    ];
    assert.deepEqual(decoder.restore(JSON.stringify({ format: 1, exporters: entries })), { exporters: 2, templates: 0 });
  });
});

describe('sequence numbers', () => {
  test('v9 counts messages: a gap, one that comes late, a restart', () => {
    const { send, count, decoder } = createHarness();
    const at = (sequence: number, uptime = 3_600_000): void => send(v9([], { sequence, uptime }));
    at(10);
    at(11);
    at(14);
    assert.equal(count('sequence.lost'), 2);
    at(12);
    assert.deepEqual([count('sequence.lost'), count('sequence.late')], [1, 1]);
    at(15);
    assert.equal(count('sequence.lost'), 1);
    at(0, 2000);
    at(1, 3000);
    assert.deepEqual([count('sequence.lost'), count('sequence.restarts')], [1, 1]);
    assert.equal(decoder.exporters()[0]?.lost, 1);
  });

  test('v5 counts flows, for each engine', () => {
    const { send, count } = createHarness();
    send(v5([{}, {}], { sequence: 100 }));
    send(v5([{}], { sequence: 7, engine: 3 }));
    send(v5([{}], { sequence: 102 }));
    send(v5([{}], { sequence: 110 }));
    send(v5([{}], { sequence: 8, engine: 3 }));
    assert.equal(count('sequence.lost'), 7);
    send(v5([{}, {}, {}], { sequence: 103 }));
    assert.deepEqual([count('sequence.lost'), count('sequence.late')], [4, 1]);
  });

  test('IPFIX counts data records; after a set that cannot be read the next number is taken as it comes', () => {
    const { send, count } = createHarness();
    const records = (n: number): Buffer => set(300, Buffer.concat(Array.from({ length: n }, () => key())), 0);
    send(ipfix([set(2, template(300, KEY)), records(3)], { sequence: 0 }));
    send(ipfix([records(2)], { sequence: 3 }));
    send(ipfix([records(1)], { sequence: 9 }));
    assert.equal(count('sequence.lost'), 4);
    send(ipfix([set(999, Buffer.alloc(20))], { sequence: 10 }));
    send(ipfix([records(1)], { sequence: 50 }));
    send(ipfix([records(1)], { sequence: 51 }));
    assert.equal(count('sequence.lost'), 4);
    send(ipfix([records(1)], { sequence: 0 }));
    send(ipfix([records(1)], { sequence: 1 }));
    assert.deepEqual([count('sequence.lost'), count('sequence.restarts')], [4, 1]);
  });

  test('IPFIX of exporters that count a message’s own flows (softflowd): no loss where there is none, and all that there is', () => {
    const { send, count } = createHarness();
    const flows = (n: number): Buffer => set(300, Buffer.concat(Array.from({ length: n }, () => key())), 0);
    send(ipfix([set(2, template(300, KEY))]));
    let sequence = 0;
    for (const n of [18, 25, 24, 26, 24, 25, 27, 30]) send(ipfix([flows(n)], { sequence: (sequence += n) }), { port: 7000 });
    assert.deepEqual([count('sequence.lost'), count('sequence.restarts')], [0, 0]);
    sequence += 21;
    for (const n of [18, 25]) send(ipfix([flows(n)], { sequence: (sequence += n) }), { port: 7000 });
    assert.equal(count('sequence.lost'), 21);
  });

  test('numbers wrap at 2^32', () => {
    const { send, troubles } = createHarness();
    for (const sequence of [2 ** 32 - 2, 2 ** 32 - 1, 0, 1]) send(v9([], { sequence }));
    assert.deepEqual(troubles(), {});
  });
});

describe('bad input', () => {
  test('every message is decoded or refused for one reason, with a sample and one line a minute', () => {
    const { send, count, decoder, lines, counters } = createHarness();
    const messages = [
      '',
      '00',
      '00050001',
      v5([{}]).subarray(0, 60),
      '0007',
      '000000050000',
      '0009',
      '000a0010',
      '000a000f00000000000000000000000000',
      ipfix([]).subarray(0, 15),
      v9([Buffer.from('0000ffff', 'hex')]),
      ipfix([Buffer.from('00020003', 'hex')]),
    ];
    for (const message of messages) send(message);
    const refused = (['refused.short', 'refused.version', 'refused.length', 'refused.set'] as const).map(count);
    assert.deepEqual(refused, [6, 2, 2, 2]);
    assert.equal(
      counters[0],
      refused.reduce((sum, value) => sum + value),
    );
    assert.equal(lines.length, 4);
    assert.match(lines[0] ?? '', /203\.0\.113\.1 port 5000: messages shorter than their header \(netflow\.refused\.short, 1 so far\)/);
    assert.deepEqual(decoder.exporters(), []);
    const sample = decoder.samples().find(({ reason }) => reason === 'netflow.refused.version');
    assert.deepEqual([sample?.hex, sample?.length, sample?.address], ['000000050000', 6, EXPORTER]);
    send('0007', { at: NOW + 61e6 });
    assert.equal(lines.length, 5);
  });

  test('a damaged set or record ends its part of the message only', () => {
    const { send, records, count } = createHarness();
    send(
      ipfix([
        set(2, template(300, [...KEY, [94, 0xffff]])),
        set(300, Buffer.concat([key(), variable('ok'), key(), u8(200), u8(1)]), 0),
        set(2, template(301, KEY)),
        set(301, key(), 0),
      ]),
    );
    assert.equal(records.length, 2);
    assert.equal(count('records.damaged'), 1);
    send(ipfix([set(301, key(), 0), Buffer.from('01010001', 'hex')], { sequence: 3 }));
    assert.deepEqual([records.length, count('sets.damaged')], [3, 1]);
    send(ipfix([set(17, Buffer.alloc(4)), set(301, key(), 0)], { sequence: 4 }));
    assert.deepEqual([records.length, count('sets.reserved')], [4, 1]);
  });

  test('a variable length that reaches beyond the set', () => {
    for (const tail of [[255], [255, 1], [255, 0, 9, 1], [5, 1]]) {
      const { send, records, count } = createHarness();
      send(
        ipfix([
          set(
            2,
            template(300, [
              [12, 4],
              [94, 0xffff],
              [8, 4],
            ]),
          ),
          set(300, Buffer.concat([DESTINATION, Buffer.from(tail), Buffer.alloc(Math.max(0, 5 - tail.length))]), 0),
        ]),
      );
      assert.deepEqual([records.length, count('records.damaged')], [0, 1]);
    }
  });

  test('too many exporters: the longest silent are forgotten, with their templates', () => {
    const { send, count, decoder } = createHarness({ limits: { domains: 8, fields: 8 * (KEY.length + 8) } });
    for (let i = 0; i < 20; i++) send(v9([set(0, template(300, KEY))]), { address: `203.0.113.${i}`, at: NOW + i });
    assert.ok(decoder.exporters().length <= 8);
    assert.equal(count('exporters'), decoder.exporters().length);
    assert.equal(count('exporters.evicted'), 20 - decoder.exporters().length);
    assert.equal(count('templates'), 20);
  });
});

test('records of one direction only, of an exporter that reports both', () => {
  for (const [directions, wanted] of [
    ['all', 2],
    ['ingress', 1],
    ['egress', 1],
  ] as const) {
    const { send, records, count } = createHarness({ directions });
    send(v9([set(0, template(300, [...KEY, [61, 1]])), set(300, Buffer.concat([key(), u8(0), key(), u8(1)]))]));
    assert.equal(records.length, wanted);
    assert.equal(count('records.direction'), 2 - wanted);
  }
});

test('the exporter that a record names stands for the one that sent it', () => {
  assert.equal(oneRecord([[130, 4]], [ip('10.9.8.7')])?.exporter, '10.9.8.7');
});

test('a session that another one has followed is forgotten after an hour; one without a successor is not', () => {
  const { send, decoder, count } = createHarness();
  send(v9([]), { port: 5000 });
  send(v9([], { domain: 8 }), { port: 5000 });
  send(v9([]), { port: 6000, at: NOW + 60e6 });
  decoder.tick(NOW + 3500e6);
  assert.equal(decoder.exporters().length, 3);
  decoder.tick(NOW + 3700e6);
  assert.deepEqual(
    decoder.exporters().map(({ port, domain }) => [port, domain]),
    [
      [5000, 8],
      [6000, 7],
    ],
  );
  assert.deepEqual([count('exporters'), count('exporters.evicted')], [2, 0]);
});

test('a tick tells of the exporters that were heard since the last one', () => {
  const { send, events, decoder } = createHarness();
  send(v9([], { sequence: 1 }));
  decoder.tick(NOW + 5e6);
  decoder.tick(NOW + 10e6);
  send(v9([], { sequence: 4 }), { at: NOW + 11e6 });
  decoder.tick(NOW + 15e6);
  assert.deepEqual(
    events.map((event) => event.totals?.['drops.sequence']),
    [0, 0, 2],
  );
});
