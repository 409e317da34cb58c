/** What a started script says of itself, checked: StartedScript (world.ts) in, Definition (runtime.ts of the scripts) out. */
import { CALLBACKS } from '../../flows/event.ts';
import type { Names } from '../../flows/view.ts';
import type { CallFilter, Definition } from '../runtime.ts';
import type { StartedScript } from './world.ts';

/** IP protocols that a filter may name (IANA). */
export const L4_NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    icmp: 1,
    igmp: 2,
    tcp: 6,
    udp: 17,
    ipv6: 41,
    rsvp: 46,
    gre: 47,
    esp: 50,
    ah: 51,
    icmpv6: 58,
    ospf: 89,
    pim: 103,
  }).concat(Object.entries({ vrrp: 112, sctp: 132, hip: 139 })),
);
/** Members of a script beside its callbacks; all others are its own affair. */
const MEMBERS = ['key', 'title', 'description', 'prio', 'filter', 'setup', 'teardown'];

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** @throws Error `file: cause` */
function filterOf(file: string, given: unknown, { protocols }: Names, warnings: string[]): CallFilter {
  const no = (cause: string): Error => new Error(`${file}: \`filter\`: ${cause}`);
  const l4 = (protocol: unknown): number => {
    const number = typeof protocol === 'number' ? protocol : L4_NUMBERS.get(String(protocol).toLowerCase());
    if (number !== undefined && Number.isInteger(number)) return number;
    throw no(`there is no IP protocol '${protocol}'; there are numbers, ${[...L4_NUMBERS.keys()].join(', ')}`);
  };
  const l7 = (protocol: unknown): number => {
    const id = protocols.findIndex((name) => name.toLowerCase() === String(protocol).toLowerCase());
    if (id >= 0) return id;
    if (protocols.length > 0) throw no(`nDPI has no protocol '${protocol}'`);
    warnings.push(`${file}: nothing detects protocols here, so the script is never called for ${protocol}`);
    return -1;
  };
  const filter: Writable<CallFilter> = {};
  for (const [name, value] of Object.entries((given ?? {}) as Readonly<Record<string, unknown>>)) {
    if (name === 'l4') filter.l4 = [value].flat().map(l4);
    else if (name === 'l7') filter.l7 = l7(value);
    else if (name === 'handshake' || name === 'packetInterface') {
      if (value === true) filter[name] = true;
    } else if (name === 'periodicSeconds') {
      if (typeof value !== 'number' || !(value > 0)) throw no('`periodicSeconds` must be a number above 0');
      filter.periodicSeconds = value;
    } else warnings.push(`${file}: \`filter\` has no member '${name}'`);
  }
  return filter;
}

/** @throws Error `file: cause` */
export function definitionOf(file: string, started: StartedScript, names: Names): Definition {
  const { title, description, prio, filter, enabled, callbacks, others } = started;
  const key = started.key as string;
  const warnings: string[] = [];
  for (const name of others.filter((other) => !MEMBERS.includes(other))) {
    const meant = CALLBACKS.find((callback) => isNearly(name, callback));
    if (meant !== undefined) warnings.push(`${file}: \`${name}\` is never called; the callback is \`${meant}\``);
  }
  const text = (name: string, value: unknown, otherwise: string): string => {
    if (typeof value === 'string') return value;
    if (value !== undefined) warnings.push(`${file}: \`${name}\` must be a text`);
    return otherwise;
  };
  if (prio !== undefined && typeof prio !== 'number') warnings.push(`${file}: \`prio\` must be a number`);
  return {
    key,
    title: text('title', title, key),
    description: text('description', description, ''),
    prio: typeof prio === 'number' ? prio : 0,
    generation: 'typescript',
    callbacks: CALLBACKS.filter((callback) => callbacks[callback] !== undefined),
    filter: filterOf(file, filter, names, warnings),
    enabled,
    warnings,
  };
}

/** Do the names differ in capitals, or in one or two letters (Levenshtein)? */
function isNearly(name: string, other: string): boolean {
  const [a, b] = [name.toLowerCase(), other.toLowerCase()];
  if (Math.abs(a.length - b.length) > 2) return false;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, replaced);
    }
    row = next;
  }
  return (row[b.length] as number) <= 2;
}
