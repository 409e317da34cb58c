/**
 * A flow keeps its strongest alert, the others are secondary: by score, then severity; of equals the first. Called by the intake.
 */
import { type Alert, SEVERITIES } from './alert.ts';
import { createRecent } from './recent.ts';

/** Flows whose alerts are remembered at one time. */
const MOST_FLOWS = 50_000;

type Strength = Pick<Alert, 'id' | 'score' | 'severity'>;

export interface Strongest {
  /**
   * @param flow id; '' = none is known
   * @returns what becomes secondary by it: the alert itself, another one (its id), or nothing
   */
  raised(flow: string, alert: Strength & Pick<Alert, 'shadow'>): 'this' | { readonly id: string } | undefined;
}

const isStronger = (a: Strength, b: Strength): boolean =>
  a.score > b.score || (a.score === b.score && SEVERITIES.indexOf(a.severity) > SEVERITIES.indexOf(b.severity));

export function createStrongest(): Strongest {
  const strongest = createRecent<Strength>(MOST_FLOWS);
  return {
    raised(flow, { id, score, severity, shadow }) {
      if (flow === '') return undefined;
      const key = shadow ? `shadow ${flow}` : flow;
      const before = strongest.get(key);
      const other = before !== undefined && before.id !== id ? before : undefined;
      if (other !== undefined && !isStronger({ id, score, severity }, other)) return 'this';
      strongest.set(key, { id, score, severity });
      return other === undefined ? undefined : { id: other.id };
    },
  };
}
