/** What a reader has chosen for this browser: kept in its local storage. */

export const LANGUAGES = ['en', 'it', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

interface Settings {
  language: Language;
  theme: Theme;
  /** Name of the interface that is looked at, '' = all. */
  interface: string;
  /** Keys of the columns of the table of flows, in their order; empty = as declared. */
  columns: readonly string[];
}

const KEY = 'flowpatrol';

const own = (): Language => {
  const wanted = navigator.languages.map((language) => language.slice(0, 2));
  return wanted.map((code) => LANGUAGES.find((known) => known === code)).find((code) => code !== undefined) ?? 'en';
};

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>;
  } catch {
    return {};
  }
}

export const settings: Settings = $state({ language: own(), theme: 'system', interface: '', columns: [], ...stored() });

/** Keeps changes and shows the theme; called once, by the root of the page. */
export function keepSettings(): void {
  $effect(() => {
    const text = JSON.stringify(settings);
    try {
      localStorage.setItem(KEY, text);
    } catch {
      // a browser that keeps nothing: the choice holds until the page is closed
    }
  });
  $effect(() => {
    const { theme, language } = settings;
    const root = document.documentElement;
    if (theme === 'system') root.removeAttribute('data-theme');
    else root.dataset.theme = theme;
    root.lang = language;
  });
}
