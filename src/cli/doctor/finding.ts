/** What the doctor says of one thing. Findings are made by the checks of this folder and shown by report.ts. */

/** All checks in the order in which they run; docs/guides/doctor.md explains each. */
export const CHECKS = [
  'node',
  'addon',
  'libpcap',
  'ndpi',
  'gzip',
  'rights',
  'interface',
  'capture',
  'offloads',
  'ring',
  'queues',
  'drops',
  'udp-buffer',
  'huge-pages',
  'memory',
  'processor',
  'open-files',
  'clock',
  'clock-source',
  'time-zone',
  'data-dir',
  'exports',
  'scripts',
  'lists',
  'geo',
] as const;
export type Check = (typeof CHECKS)[number];

/** `hint`: it works, but not as well as it could. `problem`: the run that was asked about would fail. */
export type Level = 'ok' | 'hint' | 'problem';

export interface Finding {
  readonly check: Check;
  readonly level: Level;
  /** One sentence without a full stop. */
  readonly what: string;
  /** Commands to type or options to give, one a line; `''` for none. */
  readonly todo: string;
}

export const ok = (check: Check, what: string): Finding => ({ check, level: 'ok', what, todo: '' });
export const hint = (check: Check, what: string, todo: string): Finding => ({ check, level: 'hint', what, todo });
export const problem = (check: Check, what: string, todo: string): Finding => ({ check, level: 'problem', what, todo });
