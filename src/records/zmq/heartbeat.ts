/** What a probe says of itself in an `event` message: the message in, a {@link ProbeEvent} and all that was said out. Called by the decoder. */
import type { ProbeEvent } from '../flow-record.ts';

/** Most members of an event that are kept, and the longest text of one. */
const MOST_MEMBERS = 256;
const LONGEST_MEMBER = 256;
/** Exporters come and go, and have a place of their own. */
const EXPORTERS = 'flow_collection.exporters';

export type Said = Readonly<Record<string, string | number | boolean>>;

export interface Heartbeat {
  readonly event: ProbeEvent;
  /** All members by their path (`iface.name`, `drops.too_many_flows`), those that nobody here knows included. */
  readonly said: Said;
  /** Addresses of the exporters that the probe collects from, and what it says of them (`num_drops` …). */
  readonly exporters: Readonly<Record<string, Said>>;
}

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Spreads nested objects over paths with dots; the events of 2016 have them already. */
function flatten(members: Members, path: string, into: Map<string, string | number | boolean>): void {
  for (const [name, value] of Object.entries(members)) {
    const key = path === '' ? name : `${path}.${name}`;
    if (key === EXPORTERS) continue;
    if (isObject(value)) {
      if (key.split('.').length < 8) flatten(value, key, into);
    } else if (into.size >= MOST_MEMBERS || key.length > LONGEST_MEMBER) return;
    else if (typeof value === 'string') into.set(key, value.slice(0, LONGEST_MEMBER));
    else if (typeof value === 'number' || typeof value === 'boolean') into.set(key, value);
  }
}

const flat = (members: Members): Said => {
  const into = new Map<string, string | number | boolean>();
  flatten(members, '', into);
  return Object.fromEntries(into);
};

/** @param parsed the JSON of the message; @param source see {@link ProbeEvent.source}. @returns undefined: it is no object */
export function readHeartbeat(parsed: unknown, source: string): Heartbeat | undefined {
  if (!isObject(parsed)) return undefined;
  const said = flat(parsed);

  const number = (...keys: readonly string[]): number | undefined => {
    for (const key of keys) {
      const value = Number(said[key] ?? Number.NaN);
      if (Number.isFinite(value) && value >= 0) return value;
    }
    return undefined;
  };
  const text = (...keys: readonly string[]): string | undefined => {
    for (const key of keys) if (typeof said[key] === 'string' && said[key] !== '') return said[key];
    return undefined;
  };
  const clock = number('time');
  const totals: Record<string, number> = {};
  for (const [key, value] of Object.entries(said)) {
    if (typeof value !== 'number' || value < 0 || !/^(bytes|packets|packet_drops|drops\..+|zmq\..+|flow_collection\..+)$/.test(key))
      continue;
    if (key !== 'flow_collection.collection_port') totals[key] = value;
  }
  const collection = isObject(parsed.flow_collection) && isObject(parsed.flow_collection.exporters) ? parsed.flow_collection.exporters : {};
  const exporters = Object.entries(collection)
    .filter(([address, members]) => address.length <= 64 && isObject(members))
    .slice(0, MOST_MEMBERS)
    .map(([address, members]) => [address, flat(members as Members)] as const);

  return {
    said,
    exporters: Object.fromEntries(exporters),
    event: {
      source,
      ...defined('activeTimeout', number('timeout.lifetime')),
      ...defined('idleTimeout', number('timeout.idle')),
      ...defined('clock', clock === undefined ? undefined : Math.round(clock * 1e6)),
      ...defined('name', text('probe.name', 'probe.instance_name', 'instance-name', 'probe.uuid')),
      ...defined('version', text('probe.version')),
      ...defined('address', text('probe.ip', 'iface.ip', 'if.ip', 'probe.public_ip')),
      ...defined('interfaceName', text('iface.name', 'if.name')),
      ...defined('interfaceSpeed', number('iface.speed', 'if.speed')),
      totals,
    },
  };
}

function defined<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
