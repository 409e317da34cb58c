/** Initial packets, protected here by RFC 9001's own keys, and what becomes of them. */
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clientKeys, createQuicJa4 } from '../../src/dpi/quic-initial.ts';
import { clientHello } from '../support/client-hello.ts';

/** RFC 9001, appendix A. */
const RFC_ID = Buffer.from('8394c8f03e515708', 'hex');
const DRAFT_29 = 0xff00001d;
const V2 = 0x6b3343cf;

const HELLO = clientHello({
  ciphers: [0x1301, 0x1302, 0x1303],
  serverName: 'www.example.org',
  alpn: ['h3'],
  supportedVersions: [0x0304],
  signatureAlgorithms: [0x0403, 0x0804],
  others: [10, 51, 57],
});
const JA4 = /^q13d0307h3_55b375c5d22e_[0-9a-f]{12}$/;

interface PacketOf {
  readonly version?: number;
  readonly destinationId?: Buffer;
  /** Whose keys protect it; the destination id's if left out. */
  readonly keysOf?: Buffer;
  readonly number?: number;
  readonly token?: Buffer;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const long = (value: number): Buffer => Buffer.of(0x40 | (value >> 8), value & 255);
const cryptoFrame = (offset: number, data: Uint8Array): Buffer => Buffer.concat([Buffer.of(6), long(offset), long(data.length), data]);
const padded = (frames: Buffer): Buffer => (frames.length >= 32 ? frames : Buffer.concat([frames, Buffer.alloc(32 - frames.length)]));

function initial(frames: Buffer, of: PacketOf = {}): Buffer {
  const { version = 1, destinationId = RFC_ID, keysOf = destinationId, number = 0, token = Buffer.alloc(0) } = of;
  const keys = clientKeys(version, keysOf);
  assert.ok(keys);
  const plain = padded(frames);
  const header = Buffer.concat([
    Buffer.of((version === V2 ? 0xd0 : 0xc0) | 1),
    u32(version),
    Buffer.of(destinationId.length),
    destinationId,
    Buffer.of(3, 7, 7, 7),
    long(token.length),
    token,
    long(2 + plain.length + 16),
    Buffer.of(number >> 8, number & 255),
  ]);
  const nonce = Buffer.from(keys.iv);
  nonce.writeUInt16BE(nonce.readUInt16BE(10) ^ number, 10);
  const cipher = createCipheriv('aes-128-gcm', keys.key, nonce);
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  const mask = createCipheriv('aes-128-ecb', keys.headerKey, null).update(sealed.subarray(2, 18));
  header[0] = (header[0] as number) ^ ((mask[0] as number) & 0x0f);
  for (const i of [0, 1]) header[header.length - 2 + i] = (header.at(-2 + i) as number) ^ (mask[1 + i] as number);
  return Buffer.concat([header, sealed]);
}

/** A datagram as clients send it: at least 1200 bytes. What follows the packets is no packet. */
const datagramOf = (...packets: Buffer[]): Buffer => {
  const bytes = Buffer.concat(packets);
  return bytes.length >= 1200 ? bytes : Buffer.concat([bytes, Buffer.alloc(1200 - bytes.length)]);
};

const whole = cryptoFrame(0, HELLO);

describe('QUIC Initial packets', () => {
  test('keys of RFC 9001, appendix A.1, and of RFC 9369, appendix A.1', () => {
    const text = (version: number): (string | undefined)[] => {
      const keys = clientKeys(version, RFC_ID);
      return [keys?.key, keys?.iv, keys?.headerKey].map((key) => key?.toString('hex'));
    };
    assert.deepEqual(text(1), ['1f369613dd76d5467730efcbe3b1a22d', 'fa044b2f42a3fd3b46fb255c', '9f50449e04a0e810283a1e9933adedd2']);
    assert.deepEqual(text(V2), ['8b1a0bc121284290a29e0971b5cd045d', '91f73e2351d8fa91660e909f', '45b95e15235d6f45a6b19cbcb0294ba9']);
    assert.equal(clientKeys(0x51303433, RFC_ID), undefined); // Q043 is none of IETF's
  });

  test('one datagram, in every version, between other bytes', () => {
    for (const version of [1, V2, 0xff000017, DRAFT_29, 0xff000022]) {
      const datagram = datagramOf(initial(whole, { version, token: Buffer.alloc(70, 9), number: 300 }));
      const chunk = Buffer.concat([Buffer.alloc(5, 0xff), datagram, Buffer.alloc(5, 0xff)]);
      const quic = createQuicJa4();
      const hello = quic.feed(1, chunk, 5, datagram.length);
      assert.match(hello?.ja4 ?? '', JA4);
      assert.equal(hello?.version, version);
      assert.equal(quic.waiting(), 0);
    }
  });

  test('frames in any order, over packets and datagrams, beside other frames', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: HELLO.length - 1 }), { maxLength: 12 }),
        fc.infiniteStream(fc.nat(1000)),
        fc.integer({ min: 1, max: 4 }),
        (cuts, random, perPacket) => {
          const ends = [0, ...cuts.sort((a, b) => a - b), HELLO.length];
          const frames = ends.slice(1).map((end, i) => cryptoFrame(ends[i] as number, HELLO.subarray(ends[i], end)));
          const dice = random[Symbol.iterator]();
          const shuffled = frames
            .map((frame) => ({ frame, place: dice.next().value as number }))
            .sort((a, b) => a.place - b.place)
            .map(({ frame }) => frame);
          const quic = createQuicJa4();
          const others = Buffer.of(1, 0, 0, 2, 5, 0, 1, 3, 0, 4, 3, 9, 0, 0, 2, 1, 2, 3); // PING, PADDING, ACK, ACK with ECN
          let found: string | undefined;
          for (let at = 0, number = 0; at < shuffled.length; number++) {
            const packets = [0, 1].map((i) =>
              initial(Buffer.concat([others, ...shuffled.slice(at + i * perPacket, at + (i + 1) * perPacket)]), { number }),
            );
            at += 2 * perPacket;
            const datagram = datagramOf(...packets);
            found ??= quic.feed(1, datagram, 0, datagram.length)?.ja4;
          }
          assert.match(found ?? '', JA4);
          assert.deepEqual({ ...quic.dropped }, { undecipherable: 0, unusable: 0, evicted: 0 });
        },
      ),
    );
  });

  test('the second packet has another destination id; after a Retry the keys are others', () => {
    const quic = createQuicJa4();
    const half = HELLO.length >> 1;
    const first = datagramOf(initial(cryptoFrame(0, HELLO.subarray(0, half))));
    const other = Buffer.from('0011223344', 'hex');
    const second = datagramOf(initial(cryptoFrame(half, HELLO.subarray(half)), { destinationId: other, keysOf: RFC_ID, number: 1 }));
    assert.equal(quic.feed(1, first, 0, first.length), undefined);
    assert.match(quic.feed(1, second, 0, second.length)?.ja4 ?? '', JA4);

    assert.equal(quic.feed(2, first, 0, first.length), undefined);
    const again = datagramOf(initial(whole, { destinationId: other, token: Buffer.alloc(20) }));
    assert.match(quic.feed(2, again, 0, again.length)?.ja4 ?? '', JA4);
    assert.equal(quic.waiting(), 0);
  });

  test('after the answer nothing more of the flow is read, until it has ended', () => {
    const quic = createQuicJa4();
    const datagram = datagramOf(initial(whole));
    const feed = (): unknown => quic.feed(1, datagram, 0, datagram.length)?.ja4;
    assert.notEqual(feed(), undefined);
    assert.equal(feed(), undefined);
    quic.end(1);
    assert.notEqual(feed(), undefined);
  });

  test('four packets of a datagram are opened, none of a short one', () => {
    const quic = createQuicJa4();
    const ping = initial(Buffer.of(1));
    const feed = (datagram: Buffer): unknown => quic.feed(1, datagram, 0, datagram.length)?.ja4;
    assert.equal(feed(datagramOf(ping, ping, ping, ping, initial(whole))), undefined);
    assert.equal(feed(initial(whole)), undefined);
    assert.notEqual(feed(datagramOf(ping, ping, ping, initial(whole))), undefined);
  });

  test('what is no Initial packet, cannot be opened, or carries no client hello', () => {
    const quic = createQuicJa4();
    const feed = (bytes: Buffer): unknown => quic.feed(1, datagramOf(bytes), 0, Math.max(1200, bytes.length));
    for (const bytes of [Buffer.alloc(0), Buffer.from('no QUIC at all'), Buffer.alloc(40, 0x40), Buffer.of(0xc3, 0, 0, 0, 9)]) {
      assert.equal(feed(bytes), undefined);
    }
    const damaged = initial(whole);
    damaged[60] = (damaged[60] as number) ^ 1;
    assert.equal(feed(damaged), undefined);
    assert.equal(quic.dropped.undecipherable, 1);
    assert.equal(feed(initial(cryptoFrame(0, Buffer.from('HTTP/0.9 it is not')))), undefined);
    assert.equal(feed(initial(cryptoFrame(0, Buffer.of(1, 255, 0, 0, 0, 0)))), undefined);
    assert.equal(quic.dropped.unusable, 2);
    assert.equal(feed(initial(Buffer.of(1, 1, 1))), undefined);
    assert.equal(quic.waiting(), 0);
  });

  test('flows without end are forgotten, the oldest first', () => {
    const quic = createQuicJa4();
    const begin = datagramOf(initial(cryptoFrame(0, HELLO.subarray(0, 20))));
    for (let flow = 0; flow < 1026; flow++) quic.feed(flow, begin, 0, begin.length);
    assert.equal(quic.waiting(), 1024);
    assert.equal(quic.dropped.evicted, 2);
    quic.end(1000);
    assert.equal(quic.waiting(), 1023);
  });

  test('any bytes are read or refused', () => {
    const good = datagramOf(initial(whole));
    const quic = createQuicJa4();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(good.length), fc.nat(good.length), (noise, at, cut) => {
        const bytes = Buffer.from(good);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        quic.feed(1, bytes, 0, cut);
        quic.feed(2, bytes, 0, bytes.length);
        const frames = datagramOf(initial(Buffer.from(noise)));
        quic.feed(3, frames, 0, frames.length);
      }),
    );
  });
});
