/** Tests of values that have names (names.ts): protocols by their numbers, statuses and risks by their bits. */
import type { Names } from '../flows/view.ts';
import { didYouMean, FilterError, quote } from './errors.ts';
import type { Bits, Naming, Test } from './operands.ts';
import { fold, remembered, textTest } from './texts.ts';
import { noRange, type Wanted, type WantedItem } from './wanted.ts';

/** Names must exist, where it is known which do: what is misspelt would match nothing, and say nothing. */
function checkName(item: WantedItem, field: string, known: readonly string[]): void {
  const text = fold(noRange(item, `${quote(field)}, which has names`));
  if (known.length === 0 || known.some((name) => fold(name) === text)) return;
  const hint = didYouMean(item.from, known) || `${field} contains "…" looks for a part of a name`;
  throw new FilterError('unknown-name', `${quote(field)} has no value ${quote(item.from)}.`, item.at, hint);
}

/** `Master.App` is known if both halves are. */
const halves = (item: WantedItem, known: readonly string[]): WantedItem[] => {
  const names = new Set(known.map(fold));
  for (let dot = item.from.indexOf('.'); dot > 0; dot = item.from.indexOf('.', dot + 1)) {
    const [master, app] = [item.from.slice(0, dot), item.from.slice(dot + 1)];
    if (names.has(fold(master)) || names.has(fold(app))) return [master, app].map((from) => ({ from, at: item.at }));
  }
  return [item];
};

export function nameTest(naming: Naming, wanted: Wanted, names: Names): Test {
  if (wanted.op === '==') {
    const known = naming.known(names);
    const isKnown = (item: WantedItem): boolean => known.some((name) => fold(name) === fold(item.from));
    for (const item of wanted.items) for (const part of isKnown(item) ? [item] : halves(item, known)) checkName(part, wanted.field, known);
  }
  const test = textTest(wanted);
  const isWanted = remembered((key) => naming.labels(key, names).some(test));
  return (view) => isWanted(naming.key(view));
}

/** The bits that are wanted become two masks. Numbers are names only where the whole name is given. */
export function bitsTest(bits: Bits, wanted: Wanted, names: Names): Test {
  const isWhole = wanted.op === '==';
  const labels = bits.labels(names).map((own, bit) => (isWhole ? [...own, String(bit)] : own));
  const none = bits.none === undefined ? [] : isWhole ? [bits.none, '0'] : [bits.none];
  if (isWhole) for (const item of wanted.items) checkName(item, wanted.field, [...none, ...labels.flat()]);

  const test = textTest(wanted);
  let low = 0;
  let high = 0;
  for (const [bit, own] of labels.entries()) {
    if (!own.some(test)) continue;
    if (bit < 32) low |= 1 << bit;
    else high |= 1 << (bit & 31);
  }
  const isSet: Test = (view) => ((bits.low(view) & low) | (bits.high(view) & high)) !== 0;
  return none.some(test) ? (view) => isSet(view) || (bits.low(view) === 0 && bits.high(view) === 0) : isSet;
}
