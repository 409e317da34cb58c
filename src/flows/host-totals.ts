/**
 * Adds up flows by their hosts: flows in one by one, a few numbers per host out. Called by the interface thread; the answer crosses to
 * the main thread as two buffers, and those of several threads or interfaces are read one after another.
 *
 *   flow ──add──► totals of client and server ──take──► HostTotals ──topHosts──► HostTotal
 */
import { type HostKey, key4, key6 } from '../hosts/key.ts';
import { E_CLIENT, E_SERVER } from './event.ts';
import { D_BYTES, R_DIR, R_DIR_BYTES, R_NET0, R_NET1 } from './record.ts';
import { addressText, type EventView } from './view.ts';

/** What is kept of a host, in the order of its doubles. */
const NUMBERS = ['vlan', 'ipv6', 'local', 'asClient', 'asServer', 'sent', 'received', 'score'] as const;
const COUNT = NUMBERS.length;
const ADDRESS_BYTES = 16;

/** Structured-clone-able; both buffers may be transferred. */
export interface HostTotals {
  /** {@link COUNT} doubles a host. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** 16 bytes a host, of which an IPv4 address has the first four. */
  readonly addresses: Uint8Array<ArrayBuffer>;
}

/** Bytes sent and received; flows that it began and that others began with it; the sum of their scores. */
export type HostTotal = Readonly<Record<(typeof NUMBERS)[number], number>> & {
  /** Position among the answers. */
  readonly answer: number;
  readonly address: string;
  /** Its address begins at `at` of `addresses`, for the book of hosts. */
  readonly addresses: Uint8Array;
  readonly at: number;
};

export interface HostAdder {
  /** The flow that the view stands on. */
  add(view: EventView): void;
  /** What another one has added up. */
  merge(totals: HostTotals): void;
  /** What was added up; it is empty afterwards. */
  take(): HostTotals;
}

export function createHostAdder(): HostAdder {
  const vlans = new Map<number, Map<HostKey, number>>();
  let hosts = 0;
  let numbers = new Float64Array(256 * COUNT);
  let addresses = new Uint8Array(256 * ADDRESS_BYTES);

  function grow(): void {
    const [more, longer] = [new Float64Array(numbers.length * 2), new Uint8Array(addresses.length * 2)];
    more.set(numbers);
    longer.set(addresses);
    numbers = more;
    addresses = longer;
  }

  /** Position of a host's first number; made where there is none. */
  function host(vlan: number, ipv6: boolean, bytes: Uint8Array, from: number): number {
    const key = ipv6 ? key6(bytes, from) : key4(bytes, from);
    let known = vlans.get(vlan);
    if (known === undefined) {
      known = new Map();
      vlans.set(vlan, known);
    }
    const position = known.get(key);
    if (position !== undefined) return position;
    if (hosts * COUNT === numbers.length) grow();
    const made = hosts * COUNT;
    known.set(key, made);
    numbers[made] = vlan;
    numbers[made + 1] = ipv6 ? 1 : 0;
    addresses.set(bytes.subarray(from, from + ADDRESS_BYTES), hosts * ADDRESS_BYTES);
    hosts++;
    return made;
  }

  const bump = (at: number, by: number): void => {
    numbers[at] = (numbers[at] as number) + by;
  };

  return {
    add(view) {
      const sent = view.f64(R_DIR + D_BYTES);
      const received = view.f64(R_DIR + R_DIR_BYTES + D_BYTES);
      const score = Math.max(0, view.score()); // -1: nobody gave it one
      const [vlan, ipv6, bytes, at] = [view.vlan(), view.isIpv6(), view.bytes(), view.offset()];
      const client = host(vlan, ipv6, bytes, at + E_CLIENT);
      if (view.u8(R_NET0) !== 0) numbers[client + 2] = 1;
      bump(client + 3, 1);
      bump(client + 5, sent);
      bump(client + 6, received);
      bump(client + 7, score);
      const server = host(vlan, ipv6, bytes, at + E_SERVER);
      if (view.u8(R_NET1) !== 0) numbers[server + 2] = 1;
      bump(server + 4, 1);
      bump(server + 5, received);
      bump(server + 6, sent);
      bump(server + 7, score);
    },
    merge({ numbers: more, addresses: from }) {
      for (let i = 0; i < more.length; i += COUNT) {
        const at = host(more[i] as number, more[i + 1] === 1, from, (i / COUNT) * ADDRESS_BYTES);
        numbers[at + 2] = Math.max(numbers[at + 2] as number, more[i + 2] as number);
        for (let n = 3; n < COUNT; n++) bump(at + n, more[i + n] as number);
      }
    },
    take() {
      const taken = { numbers: numbers.slice(0, hosts * COUNT), addresses: addresses.slice(0, hosts * ADDRESS_BYTES) };
      vlans.clear();
      hosts = 0;
      numbers = new Float64Array(256 * COUNT);
      addresses = new Uint8Array(256 * ADDRESS_BYTES);
      return taken;
    },
  };
}

/** What hosts can be sorted by; `flows` and `bytes` are of both directions. */
export const HOST_ORDERS = ['bytes', 'sent', 'received', 'flows', 'score', 'address'] as const;
export type HostOrder = (typeof HOST_ORDERS)[number];

/** Each host of several threads of one interface once. */
function join(parts: readonly HostTotals[]): HostTotals {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const adder = createHostAdder();
  for (const part of parts) adder.merge(part);
  return adder.take();
}

const VALUES: Readonly<Record<HostOrder, (numbers: Float64Array, at: number) => number>> = {
  sent: (numbers, at) => numbers[at + 5] as number,
  received: (numbers, at) => numbers[at + 6] as number,
  bytes: (numbers, at) => (numbers[at + 5] as number) + (numbers[at + 6] as number),
  flows: (numbers, at) => (numbers[at + 3] as number) + (numbers[at + 4] as number),
  score: (numbers, at) => numbers[at + 7] as number,
  address: (numbers, at) => numbers[at + 1] as number, // IPv4 first, then as equals: by their bytes
};

/** A host of an answer. */
interface Ref {
  readonly answer: number;
  readonly i: number;
  readonly value: number;
}

/** Is a value one of the first `limit`, or equal to the last of them? Most hosts are neither, and are not sorted. */
function firstOf(values: readonly Float64Array[], descending: boolean, limit: number): (value: number) => boolean {
  const all = new Float64Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of values) {
    all.set(each, at);
    at += each.length;
  }
  if (all.length <= limit) return () => true;
  all.sort();
  const last = all[descending ? all.length - limit : limit - 1] as number;
  return descending ? (value) => value >= last : (value) => value <= last;
}

/**
 * The first hosts of the answers of several interfaces.
 * @returns `total`: how many there are; equals come by address, then by answer
 */
export function topHosts(
  answers: readonly (readonly HostTotals[])[],
  order: HostOrder,
  descending: boolean,
  limit: number,
): { readonly total: number; readonly hosts: readonly HostTotal[] } {
  const joined = answers.map(join);
  const value = VALUES[order];
  const values = joined.map(({ numbers }) => Float64Array.from({ length: numbers.length / COUNT }, (_, i) => value(numbers, i * COUNT)));
  const total = values.reduce((sum, { length }) => sum + length, 0);
  const isFirst = firstOf(values, descending, limit);
  const best: Ref[] = [];
  for (const [answer, of] of values.entries()) {
    for (let i = 0; i < of.length; i++) if (isFirst(of[i] as number)) best.push({ answer, i, value: of[i] as number });
  }
  const addressesOf = ({ answer }: Ref): Uint8Array => (joined[answer] as HostTotals).addresses;
  function byAddress(a: Ref, b: Ref): number {
    const [x, y] = [addressesOf(a), addressesOf(b)];
    for (let n = 0; n < ADDRESS_BYTES; n++) {
      const difference = (x[a.i * ADDRESS_BYTES + n] as number) - (y[b.i * ADDRESS_BYTES + n] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }
  const sign = descending ? -1 : 1;
  const addressSign = order === 'address' ? sign : 1;
  best.sort((a, b) => (a.value - b.value) * sign || byAddress(a, b) * addressSign || a.answer - b.answer);
  const read = ({ answer, i }: Ref): HostTotal => {
    const { numbers, addresses } = joined[answer] as HostTotals;
    const at = i * ADDRESS_BYTES;
    const data = new DataView(addresses.buffer, addresses.byteOffset, addresses.byteLength);
    const values = Object.fromEntries(NUMBERS.map((name, n) => [name, numbers[i * COUNT + n] as number]));
    return {
      ...(values as Record<(typeof NUMBERS)[number], number>),
      ...{ answer, addresses, at, address: addressText(data, at, values.ipv6 === 1) },
    };
  };
  return { total, hosts: best.slice(0, limit).map(read) };
}
