/** Networks. */
import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPrefixSet, isUnicast4, isUnicast6, parseIPv4, parseIPv6 } from '../../src/hosts/prefixes.ts';

const bytesText = (bytes: Uint8Array): string =>
  Array.from({ length: 8 }, (_, i) => (((bytes[i * 2] as number) << 8) | (bytes[i * 2 + 1] as number)).toString(16)).join(':');

test('the longest match wins and gives the position at which it was added', () => {
  const set = createPrefixSet();
  for (const text of ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '0.0.0.0/0', '2001:db8::/32', '2001:db8:1::/48'])
    assert.ok(set.add(text), text);
  assert.equal(set.match4(parseIPv4('10.9.9.9')), 0);
  assert.equal(set.match4(parseIPv4('10.1.9.9')), 1);
  assert.equal(set.match4(parseIPv4('10.1.2.3') | 0), 2, 'signed numbers are the same addresses');
  assert.equal(set.match4(parseIPv4('200.1.2.3')), 3);
  assert.equal(set.match6(parseIPv6('2001:db8:1::5'), 0), 5);
  assert.equal(set.match6(parseIPv6('2001:db8:2::5'), 0), 4);
  assert.equal(set.match6(parseIPv6('2001:db9::1'), 0), -1);
});

test('what is no address or network is refused', () => {
  const set = createPrefixSet();
  for (const text of ['', '10.0.0', '10.0.0.0/33', '10.0.0.0/8/9', '::/129', 'example.org', '10.0.0.0/', '1.2.3.4/-1'])
    assert.equal(set.add(text), false, text);
  assert.equal(set.size, 0);
});

test('agrees with Node’s own BlockList', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })), { maxLength: 5 }),
      fc.array(fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })), { maxLength: 5 }),
      fc.array(fc.ipV4(), { minLength: 1, maxLength: 5 }),
      fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { minLength: 1, maxLength: 5 }),
      (four, six, ask4, ask6) => {
        const ours = createPrefixSet();
        const peer = new BlockList();
        for (const [address, length] of four) {
          ours.add(`${address}/${length}`);
          peer.addSubnet(address, length, 'ipv4');
        }
        for (const [address, length] of six) {
          ours.add(`${address}/${length}`);
          peer.addSubnet(address, length, 'ipv6');
        }
        for (const address of [...ask4, ...four.map(([text]) => text)]) {
          const mapped = six.some(([text, length]) => ours.match6(parseIPv6(`::ffff:${address}`), 0) >= 0 && text !== '' && length >= 0);
          if (!mapped) assert.equal(ours.match4(parseIPv4(address)) >= 0, peer.check(address, 'ipv4'), address);
        }
        for (const bytes of [...ask6, ...six.map(([text]) => parseIPv6(text))]) {
          if (bytes.subarray(0, 10).every((byte) => byte === 0)) continue; // BlockList takes mapped addresses for IPv4
          assert.equal(ours.match6(bytes, 0) >= 0, peer.check(bytesText(bytes), 'ipv6'), bytesText(bytes));
        }
      },
    ),
  );
});

test('unicast', () => {
  for (const [text, expected] of [
    ['10.0.0.1', true],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['0.0.0.0', false],
  ] as const) {
    assert.equal(isUnicast4(parseIPv4(text)), expected, text);
  }
  for (const [text, expected] of [
    ['fe80::1', true],
    ['ff02::1', false],
    ['::', false],
    ['::1', true],
  ] as const) {
    assert.equal(isUnicast6(parseIPv6(text), 0), expected, text);
  }
});
