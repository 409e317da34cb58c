/**
 * Joins what several hosts of an interface say of the same scripts: those that are gone, the one of all scripts, and those of single
 * ones. Counts of calls are in memory that they share (tally.ts); times are each host's own.
 */
import { CALLBACKS } from '../flows/event.ts';
import type { HostReport } from '../interfaces/protocol.ts';
import type { CallbackStats, ScriptReport } from './report.ts';

function addStats(a: CallbackStats | undefined, b: CallbackStats | undefined): CallbackStats | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const meanUs = b.meanUs === 0 ? a.meanUs : b.meanUs;
  return { ...b, meanUs, cpuUs: a.cpuUs + b.cpuUs, p99Us: Math.max(a.p99Us, b.p99Us) };
}

/** The state is that of the later one. */
function addScript(a: ScriptReport, b: ScriptReport): ScriptReport {
  const stats: Partial<Record<(typeof CALLBACKS)[number], CallbackStats>> = {};
  for (const callback of CALLBACKS) {
    const sum = addStats(a.stats[callback], b.stats[callback]);
    if (sum !== undefined) stats[callback] = sum;
  }
  const lastError = b.lastError ?? a.lastError;
  const lastStack = b.lastError === undefined ? a.lastStack : b.lastStack;
  return {
    ...b,
    stats,
    ...(lastError === undefined ? {} : { lastError }),
    ...(lastStack === undefined ? {} : { lastStack }),
  };
}

export function joinReports(a: HostReport | undefined, b: HostReport): HostReport {
  if (a === undefined) return b;
  const scripts = new Map(a.scripts.map((script) => [script.path, script]));
  for (const script of b.scripts) {
    const before = scripts.get(script.path);
    scripts.set(script.path, before === undefined ? script : addScript(before, script));
  }
  return {
    ...b,
    scripts: [...scripts.values()],
    linesExported: a.linesExported + b.linesExported,
    printsDropped: a.printsDropped + b.printsDropped,
    effectsDropped: a.effectsDropped + b.effectsDropped,
  };
}
