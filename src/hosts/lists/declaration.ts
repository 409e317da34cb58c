/**
 * What a category list is: where it comes from, how it is written, and which category its entries get.
 *
 * Enters: the text of `--list` or `--blacklist`. Leaves: a ListSource. Called by the command line; everything in this folder uses the types.
 */
import { basename } from 'node:path';

/** Categories that lists are made for, with their numbers in nDPI (`ndpi_protocol_category_t`). */
export const CATEGORIES = {
  mining: 99,
  malware: 100,
  advertisement: 101,
  banned: 102,
  unavailable: 103,
  allowed: 104,
  antimalware: 105,
} as const;

export const LIST_FORMATS = ['ip', 'domain', 'hosts', 'ja3_suricata_csv', 'auto'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

export interface ListSource {
  /** Names the list in reports, and its cached copy: letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** 1 to 255. */
  readonly category: number;
  readonly format: ListFormat;
  /** Path of a file, or an http(s) URL. */
  readonly from: string;
}

/** A list that cannot be declared or read: a sentence, and what to do about it. */
export class ListError extends Error {
  /** `''` for none. */
  readonly hint: string;

  constructor(message: string, hint = '') {
    super(message);
    this.hint = hint;
  }
}

/** @returns whether the list is downloaded; everything else is the path of a file */
export const isUrl = (from: string): boolean => /^https?:\/\//i.test(from);

const NAMES = Object.keys(CATEGORIES).join(', ');
const FORMS = 'CATEGORY:FORMAT:SOURCE, CATEGORY:SOURCE or SOURCE';

/** The number of a category by its name or number, 0 if it is neither. */
function categoryNumber(text: string): number {
  const name = text.toLowerCase();
  if (Object.hasOwn(CATEGORIES, name)) return CATEGORIES[name as keyof typeof CATEGORIES];
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : 0;
}

/** Splits at the first colon, unless what stands before it looks like a part of a path or is the scheme of a URL. */
function field(text: string): { readonly first: string; readonly rest: string } | undefined {
  const colon = text.indexOf(':');
  const first = text.slice(0, Math.max(0, colon));
  return colon < 0 || isUrl(text) || /[./]/.test(first) ? undefined : { first, rest: text.slice(colon + 1) };
}

function nameOf(from: string): string {
  const url = isUrl(from) ? new URL(from) : undefined;
  const plain = url === undefined ? basename(from) : `${url.hostname}${url.pathname}`;
  const name = plain.replace(/\.(txt|csv|gz)$/i, '').replace(/[^A-Za-z0-9._-]+/g, '_');
  return name.replace(/^[._]+|_+$/g, '').slice(0, 100) || 'list';
}

function checkSource(from: string, text: string): void {
  if (from === '') throw new ListError(`'${text}' names no file and no URL`, `a list is ${FORMS}`);
  if (!isUrl(from)) {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(from)?.[1];
    if (scheme !== undefined)
      throw new ListError(`'${from}': lists are not read by ${scheme}`, 'give an http or https URL, or the path of a file');
    return;
  }
  if (!URL.canParse(from)) throw new ListError(`'${from}' is not a valid URL`);
  const { username, password } = new URL(from);
  if (username !== '' || password !== '') {
    throw new ListError('a URL with a user name or password is not supported', 'download the list yourself and give the file');
  }
}

/**
 * @param text `CATEGORY:FORMAT:SOURCE`, `CATEGORY:SOURCE` or `SOURCE` (malware, auto)
 * @throws ListError
 * @example parseListOption('mining:hosts:https://lists.example.org/miners.txt')
 */
export function parseListOption(text: string): ListSource {
  let from = text;
  let category: number = CATEGORIES.malware;
  let format: ListFormat = 'auto';
  const one = field(text);
  if (one !== undefined && !/^\/\//.test(one.rest)) {
    category = categoryNumber(one.first);
    if (category === 0) {
      const isFormat = (LIST_FORMATS as readonly string[]).includes(one.first);
      throw new ListError(
        `'${text}': '${one.first}' is not a category`,
        isFormat
          ? `the category comes first: malware:${text}`
          : `categories: ${NAMES}, or a number from 1 to 255; a file of that name: ./${text}`,
      );
    }
    from = one.rest;
    const two = field(from);
    if (two !== undefined && !/^\/\//.test(two.rest)) {
      const known = LIST_FORMATS.find((name) => name === two.first);
      if (known === undefined) {
        throw new ListError(
          `'${text}': '${two.first}' is not a format`,
          `formats: ${LIST_FORMATS.join(', ')}; a file of that name: ${one.first}:./${from}`,
        );
      }
      format = known;
      from = two.rest;
    }
  }
  checkSource(from, text);
  return { name: nameOf(from), category, format, from };
}
