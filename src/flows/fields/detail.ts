/** How fields read the detail block of a flow: by the protocol that owns them, and as what JSON has. */
import type { DetailName, EventView, KnownProtocol } from '../view.ts';
import { type Declared, type FieldValue, int, string } from './field.ts';

type More = Parameters<typeof string>[3];

/** A number of the detail block as an integer. */
export const whole = (view: EventView, detail: DetailName): number | undefined => {
  const value = view.number(detail);
  return Number.isSafeInteger(value) ? value : undefined;
};

/** CN of a distinguished name as nDPI writes it: `C=IT, O=Example, CN=www.example.org`. */
export const commonName = (name: string | undefined): string | undefined => /(?:^|, ?)CN=([^,]+)/.exec(name ?? '')?.[1];

/** A field that is a detail's text. */
export const textField = (key: string, doc: string, detail: DetailName, more: More = {}): Declared =>
  string(key, doc, (view) => view.text(detail), { when: 'known', ...more });

/** A field that is a detail's number. */
export const wholeField = (key: string, doc: string, detail: DetailName, more: More = {}): Declared =>
  int(key, doc, (view) => whole(view, detail), { when: 'known', ...more });

/** Fields of flows of one of these protocols. */
export const of = (protocols: KnownProtocol | readonly KnownProtocol[], fields: readonly Declared[]): Declared[] => {
  const list = typeof protocols === 'string' ? [protocols] : protocols;
  const when = list.join(', ');
  return fields.map((field) => ({
    ...field,
    when: field.when === undefined ? when : `${when}, ${field.when}`,
    read: (view): FieldValue | undefined => (list.some((protocol) => view.is(protocol)) ? field.read(view) : undefined),
  }));
};
