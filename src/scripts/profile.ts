/** What the calls of one callback of one script cost and what became of them. Kept over the versions of a script. */
import type { CallbackStats } from './report.ts';
import type { Tally } from './tally.ts';

/** Buckets of measured times: 4 for each doubling, from 1/16 µs on. */
const BUCKETS = 128;
const PER_DOUBLING = 4;
const SMALLEST_US = 1 / 16;

const bucketOf = (us: number): number =>
  Math.min(BUCKETS - 1, Math.max(0, Math.floor(Math.log2(Math.max(us, SMALLEST_US) / SMALLEST_US) * PER_DOUBLING)));
/** Upper bound of a bucket, µs. */
const boundOf = (bucket: number): number => SMALLEST_US * 2 ** ((bucket + 1) / PER_DOUBLING);

export class CallProfile {
  readonly tally: Tally;
  readonly #times = new Uint32Array(BUCKETS);
  #measured = 0;
  #measuredUs = 0;
  /** Each measured call stands for those since the one before it. */
  #estimatedUs = 0;
  #callsBefore: number;

  constructor(tally: Tally) {
    this.tally = tally;
    this.#callsBefore = tally.calls;
  }

  took(us: number): void {
    this.#measured++;
    this.#measuredUs += us;
    const { calls } = this.tally;
    this.#estimatedUs += us * Math.max(1, calls - this.#callsBefore);
    this.#callsBefore = calls;
    const bucket = bucketOf(us);
    this.#times[bucket] = (this.#times[bucket] as number) + 1;
  }

  /** Estimated time of all calls in this host, µs. */
  totalUs(): number {
    return this.#estimatedUs;
  }

  /** Upper bound of the bucket in which the slowest hundredth of the measured calls begins, µs. */
  #p99(): number {
    let left = Math.ceil(this.#measured * 0.01);
    for (let bucket = BUCKETS - 1; bucket >= 0 && this.#measured > 0; bucket--) {
      left -= this.#times[bucket] as number;
      if (left <= 0) return boundOf(bucket);
    }
    return 0;
  }

  stats(): CallbackStats {
    return {
      ...this.tally.counts(),
      cpuUs: this.totalUs(),
      meanUs: this.#measured === 0 ? 0 : this.#measuredUs / this.#measured,
      p99Us: this.#p99(),
    };
  }
}
