/** Guesses put together from remembered answers are those that nDPI gives when it is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createGuess, createSlowGuess, GUESS_BYTES } from '../../src/dpi/guess.ts';
import { native } from '../../src/native.ts';

/** Of owners that nDPI 4.2 knows, of nobody, private, groups. */
const OWNED = [
  0x08080808, 0x0d6b0432, 0x1f0d4701, 0x95a0a8ff, 0x68f44001, 0x2d390000, 0x5bc00000, 0xc0a80001, 0x0a000001, 0xac1f0001, 0xe00000fb,
];
const PORTS = [
  0, 1, 20, 21, 22, 25, 53, 67, 68, 80, 123, 137, 443, 500, 993, 1194, 1935, 3389, 3478, 5001, 5060, 5222, 6881, 8080, 51_820, 65_535,
];

test('as nDPI says it, for any ports and addresses', () => {
  const dpi = native.dpiCreate(2);
  const [guess, ask] = [createGuess(dpi), createSlowGuess(dpi)];
  const address = fc.oneof(fc.constantFrom(...OWNED), fc.nat({ max: 0xffffffff }));
  const port = fc.oneof(fc.constantFrom(...PORTS), fc.nat({ max: 65_535 }));
  const protocol = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(6, 17) }, fc.nat({ max: 255 }));
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  fc.assert(
    fc.property(fc.boolean(), protocol, address, address, port, port, (isIpv6, l4, a, b, from, to) => {
      bytes.fill(0);
      if (isIpv6) {
        bytes.fill(0x20, 0, 1);
        bytes.fill(0xfd, 16, 17);
        view.setUint32(12, a);
        view.setUint32(28, b);
      } else {
        view.setUint32(0, a);
        view.setUint32(16, b);
      }
      const ports: [number, number] = l4 === 6 || l4 === 17 ? [from, to] : [0, 0];
      const expected = ask(isIpv6, l4, bytes, ...ports, 1.7e15).slice(0, GUESS_BYTES);
      assert.deepEqual(guess(isIpv6, l4, bytes, ...ports, 1.7e15).slice(0, GUESS_BYTES), expected);
    }),
    { numRuns: 20_000 },
  );
  native.dpiClose(dpi);
});
