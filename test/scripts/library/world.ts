/** A flow of TLS from a local client with every kind of field, and the shell of a script in each generation. */
import { E_RECORD } from '../../../src/flows/event.ts';
import { R_PV } from '../../../src/flows/record.ts';
import { createEventView, type EventView } from '../../../src/flows/view.ts';
import { eventOf, NAMES, type Values } from '../support.ts';

export const FLOW_OF_TLS: Values = {
  'cli.ip': '192.168.1.20',
  'cli.port': 51514,
  'cli.key': 3232235796,
  'cli.host': 'laptop',
  'cli.mac': '0C:C4:7A:CC:C4:4A',
  'cli.blacklisted': true,
  'cli.private': true,
  'cli.localhost': true,
  'cli.broadmulticast': false,
  'cli.country': '',
  'cli.asn': 64500,
  'srv.ip': '203.0.113.7',
  'srv.port': 443,
  'srv.host': '',
  'srv.blacklisted': false,
  'srv.localhost': false,
  'srv.broadmulticast': false,
  'srv.country': 'IT',
  'srv.latitude': 45.5,
  vlan: 0,
  'ntopng.key': 77,
  hash_entry_id: 5,
  'seen.first': 1569859249,
  'seen.last': 1569859250,
  duration: 1,
  'flow.idle': false,
  'flow.status': 13,
  status_map: 1 << 13,
  status_info: '{}',
  score: -1,
  'proto.l4': 'TCP',
  'proto.ndpi': 'TLS.Google',
  'proto.ndpi_app': 'Google',
  'proto.ndpi_id': 2,
  'proto.master_ndpi_id': 1,
  'proto.ndpi_breed': 'Safe',
  'proto.ndpi_cat': 'Web',
  'proto.ndpi_cat_id': 5,
  flow_risk: { 'TLS Certificate Expired': 9 },
  bytes: 2698,
  'bytes.last': 2698,
  goodput_bytes: 1952,
  packets: 11,
  'cli2srv.bytes': 856,
  'cli2srv.packets': 6,
  'srv2cli.bytes': 1842,
  'srv2cli.packets': 5,
  'cli2srv.pkt_len.max': 514,
  'cli2srv.retransmissions': 3,
  'cli2srv.out_of_order': 1,
  'cli2srv.lost': 0,
  'srv2cli.retransmissions': 0,
  'srv2cli.out_of_order': 0,
  'srv2cli.lost': 0,
  'srv2cli.tcp_flags': 27,
  tcp_connecting: false,
  tcp_established: true,
  'interarrival.cli2srv': { min: 0, max: 195, avg: 49.5, stddev: 35.5 },
  'protos.ssl_version': 771,
  'protos.ssl.certificate': 'www.example.org',
  'protos.tls_version': 771,
  'protos.tls.client_requested_server_name': 'www.example.org',
  'protos.tls.ja3.server_unsafe_cipher': 'safe',
};

const HOOKS =
  (members: string) =>
  (body: string): string =>
    `local flow_consts, alert_consts = require("flow_consts"), require("alert_consts")
local script = { ${members} hooks = {}, gui = { i18n_title = "T", i18n_description = "D" } }
function script.hooks.protocolDetected(now, conf)
${body}
end
return script
`;

/** Body of `protocolDetected` → file. */
export const GENERATIONS = {
  '2019': (body: string): string => `local script = { key = "a" }
function script.setup() return true end
function script.protocolDetected(info)
${body}
end
return script
`,
  '4.0': HOOKS(''),
  '4.2': HOOKS('prio = 1,'),
} as const;

/** The flow as an event: its protocol, by which hooks are chosen, is read of the record itself. */
export function eventOfTls(): EventView {
  const event = eventOf(FLOW_OF_TLS);
  event[E_RECORD + R_PV] = 6;
  const view = createEventView(NAMES);
  view.set(event, 0);
  return view;
}
