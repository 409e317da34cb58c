/**
 * What the command line and the engine (patrol.ts) know of each other: start, stop, and a snapshot of everything at any time.
 */
import type { ScriptReport } from './scripts/engine.ts';

/** Structured log: fields first, then a sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Patrol {
  /** Opens everything. Rejects when an export file cannot be written. */
  start(): Promise<void>;
  /** Ends gracefully: last visits, exports flushed. */
  stop(): Promise<void>;
  /** All interfaces have ended or failed. */
  readonly done: Promise<void>;
  snapshot(): Snapshot;
}

export interface Snapshot {
  readonly interfaces: readonly InterfaceSnapshot[];
  /** One entry per script and interface. */
  readonly scripts: readonly ScriptSnapshot[];
}

export type InterfaceState = 'starting' | 'running' | 'lost' | 'ended' | 'failed';

export interface InterfaceSnapshot {
  readonly id: number;
  /** As given to `-i`. */
  readonly name: string;
  readonly kind: 'packet' | 'pcap';
  readonly state: InterfaceState;
  readonly error?: string;
  /** Of a failed interface: the addon's or the system's code (EPERM, ENODEV, EFILTER, EPCAP, ENOENT …). */
  readonly errorCode?: string;
  readonly warning?: string;
  /** Traffic time of the first packet, µs since 1970; absent or 0 = none yet. */
  readonly began?: number;
  /** Traffic time now, µs since 1970; 0 = no packet yet. */
  readonly clock: number;
  /** Bytes of the file read so far, -1 unknown. */
  readonly position: number;
  /** Bytes of the file, -1 unknown. */
  readonly size: number;
  /** Names as declared in flows/counters.ts, and `alerts`. */
  readonly counters: Readonly<Record<string, number>>;
  readonly protocols: readonly ProtocolSnapshot[];
  /** Only what is above zero. */
  readonly losses: readonly LossSnapshot[];
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
