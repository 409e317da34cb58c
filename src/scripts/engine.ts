/**
 * The contract of a script engine, and the engine for Lua scripts over the real fields.
 *
 *   lifecycle event (EventView) + callback ──► run() ──► the scripts' callbacks ──► ScriptSink: alerts, print lines, errors
 *
 * Called by the script host (worker.ts). Everything is synchronous; an error in a script never leaves `run`.
 */
import type { Callback } from '../flows/event.ts';
import { FIELDS } from '../flows/fields.ts';
import type { EventView } from '../flows/view.ts';
import type { HostBook } from '../hosts/book.ts';
import { createEngine } from './lua/engine.ts';

export interface CallbackStats {
  readonly calls: number;
  /** Calls that ended with an error; they are in `calls` too. */
  readonly failures: number;
  /** Estimated time of all calls, µs: one event in 16 is measured with the monotonic clock. */
  readonly cpuUs: number;
}

/** A script as it stands now: plain data, fit for another thread. */
export interface ScriptReport {
  /** Unique id; the file's name when the script has none. */
  readonly key: string;
  /** File name, unique only within its directory. */
  readonly file: string;
  readonly path: string;
  readonly title: string;
  readonly description: string;
  /** Higher runs earlier; equal ones by file name. */
  readonly prio: number;
  /** The callbacks it defines; none unless it is on. */
  readonly callbacks: readonly Callback[];
  readonly state: 'on' | 'off by setup' | 'error';
  /** `file:line: cause`, why it was not loaded. */
  readonly error?: string;
  readonly stats: Readonly<Partial<Record<Callback, CallbackStats>>>;
  /** Alerts it raised. */
  readonly alerts: number;
  /** `file:line: message` of its last failed call. */
  readonly lastError?: string;
}

/** What a script raises about a flow. Texts are in Latin-1 form, as a view's strings are. */
export interface ScriptAlert {
  /** Key of the script. */
  readonly script: string;
  readonly callback: Callback;
  readonly alertType: number;
  /** Name in `alert_consts.alert_types`; absent for a number that is not there. */
  readonly alertTypeName?: string;
  readonly severity: number;
  readonly severityName?: string;
  /** JSON text. */
  readonly info?: string;
}

/** Where the scripts' doings go. Its functions are called from within a call of a script. */
export interface ScriptSink {
  /** `view` stands at the event whose callback raised the alert. */
  alert(alert: ScriptAlert, view: EventView): void;
  /** One line, without control characters. `script` is its key. */
  print(script: string, line: string): void;
  /** `callback` is `load` for errors before the first event. `message` is `file:line: cause`. */
  error(script: string, callback: string, message: string): void;
}

export interface ScriptEngine {
  /** All files found, in the order in which they are called. A new snapshot at each read. */
  readonly scripts: readonly ScriptReport[];
  /** Calls `callback` of every script that has it. */
  run(view: EventView, callback: Callback): void;
  close(): void;
}

export interface LuaEngineOptions {
  /** Searched in this order, without sub-directories. */
  readonly directories: readonly string[];
  readonly interfaceId: number;
  readonly interfaceName: string;
  readonly sink: ScriptSink;
  /** Names, places and pools of hosts; an empty book without it. */
  readonly hosts?: HostBook;
  /**
   * On a live interface the hashes of Lua are seeded at random, so that nobody can choose traffic that makes tables slow.
   * Without it `pairs` and `math.random` give the same sequence in every run.
   */
  readonly live?: boolean;
}

/** Loads all scripts of the directories. A script that cannot be loaded is reported, not thrown. */
export function createLuaEngine(options: LuaEngineOptions): Promise<ScriptEngine> {
  return createEngine(options, FIELDS);
}
