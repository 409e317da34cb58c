/** The right side of a comparison, on its way from the parser to a test; and the errors that point into it. */
import { FilterError, quote, type Span } from './errors.ts';
import type { Interval } from './literals.ts';
import type { Operator } from './operands.ts';

export interface WantedItem {
  readonly from: string;
  /** There is one: a range. */
  readonly to?: string;
  readonly at: Span;
}

/** The right side of a comparison. */
export interface Wanted {
  /** The left side as it was written, for messages. */
  readonly field: string;
  /** `in` is `==` with several items; `!=` is made of `==` by the caller. */
  readonly op: Exclude<Operator, '!=' | 'in'>;
  readonly items: readonly WantedItem[];
}

/** The value does not fit the field. */
export const wrong = ({ at }: WantedItem, message: string, hint = ''): FilterError => new FilterError('wrong-value', message, at, hint);

export const onlyItem = ({ items }: Wanted): WantedItem => items[0] as WantedItem;

/** The numbers that an item stands for. @param parse undefined for a text that is no number of the field's kind */
export function interval(item: WantedItem, parse: (text: string) => number | undefined, complain: (text: string) => FilterError): Interval {
  const [low, high] = [item.from, item.to ?? item.from].map((text) => {
    const number = parse(text);
    if (number === undefined) throw complain(text);
    return number;
  }) as [number, number];
  if (low > high) throw wrong(item, `The range ${quote(`${item.from}..${item.to}`)} is empty.`, 'write the smaller end first');
  return { low, high };
}

/** The text of an item that is no range. */
export const noRange = (item: WantedItem, words: string): string => {
  if (item.to !== undefined) throw wrong(item, `A range does not go with ${words}.`, 'put a text that has dots like these in quotes');
  return item.from;
};
