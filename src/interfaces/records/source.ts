/**
 * The one shape of what brings flow records or samples: ZMQ, NetFlow and IPFIX, sFlow. It opens sockets in the event loop of the thread
 * (worker.ts) and hands over what comes; the thread has the clock.
 */
import type { Config } from '../../config.ts';
import type { CollectedSnapshot, ProbeSnapshot } from '../../patrol-types.ts';
import type { RecordSink } from '../../records/flow-record.ts';
import type { Thread } from '../thread.ts';

export const MOST_SHOWN = 1024;

export interface SourceParts {
  /** As given to `-i`. */
  readonly name: string;
  readonly config: Config;
  readonly thread: Thread;
  /** Where flow records go, and what probes say of themselves. */
  readonly sink: RecordSink;
  /** To be called before each message, with the time of its arrival: visits that are due come before it. @returns µs since 1970 */
  arrived(): number;
  readonly log: { info(text: string): void; warn(text: string): void };
}

export interface RecordSource {
  /** Every second: what time changes, counters of sockets. @param now µs since 1970 */
  tick(now: number): void;
  /** All that send. */
  probes(): ProbeSnapshot[];
  /** What came beside flows, at most {@link MOST_SHOWN} of each; asked for every few seconds. */
  collected(): Partial<CollectedSnapshot>;
  close(): Promise<void>;
}

/** @throws Error (rejected promise) when it cannot be opened; it says what to do */
export type OpenSource = (parts: SourceParts) => Promise<RecordSource>;
