/** What the source of a script says of it before it runs: the fields that it reads, and whether it changes flows. Called once a version. */
import type { Field } from '../flows/fields.ts';
import { GETTERS } from './getters.ts';

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

/** A file of the script's own, which may do it in its place: `require` of anything but a literal name of ours, an import of `./…`. */
const REQUIRES = /\brequire\b(?:\s*\(?\s*(?:'([\w.]+)'|"([\w.]+)"))?/g;
const IMPORTS = /\bfrom\s*["']\.\.?\//;

/** May it set statuses or scores? Then captures are read in step with the scripts. @param modules names of the modules that are ours */
export function mayFeedBack(source: string, modules: ReadonlySet<string>): boolean {
  const requiresOwn = [...source.matchAll(REQUIRES)].some(([, single, double]) => !modules.has(single ?? double ?? ''));
  return requiresOwn || IMPORTS.test(source) || CHANGES.test(source);
}
