/**
 * Names of hosts, learned from the events of flows. Called by the book of hosts, for each event in the order in which they come.
 *
 *   own      given by a person                                            strongest
 *   dhcp     the name a host gives for itself when it asks for an address
 *   mdns     the name a host answers with in the local network (RFC 6762)
 *   dns      the name somebody asked for when this address was the answer
 *   reverse  the name registered for the address (resolver.ts)
 *   tls http the name a client asked this server for                      weakest, both alike
 *
 * A weaker source never replaces a stronger one. Within a source the flow that began later wins, in whatever order events come:
 * the same events give the same names. Anybody can put any name on the wire, so names are for reading, never for decisions.
 */
import { isUtf8 } from 'node:buffer';
import { isIP, isIPv4 } from 'node:net';
import { R_FIRST, R_MAC0, R_MAC1, R_NET0, R_NET1 } from '../flows/record.ts';
import type { EventView } from '../flows/view.ts';
import { createGenerations } from './generations.ts';
import { type HostKey, keyOfText, textOfKey } from './key.ts';
import { isUnicast4, isUnicast6, parseIPv6 } from './prefixes.ts';

/** In the order of their strength. */
const STRENGTH = { http: 0, tls: 0, reverse: 1, dns: 2, mdns: 3, dhcp: 4, own: 5 } as const;
export type NameSource = keyof typeof STRENGTH;

export interface LearnedName {
  /** Text of the address. */
  readonly address: string;
  /** Latin-1 form. */
  readonly name: string;
  readonly source: NameSource;
}

/** Names in shared memory, in parts that take a short time to read. */
export interface PackedNames {
  /** JSON of the parts, one behind the other. */
  readonly bytes: Uint8Array;
  /** Where each part ends. */
  readonly ends: Uint32Array;
}

/** Names of a part: about 0.2 ms. */
const PART_NAMES = 128;

export function packNames(names: readonly LearnedName[]): PackedNames {
  const parts: Buffer[] = [];
  for (let at = 0; at < names.length; at += PART_NAMES) parts.push(Buffer.from(JSON.stringify(names.slice(at, at + PART_NAMES))));
  const bytes = new Uint8Array(new SharedArrayBuffer(parts.reduce((sum, { length }) => sum + length, 0)));
  const ends = new Uint32Array(parts.length);
  let end = 0;
  for (const [i, part] of parts.entries()) {
    bytes.set(part, end);
    ends[i] = end += part.length;
  }
  return { bytes, ends };
}

export const unpackNames = ({ bytes, ends }: PackedNames, part: number): LearnedName[] =>
  JSON.parse(Buffer.from(bytes.buffer).toString('utf8', part === 0 ? 0 : ends[part - 1], ends[part])) as LearnedName[];

/** Names kept at one time. */
export const MOST_NAMES = 65_536;
/** Names that wait for `takeLearned`. */
const MOST_WAITING = 8192;
/** MAC addresses whose DHCP name is remembered. */
const MOST_CARDS = 16_384;
/** Longest domain name (RFC 1035, 2.3.4), printed. */
const LONGEST = 253;
const DHCP_CLIENT_PORT = 68;

export interface NamesCounters {
  /** Names that were new, or replaced another. */
  readonly learned: number;
  /** Names given up because there were too many. */
  readonly evicted: number;
  /** Names that nobody took from `takeLearned` in time. */
  readonly untaken: number;
}

export interface Names {
  /** `''` if there is none. */
  get(key: HostKey): string;
  /** The name of this host is in use. */
  touch(key: HostKey): void;
  learn(view: EventView): void;
  /** Takes a name from elsewhere; it does not come out of `takeLearned`. Text that is no address is left out. */
  put(address: string, name: string, source: NameSource): void;
  /** What was learned since the last call. */
  takeLearned(): LearnedName[];
  /** All that are kept. */
  all(): LearnedName[];
  readonly counters: NamesCounters;
}

interface Entry {
  name: string;
  source: NameSource;
  /** µs since 1970: when the flow began that said so. */
  since: number;
  /** When it was moved to the end of the order of use. */
  turn: number;
}

/** A network card that named itself by DHCP. */
interface Card {
  readonly name: string;
  readonly since: number;
  /** The IPv4 address that has got the name. */
  bound: string;
}

/**
 * A name fit for people's eyes: no final dot, nothing invisible, no bare address.
 * @param raw Latin-1 form
 * @returns `''` for what is no name
 */
export function cleanName(raw: string): string {
  let name = raw.slice(0, LONGEST);
  if (name.endsWith('.')) name = name.slice(0, -1);
  if (!/^[\x20-\x7e]*$/.test(name)) {
    // also the control and format characters of Unicode: a name must not move a cursor or turn text around
    const bytes = Buffer.from(name, 'latin1');
    name = isUtf8(bytes)
      ? Buffer.from(bytes.toString('utf8').replace(/\p{C}/gu, '?'), 'utf8').toString('latin1')
      : name.replace(/[^\x20-\x7e]/g, '?');
  }
  name = name.trim();
  return mayBeAddress(name) && isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 ? '' : name;
}

/** Most names are seen to be no address at a glance: IPv4 ends with a digit, IPv6 has a colon. */
function mayBeAddress(name: string): boolean {
  const last = name.charCodeAt(name.length - 1);
  return (last >= 0x30 && last <= 0x39) || name.includes(':') || last === 0x5d; // digit, or a bracket
}

/** A host that can have a name of its own. @param key that of the address, where it is one */
function isHost(address: string, key = keyOfText(address)): boolean {
  if (typeof key === 'number') return isUnicast4(key >>> 0) && key >>> 24 !== 127;
  return isUnicast6(parseIPv6(address), 0) && address !== '::1';
}

/** One label and `.local`, which is how hosts call themselves; services have more labels, and underscores. */
const MDNS_HOST = /^[^._][^.]*\.local\.?$/i;

/** @param renamed called when the name of a host has changed, with `''` when it was given up */
export function createNames(renamed: (key: HostKey, name: string) => void, limit = MOST_NAMES): Names {
  /** About in the order of last use. */
  const entries = new Map<HostKey, Entry>();
  let turns = 0;
  const cards = createGenerations<number, Card>(MOST_CARDS);
  const counters = { learned: 0, evicted: 0, untaken: 0 };
  let cardsKnown = false;
  let waiting: LearnedName[] = [];

  /** The order is kept roughly: moving an entry at each use would cost more than all the rest. */
  const use = (key: HostKey, entry: Entry): void => {
    if (++turns - entry.turn < limit / 4) return;
    entry.turn = turns;
    entries.delete(key);
    entries.set(key, entry);
  };

  /** @returns true when the host has got a name that it did not have */
  const store = (key: HostKey, name: string, source: NameSource, since: number): boolean => {
    const entry = entries.get(key);
    if (entry === undefined) {
      if (entries.size >= limit) {
        const oldest = entries.keys().next().value as HostKey;
        entries.delete(oldest);
        counters.evicted++;
        renamed(oldest, '');
      }
      entries.set(key, { name, source, since, turn: ++turns });
    } else {
      use(key, entry);
      const stronger = STRENGTH[source] - STRENGTH[entry.source];
      if (stronger < 0 || (stronger === 0 && since < entry.since)) return false;
      entry.source = source;
      entry.since = since;
      if (entry.name === name) return false;
      entry.name = name;
    }
    counters.learned++;
    renamed(key, name);
    return true;
  };

  const found = (address: string, raw: string, source: NameSource, since: number): void => {
    const name = cleanName(raw);
    if (name === '') return;
    const key = keyOfText(address);
    if (!isHost(address, key) || !store(key as HostKey, name, source, since)) return;
    if (waiting.length < MOST_WAITING) waiting.push({ address, name, source });
    else counters.untaken++;
  };

  const macOf = (view: EventView, at: number): number => {
    let number = 0;
    for (let i = 0; i < 6; i++) number = number * 256 + view.u8(at + i);
    return number;
  };

  /**
   * A card that named itself before it had an address: its name goes to the first local IPv4 address it uses afterwards, and to its
   * link-local IPv6 address. Further addresses behind one card are those of hosts behind a router.
   */
  const fromCard = (address: string, mac: number, isLocal: boolean): void => {
    const card = mac === 0 ? undefined : cards.get(mac);
    if (card === undefined) return;
    if (isIPv4(address)) {
      if (!isLocal || (card.bound !== '' && card.bound !== address) || !isHost(address)) return;
      card.bound = address;
    } else if (!address.startsWith('fe80:')) {
      return;
    }
    found(address, card.name, 'dhcp', card.since);
  };

  const fromDhcp = (view: EventView, name: string, since: number): void => {
    const clientAsks = view.clientPort() === DHCP_CLIENT_PORT;
    if (!clientAsks && view.serverPort() !== DHCP_CLIENT_PORT) return;
    const address = clientAsks ? view.client() : view.server();
    const mac = macOf(view, clientAsks ? R_MAC0 : R_MAC1);
    const known = cards.peek(mac);
    if (mac !== 0 && (known === undefined || since >= known.since)) {
      cards.set(mac, { name, since, bound: isHost(address) ? address : known?.name === name ? known.bound : '' });
      cardsKnown = true;
    }
    found(address, name, 'dhcp', since);
  };

  const fromMdns = (view: EventView, name: string, since: number): void => {
    if (!MDNS_HOST.test(name)) return;
    const address = view.text('dns.answer_address');
    // A question says nothing about who asks; an answer without an address in it speaks of its sender.
    if (address !== undefined && address !== '') found(address, name, 'mdns', since);
    else if ((view.number('dns.num_answers') ?? 0) > 0) found(view.client(), name, 'mdns', since);
  };

  const fromDns = (view: EventView, name: string, since: number): void => {
    const address = view.text('dns.answer_address');
    if (address !== undefined && isIP(address) !== 0 && !/\.arpa\.?$/i.test(name)) found(address, name, 'dns', since);
  };

  return {
    counters,
    all: () => Array.from(entries, ([key, { name, source }]) => ({ address: textOfKey(key), name, source })),
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return '';
      use(key, entry);
      return entry.name;
    },
    touch(key) {
      const entry = entries.get(key);
      if (entry !== undefined) use(key, entry);
    },
    learn(view) {
      const since = view.f64(R_FIRST);
      const name = view.text('host_server_name');
      if (name !== undefined && name !== '') {
        if (view.is('MDNS')) fromMdns(view, name, since);
        else if (view.is('DNS')) fromDns(view, name, since);
        else if (view.is('DHCP')) fromDhcp(view, name, since);
        else if (view.is('TLS') || view.is('QUIC')) found(view.server(), name, 'tls', since);
        else if (view.is('HTTP') && view.text('http.method') !== 'CONNECT') {
          found(view.server(), name.replace(/:\d{1,5}$/, ''), 'http', since);
        }
      }
      if (cardsKnown) {
        fromCard(view.client(), macOf(view, R_MAC0), view.u8(R_NET0) !== 0);
        fromCard(view.server(), macOf(view, R_MAC1), view.u8(R_NET1) !== 0);
      }
    },
    put(address, raw, source) {
      const key = keyOfText(address);
      const name = cleanName(raw);
      if (key !== undefined && name !== '') store(key, name, source, entries.get(key)?.since ?? 0);
    },
    takeLearned() {
      const taken = waiting;
      waiting = [];
      return taken;
    },
  };
}
