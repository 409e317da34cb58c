/**
 * Title and description of an alert in the user's language: RaisedFlowAlert in, two lines out. Called by the intake.
 *
 * Titles are those of statuses and alert types (src/scripts/locales); what is ours beside them lies in `locales/`.
 */
import { fileURLToPath } from 'node:url';
import type { FieldValue } from '../flows/fields.ts';
import { statusById } from '../flows/statuses.ts';
import { loadLocales, type Translate } from '../scripts/locales.ts';
import type { RaisedFlowAlert } from './alert.ts';

export interface Words {
  readonly title: string;
  /** One line: why, and who with whom. */
  readonly description: string;
}

const OWN = fileURLToPath(new URL('locales/', import.meta.url));
/** Values that a description names. */
const MOST_VALUES = 6;
const LONGEST_VALUE = 120;
const LONGEST_DESCRIPTION = 500;

/** @param folders of the user's own texts (DATA/locales) */
export const alertTranslator = (language: string, folders: readonly string[] = []): Translate =>
  loadLocales([OWN, ...folders]).translator(language);

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** What is one line on a terminal, in a mail's subject and in a log: no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const oneLine = (text: string): string => text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim();

/** `10.0.0.1:443`, `[2001:db8::1]:443`, without ports the address alone. */
export function endOf(flow: RaisedFlowAlert['flow'], end: 'cli' | 'srv'): string {
  const address = String(flow[`${end}.ip`] ?? '');
  const port = flow[`${end}.port`];
  if (port === undefined || port === 0) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function wordsOf(alert: RaisedFlowAlert, translate: Translate): Words {
  const say = (key: string, params: Readonly<Record<string, string | number>> = {}): string => translate(key, params) ?? key;
  const { flow, info, reason, type, forStatus } = alert;

  const status = forStatus > 0 ? statusById.get(forStatus)?.name : undefined;
  const title =
    (status === undefined ? undefined : translate(`statuses.${status}`)) ??
    translate(`alert_types.${type}`) ??
    say('alerts.title', { type });

  const value = (of: unknown): string => {
    if (typeof of === 'boolean') return say(`alerts.${of}`);
    return cut(typeof of === 'object' ? JSON.stringify(of) : String(of), LONGEST_VALUE);
  };
  const pairs = (of: Readonly<Record<string, unknown>>): string => {
    const entries = Object.entries(of);
    const named = entries.slice(0, MOST_VALUES).map(([key, each]) => `${key} ${value(each)}`);
    const more = entries.length - named.length;
    return [...named, ...(more > 0 ? [say('alerts.more', { count: more })] : [])].join(', ');
  };
  const given = (): string => {
    if (typeof info === 'string') return info;
    // what the core gives explains statuses to programs; its reasons are for people
    return typeof info === 'object' && info !== null && alert.callback !== '' ? pairs(info as Record<string, FieldValue>) : '';
  };
  const why = given() || pairs(reason);
  const between = say('alerts.between', {
    client: endOf(flow, 'cli'),
    server: endOf(flow, 'srv'),
    protocol: String(flow['proto.ndpi'] ?? flow['proto.l4'] ?? ''),
  });
  const description = why === '' ? between : say('alerts.why', { between, why });
  return { title: cut(oneLine(title), LONGEST_VALUE), description: cut(oneLine(description), LONGEST_DESCRIPTION) };
}
