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

interface Words {
  readonly language: Language;
  readonly pages: Texts;
  readonly program: Nested;
}

const ENGLISH: Words = { language: 'en', pages: en, program: programEn };

const LOADERS: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ pages: { default: Texts }; program: { default: Nested } }>>> = {
  de: async () => ({ pages: await import('../text/de.json'), program: await import('../../../src/scripts/locales/de.json') }),
  it: async () => ({ pages: await import('../text/it.json'), program: await import('../../../src/scripts/locales/it.json') }),
};

let words = $state.raw<Words>(ENGLISH);
let formats = $state.raw<Formats>(createFormats('en'));

/** Called by the root of the page whenever the language is another one. */
export async function useLanguage(language: Language): Promise<void> {
  if (language === 'en') words = ENGLISH;
  else {
    const { pages, program } = await LOADERS[language]();
    if (settings.language !== language) return;
    words = { language, pages: pages.default, program: program.default };
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

/** The formats of values in the language that is shown. */
export const f = {
  get language() {
    return words.language;
  },
  get now(): Formats {
    return formats;
  },
};
