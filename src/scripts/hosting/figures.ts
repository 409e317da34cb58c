/**
 * How the scripts of an interface stand, over all its hosts: reports of hosts that run and of those that are gone, counts of calls, what was
 * lost. Called by hosts.ts.
 */
import { CALLBACKS } from '../../flows/event.ts';
import type { HostReport } from '../../interfaces/protocol.ts';
import { joinReports } from '../join.ts';
import type { CallbackStats, ScriptReport, ScriptSwitch } from '../report.ts';
import type { Tallies } from '../tally.ts';
import type { FileBook } from './file-book.ts';
import type { HostThread } from './host-thread.ts';

export interface Figures {
  /** Of all hosts together; undefined before the first has loaded its scripts. */
  joined(): HostReport | undefined;
  /** @param switches those in force where no host is there any more that would hear of a switch */
  reports(switches: ReadonlyMap<string, ScriptSwitch> | undefined): ScriptReport[];
  /** Nothing runs any more, and this is how the scripts stand now. */
  listed(reports: readonly ScriptReport[]): void;
  keyOf(path: string): string;
  /** A host is no more: what it has said counts on. */
  gone(host: HostThread): void;
  /** The variables of these scripts were lost with their host. */
  stateLost(paths: Iterable<string>): void;
}

interface FiguresOptions {
  readonly book: FileBook;
  readonly tallies: Tallies;
  readonly hosts: () => readonly HostThread[];
  /** Does the script of this file rest? undefined: it has no host of its own. */
  readonly rests: (path: string) => boolean | undefined;
}

/** States that are what the user's switch says. */
const SWITCHED: readonly string[] = ['on', 'off', 'shadow'];

export function createFigures({ book, tallies, hosts, rests }: FiguresOptions): Figures {
  const lost = new Map<string, number>();
  const over = new Set<HostThread>();
  let base: HostReport | undefined;
  let afterwards: readonly ScriptReport[] | undefined;

  function joined(): HostReport | undefined {
    let sum = base;
    for (const host of hosts()) if (host.report !== undefined && !over.has(host)) sum = joinReports(sum, host.report);
    return sum;
  }

  function scripts(): readonly ScriptReport[] {
    const ran = joined()?.scripts ?? [];
    return afterwards?.map((script) => ({ ...script, stats: ran.find(({ path }) => path === script.path)?.stats ?? {} })) ?? ran;
  }

  function counted(script: ScriptReport, switches: ReadonlyMap<string, ScriptSwitch> | undefined): ScriptReport {
    const stats: Record<string, CallbackStats> = {};
    let [alerts, shadowAlerts] = [0, 0];
    for (const callback of CALLBACKS) {
      const tally = tallies.of(book.numberOf(script.path), callback);
      alerts += tally.alerts;
      shadowAlerts += tally.shadowAlerts;
      const known = script.stats[callback] ?? { cpuUs: 0, meanUs: 0, p99Us: 0 };
      if (script.callbacks.includes(callback)) stats[callback] = { ...known, ...tally.counts() };
    }
    const rest = rests(script.path);
    return {
      ...script,
      state: switches !== undefined && SWITCHED.includes(script.state) ? (switches.get(script.key) ?? 'on') : script.state,
      stats,
      alerts,
      shadowAlerts,
      ownHost: rest !== undefined,
      stateLost: lost.get(script.path) ?? 0,
      ...(rest === true ? { state: 'broken' as const, broken: { reason: 'its calls had to be ended from outside', until: 0 } } : {}),
    };
  }

  return {
    joined,
    reports(switches) {
      const listed = scripts()
        .filter(({ path }) => book.has(path))
        .map((script) => counted(script, switches));
      const used = (script: ScriptReport): number => CALLBACKS.reduce((sum, callback) => sum + (script.stats[callback]?.cpuUs ?? 0), 0);
      const total = listed.reduce((sum, script) => sum + used(script), 0);
      return listed.map((script) => ({ ...script, share: total === 0 ? 0 : used(script) / total }));
    },
    listed(reports) {
      afterwards = reports;
    },
    keyOf: (path) => scripts().find((script) => script.path === path)?.key ?? path,
    gone(host) {
      over.add(host);
      if (host.report !== undefined) base = joinReports(base, host.report);
    },
    stateLost(paths) {
      for (const path of paths) lost.set(path, (lost.get(path) ?? 0) + 1);
    },
  };
}
