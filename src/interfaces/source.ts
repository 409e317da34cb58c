/**
 * The one shape of every source of packets. A source has the clock of its interface; the interface loop (worker.ts) asks it
 * for batches and for the time, and knows nothing else about it.
 */
import type { PacketBatch } from '../packet/batch.ts';

/** What `read` says beside a number of packets. */
export const SOURCE_END = -1;
export const SOURCE_FAILED = -2;

export interface PacketSource {
  /** Packets come in their own time and wait for nobody: visits are spread, and events are shed rather than waited for. */
  readonly live: boolean;
  /** Of one of several threads that capture one interface: lets packets in. */
  admit?(): void;
  /** Fills the batch. @returns packets read; 0 = none for now; SOURCE_END; SOURCE_FAILED (see `error`) */
  read(batch: PacketBatch): number;
  /** µs since 1970 up to which no further packet is to be expected; live sources only. */
  quietUntil(): number;
  error(): string;
  /** Packets dropped by the kernel and by the interface, since the start. */
  drops(): readonly [kernel: number, device: number];
  /** Bytes of the file consumed and in all; -1 where there is no file or its size is unknown. */
  position(): number;
  readonly size: number;
  /** Frees everything. @returns what was wrong with the source, found only at its end; '' for nothing */
  close(): string;
}
