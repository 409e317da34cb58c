/** Messages as they stand in the documents: bytes in, records out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHarness, type Taken } from './support.ts';

const pick = (record: Taken | undefined, wanted: Partial<Taken>): Partial<Taken> =>
  Object.fromEntries(Object.keys(wanted).map((name) => [name, record?.[name as keyof Taken]]));
const check = (record: Taken | undefined, wanted: Partial<Taken>): void => assert.deepEqual(pick(record, wanted), wanted);

const flow: Partial<Taken> = {
  ipVersion: 4,
  source: '192.0.2.10',
  destination: '198.51.100.20',
  srcPort: 51514,
  dstPort: 443,
  protocol: 6,
  inPackets: 12,
  inBytes: 2345,
  outPackets: 0,
  outBytes: 0,
  srcTcpFlags: 0x1b,
  inIndex: 3,
  outIndex: 5,
  first: 1_700_000_000_500_000,
  last: 1_700_000_009_000_000,
};

const V5 = `000500010036ee806553f10a00000000000003e800024064c000020ac6336414
c00002fe000300050000000c000009290036c9640036ea98c93a01bb001b0600 fbf4fbf518160000`;
const V9 = `000900020036ee806553f10a0000004d000000070000003c0100000d00080004
000c000400070002000b00020004000100060001000100040002000400160004
00150004000a0002000e0002003d000101000028c000020ac6336414c93a01bb
061b000009290000000c0036c9640036ea98000300050000`;
const V9_OPTIONS = `000900020036f2686553f10b0000004e00000007000100180101000400080001
00040022000400230001000001010010cb007101000003e802000000`;

test('v5: every field of the layout, sampling from the header', () => {
  const { send, records, troubles } = createHarness();
  send(V5);
  check(records[0], { ...flow, srcAs: 64500, dstAs: 64501, samplingRate: 100, exporter: '203.0.113.1:2' });
  assert.deepEqual(records[0]?.more, ['IPV4_NEXT_HOP', '192.0.2.254', 'IPV4_SRC_MASK', 24, 'IPV4_DST_MASK', 22]);
  assert.deepEqual(troubles(), {});
});

test('v9: a template and its data in one message, a byte of padding', () => {
  const { send, records, troubles } = createHarness();
  send(V9);
  assert.equal(records.length, 1);
  check(records[0], { ...flow, samplingRate: 1, exporter: '203.0.113.1:7' });
  assert.deepEqual(troubles(), {});
});

test('v9: the sampling interval of an options record is that of the records that follow', () => {
  const { send, records, decoder } = createHarness();
  send(V9_OPTIONS);
  send(V9);
  assert.equal(records[0]?.samplingRate, 1000);
  assert.equal(decoder.exporters()[0]?.samplingRate, 1000);
});

test('IPFIX: IPv6, elements of an enterprise, reverse elements (RFC 5103), both forms of variable length', () => {
  const { send, records, troubles } = createHarness();
  send(`000a01186553f10a000001f4000000090002004c012c000d001b0010001c0010
00070002000b0002000400010001000800020004800100080000727980020004
00007279009800080099000880bcffff00008b308076000200008b30012c00bc
20010db800000000000000000000001020010db8000100000000000000000020
c73801bb06000000000000038400000006000000000000145000000007000001
8bcfe568fa0000018bcfe56ed60f7777772e6578616d706c652e636f6d005b20
010db800010000000000000000002020010db800000000000000000000001001
bbc739060000000000000001000000010000000000000002000000020000018b
cfe568000000018bcfe56801ff000573686f7274005b0000`);
  assert.equal(records.length, 2);
  check(records[0], {
    ipVersion: 6,
    source: '2001:db8::10',
    destination: '2001:db8:1::20',
    srcPort: 51000,
    dstPort: 443,
    inBytes: 900,
    inPackets: 6,
    outBytes: 5200,
    outPackets: 7,
    first: 1_700_000_000_250_000,
    last: 1_700_000_001_750_000,
    application: 91,
    details: ['host_server_name', 'www.example.com'],
  });
  check(records[1], { srcPort: 443, dstPort: 51001, outBytes: 2, outPackets: 2, details: ['host_server_name', 'short'] });
  assert.deepEqual(troubles(), {});
});

test('IPFIX: the example of RFC 7011, appendix A: template, data, options template, options data', () => {
  const { send, records, events, decoder, troubles } = createHarness();
  send(`000a0084 3b9aca00 00000000 00000000
    0002001c 01000005 00080004 000c0004 000f0004 00020004 00010004
    01000040 c000020c c00002fe c0000201 00001391 00518c81
             c000021b c0000217 c0000202 000002ec 0005ef46
             c0000238 c0000241 c0000203 00000005 00001986
    00030018 01020003 0001008d 00040029 0002002a 00020000`);
  assert.equal(records.length, 3);
  check(records[0], { source: '192.0.2.12', destination: '192.0.2.254', inPackets: 5009, inBytes: 5_344_385 });
  check(records[1], { source: '192.0.2.27', destination: '192.0.2.23', inPackets: 748, inBytes: 388_934 });
  check(records[2], { source: '192.0.2.56', destination: '192.0.2.65', inPackets: 5, inBytes: 6534 });
  assert.deepEqual(records[0]?.more, ['IPV4_NEXT_HOP', '192.0.2.1']);
  send('000a0024 3b9aca01 00000003 00000000 01020014 00000001 0159 27d9 00000002 02b2 4fb2');
  assert.equal(decoder.exporters()[0]?.lost, 0);
  assert.equal(events.at(-1)?.totals?.['exported.flows'], 20_402);
  assert.deepEqual(troubles(), {});
});
