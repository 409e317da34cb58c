/**
 * A file that can be paused, and read at a multiple of its packets' own time. When packets come is all that changes: what they are and
 * what they say of the time is as in the file, so whatever is made of them is the same at any speed.
 *
 *   main ──CONTROL_PAUSED, CONTROL_SPEED──► read(): nothing yet (0) │ what is due of the batch that is held │ the file's next batch
 */
import { FRAME_WORDS, type PacketBatch } from '../../packet/batch.ts';
import { CONTROL_COMMANDS, CONTROL_PAUSED, CONTROL_SPEED, SPEED_UNIT } from '../protocol.ts';
import type { PacketSource } from '../source.ts';

/** Longest wait in one read, so that the interface's loop keeps turning. A posted command ends it. */
const LONGEST_WAIT_MS = 50;

/** @param control CONTROL_* words of the interface */
export function regulate(file: PacketSource, control: Int32Array): PacketSource {
  let held = 0; // packets of the batch that are read from the file
  let delivered = 0; // and of these those that went on
  let frames = new Int32Array(0);
  let times = new Float64Array(0);
  let reached = Number.NaN; // packet time up to which packets are due, µs since 1970
  let looked = 0; // when that was so, ms, steady

  const rest = (ms: number): number => {
    Atomics.wait(control, CONTROL_COMMANDS, Atomics.load(control, CONTROL_COMMANDS), Math.min(ms, LONGEST_WAIT_MS));
    return 0;
  };
  const deliver = (batch: PacketBatch, to: number): number => {
    batch.frames.set(frames.subarray(delivered * FRAME_WORDS, to * FRAME_WORDS));
    batch.times.set(times.subarray(delivered, to));
    batch.count = to - delivered;
    delivered = to;
    return batch.count;
  };

  return {
    ...file,
    read(batch) {
      const speed = Atomics.load(control, CONTROL_SPEED) / SPEED_UNIT;
      batch.count = 0;
      if (Atomics.load(control, CONTROL_PAUSED) !== 0) {
        looked = performance.now();
        return rest(LONGEST_WAIT_MS);
      }
      if (speed === 0) {
        reached = Number.NaN;
        return held === delivered ? file.read(batch) : deliver(batch, held);
      }
      if (held === delivered) {
        const count = file.read(batch);
        if (count <= 0) return count;
        held = count;
        delivered = 0;
        frames = batch.frames.slice(0, count * FRAME_WORDS);
        times = batch.times.slice(0, count);
        batch.count = 0; // each is delivered at its time
      }
      const next = times[delivered] as number;
      const now = performance.now();
      reached = Number.isNaN(reached) ? next : reached + (now - looked) * 1000 * speed;
      looked = now;
      if (next > reached) return rest((next - reached) / 1000 / speed);
      let due = delivered + 1;
      while (due < held && (times[due] as number) <= reached) due++;
      return deliver(batch, due);
    },
  };
}
