/** Identity, times and statuses of the flow. */
import { R_FIRST, R_LAST, STATE_CLIENT_BLACKLISTED, STATE_IDLE, STATE_SERVER_BLACKLISTED } from '../record.ts';
import { predominant } from '../statuses.ts';
import type { EventView } from '../view.ts';
import { icmpMessage, isIcmp } from './application.ts';
import { flowKey } from './endpoints.ts';
import { bool, counter, group, int, string } from './field.ts';

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

/** What explains the statuses that are set, as the core's alerts carry it. */
function statusInfo(view: EventView): Record<string, unknown> {
  const info: Record<string, unknown> = { 'cli.devtype': 0, 'srv.devtype': 0, 'ntopng.key': flowKey(view) };
  const status = view.statusLow();
  if ((status & BLACKLISTED) !== 0) {
    if ((view.state() & STATE_CLIENT_BLACKLISTED) !== 0) info['blacklisted.cli'] = true;
    if ((view.state() & STATE_SERVER_BLACKLISTED) !== 0) info['blacklisted.srv'] = true;
    if (view.category() === CATEGORY_MALWARE) info['blacklisted.cat'] = true;
  }
  const add = (key: string, value: string | number | undefined): void => {
    if (value !== undefined) info[key] = value;
  };
  if ((status & CERTIFICATE_MISMATCH) !== 0) {
    add('ssl_crt.cli', view.text('host_server_name'));
    add('ssl_crt.srv', view.text('tls.server_names'));
  }
  if ((status & ELEPHANT_UP) !== 0) add('elephant.l2r_threshold', view.names.elephantBytes?.localToRemote);
  if ((status & ELEPHANT_DOWN) !== 0) add('elephant.r2l_threshold', view.names.elephantBytes?.remoteToLocal);
  if ((status & MALICIOUS_SIGNATURE) !== 0) {
    add('cli_ja3_signature', view.text('tls.ja3_client'));
    add('srv_ja3_signature', view.text('tls.ja3_server'));
  }
  if (isIcmp(view)) {
    const { type, code } = icmpMessage(view);
    add('icmp.icmp_type', type);
    add('icmp.icmp_code', code);
  }
  return info;
}

export const STATE = group('state', [
  string('flow.id', 'id of the flow, unique over interfaces and restarts', (view) => view.flowId(), { ours: true }),
  int('ntopng.key', 'hash key of the flow: ports in network byte order, VLAN, IP protocol and host keys, added; not unique', flowKey),
  int('vlan', 'VLAN, 0 = none', (view) => view.vlan()),
  int('seen.first', 'first packet', first, { unit: 's since 1970' }),
  int('seen.last', 'last packet', last, { unit: 's since 1970' }),
  int('duration', 'last minus first, 0 for a flow of one packet', duration, { unit: 's' }),
  bool('flow.idle', 'the flow has ended', (view) => (view.state() & STATE_IDLE) !== 0),
  string('flow.end_reason', '`idle`, `table full`, `end of file` or `shutdown`', (view) => view.endReason() || undefined, {
    when: 'the flow has ended',
    ours: true,
  }),
  int('flow.status', 'predominant status, 0 = none (statuses.md)', (view) => predominant(view.statusLow(), view.statusHigh())),
  int('status_map', 'all statuses', (view) => counter(view.status()), { unit: 'bitmap, bit = status id' }),
  string('status_info', 'JSON object that explains the statuses', (view) => JSON.stringify(statusInfo(view))),
  int('score', 'score that a script gave, -1 = none', () => -1),
]);
