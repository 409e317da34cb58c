/**
 * What a changed script would have done: recorded or other doings, and those of the script, event by event in; what differs out.
 *
 *   recording ──► player with the changed scripts ──► doings now  ─┐
 *            ├──► its own doings, or                  doings then ─┴─► Difference
 *            └──► player with other scripts ────────►
 *
 * The flows are those of the recording: a status that a changed script sets is in no later event. Called by worker.ts for `flowpatrol replay`.
 */
import type { Callback } from '../../flows/event.ts';
import type { Doing } from '../../recording/format.ts';
import type { RecordingReader } from '../../recording/reader.ts';
import { callbackOf, doingLines, flowLabel, scriptOf, timeText } from '../words.ts';
import { createPlayer, type Player, type PlayerOptions } from './player.ts';

export interface Difference {
  /** A doing that was not, one that is no more, or another alert of the same type. */
  readonly kind: 'new' | 'gone' | 'changed';
  readonly what: 'alert' | 'print' | 'error' | 'changes';
  readonly time: string;
  readonly flow: string;
  readonly callback: Callback;
  readonly script: string;
  readonly before?: Doing;
  readonly after?: Doing;
}

export interface ReplaySummary {
  readonly events: number;
  readonly alertsThen: number;
  readonly alertsNow: number;
  /** Alerts that are the same. */
  readonly same: number;
  readonly new: number;
  readonly gone: number;
  readonly changed: number;
  /** Lines, failures and changes of flows that are only on one side. */
  readonly others: number;
  /** Scripts that did not return, and were left out from there on. */
  readonly ended: number;
  /** A changed script sets statuses or scores, and nothing comes back of it. */
  readonly feedsBack: boolean;
  /** Keys of the scripts that are compared; none = all. */
  readonly scripts: readonly string[];
  /** Where the recording ends early, and why. */
  readonly damage?: string;
}

export interface ReplayOptions {
  /** Absolute paths; none = the recorded scripts as they were. */
  readonly scripts: readonly string[];
  /** Compared with what these do, instead of what was recorded. */
  readonly against: readonly string[];
}

type Compared = Extract<Doing, { type: 'alert' | 'print' | 'error' | 'changes' }>;

/** Text by which two doings are the same, whatever the version of the script that did them and the fields that it reads. */
function identity(doing: Compared): string {
  if (doing.type !== 'alert') return JSON.stringify({ ...doing, script: '' });
  return JSON.stringify({ ...doing.alert, script: '', version: '', reason: {} });
}

/** The doings of an event that are compared, one entry per change of a flow. */
function compared(doings: readonly Doing[], keys: ReadonlySet<string> | undefined): Compared[] {
  return doings
    .flatMap((doing): Doing[] => (doing.type === 'changes' ? doing.changes.map((change) => ({ ...doing, changes: [change] })) : [doing]))
    .filter(
      (doing): doing is Compared =>
        (doing.type === 'alert' || doing.type === 'print' || doing.type === 'error' || doing.type === 'changes') &&
        callbackOf(doing) !== 'load' &&
        (keys === undefined || keys.has(scriptOf(doing) ?? '')),
    );
}

/** @returns what is on one side only; alerts of the same type and callback are paired */
export function differences(before: readonly Compared[], after: readonly Compared[]): { before?: Compared; after?: Compared }[] {
  const gone = [...before];
  const come: Compared[] = [];
  for (const doing of after) {
    const at = gone.findIndex((other) => identity(other) === identity(doing));
    if (at < 0) come.push(doing);
    else gone.splice(at, 1);
  }
  const found: { before?: Compared; after?: Compared }[] = [];
  for (const doing of come) {
    const at = gone.findIndex(
      (other) =>
        other.type === 'alert' &&
        doing.type === 'alert' &&
        other.alert.callback === doing.alert.callback &&
        other.alert.alertType === doing.alert.alertType,
    );
    found.push(at < 0 ? { after: doing } : { before: gone.splice(at, 1)[0] as Compared, after: doing });
  }
  return [...gone.map((doing) => ({ before: doing })), ...found];
}

/** @param told takes each difference at once. @throws RecordingError: a script cannot be loaded */
export async function replay(
  recording: RecordingReader,
  { scripts, against, steps, note }: ReplayOptions & Pick<PlayerOptions, 'steps' | 'note'>,
  told: (difference: Difference) => void,
): Promise<ReplaySummary> {
  const now = await createPlayer(recording.header, { scripts, steps, note });
  const then = against.length === 0 ? undefined : await createPlayer(recording.header, { scripts: against, steps, note });
  const keysNow = scripts.length === 0 ? undefined : new Set(now.given.keys());
  const keysThen = then === undefined ? keysNow : new Set(then.given.keys());
  const counts = { events: 0, alertsThen: 0, alertsNow: 0, new: 0, gone: 0, changed: 0, others: 0 };
  const versions = new Map<string, string>(); // recorded
  let feedsBack = false;
  let recorded: Doing[] = [];
  let current: readonly Doing[] | undefined;

  const isChanged = (key: string): boolean => now.given.has(key) && versions.get(key) !== now.given.get(key);

  /** Compares what was done at the last event. */
  function settle(before: readonly Doing[]): void {
    if (current === undefined) return;
    const [a, b] = [compared(before, keysThen), compared(current, keysNow)];
    const alerts = (list: readonly Compared[]): number => list.filter(({ type }) => type === 'alert').length;
    counts.alertsThen += alerts(a);
    counts.alertsNow += alerts(b);
    feedsBack ||= b.some((doing) => doing.type === 'changes' && isChanged(scriptOf(doing) ?? ''));
    for (const difference of differences(a, b)) tell(difference, now.view);
    current = undefined;
  }

  function tell({ before, after }: { readonly before?: Compared; readonly after?: Compared }, view: Player['view']): void {
    const doing = (after ?? before) as Compared;
    const kind = before === undefined ? 'new' : after === undefined ? 'gone' : 'changed';
    if (doing.type === 'alert') counts[kind]++;
    else counts.others++;
    told({
      kind,
      what: doing.type,
      time: timeText(view.time()),
      flow: flowLabel(view),
      callback: callbackOf(doing) as Callback,
      script: scriptOf(doing) ?? '',
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
  }

  try {
    for await (const frames of recording.frames()) {
      for (const frame of frames) {
        if (frame.type === 'doing') {
          recorded.push(frame.doing);
          if (frame.doing.type === 'loaded') versions.set(frame.doing.script, frame.doing.version ?? '');
          now.take(frame);
          then?.take(frame);
          continue;
        }
        if (frame.type === 'event') {
          if (then === undefined) settle(recorded);
          recorded = [];
          counts.events++;
        }
        const before = then?.take(frame) ?? [];
        const after = now.take(frame);
        if (frame.type !== 'event') continue;
        current = after;
        if (then !== undefined) settle(before);
      }
    }
    if (then === undefined) settle(recorded);
  } finally {
    now.close();
    then?.close();
  }
  const damage = recording.damage();
  return {
    ...counts,
    same: counts.alertsNow - counts.new - counts.changed,
    ended: steps.ended(),
    feedsBack,
    scripts: [...(keysNow ?? [])],
    ...(damage === undefined ? {} : { damage }),
  };
}

/** `+ alert …`, `- alert …`; a changed one is both. */
export const differenceLines = ({ before, after }: Difference): string[] => [
  ...(before === undefined ? [] : doingLines(before).map((line) => `- ${line}`)),
  ...(after === undefined ? [] : doingLines(after).map((line) => `+ ${line}`)),
];
