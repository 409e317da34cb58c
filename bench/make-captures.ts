/**
 * The benchmark's captures, made once into a cache folder: replicated real captures, many small flows, and an empty one.
 *
 *   node bench/make-captures.ts [--quick] [--corpus DIR] [--cache DIR]     makes them and says where they are
 *
 * The same seed and the same corpus give the same bytes. Called by run.ts and test/bench.test.ts.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPcapWriter } from './pcap-file.ts';
import { replicate } from './replicate.ts';
import { makeSmallFlows } from './small-flows.ts';

/** Raise it when the generators change, so that no older capture is taken from the cache. */
const GENERATION = 4;
const SEED = 20_240_917;

export interface CaptureSizes {
  /** Replicated captures: at least so many packets and flows. */
  readonly realPackets: number;
  readonly realFlows: number;
  readonly smallFlows: number;
}

export const FULL: CaptureSizes = { realPackets: 6_000_000, realFlows: 100_000, smallFlows: 1_000_000 };
export const QUICK: CaptureSizes = { realPackets: 200_000, realFlows: 10_000, smallFlows: 100_000 };

export interface Capture {
  readonly path: string;
  readonly packets: number;
  /** Different 5-tuples. */
  readonly flows: number;
  /** What it is, for the report. */
  readonly about: string;
}

export interface Captures {
  /** undefined when there is no corpus. */
  readonly real: Capture | undefined;
  readonly small: Capture;
  /** The first twentieth of the small flows alone. */
  readonly changed: Capture;
  readonly empty: Capture;
}

export interface CaptureOptions {
  readonly cache: string;
  /** Folder of captures; need not exist. */
  readonly corpus: string;
  readonly sizes: CaptureSizes;
  readonly seed: number;
}

const here = dirname(fileURLToPath(import.meta.url));
export const DEFAULT_CORPUS = resolve(here, '../../shared/corpus/captures');
export const DEFAULT_CACHE = join(tmpdir(), 'flowpatrol-bench');

/** Takes a capture from the cache, or makes it. What it was made from stands in a file beside it. */
function cached(path: string, from: object, make: () => Omit<Capture, 'path'>): Capture {
  const note = `${path}.json`;
  const origin = JSON.stringify({ generation: GENERATION, ...from });
  if (existsSync(path) && existsSync(note)) {
    const known = JSON.parse(readFileSync(note, 'utf8')) as { origin: string; capture: Omit<Capture, 'path'> };
    if (known.origin === origin) return { path, ...known.capture };
  }
  const capture = make();
  writeFileSync(note, JSON.stringify({ origin, capture }));
  return { path, ...capture };
}

export function makeCaptures({ cache, corpus, sizes, seed }: CaptureOptions): Captures {
  mkdirSync(cache, { recursive: true });
  const empty = join(cache, 'empty.pcap');
  createPcapWriter(empty).close();
  const real = existsSync(corpus)
    ? cached(join(cache, `real-${sizes.realPackets}.pcap`), { seed, corpus, packets: sizes.realPackets, flows: sizes.realFlows }, () => {
        const made = replicate(join(cache, `real-${sizes.realPackets}.pcap`), {
          corpus,
          seed,
          packets: sizes.realPackets,
          flows: sizes.realFlows,
        });
        return {
          packets: made.packets,
          flows: made.flows,
          about: `${made.captures} real captures × ${made.copies}, interleaved within 60 s`,
        };
      })
    : undefined;
  const smallFlows = (flows: number): Capture => {
    const path = join(cache, `small-${flows}.pcap`);
    return cached(path, { seed, flows }, () => ({
      packets: makeSmallFlows(path, { seed, flows }),
      flows,
      about: 'small DNS and HTTP flows, all at once, random order',
    }));
  };
  const small = smallFlows(sizes.smallFlows);
  const changed = smallFlows(Math.ceil(sizes.smallFlows / 20));
  return { real, small, changed, empty: { path: empty, packets: 0, flows: 0, about: 'no packets' } };
}

/** What run.ts and the command line below ask for. */
export function standardCaptures(options: { quick: boolean; corpus: string; cache: string }): Captures {
  return makeCaptures({ cache: options.cache, corpus: options.corpus, sizes: options.quick ? QUICK : FULL, seed: SEED });
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      corpus: { type: 'string', default: DEFAULT_CORPUS },
      cache: { type: 'string', default: DEFAULT_CACHE },
    },
  });
  const made = standardCaptures(values);
  for (const capture of [made.real, made.small, made.changed, made.empty]) {
    if (capture !== undefined) console.log(`${capture.path}: ${capture.packets} packets, ${capture.flows} flows (${capture.about})`);
  }
}
