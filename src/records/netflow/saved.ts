/**
 * What is known of exporters, as text for a file: templates as they came (hexadecimal), sampling rates, names of applications, time-outs.
 * Of several sessions of one exporter the last. A restored one has the port 0: the first message of the exporter, whatever its port, takes
 * over what it knows (exporters.ts).
 */
import type { Domain, Exporters } from './exporters.ts';
import type { Sets } from './sets.ts';
import { ENTRY_WEIGHT, type ToldMemory } from './told.ts';

const FORMAT = 1;
export const RESTORED_PORT = 0;
const MOST_EXPORTERS = 65536;

interface SavedExporter {
  readonly address: string;
  readonly version: number;
  readonly domain: number;
  /** µs since 1970. */
  readonly heard: number;
  readonly templates: readonly string[];
  readonly options: readonly string[];
  readonly rate: number;
  readonly samplers: readonly (readonly [number, number])[];
  readonly interfaces: readonly (readonly [number, number])[];
  readonly applications: readonly (readonly [number, string])[];
  readonly activeTimeout: number;
  readonly idleTimeout: number;
}

export function saveExporters(domains: Iterable<Domain>): string {
  const latest = new Map<string, Domain>();
  for (const domain of domains) {
    if (domain.version === 5) continue; // each message says all
    const key = `${domain.address} ${domain.version} ${domain.id}`;
    if ((latest.get(key)?.heard ?? -1) < domain.heard) latest.set(key, domain);
  }
  const hex = (domain: Domain, options: boolean): string[] =>
    [...domain.told.templates.values()]
      .filter((template) => template.options === options)
      .map((template) => template.bytes.toString('hex'));
  const exporters = [...latest.values()].map(
    (domain): SavedExporter => ({
      address: domain.address,
      version: domain.version,
      domain: domain.id,
      heard: domain.heard,
      templates: hex(domain, false),
      options: hex(domain, true),
      rate: domain.told.rate,
      samplers: [...domain.told.samplers],
      interfaces: [...domain.told.interfaces],
      applications: [...domain.told.applications],
      activeTimeout: domain.told.activeTimeout,
      idleTimeout: domain.told.idleTimeout,
    }),
  );
  return `${JSON.stringify({ format: FORMAT, exporters })}\n`;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const numberOf = (value: unknown): number => (typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : 0);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/**
 * @returns exporters and templates that could be used; damaged ones are left out: they come again
 * @throws Error: the text is none of `saveExporters`
 */
export function restoreExporters(
  text: string,
  exporters: Exporters,
  sets: Sets,
  memory: ToldMemory,
): { exporters: number; templates: number } {
  let saved: unknown;
  try {
    saved = JSON.parse(text);
  } catch (cause) {
    throw new Error('not a file of templates: it is no JSON. Delete it; exporters send their templates again', { cause });
  }
  if (!isObject(saved) || saved.format !== FORMAT || !Array.isArray(saved.exporters)) {
    throw new Error(`not a file of templates of format ${FORMAT}. Delete it; exporters send their templates again`);
  }
  const restored = { exporters: 0, templates: 0 };
  for (const one of saved.exporters.slice(0, MOST_EXPORTERS) as unknown[]) {
    if (!isObject(one) || typeof one.address !== 'string' || (one.version !== 9 && one.version !== 10)) continue;
    const domain = exporters.find(one.address, RESTORED_PORT, one.version, numberOf(one.domain) >>> 0);
    domain.heard = numberOf(one.heard);
    const told = (domain.told = memory.writable(domain.told));
    told.rate = numberOf(one.rate);
    told.activeTimeout = numberOf(one.activeTimeout);
    told.idleTimeout = numberOf(one.idleTimeout);
    const put = <Value extends number | string>(map: Map<number, Value>, pairs: unknown, type: 'number' | 'string'): void => {
      for (const pair of listOf(pairs)) {
        const [key, value]: readonly unknown[] = listOf(pair);
        if (typeof key === 'number' && typeof value === type && memory.grow(told, ENTRY_WEIGHT)) map.set(key, value as Value);
      }
    };
    put(told.samplers, one.samplers, 'number');
    put(told.interfaces, one.interfaces, 'number');
    put(told.applications, one.applications, 'string');
    for (const options of [false, true]) {
      for (const template of listOf(options ? one.options : one.templates)) {
        if (typeof template === 'string') sets.restore(domain, Buffer.from(template, 'hex'), options);
      }
    }
    restored.exporters++;
    restored.templates += domain.told.templates.size;
  }
  return restored;
}
