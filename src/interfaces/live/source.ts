/**
 * A network interface as a source, through libpcap.
 */
import { native } from '../../native.ts';
import { BATCH_PACKETS, type PacketBatch, readable } from '../../packet/batch.ts';
import { type PacketSource, SOURCE_FAILED } from '../source.ts';
import type { SteadyClock } from './clock.ts';

export interface LiveSourceOptions {
  readonly filter: string;
  readonly snapLength: number;
  readonly promiscuous: boolean;
  readonly bufferBytes: number;
  /** Number of the fanout group and its sockets: no packet comes before `admit`. */
  readonly fanout?: { readonly group: number; readonly size: number };
}

/** Longest wait of a read for the first packet, ms. */
const READ_TIMEOUT_MS = 50;
/** lifecycle 1: without packets for so long the clock follows the wall. Later packets than this do not come. */
const QUIET_US = 1_000_000;

/** @throws when the interface cannot be opened: `code` EPERM, ENODEV, EFILTER or EFANOUT */
export function openLive(name: string, options: LiveSourceOptions, clock: SteadyClock): PacketSource {
  const pcap = native.pcapOpenLive(name, { ...options, timeoutMs: READ_TIMEOUT_MS });
  const linkType = native.pcapLinkType(pcap);
  let failure = '';

  return {
    live: true,
    size: -1,
    admit: () => native.pcapAdmit(pcap),
    read(batch: PacketBatch) {
      batch.linkType = linkType;
      batch.count = 0;
      const count = native.pcapRead(pcap, readable(batch), batch.frames, batch.times, BATCH_PACKETS);
      if (count < 0) {
        failure = native.pcapError(pcap);
        return SOURCE_FAILED;
      }
      clock.adjust(batch.times, count);
      batch.count = count;
      return count;
    },
    quietUntil: () => clock.now() - QUIET_US,
    error: () => failure,
    drops() {
      const [, kernel, device] = native.pcapStats(pcap);
      return [kernel, device];
    },
    position: () => -1,
    close() {
      native.pcapClose(pcap);
      return '';
    },
  };
}
