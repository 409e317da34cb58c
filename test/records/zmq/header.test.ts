import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  MessageHeader,
  PACKED_AFTER_NUL,
  PACKED_NOT,
  PACKED_ZLIB,
  readHeader,
  TOPIC_UNKNOWN,
  TOPICS,
} from '../../../src/records/zmq/header.ts';
import { header, type Layout } from './encode.ts';

const read = (bytes: Uint8Array): MessageHeader => {
  const into = new MessageHeader();
  assert.equal(readHeader(bytes, into), '');
  return into;
};

describe('every layout and version', () => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  for (const layout of [24, 28, 36, 40] as const) {
    for (const version of [0, 1, 2, 3, 4]) {
      test(`${layout} bytes, version ${version}`, () => {
        fc.assert(
          fc.property(fc.constantFrom(...TOPICS, 'news'), u32, u32, fc.integer({ min: 0, max: 7 }), (topic, id, anySource, flags) => {
            const source = layout === 24 ? anySource & 255 : anySource;
            const found = read(header(layout, { topic, version, id, source, flags }));
            assert.equal(found.topic, topic === 'news' ? TOPIC_UNKNOWN : TOPICS.indexOf(topic));
            assert.equal(found.version, version);
            assert.equal(found.source, layout === 40 || version === 1 ? 0 : source);
            const current = layout === 36 && version === 4;
            assert.equal(found.numbered, layout !== 40 && (version !== 4 || current));
            if (found.numbered) assert.equal(found.id, id);
            assert.equal(found.tlv, current ? (flags & 2) !== 0 : version === 3);
            const packed = version === 3 ? PACKED_NOT : PACKED_AFTER_NUL;
            assert.equal(found.packed, current ? ((flags & 4) !== 0 ? PACKED_ZLIB : PACKED_NOT) : packed);
          }),
          { numRuns: 40 },
        );
      });
    }
  }
});

test('an emulator that puts the end of the 24 byte layout behind a long topic', () => {
  const bytes = Buffer.alloc(40);
  bytes.write('flow');
  bytes.set([2, 7, 0x10, 0x20, 0, 0, 0, 5], 32);
  const { version, source, numbered } = read(bytes);
  assert.deepEqual([version, source, numbered], [2, 0, false]);
});

test('a topic is known by its whole name', () => {
  const topicOf = (topic: string, layout: Layout): number => read(header(layout, { topic })).topic;
  assert.equal(topicOf('flows', 28), TOPIC_UNKNOWN);
  assert.equal(topicOf('flo', 28), TOPIC_UNKNOWN);
  assert.equal(topicOf('', 28), TOPIC_UNKNOWN);
  assert.equal(topicOf('listening-ports!', 28), TOPIC_UNKNOWN);
  assert.equal(topicOf('listening-ports', 40), TOPICS.indexOf('listening-ports'));
});

test('what is no header', () => {
  const into = new MessageHeader();
  for (let length = 0; length < 64; length++) {
    const expected = [24, 28, 36, 40].includes(length) ? '' : 'header';
    assert.equal(readHeader(Buffer.alloc(length), into), expected);
  }
  for (const layout of [24, 28, 36, 40] as const) assert.equal(readHeader(header(layout, { version: 5 }), into), 'version');
});
