/**
 * Every test capture against the golden text beside it (test/captures/NAME.golden.txt; drawn in support/golden.ts).
 * `node test/update-golden.ts` writes them anew.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CAPTURES, captureNames, goldenFile, goldenText } from './support/golden.ts';
import { exportCapture, TIME_COUNTERS } from './support/run-capture.ts';

/** Lines that only one of the two has, with their numbers; lines are taken from both ends as long as they agree. */
function difference(expected: readonly string[], actual: readonly string[]): string {
  let head = 0;
  while (head < expected.length && head < actual.length && expected[head] === actual[head]) head++;
  let tail = 0;
  while (tail < Math.min(expected.length, actual.length) - head && expected.at(-1 - tail) === actual.at(-1 - tail)) tail++;
  const part = (sign: string, lines: readonly string[]): string[] =>
    lines.slice(head, lines.length - tail).map((line, i) => `${sign}${String(head + i + 1).padStart(5)} ${line}`);
  return [...part('-', expected), ...part('+', actual)].slice(0, 60).join('\n');
}

describe('golden texts', () => {
  for (const capture of captureNames()) {
    it(capture, () => {
      const expected = readFileSync(goldenFile(capture), 'utf8');
      const actual = goldenText(capture);
      if (actual !== expected) {
        assert.fail(
          `${capture}: - golden text, + now (node test/update-golden.ts)\n${difference(expected.split('\n'), actual.split('\n'))}`,
        );
      }
    });
  }

  it('are the same for a compressed capture', () => {
    const text = (name: string): string[] => readFileSync(goldenFile(name), 'utf8').split('\n').slice(1);
    assert.deepEqual(text('http-dns.pcap.gz'), text('http-dns.pcap'));
  });
});

describe('batches', () => {
  for (const capture of ['demo.pcap', 'windows-network.pcap', 'tls-1.1.pcap', 'quic.pcap', 'ipv6.pcap', 'gtp.pcap']) {
    it(`of any size give the same events: ${capture}`, () => {
      const run = (batchPackets: number) => {
        const { events, flows, counters } = exportCapture(`${CAPTURES}${capture}`, { batchPackets });
        return {
          events,
          flows,
          counters: Object.entries(counters).filter(([name]) => !TIME_COUNTERS.includes(name) && name !== 'dpi.packets'),
        };
      };
      const whole = run(128);
      for (const size of [1, 3, 50]) assert.deepEqual(run(size), whole);
    });
  }
});
