/**
 * What the main thread, an interface's thread (or its capture threads) and its script host say to each other.
 *
 *   main ──workerData──► interface thread ──ready (names)──► main ──workerData──► script host
 *   both ──messages──► main; shared memory: ring (events), counters, gauges, control
 */
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config.ts';
import type { Names } from '../flows/view.ts';
import type { HostBookCounters, HostData as HostBookData } from '../hosts/host-book.ts';
import type { CompiledLists } from '../hosts/lists/compile.ts';
import type { LearnedName } from '../hosts/names.ts';
import type { IdsAlert } from '../ids/alert.ts';
import type { FlowAnswer, FlowQuery } from '../patrol-types.ts';
import type { Preferences } from '../preferences.ts';
import type { ScriptReport } from '../scripts/engine.ts';

export type InterfaceKind = 'packet' | 'pcap';

/** Positions in the shared control words. */
export const CONTROL_STOP = 0;
/** Commands that the main thread has posted. */
export const CONTROL_COMMANDS = 1;
export const CONTROL_WORDS = 4;

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
  /** What has changed; it takes effect at the next visit. */
  | { readonly type: 'policy'; readonly preferences?: Preferences; readonly lists?: CompiledLists }
  | { readonly type: 'alerts'; readonly alerts: readonly IdsAlert[] }
  | { readonly type: 'query'; readonly id: number; readonly query: FlowQuery };

export type InterfaceMessage =
  | ({ readonly type: 'answer'; readonly id: number } & Omit<FlowAnswer, 'interface' | 'names'>)
  | { readonly type: 'query-failed'; readonly id: number; readonly error: Error }
  | { readonly type: 'ready'; readonly names: Names }
  | { readonly type: 'running' }
  /** Flows that have ended, by protocol; names by the names of `ready`. */
  | { readonly type: 'protocols'; readonly protocols: readonly ProtocolTotals[] }
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'failed'; readonly error: string; readonly code: string }
  | { readonly type: 'ended' };

/** Positions in the words by which the main thread watches a script host. */
export const WATCH_IN_CALL = 0; // 1 while scripts run
export const WATCH_CALLS = 1; // calls begun
export const WATCH_UNWRITTEN = 2; // export lines that are made and not written yet
export const WATCH_WORDS = 4;

export interface HostData {
  readonly id: number;
  readonly name: string;
  readonly kind: InterfaceKind;
  readonly config: Config;
  readonly names: Names;
  readonly ring: SharedArrayBuffer;
  /** What the thread's book of hosts is made from. */
  readonly hosts: HostBookData;
  /** {@link HostCommand}s come here; looked at when figures are reported. */
  readonly port: MessagePort;
  /** Keeps the exports of several hosts apart (exports/lines.ts). */
  readonly watch: SharedArrayBuffer;
  readonly outputLock: SharedArrayBuffer;
  /** One word: lines of scripts that are on their way to the main thread. */
  readonly linesUnderWay: SharedArrayBuffer;
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
  readonly alerts: number;
  readonly linesExported: number;
  /** Lines of scripts that the log's rate limit left out. */
  readonly printsDropped: number;
  readonly hosts: HostBookCounters;
}

/** Names that reverse DNS has found. */
export interface HostCommand {
  readonly type: 'names';
  readonly names: readonly { readonly address: string; readonly name: string }[];
}

export type HostMessage =
  /** Names learned from the traffic, for other threads' books. */
  | { readonly type: 'names'; readonly names: readonly LearnedName[] }
  /** Addresses without a name, for reverse DNS. */
  | { readonly type: 'nameless'; readonly addresses: readonly string[] }
  /** The flows that `Config.flowQuery` picks of those that have ended. */
  | ({ readonly type: 'flows' } & Omit<FlowAnswer, 'interface' | 'names'>)
  | { readonly type: 'report'; readonly report: HostReport }
  | { readonly type: 'print'; readonly script: string; readonly line: string }
  | { readonly type: 'script-error'; readonly script: string; readonly callback: string; readonly message: string }
  /** Nobody reads an export any more (`| head`): the run may stop. */
  | { readonly type: 'reader-gone' }
  | { readonly type: 'failed'; readonly error: string }
  | { readonly type: 'ended'; readonly report: HostReport };
