/** What goes into a script host and what comes out of it (host.ts): options, files, effects, traces. */
import type { Callback } from '../../flows/event.ts';
import type { Field, FieldValue } from '../../flows/fields.ts';
import type { EventView, Names } from '../../flows/view.ts';
import type { HostBook } from '../../hosts/book.ts';
import type { Preferences } from '../../preferences.ts';
import type { ScriptCache } from '../cache.ts';
import type { Translate } from '../locales.ts';
import type { ScriptReport, ScriptSwitch, SkipReason } from '../report.ts';
import type { CallFilter, PrintLevel, RaisedAlert, ScoreOf, ScriptVersion } from '../runtime.ts';
import type { Tally } from '../tally.ts';

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
  readonly outcome: 'run' | 'failed' | 'off' | 'off by setup' | 'not applicable' | Exclude<SkipReason, 'queue full'>;
  /** Of a failed call. */
  readonly message?: string;
  /** The part of its filter that left it out. */
  readonly filter?: keyof CallFilter;
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
  /** A version runs from now on; `replaced`: in the place of an older one. `undefined`: the script's file is gone, and so is it. */
  loaded(script: string, version: string | undefined, replaced: boolean): void;
  /** The breaker, or the limit of memory, has switched a script off, or it is back; `view` stands at the event at which it did. */
  switched(script: string, on: boolean, reason: string, view: EventView, callback: Callback): void;
  /** All scripts that have the callback, in calling order; for events that {@link ScriptHostOptions.traced} asks for, and those with an alert. */
  trace?(callback: Callback, traces: readonly CallTrace[], view: EventView): void;
}

export interface ScriptHostOptions {
  readonly interfaceId: number;
  readonly interfaceName: string;
  readonly live: boolean;
  /** Default: live interfaces have the circuit breaker. */
  readonly breaker?: boolean;
  /** Below 2^31; default: 0, so that every run is the same, and at random on live interfaces. */
  readonly seed?: number;
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
  /** One word of shared memory: the number of the version that is called, or was called last (runtime.ts). */
  readonly running?: Int32Array;
  /** Runs `work`, in which a version is loaded (`setup`) or unloaded (`teardown`), so that it can be ended from outside. */
  readonly guard?: <T>(number: number, version: ScriptVersion, what: 'load' | 'unload', work: () => T) => T;
  /** Where the calls of a script are counted, by the path of its file; with the host, without it. */
  readonly tally?: (path: string, callback: Callback) => Tally;
  /** Fields of `info`; the declared ones, or those of a test. */
  readonly fields?: readonly Field[];
}

/**
 * A file of a script in a new state; `version` is undefined when it is gone or cannot be read (`error` says why). With both, `version` is
 * an older one that runs in the place of the one that was refused.
 */
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
  /** Scripts that others than this host run, by path: they are not called here. */
  exclude(paths: ReadonlySet<string>): void;
  /** True: events come faster than the scripts take them; those that use more than their part of the time are left out now and then. */
  crowd(crowded: boolean): void;
  /** Calls `callback` of every script that has it; nothing of it is told before `commit`. */
  call(view: EventView, callback: Callback): void;
  /** Tells the sink what the call has led to. */
  commit(view: EventView, callback: Callback): void;
  /** Both. */
  run(view: EventView, callback: Callback): void;
  /** Scripts in TypeScript may hold too much memory: `relieve` is due before the next event. Nothing else depends on it. */
  overfull(): boolean;
  /** Finds out, and switches off the one that grew most. Takes turns of the event loop. @param view stands at the last event */
  relieve(view: EventView): Promise<void>;
  /** Alerts, lines and changes of flows of one callback that there was no room for. */
  effectsDropped(): number;
  close(): void;
}
