/** The options of the commands that show something (`flows`, `top`, `prefs`, `doctor`), declared as those of a run are. */
import { MOST_FLOWS } from '../flows/selection.ts';
import { integerOption, last, notEmpty, type OptionOf } from './options.ts';

export interface ViewOptions {
  /** In the filter language. */
  readonly filter: string;
  /** As given: a key or a short name. */
  readonly sort: string;
  /** Smallest first. */
  readonly reverse: boolean;
  readonly limit: number;
  /** As given; none = those that fit. */
  readonly columns: readonly string[];
  /** Nothing is cut. */
  readonly wide: boolean;
  readonly json: boolean;
  /** One table instead of a live one. */
  readonly once: boolean;
  /** Messages that could not be read, too. */
  readonly samples: boolean;
  /** Seconds between two tables. */
  readonly interval: number;
}

export const DEFAULT_VIEW: ViewOptions = {
  filter: '',
  sort: 'bytes',
  reverse: false,
  limit: 100,
  columns: [],
  wide: false,
  json: false,
  once: false,
  samples: false,
  interval: 2,
};

type Declaration = OptionOf<ViewOptions>;
type Declared = Omit<Declaration, 'default' | 'read' | 'group'>;

const flag = (key: 'reverse' | 'wide' | 'json' | 'once' | 'samples', declared: Declared): Declaration => ({
  ...declared,
  group: 'Table',
  default: '',
  read: () => ({ [key]: true }),
});

export const VIEW_OPTIONS: readonly Declaration[] = [
  {
    name: 'filter',
    value: 'FILTER',
    group: 'Table',
    help: 'only flows that match',
    more: 'The language stands in [the guide to filters](../guides/filters.md).',
    default: '',
    read: (texts) => ({ filter: last(texts).trim() }),
  },
  {
    name: 'sort',
    value: 'FIELD',
    group: 'Table',
    help: 'largest first by this field',
    more: 'A [key of a flow](../reference/flow-info.md) or a short name of the filter language. What has no value comes last.',
    default: DEFAULT_VIEW.sort,
    read: (texts, name) => ({ sort: notEmpty(last(texts).trim(), name) }),
  },
  flag('reverse', { name: 'reverse', help: 'smallest first' }),
  integerOption<ViewOptions>({ from: 1, to: MOST_FLOWS, fallback: DEFAULT_VIEW.limit }, (limit) => ({ limit }), {
    name: 'limit',
    short: 'n',
    value: 'N',
    group: 'Table',
    help: 'most flows shown',
  }),
  {
    name: 'columns',
    value: 'FIELDS',
    group: 'Table',
    help: 'fields to show, comma separated',
    more: 'Without it those that fit the terminal.',
    default: '',
    read: (texts, name) => ({
      columns: notEmpty(last(texts), name)
        .split(',')
        .map((text) => text.trim())
        .filter((text) => text !== ''),
    }),
  },
  flag('wide', { name: 'wide', help: 'cut nothing, however wide' }),
  flag('json', { name: 'json', more: 'As the programming interface has it.', help: 'JSON' }),
  flag('samples', {
    name: 'samples',
    help: 'also messages that could not be read',
    more: 'The last of each reason, in hexadecimal, as probes and exporters sent it.',
  }),
  flag('once', { name: 'once', help: 'print one table and end' }),
  integerOption<ViewOptions>({ from: 1, to: 3600, fallback: DEFAULT_VIEW.interval }, (interval) => ({ interval }), {
    name: 'interval',
    value: 'SECONDS',
    group: 'Table',
    help: 'time between two tables',
  }),
];
