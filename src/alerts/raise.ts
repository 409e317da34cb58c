/**
 * What a script, or the core, raises about a flow, as plain data: the event where the view stands in, {@link RaisedFlowAlert} out.
 * Called by the script host's thread when a callback is through; what it gives is posted to the main thread.
 */
import { properText } from '../flows/export.ts';
import { statusInfoOf } from '../flows/fields/state.ts';
import { FIELDS, type FieldValue } from '../flows/fields.ts';
import { FACT_IDS_SEVERE, R_FACTS } from '../flows/record.ts';
import { statusById } from '../flows/statuses.ts';
import type { EventView } from '../flows/view.ts';
import { SEVERITIES as OLD_SEVERITIES } from '../scripts/alert-types.ts';
import type { ScriptAlert } from '../scripts/host.ts';
import { CORE, type RaisedFlowAlert, SEVERITIES, SEVERITY_SCORES, type Severity } from './alert.ts';

type Flow = Readonly<Record<string, FieldValue>>;

/** An alert of an IDS with its highest severity is an error (reference: statuses, id 21). */
const STATUS_IDS = 21;
const HIGHEST_SCORE = 1000;
/** Characters of what a script gives with an alert. */
const LONGEST_INFO = 65_536;

/** Fields that say why a status is set, by its id: the reason of the core's alerts. */
const CORE_REASONS: Readonly<Record<number, readonly string[]>> = {
  3: ['goodput_bytes', 'bytes', 'duration'],
  4: ['goodput_bytes', 'bytes', 'duration'],
  5: ['cli2srv.packets', 'srv2cli.packets'],
  6: ['tcp.seq_problems', 'cli2srv.packets', 'srv2cli.packets'],
  7: ['cli2srv.packets', 'srv2cli.packets'],
  9: ['goodput_bytes', 'bytes', 'duration'],
  10: ['host_server_name', 'protos.tls.server_names', 'protos.tls.subjectDN'],
  11: ['protos.dns.last_query'],
  12: ['cli.localhost', 'srv.localhost'],
  13: ['cli.blacklisted', 'srv.blacklisted', 'proto.ndpi_cat'],
  15: ['proto.ndpi_cat', 'host_server_name'],
  16: ['cli.devtype', 'srv.devtype', 'proto.ndpi'],
  17: ['cli2srv.bytes', 'srv2cli.bytes'],
  18: ['cli2srv.bytes', 'srv2cli.bytes'],
  19: ['duration'],
  22: ['tcp.seq_problems', 'cli2srv.packets', 'srv2cli.packets'],
  23: ['protos.tls.ja3.server_cipher', 'protos.tls.ja3.server_unsafe_cipher'],
  24: ['icmp', 'bytes'],
  25: ['protos.tls_version'],
  26: ['proto.ndpi_breed', 'proto.ndpi'],
  27: ['protos.tls.ja3.client_hash', 'protos.tls.ja3.server_hash'],
  28: ['protos.tls.notBefore', 'protos.tls.notAfter'],
  29: ['protos.tls.issuerDN', 'protos.tls.subjectDN'],
  30: ['cli2srv.packets', 'srv2cli.packets'],
  31: ['proto.ndpi', 'srv.port'],
  33: ['flow_risk'],
  34: ['srv.ip'],
  35: ['srv.ip'],
  36: ['srv.ip'],
  37: ['srv.ip'],
  38: ['protos.dns.last_query'],
};

/** Proper text of every string in a value. */
function proper(value: FieldValue): FieldValue {
  if (typeof value === 'string') return properText(value);
  return typeof value === 'object' ? properFields(value) : value;
}
const properFields = (fields: Flow): Flow =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [properText(key), proper(value)]));

/** Every field that the flow has, by key. */
export function flowOf(view: EventView): Flow {
  const flow: Record<string, FieldValue> = {};
  for (const field of FIELDS) {
    const value = field.read(view);
    if (value !== undefined) flow[field.key] = proper(value);
  }
  return flow;
}

/** What a script gave with its alert. @param latin1 JSON; what is none is a text */
function infoOf(latin1: string): unknown {
  const text = properText(latin1);
  if (text.length > LONGEST_INFO) return `${text.slice(0, LONGEST_INFO)}…`;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const isSeverity = (name: string | undefined): name is Severity => (SEVERITIES as readonly (string | undefined)[]).includes(name);

/** Severities of 2019 that have no name are numbers outside of theirs: below is `info`, above `error`. */
const severityOf = ({ severity, severityName }: Pick<ScriptAlert, 'severity' | 'severityName'>): Severity =>
  isSeverity(severityName) ? severityName : (OLD_SEVERITIES[Math.min(2, Math.max(0, Math.floor(severity) || 0))] as Severity);

const scoreOf = (score: number | undefined, severity: Severity): number =>
  score === undefined || !Number.isFinite(score) ? SEVERITY_SCORES[severity] : Math.min(HIGHEST_SCORE, Math.max(0, Math.round(score)));

const momentOf = (view: EventView): Pick<RaisedFlowAlert, 'time' | 'interface' | 'visit' | 'statusBefore' | 'status'> => ({
  time: view.time(),
  interface: view.names.interfaceName,
  visit: view.visit(),
  statusBefore: view.statusBefore(),
  status: view.status(),
});

/** @param alert what `HostSink.alert` gets, with the view at its event */
export function raisedByScript(alert: ScriptAlert, view: EventView): RaisedFlowAlert {
  const { script, version, callback, shadow, reason, info } = alert;
  const severity = severityOf(alert);
  return {
    ...momentOf(view),
    type: properText(alert.alertTypeName ?? String(alert.alertType)),
    severity,
    score: scoreOf(alert.score, severity),
    script,
    version,
    callback,
    forStatus: alert.status ?? -1,
    flow: flowOf(view),
    ...(info === undefined ? {} : { info: infoOf(info) }),
    reason: properFields(reason),
    shadow,
  };
}

/** The alert that the core raised at this visit (`view.alertedNow()`), for the status that was predominant. */
export function raisedByCore(view: EventView): RaisedFlowAlert {
  const forStatus = view.alertedStatus();
  const status = statusById.get(forStatus);
  const severe = forStatus === STATUS_IDS && (view.u32(R_FACTS) & FACT_IDS_SEVERE) !== 0;
  const severity = severityOf({ severity: 0, severityName: severe ? 'error' : (status?.severity ?? 'info') });
  const flow = flowOf(view);
  const reason = (CORE_REASONS[forStatus] ?? []).flatMap((key) => {
    const value = flow[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    ...momentOf(view),
    type: status?.alertType || String(forStatus),
    severity,
    score: scoreOf(view.score() < 0 ? undefined : view.score(), severity),
    script: CORE,
    version: '',
    callback: '',
    forStatus,
    flow,
    info: infoOf(statusInfoOf(view)),
    reason: Object.fromEntries(reason),
    shadow: false,
  };
}
