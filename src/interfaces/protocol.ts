/**
 * What the main thread, an interface's thread (or its capture threads) and its script host say to each other.
 *
 *   main ──workerData──► interface thread ──ready (names)──► main ──workerData──► script host
 *   both ──messages──► main; shared memory: ring (events), counters, gauges, control
 */
import type { MessagePort } from 'node:worker_threads';
import type { RaisedFlowAlert } from '../alerts/alert.ts';
import type { Config } from '../config.ts';
import type { HostTotals } from '../flows/host-totals.ts';
import type { FlowFigures } from '../flows/selection.ts';
import type { Names } from '../flows/view.ts';
import type { HostBookCounters, HostData as HostBookData } from '../hosts/host-book.ts';
import type { CompiledLists } from '../hosts/lists/compile.ts';
import type { LearnedName, PackedNames } from '../hosts/names.ts';
import type { IdsAlert } from '../ids/alert.ts';
import type { CollectedSnapshot, FlowAnswer, FlowQuery, ProbeSnapshot, TimeoutsSnapshot } from '../patrol-types.ts';
import type { Preferences } from '../preferences.ts';
import type { CacheChange, CacheCounters } from '../scripts/cache.ts';
import type { FileChange } from '../scripts/host.ts';
import type { FlowBatch } from '../scripts/outbox.ts';
import type { ScriptReport, ScriptSwitch } from '../scripts/report.ts';
import type { PrintLevel } from '../scripts/runtime.ts';
import type { TraceEntry } from '../scripts/trace.ts';
import type { PackedEvents } from './packed-events.ts';

export type InterfaceKind = 'packet' | 'pcap' | 'zmq' | 'netflow' | 'sflow';

/** Positions in the shared control words. */
export const CONTROL_STOP = 0;
/** Commands that the main thread has posted. */
export const CONTROL_COMMANDS = 1;
/** 1: the script host has loaded its scripts. */
export const CONTROL_HOST_READY = 2;
/** 1: scripts may change flows, so an interface of a file takes no visit before they have seen what the last one said. */
export const CONTROL_FEEDS_BACK = 3;
/** 1: the capture is paused. */
export const CONTROL_PAUSED = 4;
/** Its speed, as a multiple of packet time in parts of SPEED_UNIT; 0 = as fast as possible. */
export const CONTROL_SPEED = 5;
export const CONTROL_WORDS = 6;

export const SPEED_UNIT = 1000;
export const FASTEST = 100_000;

/** Positions in the shared gauges (doubles). */
export const GAUGE_CLOCK = 0;
export const GAUGE_POSITION = 1;
export const GAUGE_SIZE = 2;
export const GAUGE_BEGAN = 3;
export const GAUGE_COUNT = 4;

/** What a thread knows of the others that capture the same interface. */
export interface Crew {
  /** Of this thread, from 0 on. */
  readonly index: number;
  readonly threads: number;
  /** Number of the fanout group. */
  readonly group: number;
  /** GATE_BYTES (live/gate.ts). */
  readonly gate: SharedArrayBuffer;
  /** TALLY_BYTES (ids-tally.ts). */
  readonly tally: SharedArrayBuffer;
}

export interface InterfaceData {
  readonly id: number;
  /** As given to `-i`. */
  readonly name: string;
  /** Of a capture that is called otherwise: where it is. */
  readonly file: string | undefined;
  readonly kind: InterfaceKind;
  readonly config: Config;
  readonly run: string;
  /** Absent where nothing wants the events: no scripts, no exports. */
  readonly ring: SharedArrayBuffer | undefined;
  readonly counters: SharedArrayBuffer;
  readonly gauges: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly preferences: Preferences;
  readonly lists: CompiledLists;
  /** The file of device types and its text. */
  readonly devices: { readonly text: string; readonly file: string } | undefined;
  /** {@link InterfaceCommand}s come here; it is looked at when CONTROL_COMMANDS has grown. */
  readonly port: MessagePort;
  /** Alerts of an intrusion detection system that were there before the first packet. */
  readonly alerts: readonly IdsAlert[];
  /** Absent: the thread has its interface for itself. */
  readonly crew: Crew | undefined;
}

export type InterfaceCommand =
  /** {@link FlowOverride}s of a script host come through this port from now on. */
  | { readonly type: 'changes'; readonly port: MessagePort }
  /** What has changed; it takes effect at the next visit. */
  | { readonly type: 'policy'; readonly preferences?: Preferences; readonly lists?: CompiledLists }
  | { readonly type: 'alerts'; readonly alerts: readonly IdsAlert[] }
  | { readonly type: 'query'; readonly id: number; readonly query: FlowQuery; readonly as: 'flows' | 'hosts' }
  /** What a book of hosts is made from, before the first question that reads it; then names that have come since. */
  | { readonly type: 'book'; readonly hosts: HostBookData; readonly names: PackedNames }
  | { readonly type: 'names'; readonly names: readonly LearnedName[] }
  /** Nobody waits for the answer any more. */
  | { readonly type: 'forget'; readonly id: number };

/** What one thread answers. Its buffers are transferred. */
export interface ThreadAnswer extends FlowFigures {
  /** The last of the order first. */
  readonly flows?: PackedEvents;
  readonly hosts?: HostTotals;
}

export type InterfaceMessage =
  | { readonly type: 'answer'; readonly id: number; readonly parts: readonly ThreadAnswer[] }
  | { readonly type: 'query-failed'; readonly id: number; readonly error: Error }
  | { readonly type: 'ready'; readonly names: Names }
  | { readonly type: 'running' }
  /** Flows that have ended, by protocol; names by the names of `ready`. */
  | { readonly type: 'protocols'; readonly protocols: readonly ProtocolTotals[] }
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly text: string }
  /** Who sends to an interface of records or samples, and the time-outs in force, s. */
  | {
      readonly type: 'probes';
      readonly probes: readonly ProbeSnapshot[];
      readonly timeouts: TimeoutsSnapshot;
      /** Now and then. */
      readonly collected?: CollectedSnapshot;
    }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'failed'; readonly error: string; readonly code: string }
  | { readonly type: 'ended' };

/** Positions in the words by which the main thread watches a script host. */
export const WATCH_STATE = 0; // HOST_*
export const WATCH_CALLS = 1; // calls begun
export const WATCH_DONE = 3; // callbacks of the event at the ring's tail that are through; -1: it has not been begun
export const WATCH_CALLBACK = 4; // position in CALLBACKS of the one that runs, or CALL_LOAD, CALL_UNLOAD
export const WATCH_SCRIPT = 5; // number of the script's version that runs (`script-number`); 0 = none does yet
export const WATCH_THREAD = 6; // the kernel's number of the host's thread
export const WATCH_COMMANDS = 7; // commands that the main thread has posted
export const WATCH_WORDS = 12;

/** In the place of a callback: a script is being loaded, with its `setup`; one is unloaded, with its `teardown`. */
export const CALL_LOAD = 100;
export const CALL_UNLOAD = 101;

/** No script runs; scripts run; the main thread has decided to end the host: whatever it was doing is undone. */
export const HOST_IDLE = 0;
export const HOST_IN_CALL = 1;
export const HOST_ENDED = 2;

/** A script's file; the number stands for it in the counts of calls. */
export interface HostFile {
  readonly number: number;
  readonly change: FileChange;
}

/** Of `--export-flows`, `--export-events` and `--export-alerts`. */
export interface PendingLines {
  readonly flows: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  readonly alerts: SharedArrayBuffer;
}

export interface HostData {
  readonly id: number;
  readonly name: string;
  /** To scripts everything that is live is alike. */
  readonly kind: 'packet' | 'pcap';
  readonly config: Config;
  readonly names: Names;
  readonly preferences: Preferences;
  readonly ring: SharedArrayBuffer;
  /** What the thread's book of hosts is made from. */
  readonly hosts: HostBookData;
  /** {@link HostCommand}s come here; looked at between two visits when WATCH_COMMANDS has grown. */
  readonly port: MessagePort;
  /** Where {@link FlowOverride}s go: one port per interface thread. */
  readonly flows: readonly MessagePort[];
  /** CONTROL_* words of the interface threads. */
  readonly control: SharedArrayBuffer;
  readonly watch: SharedArrayBuffer;
  /** Counts of calls (scripts/tally.ts), by HostFile.number. */
  readonly tallies: SharedArrayBuffer;
  /** Keeps the exports of several hosts apart (exports/lines.ts). */
  readonly outputLock: SharedArrayBuffer;
  readonly lockHolder: number;
  /** Lines of exports that wait to be written (exports/lines.ts). */
  readonly pending: PendingLines;
  /** One word: lines and alerts of scripts that are on their way to the main thread. */
  readonly linesUnderWay: SharedArrayBuffer;
  /** Of all hosts of the interface (scripts/runtime.ts). */
  readonly seed: number;
  /** What a recording is gathered in (recording/writer.ts), for all hosts of the interface one after another. */
  readonly recording: SharedArrayBuffer | undefined;
  /** Somebody takes alerts. */
  readonly alerts: boolean;
  readonly files: readonly HostFile[];
  readonly switches: ReadonlyMap<string, ScriptSwitch>;
  /** What the `ntop` cache holds. */
  readonly cache: readonly CacheChange[];
  /** Changes of it that the main thread does not know yet (scripts/journal.ts). */
  readonly journal: SharedArrayBuffer;
  /** Paths of scripts that run in hosts of their own. */
  readonly excluded: ReadonlySet<string>;
  /** The one script that this host is for: its ring is filled by the host of the others. */
  readonly own: boolean;
  /** Words of scripts/outbox.ts: batches for the history; absent where there is none. */
  readonly outbox: SharedArrayBuffer | undefined;
  /**
   * A host that was ended left the event at the tail: callbacks that are through. It had handed the event on to the hosts of single
   * scripts, but not to that of the script that it was ended for (its path).
   */
  readonly resume: { readonly done: number; readonly handOn?: string } | undefined;
}

export interface ProtocolTotals {
  readonly name: string;
  readonly flows: number;
  readonly packets: number;
  readonly bytes: number;
}

/** Cumulative figures of a script host. */
export interface HostReport {
  readonly scripts: readonly ScriptReport[];
  readonly linesExported: number;
  /** Lines of scripts that the log's rate limit left out. */
  readonly printsDropped: number;
  /** Alerts, lines and changes of flows of one callback that there was no room for. */
  readonly effectsDropped: number;
  readonly hosts: HostBookCounters;
  readonly cache: CacheCounters;
}

export type HostCommand =
  /** Names that reverse DNS has found. */
  | { readonly type: 'names'; readonly names: readonly { readonly address: string; readonly name: string }[] }
  | { readonly type: 'files'; readonly files: readonly HostFile[] }
  | { readonly type: 'switch'; readonly key: string; readonly to: ScriptSwitch }
  | { readonly type: 'preferences'; readonly preferences: Preferences }
  /** What scripts of other interfaces have kept. */
  | { readonly type: 'cache'; readonly changes: readonly CacheChange[] }
  /** A script runs in a host of its own from now on: events go to its ring. Without a ring it comes to rest, or back. */
  | { readonly type: 'forward'; readonly path: string; readonly ring: SharedArrayBuffer | undefined; readonly back: boolean }
  /** Flows whose calls are traced, in the filter language; '' = none but those with an alert. */
  | { readonly type: 'trace'; readonly filter: string };

export type HostMessage =
  /** Names learned from the traffic, for other threads' books. */
  | { readonly type: 'names'; readonly names: readonly LearnedName[] }
  /** Addresses without a name, for reverse DNS. */
  | { readonly type: 'nameless'; readonly addresses: readonly string[] }
  /** The flows that `Config.flowQuery` picks of those that have ended. */
  | ({ readonly type: 'flows' } & Omit<FlowAnswer, 'interface' | 'names'>)
  | { readonly type: 'report'; readonly report: HostReport }
  | {
      readonly type: 'print';
      readonly script: string;
      readonly level: PrintLevel;
      readonly line: string;
      readonly flow?: string;
      readonly callback: string;
    }
  | { readonly type: 'script-error'; readonly script: string; readonly callback: string; readonly message: string; readonly flow?: string }
  /** A version is about to be loaded, and has this number in the words of the watch; without a version the number is done with. */
  | { readonly type: 'script-number'; readonly number: number; readonly of?: { readonly path: string; readonly hash: string } }
  | { readonly type: 'script-loaded'; readonly script: string; readonly version: string | undefined; readonly replaced: boolean }
  | { readonly type: 'script-switched'; readonly script: string; readonly on: boolean; readonly reason: string }
  /** Of one callback, or the core's: they are on their way before the next call begins, so an end of the thread takes none with it. */
  | { readonly type: 'alerts'; readonly alerts: readonly RaisedFlowAlert[] }
  | { readonly type: 'cache'; readonly changes: readonly CacheChange[] }
  | { readonly type: 'trace'; readonly entries: readonly TraceEntry[] }
  /** Flows for the history: on their way until they are worked off (OUTBOX_UNDER_WAY). */
  | { readonly type: 'flow-batch'; readonly batch: FlowBatch }
  /** Nobody reads an export any more (`| head`): the run may stop. */
  | { readonly type: 'reader-gone' }
  | { readonly type: 'failed'; readonly error: string }
  | { readonly type: 'ended'; readonly report: HostReport };
