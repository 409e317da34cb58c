/** Scripts as the pages show them: one entry a script, with what it is on each interface, and the profile of all callbacks together. Pure. */
import type { CallbackStats } from '../../../src/scripts/report.ts';
import type { Script, ScriptSwitch } from './api.ts';

export interface ScriptGroup {
  readonly key: string;
  /** One an interface. */
  readonly of: readonly Script[];
  /** Any of them: what does not depend on an interface. */
  readonly head: Script;
  readonly profile: Profile;
}

export interface Profile {
  readonly calls: number;
  readonly failures: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  readonly cpuUs: number;
  readonly meanUs: number;
  /** The highest of the callbacks. */
  readonly p99Us: number;
  /** 0 to 1. */
  readonly share: number;
  readonly alerts: number;
  readonly shadowAlerts: number;
}

function add(into: Record<string, number>, counts: Readonly<Partial<Record<string, number>>>): void {
  for (const [name, value] of Object.entries(counts)) if (value) into[name] = (into[name] ?? 0) + value;
}

export function profileOf(scripts: readonly Script[]): Profile {
  const stats = scripts.flatMap((script) => Object.values(script.stats) as CallbackStats[]);
  const sum = (of: (stats: CallbackStats) => number): number => stats.reduce((total, each) => total + of(each), 0);
  const failed: Record<string, number> = {};
  const skipped: Record<string, number> = {};
  for (const each of stats) {
    add(failed, each.failed);
    add(skipped, each.skipped);
  }
  const calls = sum((each) => each.calls);
  const cpuUs = sum((each) => each.cpuUs);
  return {
    calls,
    failures: sum((each) => each.failures),
    failed,
    skipped,
    cpuUs,
    meanUs: calls === 0 ? 0 : cpuUs / calls,
    p99Us: Math.max(0, ...stats.map((each) => each.p99Us)),
    share: scripts.length === 0 ? 0 : scripts.reduce((total, script) => total + script.share, 0) / scripts.length,
    alerts: scripts.reduce((total, script) => total + script.alerts, 0),
    shadowAlerts: scripts.reduce((total, script) => total + script.shadowAlerts, 0),
  };
}

/** In the order of their calls. @param name of the interface, '' = all */
export function groupScripts(scripts: readonly Script[], name: string): ScriptGroup[] {
  const wanted = scripts.filter((script) => name === '' || script.interface === name);
  return [...Map.groupBy(wanted, ({ key }) => key)].map(([key, of]) => ({ key, of, head: of[0] as Script, profile: profileOf(of) }));
}

/** The switch that a script stands at; a script that its own setup has switched off, or that is broken, stands at `on`. */
export function switchOf(scripts: readonly Script[]): ScriptSwitch | 'mixed' {
  const switches = new Set(scripts.map(({ state }): ScriptSwitch => (state === 'off' || state === 'shadow' ? state : 'on')));
  return switches.size === 1 ? ([...switches][0] as ScriptSwitch) : 'mixed';
}

/** `file:line: cause` → its line. */
export function lineOf(error: string | undefined): number | undefined {
  const line = error === undefined ? undefined : /:(\d+):/.exec(error)?.[1];
  return line === undefined ? undefined : Number(line);
}
