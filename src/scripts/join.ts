/** Joins what several hosts say of the same scripts: those that are gone, the one of all scripts, and those of single ones. */
import { CALLBACKS } from '../flows/event.ts';
import type { HostReport } from '../interfaces/protocol.ts';
import type { CallbackStats, ScriptReport } from './report.ts';

function addCounts<K extends string>(
  a: Readonly<Partial<Record<K, number>>>,
  b: Readonly<Partial<Record<K, number>>>,
): Partial<Record<K, number>> {
  const sum: Partial<Record<K, number>> = { ...a };
  for (const key of Object.keys(b) as K[]) sum[key] = (sum[key] ?? 0) + (b[key] ?? 0);
  return sum;
}

function addStats(a: CallbackStats | undefined, b: CallbackStats | undefined): CallbackStats | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const calls = a.calls + b.calls;
  return {
    calls,
    failures: a.failures + b.failures,
    failed: addCounts(a.failed, b.failed),
    skipped: addCounts(a.skipped, b.skipped),
    cpuUs: a.cpuUs + b.cpuUs,
    meanUs: calls === 0 ? 0 : (a.meanUs * a.calls + b.meanUs * b.calls) / calls,
    p99Us: Math.max(a.p99Us, b.p99Us), // an upper bound: the distributions stay with their hosts
  };
}

/** The state is that of the later one, unless it did not run the script at all. */
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
    alerts: a.alerts + b.alerts,
    shadowAlerts: a.shadowAlerts + b.shadowAlerts,
    ...(lastError === undefined ? {} : { lastError }),
    ...(lastStack === undefined ? {} : { lastStack }),
  };
}

export function addReports(a: HostReport | undefined, b: HostReport): HostReport {
  if (a === undefined) return b;
  const scripts = new Map(a.scripts.map((script) => [script.path, script]));
  for (const script of b.scripts) {
    const before = scripts.get(script.path);
    scripts.set(script.path, before === undefined ? script : addScript(before, script));
  }
  const total = [...scripts.values()].reduce((sum, script) => sum + usedUs(script), 0);
  return {
    ...b,
    // in the order of the later one
    scripts: [...scripts.values()].map((script) => ({ ...script, share: total === 0 ? 0 : usedUs(script) / total })),
    alerts: a.alerts + b.alerts,
    shadowAlerts: a.shadowAlerts + b.shadowAlerts,
    linesExported: a.linesExported + b.linesExported,
    printsDropped: a.printsDropped + b.printsDropped,
    effectsDropped: a.effectsDropped + b.effectsDropped,
  };
}

const usedUs = (script: ScriptReport): number => CALLBACKS.reduce((sum, callback) => sum + (script.stats[callback]?.cpuUs ?? 0), 0);
