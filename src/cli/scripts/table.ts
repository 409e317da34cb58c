/** Scripts as people read them: a table of how they do, and a source with the line of its last error. Reports in, lines out. */
import type { CallbackStats, ScriptReport } from '../../scripts/report.ts';
import { cut, printable, short, table } from '../format.ts';

/** A script, and the interface that runs it; without one nothing runs. */
export type ListedScript = ScriptReport & { readonly interface?: string };

const sum = (stats: readonly CallbackStats[], of: (stats: CallbackStats) => number): number =>
  stats.reduce((total, each) => total + of(each), 0);

const microseconds = (us: number): string => (us < 9.995 ? us.toFixed(2) : us < 999.5 ? us.toFixed(0) : `${(us / 1000).toFixed(1)}k`);

const COLUMNS = [
  { title: 'Script' },
  { title: 'state' },
  { title: 'kind' },
  { title: 'version' },
  { title: 'calls', right: true },
  { title: 'failed', right: true },
  { title: 'skipped', right: true },
  { title: 'mean µs', right: true },
  { title: 'p99 µs', right: true },
  { title: 'share', right: true },
  { title: 'alerts', right: true },
] as const;

function rowOf(script: ListedScript): string[] {
  const { key, state, generation, hash, share, alerts, shadowAlerts } = script;
  const stats = Object.values(script.stats);
  const calls = sum(stats, (each) => each.calls);
  const cpu = sum(stats, (each) => each.cpuUs);
  const skipped = sum(stats, (each) => Object.values(each.skipped).reduce((total, count) => total + count, 0));
  const kind = script.language === 'lua' ? `Lua${generation === undefined ? '' : ` ${generation}`}` : 'TypeScript';
  return [
    cut(printable(key), 32),
    state,
    kind,
    hash ?? '',
    short(calls),
    short(sum(stats, (each) => each.failures)),
    short(skipped),
    calls === 0 ? '' : microseconds(cpu / calls),
    calls === 0 ? '' : microseconds(Math.max(...stats.map((each) => each.p99Us))),
    calls === 0 ? '' : `${(share * 100).toFixed(0)} %`,
    shadowAlerts > 0 ? `${short(alerts)} (${short(shadowAlerts)})` : short(alerts),
  ];
}

const reasons = (counts: Readonly<Partial<Record<string, number>>>): string =>
  Object.entries(counts)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');

/** What does not fit into a row. */
function noteLines(script: ListedScript): string[] {
  const { file, callbacks, stats, error, warnings, lastError, broken, ownHost, stateLost } = script;
  const lines = callbacks.map((callback) => {
    const of = stats[callback];
    const parts = of === undefined ? [] : [`${of.calls} calls`, ...(of.failures > 0 ? [`failed: ${reasons(of.failed)}`] : [])];
    if (of !== undefined && Object.keys(of.skipped).length > 0) parts.push(`skipped: ${reasons(of.skipped)}`);
    return `${callback}${parts.length === 0 ? '' : ` ${parts.join('; ')}`}`;
  });
  const notes = [`${file}: ${lines.length === 0 ? 'no callbacks' : lines.join(' | ')}`];
  if (error !== undefined) notes.push(`error: ${error}`);
  for (const warning of warnings) notes.push(`warning: ${warning}`);
  if (lastError !== undefined) notes.push(`last failure: ${lastError}`);
  if (broken !== undefined) notes.push(`switched off: ${broken.reason}`);
  if (ownHost) notes.push('runs in a host of its own, as it does not return at times');
  if (stateLost > 0) notes.push(`its variables were lost ${stateLost} times`);
  return notes.map((note) => `    ${printable(note)}`);
}

export function listLines(scripts: readonly ListedScript[]): string[] {
  const [head = '', ...rows] = table(COLUMNS, scripts.map(rowOf));
  const several = new Set(scripts.map((script) => script.interface)).size > 1;
  let before: string | undefined;
  return [
    head,
    ...scripts.flatMap((script, i) => {
      const heading = several && script.interface !== before ? [`${printable(script.interface ?? '')}:`] : [];
      before = script.interface;
      return [...heading, rows[i] as string, ...noteLines(script)];
    }),
  ];
}

/** `file:LINE: message` about this file. */
function placeOf(message: string | undefined, file: string): number | undefined {
  const at = message?.indexOf(`${file}:`) ?? -1;
  const line = at < 0 ? undefined : /^\d+/.exec((message as string).slice(at + file.length + 1))?.[0];
  return line === undefined ? undefined : Number(line);
}

/** The source with numbers; the lines of the last errors are marked, with what went wrong below them. */
export function sourceLines({ file, error, lastError }: ListedScript, source: string): string[] {
  const marks = [error, lastError].filter((message) => message !== undefined).map((message) => ({ message, line: placeOf(message, file) }));
  const lines = source.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const width = String(lines.length).length;
  return [
    ...marks.filter(({ line }) => line === undefined || line > lines.length).map(({ message }) => `! ${printable(message)}`),
    ...lines.flatMap((text, i) => {
      const here = marks.filter(({ line }) => line === i + 1);
      const shown = printable(text.replaceAll('\t', '    '));
      return [
        `${here.length > 0 ? '>' : ' '} ${String(i + 1).padStart(width)} │ ${shown}`.trimEnd(),
        ...here.map(({ message }) => `  ${' '.repeat(width)} └ ${printable(message)}`),
      ];
    }),
  ];
}
