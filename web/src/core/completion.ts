/** Completion of filters: the text and where the cursor stands in, what may stand there out. Pure. */
import type { Declarations } from './api.ts';

export interface Completion {
  readonly text: string;
  readonly help: string;
}

type Filtered = Declarations['filterNames'][number]['of'][number];

const JOIN = ['and', 'or', 'not'] as const;
const MOST = 12;

/** The word that ends at the cursor. */
export const wordAt = (text: string, cursor: number): string => /[\w.:-]*$/.exec(text.slice(0, cursor))?.[0] ?? '';

export function completions(text: string, cursor: number, declared: Declarations | undefined, of: Filtered = 'flows'): Completion[] {
  if (declared === undefined) return [];
  const names = declared.filterNames.filter((each) => each.of.includes(of));
  const typed = wordAt(text, cursor);
  const before = text.slice(0, cursor - typed.length).trimEnd();
  const named = (offered: readonly Completion[]): Completion[] => {
    const wanted = typed.toLowerCase();
    const starts = offered.filter((name) => name.text.toLowerCase().startsWith(wanted));
    const holds = offered.filter((name) => wanted.length > 1 && !starts.includes(name) && name.text.toLowerCase().includes(wanted));
    return [...starts, ...holds].filter((name) => name.text !== typed).slice(0, MOST);
  };
  const plain = (words: readonly string[]): Completion[] => words.map((text) => ({ text, help: '' }));

  if (/\bstatus\s*(==|!=)$/.test(before))
    return named(declared.statuses.map(({ name, title }) => ({ text: name.replace(/^status_/, ''), help: title })));
  if (/\bseverity\s*(==|!=|<|<=|>|>=)$/.test(before)) return named(plain(declared.severities));
  if (/\btype\s*(==|!=)$/.test(before)) return named(plain(declared.alertTypes));
  if (/(==|!=|<|>|<=|>=|\bcontains|\bmatches|\bin)$/i.test(before)) return [];
  const inName = before === '' || /(\band|\bor|\bnot|\(|!|&&|\|\|)$/i.test(before);
  if (inName) return named([...names.map(({ name, doc }) => ({ text: name, help: doc })), ...plain(['not'])]);
  if (/(==|!=|<|>|<=|>=|\bcontains|\bmatches|\bin)\s*\S+$/i.test(before)) return named(plain(JOIN));
  const asked = wordAt(before, before.length).toLowerCase();
  const type = names.find(({ name }) => name.toLowerCase() === asked)?.type;
  return named(plain([...((type && declared.filterOperators[type]) ?? []), ...JOIN]));
}
