/** What becomes of alerts, counted: `raised` is the sum of the others but `stored`. Declared once, kept by the intake per interface. */
export const ALERT_COUNTERS = [
  { name: 'raised', help: 'alerts that scripts and the core raised', loss: false },
  { name: 'shown', help: 'alerts that were new', loss: false },
  { name: 'merged', help: 'alerts that were counted on one like them', loss: false },
  { name: 'excluded', help: 'alerts that an exclusion kept away', loss: false },
  { name: 'suppressed', help: 'alerts within the suppression window after one of the same script, type and client', loss: false },
  { name: 'limited', help: 'alerts beyond the limit per host (alert_host_limit)', loss: true },
  { name: 'dropped', help: 'alerts that there was no room for: the store was too slow, or failed', loss: true },
] as const;

export type AlertCounter = (typeof ALERT_COUNTERS)[number]['name'];
export type AlertCounts = Readonly<Record<AlertCounter, number>>;

export const noAlerts = (): Record<AlertCounter, number> =>
  Object.fromEntries(ALERT_COUNTERS.map(({ name }) => [name, 0])) as Record<AlertCounter, number>;
