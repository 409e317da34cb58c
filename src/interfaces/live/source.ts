/**
 * A network interface as a source, through libpcap.
 */
import { native } from '../../native.ts';
import { BATCH_PACKETS, type PacketBatch, readable } from '../../packet/batch.ts';
import { type PacketSource, SOURCE_FAILED } from '../source.ts';

export interface LiveSourceOptions {
  readonly filter: string;
  readonly snapLength: number;
  readonly promiscuous: boolean;
  readonly bufferBytes: number;
}

/** Longest wait of a read for the first packet, ms. */
const READ_TIMEOUT_MS = 50;
/** A step of the system's clock back by more than this is taken out; smaller ones are clamped by the decoder, packet by packet. */
const STEP_US = 2_000_000;
/** lifecycle 1: without packets for so long the clock follows the wall. Later packets than this do not come. */
const QUIET_US = 1_000_000;

/** @throws when the interface cannot be opened: `code` EPERM, ENODEV or EFILTER */
export function openLive(name: string, options: LiveSourceOptions): PacketSource {
  const pcap = native.pcapOpenLive(name, { ...options, timeoutMs: READ_TIMEOUT_MS });
  const linkType = native.pcapLinkType(pcap);
  let failure = '';
  let latest = 0;
  let shift = 0; // what the interface's clock is ahead of the system's, after steps of that one back

  /** Keeps the interface's clock running where the system's was set back: flows must not stand still until it has caught up. */
  const keepRunning = (times: Float64Array, count: number): void => {
    for (let i = 0; i < count; i++) {
      const time = times[i] as number;
      if (time + shift < latest - STEP_US) shift = latest - time;
      times[i] = time + shift;
      if (time + shift > latest) latest = time + shift;
    }
  };

  return {
    live: true,
    size: -1,
    read(batch: PacketBatch) {
      batch.linkType = linkType;
      batch.count = 0;
      const count = native.pcapRead(pcap, readable(batch), batch.frames, batch.times, BATCH_PACKETS);
      if (count < 0) {
        failure = native.pcapError(pcap);
        return SOURCE_FAILED;
      }
      keepRunning(batch.times, count);
      batch.count = count;
      return count;
    },
    quietUntil() {
      const now = native.wallClock();
      if (now + shift < latest - STEP_US) shift = latest - now;
      return now + shift - QUIET_US;
    },
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
