/**
 * Evaluates the conditions of the statuses (statuses.ts) for one flow at a visit, each only when its inputs have changed.
 *
 *   visit ──► judge(flow, what changed) ──► bitmap in two halves
 */
import type { FlowFacts } from './facts.ts';
import { type Condition, type Limits, STATUSES, type StatusInputs } from './statuses.ts';

export interface Judge {
  /**
   * The flow's bitmap, starting from the one of its last visit. `packets` = packets came, or the flow ends; `news` = what is known of
   * its protocol, its ends, lists or preferences has changed.
   */
  judge(flow: FlowFacts, limits: Limits, low: number, high: number, packets: boolean, news: boolean): void;
  /** The halves of the last answer, unsigned. */
  low(): number;
  high(): number;
}

const TCP = 6;
const UDP = 17;

/** Statuses that are judged together. */
interface Group {
  readonly lowMask: number;
  readonly highMask: number;
  readonly ids: Int32Array;
  readonly conditions: readonly Condition[];
}

/** The groups of one protocol. The masks are those of all. */
type Groups = Readonly<Record<StatusInputs, Group>>;

/** @param packetInterface false: statuses that flow records cannot tell are left out */
export function createJudge(packetInterface: boolean): Judge {
  const groupsFor = (protocol: 'tcp' | 'udp' | 'other'): Groups => {
    const groupOf = (inputs: StatusInputs): Group => {
      const told = STATUSES.filter((status) => status.inputs === inputs && (packetInterface || status.packetsOnly !== true));
      const judged = told.filter(({ only }) => only === undefined || only === protocol);
      const mask = (half: number): number => told.filter(({ id }) => id >> 5 === half).reduce((bits, { id }) => bits | (1 << (id & 31)), 0);
      return {
        lowMask: mask(0),
        highMask: mask(1),
        ids: Int32Array.from(judged, (status) => status.id),
        conditions: judged.map((status) => status.condition as Condition),
      };
    };
    return { packets: groupOf('packets'), ends: groupOf('ends'), details: groupOf('details'), time: groupOf('time') };
  };
  const tcp = groupsFor('tcp');
  const udp = groupsFor('udp');
  const other = groupsFor('other');
  let low = 0;
  let high = 0;

  const clear = ({ lowMask, highMask }: Group): void => {
    low &= ~lowMask;
    high &= ~highMask;
  };

  const evaluate = (group: Group, flow: FlowFacts, limits: Limits): void => {
    clear(group);
    const { ids, conditions } = group;
    for (let i = 0; i < ids.length; i++) {
      if (!(conditions[i] as Condition)(flow, limits)) continue;
      const id = ids[i] as number;
      if (id < 32) low |= 1 << id;
      else high |= 1 << (id - 32);
    }
  };

  return {
    judge(flow, limits, oldLow, oldHigh, packets, news) {
      low = oldLow;
      high = oldHigh;
      const protocol = flow.protocol();
      const groups = protocol === TCP ? tcp : protocol === UDP ? udp : other;
      if (packets || news) evaluate(groups.packets, flow, limits);
      if (news) {
        evaluate(groups.ends, flow, limits);
        if (flow.hasDetails()) evaluate(groups.details, flow, limits);
        else clear(groups.details);
      }
      evaluate(groups.time, flow, limits);
    },
    low: () => low >>> 0,
    high: () => high >>> 0,
  };
}
