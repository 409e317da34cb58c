/**
 * The script host: which scripts there are, and which of them are called for an event.
 *
 *   change(), switch() ──► loaded versions ──► order of calls per callback
 *   run(view, callback) ──► filter, breaker, shedding ──► Runtime of each language ──► effects, kept back ──► HostSink
 *
 * Called by worker.ts for an interface, and by `flowpatrol test` and `replay`. Synchronous; an error of a script never leaves it.
 */
import type { Callback } from '../flows/event.ts';
import type { FieldValue } from '../flows/fields.ts';
import type { EventView, Names } from '../flows/view.ts';
import type { HostBook } from '../hosts/book.ts';
import type { Preferences } from '../preferences.ts';
import type { ScriptCache } from './cache.ts';
import type { Translate } from './locales.ts';
import type { ScriptReport, ScriptSwitch } from './report.ts';
import type { PrintLevel, RaisedAlert, ScoreOf, ScriptVersion } from './runtime.ts';

/** An alert with where it comes from. Texts are in Latin-1 form, as a view's strings are. */
export interface ScriptAlert extends RaisedAlert {
  /** Key of the script. */
  readonly script: string;
  /** Hash of its version. */
  readonly version: string;
  readonly callback: Callback;
  /** It is recorded and told to nobody. */
  readonly shadow: boolean;
  /** Values of the fields that this version is known to read, by key. */
  readonly reason: Readonly<Record<string, FieldValue>>;
}

/** What scripts want of a flow: statuses (internal ids) and scores. */
export interface FlowChange {
  readonly script: string;
  readonly status?: { readonly id: number; readonly set: boolean };
  readonly score?: { readonly of: ScoreOf; readonly value: number };
}

/** What became of one script for one callback of one event. */
export interface CallTrace {
  readonly script: string;
  readonly outcome: 'run' | 'failed' | 'filter' | 'broken' | 'shed' | 'off' | 'off by setup';
  /** Of a failed call. */
  readonly message?: string;
  readonly alerts: number;
}

/** Where the scripts' doings go. `view` stands at the event that it is about; it is absent while a script is loaded. */
export interface HostSink {
  alert(alert: ScriptAlert, view: EventView): void;
  /** One line, without control characters. `script` is its key. */
  print(script: string, level: PrintLevel, line: string, callback: Callback | 'load', view: EventView | undefined): void;
  /** `message` is `file:line: cause`. */
  error(script: string, callback: Callback | 'load', message: string, view: EventView | undefined): void;
  /** What changed by one callback of one event, in order; never empty. */
  changes(changes: readonly FlowChange[], view: EventView): void;
  /** A script was switched off, or is back. */
  switched(script: string, on: boolean, reason: string): void;
  /** All scripts that have the callback, in calling order; for events that {@link ScriptHostOptions.traced} asks for. */
  trace?(callback: Callback, traces: readonly CallTrace[], view: EventView): void;
}

export interface ScriptHostOptions {
  readonly interfaceId: number;
  readonly interfaceName: string;
  /** Live interfaces have the circuit breaker, and hashes that nobody can foresee. */
  readonly live: boolean;
  readonly names: Names;
  /** An empty book without it. */
  readonly hosts?: HostBook;
  readonly preferences: () => Preferences;
  /** Folders of scripts, for `require` and `ntop.readdir`. */
  readonly directories: readonly string[];
  readonly cache: ScriptCache;
  readonly translate: Translate;
  readonly sink: HostSink;
  readonly traced?: (view: EventView) => boolean;
  /** Script that runs alone in this host, by path; the host knows no other. */
  readonly only?: string;
}

/** A file of a script in a new state; `version` is undefined when it is gone or cannot be read (`error` says why). */
export interface FileChange {
  readonly path: string;
  readonly version?: ScriptVersion;
  readonly error?: string;
}

export interface ScriptHost {
  /** All files, in the order in which they are called. A new snapshot at each call. */
  reports(): ScriptReport[];
  /** Takes over new states of files: a version that cannot be loaded is refused, and the one that runs stays. */
  change(files: readonly FileChange[]): void;
  switch(key: string, to: ScriptSwitch): void;
  /** Bits (CALLBACK_BIT) of the callbacks that some script has. */
  callbacks(): number;
  /** Does some script set statuses or scores? */
  feedsBack(): boolean;
  /** Calls `callback` of every script that has it. @param careful announces each script first, see {@link EventCall.careful} */
  run(view: EventView, callback: Callback, careful?: boolean): void;
  close(): void;
}
