/** Which fields are read from the book of hosts: found by reading each of them once, with a book that notices. */
import { NO_NAMES } from '../filter/objects.ts';
import { EMPTY_BOOK, type HostBook } from '../hosts/book.ts';
import { E_DETAIL } from './event.ts';
import { FIELDS } from './fields.ts';
import { createEventView } from './view.ts';

let known: ReadonlySet<string> | undefined;

function find(): ReadonlySet<string> {
  const found = new Set<string>();
  let asked = false;
  const noticing: HostBook = {
    facts(bytes, at, ipv6) {
      asked = true;
      return EMPTY_BOOK.facts(bytes, at, ipv6);
    },
    pool(bytes, at, ipv6, mac) {
      asked = true;
      return EMPTY_BOOK.pool(bytes, at, ipv6, mac);
    },
    vendor(bytes, mac) {
      asked = true;
      return EMPTY_BOOK.vendor(bytes, mac);
    },
  };
  const view = createEventView(NO_NAMES, noticing);
  view.set(new Uint8Array(E_DETAIL), 0);
  for (const field of FIELDS) {
    asked = false;
    field.read(view);
    if (asked) found.add(field.key);
  }
  return found;
}

/** Is the field with this key read from the book of hosts? */
export const asksBook = (key: string): boolean => (known ??= find()).has(key);
