/**
 * What is known of each exporter: one {@link Domain} for each address, port, version and observation domain (`source id` in v9, engine in
 * v5): templates, sampling, names of applications, time-outs, the state of its sequence.
 *
 * The port belongs to it because two exporters may share an address, and an exporter that starts anew has another port. A domain that is
 * new under its port begins with what the last one of the same address, version and number had said: templates and options come seldom.
 *
 * Used by the decoders of messages; kept over a restart by saved.ts.
 */
import type { Draft } from './draft.ts';
import { newSequence, type Sequence } from './sequence.ts';
import type { Told, ToldMemory } from './told.ts';

export interface Domain {
  readonly address: string;
  readonly port: number;
  readonly version: number;
  readonly id: number;
  /** For records: the address, and the domain's number unless it is 0. */
  readonly name: string;
  readonly sequence: Sequence;
  /** Templates and options; replaced where it is another session's, too (told.ts). */
  told: Told;
  /** What it says of its own work, and what we count of it. */
  readonly totals: Record<string, number>;
  /** When its last message came and when the sink heard of it last; what its own clock said then; µs since 1970. */
  heard: number;
  reported: number;
  sent: number;
  messages: number;
  records: number;
  lost: number;
  /** Bytes of data sets that wait for a template. */
  waiting: number;
}

const KEY_DOMAIN = 2 ** 32;
const KEY_PORT = 2 ** 48;
const keyOf = (version: number, port: number, id: number): number => version * KEY_PORT + port * KEY_DOMAIN + id;

export interface Exporters {
  /** The domain; made where it is new. */
  find(address: string, port: number, version: number, id: number): Domain;
  all(): Iterable<Domain>;
  /** Forgets sessions that were silent since `before` (µs) and that a later one of the same exporter has followed. */
  prune(before: number): void;
  readonly size: number;
}

export interface ExportersOptions {
  /** Most domains; beyond, those that were silent for longest are forgotten. */
  readonly most: number;
  readonly memory: ToldMemory;
  /** It is no longer known, for whatever reason. */
  readonly forgotten: (domain: Domain) => void;
  /** There was no room for it. */
  readonly evicted: () => void;
}

export function createExporters({ most, memory, forgotten, evicted }: ExportersOptions): Exporters {
  const addresses = new Map<string, Map<number, Domain>>();
  let size = 0;

  const forget = (domain: Domain): void => {
    const ports = addresses.get(domain.address) as Map<number, Domain>;
    ports.delete(keyOf(domain.version, domain.port, domain.id));
    if (ports.size === 0) addresses.delete(domain.address);
    size--;
    memory.release(domain.told);
    forgotten(domain);
  };

  const forgetSome = (): void => {
    const domains = [...addresses.values()].flatMap((ports) => [...ports.values()]).sort((a, b) => a.heard - b.heard);
    for (const domain of domains.slice(0, Math.max(1, most >> 3))) {
      forget(domain);
      evicted();
    }
  };

  return {
    find(address, port, version, id) {
      const key = keyOf(version, port, id);
      const known = addresses.get(address)?.get(key);
      if (known !== undefined) return known;
      if (size >= most) forgetSome();
      let ports = addresses.get(address);
      if (ports === undefined) addresses.set(address, (ports = new Map()));
      let last: Domain | undefined;
      for (const other of ports.values()) {
        if (other.version === version && other.id === id && other.heard >= (last?.heard ?? 0)) last = other;
      }
      const told = last === undefined ? memory.create() : memory.share(last.told);
      const domain = newDomain(address, port, version, id, told);
      ports.set(key, domain);
      size++;
      return domain;
    },
    *all() {
      for (const ports of addresses.values()) yield* ports.values();
    },
    prune(before) {
      for (const ports of addresses.values()) {
        if (ports.size < 2) continue;
        const latest = new Map<number, Domain>();
        for (const domain of ports.values()) {
          const key = keyOf(domain.version, 0, domain.id);
          const other = latest.get(key);
          const [older, newer] = other === undefined || other.heard <= domain.heard ? [other, domain] : [domain, other];
          latest.set(key, newer);
          if (older !== undefined && older.heard < before) forget(older);
        }
      }
    },
    get size() {
      return size;
    },
  };
}

const newDomain = (address: string, port: number, version: number, id: number, told: Told): Domain => ({
  address,
  port,
  version,
  id,
  name: id === 0 ? address : address.includes(':') ? `[${address}]:${id}` : `${address}:${id}`,
  sequence: newSequence(),
  told,
  totals: {},
  heard: 0,
  reported: 0,
  sent: 0,
  messages: 0,
  records: 0,
  lost: 0,
  waiting: 0,
});

/** The sampling rate of a record: its own word, its sampler's, its interface's, the only sampler's, the domain's; 0 = nobody says. */
export function rateOf({ told }: Domain, draft: Draft): number {
  if (draft.sampling > 0) return draft.sampling;
  if (draft.sampler === 0) return 1; // the record has not gone through a sampler
  if (draft.sampler > 0) {
    const rate = told.samplers.get(draft.sampler);
    if (rate !== undefined) return rate;
  }
  if (told.interfaces.size > 0) {
    const rate = told.interfaces.get(draft.record.inIndex) ?? told.interfaces.get(draft.record.outIndex);
    if (rate !== undefined) return rate;
  }
  if (told.rate === 0 && told.samplers.size === 1) for (const rate of told.samplers.values()) return rate;
  return told.rate;
}
