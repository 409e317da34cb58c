/**
 * Where addresses are: country, city, coordinates, and the autonomous system that announces them. Text of an address in, facts out.
 * Called by the book of hosts, once per host; nothing is read before the first question that needs it.
 *
 * Without files of the user the data of two npm packages answers (country by registration, autonomous system by routing). The
 * user's files replace it, place and autonomous system each on its own: MMDB (any whose records have the usual members) or CSV
 * (geo-csv.ts), told apart by content. Of several files that know an address the first one speaks for each fact.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Reader } from 'mmdb-lib';
import { parseMetadata } from 'mmdb-lib/lib/metadata.js';
import { looksLikeRanges, type Ranges, rangesOf, readRanges, readTable, type Table } from './geo-csv.ts';
import { createPrefixSet, parseIPv4, parseIPv6 } from './prefixes.ts';

export interface Place {
  /** ISO 3166 two letters, `''` if unknown. */
  readonly country: string;
  /** Latin-1 form, `''` if unknown. */
  readonly city: string;
  /** Degrees, 0 if unknown. */
  readonly latitude: number;
  readonly longitude: number;
}

export interface Network {
  /** Number of the autonomous system, 0 if unknown. */
  readonly asn: number;
  /** Its organisation in Latin-1 form, `''` if unknown. */
  readonly asName: string;
}

export interface Geo {
  /** @param address IPv4 or IPv6 text; private and other addresses that are not routed give nothing */
  place(address: string): Place;
  network(address: string): Network;
  /** Rows, records and whole files that could not be read so far. */
  readonly broken: number;
}

export const NOWHERE: Place = { country: '', city: '', latitude: 0, longitude: 0 };
export const NO_NETWORK: Network = { asn: 0, asName: '' };

/** An address in the forms that sources ask for. */
interface Address {
  /** Unsigned number, or -1 for IPv6. */
  readonly v4: number;
  readonly words: Uint32Array;
  readonly text: string;
}

interface Source {
  place(address: Address): Place | undefined;
  network(address: Address): Network | undefined;
  readonly broken: number;
}

/** What a file can say. */
interface Scope {
  readonly gives: 'place' | 'network' | 'both';
  /** Address family for which alone it is read; both without it. */
  readonly family?: 4 | 6;
}

/** What is in a file, in shared memory: the bytes of an MMDB file, or a CSV file as numbers. */
type Content = { readonly mmdb: SharedArrayBuffer } | { readonly table: Table };

/** One file, and how it is read when somebody asks. */
interface GeoFile extends Scope {
  read(): Content;
}

/** A file that has been read, for other threads. `content` is absent when it could not be. */
export interface ReadyFile extends Scope {
  readonly content?: Content;
}

/**
 * Networks whose addresses nobody announces to the world (IANA special-purpose address registries, RFC 6890 and its updates).
 * IPv6 outside 2000::/3 is not routed either.
 */
const SPECIAL = createPrefixSet();
for (const network of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3', '2001:db8::/32', '3fff::/20'],
]) {
  SPECIAL.add(network);
}

/** IPv4 addresses that are written as IPv6: mapped (RFC 4291, 2.5.5.2), and translated by NAT64 (RFC 6052). */
const IPV4_INSIDE = createPrefixSet();
for (const network of ['::ffff:0:0/96', '64:ff9b::/96']) IPV4_INSIDE.add(network);

/** @returns undefined for what is no address or is not routed */
function routed(text: string): Address | undefined {
  const words = new Uint32Array(4);
  if (isIPv4(text)) {
    const v4 = parseIPv4(text);
    return SPECIAL.match4(v4) >= 0 ? undefined : { v4, words, text };
  }
  if (!isIPv6(text)) return undefined;
  const bytes = parseIPv6(text);
  if (IPV4_INSIDE.match6(bytes, 0) >= 0) return routed(bytes.subarray(12).join('.'));
  if (((bytes[0] as number) & 0xe0) !== 0x20 || SPECIAL.match6(bytes, 0) >= 0) return undefined;
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) words[i] = view.getUint32(i * 4);
  return { v4: -1, words, text };
}

/** Stands for a file that is gone when somebody asks: the run goes on, and the counter tells. */
const GONE: Source = { place: () => undefined, network: () => undefined, broken: 1 };

function openOrNothing(file: GeoFile): Source {
  try {
    return openContent(file.read());
  } catch {
    return GONE;
  }
}

const latin1 = (value: unknown): string => (typeof value === 'string' ? Buffer.from(value, 'utf8').toString('latin1') : '');
const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
const degrees = (value: unknown, most: number): number => {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Math.abs(number) <= most ? number : 0;
};

/** Members as the makers of such files name them: nested (`country.iso_code`) or flat (`country_code`). */
function placeOfRecord(record: unknown): Place {
  const codes = [
    member(member(record, 'country'), 'iso_code'),
    member(record, 'country_code'),
    member(record, 'country'),
    member(member(record, 'registered_country'), 'iso_code'),
  ];
  const city = member(record, 'city');
  const location = member(record, 'location') ?? record;
  return {
    country: codes.find((code): code is string => typeof code === 'string' && /^[A-Z]{2}$/.test(code)) ?? '',
    city: latin1(member(member(city, 'names'), 'en') ?? city),
    latitude: degrees(member(location, 'latitude') ?? member(location, 'lat'), 90),
    longitude: degrees(member(location, 'longitude') ?? member(location, 'lng'), 180),
  };
}

function networkOfRecord(record: unknown): Network {
  const number = member(record, 'autonomous_system_number') ?? member(record, 'asn') ?? member(record, 'as_number');
  const digits = /^(?:AS)?(\d{1,10})$/i.exec(String(number ?? ''))?.[1];
  const name = member(record, 'autonomous_system_organization') ?? member(record, 'as_name') ?? member(record, 'organization');
  return digits === undefined ? NO_NETWORK : { asn: Number(digits), asName: latin1(name) };
}

function openMmdb(bytes: Buffer): Source {
  const reader = new Reader<Record<string, never>>(bytes);
  const four = reader.metadata.ipVersion === 4;
  let broken = 0;
  const record = (address: Address): unknown => {
    if (four && address.v4 < 0) return undefined;
    try {
      return reader.get(address.text);
    } catch {
      broken++; // a pointer to nowhere: the file is damaged inside
      return undefined;
    }
  };
  return {
    place: (address) => placeOfRecord(record(address)),
    network: (address) => networkOfRecord(record(address)),
    get broken() {
      return broken;
    },
  };
}

const openRanges = (ranges: Ranges): Source => ({
  place: (address) => (address.v4 >= 0 ? ranges.place4(address.v4) : ranges.place6(address.words)),
  network: (address) => (address.v4 >= 0 ? ranges.network4(address.v4) : ranges.network6(address.words)),
  broken: ranges.rejected,
});

/** Takes no time: nothing is copied. */
const openContent = (content: Content): Source =>
  'mmdb' in content ? openMmdb(Buffer.from(content.mmdb)) : openRanges(rangesOf(content.table));

function readMmdb(file: string): Content {
  const descriptor = openSync(file, 'r');
  try {
    const mmdb = new SharedArrayBuffer(fstatSync(descriptor).size);
    const bytes = Buffer.from(mmdb);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(descriptor, bytes, at, bytes.length - at, at);
      if (read === 0) throw new Error(`${file} has become shorter while it was read`);
      at += read;
    }
    return { mmdb };
  } finally {
    closeSync(descriptor);
  }
}

const readCsv = (file: string): Content => ({ table: readTable(readFileSync(file), file, false) });

/** Where the metadata of an MMDB file begins, in its last 128 KiB (MaxMind DB format, version 2). */
const MMDB_MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const MMDB_TAIL = 128 * 1024;
const HEAD = 4096;

/** The first and the last bytes of a file, and how many it has. */
function endsOf(file: string): { head: Buffer; tail: Buffer; size: number } {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const read = (length: number, position: number): Buffer => {
      const part = Buffer.alloc(length);
      return part.subarray(0, readSync(descriptor, part, 0, length, position));
    };
    return { head: read(Math.min(HEAD, size), 0), tail: read(Math.min(MMDB_TAIL, size), Math.max(0, size - MMDB_TAIL)), size };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * `database_type` of an MMDB file.
 * @param tail its last bytes
 * @param before how many bytes it has in front of its metadata
 */
function mmdbType(tail: Buffer, before: number, file: string): string {
  try {
    const { databaseType, searchTreeSize } = parseMetadata(tail);
    if (typeof databaseType !== 'string') throw new Error('it does not say its type');
    if (!(searchTreeSize <= before)) throw new Error('its front is missing');
    return databaseType;
  } catch (error) {
    throw new Error(`${file} is a damaged MMDB file: ${(error as Error).message}. Get it again`);
  }
}

/** What an MMDB says, by the type in its metadata: `GeoLite2-City`, `asn ipv4`, … */
function mmdbGives(type: string, file: string): GeoFile['gives'] {
  if (/enterprise|location|generic/i.test(type)) return 'both';
  const place = /country|city/i.test(type);
  const network = /asn|isp\b/i.test(type);
  if (place || network) return place && network ? 'both' : place ? 'place' : 'network';
  if (/lite/i.test(type)) return 'both';
  throw new Error(`${file} is an MMDB file of type "${type}", which has neither countries, cities nor autonomous systems`);
}

/** @throws Error that says what is wrong with the file */
function userFile(file: string): GeoFile {
  const { head, tail, size } = endsOf(file);
  if (head.length === 0) throw new Error(`${file} is empty`);
  const mark = tail.lastIndexOf(MMDB_MARK);
  if (mark >= 0) {
    const type = mmdbType(tail, size - tail.length + mark, file);
    return { gives: mmdbGives(type, file), read: () => readMmdb(file) };
  }
  if (head[0] === 0x1f && head[1] === 0x8b) throw new Error(`${file} is compressed; unpack it with gunzip`);
  if (head[0] === 0x50 && head[1] === 0x4b) throw new Error(`${file} is a ZIP archive; unpack it and give the file inside`);
  if (head.includes(0) || !looksLikeRanges(head)) {
    throw new Error(
      `${file} is neither an MMDB file (or one that was cut off) nor CSV whose lines begin with two addresses (docs/guides/hosts.md)`,
    );
  }
  const whole = head.subarray(0, head.lastIndexOf(0x0a) + 1 || head.length);
  return { gives: readRanges(whole, file, false).gives, read: () => readCsv(file) };
}

/** A file of a package. @param url where it is; literal, so that the check for unused packages sees it */
const shipped = (gives: GeoFile['gives'], family: 4 | 6, url: () => string): GeoFile => ({
  gives,
  family,
  read() {
    const file = fileURLToPath(url());
    return file.endsWith('.mmdb') ? readMmdb(file) : readCsv(file);
  },
});

const SHIPPED: readonly GeoFile[] = [
  shipped('place', 4, () => import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country-ipv4.mmdb')),
  shipped('place', 6, () => import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country-ipv6.mmdb')),
  shipped('network', 4, () => import.meta.resolve('@ip-location-db/asn/asn-ipv4.csv')),
  shipped('network', 6, () => import.meta.resolve('@ip-location-db/asn/asn-ipv6.csv')),
];

/** Does a piece of work that is not of whoever asks for it. */
export type Aside = <T>(work: () => T) => T;

export interface GeoOptions {
  /** The user's files, most important first. */
  readonly files: readonly string[];
  /** Look up nothing at all. */
  readonly off?: boolean;
  /** Reads a file, which may take half a second: for who counts the time of the one that asks. */
  readonly aside?: Aside;
  /** All files, read elsewhere ({@link readGeo}): then none is touched. */
  readonly ready?: readonly ReadyFile[];
}

const fromReady = ({ content, ...scope }: ReadyFile): GeoFile => ({
  ...scope,
  read() {
    if (content === undefined) throw new Error('it could not be read');
    return content;
  },
});

/** Files that say it; those of the user in place of what came with the installation. */
function filesFor(what: 'place' | 'network', own: readonly GeoFile[]): readonly GeoFile[] {
  const of = (list: readonly GeoFile[]): GeoFile[] => list.filter(({ gives }) => gives === what || gives === 'both');
  const mine = of(own);
  return mine.length > 0 ? mine : of(SHIPPED);
}

/** Reads everything that questions may need into shared memory: some tenths of a second. A file that cannot be read is left without content. */
export function readGeo({ files, off = false }: Pick<GeoOptions, 'files' | 'off'>): ReadyFile[] {
  if (off) return [];
  const own = files.map((file): GeoFile => {
    try {
      return userFile(file);
    } catch {
      return fromReady({ gives: 'both' });
    }
  });
  return [...new Set([...filesFor('place', own), ...filesFor('network', own)])].map(({ read, ...scope }) => {
    try {
      return { ...scope, content: read() };
    } catch {
      return scope;
    }
  });
}

/**
 * Looks at the ends of the user's files and reads the rest later.
 * @throws Error for a file that is missing, empty or of an unknown kind
 */
export function createGeo({ files, off = false, aside = (work) => work(), ready }: GeoOptions): Geo {
  const own = off ? [] : (ready?.map(fromReady) ?? files.map(userFile));
  const lists = off ? { place: [], network: [] } : { place: filesFor('place', own), network: filesFor('network', own) };
  const opened = new Map<GeoFile, Source>();

  /** The sources that may know the address, read now if they were not. */
  const sources = (what: 'place' | 'network', { v4 }: Address): Source[] =>
    lists[what]
      .filter(({ family }) => family === undefined || (family === 4) === v4 >= 0)
      .map((file) => {
        let source = opened.get(file);
        if (source === undefined) opened.set(file, (source = aside(() => openOrNothing(file))));
        return source;
      });

  return {
    place(text) {
      const address = routed(text);
      if (address === undefined) return NOWHERE;
      let found = NOWHERE;
      for (const source of sources('place', address)) {
        const more = source.place(address);
        if (more === undefined) continue;
        const located = found.latitude !== 0 || found.longitude !== 0 ? found : more;
        found = {
          country: found.country || more.country,
          city: found.city || more.city,
          latitude: located.latitude,
          longitude: located.longitude,
        };
      }
      return found;
    },
    network(text) {
      const address = routed(text);
      if (address === undefined) return NO_NETWORK;
      for (const source of sources('network', address)) {
        const found = source.network(address);
        if (found !== undefined && found.asn !== 0) return found;
      }
      return NO_NETWORK;
    },
    get broken() {
      return [...opened.values()].reduce((sum, { broken }) => sum + broken, 0);
    },
  };
}

/**
 * Reads the user's files to their ends. Called by the main thread at start, before any other thread opens them.
 * @throws Error with `file:line` for the first line that cannot be read
 */
export function checkGeoFiles(files: readonly string[]): void {
  for (const file of files) {
    userFile(file);
    const bytes = readFileSync(file);
    if (bytes.subarray(-MMDB_TAIL).lastIndexOf(MMDB_MARK) < 0) readRanges(bytes, file, true);
  }
}
