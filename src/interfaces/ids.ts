/**
 * Matches alerts of an external intrusion detection system to flows. Runs in the interface thread; called by worker.ts.
 *
 *   IdsAlert ──► a frame with its addresses and ports ──decode──► key ──► waiting ──report──► status of the flow
 *                                                                            │ 60 s (live)
 *                                                                            ▼ expired
 *
 * The key is what the decoder makes of a frame, so it is that of the flow's packets by construction, hashes included; it is
 * the same in both directions. An alert is decoded once and kept with its key, so that another try is one look-up. It waits
 * while the interface's clock is before its time, and while there is no such flow.
 */
import { isIPv4 } from 'node:net';
import { parseIPv4, parseIPv6 } from '../hosts/prefixes.ts';
import type { IdsAlert } from '../ids/alert.ts';
import { createScratch, FRAME_WORDS, SCRATCH_WORDS, type Scratch } from '../packet/batch.ts';
import { createDecoder, DECODE_COUNTERS } from '../packet/decode.ts';
import { LINK_ETHERNET } from '../packet/link.ts';
import type { Tally } from './ids-tally.ts';

/**
 * Attaches an alert to the flow of packet `index` of the scratch, whose headers lie in `chunk`. The packet's time is that of
 * the alert.
 * @param json the alert for the flow's `ids_alert`
 * @param severe the alert has the highest severity
 * @returns whether there is such a flow
 */
export type ReportAlert = (scratch: Scratch, chunk: Uint8Array, index: number, json: string, severe: boolean) => boolean;

export interface IdsMatcherOptions {
  readonly report: ReportAlert;
  /** That of the interface's decoder. */
  readonly seed: number;
  /** Alerts without a flow expire; otherwise they wait to the end. */
  readonly live: boolean;
  /** Most alerts that wait; {@link MAX_WAITING} or {@link MAX_WAITING_CAPTURE} unless told. */
  readonly maxWaiting?: number;
  /** Where other threads get the same alerts in the same order; alone, a thread counts all. */
  readonly tally?: Tally;
}

export interface IdsMatcher {
  /** Keeps alerts for the next `retry`, in their order. */
  add(alerts: readonly IdsAlert[]): void;
  /** Reports what can be. @param clock of the interface, µs since 1970; Infinity at the end of a file, where no packet follows */
  retry(clock: number): void;
  /** No flow comes any more: tries once again and gives up what waits. */
  finish(): void;
  readonly waiting: number;
  /** Alerts reported to their flows. */
  readonly matched: number;
  /** Alerts given up because their flow did not come in time. */
  readonly expired: number;
  /** Alerts given up, the oldest first, because too many waited. */
  readonly dropped: number;
  /** Alerts that no flow can have: their protocol is an IPv6 extension header. */
  readonly refused: number;
}

export const MAX_WAITING = 10_000;

/** With a capture all its alerts are there before its first packet. */
export const MAX_WAITING_CAPTURE = 100_000;

/** Places for alerts that are made first; then twice as many, as long as they are needed. */
const FIRST_PLACES = 1024;

/** How long after its own time an alert waits for its flow on a live interface, µs: the default of the maximum idleness. */
export const EXPIRE_US = 60e6;

const PROTO_ICMP = 1;
const PROTO_TCP = 6;
const PROTO_UDP = 17;
const PROTO_ICMPV6 = 58;
const PROTO_SCTP = 132;

const ETHERNET = 14;
const VLAN_TAG = 4;
const IPV4 = 20;
const IPV6 = 40;
const L4 = 20;
/** Bytes of the largest frame, in multiples of 16. */
const FRAME_BYTES = Math.ceil((ETHERNET + VLAN_TAG + IPV6 + L4) / 16) * 16;

const put16 = (bytes: Uint8Array, at: number, value: number): number => {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
  return at + 2;
};

const put32 = (bytes: Uint8Array, at: number, value: number): number => put16(bytes, put16(bytes, at, value >>> 16), value & 0xffff);

/** Layer 4: ports, or type and code, and what a whole header needs besides. @returns its end */
function putTransport(bytes: Uint8Array, at: number, alert: IdsAlert): number {
  const { protocol, sourcePort, destinationPort } = alert;
  if (protocol === PROTO_TCP || protocol === PROTO_UDP || protocol === PROTO_SCTP) {
    put16(bytes, put16(bytes, at, sourcePort), destinationPort);
    if (protocol === PROTO_UDP) put16(bytes, at + 4, 8);
    if (protocol === PROTO_TCP) bytes[at + 12] = 5 << 4;
    return at + (protocol === PROTO_TCP ? 20 : protocol === PROTO_SCTP ? 12 : 8);
  }
  if (protocol === PROTO_ICMP || protocol === PROTO_ICMPV6) {
    bytes[at] = sourcePort;
    bytes[at + 1] = destinationPort;
  }
  return at + 8;
}

/** Ethernet, an 802.1Q tag if there is a VLAN, IP, layer 4 without payload. @returns length of the frame */
function buildFrame(bytes: Uint8Array, start: number, alert: IdsAlert): number {
  bytes.fill(0, start, start + FRAME_BYTES);
  const four = isIPv4(alert.source);
  let at = start + 12;
  if (alert.vlan !== 0) at = put16(bytes, put16(bytes, at, 0x8100), alert.vlan);
  const l3 = put16(bytes, at, four ? 0x0800 : 0x86dd);
  const l4 = l3 + (four ? IPV4 : IPV6);
  const end = putTransport(bytes, l4, alert);
  if (four) {
    bytes[l3] = 0x45;
    put16(bytes, l3 + 2, end - l3);
    bytes[l3 + 9] = alert.protocol;
    put32(bytes, put32(bytes, l3 + 12, parseIPv4(alert.source)), parseIPv4(alert.destination));
  } else {
    bytes[l3] = 6 << 4;
    put16(bytes, l3 + 4, end - l4);
    bytes[l3 + 6] = alert.protocol;
    bytes.set(parseIPv6(alert.source), l3 + 8);
    bytes.set(parseIPv6(alert.destination), l3 + 24);
  }
  return end - start;
}

interface Waiting {
  /** How many came before it. */
  readonly number: number;
  /** Place of its frame in the chunk and of its key in the scratch. */
  readonly slot: number;
  readonly json: string;
  readonly severe: boolean;
}

/** Takes memory when alerts come, about 150 bytes and their JSON each, and keeps it. */
export function createIdsMatcher(options: IdsMatcherOptions): IdsMatcher {
  const { report, seed, live, maxWaiting = live ? MAX_WAITING : MAX_WAITING_CAPTURE, tally = () => true } = options;
  // tunnels stay closed: the alert names the ends of the flow
  const decoder = createDecoder({ gtp: false, gre: false, vxlan: false }, new Float64Array(DECODE_COUNTERS.length), seed);
  let places = 0;
  let chunk = new Uint8Array(0); // a frame a place
  let keys: Scratch = { words: new Int32Array(0), times: new Float64Array(0), count: 0 }; // an entry a place
  const frames = new Int32Array(FRAME_WORDS);
  const times = new Float64Array(1);
  const decoded = createScratch();
  const free: number[] = [];
  const waiting = new Set<Waiting>(); // in the order they came
  let added = 0;
  let matched = 0;
  let expired = 0;
  let dropped = 0;
  let refused = 0;

  const release = (alert: Waiting): void => {
    waiting.delete(alert);
    free.push(alert.slot);
  };

  function grow(): void {
    const before = places;
    places = Math.min(Math.max(FIRST_PLACES, places * 2), maxWaiting);
    const larger = {
      chunk: new Uint8Array(places * FRAME_BYTES),
      words: new Int32Array(places * SCRATCH_WORDS),
      times: new Float64Array(places),
    };
    larger.chunk.set(chunk);
    larger.words.set(keys.words);
    larger.times.set(keys.times);
    chunk = larger.chunk;
    keys = { words: larger.words, times: larger.times, count: places };
    for (let slot = places - 1; slot >= before; slot--) free.push(slot);
  }

  const expire = (alert: Waiting): void => {
    if (tally(alert.number, false)) expired++;
    release(alert);
  };

  function addOne(alert: IdsAlert): void {
    const number = added++;
    if (free.length === 0) {
      if (places < maxWaiting) {
        grow();
      } else {
        const oldest = waiting.values().next().value as Waiting;
        if (tally(oldest.number, false)) dropped++;
        release(oldest);
      }
    }
    const slot = free.pop() as number;
    const length = buildFrame(chunk, slot * FRAME_BYTES, alert);
    frames.set([slot * FRAME_BYTES, length, length]);
    decoder.decode({ bytes: chunk, frames, times, count: 1, linkType: LINK_ETHERNET }, 0, decoded);
    if (decoded.count === 0) {
      if (tally(number, false)) refused++;
      free.push(slot);
      return;
    }
    keys.words.set(decoded.words.subarray(0, SCRATCH_WORDS), slot * SCRATCH_WORDS);
    keys.times[slot] = alert.time;
    waiting.add({ number, slot, json: alert.json, severe: alert.severity === 1 });
  }

  function retry(clock: number): void {
    for (const alert of waiting) {
      const time = keys.times[alert.slot] as number;
      if (time > clock) continue;
      if (report(keys, chunk, alert.slot, alert.json, alert.severe)) {
        if (tally(alert.number, true)) matched++;
        release(alert);
      } else if (live && clock - time > EXPIRE_US) {
        expire(alert);
      }
    }
  }

  return {
    add(alerts) {
      for (const alert of alerts) addOne(alert);
    },
    retry,
    finish() {
      retry(Number.POSITIVE_INFINITY);
      for (const alert of waiting) expire(alert);
    },
    get waiting() {
      return waiting.size;
    },
    get matched() {
      return matched;
    },
    get expired() {
      return expired;
    },
    get dropped() {
      return dropped;
    },
    get refused() {
      return refused;
    },
  };
}
