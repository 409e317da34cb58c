/**
 * What the scripts of one callback do, kept back until it is through: a host that has to be ended in the middle has told nobody, and
 * the callback can be run again in the next one.
 */

import { statusById } from '../flows/statuses.ts';
import type { EventView } from '../flows/view.ts';
import type { Effects, PrintLevel, RaisedAlert, ScoreOf } from './runtime.ts';

export type Effect = { readonly script: number } & (
  | { readonly type: 'alert'; readonly alert: RaisedAlert }
  | { readonly type: 'print'; readonly level: PrintLevel; readonly line: string }
  | { readonly type: 'status'; readonly status: number; readonly set: boolean }
  | { readonly type: 'score'; readonly of: ScoreOf; readonly value: number }
);

/** Effects of one callback; more are dropped and counted. */
const MOST_EFFECTS = 10_000;
const LONGEST_LINE = 8192;

export interface EffectBuffer extends Effects {
  /** The event that is run next; what scripts have set stays in sight over the callbacks of one event. */
  begin(view: EventView): void;
  /** All since the last call. */
  take(): readonly Effect[];
  /** Effects that there was no room for. */
  dropped(): number;
}

export function createEffects(): EffectBuffer {
  let effects: Effect[] = [];
  let view: EventView | undefined;
  let flow = -1;
  let visit = -1;
  let dropped = 0;
  const statuses = new Map<number, boolean>();
  const scores = new Map<ScoreOf, number>();

  const add = (effect: Effect): void => {
    if (effects.length < MOST_EFFECTS) effects.push(effect);
    else dropped++;
  };
  const ofFlow = (): EventView => {
    if (view === undefined) throw new Error('there is no flow outside a callback');
    return view;
  };

  return {
    begin(of) {
      view = of;
      const nextFlow = of.seq();
      const nextVisit = of.visit();
      if (nextFlow === flow && nextVisit === visit) return;
      flow = nextFlow;
      visit = nextVisit;
      if (statuses.size > 0) statuses.clear();
      if (scores.size > 0) scores.clear();
    },
    take() {
      view = undefined;
      if (effects.length === 0) return effects;
      const taken = effects;
      effects = [];
      return taken;
    },
    dropped: () => dropped,
    alert(script, alert) {
      ofFlow();
      add({ type: 'alert', script, alert });
    },
    print(script, level, line) {
      add({ type: 'print', script, level, line: printable(line) });
    },
    status(script, status, set) {
      ofFlow();
      if (!statusById.has(status)) throw new Error(`there is no status ${status}`);
      statuses.set(status, set);
      add({ type: 'status', script, status, set });
    },
    score(script, of, value) {
      ofFlow();
      scores.set(of, value);
      add({ type: 'score', script, of, value });
    },
    isStatusSet(status) {
      const set = statuses.get(status);
      if (set !== undefined) return set;
      const of = ofFlow();
      return (((status < 32 ? of.statusLow() : of.statusHigh()) >>> (status & 31)) & 1) === 1;
    },
    scoreOf: (of) => scores.get(of),
  };
}

/** A line that is safe on a terminal: control characters as `\xHH`, of bounded length. */
export function printable(text: string): string {
  const line = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  return line.replace(/[\0-\x08\x0a-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
