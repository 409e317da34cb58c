/**
 * What the source of a script says of it before it runs: the fields that it reads, whether it has files of its own, and whether it changes
 * flows. Called once a version.
 */
import type { Field } from '../flows/fields.ts';
import { GETTERS } from './getters.ts';
import { MODULE_NAMES } from './lua/library.ts';

/** Fields kept with each alert; a script that names more explains itself by the first. */
const MOST_FIELDS = 32;

/**
 * The fields whose keys stand in the source as quoted strings or as members (`info.bytes`), or that a getter it calls returns.
 * Keys that are put together at run time are not found.
 */
export function fieldsReadBy(source: string, fields: readonly Field[]): Field[] {
  const named = new Set<string>();
  for (const [, quoted] of source.matchAll(/["']([\w.:-]+)["']/g)) named.add(quoted as string);
  for (const [, member] of source.matchAll(/\.\s*([A-Za-z_]\w*)/g)) {
    named.add(member as string);
    for (const key of GETTERS[member as string] ?? []) named.add(key);
  }
  return fields.filter((field) => field.type !== 'table' && named.has(field.key)).slice(0, MOST_FIELDS);
}

const CHANGES = /\b(?:(?:set|clear|trigger)Status|set(?:Client|Server)?Score)\b/;

const OUR_MODULES: ReadonlySet<string> = new Set(MODULE_NAMES);
const REQUIRES = /\brequire\b(?:\s*\(?\s*(?:'([\w.]+)'|"([\w.]+)"))?/g;
const IMPORTS = /\bfrom\s*["']\.\.?\//;

/** May it be made of several files? It requires something else than a literal name of ours, or imports `./…`. */
export const mayHaveFiles = (source: string): boolean =>
  IMPORTS.test(source) || [...source.matchAll(REQUIRES)].some(([, single, double]) => !OUR_MODULES.has(single ?? double ?? ''));

/** May it set statuses or scores, itself or in a file of its own? Then captures are read in step with the scripts. */
export const mayFeedBack = (source: string): boolean => CHANGES.test(source) || mayHaveFiles(source);
