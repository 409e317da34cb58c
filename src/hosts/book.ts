/**
 * What is known of a host beside its traffic: name, place, autonomous system, pool. Asked by the fields of `cli.*` and `srv.*`
 * when something reads them, so it costs the packet path nothing; every thread that reads events has a book of its own.
 */

export interface HostFacts {
  /** Learned or resolved name, `''` if there is none. */
  readonly name: string;
  /** ISO 3166 two letters, `''` if unknown. */
  readonly country: string;
  readonly city: string;
  /** Degrees, 0 if unknown. */
  readonly latitude: number;
  readonly longitude: number;
  /** Number of the autonomous system, 0 if unknown. */
  readonly asn: number;
  readonly asName: string;
  /** The address belongs to the machine that runs flowpatrol. */
  readonly systemHost: boolean;
}

/** Host pools, by position; 0 is the default pool. */
export interface Pool {
  readonly id: number;
  readonly name: string;
}

export interface HostBook {
  /** @param bytes 4 bytes of an IPv4 address, or 16 of an IPv6 one, at `at` */
  facts(bytes: Uint8Array, at: number, ipv6: boolean): HostFacts;
  /** @param mac offset of 6 bytes in `bytes` */
  pool(bytes: Uint8Array, at: number, ipv6: boolean, mac: number): Pool;
  /** Maker of a network card by its MAC address, `''` if unknown. */
  vendor(bytes: Uint8Array, mac: number): string;
}

const UNKNOWN: HostFacts = { name: '', country: '', city: '', latitude: 0, longitude: 0, asn: 0, asName: '', systemHost: false };
const DEFAULT_POOL: Pool = { id: 0, name: 'Default' };

/** A book without any page. */
export const EMPTY_BOOK: HostBook = { facts: () => UNKNOWN, pool: () => DEFAULT_POOL, vendor: () => '' };
