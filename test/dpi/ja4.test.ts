/** Client hellos of our own making through JA4: the published examples, every part of the text, and segments of all kinds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseClientHello } from '../../src/dpi/client-hello.ts';
import { createJa4, ja4Of, ja4Parts } from '../../src/dpi/ja4.ts';
import { clientHello, type HelloOf, record } from '../support/client-hello.ts';

const parsed = (of: HelloOf): NonNullable<ReturnType<typeof parseClientHello>> => {
  const bytes = clientHello(of);
  const hello = parseClientHello(bytes, 0, bytes.length);
  assert.ok(hello);
  return hello;
};
const ja4 = (of: HelloOf): string => ja4Of(parsed(of), 't');
const numbers = (text: string): number[] => text.split(',').map((word) => Number.parseInt(word, 16));

/** Chrome, as FoxIO's description of JA4 has it: GREASE values and the order of sending are ours. */
const CHROME: HelloOf = {
  ciphers: numbers('2a2a,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035'),
  serverName: 'www.example.org',
  alpn: ['h2', 'http/1.1'],
  supportedVersions: numbers('8a8a,0304,0303'),
  signatureAlgorithms: numbers('0403,0804,0401,0503,0805,0501,0806,0601'),
  others: numbers('0a0a,0017,ff01,000a,000b,0023,0005,0012,0033,002d,001b,4469,1a1a,0015'),
};
const CHROME_JA4 = 't13d1516h2_8daaf6152771_e5627efa2ab1';

describe('JA4', () => {
  test('of the published example', () => {
    const { a, b, c } = ja4Parts(parsed(CHROME), 't');
    assert.equal(
      `${a}_${b}_${c}`,
      't13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9' +
        '_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601',
    );
    assert.equal(ja4(CHROME), CHROME_JA4);
    assert.equal(ja4Of(parsed(CHROME), 'q'), CHROME_JA4.replace('t', 'q'));
  });

  test('parts that are missing', () => {
    assert.equal(ja4({ version: 0x0301, ciphers: [] }), 't10i000000_000000000000_000000000000');
    // SHA-256 of `000a`
    assert.match(ja4({ version: 0x0300, ciphers: [10] }), /^ts3i010000_[0-9a-f]{12}_000000000000$/);
    assert.match(ja4({ ciphers: [10], serverName: 'a.example', alpn: ['h2'] }), /^t12d0102h2_[0-9a-f]{12}_000000000000$/);
    assert.match(ja4({ version: 0x0505, ciphers: [10] }), /^t00i/);
    assert.equal(ja4Parts(parsed({ ciphers: [10], others: [5] }), 't').c, '0005');
  });

  test('counts end at 99', () => {
    const many = Array.from({ length: 120 }, (_, i) => 0x100 + i);
    assert.match(ja4({ ciphers: many, others: many }), /^t12i999900_/);
  });

  test('characters of the first protocol', () => {
    const of = (alpn: string): string => ja4({ ciphers: [10], alpn: [alpn] }).slice(8, 10);
    assert.deepEqual(['h2', 'http/1.1', 'h', '\u00ab', '0\u00ab', 'a-', '\u00abz\u00cd'].map(of), [
      'h2',
      'h1',
      'hh',
      'ab',
      '3b',
      '6d',
      'ad',
    ]);
  });

  test('any bytes are parsed or refused', () => {
    const good = clientHello(CHROME);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(good.length), (noise, at) => {
        const bytes = Uint8Array.from(good);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        const hello = parseClientHello(bytes, 0, bytes.length);
        if (hello !== undefined) assert.match(ja4Of(hello, 't'), /^t.{2}[di]\d{4}.{2}_[0-9a-f]{12}_[0-9a-f]{12}$/);
        parseClientHello(noise, 0, noise.length);
      }),
    );
    for (let end = 0; end < good.length; end++) assert.equal(parseClientHello(good, 0, end), undefined);
  });
});

describe('client hellos in TCP segments', () => {
  const SEQ = 0xffffff00 | 0; // runs over 2^32
  const stream = record(clientHello(CHROME));

  test('one segment, with bytes of others around it', () => {
    const ja4 = createJa4();
    const chunk = new Uint8Array(stream.length + 20).fill(0x16);
    chunk.set(stream, 10);
    assert.equal(ja4.feed(1, chunk, 10, stream.length, SEQ), CHROME_JA4);
    assert.equal(ja4.waiting(), 0);
  });

  test('any cut into segments and records, with repeated segments', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 })),
        fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 5 }),
        fc.nat(40),
        (cuts, recordCuts, again) => {
          const message = clientHello(CHROME);
          const parts = [0, ...recordCuts.filter((cut) => cut < message.length).sort((x, y) => x - y), message.length];
          const bytes = Buffer.concat(parts.slice(1).map((end, i) => record(message.subarray(parts[i], end))));
          const ends = [...cuts.filter((cut) => cut < bytes.length).sort((x, y) => x - y), bytes.length];
          const ja4 = createJa4();
          let from = 0;
          const found: string[] = [];
          for (const to of ends) {
            // begins within what was sent before
            const start = Math.max(0, from - again);
            const answer = ja4.feed(7, bytes, start, to - start, (SEQ + start) >>> 0);
            if (answer !== undefined) found.push(answer);
            from = to;
          }
          assert.equal(found[0], CHROME_JA4);
          assert.equal(ja4.dropped.gaps, 0);
        },
      ),
    );
  });

  test('two flows in turn', () => {
    const ja4 = createJa4();
    assert.equal(ja4.feed(1, stream, 0, 50, 1000), undefined);
    assert.equal(ja4.feed(2, stream, 0, 100, 9000), undefined);
    assert.equal(ja4.waiting(), 2);
    assert.equal(ja4.feed(2, stream, 100, stream.length - 100, 9100), CHROME_JA4);
    assert.equal(ja4.feed(1, stream, 50, stream.length - 50, 1050), CHROME_JA4);
    assert.equal(ja4.waiting(), 0);
  });

  test('what is no client hello is forgotten at once', () => {
    const ja4 = createJa4();
    const other = Uint8Array.from(stream);
    other[5] = 2; // server hello
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1'),
      Buffer.from([0x16, 2, 0]),
      other,
      Buffer.alloc(0),
      Buffer.from([0x16, 3, 1, 0, 0]),
    ]) {
      assert.equal(ja4.feed(1, bytes, 0, bytes.length, 1), undefined);
    }
    assert.equal(ja4.waiting(), 0);
  });

  test('gaps, hellos without end, ended flows and too many flows', () => {
    const ja4 = createJa4();
    ja4.feed(1, stream, 0, 50, 1000);
    assert.equal(ja4.feed(1, stream, 60, stream.length - 60, 1060), undefined);
    assert.deepEqual({ ...ja4.dropped }, { gaps: 1, tooLong: 0, evicted: 0 });

    const endless = record(Uint8Array.of(1, 0xff, 0, 0, ...new Uint8Array(16_000)));
    ja4.feed(1, endless, 0, 9000, 0);
    ja4.feed(1, endless, 0, 9000, 9000);
    assert.deepEqual({ ...ja4.dropped }, { gaps: 1, tooLong: 1, evicted: 0 });
    assert.equal(ja4.waiting(), 0);

    ja4.feed(1, stream, 0, 50, 1000);
    ja4.end(1);
    assert.equal(ja4.feed(1, stream, 50, stream.length - 50, 1050), undefined);

    for (let flow = 0; flow < 1030; flow++) ja4.feed(flow, stream, 0, 50, 1000);
    assert.equal(ja4.waiting(), 1024);
    assert.equal(ja4.dropped.evicted, 6);
    assert.equal(ja4.feed(0, stream, 50, stream.length - 50, 1050), undefined);
    assert.equal(ja4.feed(1029, stream, 50, stream.length - 50, 1050), CHROME_JA4);
  });
});
