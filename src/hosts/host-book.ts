/**
 * The book of hosts of one thread: what book.ts promises, put together from place and autonomous system (geo.ts), names (names.ts),
 * pools (pools.ts), makers of network cards (vendors.ts) and the machine's own addresses (system.ts).
 *
 *   main thread: HostData, checked ──► worker: openHostBook(data) ──► createEventView(names, book); book.learn(view) for each event
 *
 * A host is looked up when something asks for it first, and only what is asked for; then it is kept while it is in use.
 */
import type { EventView } from '../flows/view.ts';
import type { HostBook, HostFacts } from './book.ts';
import { createGenerations, type Generations } from './generations.ts';
import { type Aside, createGeo, type Geo, type Network, type Place } from './geo.ts';
import type { HostTables } from './host-tables.ts';
import { type HostKey, key4, key6, keyOfText, textOfKey } from './key.ts';
import { createNames, type LearnedName, type NameSource } from './names.ts';
import { createPools, type Pools } from './pools.ts';
import { createVendors, readVendors, type Vendors } from './vendors.ts';

/** Hosts kept at one time, of each address family: 200 bytes each. */
export const MOST_HOSTS = 65_536;

/** What a thread needs to open a book of its own; can be sent to workers. */
export interface HostData {
  /** The user's MMDB and CSV files; empty = the data that came with the installation. */
  readonly geoFiles: readonly string[];
  /** No look-up of places and autonomous systems at all. */
  readonly geoOff?: boolean;
  /** What is in those files, and the makers of network cards, read already: for threads that may not pause. */
  readonly tables?: HostTables;
  /** Text of the pools file, and its name for errors. */
  readonly pools?: { readonly text: string; readonly file: string };
  readonly systemAddresses: readonly string[];
}

export interface HostBookOptions {
  readonly geo: Geo;
  readonly pools: Pools;
  readonly vendors: Vendors;
  readonly systemAddresses: readonly string[];
  /** For tests. */
  readonly mostHosts?: number;
  readonly mostNames?: number;
}

export interface HostBookCounters {
  /** Hosts that were not in the book when they were asked for. */
  readonly opened: number;
  /** Names learned, given up for newer ones, and not taken in time. */
  readonly namesLearned: number;
  readonly namesEvicted: number;
  readonly namesUntaken: number;
  /** Geo files that are gone, and rows and records of them that could not be read. */
  readonly geoBroken: number;
}

export interface LearningBook extends HostBook {
  /** Takes the names out of an event. */
  learn(view: EventView): void;
  /** Names learned since the last call, to be shown or put into another book. */
  takeLearned(): LearnedName[];
  /** All names that it holds, for another book. */
  names(): LearnedName[];
  put(address: string, name: string, source: NameSource): void;
  counters(): HostBookCounters;
}

/** One host. A class, because getters on a prototype cost a host nothing. */
class Host implements HostFacts {
  name: string;
  readonly systemHost: boolean;
  readonly #key: HostKey;
  readonly #geo: Geo;
  #place: Place | undefined;
  #network: Network | undefined;

  constructor(key: HostKey, name: string, systemHost: boolean, geo: Geo) {
    this.name = name;
    this.systemHost = systemHost;
    this.#key = key;
    this.#geo = geo;
  }

  get #where(): Place {
    return (this.#place ??= this.#geo.place(textOfKey(this.#key)));
  }
  get #announcedBy(): Network {
    return (this.#network ??= this.#geo.network(textOfKey(this.#key)));
  }
  get country(): string {
    return this.#where.country;
  }
  get city(): string {
    return this.#where.city;
  }
  get latitude(): number {
    return this.#where.latitude;
  }
  get longitude(): number {
    return this.#where.longitude;
  }
  get asn(): number {
    return this.#announcedBy.asn;
  }
  get asName(): string {
    return this.#announcedBy.asName;
  }
}

export function createHostBook({ geo, pools, vendors, systemAddresses, mostHosts = MOST_HOSTS, mostNames }: HostBookOptions): LearningBook {
  const system = new Set(systemAddresses.map(keyOfText));
  const names = createNames((key, name) => {
    const host = typeof key === 'number' ? hosts4.peek(key) : hosts6.peek(key);
    if (host !== undefined) host.name = name;
  }, mostNames);
  const hosts4: Generations<number, Host> = createGenerations(mostHosts, names.touch);
  const hosts6: Generations<string, Host> = createGenerations(mostHosts, names.touch);
  let opened = 0;

  const open = (key: HostKey): Host => {
    opened++;
    return new Host(key, names.get(key), system.has(key), geo);
  };

  return {
    facts(bytes, at, ipv6) {
      if (ipv6) {
        const key = key6(bytes, at);
        let host = hosts6.get(key);
        if (host === undefined) hosts6.set(key, (host = open(key)));
        return host;
      }
      const key = key4(bytes, at);
      let host = hosts4.get(key);
      if (host === undefined) hosts4.set(key, (host = open(key)));
      return host;
    },
    pool: pools.pool,
    vendor: vendors.vendor,
    learn: names.learn,
    takeLearned: names.takeLearned,
    names: names.all,
    put: names.put,
    counters: () => ({
      opened,
      namesLearned: names.counters.learned,
      namesEvicted: names.counters.evicted,
      namesUntaken: names.counters.untaken,
      geoBroken: geo.broken,
    }),
  };
}

/**
 * @param aside see {@link GeoOptions}
 * @throws Error when a geo file is missing or of an unknown kind, or a line of the pools file is wrong
 */
export const openHostBook = (
  { geoFiles, geoOff = false, tables, pools, systemAddresses }: HostData,
  aside: Aside = (work) => work(),
): LearningBook =>
  createHostBook({
    geo: createGeo({
      files: geoFiles,
      off: geoOff,
      aside,
      ...(tables === undefined ? {} : { ready: tables.geo }),
    }),
    pools: createPools(pools?.text ?? '', pools?.file ?? ''),
    vendors: createVendors(() => tables?.vendors ?? aside(readVendors)),
    systemAddresses,
  });
