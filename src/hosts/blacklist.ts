/**
 * Blacklists: files with one address, network or host name a line; `#` begins a comment, `hosts` lines
 * (`127.0.0.1 bad.example.org`) count by their second word. A name also matches its sub-domains.
 */
import { readFileSync } from 'node:fs';
import { createPrefixSet, type PrefixSet } from './prefixes.ts';

export interface Blacklist {
  readonly addresses: PrefixSet;
  /** @param name host name in any case */
  matchesName(name: string): boolean;
  readonly names: number;
  /** Lines that were neither an address, a network nor a name: `file:line: text`. */
  readonly rejected: readonly string[];
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/;
const IGNORED = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0']);

/** @throws when a file cannot be read */
export function readBlacklists(files: readonly string[]): Blacklist {
  const addresses = createPrefixSet();
  const names = new Set<string>();
  const rejected: string[] = [];
  for (const file of files) {
    for (const [number, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      const words = line.replace(/#.*$/, '').trim().split(/\s+/);
      const word = (words.length === 2 ? words[1] : words[0]) ?? '';
      if (word === '' || IGNORED.has(word)) continue;
      if (words.length > 2) rejected.push(`${file}:${number + 1}: ${line.trim()}`);
      else if (addresses.add(word)) continue;
      else if (HOST_NAME.test(word.toLowerCase())) names.add(word.toLowerCase().replace(/\.$/, ''));
      else rejected.push(`${file}:${number + 1}: ${line.trim()}`);
    }
  }
  return {
    addresses,
    names: names.size,
    rejected,
    matchesName(name) {
      let rest = name.toLowerCase().replace(/\.$/, '');
      while (names.size > 0 && rest !== '') {
        if (names.has(rest)) return true;
        const dot = rest.indexOf('.');
        if (dot < 0) break;
        rest = rest.slice(dot + 1);
      }
      return false;
    },
  };
}
