/** Values that have names: protocols, categories, statuses, risks. */

import { protocolPairName } from '../dpi/names.ts';
import { l4Name } from '../flows/fields/protocols.ts';
import { STATUSES } from '../flows/statuses.ts';
import type { EventView } from '../flows/view.ts';
import type { Bits, Naming } from './operands.ts';

const PAIR = 2 ** 16;

/** Names of the pair, and of its known halves: `TLS.Google`, `TLS`, `Google`. */
export const PROTOCOL: Naming = {
  key: (view) => view.master() * PAIR + view.application(),
  labels(key, { protocols }) {
    const [master, application] = [Math.floor(key / PAIR), key % PAIR];
    const halves = [master, application].filter((id) => id !== 0);
    return [protocolPairName(protocols, master, application), ...halves.map((id) => protocolPairName(protocols, 0, id))];
  },
  known: ({ protocols }) => protocols,
};

/** l4Name asks the view for the number alone. */
const l4Labels = (id: number): string[] => [l4Name({ l4: () => id } as EventView), String(id)];
const L4_NAMES: readonly string[] = Array.from({ length: 256 }, (_, id) => l4Labels(id)).flat();
export const L4: Naming = { key: (view) => view.l4(), labels: l4Labels, known: () => L4_NAMES };

export const CATEGORY: Naming = {
  key: (view) => view.category(),
  labels: (key, { categories }) => [categories[key] ?? 'Unspecified'],
  known: ({ categories }) => (categories.length === 0 ? [] : [...categories, 'Unspecified']),
};

export const BREED: Naming = {
  key: (view) => (view.hasDetail() ? view.breed() : -1),
  labels: (key, { breeds }) => [breeds[key] ?? 'Unrated'],
  known: ({ breeds }) => (breeds.length === 0 ? [] : [...breeds, 'Unrated']),
};

const STATUS_LABELS: readonly (readonly string[])[] = Array.from({ length: 64 }, (_, bit) =>
  STATUSES.filter((status) => status.id === bit && bit !== 0).flatMap(({ name, title }) => [name.replace(/^status_/, ''), name, title]),
);

/** Names as in `status_blacklisted`, with or without the prefix, and titles. Bit 0 is never set: it is the name of none. */
export const STATUS: Bits = {
  low: (view) => view.statusLow(),
  high: (view) => view.statusHigh(),
  labels: () => STATUS_LABELS,
  none: 'normal',
};

export const RISK: Bits = {
  low: (view) => view.risksLow(),
  high: (view) => view.risksHigh(),
  labels: ({ risks }) => Array.from({ length: 64 }, (_, bit) => [risks[bit] ?? String(bit)]),
};
