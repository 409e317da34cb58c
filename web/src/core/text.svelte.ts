/**
 * Texts of the pages in the reader's language, and words that the program has in its own locale files (names of states, callbacks,
 * severities). English is always there; the others come when they are asked for.
 */
import programEn from '../../../src/scripts/locales/en.json';
import en from '../text/en.json';
import { createFormats, type Formats } from './format.ts';
import { type Language, settings } from './settings.svelte.ts';

export type TextKey = keyof typeof en;
type Texts = Readonly<Record<string, string>>;
type Nested = { readonly [key: string]: string | Nested };

/** What the program declares in English: the key of a field, a preference or a setting → its words. */
type Declared = Readonly<Record<string, { readonly title?: string; readonly help?: string }>>;

interface Words {
  readonly language: Language;
  readonly pages: Texts;
  readonly program: Nested;
  readonly declared: Declared;
}

/** The English words of declarations are in the declarations. */
const ENGLISH: Words = { language: 'en', pages: en, program: programEn, declared: {} };

interface Loaded {
  readonly pages: { default: Texts };
  readonly program: { default: Nested };
  readonly declared: { default: Declared };
}
const LOADERS: Readonly<Record<Exclude<Language, 'en'>, () => Promise<Loaded>>> = {
  de: async () => ({
    pages: await import('../text/de.json'),
    program: await import('../../../src/scripts/locales/de.json'),
    declared: await import('../text/declared.de.json'),
  }),
  it: async () => ({
    pages: await import('../text/it.json'),
    program: await import('../../../src/scripts/locales/it.json'),
    declared: await import('../text/declared.it.json'),
  }),
};

let words = $state.raw<Words>(ENGLISH);
let formats = $state.raw<Formats>(createFormats('en'));

/** Called by the root of the page whenever the language is another one. */
export async function useLanguage(language: Language): Promise<void> {
  if (language === 'en') words = ENGLISH;
  else {
    const { pages, program, declared } = await LOADERS[language]();
    if (settings.language !== language) return;
    words = { language, pages: pages.default, program: program.default, declared: declared.default };
  }
  formats = createFormats(language);
}

type Params = Readonly<Record<string, string | number>>;

/** The text with `{name}` replaced; where `count` is 1, that of `KEY.one` if there is one. What the program has named and nobody has translated is shown as it is. */
export function t(key: TextKey, params: Params = {}): string {
  const text: string =
    (String(params.count) === '1' ? words.pages[`${key}.one`] : undefined) ??
    words.pages[key] ??
    en[key] ??
    key.slice(key.indexOf('.') + 1);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));
}

/** A word of the program: `states.on`; `otherwise` where its files have none. */
export function word(group: string, name: string, otherwise: string = name): string {
  for (const texts of [words.program, programEn as Nested]) {
    const of = texts[group];
    const found = typeof of === 'object' ? of[name] : undefined;
    if (typeof found === 'string') return found;
  }
  return otherwise;
}

/** Title of a field, or of something else that is declared. @param declared the English one */
export const fieldTitle = (key: string, declared?: string): string => words.declared[key]?.title ?? declared ?? key;

/** What it means. @param declared in English, shown where nobody has translated it */
export const fieldHelp = (key: string, declared = ''): string => words.declared[key]?.help ?? declared;

/** The formats of values in the language that is shown. */
export const f = {
  get language() {
    return words.language;
  },
  get now(): Formats {
    return formats;
  },
};
