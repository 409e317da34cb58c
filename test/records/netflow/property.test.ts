/** Any template, any values: records come out as they went in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createHarness, type FieldOf, ipfix, NOW, set, template, u8, u32, u64, v9, variable } from './support.ts';

const RUNS = process.env.FLOWPATROL_LONG ? 20_000 : 300;
const REVERSE = 29305;
const NPROBE = 35632;

/** A field of a template: how its value is made, how it is written, where it is in a record. */
interface Spec {
  readonly id: number;
  readonly enterprise?: number;
  readonly lengths: readonly number[];
  /** Bits that a value may have; with a shorter length fewer. */
  readonly bits: number;
  readonly member: string;
}

const SPECS: readonly Spec[] = [
  { id: 1, lengths: [1, 2, 3, 4, 5, 6, 7, 8], bits: 53, member: 'inBytes' },
  { id: 2, lengths: [1, 2, 3, 4, 5, 6, 7, 8], bits: 53, member: 'inPackets' },
  { id: 1, enterprise: REVERSE, lengths: [4, 8], bits: 53, member: 'outBytes' },
  { id: 2, enterprise: REVERSE, lengths: [4, 8], bits: 53, member: 'outPackets' },
  { id: 5, lengths: [1], bits: 8, member: 'srcTos' },
  { id: 6, lengths: [1, 2], bits: 8, member: 'srcTcpFlags' },
  { id: 6, enterprise: REVERSE, lengths: [1, 2], bits: 8, member: 'dstTcpFlags' },
  { id: 7, lengths: [2, 4], bits: 16, member: 'srcPort' },
  { id: 11, lengths: [2, 4], bits: 16, member: 'dstPort' },
  { id: 10, lengths: [1, 2, 4], bits: 32, member: 'inIndex' },
  { id: 14, lengths: [1, 2, 4], bits: 32, member: 'outIndex' },
  { id: 58, lengths: [2], bits: 12, member: 'vlan' },
  { id: 56, lengths: [6], bits: 48, member: 'srcMac' },
  { id: 80, lengths: [6], bits: 48, member: 'dstMac' },
  { id: 109, enterprise: NPROBE, lengths: [4], bits: 32, member: 'srcRetransmitted' },
  { id: 80, enterprise: NPROBE, lengths: [2, 4], bits: 16, member: 'srcFragments' },
];

const bytesOf = (value: number, length: number): Buffer => {
  const all = u64(BigInt(value));
  return length <= 8 ? all.subarray(8 - length) : all;
};

interface Column {
  readonly field: FieldOf;
  readonly member: string;
  readonly values: readonly (number | string)[];
  readonly written: readonly Buffer[];
}

const ROWS = 4;

const numberColumn = fc.integer({ min: 0, max: SPECS.length - 1 }).chain((which) => {
  const { id, enterprise, lengths, bits, member } = SPECS[which];
  return fc.record({ length: fc.constantFrom(...lengths), isVariable: fc.boolean() }).chain(({ length, isVariable }) => {
    const most = Math.min(2 ** bits, 2 ** (8 * length)) - 1;
    const value = fc.oneof(
      fc.maxSafeNat().map((n) => n % (most + 1)),
      fc.constantFrom(0, 1, most),
    );
    return fc.array(value, { minLength: ROWS, maxLength: ROWS }).map((values): Column => {
      const written = values.map((one) => (isVariable ? variable(bytesOf(one, length)) : bytesOf(one, length)));
      return { field: [id, isVariable ? 0xffff : length, enterprise], member, values, written };
    });
  });
});

/** Elements that nobody knows, as long as they like. */
const unknownColumn = fc
  .record({ id: fc.integer({ min: 20_000, max: 30_000 }), enterprise: fc.integer({ min: 40_000, max: 2 ** 32 - 1 }), long: fc.boolean() })
  .chain(({ id, enterprise, long }) =>
    fc.array(fc.stringMatching(/^[ -~]{9,300}$/), { minLength: ROWS, maxLength: ROWS }).map((values): Column => {
      const written = values.map((text) => variable(text, long));
      return { field: [id, 0xffff, enterprise], member: `${enterprise}.${id}`, values, written };
    }),
  );

/** Padding, and elements of no length. */
const emptyColumn = fc.integer({ min: 0, max: 9 }).map(
  (length): Column => ({
    field: [210, length],
    member: '',
    values: [],
    written: Array.from({ length: ROWS }, () => Buffer.alloc(length, 0xaa)),
  }),
);

const columns = fc.uniqueArray(
  fc.oneof({ weight: 6, arbitrary: numberColumn }, { weight: 1, arbitrary: unknownColumn }, { weight: 1, arbitrary: emptyColumn }),
  {
    maxLength: 24,
    selector: ({ member, field }) => `${member} ${field[0]}`,
  },
);
const address = fc.record({
  v6: fc.boolean(),
  src: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  dst: fc.uint8Array({ minLength: 16, maxLength: 16 }),
});

const key = (v6: boolean): FieldOf[] =>
  v6
    ? [
        [27, 16],
        [28, 16],
        [4, 1],
      ]
    : [
        [8, 4],
        [12, 4],
        [4, 1],
      ];

test('IPFIX: every record of any template, in any split over sets and messages, comes out as it went in', () => {
  fc.assert(
    fc.property(address, columns, fc.integer({ min: 0, max: 3 }), fc.boolean(), ({ v6, src, dst }, fields, padding, together) => {
      src[0] |= 1;
      dst[0] |= 1;
      const ends = v6 ? Buffer.concat([src, dst]) : Buffer.concat([src.subarray(0, 4), dst.subarray(0, 4)]);
      const rows = Array.from({ length: ROWS }, (_, row) => Buffer.concat([ends, u8(17), ...fields.map(({ written }) => written[row])]));
      const { send, records, troubles, count } = createHarness();
      const definition = set(2, template(4711, [...key(v6), ...fields.map(({ field }) => field)]));
      const data = together ? [set(4711, Buffer.concat(rows), padding)] : rows.map((row) => set(4711, row, padding));
      if (together) send(ipfix([definition, ...data]));
      else {
        send(ipfix([definition]));
        for (const [i, one] of data.entries()) send(ipfix([one], { sequence: i }));
      }
      assert.deepEqual(troubles(), {});
      assert.equal(count('records'), ROWS);
      records.forEach((record, row) => {
        assert.equal(record.ipVersion, v6 ? 6 : 4);
        assert.equal(record.protocol, 17);
        const kept = new Map<unknown, unknown>();
        for (let i = 0; i < record.more!.length; i += 2) kept.set(record.more![i], record.more![i + 1]);
        for (const { member, values } of fields) {
          if (member === '') continue;
          const got = member.includes('.') ? kept.get(member) : record[member as keyof typeof record];
          assert.deepEqual(got, typeof values[row] === 'string' ? String(values[row]) : values[row], `${member} of record ${row}`);
        }
      });
    }),
    { numRuns: RUNS },
  );
});

test('v9: data before their template come out as if they had come after it', () => {
  const fixed = columns.map((all) => all.filter(({ field }) => field[1] !== 0xffff && field[2] === undefined));
  fc.assert(
    fc.property(fixed, fc.array(fc.integer({ min: 1, max: ROWS }), { minLength: 1, maxLength: 4 }), (fields, sizes) => {
      const ends = Buffer.from([10, 0, 0, 1, 10, 0, 0, 2, 17]);
      const rows = Array.from({ length: ROWS }, (_, row) => Buffer.concat([ends, ...fields.map(({ written }) => written[row])]));
      const definition = set(0, template(300, [...key(false), ...fields.map(({ field }) => field)]));
      const data = sizes.map((size, i) => v9([set(300, Buffer.concat(rows.slice(0, size)), 0)], { sequence: i + 1, uptime: 1000 * i }));
      const [late, early] = [createHarness(), createHarness()];
      for (const one of data) late.send(one);
      late.send(v9([definition], { sequence: data.length + 1 }));
      early.send(v9([definition], { sequence: 0 }));
      for (const one of data) early.send(one);
      assert.deepEqual(late.records, early.records);
      assert.equal(
        late.records.length,
        sizes.reduce((sum, size) => sum + size),
      );
      assert.deepEqual(late.troubles(), {});
    }),
    { numRuns: RUNS },
  );
});

test('sequence numbers: what is lost is counted, whatever order the rest comes in', () => {
  // each message: lost, or late by so many places
  const fates = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constant(-1) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) },
    ),
    {
      minLength: 1,
      maxLength: 200,
    },
  );
  fc.assert(
    fc.property(fates, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (fate, start) => {
      const { send, count } = createHarness();
      const message = (i: number): Buffer => v9([], { sequence: (start + i) >>> 0, uptime: 100_000 + i });
      send(message(0));
      const order = fate
        .map((places, i) => ({ i: i + 1, at: i + 1 + (places > 0 ? places + 0.5 : 0), lost: places < 0 }))
        .filter(({ lost }) => !lost)
        .sort((a, b) => a.at - b.at);
      for (const { i } of order) send(message(i));
      send(message(fate.length + 1));
      assert.equal(count('sequence.lost'), fate.filter((places) => places < 0).length);
      assert.equal(count('sequence.restarts'), 0);
    }),
    { numRuns: RUNS },
  );
});

test('IPFIX sequence numbers: records of lost messages are counted, however many a message brings', () => {
  const messages = fc.array(
    fc.record({ records: fc.integer({ min: 1, max: 30 }), lost: fc.integer({ min: 0, max: 7 }).map((n) => n === 0) }),
    {
      minLength: 1,
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (all, start) => {
      const { send, count } = createHarness();
      const row = Buffer.from([10, 0, 0, 1, 10, 0, 0, 2, 17]);
      send(ipfix([set(2, template(300, key(false)))], { sequence: start }));
      let sequence = start;
      for (const { records, lost } of all) {
        if (!lost) send(ipfix([set(300, Buffer.concat(Array.from({ length: records }, () => row)), 0)], { sequence }));
        sequence = (sequence + records) >>> 0;
      }
      send(ipfix([], { sequence: sequence === 0 ? 1 : sequence }));
      fc.pre(sequence !== 0);
      assert.equal(
        count('sequence.lost'),
        all.reduce((sum, { records, lost }) => sum + (lost ? records : 0), 0),
      );
      assert.equal(count('sequence.late') + count('sequence.restarts'), 0);
    }),
    { numRuns: RUNS },
  );
});

test('a file of templates gives back what was saved', () => {
  fc.assert(
    fc.property(fc.array(columns, { minLength: 1, maxLength: 5 }), (templates) => {
      const before = createHarness();
      const definitions = templates.map((fields, i) => template(256 + i, [...key(false), ...fields.map(({ field }) => field)]));
      before.send(ipfix([set(2, Buffer.concat(definitions))]));
      const text = before.decoder.save();
      const after = createHarness();
      assert.deepEqual(after.decoder.restore(text), { exporters: 1, templates: templates.length });
      assert.equal(after.decoder.save(), text);
      const data = templates.map((fields, i) =>
        set(256 + i, Buffer.concat([u32(0x0a000001), u32(0x0a000002), u8(6), ...fields.map(({ written }) => written[0])]), 0),
      );
      for (const harness of [before, after]) harness.send(ipfix(data), { at: NOW + 1 });
      assert.deepEqual(after.records, before.records);
      assert.equal(after.records.length, templates.length);
    }),
    { numRuns: Math.min(RUNS, 2000) },
  );
});
