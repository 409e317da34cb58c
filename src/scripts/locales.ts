/**
 * Texts by key in the user's language: what `i18n` of the scripts, and titles of scripts, are looked up in.
 *
 *   locales/*.json, the user's LANGUAGE.json ──loadLocales──► Locales ──translator('de')──► Translate
 *
 * A file is a JSON object, nested or with dotted keys; `%{name}` in a text is a placeholder. English titles of statuses and types of
 * alerts (`statuses.NAME`, `alert_types.NAME`) come from their declarations.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STATUSES } from '../flows/statuses.ts';
import { ALERT_TYPES } from './alert-types.ts';

/** @returns the text of a dotted key with `%{name}` replaced from `params`; undefined when no locale has the key */
export type Translate = (key: string, params?: Readonly<Record<string, string | number>>) => string | undefined;

export interface Locales {
  /** Codes, sorted: `de`, `en`, `it` and what the user added. */
  readonly languages: readonly string[];
  /** Looks in `de-AT`, then `de`, then `en`. */
  translator(language: string): Translate;
}

type Texts = Map<string, string>;

const FALLBACK = 'en';
const OWN = fileURLToPath(new URL('locales/', import.meta.url));
const FILE = /^([a-z]{2,3}(?:[-_][a-z0-9]+)*)\.json$/i;

const codeOf = (language: string): string => language.toLowerCase().replaceAll('_', '-').replace(/\..*$/, '');

/** Puts the texts of a nested object under dotted keys. @throws Error about what is neither a text nor an object */
function flatten(value: unknown, prefix: string, into: Texts): void {
  if (typeof value === 'string') {
    into.set(prefix, value);
    return;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`'${prefix}' is not a text`);
  for (const [key, member] of Object.entries(value)) flatten(member, prefix === '' ? key : `${prefix}.${key}`, into);
}

/** `%{name}` from `params`; what is not there stays as it is. */
export const fill = (text: string, params: Readonly<Record<string, string | number>>): string =>
  text.replace(/%\{([\w.]+)\}/g, (whole, name: string) => (Object.hasOwn(params, name) ? String(params[name]) : whole));

/**
 * @param folders of the user's files, which win over ours; a later one over an earlier one
 * @param report takes a sentence about each file that cannot be used
 */
export function loadLocales(folders: readonly string[] = [], report: (text: string) => void = () => {}): Locales {
  const locales = new Map<string, Texts>();
  const of = (code: string): Texts => {
    const texts = locales.get(code) ?? new Map();
    locales.set(code, texts);
    return texts;
  };
  for (const { name, title } of STATUSES) of(FALLBACK).set(`statuses.${name}`, title);
  for (const { name, title } of ALERT_TYPES) of(FALLBACK).set(`alert_types.${name}`, title);

  for (const folder of [OWN, ...folders]) {
    let files: string[];
    try {
      files = readdirSync(folder).sort();
    } catch (error) {
      // A user who has no texts of their own has no folder for them.
      if (folder === OWN || (error as NodeJS.ErrnoException).code !== 'ENOENT') report(`locale files: ${(error as Error).message}`);
      continue;
    }
    for (const file of files) {
      const language = FILE.exec(file)?.[1];
      if (language === undefined) continue;
      const path = join(folder, file);
      try {
        const texts: Texts = new Map();
        flatten(JSON.parse(readFileSync(path, 'utf8')), '', texts);
        for (const [key, text] of texts) of(codeOf(language)).set(key, text);
      } catch (error) {
        report(`${path}: ${(error as Error).message}; the file is ignored`);
      }
    }
  }

  return {
    languages: [...locales.keys()].sort(),
    translator(language) {
      const code = codeOf(language);
      const chain = [code, code.replace(/-.*$/, ''), FALLBACK].flatMap((name) => locales.get(name) ?? []);
      return (key, params) => {
        const text = chain.find((texts) => texts.has(key))?.get(key);
        return text === undefined || params === undefined ? text : fill(text, params);
      };
    },
  };
}
