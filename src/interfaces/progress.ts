/**
 * How a capture is read, and how far: what it was told, the share of its bytes, the time that is left. Main thread; one per capture,
 * made by patrol.ts.
 */
import type { CapturePace, CaptureSnapshot, InterfaceState } from '../patrol-types.ts';
import { GAUGE_POSITION, GAUGE_SIZE } from './protocol.ts';
import type { InterfaceThreads } from './threads.ts';

export interface CaptureProgress {
  regulate(change: CapturePace): void;
  snapshot(state: InterfaceState): CaptureSnapshot;
}

/** The rate is that since it was last told something: before, it may have been another one. */
const SHORTEST_MS = 500;

/** @param speed what it begins with */
export function createCaptureProgress(threads: Pick<InterfaceThreads, 'gauges' | 'regulate'>, speed: number): CaptureProgress {
  let pace: Required<CapturePace> = { paused: false, speed };
  let since = performance.now();
  let from = 0; // position then
  const positionOf = (gauges: Float64Array): number => Math.max(0, gauges[GAUGE_POSITION] as number);

  return {
    regulate(change) {
      pace = { ...pace, ...change };
      threads.regulate(change);
      since = performance.now();
      from = positionOf(threads.gauges());
    },
    snapshot(state) {
      if (state === 'ended') return { ...pace, read: 1, left: 0 };
      const gauges = threads.gauges();
      const size = gauges[GAUGE_SIZE] as number;
      if (size <= 0) return pace;
      const position = Math.min(size, positionOf(gauges));
      const elapsed = performance.now() - since;
      const known = state === 'running' && !pace.paused && elapsed >= SHORTEST_MS && position > from;
      return { ...pace, read: position / size, ...(known ? { left: ((size - position) * elapsed) / (position - from) / 1000 } : {}) };
    },
  };
}
