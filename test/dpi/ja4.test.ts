/** Client hellos of our own making through JA4: the published examples, every part of the text, and segments of all kinds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseClientHello } from '../../src/dpi/client-hello.ts';
import { createJa4, ja4Of, ja4Parts } from '../../src/dpi/ja4.ts';
import { watch } from '../flows/status-play.ts';
import { tlsFlow } from '../flows/tls-flow.ts';
import { clientHello, type HelloOf, record } from '../support/client-hello.ts';
import { ACK, ethernet, ipv4, tcp } from '../support/packets.ts';
import type { TimedFrame } from '../support/play.ts';

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

  test('segments in any order', () => {
    fc.assert(
      fc.property(
        fc
          .uniqueArray(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 6 })
          .map((cuts) => [0, ...cuts.sort((x, y) => x - y), stream.length])
          .filter((ends) => ends.slice(1).every((from) => stream[from] !== 0x16))
          .chain((ends) => fc.shuffledSubarray(ends.slice(1), { minLength: ends.length - 1 }).map((order) => ({ ends, order }))),
        ({ ends, order }) => {
          const ja4 = createJa4();
          const found = order.flatMap((to) => {
            const from = ends[ends.indexOf(to) - 1] as number;
            return ja4.feed(7, stream, from, to - from, (SEQ + from) >>> 0, true) ?? [];
          });
          assert.deepEqual(found, [CHROME_JA4]);
          assert.equal(ja4.waiting(), 0);
        },
      ),
    );
  });

  test('a segment that begins no hello is kept where a gap was left, within limits', () => {
    const ja4 = createJa4();
    const rest = stream.length - 50;
    ja4.feed(1, stream, 50, rest, 1050, false);
    assert.equal(ja4.feed(1, stream, 0, 50, 1000, true), undefined, 'without a gap it was not kept');
    assert.equal(ja4.feed(1, stream, 50, rest, 1050, true), CHROME_JA4);
    for (let i = 0; i < 9; i++) ja4.feed(2, stream, 50 + i, 1, 1050 + i, true);
    ja4.feed(2, stream, 0, 50, 1000, true);
    assert.equal(ja4.feed(2, stream, 59, rest - 9, 1059, true), undefined, 'the ninth is missing');
    assert.equal(ja4.feed(2, stream, 58, 1, 1058, true), CHROME_JA4);
    ja4.feed(3, new Uint8Array(17_000), 0, 17_000, 1, true);
    ja4.end(3);
    assert.deepEqual([ja4.waiting(), { ...ja4.dropped }], [0, { gaps: 0, tooLong: 0, evicted: 0 }], 'what never began is no hello');
    for (let flow = 0; flow < 1024; flow++) ja4.feed(flow, stream, 0, 50, 1000);
    ja4.feed(2000, stream, 50, rest, 1050, true);
    assert.equal(ja4.dropped.evicted, 0, 'it puts no begun hello out');
    assert.equal(ja4.feed(2000, stream, 0, 50, 1000, true), undefined);
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
    assert.deepEqual({ ...ja4.dropped }, { gaps: 0, tooLong: 0, evicted: 0 }, 'it may still come');
    ja4.end(1);
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

describe('client hellos in flows', () => {
  test('segments out of order give the same JA4 as one', () => {
    const frames = tlsFlow({ asked: 'www.example.org', common: 'www.example.org' });
    const hello = (frames[3] as TimedFrame).bytes.subarray(54);
    const piece = (at: number, from: number, to: number): TimedFrame => ({
      at,
      bytes: ethernet(
        {},
        ipv4(
          { from: '10.0.0.1', to: '10.0.0.2' },
          tcp({ from: 40000, to: 443, flags: ACK, seq: 101 + from, ack: 501 }, hello.subarray(from, to)),
        ),
      ),
    });
    const told = (parts: readonly TimedFrame[]): unknown[] => {
      const { events, counter } = watch([...frames.slice(0, 3), ...parts, ...frames.slice(4)]);
      return [events.at(-1)?.line['protos.tls.ja4'], counter('hellos.dropped')];
    };
    const whole = told(frames.slice(3, 4));
    assert.match(String(whole[0]), /^t12d/);
    assert.deepEqual(told([piece(1.031, 40, hello.length), piece(1.032, 0, 40)]), whole);
    assert.deepEqual(told([piece(1.031, 0, 20), piece(1.032, 40, hello.length), piece(1.033, 20, 40)]), whole);
    assert.deepEqual(told([piece(1.031, 40, hello.length), piece(1.032, 20, 40), piece(1.033, 0, 20)]), whole);
    assert.deepEqual(told([piece(1.031, 0, 20), piece(1.032, 40, hello.length)]), [undefined, 1], 'one that never comes is counted');
  });
});
