/**
 * The golden text of a script: one section per capture, what the script did at which packet time. It is kept beside the script, in
 * `tests/NAME.golden`, and compared with what the script does now.
 */
import { CALLBACKS } from '../../flows/event.ts';
import type { TestRun } from './run.ts';

const HEAD = 'capture ';

/** The section of one capture, without its first line. */
export function sectionText({ calls, callbacks, refused }: TestRun): string {
  const lines: string[] = [];
  for (const { time, flow, callback, statuses, lines: said, filtered } of calls) {
    const about = flow === undefined ? [] : [flow, ...(statuses.length === 0 ? [] : [`[${statuses.join(', ')}]`])];
    lines.push([time, ...(callback === 'load' ? [] : [callback]), ...about].join(' '));
    lines.push(...(filtered ? ['  not called: its filter'] : said.map((line) => `  ${line}`)));
  }
  if (refused !== undefined) lines.push(`refused: ${refused}`);
  if (lines.length > 0) lines.push('');
  for (const callback of CALLBACKS) {
    const of = callbacks[callback];
    if (of === undefined) continue;
    const failed = Object.entries(of.failed).map(([reason, count]) => `${reason} ${count}`);
    lines.push(`${callback}: ${callCount(of.calls)}${failed.length === 0 ? '' : `, ${of.failures} failed (${failed.join(', ')})`}`);
  }
  return `${lines.join('\n')}\n`;
}

export const callCount = (calls: number): string => (calls === 0 ? 'never called' : calls === 1 ? '1 call' : `${calls} calls`);

/** Sections by the names of their captures. */
export function parseGolden(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const part of text.split(/^(?=capture )/m)) {
    const end = part.indexOf('\n');
    if (part.startsWith(HEAD) && end > 0) sections.set(part.slice(HEAD.length, end), `${part.slice(end + 1).trim()}\n`);
  }
  return sections;
}

export const goldenText = (sections: ReadonlyMap<string, string>): string =>
  [...sections].map(([capture, text]) => `${HEAD}${capture}\n\n${text.trim()}\n`).join('\n');
