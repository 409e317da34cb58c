/** Messages of one or many probes: encodings, sequence numbers, heartbeats, what is rejected, limits. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { SILENCE } from '../../../src/records/zmq/decoder.ts';
import { decoding, NOW } from './decoding.ts';
import { afterNul, header, json, type Layout, tlv, zlib } from './encode.ts';

const flow = { '8': '192.0.2.1', '12': '192.0.2.2', '1': 5 };
const tlvFlow = tlv([
  [
    [8, '192.0.2.1'],
    [12, '192.0.2.2'],
    [1, 5],
  ],
]);

describe('every encoding', () => {
  const layouts: readonly Layout[] = [24, 28, 36, 40];
  const cases: [string, Buffer, Buffer][] = [
    ...layouts.flatMap((layout): [string, Buffer, Buffer][] =>
      [0, 1, 2].flatMap((version): [string, Buffer, Buffer][] => [
        [`JSON, ${layout} bytes, version ${version}`, header(layout, { version }), json(flow)],
        [`JSON in zlib, ${layout} bytes, version ${version}`, header(layout, { version }), afterNul(json(flow))],
      ]),
    ),
    ...layouts.map((layout): [string, Buffer, Buffer] => [`TLV, ${layout} bytes, version 3`, header(layout, { version: 3 }), tlvFlow]),
    ['JSON, version 4', header(36), json(flow)],
    ['JSON in zlib, version 4', header(36, { flags: 4 }), zlib(json(flow))],
    ['TLV, version 4', header(36, { flags: 2 }), tlvFlow],
    ['TLV in zlib, version 4', header(36, { flags: 6 }), zlib(tlvFlow)],
    ['version 4 in an older layout', header(24, { version: 4 }), afterNul(json(flow))],
    ['another level of zlib', header(36, { flags: 4 }), deflateSync(json(flow), { level: 1 })],
    ['TLV under a header that says JSON', header(28), tlvFlow],
    ['JSON under a header that says TLV', header(36, { flags: 2 }), json(flow)],
    ['zlib under a header that does not say so', header(36), zlib(json(flow))],
    ['JSON under a header that says zlib', header(36, { flags: 4 }), json(flow)],
    ['an array', header(28), json([flow])],
    ['lines', header(28), Buffer.from(`${JSON.stringify(flow)}\n`)],
    ['spaces', header(28), Buffer.from(` \r\n\t${JSON.stringify([flow], null, 2)} \n`)],
  ];
  for (const [name, head, payload] of cases) {
    test(name, () => {
      const { send, counts } = decoding();
      const [record, ...more] = send(payload, head);
      assert.deepEqual([record.src, record.dst, record.inBytes, more], ['192.0.2.1 0', '192.0.2.2 0', 5, []]);
      assert.deepEqual(counts(), { 'zmq.records': 1, 'zmq.records.no-time': 1 });
    });
  }

  test('more than 255 flows', () => {
    const flows = Array.from({ length: 1000 }, (_, i) => ({ ...flow, '1': i }));
    const inBytes = (records: Record<string, unknown>[]): unknown[] => records.map((record) => record.inBytes ?? 0);
    const expected = flows.map((each) => each['1']);
    const { send, decoder } = decoding();
    assert.deepEqual(inBytes(send(flows)), expected);
    assert.deepEqual(inBytes(send(flows.map((each) => JSON.stringify(each)).join('\n'))), expected);
    assert.deepEqual(
      inBytes(
        send(
          tlv(
            flows.map((each) => [
              [8, '192.0.2.1'],
              [1, each['1']],
            ]),
          ),
          header(36, { flags: 2 }),
        ),
      ),
      expected,
    );
    assert.equal(decoder.probes()[0].records, 3000);
  });

  test('records of a TLV: empty ones, a last one without end, blocks and lists', () => {
    const block = [0x2c, 200, 0x22, 1, 9, 0x2e, 7, 0x22, 1, 8, 0x0f, 0x0d];
    const payload = Buffer.concat([
      Buffer.of(1, 1, 1, 1),
      tlvFlow.subarray(2, -1),
      Buffer.from(block),
      Buffer.of(1, 1),
      tlvFlow.subarray(2, -1),
    ]);
    const { send, count } = decoding();
    assert.deepEqual(
      send(payload, header(36, { flags: 2 })).map((record) => record.inBytes),
      [5, 5],
    );
    assert.equal(count('zmq.rejected.tlv'), 0);
  });
});

describe('numbers of messages', () => {
  const lost = (ids: readonly number[]): number[] => {
    const { send, count } = decoding();
    for (const id of ids) send(flow, header(28, { id }));
    return [count('zmq.sequence.lost'), count('zmq.sequence.gaps'), count('zmq.sequence.restarts'), count('zmq.sequence.reordered')];
  };
  const cases: [string, number[], number[]][] = [
    ['in order', [10, 11, 12], [0, 0, 0, 0]],
    ['a gap', [10, 13], [2, 1, 0, 0]],
    ['the same again', [10, 10, 11], [0, 0, 0, 0]],
    ['a restart', [10, 3, 4], [0, 0, 1, 0]],
    ['a gap, a restart, a gap', [10, 13, 3, 5], [3, 2, 1, 0]],
    ['a gap from 0', [0, 5], [4, 1, 0, 0]],
    ['late ones', [10, 14, 12, 11, 13, 15], [0, 1, 0, 3]],
    ['a late one among lost ones', [10, 20, 15], [8, 1, 0, 1]],
    ['late twice is a restart', [10, 12, 11, 11], [0, 1, 1, 1]],
    ['too late is a restart', [10, 100, 20], [89, 1, 1, 0]],
    ['around 2^32', [0xfffffffe, 0xffffffff, 0, 1], [0, 0, 0, 0]],
    ['a gap around 2^32', [0xfffffffe, 2], [3, 1, 0, 0]],
    ['late across 2^32', [0xfffffffe, 1, 0xffffffff], [1, 1, 0, 1]],
    ['a restart shortly before 2^32', [0xffffffff, 2_000_000], [0, 0, 1, 0]],
    ['a restart in the middle', [3_000_000_000, 1], [0, 0, 1, 0]],
    ['a start at a high number', [5, 3_000_000_000], [0, 0, 1, 0]],
  ];
  for (const [name, ids, expected] of cases) test(name, () => assert.deepEqual(lost(ids), expected));

  test('each source for itself, each endpoint for itself', () => {
    const { send, count, decoder } = decoding();
    const at = (endpoint: string, source: number, id: number): void => void send(flow, header(28, { id, source }), endpoint);
    at('a', 1, 10);
    at('a', 2, 500);
    at('b', 1, 70);
    at('a', 1, 11);
    at('a', 2, 501);
    at('b', 1, 72);
    assert.equal(count('zmq.sequence.lost'), 1);
    assert.deepEqual(
      decoder.probes().map(({ source, messages, records, lost }) => [source, messages, records, lost]),
      [
        ['a #1', 2, 2, 0],
        ['a #2', 2, 2, 0],
        ['b #1', 2, 2, 1],
      ],
    );
  });

  test('all topics share them, also unknown ones and those that are rejected', () => {
    const { send, count } = decoding();
    send(flow, header(28, { id: 1 }));
    send('{}', header(28, { id: 2, topic: 'news' }));
    send('{', header(28, { id: 3 }));
    send('{}', header(28, { id: 4, topic: 'hello' }));
    send(flow, header(28, { id: 5 }));
    assert.equal(count('zmq.sequence.lost'), 0);
    assert.equal(count('zmq.topics.unknown'), 1);
    assert.equal(count('zmq.topics.hello'), 1);
  });

  test('senders that do not number', () => {
    const { send, count } = decoding();
    for (const id of [7, 3, 900]) {
      send(flow, header(24, { version: 4, id }));
      send(flow, header(40, { id }));
    }
    assert.equal(count('zmq.sequence.lost') + count('zmq.sequence.restarts'), 0);
  });
});

describe('heartbeats', () => {
  const event = (members: object, id = 1) => [members, header(28, { topic: 'event', id })] as const;

  test('time-outs and what changes later', () => {
    const { send, events } = decoding();
    send(...event({ timeout: { lifetime: 120, idle: 30 } }));
    send(...event({ timeout: { lifetime: '300', idle: 60 } }, 2));
    send(...event({ timeout: { lifetime: -1, idle: null } }, 3));
    assert.deepEqual(
      events.map(({ activeTimeout, idleTimeout }) => [activeTimeout, idleTimeout]),
      [
        [120, 30],
        [300, 60],
        [undefined, undefined],
      ],
    );
  });

  test('what nobody knows is kept to be shown, within limits', () => {
    const { send, decoder } = decoding();
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 'x'.repeat(1000)]));
    send(
      ...event({
        cpu: { load: 3 },
        new: true,
        deep: { a: { b: { c: { d: { e: { f: { g: { h: 1 } } } } } } } },
        list: [1],
        many,
        ['__proto__']: 1,
      }),
    );
    const [{ said }] = decoder.probes();
    assert.equal(said['cpu.load'], 3);
    assert.equal(said.new, true);
    assert.ok(Object.keys(said).length <= 256);
    assert.ok(Object.values(said).every((value) => String(value).length <= 256));
  });

  test('a probe that was heard of is silent after 15 s', () => {
    let now = NOW;
    const { send, decoder } = decoding({ now: () => now });
    send(flow);
    now += SILENCE - 1;
    assert.equal(decoder.probes()[0].silentSince, undefined);
    now++;
    assert.equal(decoder.probes()[0].silentSince, NOW);
    send('{}', header(28, { topic: 'hello', id: 2 }));
    assert.equal(decoder.probes()[0].silentSince, undefined);
    assert.equal(decoder.probes()[0].lastEvent, 0);
  });

  test('without numbers, totals that begin anew are a restart', () => {
    const { send, decoder } = decoding();
    for (const bytes of [100, 200, 50]) send({ bytes }, header(40, { topic: 'event' }));
    assert.equal(decoder.probes()[0].restarts, 1);
  });
});

describe('bodies masked by a password, as old probes do', () => {
  const masked = (plain: Uint8Array, password: string): Buffer =>
    Buffer.from(plain.map((byte, i) => byte ^ password.charCodeAt(i % password.length)));
  for (const [name, password] of [
    ['of usual characters', 'secret'],
    ['that makes the first byte NUL', '{x'],
    ['that makes it the first byte of zlib', '\x03y'],
    ['longer than the body', 'p'.repeat(500)],
  ] as const) {
    test(`a password ${name}`, () => {
      const { send, counts } = decoding({ settings: () => ({ mask: Buffer.from(password, 'latin1') }) });
      const plain = json(flow);
      assert.equal(send(masked(plain, password)).length, 1);
      // it is compressed after it was masked
      assert.equal(send(afterNul(masked(plain, password))).length, 1);
      assert.equal(send(masked(tlvFlow, password), header(36, { flags: 2 })).length, 1);
      assert.deepEqual(counts(), { 'zmq.records': 3, 'zmq.records.no-time': 3 });
    });
  }

  test('a wrong password, or none where there is one, is told', () => {
    const { send, counts } = decoding({ settings: (endpoint) => (endpoint === 'tcp://a:1' ? { mask: Buffer.from('secret') } : undefined) });
    send(masked(json(flow), 'other'), header(28), 'tcp://a:1');
    send(masked(json(flow), 'secret'), header(28), 'tcp://b:1');
    assert.equal(send(masked(json(flow), 'secret'), header(28), 'tcp://a:1').length, 1);
    assert.deepEqual(counts(), { 'zmq.rejected.json': 2, 'zmq.records': 1, 'zmq.records.no-time': 1 });
  });
});

describe('what is rejected is counted by reason, with a sample', () => {
  const over = (bytes: number): string => JSON.stringify({ X: 'x'.repeat(bytes) });
  const cases: [string, string, Uint8Array | string, Uint8Array][] = [
    ['a header of another length', 'header', '{}', Buffer.alloc(30)],
    ['no header', 'header', '{}', Buffer.alloc(0)],
    ['a later version', 'version', '{}', header(36, { version: 5 })],
    ['a payload over 1 MiB', 'size', over(1 << 20), header(28)],
    ['no zlib', 'inflate', Buffer.of(0, 1, 2, 3), header(28)],
    ['zlib that is cut', 'inflate', afterNul(json(flow)).subarray(0, 20), header(28)],
    ['zlib of another kind', 'inflate', Buffer.from('xyz'), header(36, { flags: 4 })],
    ['over 2 MiB when decompressed', 'inflated-size', zlib(Buffer.alloc((2 << 20) + 1)), header(36, { flags: 4 })],
    ['nothing', 'json', '', header(28)],
    ['no JSON', 'json', 'hello', header(28)],
    ['JSON that is no object', 'json', '[1]', header(28)],
    ['JSON that is cut', 'json', JSON.stringify(flow).slice(0, -1), header(28)],
    ['JSON that begins well', 'json', '{x', header(28)],
    ['nested too deep', 'items', `{"a":${'['.repeat(9)}${']'.repeat(9)}}`, header(28)],
    ['too many fields', 'items', `{${Array.from({ length: 1025 }, () => '"1":0').join(',')}}`, header(28)],
    ['TLV of another version', 'tlv', Buffer.of(2, 1), header(36, { flags: 2 })],
    ['TLV of another format', 'tlv', Buffer.of(1, 2), header(36, { flags: 2 })],
    ['TLV with an unknown type', 'tlv', Buffer.of(1, 1, 0x20, 1), header(36, { flags: 2 })],
    ['TLV that is cut', 'tlv', tlvFlow.subarray(0, 10), header(36, { flags: 2 })],
    ['TLV with too many fields', 'items', tlv([Array.from({ length: 1025 }, () => [1, 1] as const)]), header(36, { flags: 2 })],
    ['TLV nested too deep', 'items', Buffer.concat([Buffer.of(1, 1), Buffer.alloc(18, Buffer.of(0x2c, 1))]), header(36, { flags: 2 })],
    ['an end without a begin', 'tlv', Buffer.of(1, 1, 0x0d), header(36, { flags: 2 })],
    ['an event that is no JSON', 'json', 'up', header(28, { topic: 'event' })],
    ['an event that is no object', 'content', '[]', header(28, { topic: 'event' })],
    ['a template without fields', 'content', '[{}]', header(28, { topic: 'template' })],
    ['an option without names', 'content', '{"field":1,"map":{}}', header(28, { topic: 'option' })],
    ['counters of nobody', 'content', '{"ifIndex":1}', header(28, { topic: 'counter' })],
    ['counters of nobody in TLV', 'content', tlv([[[2, 1]]]), header(28, { topic: 'counter', version: 3 })],
    ['ports of nobody', 'content', '{}', header(28, { topic: 'listening-ports' })],
    ['interfaces of nobody', 'content', '{"a":1}', header(28, { topic: 'snmp-ifaces' })],
  ];
  for (const [name, reason, payload, head] of cases) {
    test(name, () => {
      const { send, counts, decoder, warnings } = decoding();
      send(payload, head);
      send(payload, head);
      assert.deepEqual(counts(), { [`zmq.rejected.${reason}`]: 2 });
      const [sample] = decoder.samples();
      assert.deepEqual([sample.reason, sample.endpoint, sample.time, sample.length], [reason, 'tcp://probe:5556', NOW, payload.length]);
      assert.equal(sample.header, Buffer.from(head).toString('hex'));
      assert.equal(sample.payload, Buffer.from(payload).subarray(0, 256).toString('hex'));
      assert.equal(warnings.length, 1, 'one line a minute');
    });
  }

  test('a line again after a minute', () => {
    let now = NOW;
    const { send, warnings } = decoding({ now: () => now });
    for (let i = 0; i < 3; i++, now += 60e6) send('y', header(36));
    assert.equal(warnings.length, 3);
    assert.match(warnings[2], /tcp:\/\/probe:5556.*\(json\).*3 so far/);
  });

  test('the records before the damage are kept, and none after it', () => {
    const one = JSON.stringify(flow);
    assert.equal(decoding().send(`[${one},${one},{"8":"192.0.2.9"`).length, 2);
    assert.equal(decoding().send(`${one}\n${one}\nx\n${one}`).length, 2);
    assert.equal(decoding().send(Buffer.concat([tlvFlow, tlvFlow.subarray(2), Buffer.of(0x20)]), header(36, { flags: 2 })).length, 2);
  });
});

describe('limits', () => {
  test('sources: the longest silent is forgotten', () => {
    let now = NOW;
    const { send, count, decoder } = decoding({ now: () => now++ });
    for (let source = 0; source < 1030; source++) send(flow, header(28, { source }));
    assert.equal(decoder.probes().length, 1024);
    assert.equal(count('zmq.sources'), 1024);
    assert.equal(count('zmq.sources.forgotten'), 6);
    assert.equal(Math.min(...decoder.probes().map((probe) => probe.id)), 6);
  });

  test('a text over 64 KiB is left out', () => {
    const { send, count } = decoding();
    for (const text of ['x'.repeat(65_537), `\\n${'x'.repeat(65_536)}`, `${'\\u00e9'.repeat(40_000)}`]) {
      const [record] = send(`{"8":"192.0.2.1","57660":"${text}","1":7}`);
      assert.deepEqual([record.details, record.inBytes], [undefined, 7]);
    }
    assert.equal(count('zmq.fields.dropped'), 3);
  });

  test('names that probes teach', () => {
    const { send, count } = decoding();
    for (let batch = 0; batch < 3; batch++) {
      const names = Array.from({ length: 3000 }, (_, i) => ({ PEN: 9, field: (batch * 3000 + i) % 65536, name: `N${batch}_${i}` }));
      send(names, header(28, { topic: 'template', id: batch }));
    }
    assert.equal(count('zmq.names.dropped'), 9000 - 4096);
    assert.deepEqual(send({ ...flow, N0_5: 1 })[0].more, { N0_5: 1 });
    send(
      [
        { PEN: 0, field: 70_000, name: 'x' },
        { PEN: 35632, field: 20_000, name: 'y' },
        { PEN: -1, field: 1, name: 'z' },
      ],
      header(28, { topic: 'template' }),
    );
    assert.equal(count('zmq.names.dropped'), 9000 - 4096 + 3);
  });

  test('a name that is built in keeps its meaning', () => {
    const { send } = decoding();
    send([{ PEN: 9, field: 1, name: 'IN_BYTES' }], header(28, { topic: 'template' }));
    assert.equal(send({ '8': '192.0.2.1', IN_BYTES: 9 })[0].inBytes, 9);
  });

  test('what a name means may change between two messages', () => {
    const { send } = decoding();
    const named = { IPV4_SRC_ADDR: '192.0.2.1', L7_PROTO: 250, MINE: 1 };
    for (let i = 0; i < 2; i++) assert.deepEqual(send(named)[0].application, 250);
    send([{ PEN: 35632, field: 118, value: 250, map: { name: 'my_app' } }], header(28, { topic: 'option' }));
    assert.deepEqual([send(named)[0].protocolName, send([named, { ...named, L7_PROTO: 5 }])[1].application], ['my_app', 5]);
    send([{ PEN: 0, field: 1, name: 'MINE' }], header(28, { topic: 'template' }));
    assert.equal(send(named)[0].inBytes, 1);
  });

  test('names in another order, and longer than before', () => {
    const { send } = decoding();
    const records = send([
      { IPV4_SRC_ADDR: '192.0.2.1', IN_BYTES: 1, IN_PKTS: 2 },
      { IPV4_SRC_ADDR: '192.0.2.1', IN_PKTS: 2, IN_BYTES: 1 },
      { IPV4_SRC_ADDR: '192.0.2.1', IN_PKTS_: 3, IN_BYTE: 4 },
    ]);
    assert.deepEqual(
      records.map(({ inBytes, inPackets, more }) => [inBytes, inPackets, more]),
      [
        [1, 2, undefined],
        [1, 2, undefined],
        [undefined, undefined, { IN_PKTS_: 3, IN_BYTE: 4 }],
      ],
    );
  });

  test('options of other fields, also in their older form', () => {
    const { send } = decoding();
    send([{ PEN: 9, field: 12235, map: { 5: 'five', 6: { name: 'six' } } }], header(28, { topic: 'option' }));
    assert.equal(send({ ...flow, '9.12235': 5, '57590': 91 })[0].protocolName, 'five');
    const [record] = send({ ...flow, '9.12235': 7 });
    assert.deepEqual([record.protocolName, record.more], [undefined, { '9.12235': 7 }]);
    assert.equal(send({ ...flow, '9.12235': '6' })[0].protocolName, 'six');
  });
});
