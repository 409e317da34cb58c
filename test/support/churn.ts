/** Traffic with a steady churn of flows for long tests: small DNS and HTTP flows, replayed again and again with other addresses by tcpreplay. */
import { makeSmallFlows } from '../../bench/small-flows.ts';
import { SENDER } from './veth.ts';

/** What the generator's capture lasts (bench/small-flows.ts), s. */
const CAPTURE_SECONDS = 50;
/** Of that capture, on average. */
const PACKETS_A_FLOW = 4.75;

export interface Churn {
  /** New flows a second. */
  readonly flows: number;
  /** How many times faster than recorded the capture is replayed: a shorter capture, repeated more often. */
  readonly speed: number;
}

/** Makes the capture. @returns the arguments with which tcpreplay sends it into {@link SENDER}, until it is ended */
export function makeChurn(capture: string, { flows, speed }: Churn): string[] {
  makeSmallFlows(capture, { seed: 7, flows: Math.round((flows * CAPTURE_SECONDS) / speed) });
  return [
    '--quiet',
    ...['--intf1', SENDER],
    // bursts, and sleep between them: others want the processor, too
    ...['--timer', 'nano', '--pps', String(Math.round(flows * PACKETS_A_FLOW)), '--pps-multi', String(Math.max(1, Math.ceil(flows / 100)))],
    ...['--preload-pcap', '--unique-ip', '--loop', '1000000'],
    capture,
  ];
}
