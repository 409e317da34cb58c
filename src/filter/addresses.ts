/** Tests of addresses: IPv4 as one number, IPv6 as four, networks and ranges as intervals. */
import type { EventView } from '../flows/view.ts';
import { quote } from './errors.ts';
import { inIntervals } from './intervals.ts';
import { type Addresses, compareWords, parseAddresses } from './literals.ts';
import type { Test } from './operands.ts';
import { type Wanted, type WantedItem, wrong } from './wanted.ts';

function addressesOf(item: WantedItem, field: string): Addresses {
  const [low, high] = [item.from, item.to ?? item.from].map((text) => {
    const addresses = parseAddresses(text);
    if (addresses !== undefined) return addresses;
    throw wrong(
      item,
      `${quote(field)} is an address, and ${quote(text)} is neither address nor network.`,
      'write 10.0.0.1, 10.0.0.0/8, 2001:db8::/32; names are in "host"',
    );
  }) as [Addresses, Addresses];
  if (low.low.length !== high.low.length) throw wrong(item, 'The ends of the range are not of one family.', 'IPv4 and IPv6 do not mix');
  if (compareWords(low.low, high.high) > 0)
    throw wrong(item, `The range ${quote(`${item.from}..${item.to}`)} is empty.`, 'write the smaller end first');
  return { low: low.low, high: high.high };
}

/** A word as it lies in memory, as a number in network order. */
const swap32 = (word: number): number => ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;

/** @param word of the end that is asked, as `clientWord` of the view */
export function addressTest(word: (view: EventView, index: number) => number, { field, items }: Wanted): Test {
  const all = items.map((item) => addressesOf(item, field));
  const four = all.filter(({ low }) => low.length === 1).map(({ low, high }) => ({ low: low[0] as number, high: high[0] as number }));
  const six = all.filter(({ low }) => low.length === 4);
  const isFour = inIntervals(four);

  /** Order of an IPv6 end and an address. */
  const compare = (view: EventView, address: readonly number[]): number => {
    for (let i = 0; i < 4; i++) {
      const difference = swap32(word(view, i)) - (address[i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  const isSix = (view: EventView): boolean => {
    for (const { low, high } of six) if (compare(view, low) >= 0 && compare(view, high) <= 0) return true;
    return false;
  };
  return (view) => (view.isIpv6() ? isSix(view) : isFour(word(view, 0)));
}
