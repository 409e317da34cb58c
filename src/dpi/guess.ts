/**
 * nDPI's guess of a protocol by ports and addresses, for flows whose packets nobody here has seen: nDPI is shown a packet that is made
 * from the key of the flow and is asked for its last word at once.
 *
 *   IP version, protocol, addresses, ports ──► IP header + TCP SYN or empty UDP ──► nDPI ──► head of a detail block (record.ts)
 *
 * That takes 1 µs. But nDPI looks at the lower port, at the higher one only when it does not know that, and (IPv4) at the two addresses,
 * the source first; so its answers are put together from remembered ones: one for each port, address and pair of answers. Called by the
 * ingest of flow records, once a flow at most.
 */
import { COLLECT_FREE, COLLECT_GIVE_UP, DPI_WORDS, type DpiHandle, native } from '../native.ts';

/** Bytes of the answer: the head of a detail block without risks. */
export const GUESS_BYTES = 16;
const RISKS = 8;
const CONFIDENCE = 7;
/** nDPI is sure: a dissector has answered. Of a protocol without ports addresses then say nothing more. */
const SURE = 4;

/** No flow of the table has this number: records count from 1 on. */
const FLOW = 0;
const TCP = 6;
const UDP = 17;
const SYN = 2;
const HEADERS = 64;
/** nDPI looks beyond the ends of packets. */
const MARGIN = 256;
/** 10.255.255.254, or an address below aff:fffe::, says nothing. */
const NEUTRAL = [10, 255, 255, 254] as const;
/** RFC 3692: an IP protocol for experiments, which says nothing either. */
const NO_PROTOCOL = 253;
const PORTS = 65536;
/** Addresses that are remembered, one in each place. */
const ADDRESSES = 1 << 15;

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

/** Asks nDPI each time. */
export function createSlowGuess(dpi: DpiHandle): Guess {
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

const applicationOf = (head: Uint8Array): number => head[0] | (head[1] << 8);

export function createGuess(dpi: DpiHandle): Guess {
  const ask = createSlowGuess(dpi);
  const neutral = new Uint8Array(32);
  neutral.set(NEUTRAL);
  neutral.set(NEUTRAL, 16);
  const looked = neutral.slice();

  // answers without addresses: by port, TCP and UDP, IPv4 and IPv6; and by IP protocol
  const ports: (Uint8Array | undefined)[][] = [0, 1, 2, 3].map(() => new Array(PORTS));
  const others: (Uint8Array | undefined)[] = new Array(256);
  // by address: what nDPI knows of it without anything else
  const known = new Int32Array(ADDRESSES);
  const owners = new Int32Array(ADDRESSES).fill(-1);
  /** By application of the port × 65536 + that of the address, for TCP, UDP and the rest. */
  const pairs = new Map<number, Uint8Array>();

  const byPort = (isIpv6: boolean, protocol: number, port: number, time: number): Uint8Array => {
    const table = ports[(protocol === TCP ? 0 : 1) + (isIpv6 ? 2 : 0)];
    return (table[port] ??= ask(isIpv6, protocol, neutral, port, port, time).slice(0, GUESS_BYTES));
  };

  /** undefined: both ports mean something and one has a dissector of its own, so other rules hold. */
  const byPorts = (isIpv6: boolean, protocol: number, clientPort: number, serverPort: number, time: number): Uint8Array | undefined => {
    if (clientPort === 0 || serverPort === 0) return undefined;
    const low = byPort(isIpv6, protocol, Math.min(clientPort, serverPort), time);
    if (clientPort === serverPort) return low;
    const high = byPort(isIpv6, protocol, Math.max(clientPort, serverPort), time);
    if (applicationOf(high) === 0) return low;
    if (applicationOf(low) === 0) return high;
    return low[CONFIDENCE] === SURE || high[CONFIDENCE] === SURE ? undefined : low;
  };

  const byProtocol = (protocol: number, time: number): Uint8Array =>
    (others[protocol] ??= ask(false, protocol, neutral, 0, 0, time).slice(0, GUESS_BYTES));

  /** Application that owns an address, 0 = none. */
  const ownerOf = (addresses: Uint8Array, at: number, time: number): number => {
    const first = addresses[at];
    const second = addresses[at + 1];
    if (first === 10 || (first === 192 && second === 168) || (first === 172 && second >> 4 === 1)) return 0; // RFC 1918
    const address = (first << 24) | (second << 16) | (addresses[at + 2] << 8) | addresses[at + 3];
    const place = Math.imul(address, 0x9e3779b1) >>> 17;
    if (known[place] === address && owners[place] >= 0) return owners[place];
    for (let i = 0; i < 4; i++) looked[16 + i] = addresses[at + i];
    known[place] = address;
    owners[place] = applicationOf(ask(false, NO_PROTOCOL, looked, 0, 0, time));
    return owners[place];
  };

  return (isIpv6, protocol, addresses, clientPort, serverPort, time) => {
    const hasPorts = protocol === TCP || protocol === UDP;
    let head: Uint8Array | undefined;
    if (hasPorts) head = byPorts(isIpv6, protocol, clientPort, serverPort, time);
    else if (!isIpv6) head = byProtocol(protocol, time);
    if (head === undefined) return ask(isIpv6, protocol, addresses, clientPort, serverPort, time);
    if (isIpv6 || (!hasPorts && head[CONFIDENCE] === SURE)) return head;
    const owner = ownerOf(addresses, 0, time) || ownerOf(addresses, 16, time);
    if (owner === 0) return head;
    const kind = protocol === TCP ? 0 : protocol === UDP ? 1 : 2;
    const pair = (applicationOf(head) * 65536 + owner) * 3 + kind;
    let answer = pairs.get(pair);
    if (answer === undefined) {
      answer = ask(false, protocol, addresses, clientPort, serverPort, time).slice(0, GUESS_BYTES);
      pairs.set(pair, answer);
    }
    return answer;
  };
}
