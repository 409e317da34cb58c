/**
 * A file played at the speed at which it was captured (`--original-speed`): a live source whose packets get the time of day.
 */
import { native } from '../../native.ts';
import { FRAME_WORDS, type PacketBatch } from '../../packet/batch.ts';
import type { PacketSource } from '../source.ts';

/** Longest wait in one read, so that the interface's loop keeps turning. */
const LONGEST_WAIT_MS = 50;

export function pace(file: PacketSource): PacketSource {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let shift = Number.NaN; // wall clock minus capture time, µs
  let held = 0; // packets of the batch that are read and not yet delivered
  let delivered = 0;
  let frames = new Int32Array(0);
  let times = new Float64Array(0);
  let end = 0;

  return {
    ...file,
    live: true,
    read(batch: PacketBatch) {
      batch.count = 0;
      if (held === delivered) {
        if (end !== 0) return end;
        const count = file.read(batch);
        if (count <= 0) {
          end = count;
          return count;
        }
        batch.count = 0; // they are delivered below, each at its time
        if (Number.isNaN(shift)) shift = native.wallClock() - (batch.times[0] as number);
        held = count;
        delivered = 0;
        frames = batch.frames.slice(0, count * FRAME_WORDS);
        times = batch.times.slice(0, count).map((time) => time + shift);
      }
      const now = native.wallClock();
      const first = times[delivered] as number;
      if (first > now) {
        Atomics.wait(sleeper, 0, 0, Math.min(LONGEST_WAIT_MS, (first - now) / 1000));
        if (first > native.wallClock()) return 0;
      }
      let due = delivered;
      const limit = native.wallClock();
      while (due < held && (times[due] as number) <= limit) due++;
      batch.frames.set(frames.subarray(delivered * FRAME_WORDS, due * FRAME_WORDS));
      batch.times.set(times.subarray(delivered, due));
      batch.count = due - delivered;
      delivered = due;
      return batch.count;
    },
    quietUntil: () => (held > delivered ? Math.min(native.wallClock(), times[delivered] as number) : native.wallClock()),
  };
}
