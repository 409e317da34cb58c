/**
 * An alert: the one shape of it, in the store, the programming interface, the pages, notifications and `--export-alerts`.
 *
 *   script host, core ──RaisedFlowAlert──► intake (exclusions, de-duplication, limits) ──Alert──► store, streams, notifications
 */
import type { FieldValue } from '../flows/fields.ts';

/** Version of {@link Alert}; grows when a member changes its meaning. */
export const ALERT_VERSION = 2;

/** From weak to strong: the severities of 4.2, to which those of 2019 (info, warning, error) are mapped by name. */
export const SEVERITIES = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Score of an alert whose script gave none. */
export const SEVERITY_SCORES: Readonly<Record<Severity, number>> = {
  debug: 0,
  info: 10,
  notice: 20,
  warning: 50,
  error: 100,
  critical: 200,
  alert: 300,
  emergency: 500,
};

/** Key that stands for the core where alerts name their script. */
export const CORE = 'core';

export const ALERT_STATES = ['new', 'acknowledged', 'closed'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** What a script or the core says about a flow at a callback; plain data, proper text (no Latin-1 form). Made in the script host. */
export interface RaisedFlowAlert {
  /** Where it is written before it is taken in (`--export-alerts`): its id there, which it keeps if it becomes an {@link Alert}. */
  readonly id?: string;
  /** µs since 1970: the visit's time. */
  readonly time: number;
  /** As given to `-i`. */
  readonly interface: string;
  /** Name in src/scripts/alert-types.ts, or the number of a type without one. */
  readonly type: string;
  readonly severity: Severity;
  /** 0 to 1000. */
  readonly score: number;
  /** Key of the script; {@link CORE} for the core's. */
  readonly script: string;
  /** Hash of its version; '' for the core. */
  readonly version: string;
  /** '' for the core. */
  readonly callback: string;
  readonly visit: number;
  /** Status bitmaps, exact below 2^53. */
  readonly statusBefore: number;
  readonly status: number;
  /** Id of the status that it was raised for; -1 = none. */
  readonly forStatus: number;
  /** All fields of the flow at that moment: the keys of `info`. */
  readonly flow: Readonly<Record<string, FieldValue>>;
  /** What the script gave with it: JSON, or a text. */
  readonly info?: unknown;
  /** Values of the fields that the script is known to read. */
  readonly reason: Readonly<Record<string, FieldValue>>;
  /** The script runs in shadow: recorded, told to nobody. */
  readonly shadow: boolean;
}

export interface Alert extends RaisedFlowAlert {
  readonly schema: typeof ALERT_VERSION;
  /** Unique over interfaces and restarts; sorts by the time of its making. */
  readonly id: string;
  /** Localised, in the language of the run. */
  readonly title: string;
  readonly description: string;
  /** Alerts that it stands for: the same script, type, endpoints and protocol within the window. */
  readonly count: number;
  /** Of the first and the last of them, µs since 1970; `time` is the first. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Traffic of their flows, both directions; `flow` is the first one, as it was then. */
  readonly bytes: number;
  readonly packets: number;
  /** The flow has a stronger one. */
  readonly secondary: boolean;
  readonly state: AlertState;
  /** Who has acknowledged or closed it, '' = nobody; and what they said. */
  readonly by: string;
  readonly comment: string;
  /** When they did, µs since 1970 by the wall clock; 0 = never. */
  readonly changed: number;
}
