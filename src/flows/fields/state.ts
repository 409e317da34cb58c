/** Identity, times and statuses of the flow. */
import {
  FACT_DEVICE_CLIENT,
  FACT_DEVICE_SERVER,
  FACT_JA3_CLIENT,
  FACT_JA3_SERVER,
  R_FACTS,
  R_FIRST,
  R_LAST,
  STATE_ALERTED,
  STATE_CLIENT_BLACKLISTED,
  STATE_IDLE,
  STATE_SERVER_BLACKLISTED,
} from '../record.ts';
import { predominant } from '../statuses.ts';
import type { EventView } from '../view.ts';
import { icmpMessage, icmpUnreach, isIcmp } from './application.ts';
import { commonName } from './detail.ts';
import { flowKey } from './endpoints.ts';
import { ANY, absent, bool, counter, each, group, int, string, table } from './field.ts';

const seconds = (us: number): number => counter(Math.floor(us / 1e6));
const first = (view: EventView): number => seconds(view.f64(R_FIRST));
const last = (view: EventView): number => seconds(view.f64(R_LAST));

/** Whole seconds from the second of the first packet to that of the last. */
export const duration = (view: EventView): number => Math.max(0, last(view) - first(view));

const BLACKLISTED = 1 << 13;
const CERTIFICATE_MISMATCH = 1 << 10;
const ELEPHANT_UP = 1 << 17;
const ELEPHANT_DOWN = 1 << 18;
const MALICIOUS_SIGNATURE = 1 << 27;
const CATEGORY_MALWARE = 100;

const IDS_ALERT = 1 << 21;

/** JSON as the intrusion detection system gave it, escapes resolved, all in Latin-1 form; a text where it is none. */
function parsed(latin1: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(latin1, 'latin1').toString('utf8'));
    return JSON.parse(Buffer.from(JSON.stringify(value), 'utf8').toString('latin1'));
  } catch {
    return latin1;
  }
}

/** What explains the statuses that are set, as the core's alerts carry it. */
function statusInfo(view: EventView): Record<string, unknown> {
  const info: Record<string, unknown> = {
    'cli.devtype': view.clientDevice(),
    'srv.devtype': view.serverDevice(),
    'ntopng.key': flowKey(view),
  };
  const status = view.statusLow();
  if ((status & BLACKLISTED) !== 0) {
    if ((view.state() & STATE_CLIENT_BLACKLISTED) !== 0) info['blacklisted.cli'] = true;
    if ((view.state() & STATE_SERVER_BLACKLISTED) !== 0) info['blacklisted.srv'] = true;
    if (view.category() === CATEGORY_MALWARE) info['blacklisted.cat'] = true;
  }
  const facts = view.u32(R_FACTS);
  if ((facts & (FACT_DEVICE_CLIENT | FACT_DEVICE_SERVER)) !== 0) {
    info.devproto_forbidden_peer = (facts & FACT_DEVICE_CLIENT) !== 0 ? 'cli' : 'srv';
    info.devproto_forbidden_id = view.application() || view.master();
  }
  const ids = (status & IDS_ALERT) === 0 ? undefined : view.text('ids.alert');
  if (ids !== undefined) info.ids_alert = parsed(ids);
  const add = (key: string, value: string | number | undefined): void => {
    if (value !== undefined) info[key] = value;
  };
  if ((status & CERTIFICATE_MISMATCH) !== 0) {
    add('ssl_crt.cli', view.text('host_server_name'));
    add('ssl_crt.srv', view.text('tls.server_names') ?? commonName(view.text('tls.subject')));
  }
  if ((status & ELEPHANT_UP) !== 0) add('elephant.l2r_threshold', counter(view.elephantUpload()));
  if ((status & ELEPHANT_DOWN) !== 0) add('elephant.r2l_threshold', counter(view.elephantDownload()));
  if ((status & MALICIOUS_SIGNATURE) !== 0) {
    if ((facts & FACT_JA3_CLIENT) !== 0) add('cli_ja3_signature', view.text('tls.ja3_client'));
    if ((facts & FACT_JA3_SERVER) !== 0) add('srv_ja3_signature', view.text('tls.ja3_server'));
  }
  if (isIcmp(view)) {
    const { type, code } = icmpMessage(view);
    add('icmp.icmp_type', type);
    add('icmp.icmp_code', code);
    for (const [key, value] of Object.entries(icmpUnreach(view) ?? {})) info[`icmp.unreach.${key}`] = value;
  }
  return info;
}

/** `status_info`: JSON of what explains the statuses. */
export const statusInfoOf = (view: EventView): string => JSON.stringify(statusInfo(view));

const isAlerted = (view: EventView): boolean => (view.state() & STATE_ALERTED) !== 0;

const alerted = 'the core has raised its alert about the flow';
const inline = { when: 'the monitor is inline (nEdge)', never: true };

export const STATE = group('state', [
  string('flow.id', 'id of the flow, unique over interfaces and restarts', (view) => view.flowId(), {
    ours: true,
    column: { title: 'Flow', width: 16 },
  }),
  int('ntopng.key', 'hash key of the flow: ports in network byte order, VLAN, IP protocol and host keys, added; not unique', flowKey, {
    level: 'normal',
  }),
  int('hash_entry_id', 'number of the flow on its interface, from 1 on', (view) => counter(view.seq()), { since: '4.0' }),
  int('vlan', 'VLAN, 0 = none', (view) => view.vlan(), { column: { title: 'VLAN', width: 4 } }),
  string('profile', 'traffic profile that matches', absent, { when: 'a profile matches (commercial builds)', never: true }),
  ...each({ getter: 'getTime' }, [
    int('seen.first', 'first packet', first, { unit: 's since 1970', column: { title: 'First seen', width: 19 } }),
    int('seen.last', 'last packet', last, { unit: 's since 1970', column: { title: 'Last seen', width: 19, shown: true } }),
    int('duration', 'last minus first, 0 for a flow of one packet', duration, {
      unit: 's',
      column: { title: 'Duration', width: 8, shown: true },
    }),
  ]),
  ...each({ getter: 'getStatus', level: 'normal' }, [
    bool('flow.idle', 'the flow has ended', (view) => (view.state() & STATE_IDLE) !== 0),
    int('flow.status', 'predominant status, 0 = none (statuses.md)', (view) => predominant(view.statusLow(), view.statusHigh()), {
      column: { title: 'Status', width: 24, shown: true },
    }),
    int('status_map', 'all statuses', (view) => counter(view.status()), { unit: 'bitmap, bit = status id' }),
    bool('flow.alerted', 'always true', (view) => isAlerted(view) || undefined, {
      when: alerted,
      column: { title: 'Alerted', width: 7 },
    }),
    int('flow.alert_rowid', 'database row of that alert; here alerts are stored behind the scripts, and get text ids there', absent, {
      when: 'alerts are stored before scripts are called',
      never: true,
    }),
  ]),
  int('alerted_status', 'status of that alert', (view) => (isAlerted(view) ? view.alertedStatus() : undefined), {
    when: alerted,
    since: '4.0',
  }),
  int(
    'alerted_status_score',
    'score of that status; here the statuses of the core have none, and `flow.getAlertedStatusScore` tells that of a script',
    absent,
    {
      when: 'every status has a score',
      since: '4.2',
      never: true,
    },
  ),
  table('status_infos', 'what set each status, by its id; here `status_map` says which are set, and scores are those of the flow', absent, {
    when: 'scripts alone set statuses',
    since: '4.0',
    never: true,
    members: [
      {
        key: ANY,
        type: 'table',
        doc: 'of one status',
        members: [
          { key: 'script', type: 'string', doc: 'script that set it' },
          { key: 'score', type: 'int', doc: 'score that it gave' },
        ],
      },
    ],
  }),
  string('flow.end_reason', '`idle`, `table full`, `end of file` or `shutdown`', (view) => view.endReason() || undefined, {
    when: 'the flow has ended',
    ours: true,
    column: { title: 'End', width: 11 },
  }),
  string('status_info', 'JSON object that explains the statuses', statusInfoOf),
  int('score', 'score that a script gave, -1 = none', (view) => view.score(), { column: { title: 'Score', width: 5 } }),
  ...each(inline, [
    bool('verdict.pass', 'the flow is let through', absent),
    int('marker', 'mark that the verdict puts on packets', absent),
    ...['cli2srv_ingress', 'cli2srv_egress', 'srv2cli_ingress', 'srv2cli_egress'].map((way) =>
      int(`shaper.${way}`, 'bandwidth class', absent),
    ),
  ]),
]);
