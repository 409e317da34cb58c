/** The decoder on random, built and mutated packets: it never throws, its sums add up, and how a batch is cut changes nothing. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { BATCH_PACKETS, S_L3, S_L3_LENGTH, S_PAYLOAD, SCRATCH_WORDS } from '../../src/packet/batch.ts';
import { ethernet, extension, fragment6, hex, icmp, ipv4, ipv6, join, type Layer, tcp, udp, vlan } from '../support/packets.ts';
import { balance, batchOf, type Frame, run } from './harness.ts';

const LINK_TYPES = [0, 1, 1, 1, 1, 9, 12, 50, 101, 104, 105, 108, 113, 127, 147, 192, 228, 229, 276];

const data = fc.uint8Array({ maxLength: 40 });
const port = fc.constantFrom(0, 53, 80, 2152, 4789, 65535);
const from = fc.constantFrom('10.0.0.1', '10.0.0.2', '200.1.2.3');
const from6 = fc.constantFrom('2001:db8::1', 'fe80::2');

const transport: fc.Arbitrary<Layer> = fc.oneof(
  fc.record({ from: port, to: port, flags: fc.nat(255), data }).map((o) => tcp(o, o.data)),
  fc.record({ from: port, to: port, data }).map((o) => udp(o, o.data)),
  fc.record({ type: fc.constantFrom(3, 8), code: fc.constantFrom(0, 3), v6: fc.boolean(), data }).map((o) => icmp(o, o.data)),
);

const network: fc.Memo<Layer> = fc.memo((n) => {
  const inside = n <= 1 ? transport : fc.oneof(transport, network(n - 1), tunnel(n - 1));
  return fc.oneof(
    fc
      .record({
        from,
        to: from,
        id: fc.nat(3),
        moreFragments: fc.boolean(),
        fragmentOffset: fc.constantFrom(0, 0, 0, 8),
        options: fc.constantFrom(new Uint8Array(0), new Uint8Array(0), new Uint8Array(4)),
        plain: fc.boolean(),
        inside,
      })
      .map(({ plain, inside: layer, ...o }) => ipv4(plain ? { from: o.from, to: o.to } : o, layer)),
    fc.record({ from: from6, to: from6, inside }).map((o) => ipv6(o, o.inside)),
    fc.record({ from: from6, to: from6, inside, more: fc.boolean(), offset: fc.constantFrom(0, 8), id: fc.nat(3) }).map((o) => {
      return ipv6(o, fragment6(o, extension(60, o.inside)));
    }),
  );
});

const tunnel: fc.Memo<Layer> = fc.memo((n) =>
  fc.oneof(
    network(n).map((packet) => udp({ to: 2152 }, join(hex('30ff0000 00000001'), packet))),
    network(n).map((packet) => udp({ to: 4789 }, join(hex('08000000 00000100'), ethernet({}, packet)))),
    network(n).map((packet) => Object.assign(join(hex('2000 0800 00000001'), packet), { protocol: 47 })),
  ),
);

const built = fc
  .record({ packet: network(3), tags: fc.array(fc.nat(4095), { maxLength: 2 }), pad: fc.constantFrom(0, 60) })
  .map(({ packet, tags, pad }) =>
    ethernet(
      { pad },
      tags.reduce((inner, id) => vlan({ id }, inner), packet),
    ),
  );

const mutated = fc
  .record({
    bytes: built,
    cut: fc.option(fc.nat(120)),
    changes: fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 3 }),
  })
  .map(({ bytes, cut, changes }) => {
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return cut === null ? bytes : bytes.slice(0, cut);
  });

const frame: fc.Arbitrary<Frame> = fc.record({
  bytes: fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
    { weight: 5, arbitrary: mutated },
    { weight: 2, arbitrary: built },
  ),
  time: fc.nat(1e8),
  wire: fc.nat(2000),
});

const options = fc.record({ gtp: fc.boolean(), gre: fc.boolean(), vxlan: fc.boolean() });
const input = fc.record({ frames: fc.array(frame, { minLength: 1, maxLength: 30 }), linkType: fc.constantFrom(...LINK_TYPES), options });

/** A counterexample is printed with the seed and path that lead to it. */
const check = (property: fc.IRawProperty<unknown>): void => fc.assert(property as fc.IProperty<unknown>, { numRuns: 1500 });

it('counts every packet once, and every entry lies inside its frame', () => {
  check(
    fc.property(input, ({ frames, linkType, options }) => {
      const result = run([batchOf(frames, linkType)], { options });
      const [packets, sum] = balance(result);
      assert.equal(packets, frames.length);
      assert.equal(sum, packets);
      const total = frames.reduce((bytes, { bytes: { length } }) => bytes + length, 3);
      for (let w = 0; w < result.words.length; w += SCRATCH_WORDS) {
        const l3 = result.words[w + S_L3];
        const length = result.words[w + S_L3_LENGTH];
        const payload = result.words[w + S_PAYLOAD];
        assert.ok(l3 >= 3 && length >= 20 && l3 + length <= total);
        assert.ok(payload >= 0 && payload <= length - 20);
      }
      for (let i = 1; i < result.times.length; i++) assert.ok(result.times[i] >= result.times[i - 1]);
    }),
  );
});

it('gives the same by the fast path and by the general path', () => {
  check(
    fc.property(input, ({ frames, options }) => {
      const batch = batchOf(frames, 1);
      assert.deepEqual(run([batch], { options }), run([batch], { options, fastPath: false }));
    }),
  );
});

it('gives the same however the packets are cut into batches and scratches', () => {
  check(
    fc.property(
      input,
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: BATCH_PACKETS }),
      ({ frames, linkType, options }, at, capacity) => {
        const whole = run([batchOf(frames, linkType)], { options });
        assert.deepEqual(run([batchOf(frames, linkType)], { options, capacity }), whole);
        const parts = run([batchOf(frames.slice(0, at), linkType), batchOf(frames.slice(at), linkType)], { options, capacity });
        assert.deepEqual([parts.times, parts.counters], [whole.times, whole.counters]);
        for (let w = 0; w < whole.words.length; w++) {
          const word = w % SCRATCH_WORDS;
          if (word !== S_L3 && word !== S_L3 + 2) assert.equal(parts.words[w], whole.words[w]); // offsets in the chunk differ
        }
      },
    ),
  );
});

it('reads nothing outside of a frame: what lies around it does not matter', () => {
  check(
    fc.property(frame, fc.constantFrom(...LINK_TYPES), options, fc.nat(255), (one, linkType, options, filler) => {
      const alone = batchOf([one], linkType);
      const bytes = new Uint8Array(alone.bytes.length + 100).fill(filler);
      bytes.set(alone.bytes.subarray(3), 3);
      assert.deepEqual(run([{ ...alone, bytes }], { options }), run([alone], { options }));
    }),
  );
});
