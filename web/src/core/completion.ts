/** Completion of filters: the text and where the cursor stands in, what may stand there out. Pure. */
import type { Declarations } from './api.ts';

export interface Completion {
  readonly text: string;
  readonly help: string;
}

/** Names beside the fields: short ones of the filter language, and members of alerts. */
const SHORT = [
  'ip',
  'client',
  'server',
  'port',
  'host',
  'network',
  'country',
  'proto',
  'l4',
  'category',
  'status',
  'risk',
  'alerted',
] as const;
const OF_ALERTS = ['script', 'type', 'severity', 'score', 'domain', 'direction', 'interface', 'state', 'shadow', 'count'] as const;
const JOIN = ['and', 'or', 'not'] as const;
const OPERATORS = ['==', '!=', '<', '<=', '>', '>=', 'contains', 'in'] as const;
const MOST = 12;

/** The word that ends at the cursor. */
export const wordAt = (text: string, cursor: number): string => /[\w.:-]*$/.exec(text.slice(0, cursor))?.[0] ?? '';

export function completions(text: string, cursor: number, declared: Declarations | undefined, alerts = false): Completion[] {
  if (declared === undefined) return [];
  const typed = wordAt(text, cursor);
  const before = text.slice(0, cursor - typed.length).trimEnd();
  const named = (names: readonly Completion[]): Completion[] => {
    const wanted = typed.toLowerCase();
    const starts = names.filter((name) => name.text.toLowerCase().startsWith(wanted));
    const holds = names.filter((name) => wanted.length > 1 && !starts.includes(name) && name.text.toLowerCase().includes(wanted));
    return [...starts, ...holds].filter((name) => name.text !== typed).slice(0, MOST);
  };
  const plain = (names: readonly string[]): Completion[] => names.map((name) => ({ text: name, help: '' }));

  if (/\bstatus\s*(==|!=)$/.test(before))
    return named(declared.statuses.map(({ name, title }) => ({ text: name.replace(/^status_/, ''), help: title })));
  if (/\bseverity\s*(==|!=|<|<=|>|>=)$/.test(before)) return named(plain(declared.severities));
  if (/\btype\s*(==|!=)$/.test(before)) return named(plain(declared.alertTypes));
  if (/(==|!=|<|>|<=|>=|contains|in)$/.test(before)) return [];
  const inName = before === '' || /(\band|\bor|\bnot|\(|!|&&|\|\|)$/i.test(before);
  if (!inName) return named(plain(/(==|!=|<|>|<=|>=|contains|in)\s*\S+$/.test(before) ? JOIN : OPERATORS));
  return named([
    ...plain(alerts ? OF_ALERTS : []),
    ...plain(SHORT),
    ...declared.fields.map(({ key, doc }) => ({ text: key, help: doc })),
    ...plain(['not']),
  ]);
}
