/** The wire: what a peer sends, in any pieces, and what comes of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createZmtpPeer } from '../../../src/records/zmq/zmtp.ts';

const greeting = (mechanism = 'NULL', major = 3): Buffer => {
  const bytes = Buffer.alloc(64);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, major, 1]);
  bytes.write(mechanism, 12);
  return bytes;
};
const frame = (body: Uint8Array, flags: number, long = body.length > 255): Buffer => {
  const length = Buffer.alloc(long ? 8 : 1);
  if (long) length.writeUInt32BE(body.length, 4);
  else length[0] = body.length;
  return Buffer.concat([Buffer.of(flags | (long ? 2 : 0)), length, body]);
};
const command = (name: string, body: Uint8Array = Buffer.alloc(0)): Buffer =>
  frame(Buffer.concat([Buffer.of(name.length), Buffer.from(name), body]), 4);
const ready = (type = 'PUB'): Buffer =>
  command(
    'READY',
    Buffer.concat([Buffer.from('\x0bSocket-Type\0\0\0'), Buffer.of(type.length), Buffer.from(`${type}\x08Identity\0\0\0\0`)]),
  );
const message = (...frames: Uint8Array[]): Buffer => Buffer.concat(frames.map((body, i) => frame(body, i < frames.length - 1 ? 1 : 0)));

function converse(chunks: readonly Buffer[]) {
  const sent: Buffer[] = [];
  const messages: [string, string][] = [];
  const seen = { sent, messages, ready: 0, rejected: 0, failed: [] as string[] };
  const peer = createZmtpPeer({
    send: (bytes) => sent.push(Buffer.from(bytes)),
    ready: () => seen.ready++,
    message: (header, payload) => messages.push([header.toString('latin1'), payload.toString('latin1')]),
    rejected: () => seen.rejected++,
    failed: (why) => seen.failed.push(why),
  });
  for (const chunk of chunks) if (!peer.feed(chunk)) break;
  return seen;
}
const opening = [greeting(), ready()];

test('a conversation', () => {
  const seen = converse([...opening, message(Buffer.from('head'), Buffer.from('body'))]);
  assert.deepEqual(seen.messages, [['head', 'body']]);
  assert.equal(seen.ready, 1);
  const [start, rest, readyCommand, subscription] = seen.sent;
  const hello = Buffer.concat([start, rest]);
  assert.equal(hello.length, 64);
  assert.equal(hello.subarray(0, 16).toString('hex'), 'ff00000000000000007f03004e554c4c');
  assert.equal(readyCommand.toString('latin1'), '\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB');
  assert.deepEqual([...subscription], [0, 1, 1]);
});

test('pieces of any size give the same messages', () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 0, max: 70_000 }).map((length) => Buffer.alloc(length, length)),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(part, part), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }),
      (parts, sizes) => {
        const stream = Buffer.concat([...opening, ...parts.map(([head, body]) => message(head.subarray(0, 200), body))]);
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; at += sizes[i++ % sizes.length]) {
          // each chunk is overwritten by the next one, as with a socket's buffer
          chunks.push(Buffer.from(stream.subarray(at, at + sizes[i % sizes.length])));
        }
        const seen = converse(chunks);
        assert.deepEqual(
          seen.messages,
          parts.map(([head, body]) => [Buffer.from(head.subarray(0, 200)).toString('latin1'), Buffer.from(body).toString('latin1')]),
        );
        assert.deepEqual([seen.rejected, seen.failed], [0, []]);
      },
    ),
    { numRuns: 60 },
  );
});

test('byte by byte', () => {
  const stream = Buffer.concat([...opening, message(Buffer.from('head'), Buffer.alloc(600, 'x'))]);
  assert.equal(converse([...stream].map((byte) => Buffer.of(byte))).messages.length, 1);
});

test('a ping is answered with its context', () => {
  const seen = converse([...opening, command('PING', Buffer.from('\0\x0acontext'))]);
  assert.deepEqual(seen.sent.at(-1), command('PONG', Buffer.from('context')));
});

describe('messages that are none are counted, and the next one is read', () => {
  const [head, body] = [Buffer.from('head'), Buffer.from('body')];
  const cases: [string, Buffer][] = [
    ['one frame', message(body)],
    ['three frames', message(head, body, body)],
    ['a header that is too long', message(Buffer.alloc(256), body)],
    ['a payload over 1 MiB', message(head, Buffer.alloc((1 << 20) + 1))],
  ];
  for (const [name, bytes] of cases) {
    test(name, () => {
      for (const piece of [bytes.length, 1000]) {
        const chunks = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) => bytes.subarray(i * piece, (i + 1) * piece));
        const seen = converse([...opening, ...chunks, message(head, body)]);
        assert.equal(seen.rejected, 1);
        assert.deepEqual(seen.messages, [['head', 'body']]);
      }
    });
  }
});

describe('a peer that is no probe is told apart', () => {
  const cases: [string, Buffer[], RegExp][] = [
    ['HTTP', [Buffer.from('HTTP/1.1 400 Bad Request\r\n')], /does not speak ZMTP/],
    ['an old library', [greeting('', 1).subarray(0, 11)], /ZMTP 1/],
    ['CURVE', [greeting('CURVE')], /the probe encrypts/],
    ['PLAIN', [greeting('PLAIN')], /security mechanism PLAIN/],
    ['another type of socket', [greeting(), ready('REP')], /of type REP, not a publisher/],
    ['a refusal', [greeting(), command('ERROR', Buffer.from('\x03why'))], /refuses: why/],
    ['no handshake', [greeting(), message(Buffer.from('a'), Buffer.from('b'))], /before the handshake/],
    ['impossible flags', [greeting(), Buffer.of(0x80, 0)], /breaks the protocol/],
  ];
  for (const [name, chunks, why] of cases) {
    test(name, () => {
      const seen = converse(chunks);
      assert.equal(seen.failed.length, 1);
      assert.match(seen.failed[0], why);
    });
  }
});

test('whatever comes, nothing is thrown', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), fc.boolean(), (chunks, opened) => {
      const seen = converse([...(opened ? opening : []), ...chunks.map((chunk) => Buffer.from(chunk))]);
      assert.ok(seen.failed.length <= 1);
    }),
  );
});
