/**
 * nDPI's guess of a protocol by ports and addresses, for flows whose packets nobody here has seen: nDPI is shown a packet that is made
 * from the key of the flow and is asked for its last word at once.
 *
 *   IP version, protocol, addresses, ports ──► IP header + TCP SYN or empty UDP ──► nDPI ──► head of a detail block (record.ts)
 *
 * About 1 µs. Called by the ingest of flow records, once a flow at most.
 */
import { COLLECT_FREE, COLLECT_GIVE_UP, DPI_WORDS, type DpiHandle, native } from '../native.ts';

/** Bytes of the answer: the head of a detail block without risks. */
export const GUESS_BYTES = 16;
const RISKS = 8;

/** No flow of the table has this number: records count from 1 on. */
const FLOW = 0;
const TCP = 6;
const SYN = 2;
const HEADERS = 64;
/** nDPI looks beyond the ends of packets. */
const MARGIN = 256;

/**
 * `guess(isIpv6, protocol, addresses, clientPort, serverPort, time in µs)`; addresses: 16 bytes of the client, then 16 of the server, an
 * IPv4 address in the first four. Of what it returns the first {@link GUESS_BYTES} are the answer, valid until the next call; zeros where
 * nDPI does not know.
 */
export type Guess = (
  isIpv6: boolean,
  protocol: number,
  addresses: Uint8Array,
  clientPort: number,
  serverPort: number,
  time: number,
) => Uint8Array;

export function createGuess(dpi: DpiHandle): Guess {
  const packet = new Uint8Array(HEADERS + MARGIN);
  const request = new Int32Array(DPI_WORDS);
  const times = new Float64Array(1);
  const answer = new Uint8Array(1024);

  return (isIpv6, protocol, addresses, clientPort, serverPort, time) => {
    const l4 = isIpv6 ? 40 : 20;
    const length = l4 + (protocol === TCP ? 20 : 8);
    packet.fill(0, 0, HEADERS);
    if (isIpv6) {
      packet[0] = 0x60;
      packet[5] = length - l4;
      packet[6] = protocol;
      packet[7] = 64;
      packet.set(addresses, 8);
    } else {
      packet[0] = 0x45;
      packet[3] = length;
      packet[8] = 64;
      packet[9] = protocol;
      for (let i = 0; i < 4; i++) {
        packet[12 + i] = addresses[i];
        packet[16 + i] = addresses[16 + i];
      }
    }
    packet[l4] = clientPort >> 8;
    packet[l4 + 1] = clientPort;
    packet[l4 + 2] = serverPort >> 8;
    packet[l4 + 3] = serverPort;
    if (protocol === TCP) {
      packet[l4 + 12] = 0x50;
      packet[l4 + 13] = SYN;
    } else packet[l4 + 5] = 8; // UDP: the length of its header
    request[0] = FLOW;
    request[1] = 0;
    request[2] = length;
    times[0] = time;
    native.dpiProcess(dpi, packet, request, times, 1);
    native.dpiCollect(dpi, FLOW, COLLECT_GIVE_UP | COLLECT_FREE, answer);
    answer.fill(0, RISKS, GUESS_BYTES); // they are those of a packet that there never was
    return answer;
  };
}
