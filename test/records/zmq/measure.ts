/**
 * µs of CPU per flow of the decoder alone, beside JSON.parse over the same bytes: node test/records/zmq/measure.ts
 * The record is like that of a probe with 46 fields.
 */

import assert from 'node:assert/strict';
import { ZMQ_COUNTERS } from '../../../src/records/zmq/counters.ts';
import { createZmqDecoder } from '../../../src/records/zmq/decoder.ts';
import { FIELDS } from '../../../src/records/zmq/fields.ts';
import { STANDARD_NAMES } from '../../../src/records/zmq/names.ts';
import { createZmtpPeer } from '../../../src/records/zmq/zmtp.ts';
import { header, json, type TlvRecord, tlv } from './encode.ts';

const record = (i: number): Record<string, number | string> => ({
  '8': `192.0.2.${i % 250}`,
  '12': `198.51.100.${(i * 7) % 250}`,
  '7': 40000 + (i % 20000),
  '11': 443,
  '4': 6,
  '60': 4,
  '5': 0,
  '55': 0,
  '6': 27,
  '1': 2345 + i,
  '2': 12,
  '23': 45678 + i,
  '24': 34,
  '22': 1700000000 + (i % 100),
  '21': 1700000009 + (i % 100),
  '10': 3,
  '14': 5,
  '16': 64500,
  '17': 64501,
  '15': '192.0.2.254',
  '56': '02:00:00:00:00:01',
  '57': '02:00:00:00:00:02',
  '58': 100,
  '59': 100,
  '61': 1,
  '130': '203.0.113.1',
  '57550': 27,
  '57551': 27,
  '57581': 0,
  '57582': 1,
  '57583': 0,
  '57584': 0,
  '57590': '91.126',
  '57591': 'TLS.Google',
  '57595': 11.25,
  '57596': 3.5,
  '57597': 20.125,
  '57660': `www${i % 500}.example.com`,
  '57652': '',
  '57653': 0,
  '57677': '',
  '57888': 64240,
  '57892': 65535,
  '57981': 1 << 20,
  '58061': 42,
  '35632.57943': '192.0.2.5',
});

const asTlv = (fields: Record<string, number | string>): TlvRecord =>
  Object.entries(fields).map(([key, value]) => [
    /^\d+$/.test(key) ? Number(key) : key,
    typeof value === 'number' && !Number.isInteger(value) ? { float: value } : value,
  ]);

let taken = 0;
const decoder = createZmqDecoder({
  sink: {
    record(flow) {
      taken += flow.inPackets > 0 ? 1 : 0;
    },
    event() {},
  },
  counters: new Float64Array(ZMQ_COUNTERS.length),
  now: () => 1700000020e6,
});

const batches = (size: number, encode: (records: Record<string, number | string>[]) => Buffer): Buffer[] =>
  Array.from({ length: 64 }, (_, batch) => encode(Array.from({ length: size }, (_, i) => record(batch * size + i))));

function measure(name: string, size: number, payloads: Buffer[], work: (payload: Buffer) => void): void {
  const flows = 400_000;
  const rounds = Math.ceil(flows / size / payloads.length);
  const runs: number[] = [];
  for (let run = 0; run < 7; run++) {
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round++) for (const payload of payloads) work(payload);
    const { user, system } = process.cpuUsage(before);
    if (run > 1) runs.push((user + system) / (rounds * size * payloads.length));
  }
  runs.sort((a, b) => a - b);
  const median = runs[runs.length >> 1];
  const bytes = payloads.reduce((sum, payload) => sum + payload.length, 0) / payloads.length / size;
  console.log(`${name.padEnd(22)} ${median.toFixed(2)} µs/flow   ${Math.round(1e6 / median)} flows/s   ${Math.round(bytes)} bytes/flow`);
}

/** The same with names for keys. */
const names = new Map(
  [...FIELDS, ...STANDARD_NAMES.map(({ id, names }) => ({ number: id, names }))].map((field) => [String(field.number), field.names[0]]),
);
const named = (fields: Record<string, number | string>): Record<string, number | string> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [names.get(key) ?? key, value]));

const head = { json: header(28), tlv: header(36, { flags: 2 }) };
const one = batches(1, ([first]) => json(first));
const twenty = batches(20, json);
const twentyNamed = batches(20, (records) => json(records.map(named)));
const sixteen = batches(16, (records) => tlv(records.map(asTlv)));
const single = batches(1, (records) => tlv(records.map(asTlv)));
for (let warm = 0; warm < 3; warm++) for (const payload of [...one, ...twenty]) decoder.message('e', head.json, payload);

measure('JSON ×1', 1, one, (payload) => decoder.message('e', head.json, payload));
measure('JSON.parse ×1', 1, one, (payload) => void JSON.parse(payload.toString('utf8')));
measure('JSON ×20', 20, twenty, (payload) => decoder.message('e', head.json, payload));
measure('JSON.parse ×20', 20, twenty, (payload) => void JSON.parse(payload.toString('utf8')));
measure('JSON ×20, names', 20, twentyNamed, (payload) => decoder.message('e', head.json, payload));
measure('JSON.parse ×20, names', 20, twentyNamed, (payload) => void JSON.parse(payload.toString('utf8')));
measure('TLV ×1', 1, single, (payload) => decoder.message('e', head.tlv, payload));
measure('TLV ×16', 16, sixteen, (payload) => decoder.message('e', head.tlv, payload));
/** The wire as a socket hands it on: chunks of 64 KiB. */
function chunks(payloads: readonly Buffer[], head: Buffer): Buffer[] {
  const stream = Buffer.concat(
    payloads.flatMap((payload) => {
      const length = Buffer.alloc(8);
      length.writeUInt32BE(payload.length, 4);
      return [Buffer.of(1, head.length), head, Buffer.of(2), length, payload];
    }),
  );
  return Array.from({ length: Math.ceil(stream.length / 65536) }, (_, i) => stream.subarray(i * 65536, (i + 1) * 65536));
}
const greeting = Buffer.alloc(64);
greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
greeting.write('NULL', 12);
const peer = createZmtpPeer({
  send() {},
  ready() {},
  rejected() {},
  failed: (why) => assert.fail(why),
  message: (header, payload) => decoder.message('e', header, payload),
});
peer.feed(Buffer.concat([greeting, Buffer.from('\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB', 'latin1')]));
const streams = { json: chunks(one, head.json), tlv: chunks(sixteen, head.tlv) };
const feed = (pieces: readonly Buffer[]) => (payload: Buffer) => {
  if (payload === one[0] || payload === sixteen[0]) for (const piece of pieces) peer.feed(piece);
};
measure('wire, JSON ×1', 1, one, feed(streams.json));
measure('wire, TLV ×16', 16, sixteen, feed(streams.tlv));
if (taken === 0) throw new Error('nothing was decoded');
