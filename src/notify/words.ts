/** Alerts as text for people: lines of mails, of chats, of syslog. */
import { type Alert, SEVERITIES } from '../alerts/alert.ts';

/** Strongest first; of equals the oldest. */
export const byStrength = (alerts: readonly Alert[]): Alert[] =>
  [...alerts].sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || b.score - a.score || a.time - b.time);

/** `2026-01-01T00:00:00.000Z` of µs since 1970. */
export const momentOf = (us: number): string => new Date(us / 1000).toISOString();

/** `[error] Blacklisted: 10.0.0.1:50000 → 192.0.2.1:443 (TLS)` */
export const lineOf = ({ severity, title, description }: Alert): string => `[${severity}] ${title}: ${description}`;

/** Where the alert is shown. @param page address of the pages, '' = nobody has said */
export const linkOf = ({ id }: Alert, page: string): string => (page === '' ? '' : `${page.replace(/\/+$/, '')}/alerts/${id}`);

/** Name and value of what else is worth saying. */
export const factsOf = (alert: Alert): [name: string, value: string][] => [
  ['time', momentOf(alert.time)],
  ['interface', alert.interface],
  ['script', alert.version === '' ? alert.script : `${alert.script} (${alert.version})`],
  ['type', alert.type],
  ['score', String(alert.score)],
  ['flow', String(alert.flow['flow.id'] ?? '')],
  ...Object.entries(alert.reason).map(([key, value]): [string, string] => [
    key,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]),
];
