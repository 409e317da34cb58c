/** JSON as JSON.parse reads it, TLV as it was written, whatever the texts and numbers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createDictionary } from '../../../src/records/zmq/dictionary.ts';
import { FlowDraft } from '../../../src/records/zmq/draft.ts';
import { type Assembly, createJsonReader, MOST_NESTING } from '../../../src/records/zmq/json.ts';
import { createTlvReader } from '../../../src/records/zmq/tlv.ts';
import { NESTED, NULL, NUMBER, Value } from '../../../src/records/zmq/value.ts';
import { type TlvValue, tlv } from './encode.ts';

type Member = readonly [key: string, value: unknown];

/** Both readers over one body, with all that they say. */
function readers() {
  const body = Buffer.alloc(1 << 20);
  const records: Member[][] = [];
  let members: Member[] = [];
  const value = new Value(body);
  const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
  const seen = (): unknown => {
    if (value.kind === NULL) return null;
    if (value.kind === NUMBER) return value.wide ? BigInt.asIntN(64, (BigInt(value.high) << 32n) | BigInt(value.low)) : value.number;
    return value.kind === NESTED ? JSON.parse(utf8(value.text())) : utf8(value.text());
  };
  const assembly: Assembly = {
    draft: new FlowDraft(),
    value,
    unknown: (bytes, start, end) => void members.push([bytes.toString('utf8', start, end), seen()]),
    unknownNumber: (number) => void members.push([String(number), seen()]),
    tooLong: () => assert.fail('too long'),
    end() {
      records.push(members);
      members = [];
    },
  };
  const nothing = { ...createDictionary(), byNumber: () => undefined, byLabel: () => undefined, byKey: () => undefined };
  const reader = { json: createJsonReader(body, nothing, assembly), tlv: createTlvReader(body, nothing, assembly) };
  return (kind: 'json' | 'tlv', bytes: Uint8Array): { result: string; records: Member[][] } => {
    records.length = 0;
    members = [];
    body.fill(0xff, 0, bytes.length + 64);
    body.set(bytes);
    body[bytes.length] = 0;
    return { result: reader[kind](bytes.length), records };
  };
}

const read = readers();

const depth = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
/** As the reader must show it: true and false are numbers. */
const flat = (value: unknown): unknown => (value === true ? 1 : value === false ? 0 : value);
/** In the order of the text, where JSON.parse puts numbers first. */
const sorted = (members: readonly Member[]): Member[] => [...members].sort(([a], [b]) => (a < b ? -1 : 1));

describe('JSON', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((string) => !string.includes('\0'));
  const json = fc.jsonValue({ maxDepth: 3 });
  const object = fc
    .dictionary(text, json, { noNullPrototype: true })
    .filter((members) => depth(members) <= MOST_NESTING && !Object.hasOwn(members, '__proto__'));

  test('objects, arrays of objects and lines of objects are what JSON.parse makes of them', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), fc.constantFrom('array', 'pretty', 'lines'), (objects, form) => {
        const written =
          form === 'lines'
            ? objects.map((each) => JSON.stringify(each)).join('\n')
            : JSON.stringify(objects, null, form === 'pretty' ? 2 : 0);
        const { result, records } = read('json', Buffer.from(written));
        assert.equal(result, '');
        const parsed = JSON.parse(JSON.stringify(objects)) as Record<string, unknown>[];
        assert.deepEqual(
          records.map(sorted),
          parsed.map((each) => sorted(Object.entries(each).map(([key, value]) => [key, flat(value)]))),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('numbers to the last bit, in any notation', () => {
    const digits = (most: number) => fc.stringMatching(new RegExp(`^\\d{1,${most}}$`));
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        digits(20),
        fc.option(digits(20)),
        fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-'), digits(3))),
      )
      .map(
        ([sign, whole, fraction, exponent]) =>
          `${sign}${whole.replace(/^0+(?=.)/, '')}${fraction === null ? '' : `.${fraction}`}${exponent?.join('') ?? ''}`,
      );
    fc.assert(
      fc.property(number, (written) => {
        const { result, records } = read('json', Buffer.from(`{"x":${written}}`));
        assert.equal(result, '');
        assert.ok(Object.is(records[0][0][1], JSON.parse(written)), written);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        assert.ok(
          Object.is(read('json', Buffer.from(`{"x":${JSON.stringify(double)}}`)).records[0][0][1], JSON.parse(JSON.stringify(double))),
        );
      }),
    );
  });

  test('what JSON.parse refuses is refused, and what it takes is taken', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '\\',
      '\\u00e9',
      '\\u12',
      '1',
      '-',
      '0',
      '01',
      '1.',
      '.5',
      '1e',
      '1e5',
      'true',
      'fals',
      'null',
      ' ',
      'a',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 8 }), (fragments) => {
        const written = `{"k":${fragments.join('')}}`;
        let valid = true;
        try {
          JSON.parse(written);
        } catch {
          valid = false;
        }
        const { result } = read('json', Buffer.from(written));
        // several objects are legal here
        if (result === '' && !valid) JSON.parse(`[${written.replace(/\}\s*\{/g, '},{')}]`);
        else assert.equal(result === '', valid, written);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('TLV', () => {
  const key = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.string({ maxLength: 20 }));
  const text = fc.string({ unit: 'binary-ascii', maxLength: 300 });
  const value: fc.Arbitrary<TlvValue> = fc.oneof(
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    text,
    fc.float({ noNaN: true, noDefaultInfinity: true }).map((float) => ({ float })),
    fc.integer().map((signed) => ({ signed })),
  );
  const plain = (written: TlvValue): unknown => {
    if (typeof written === 'bigint') return written > BigInt(Number.MAX_SAFE_INTEGER) ? written : Number(written);
    if (typeof written === 'object') return 'float' in written ? Math.fround(written.float) : written.signed;
    return written;
  };

  test('what was written is read', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 20 }), { maxLength: 5 }),
        fc.boolean(),
        (records, lastEnd) => {
          const found = read('tlv', tlv(records, { lastEnd }));
          assert.equal(found.result, '');
          assert.deepEqual(
            found.records,
            records.map((record) => record.map(([name, written]) => [String(name), plain(written)])),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('cut anywhere, the whole records before are read', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        (records, cut) => {
          const whole = tlv(records);
          const { records: found } = read('tlv', whole.subarray(0, cut % whole.length));
          const shown = records.map((record) => record.map(([name, written]) => [String(name), plain(written)]));
          found.forEach((record, i) => {
            assert.deepEqual(record, shown[i].slice(0, record.length));
          });
          if (found.length > 1) assert.deepEqual(found[0], shown[0]);
        },
      ),
    );
  });
});
