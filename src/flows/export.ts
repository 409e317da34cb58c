/**
 * JSON lines of flows, events and alerts: an EventView in, one line of text (without its end) out. Called by the script host.
 *
 * Values in Latin-1 form become proper text: valid UTF-8 is read as UTF-8, everything else as Latin-1.
 */
import { isUtf8 } from 'node:buffer';
import type { Callback } from './event.ts';
import { l4Name, ndpiName } from './fields/protocols.ts';
import { statusInfoOf } from './fields/state.ts';
import { FIELDS, type FieldValue } from './fields.ts';
import { FACT_IDS_SEVERE, R_FACTS } from './record.ts';
import { type Status, statusById } from './statuses.ts';
import type { EventView } from './view.ts';

/** Version of the alert lines. */
export const ALERT_SCHEMA = 1;

/** An alert of an IDS with its highest severity is an error. */
const STATUS_IDS = 21;

/** What a script raised about a flow. Texts are in Latin-1 form, but for the key of the script. */
export interface Alert {
  readonly script: string;
  /** Hash of the script's version. */
  readonly version?: string;
  /** It would have been raised: the script runs in shadow. */
  readonly shadow?: boolean;
  readonly callback: Callback;
  readonly alertType: number;
  /** Absent for a number without a name. */
  readonly alertTypeName?: string;
  readonly severity: number;
  readonly severityName?: string;
  readonly score?: number;
  /** Id of the status that it was raised for. */
  readonly status?: number;
  /** JSON text; what is no JSON becomes a string. */
  readonly info?: string;
  /** What the script read of the flow, as far as its source says it. */
  readonly reason?: Readonly<Record<string, FieldValue>>;
}

/** Proper text of a string in Latin-1 form. */
export function properText(latin1: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII with its control characters
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

/** A JSON string of a string in Latin-1 form. */
const quoted = (latin1: string): string => (/^[ !#-[\]-~]*$/.test(latin1) ? `"${latin1}"` : JSON.stringify(properText(latin1)));

/** JSON of a field's value; numbers as short as they read back the same. */
function json(value: FieldValue): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  let text = '{';
  for (const key in value) text += `${text === '{' ? '' : ','}${quoted(key)}:${json(value[key] as FieldValue)}`;
  return `${text}}`;
}

const LABELS = FIELDS.map((field) => `${quoted(field.key)}:`);

/** The members of `info` that the flow has, in the order of their declaration. */
function members(view: EventView): string {
  let text = '';
  for (let i = 0; i < FIELDS.length; i++) {
    const value = (FIELDS[i] as (typeof FIELDS)[number]).read(view);
    if (value === undefined) continue;
    text += (text === '' ? '' : ',') + (LABELS[i] as string) + json(value);
  }
  return text;
}

/** Seconds since 1970 with six decimals, exact: the microseconds are not divided. */
function secondsOf(us: number): string {
  if (!Number.isSafeInteger(us) || us < 0) return '0';
  return `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
}

const interfaceOf = (view: EventView): string => JSON.stringify(view.names.interfaceName);

/** One flow as a JSON object: the keys of `info`. */
export const flowLine = (view: EventView): string => `{${members(view)}}`;

/** One callback of a flow: what happened and when, then the keys of `info`. */
export const eventLine = (view: EventView, callback: Callback): string =>
  `{"callback":"${callback}","visit":${view.visit()},"time":${secondsOf(view.time())},"interface":${interfaceOf(view)},"status_before":${view.statusBefore()},${members(view)}}`;

function embedded(info: string): string {
  const text = properText(info);
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}

/** Where an alert belongs. */
const flowOf = (view: EventView): string =>
  `"flow":{"id":${quoted(view.flowId())},"cli.ip":"${view.client()}","cli.port":${view.clientPort()},"srv.ip":"${view.server()}",` +
  `"srv.port":${view.serverPort()},"proto.l4":"${l4Name(view)}","proto.ndpi":${quoted(ndpiName(view))},"vlan":${view.vlan()}},` +
  `"status_map":${view.status()}`;

/** The alert that the core raised at this visit, for the status that was predominant. */
export function coreAlertLine(view: EventView): string {
  const status = statusById.get(view.alertedStatus()) as Status;
  const severe = status.id === STATUS_IDS && (view.u32(R_FACTS) & FACT_IDS_SEVERE) !== 0;
  return (
    `{"schema":${ALERT_SCHEMA},"time":${secondsOf(view.time())},"interface":${interfaceOf(view)},"script":"core",` +
    `"alert_type":"${status.alertType}","severity":"${severe ? 'error' : status.severity}","status":${status.id},` +
    `"title":${JSON.stringify(status.title)},"info":${statusInfoOf(view)},${flowOf(view)}}`
  );
}

/** One alert of a script, schema {@link ALERT_SCHEMA}. Type and severity by name, or by number where that has no name. */
export function alertLine(alert: Alert, view: EventView): string {
  const type = quoted(alert.alertTypeName ?? String(alert.alertType));
  const severity = quoted(alert.severityName ?? String(alert.severity));
  const { version, shadow, score, status, info, reason } = alert;
  return (
    `{"schema":${ALERT_SCHEMA},"time":${secondsOf(view.time())},"interface":${interfaceOf(view)},"script":${JSON.stringify(alert.script)},` +
    `${version === undefined ? '' : `"version":"${version}",`}${shadow === true ? '"shadow":true,' : ''}` +
    `"callback":"${alert.callback}","visit":${view.visit()},"alert_type":${type},"severity":${severity},` +
    `${score === undefined ? '' : `"score":${score},`}${status === undefined ? '' : `"status":${status},`}` +
    `${info === undefined ? '' : `"info":${embedded(info)},`}${reason === undefined ? '' : `"reason":${json(reason)},`}` +
    `"status_before":${view.statusBefore()},${flowOf(view)}}`
  );
}
