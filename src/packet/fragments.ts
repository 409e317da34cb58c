/**
 * Ports of fragmented packets: only the first fragment carries them, the later ones are looked up here.
 *
 *   first fragment ──remember──► 2,048 sets of 4 entries ──find──► later fragment
 *
 * An entry: source word, destination word, identification, protocol and VLAN (four int32: the last two share `kind`); what is
 * kept: final protocol and ports (or ICMP type and code); time of the first fragment. Fixed arrays, nothing is allocated
 * per packet. When a set is full the oldest entry goes. Called by the decoder only.
 */

const SETS = 2048;
const WAYS = 4;

/** How long a first fragment is remembered, µs of packet time (RFC 791 and RFC 8200 allow up to 60 s for reassembly). */
export const FRAGMENT_LIFE = 30e6;

export interface FragmentTable {
  /** Final protocol by entry. */
  readonly protocols: Int32Array;
  /** Source port << 16 | destination port, or ICMP type << 8 | code, by entry. */
  readonly ports: Int32Array;
  /** @returns whether a living entry had to go */
  remember(source: number, destination: number, id: number, kind: number, protocol: number, ports: number): boolean;
  /** @returns the entry, -1 if the first fragment is not known */
  find(source: number, destination: number, id: number, kind: number): number;
}

/** @param clock element 0 is the time of the packet in hand, µs */
export function createFragmentTable(clock: Float64Array, hash: (a: number, b: number, c: number, d: number) => number): FragmentTable {
  const entries = SETS * WAYS;
  const sources = new Int32Array(entries);
  const destinations = new Int32Array(entries);
  const ids = new Int32Array(entries);
  const kinds = new Int32Array(entries);
  const protocols = new Int32Array(entries);
  const ports = new Int32Array(entries);
  const times = new Float64Array(entries).fill(Number.NEGATIVE_INFINITY);

  const find = (source: number, destination: number, id: number, kind: number): number => {
    const first = (hash(source, destination, id, kind) & (SETS - 1)) * WAYS;
    const oldest = clock[0] - FRAGMENT_LIFE;
    for (let e = first; e < first + WAYS; e++) {
      if (ids[e] === id && sources[e] === source && destinations[e] === destination && kinds[e] === kind) {
        return times[e] >= oldest ? e : -1;
      }
    }
    return -1;
  };

  const remember = (source: number, destination: number, id: number, kind: number, protocol: number, value: number): boolean => {
    const first = (hash(source, destination, id, kind) & (SETS - 1)) * WAYS;
    let entry = first;
    let same = false;
    for (let e = first; e < first + WAYS; e++) {
      if (ids[e] === id && sources[e] === source && destinations[e] === destination && kinds[e] === kind) {
        entry = e;
        same = true;
        break;
      }
      if (times[e] < times[entry]) entry = e;
    }
    const evicted = !same && times[entry] >= clock[0] - FRAGMENT_LIFE;
    sources[entry] = source;
    destinations[entry] = destination;
    ids[entry] = id;
    kinds[entry] = kind;
    protocols[entry] = protocol;
    ports[entry] = value;
    times[entry] = clock[0];
    return evicted;
  };

  return { protocols, ports, remember, find };
}
