/**
 * What became of the scripts at each call of a flow, as text: which were called, left out (by what) or failed, what they did, and the
 * flow's statuses before and after. Traces in, lines out.
 *
 *   recording, capture ──► calls ──explained──┐
 *   running flowpatrol ──GET /explain─────────┴──► ExplainedCall ──► explanationLines
 */
import type { Doing } from '../recording/format.ts';
import type { CallTrace } from './host.ts';
import type { CallFilter } from './runtime.ts';
import type { Call } from './testing/calls.ts';
import type { TraceEntry } from './trace.ts';
import { doingLines, flowLabel, scriptOf, statusNames, timeText } from './words.ts';

export interface ExplainedCall extends TraceEntry {
  /** What the scripts did, where that is known. */
  readonly doings?: readonly Doing[];
}

/** @returns undefined for a call of no flow */
export function explained({ callback, view, doings, traces }: Call): ExplainedCall | undefined {
  if (view === undefined || callback === 'load') return undefined;
  return {
    flow: view.flowId(),
    label: flowLabel(view),
    visit: view.visit(),
    time: view.time(),
    callback,
    statusBefore: view.statusBefore(),
    status: view.status(),
    scripts: traces,
    doings,
  };
}

const NOT_CALLED: Readonly<Partial<Record<CallTrace['outcome'], string>>> = {
  filter: 'its filter',
  broken: 'switched off by its circuit breaker',
  shed: 'left out, as events come faster than the scripts take them',
  off: 'switched off',
  'off by setup': 'switched off by its setup',
  'not applicable': 'needs packets, and the interface has flow records',
};

const FILTERS: Readonly<Record<keyof CallFilter, string>> = {
  l4: 'another IP protocol',
  l7: 'another application protocol',
  handshake: 'no complete TCP handshake',
  packetInterface: 'the interface sees no packets',
  periodicSeconds: 'not yet time',
};

function outcomeText({ outcome, message, filter, alerts }: CallTrace): string {
  if (outcome === 'failed') return `failed: ${message ?? ''}`;
  if (outcome === 'run') return alerts === 0 ? 'called' : `called, ${alerts} ${alerts === 1 ? 'alert' : 'alerts'}`;
  return `not called: ${NOT_CALLED[outcome] ?? outcome}${filter === undefined ? '' : ` (${FILTERS[filter]})`}`;
}

/** Names of statuses, with a sign where they came or went. */
function statusText(before: number, now: number): string {
  const [then, set] = [statusNames(before), statusNames(now)];
  const words = [
    ...set.map((name) => (then.includes(name) ? name : `+${name}`)),
    ...then.filter((name) => !set.includes(name)).map((name) => `-${name}`),
  ];
  return words.length === 0 ? 'no statuses' : words.join(' ');
}

function callLines({ visit, time, callback, statusBefore, status, scripts, doings = [] }: ExplainedCall): string[] {
  const width = Math.max(0, ...scripts.map(({ script }) => script.length));
  const done = (script: string): string[] =>
    doings
      .flatMap((doing): Doing[] =>
        doing.type === 'changes' ? [{ ...doing, changes: doing.changes.filter((change) => change.script === script) }] : [doing],
      )
      .filter((doing) => scriptOf(doing) === script && doing.type !== 'error')
      .flatMap(doingLines);
  return [
    `  ${timeText(time)} visit ${visit} ${callback}: ${statusText(statusBefore, status)}`,
    ...scripts.flatMap((trace) => [
      `    ${trace.script.padEnd(width)}  ${outcomeText(trace)}`,
      ...done(trace.script).map((line) => `      ${line}`),
    ]),
  ];
}

/** @param calls of any flows, in order; each flow is told on its own */
export function explanationLines(calls: readonly ExplainedCall[]): string[] {
  const flows = Map.groupBy(calls, ({ flow }) => flow);
  return [...flows].flatMap(([flow, of], i) => [...(i === 0 ? [] : ['']), `${of.at(-1)?.label} (flow ${flow})`, ...of.flatMap(callLines)]);
}
