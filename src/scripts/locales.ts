/** Texts by key in the user's language: what `i18n` of the scripts, and titles of scripts, are looked up in. */

/** @returns the text of a dotted key with `%{name}` replaced from `params`; undefined when no locale has the key */
export type Translate = (key: string, params?: Readonly<Record<string, string | number>>) => string | undefined;
