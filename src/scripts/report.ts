/** How a script stands: plain data, fit for another thread. Made by host.ts, joined over hosts by hosts.ts, shown by lists, the API and metrics. */
import type { Callback } from '../flows/event.ts';
import type { FailureReason, Generation, Language } from './runtime.ts';

/**
 * `off`: by the user's switch; `off by setup`: its `setup()` said so; `not applicable`: it needs packets, and the interface has records;
 * `error`: no version of it could be loaded;
 * `broken`: the circuit breaker, or the limit of memory, has switched it off for a time.
 */
export type ScriptState = 'on' | 'shadow' | 'off' | 'off by setup' | 'not applicable' | 'error' | 'broken';

/** Why a script that has the callback was not called: its filter, its breaker, too little time for all, a full queue. */
export type SkipReason = 'filter' | 'broken' | 'shed' | 'queue full';

export interface CallbackStats {
  readonly calls: number;
  /** Calls that failed; they are in `calls` too. */
  readonly failures: number;
  readonly failed: Readonly<Partial<Record<FailureReason, number>>>;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  /** Estimated time of all calls, µs: one event in 16 is measured with the monotonic clock. */
  readonly cpuUs: number;
  /** Of the measured calls, µs. */
  readonly meanUs: number;
  readonly p99Us: number;
}

export interface ScriptReport {
  /** Unique id; the file's name when the script has none. */
  readonly key: string;
  readonly file: string;
  readonly path: string;
  readonly language: Language;
  readonly generation?: Generation;
  /** Of the version that runs. */
  readonly hash?: string;
  /** In the user's language. */
  readonly title: string;
  readonly description: string;
  readonly prio: number;
  /** The callbacks it defines; none while no version of it is loaded. */
  readonly callbacks: readonly Callback[];
  readonly state: ScriptState;
  /** `file:line: cause`, why the newest version of its file was refused; an older one may be running. */
  readonly error?: string;
  readonly warnings: readonly string[];
  readonly stats: Readonly<Partial<Record<Callback, CallbackStats>>>;
  /** Alerts it raised; in shadow, those that it would have raised. */
  readonly alerts: number;
  readonly shadowAlerts: number;
  /** `file:line: message` of its last failed call, and where it came from. */
  readonly lastError?: string;
  readonly lastStack?: string;
  /** Why it is broken, and until when (µs of the interface's clock; 0 = until it is switched on by hand). */
  readonly broken?: { readonly reason: string; readonly until: number };
  /** It does not return at times: it runs in a host of its own. */
  readonly ownHost: boolean;
  /** How often the variables of its module were lost with a host that had to be ended. */
  readonly stateLost: number;
  /** Its part of the time of all scripts of the interface, 0 to 1. */
  readonly share: number;
}

/** The switch of a user, per interface and key; without one a script is on. */
export type ScriptSwitch = 'on' | 'off' | 'shadow';
