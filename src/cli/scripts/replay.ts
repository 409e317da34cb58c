/** `flowpatrol replay`: which alerts a changed script would have raised over a recording. */
import { type Difference, differenceLines, type ReplaySummary } from '../../scripts/testing/replay.ts';
import { runWatched } from '../../scripts/testing/watched.ts';
import { usageError } from '../errors.ts';
import { count, printable } from '../format.ts';
import type { ScriptInvocation } from '../parse.ts';
import { type Surroundings, scriptPath } from './command.ts';

const FEEDBACK = 'The script sets statuses or scores: in a run they come back in later events of the flow, here they do not.';

function summaryLines({
  events,
  alertsThen,
  alertsNow,
  same,
  changed,
  others,
  ended,
  feedsBack,
  scripts,
  damage,
  ...of
}: ReplaySummary): string[] {
  const lines = [
    `${count(events)} events, ${scripts.length === 0 ? 'all scripts' : scripts.join(', ')}: ${count(alertsThen)} alerts then, ${count(alertsNow)} now`,
    `${count(same)} the same, ${count(of.new)} new, ${count(of.gone)} gone, ${count(changed)} changed`,
  ];
  if (others > 0) lines.push(`${count(others)} other differences: lines, failures, changes of flows`);
  if (ended > 0) lines.push(`${count(ended)} ${ended === 1 ? 'script' : 'scripts'} did not return, left out from there on`);
  if (feedsBack) lines.push(FEEDBACK);
  if (damage !== undefined) lines.push(`The recording is not whole: ${damage}.`);
  return lines;
}

/** Alerts and failures are told one by one, the rest in the summary. */
const isTold = ({ what }: Difference): boolean => what === 'alert' || what === 'error';

/** @returns the exit code */
export async function replayCommand({ words, of, json }: ScriptInvocation, { stdout, screen }: Surroundings): Promise<number> {
  const [file] = words;
  if (file === undefined) throw usageError('replay: no recording given', 'flowpatrol replay FILE --script SCRIPT');
  const scripts = of.script.map((script) => scriptPath(script, '--script'));
  const against = of.against.map((script) => scriptPath(script, '--against'));
  if (against.length > 0 && scripts.length === 0) throw usageError('--against needs --script', 'the changed script, to compare with it');

  const tell = (difference: Difference): void => {
    if (json) {
      stdout.write(`${JSON.stringify(difference)}\n`);
    } else if (isTold(difference)) {
      const { time, callback, flow, script } = difference;
      const lines = [`${time} ${callback} ${flow}: ${script}`, ...differenceLines(difference).map((line) => `  ${line}`)];
      stdout.write(`${lines.join('\n')}\n`);
    }
  };
  const task = { recording: file, scripts, against };
  const summary = await runWatched('replay', task, { item: tell, note: (line) => screen.line(printable(line)) });
  if (json) stdout.write(`${JSON.stringify({ summary })}\n`);
  else stdout.write(`${summaryLines(summary).join('\n')}\n`);
  return summary.new + summary.gone + summary.changed + summary.ended > 0 ? 1 : 0;
}
