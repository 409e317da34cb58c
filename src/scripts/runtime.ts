/**
 * What a language of scripts has to be able to do (Runtime), and what it gets to do it with (RuntimeHost).
 *
 *   host.ts ──load, arrange, run──► Runtime: lua/, typescript/ ──alert, status, print──► Effects ──► worker.ts
 *                                       └──failed, took, grew──► CallObserver (host.ts: profile, breaker)
 *
 * The host (host.ts) knows files, versions, switches, filters and budgets of time; a runtime knows its language. Everything is
 * synchronous. To a runtime, a script is a number that the host gives each version that it loads, and never gives again.
 * Texts about flows are in Latin-1 form (one character is one byte), as those of a view are; keys and titles are proper text.
 */
import type { Callback } from '../flows/event.ts';
import type { EventView, Names } from '../flows/view.ts';
import type { HostBook } from '../hosts/book.ts';
import type { Preferences } from '../preferences.ts';
import type { ScriptCache } from './cache.ts';
import type { Translate } from './locales.ts';

export type Language = 'lua' | 'typescript';

/** One state of a script's file. */
export interface ScriptVersion {
  /** File name, unique only within its directory. */
  readonly file: string;
  readonly path: string;
  readonly language: Language;
  /** UTF-8 without a byte order mark. */
  readonly source: Uint8Array;
  /** First 12 hexadecimal digits of the SHA-256 of the source: what alerts and lists call this version. */
  readonly hash: string;
}

/** Whose shape a script has: functions on the module (2019), a table of hooks (October 2019 to 4.0), 4.2, or TypeScript. */
export type Generation = '2019' | '4.0' | '4.2' | 'typescript';

/** Flows that a script wants to be called for; the host tests it before the call, so what is left out costs nothing. */
export interface CallFilter {
  /** IP protocol numbers, any of them. */
  readonly l4?: readonly number[];
  /** nDPI id: the master or the application protocol has to be it. */
  readonly l7?: number;
  /** TCP flows only once their handshake is complete. */
  readonly handshake?: true;
  /** Interfaces that see packets only. */
  readonly packetInterface?: true;
  /** Seconds between two periodicUpdates of a flow; less often than the engine's own. */
  readonly periodicSeconds?: number;
}

/** What a version of a script says of itself when it is loaded. */
export interface Definition {
  readonly key: string;
  /** Key of a translation, or the text itself. */
  readonly title: string;
  readonly description: string;
  /** Higher runs earlier. */
  readonly prio: number;
  readonly generation: Generation;
  readonly callbacks: readonly Callback[];
  readonly filter: CallFilter;
  /** What `setup()` answered, or `default_enabled`; false: listed as switched off by the script. */
  readonly enabled: boolean;
  /** What looks wrong and stops nothing: an unknown input builder, a misspelt callback. Each `file: cause`. */
  readonly warnings: readonly string[];
}

/** Why a call failed. `ended`: it did not return and its host was ended from outside. */
export type FailureReason = 'error' | 'budget' | 'memory' | 'ended';

/** An alert as a script raises it. */
export interface RaisedAlert {
  readonly alertType: number;
  /** Name in `alert_consts.alert_types`; absent for a number that is not there. */
  readonly alertTypeName?: string;
  readonly severity: number;
  readonly severityName?: string;
  /** Flow score, 0 to 1000, where the script gave one. */
  readonly score?: number;
  /** Status (internal id, src/flows/statuses.ts) that it was raised for. */
  readonly status?: number;
  /** JSON text. */
  readonly info?: string;
}

export type PrintLevel = 'print' | 'error' | 'warning' | 'normal' | 'info' | 'debug';
export type ScoreOf = 'flow' | 'client' | 'server';

/** What scripts do to the world. It is kept back until the event's callback is through, and lost with a host that has to be ended. */
export interface Effects {
  alert(script: number, alert: RaisedAlert): void;
  /** One line. */
  print(script: number, level: PrintLevel, line: string): void;
  /** Sets or clears a status (internal id) of the event's flow, from its next visit on. */
  status(script: number, status: number, set: boolean): void;
  score(script: number, of: ScoreOf, value: number): void;
  /** As the scripts of this event see it: the event's bitmap with what they have set and cleared. */
  isStatusSet(status: number): boolean;
  /** Score of the flow or of a host, as scripts have set it; undefined = never. */
  scoreOf(of: ScoreOf): number | undefined;
}

export interface RuntimeHost {
  readonly interfaceId: number;
  readonly interfaceName: string;
  readonly live: boolean;
  /** Of hashes and random numbers, below 2^31: at random on live interfaces, so that nobody can choose traffic that makes tables slow. */
  readonly seed: number;
  readonly names: Names;
  readonly hosts: HostBook;
  readonly effects: Effects;
  readonly cache: ScriptCache;
  readonly translate: Translate;
  /** One word, in which a runtime says which script it calls, before each call: another thread looks there when a call does not return. */
  readonly running: Int32Array;
  preferences(): Preferences;
  /** Folders in which scripts lie; `ntop.readdir` and `require` see these only. */
  readonly directories: readonly string[];
}

/** One callback of one event. */
export interface EventCall {
  readonly view: EventView;
  readonly callback: Callback;
  /** Positions (from 0 on) in the order given to `arrange` of the scripts to call, ascending; undefined = all of them. */
  readonly chosen: Uint8Array | undefined;
  /** Measure each call and say so by `took`. */
  readonly timed: boolean;
}

export interface CallObserver {
  failed(script: number, reason: FailureReason, message: string, stack: string): void;
  /** µs of the monotonic clock. */
  took(script: number, us: number): void;
  /** Bytes by which a measured call has let the runtime's memory grow; garbage is in it. */
  grew(script: number, bytes: number): void;
}

export interface Runtime {
  /**
   * Compiles a version, runs it and its `setup()`. An older version of the script that is loaded under another number stays.
   * @throws Error whose message is `file:line: cause`; nothing of the version is left behind then
   */
  load(script: number, version: ScriptVersion): Definition;
  /** Forgets a version: calls its `teardown()` where it has one. */
  unload(script: number): void;
  /** The scripts that have the callback, in calling order. */
  arrange(callback: Callback, scripts: readonly number[]): void;
  /** Calls the scripts. An error in one never leaves `run`. Writes to `info` are seen by later scripts of the same language and event. */
  run(call: EventCall, observer: CallObserver): void;
  /** Bytes in use now, garbage collected if `collect`. */
  memory(collect: boolean): number;
  /**
   * Where `memory` has more in it than what scripts hold: bytes by script. Takes some 10 ms, and turns of the event loop.
   * @returns undefined: it cannot be told at the moment
   */
  weigh?(): Promise<ReadonlyMap<number, number> | undefined>;
  close(): void;
}
