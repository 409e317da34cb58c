/** What fields do to the record, by number and by name, and what is made of the whole. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FIELDS } from '../../../src/records/zmq/fields.ts';
import { NTOP_NAMES, STANDARD_NAMES } from '../../../src/records/zmq/names.ts';
import { BASE, decoding, NOW, recordOf, type Shown } from './decoding.ts';
import { header, json, tlv } from './encode.ts';

/** Only these of the record's members. */
const pick = (members: object, ...keys: string[]): Shown => Object.fromEntries(keys.map((key) => [key, recordOf(members)[key]]));

describe('keys', () => {
  test('a field is the same by number, enterprise number and name', () => {
    for (const key of ['57595', '35632.123', '35632.57595', '123', 'CLIENT_NW_LATENCY_MS']) {
      assert.deepEqual(pick({ [key]: 1.5 }, 'clientLatency'), { clientLatency: 1500 }, key);
    }
  });

  test('in TLV, numbers and texts of numbers are the same', () => {
    for (const key of [57595, '57595', '35632.123', 'CLIENT_NW_LATENCY_MS']) {
      const payload = tlv([
        [
          ['8', '192.0.2.1'],
          [key, { float: 1.5 }],
        ],
      ]);
      assert.equal(decoding().send(payload, header(36, { flags: 2 }))[0].clientLatency, 1500, String(key));
    }
  });

  test('standard numbers keep their meaning', () => {
    assert.deepEqual(pick({ '130': '203.0.113.9', '180': 'x', '9.1': 'y' }, 'exporter', 'more'), {
      exporter: '203.0.113.9',
      more: { '180': 'x', '9.1': 'y' },
    });
  });

  test('every name in the dictionary is known', () => {
    const names = [...FIELDS, ...STANDARD_NAMES, ...NTOP_NAMES].flatMap((field) => field.names);
    assert.ok(names.length > 480);
    const { send, count } = decoding();
    for (const name of names) send({ '8': '192.0.2.1', [name]: 1 });
    assert.equal(count('zmq.fields.unknown'), 0);
  });

  test('autonomous systems and the VRF, by number and by name', () => {
    const shown = { srcAs: 64500, dstAs: 4200000001, previousAs: 64501, nextAs: 64502, vrf: 7 };
    const said = (keys: readonly string[]): object => Object.fromEntries(keys.map((key, i) => [key, Object.values(shown)[i]]));
    const members = [...Object.keys(shown), 'more'];
    for (const keys of [
      ['16', '17', '129', '128', '234'],
      ['SRC_AS', 'DST_AS', 'BGP_PREV_ADJACENT_ASN', 'BGP_NEXT_ADJACENT_ASN', 'INGRESS_VRFID'],
    ]) {
      assert.deepEqual(pick(said(keys), ...members), { ...shown, more: undefined });
    }
  });

  test('what has a name and no meaning is kept by it', () => {
    assert.deepEqual(pick({ '62': '2001:db8::1', '35632.98': 5, RTP_MOS: 4.25 }, 'more'), {
      more: { IPV6_NEXT_HOP: '2001:db8::1', CUMULATIVE_ICMP_TYPE: 5, RTP_MOS: 4.25 },
    });
  });

  test('what is unknown is kept as it came', () => {
    const more = { '58400': 7, '35632.60000': 'a', '9.12235': 'b', NEW_THING: 1.25, NESTED: '{"a":[1,2]}' };
    const { send, count } = decoding();
    const [record] = send(
      '{"8":"192.0.2.1","58400":7,"35632.60000":"a","9.12235":"b","NEW_THING":1.25,"NESTED":{"a":[1,2]},"EMPTY":"","NULL":null}',
    );
    assert.deepEqual(record.more, more);
    assert.equal(count('zmq.fields.unknown'), 7);
  });

  test('members of "json" are further fields', () => {
    const more = { A: 1, B: 'ü', C: '{"d":2}' };
    for (const nested of [{ A: 1, B: 'ü', C: { d: 2 } }, JSON.stringify({ A: 1, B: 'ü', C: { d: 2 } })]) {
      assert.deepEqual(pick({ json: nested }, 'more'), { more: { ...more, B: Buffer.from('ü').toString('latin1') } });
    }
  });

  test('more than 64 further fields are counted', () => {
    const { send, count } = decoding();
    const [record] = send({ '8': '192.0.2.1', ...Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`X${i}`, i])) });
    assert.equal(Object.keys(record.more as object).length, 64);
    assert.equal(count('zmq.fields.dropped'), 6);
  });
});

describe('values', () => {
  test('texts are numbers and numbers are texts', () => {
    const said = { '1': '2345', '2': '12.0', '7': '51514', '4': '6', '21': '1700000000', '57595': '11.25', '57660': 5, '58': 'x' };
    assert.deepEqual(pick(said, 'inBytes', 'inPackets', 'src', 'protocol', 'clientLatency', 'details', 'vlan'), {
      inBytes: 2345,
      inPackets: 12,
      src: '192.0.2.1 51514',
      protocol: 6,
      clientLatency: 11250,
      details: { host_server_name: '5' },
      vlan: undefined,
    });
  });

  test('what does not fit is left out and counted', () => {
    const { send, count } = decoding();
    const [record] = send({
      '8': '192.0.2.1',
      '12': '1.2.3',
      '1': 'many',
      '7': 70_000,
      '56': 'zz',
      '57595': 'fast',
      '2': 1e300,
      '57981': 'high',
    });
    assert.equal(record.src, '192.0.2.1 0');
    assert.equal(count('zmq.fields.invalid'), 7);
  });

  test('signed numbers of a TLV that cannot be negative', () => {
    const payload = tlv([
      [
        [8, '192.0.2.1'],
        [1, { signed: -1294967296 }],
        [7, { signed: -14022 }],
        [6, { signed: -37 }],
        [10, { signed: -1 }],
      ],
    ]);
    const [record] = decoding().send(payload, header(36, { flags: 2 }));
    assert.deepEqual([record.inBytes, record.src, record.srcTcpFlags, record.inIndex], [3_000_000_000, '192.0.2.1 51514', 219, 255]);
  });

  test('addresses as numbers, and the first that is not zero', () => {
    assert.equal(recordOf({ '8': 3221225994 }).src, '192.0.2.10 0');
    assert.equal(recordOf({ '27': '::' }).src, '192.0.2.1 0');
    assert.equal(recordOf({ '8': '0.0.0.0', '27': '::ffff:192.0.2.7', '12': '', '28': '::1' }).ipVersion, 6);
  });

  test('escapes, and bytes beyond ASCII', () => {
    const text = 'a"\\/\b\f\n\r\té€😀';
    assert.deepEqual(pick({ '57660': text }, 'details'), { details: { host_server_name: Buffer.from(text).toString('latin1') } });
    const escaped = '{"8":"192.0.2.1","\\u0031":5,"57660":"\\u0061\\u00e9\\ud83d\\ude00\\ud800x","57652":"caf\u00e9"}';
    const [record] = decoding().send(escaped);
    assert.equal(record.inBytes, 5);
    assert.deepEqual(record.details, {
      'http.url': Buffer.from('café').toString('latin1'),
      host_server_name: Buffer.from('aé😀\ufffdx').toString('latin1'),
    });
  });

  test('risks with all their bits', () => {
    for (const risks of [2n ** 63n + 1n, 2n ** 56n + 5n, 2n ** 53n + 1n, 2n ** 32n, 4294967295n, 1n, 0n]) {
      for (const [form, payload, head] of [
        ['number', `{"8":"192.0.2.1","57981":${risks}}`, header(28)],
        ['text', `{"8":"192.0.2.1","57981":"${risks}"}`, header(28)],
        [
          'TLV',
          tlv([
            [
              [8, '192.0.2.1'],
              [57981, risks],
            ],
          ]),
          header(36, { flags: 2 }),
        ],
        [
          'TLV text',
          tlv([
            [
              [8, '192.0.2.1'],
              [57981, String(risks)],
            ],
          ]),
          header(36, { flags: 2 }),
        ],
      ] as const) {
        const [record] = decoding().send(payload, head);
        const expected = [Number(risks & 0xffffffffn) || undefined, Number(risks >> 32n) || undefined];
        assert.deepEqual([record.risksLow, record.risksHigh], expected, `${risks} as ${form}`);
      }
    }
  });

  test('numbers with more than 53 bits stay exact among the further fields', () => {
    const [record] = decoding().send('{"8":"192.0.2.1","X":18446744073709551615,"Y":9007199254740991}');
    assert.deepEqual(record.more, { X: '18446744073709551615', Y: 9007199254740991 });
  });
});

describe('protocols', () => {
  const cases: [unknown, Shown][] = [
    [91, { master: 0, application: 91 }],
    ['91', { master: 0, application: 91 }],
    ['5.126', { master: 5, application: 126 }],
    [5.126, { master: 5, application: 126 }],
    ['126.0', { master: 0, application: 126 }],
    [0, {}],
    ['0', {}],
    ['', {}],
    ['0.126', { master: 0, application: 126 }],
    ['TLS.Google', { protocolName: 'TLS.Google' }],
  ];
  for (const [value, expected] of cases) {
    test(JSON.stringify(value), () => {
      const { master, application, protocolName } = recordOf({ '57590': value });
      assert.deepEqual(JSON.parse(JSON.stringify({ master, application, protocolName })), expected);
    });
  }

  test('91.120 is not 91.12', () => {
    const [record] = decoding().send('{"8":"192.0.2.1","118":91.120}');
    assert.deepEqual([record.master, record.application], [91, 120]);
  });

  test('a float of TLV', () => {
    const [record] = decoding().send(
      tlv([
        [
          [8, '192.0.2.1'],
          [57590, { float: 91.126 }],
        ],
      ]),
      header(36, { flags: 2 }),
    );
    assert.deepEqual([record.master, record.application], [91, 126]);
  });

  test('a name counts where there is no number', () => {
    assert.equal(recordOf({ L7_PROTO_NAME: 'DNS.Google' }).protocolName, 'DNS.Google');
    assert.equal(recordOf({ L7_PROTO_NAME: 'DNS.Google', L7_PROTO: 5 }).protocolName, undefined);
    assert.equal(recordOf({ L7_PROTO: 0, L7_PROTO_NAME: 'DNS' }).protocolName, 'DNS');
  });
});

describe('client and server', () => {
  const ends = (members: object): string => {
    const record = recordOf({ '8': '192.0.2.1', '12': '198.51.100.2', '1': 10, '2': 1, '23': 20, '24': 2, ...members });
    return `${record.src} ${record.inBytes}/${record.inPackets}`;
  };
  const kept = (port: number): string => `192.0.2.1 ${port} 10/1`;
  test('TCP from a low port without flags of the directions', () =>
    assert.equal(ends({ '4': 6, '7': 80, '11': 51000 }), '198.51.100.2 51000 20/2'));
  test('with a SYN of the source', () => assert.equal(ends({ '4': 6, '7': 80, '11': 51000, '57550': 2 }), kept(80)));
  test('UDP', () => assert.equal(ends({ '4': 17, '7': 53, '11': 40000 }), kept(53)));
  test('equal ports', () => assert.equal(ends({ '4': 6, '7': 179, '11': 179 }), kept(179)));
  test('SCTP', () => assert.equal(ends({ '4': 132, '7': 100, '11': 2000 }), '198.51.100.2 2000 20/2'));
  test('multicast', () => assert.equal(ends({ '4': 132, '7': 100, '12': '239.1.1.1', '11': 2000 }), kept(100)));
  test('broadcast', () => assert.equal(ends({ '4': 132, '7': 100, '12': '255.255.255.255', '11': 2000 }), kept(100)));
  test('an agent knows', () => {
    const [record] = decoding().send({
      IPV4_LOCAL_ADDR: '192.0.2.1',
      IPV4_REMOTE_ADDR: '192.0.2.2',
      L4_LOCAL_PORT: 22,
      L4_REMOTE_PORT: 999,
      PROTOCOL: 6,
    });
    assert.equal(record.src, '192.0.2.1 22');
  });

  test('all that belongs to an end changes sides', () => {
    const { send, count } = decoding();
    const [record] = send({
      ...{
        '8': '2001:db8::1',
        '12': '2001:db8::2',
        '7': 80,
        '11': 5000,
        '4': 6,
        '5': 1,
        '55': 2,
        '10': 3,
        '14': 4,
        '57550': 16,
        '57551': 18,
      },
      ...{ '56': '02:00:00:00:00:01', '57': '02-00-00-00-00-02', '57581': 5, '57582': 6, '57583': 7, '57584': 8, '57552': 9, '57553': 10 },
      ...{ '57595': 1, '57596': 2, '57597': 3, '57888': 11, '57892': 12, '57640': 13, '57641': 'web', '58030': 'c1' },
    });
    assert.deepEqual(record, {
      ...{ ipVersion: 6, src: '2001:0db8:0000:0000:0000:0000:0000:0002 5000', dst: '2001:0db8:0000:0000:0000:0000:0000:0001 80' },
      ...{ protocol: 6, first: NOW, last: NOW, srcTos: 2, dstTos: 1, inIndex: 4, outIndex: 3, srcTcpFlags: 18, dstTcpFlags: 16 },
      ...{ srcMac: 0x020000000002, dstMac: 0x020000000001, srcRetransmitted: 6, dstRetransmitted: 5, srcOutOfOrder: 8, dstOutOfOrder: 7 },
      ...{
        srcFragments: 10,
        dstFragments: 9,
        clientLatency: 2000,
        serverLatency: 1000,
        applicationLatency: 3000,
        srcWindow: 12,
        dstWindow: 11,
      },
      ...{ dstProcess: '{"pid":13,"name":"web"}', dstContainer: '{"id":"c1"}' },
    });
    assert.equal(count('zmq.records.swapped'), 1);
  });
});

describe('the whole record', () => {
  test('a record without addresses, and one of two versions', () => {
    const { send, count } = decoding();
    assert.deepEqual(send([{ '7': 1 }, { '8': '192.0.2.1', '28': '2001:db8::1' }, { '12': '192.0.2.1' }]).length, 1);
    assert.deepEqual([count('zmq.records.no-address'), count('zmq.records.mixed-versions'), count('zmq.records')], [1, 1, 1]);
  });

  test('one side only', () => {
    assert.equal(decoding().send({ '28': '2001:db8::1' })[0].ipVersion, 6);
  });

  test('ICMP has type and code and no ports', () => {
    assert.deepEqual(pick({ '4': 1, '7': 2048, '11': 771 }, 'src', 'dst', 'icmpType', 'icmpCode'), {
      src: '192.0.2.1 0',
      dst: '192.0.2.2 0',
      icmpType: 3,
      icmpCode: 3,
    });
    assert.deepEqual(pick({ '4': 1, '32': 2048 }, 'icmpType', 'icmpCode'), { icmpType: 8, icmpCode: 0 });
    assert.deepEqual(pick({ '4': 1, '176': 11, '177': 1 }, 'icmpType', 'icmpCode'), { icmpType: 11, icmpCode: 1 });
    assert.deepEqual(pick({ '4': 6, '32': 0 }, 'icmpType'), { icmpType: undefined });
  });

  test('VLANs', () => {
    assert.equal(recordOf({ '58': 5000 }).vlan, undefined);
    assert.equal(recordOf({ '58': 5, '59': 6 }).vlan, 6);
    assert.equal(recordOf({ '58': 5, '243': 6 }).vlan, 5);
    assert.equal(recordOf({ '243': 6 }).vlan, 6);
  });

  test('flags of both directions together count where there are no others', () => {
    assert.deepEqual(pick({ '6': 27 }, 'srcTcpFlags', 'mergedFlags'), { srcTcpFlags: 27, mergedFlags: true });
    assert.deepEqual(pick({ '6': 27, '57550': 0, '57551': 0 }, 'srcTcpFlags', 'mergedFlags'), { srcTcpFlags: 27, mergedFlags: true });
    assert.deepEqual(pick({ '6': 27, '57551': 18 }, 'srcTcpFlags', 'dstTcpFlags', 'mergedFlags'), {
      srcTcpFlags: undefined,
      dstTcpFlags: 18,
      mergedFlags: undefined,
    });
  });

  test('absolute counters are told apart', () => {
    assert.deepEqual(pick({ '231': 1000, '299': 3 }, 'inBytes', 'outPackets', 'absolute'), {
      inBytes: 1000,
      outPackets: 3,
      absolute: true,
    });
    assert.equal(recordOf({ '1': 1000 }).absolute, undefined);
  });

  test('sampling', () => {
    assert.equal(recordOf({ '34': 100 }).samplingRate, 100);
    assert.equal(recordOf({ '34': 0 }).samplingRate, undefined);
    assert.equal(recordOf({ '34': 100 }, { settings: () => ({ ignoreSampling: true }) }).samplingRate, undefined);
  });

  test('exporters', () => {
    const { send } = decoding();
    const flow = { '8': '192.0.2.1' };
    assert.equal(send(flow)[0].exporter, undefined);
    send({ 'probe.ip': '192.0.2.99' }, header(28, { topic: 'event' }));
    assert.equal(send(flow)[0].exporter, '192.0.2.99');
    assert.equal(send({ ...flow, '35632.57943': '192.0.2.98', '130': 0 })[0].exporter, '192.0.2.98');
    assert.equal(send({ ...flow, '35632.57943': '192.0.2.98', '131': '2001:db8::9', '130': '0.0.0.0' })[0].exporter, '2001:db8::9');
    assert.equal(send({ ...flow, '130': 3405803777 })[0].exporter, '203.0.113.1');
  });

  test('processes without a number are none', () => {
    assert.equal(recordOf({ SRC_PROC_PID: 0, SRC_PROC_NAME: '' }).srcProcess, undefined);
    assert.equal(recordOf({ SRC_PROC_NAME: 'x' }).srcProcess, undefined);
  });

  test('passwords are not kept', () => {
    assert.deepEqual(recordOf({ FTP_LOGIN: 'me', FTP_PASSWORD: 'secret' }).details, { 'login.user': 'me' });
    assert.doesNotMatch(JSON.stringify(recordOf({ FTP_PASSWORD: 'secret' })), /secret/);
  });
});

describe('times', () => {
  const S = 1e6;
  const cases: [string, object, [number, number], string?][] = [
    ['seconds', { '22': 1_700_000_001, '21': 1_700_000_003 }, [BASE + S, BASE + 3 * S]],
    ['seconds with a fraction, in texts', { '22': '1700000001.5', '21': '1700000003' }, [BASE + 1.5 * S, BASE + 3 * S]],
    ['milliseconds where seconds should be', { '22': 1_700_000_001_500, '21': 1_700_000_003_000 }, [BASE + 1.5 * S, BASE + 3 * S]],
    ['uptime of an exporter', { '22': 5000, '21': 9000 }, [NOW, NOW], 'zmq.records.no-time'],
    ['none', { '22': 0, '21': 0 }, [NOW, NOW], 'zmq.records.no-time'],
    ['only the first', { '22': 1_700_000_001, '21': 0 }, [BASE + S, BASE + S]],
    ['only the last', { '22': 0, '21': 1_700_000_003 }, [BASE + 3 * S, BASE + 3 * S]],
    ['the last and a duration', { '22': 0, '21': 1_700_000_003, '161': 1500 }, [BASE + 1.5 * S, BASE + 3 * S]],
    ['the wrong way round', { '22': 1_700_000_005, '21': 1_700_000_003 }, [BASE + 3 * S, BASE + 3 * S]],
    ['a minute ahead', { '22': 1_700_000_001, '21': 1_700_000_080 }, [BASE + S, BASE + 80 * S]],
    ['in the future', { '22': 1_700_000_001, '21': 1_700_000_081 }, [BASE + S, NOW], 'zmq.records.future'],
    ['both in the future', { '22': 1_800_000_000, '21': 1_800_000_000 }, [NOW, NOW], 'zmq.records.future'],
    ['milliseconds', { '152': 1_700_000_001_250, '153': 1_700_000_002_750 }, [BASE + 1.25 * S, BASE + 2.75 * S]],
    ['microseconds', { '154': 1_700_000_001_250_001, '155': 1_700_000_002_750_002 }, [BASE + 1_250_001, BASE + 2_750_002]],
    ['nanoseconds', { '156': '1700000001250001000', '157': '1700000002750002000' }, [BASE + 1_250_001, BASE + 2_750_002]],
  ];
  for (const [name, members, times, counter] of cases) {
    test(name, () => {
      const { send, counts } = decoding();
      const [record] = send({ '8': '192.0.2.1', '12': '192.0.2.2', '21': 1_700_000_000, '22': 1_700_000_000, ...members });
      assert.deepEqual([record.first, record.last], times);
      assert.deepEqual(counts(), { 'zmq.records': 1, ...(counter && { [counter]: 1 }) });
    });
  }
});

test('details by the names that the fields of a flow read', () => {
  const said = {
    ...{ HTTP_URL: '/x', HTTP_RET_CODE: 404, HTTP_METHOD: 'GET', HTTP_USER_AGENT: 'curl', HTTP_SITE: 'a.example', L7_INFO: 'b.example' },
    ...{ JA3C_HASH: 'c', JA3S_HASH: 's', JA4C_HASH: 'j', TLS_CIPHER: 4865, TLS_UNSAFE_CIPHER: 1, DNS_QUERY_TYPE: 28, DNS_RET_CODE: 3 },
    ...{ BITTORRENT_HASH: 'h', SSL_SERVER_NAME: 'later.example' },
  };
  assert.deepEqual(pick(said, 'details').details, {
    ...{ 'http.url': '/x', 'http.return_code': '404', 'http.method': 'GET', 'http.user_agent': 'curl', host_server_name: 'a.example' },
    ...{ 'tls.ja3_client': 'c', 'tls.ja3_server': 's', 'tls.ja4': 'j', 'tls.server_cipher': '4865', 'tls.unsafe_cipher': '1' },
    ...{ 'dns.query_type': '28', 'dns.reply_code': '3', 'bittorrent.hash': 'h' },
  });
  assert.deepEqual(pick({ L7_INFO: 'b.example' }, 'details').details, { host_server_name: 'b.example' });
  assert.deepEqual(pick({ HTTP_URL: '', HTTP_USER_AGENT: '\nx', HTTP_RET_CODE: 0 }, 'details'), { details: undefined });
});

test('one record leaves nothing behind for the next', () => {
  const { send } = decoding();
  const all = Object.fromEntries([
    ...FIELDS.map((field) => [String(field.number), '1']),
    ['8', '192.0.2.1'],
    ['12', '192.0.2.2'],
    ['X', 'x'],
  ]);
  const plain = { '8': '192.0.2.3', '12': '192.0.2.4' };
  const [fresh] = decoding().send(plain);
  assert.deepEqual(send([all, plain])[1], fresh);
  send(`[${JSON.stringify(all).slice(0, -1)}`);
  assert.deepEqual(send(json(plain)), [fresh]);
});
