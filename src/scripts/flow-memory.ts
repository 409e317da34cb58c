/**
 * What is remembered of flows and hosts from event to event for the scripts of 4.x: the present alert and the scores.
 * A bounded number of each; who has not been looked at for longest is forgotten first.
 */
import type { EventView } from '../flows/view.ts';
import type { ScoreOf } from './runtime.ts';

export interface RememberedFlow {
  /** By script, the strongest alert of a triggered status so far; `status` is its internal id. */
  readonly alerts: Map<number, { readonly score: number; readonly status: number }>;
  score: number | undefined;
  /** By script, the last one that was handed out. */
  readonly externalAlerts: Map<number, string>;
}

export interface FlowMemory {
  of(view: EventView): RememberedFlow;
  scoreOf(view: EventView, of: ScoreOf): number | undefined;
  setScore(view: EventView, of: ScoreOf, value: number): void;
}

const MOST = 50_000;

/** Puts a key behind all others, and forgets the first one when there are too many. */
function touch<T>(map: Map<string, T>, key: string, value: T): T {
  map.delete(key);
  map.set(key, value);
  if (map.size > MOST) map.delete(map.keys().next().value as string);
  return value;
}

const hostOf = (view: EventView, of: 'client' | 'server'): string => `${of === 'client' ? view.client() : view.server()}@${view.vlan()}`;

export function createFlowMemory(): FlowMemory {
  const flows = new Map<string, RememberedFlow>();
  const hosts = new Map<string, number>();
  /** A flow at its last visit. */
  let ending: string | undefined;

  function of(view: EventView): RememberedFlow {
    const id = view.flowId();
    if (ending !== undefined && ending !== id) {
      flows.delete(ending);
      ending = undefined;
    }
    if (view.endReason() !== '') ending = id;
    return touch(flows, id, flows.get(id) ?? { alerts: new Map(), score: undefined, externalAlerts: new Map() });
  }

  return {
    of,
    scoreOf: (view, whose) => (whose === 'flow' ? of(view).score : hosts.get(hostOf(view, whose))),
    setScore(view, whose, value) {
      if (whose === 'flow') of(view).score = value;
      else touch(hosts, hostOf(view, whose), value);
    },
  };
}
