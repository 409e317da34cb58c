/**
 * What could not be used, and why: counted by reason, one line in the log a minute and reason, the first bytes of the last message of
 * each reason for whoever asks.
 */
import type { CounterDeclaration } from '../flows/counters.ts';

const LOG_EVERY_US = 60_000_000;
const SAMPLE_BYTES = 512;
const LOGGED_BYTES = 48;

export interface TroubleSample {
  /** Name of the counter. */
  readonly reason: string;
  readonly address: string;
  readonly port: number;
  /** µs since 1970. */
  readonly arrived: number;
  /** Of the message; the sample has its first 512 bytes. */
  readonly length: number;
  readonly hex: string;
}

export interface Trouble {
  /** The message that is being read. */
  begin(address: string, port: number, bytes: Buffer, arrived: number): void;
  /** Something in it cannot be used. @param counter position of the reason */
  report(counter: number): void;
  samples(): TroubleSample[];
}

interface Kept {
  readonly bytes: Buffer;
  address: string;
  port: number;
  arrived: number;
  length: number;
  logged: number;
}

/** @param declarations of the counters, in their order */
export function createTrouble(declarations: readonly CounterDeclaration[], counters: Float64Array, log: (line: string) => void): Trouble {
  const kept = new Map<number, Kept>();
  let address = '';
  let port = 0;
  let bytes: Buffer = Buffer.alloc(0);
  let arrived = 0;

  return {
    begin(from, fromPort, message, at) {
      address = from;
      port = fromPort;
      bytes = message;
      arrived = at;
    },
    report(counter) {
      counters[counter]++;
      let sample = kept.get(counter);
      if (sample === undefined) {
        sample = { bytes: Buffer.alloc(SAMPLE_BYTES), address, port, arrived, length: 0, logged: -LOG_EVERY_US };
        kept.set(counter, sample);
      }
      bytes.copy(sample.bytes);
      sample.address = address;
      sample.port = port;
      sample.arrived = arrived;
      sample.length = bytes.length;
      if (arrived - sample.logged < LOG_EVERY_US) return;
      sample.logged = arrived;
      const { name, help } = declarations[counter];
      const hex = bytes.toString('hex', 0, LOGGED_BYTES);
      log(`${address} port ${port}: ${help} (${name}, ${counters[counter]} so far); message of ${bytes.length} bytes: ${hex}`);
    },
    samples: () =>
      [...kept].map(([counter, sample]) => ({
        reason: declarations[counter].name,
        address: sample.address,
        port: sample.port,
        arrived: sample.arrived,
        length: sample.length,
        hex: sample.bytes.toString('hex', 0, Math.min(sample.length, SAMPLE_BYTES)),
      })),
  };
}
