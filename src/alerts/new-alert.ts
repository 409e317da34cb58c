/**
 * What was raised as an alert of its own, which nobody has said anything about yet. Called by the intake, and by the thread of a script
 * host for `--export-alerts`: the same JSON there as everywhere.
 */
import type { Translate } from '../scripts/locales.ts';
import { ALERT_VERSION, type Alert, type RaisedFlowAlert } from './alert.ts';
import { trafficOf } from './merging.ts';
import { wordsOf } from './words.ts';

/** @param translate alertTranslator (words.ts) */
export function newAlert(raised: RaisedFlowAlert, id: string, translate: Translate): Alert {
  const { time } = raised;
  return {
    ...raised,
    schema: ALERT_VERSION,
    id,
    ...wordsOf(raised, translate),
    ...{ count: 1, firstTime: time, lastTime: time, ...trafficOf(raised) },
    secondary: false,
    ...{ state: 'new', by: '', comment: '', changed: 0 },
  };
}
