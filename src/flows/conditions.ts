/**
 * Evaluates the conditions of the statuses (statuses.ts) for one flow at a visit, each only when its inputs have changed.
 *
 *   visit ──► judge(flow, what changed) ──► bitmap in two halves
 */
import type { FlowFacts } from './facts.ts';
import { type Condition, type Limits, STATUSES, type StatusInputs } from './statuses.ts';

export interface Judge {
  /**
   * The flow's bitmap, starting from the one of its last visit. `detection` = what is known of its protocol, its ends, lists or
   * preferences has changed; `packets` = packets came, or the flow ends.
   */
  judge(flow: FlowFacts, limits: Limits, low: number, high: number, packets: boolean, detection: boolean): void;
  /** The halves of the last answer, unsigned. */
  low(): number;
  high(): number;
}

interface Group {
  readonly lowMask: number;
  readonly highMask: number;
  readonly ids: Int32Array;
  readonly conditions: readonly Condition[];
}

/** @param packetInterface false: statuses that flow records cannot tell are left out */
export function createJudge(packetInterface: boolean): Judge {
  const groupOf = (inputs: StatusInputs): Group => {
    const of = STATUSES.filter((status) => status.inputs === inputs && (packetInterface || status.packetsOnly !== true));
    const mask = (half: number): number => of.filter(({ id }) => id >> 5 === half).reduce((bits, { id }) => bits | (1 << (id & 31)), 0);
    return {
      lowMask: mask(0),
      highMask: mask(1),
      ids: Int32Array.from(of, (status) => status.id),
      conditions: of.map((status) => status.condition as Condition),
    };
  };
  const byPackets = groupOf('packets');
  const byDetection = groupOf('detection');
  const byTime = groupOf('time');
  let low = 0;
  let high = 0;

  const evaluate = ({ lowMask, highMask, ids, conditions }: Group, flow: FlowFacts, limits: Limits): void => {
    low &= ~lowMask;
    high &= ~highMask;
    for (let i = 0; i < ids.length; i++) {
      if (!(conditions[i] as Condition)(flow, limits)) continue;
      const id = ids[i] as number;
      if (id < 32) low |= 1 << id;
      else high |= 1 << (id - 32);
    }
  };

  return {
    judge(flow, limits, oldLow, oldHigh, packets, detection) {
      low = oldLow;
      high = oldHigh;
      if (packets || detection) evaluate(byPackets, flow, limits);
      if (detection) evaluate(byDetection, flow, limits);
      evaluate(byTime, flow, limits);
    },
    low: () => low >>> 0,
    high: () => high >>> 0,
  };
}
