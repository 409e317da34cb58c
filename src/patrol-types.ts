/**
 * What the command line and the engine (patrol.ts) know of each other: start, stop, and a snapshot of everything at any time.
 */
import type { HostTotals } from './flows/host-totals.ts';
import type { FlowFigures } from './flows/selection.ts';
import type { Names } from './flows/view.ts';
import type { HostBook } from './hosts/book.ts';
import type { LearningBook } from './hosts/host-book.ts';
import type { ListStatus } from './hosts/lists/store.ts';
import type { InterfaceKind } from './interfaces/protocol.ts';
import type { Preferences } from './preferences.ts';
import type { ScriptReport } from './scripts/report.ts';
import type { ScriptControl } from './scripts/service.ts';

/** Structured log: fields first, then a sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Patrol extends PatrolControl {
  /** Opens everything. Rejects when an export file cannot be written. */
  start(): Promise<void>;
  /** Ends gracefully: last visits, exports flushed. */
  stop(): Promise<void>;
  /** Reads a capture as one more interface, with packet time and all callbacks; exports get nothing of it. */
  addInterface(name: string, file: string): AddedInterface;
  /** The interfaces that it was started with have ended or failed. */
  readonly read: Promise<void>;
  /** All interfaces have ended or failed; where the run stays, it was stopped. */
  readonly done: Promise<void>;
  snapshot(): Snapshot;
}

/** An interface that was added while the others run. */
export interface AddedInterface {
  /** That of its snapshot. */
  readonly id: number;
  /** It is read to its end, or has failed. */
  readonly ended: Promise<void>;
  /** Ends it, if it still runs, and takes it out of the snapshot. */
  remove(): void;
}

/** What a running patrol is asked and told from outside: by the programming interface (src/api) and the command line. */
export interface PatrolControl {
  /** Those in force. */
  preferences(): Preferences;
  /** Takes effect at the next visit. */
  setPreferences(values: Partial<Preferences>): void;
  /**
   * Flows that live now, one answer per running interface.
   * @throws FilterError, when the filter does not fit the names of an interface
   */
  queryFlows(query: FlowQuery, signal?: AbortSignal): Promise<FlowAnswer[]>;
  /** Hosts of the flows that the query picks, one answer per running interface. @throws FilterError */
  queryHosts(query: FlowQuery, signal?: AbortSignal): Promise<HostAnswer[]>;
  /** Pauses a capture, or sets its speed. */
  regulate(id: number, change: CapturePace): Regulated;
  /** Flows that have ended, as `Config.flowQuery` picks them: one answer per interface, complete when `done` has resolved. */
  endedFlows(): FlowAnswer[];
  /** Switches, sources and traces of scripts. */
  readonly scripts: ScriptControl;
  listStatus(): ListStatus[];
  /** Names and places of hosts, for rows of flows. */
  hostBook(): HostBook & Pick<LearningBook, 'names'>;
}

/** How a capture is read; what is absent stays as it is. */
export interface CapturePace {
  readonly paused?: boolean;
  /** Times packet time; 0 = as fast as possible. */
  readonly speed?: number;
}

/** `no capture`: packets come in their own time. */
export type Regulated = 'done' | 'unknown' | 'no capture' | 'over';

/** How far a capture is read. */
export interface CaptureSnapshot extends Required<CapturePace> {
  /** 0 to 1, by bytes; absent where the size is not known. */
  readonly read?: number;
  /** Seconds that are probably left; absent while nobody can say. */
  readonly left?: number;
}

/** The flows that are wanted: those that match, in order, and of these the first. */
export interface FlowQuery {
  /** In the filter language (src/filter); `''` for all. */
  readonly filter: string;
  /** Name of the one that is asked; all without it. */
  readonly interface?: string;
  /** Key of a field. */
  readonly sort: string;
  readonly descending: boolean;
  /** 1 to 10,000. */
  readonly limit: number;
}

/** What one interface answers; made of a selection (src/flows/selection.ts). */
export interface FlowAnswer extends FlowFigures {
  readonly interface: string;
  readonly names: Names;
  /** Bytes of lifecycle events. */
  readonly events: readonly Uint8Array[];
}

export interface HostAnswer extends FlowFigures {
  readonly interface: string;
  /** Of one interface thread each. */
  readonly hosts: readonly HostTotals[];
}

export interface Snapshot {
  readonly interfaces: readonly InterfaceSnapshot[];
  /** One entry per script and interface. */
  readonly scripts: readonly ScriptSnapshot[];
  /** What the run as a whole lost, beside its interfaces; only what is above zero. */
  readonly losses: readonly LossSnapshot[];
}

export type InterfaceState = 'starting' | 'running' | 'lost' | 'ended' | 'failed';

export interface InterfaceSnapshot {
  readonly id: number;
  /** As given to `-i`. */
  readonly name: string;
  readonly kind: InterfaceKind;
  readonly state: InterfaceState;
  readonly error?: string;
  /** Of a failed interface: the addon's or the system's code (EPERM, ENODEV, EFILTER, EPCAP, ENOENT …). */
  readonly errorCode?: string;
  readonly warning?: string;
  /** Who sends to it, where it collects flow records or samples. */
  readonly probes?: readonly ProbeSnapshot[];
  readonly timeouts?: TimeoutsSnapshot;
  /** What came to it beside flows. */
  readonly collected?: CollectedSnapshot;
  /** Names of statuses that this kind of interface cannot tell. */
  readonly notApplicable?: readonly string[];
  /** Traffic time of the first packet, µs since 1970; absent or 0 = none yet. */
  readonly began?: number;
  /** Traffic time now, µs since 1970; 0 = no packet yet. */
  readonly clock: number;
  /** Bytes of the file read so far, -1 unknown. */
  readonly position: number;
  /** Bytes of the file, -1 unknown. */
  readonly size: number;
  /** Of a capture. */
  readonly capture?: CaptureSnapshot;
  /** Names as declared in flows/counters.ts, and `alerts`. */
  readonly counters: Readonly<Record<string, number>>;
  readonly protocols: readonly ProtocolSnapshot[];
  /** Only what is above zero. */
  readonly losses: readonly LossSnapshot[];
}

/** A probe, an exporter or an agent that sends to an interface. Times are µs since 1970. */
export interface ProbeSnapshot {
  /** Unique on its interface. */
  readonly source: string;
  readonly address?: string;
  readonly name?: string;
  readonly version?: string;
  /** Of its flow cache, s. */
  readonly activeTimeout?: number;
  readonly idleTimeout?: number;
  readonly samplingRate?: number;
  /** The interface that it captures from, and its speed in Mbit/s. */
  readonly interfaceName?: string;
  readonly interfaceSpeed?: number;
  readonly messages: number;
  readonly records: number;
  /** Messages (or records) that never came, by the sequence numbers. */
  readonly lost: number;
  readonly restarts?: number;
  readonly lastContact: number;
  /** There when nothing came for longer than it usually takes. */
  readonly silentSince?: number;
  /** Our clock minus its own, µs. */
  readonly drift?: number;
  /** Why nothing comes from there, and what to do. */
  readonly problem?: string;
  /** What it says itself, by name: packets, drops. */
  readonly totals?: Readonly<Record<string, number>>;
}

/** What probes, exporters and agents tell beside flows, and what could not be read of all that they send; each list has a limit. */
export interface CollectedSnapshot {
  /** The last message of each reason. */
  readonly rejected: readonly RejectedSnapshot[];
  /** Of switches and routers, by their addresses and SNMP indexes. */
  readonly interfaces: readonly ExporterInterfaceSnapshot[];
  /** Exporters that a probe collects from. */
  readonly exporters: readonly { readonly probe: string; readonly address: string; readonly says: SaidSnapshot }[];
  /** All that a probe says of itself, what nobody here knows included. */
  readonly probes: readonly { readonly probe: string; readonly says: SaidSnapshot }[];
  readonly listening: readonly ListeningSnapshot[];
}

export type SaidSnapshot = Readonly<Record<string, string | number | boolean>>;

/** Bytes are in hexadecimal and cut. */
export interface RejectedSnapshot {
  /** Name of the counter. */
  readonly reason: string;
  /** Address and port, or endpoint. */
  readonly from: string;
  /** µs since 1970. */
  readonly time: number;
  /** Of ZMQ. */
  readonly header?: string;
  readonly bytes: string;
  /** Bytes of the whole message. */
  readonly length: number;
}

export interface ExporterInterfaceSnapshot {
  readonly exporter: string;
  readonly index: number;
  readonly name: string;
  /** Cumulative counters, speed in bit/s, states, by the names that sFlow and probes use (`ifInOctets`, `ifSpeed`). */
  readonly values: Readonly<Record<string, string | number>>;
  /** µs since 1970 of the last counters; 0 = none yet. */
  readonly updated: number;
}

export interface ListeningSnapshot {
  readonly address: string;
  /** `protocol` is 6 or 17. */
  readonly ports: readonly { readonly protocol: number; readonly port: number; readonly process: string; readonly package: string }[];
}

/** Of what exports the flow records of an interface, s; absent = nobody has said: the preferences hold. */
export interface TimeoutsSnapshot {
  readonly active: number | undefined;
  readonly idle: number | undefined;
}

/** Flows that have ended, by protocol. */
export interface ProtocolSnapshot {
  readonly name: string;
  readonly flows: number;
  readonly packets: number;
  readonly bytes: number;
}

export interface LossSnapshot {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

export type ScriptSnapshot = ScriptReport & {
  /** Name of the interface whose script host runs it. */
  readonly interface: string;
};
