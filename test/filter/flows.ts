/** A few flows that the tests of filters ask: one for each thing that a filter looks at. */
import { I_EXTRA, R_ANSWER, R_IAT, STATE_IDLE } from '../../src/flows/record.ts';
import { createEventView, type EventView, type Names } from '../../src/flows/view.ts';
import { type EventOf, event, NAMES } from '../support/events.ts';

export const NAMES_OF_FLOWS: Names = {
  ...NAMES,
  risks: NAMES.risks.map((text, id) => ({ 6: 'Self-signed Cert', 35: 'Clear-Text Credentials' })[id] ?? text),
};

const SEPTEMBER_30 = 1_569_859_251; // 2019-09-30T16:00:51Z

export const FLOWS = {
  tls: {
    client: '192.168.1.20',
    server: '203.0.113.7',
    clientPort: 51514,
    serverPort: 443,
    l4: 6,
    clientMac: '00:11:22:aa:bb:cc',
    clientNetwork: 1,
    application: 'Google',
    master: 'TLS',
    category: 'Web',
    breed: 'Acceptable',
    status: 2 ** 10 + 2 ** 13,
    risks: [6, 35],
    first: SEPTEMBER_30 * 1e6,
    last: (SEPTEMBER_30 + 90) * 1e6,
    cli2srv: { lengths: [60_000, 1000], flags: 0x1b },
    srv2cli: { lengths: Array<number>(40).fill(60_000), goodput: 2_000_000, flags: 0x1b },
    record: { u32: { [R_ANSWER]: 250_001 } },
    details: { host_server_name: 'www.Example.org', 'tls.alpn': 'h2,http/1.1', 'tls.subject': 'CN=*.example.org' },
  },
  dns: {
    client: '10.0.0.5',
    server: '10.0.0.9',
    clientPort: 40_000,
    serverPort: 53,
    l4: 17,
    clientNetwork: 0,
    serverNetwork: 0,
    application: 'DNS',
    first: (SEPTEMBER_30 + 86_400) * 1e6,
    last: (SEPTEMBER_30 + 86_400) * 1e6,
    cli2srv: { lengths: [80] },
    details: { host_server_name: 'exämple.net', 'dns.query_type': 1 },
  },
  ping6: { client: '2001:db8::1', server: '2001:db8:0:1::2', l4: 58, state: STATE_IDLE, record: { u8: { [R_IAT + I_EXTRA + 2]: 128 } } },
  ping: { client: '10.0.0.5', server: '10.0.0.77', l4: 1, vlan: 7, record: { u8: { [R_IAT + I_EXTRA + 2]: 8 } } },
  refused: {
    client: '192.168.1.20',
    server: '203.0.113.200',
    clientPort: 51515,
    serverPort: 8080,
    l4: 6,
    status: 2 ** 6 + 2 ** 9,
    cli2srv: { lengths: [60, 60], flags: 2 },
    srv2cli: { lengths: [54], flags: 0x14 },
  },
  alpn: {
    client: '192.168.1.20',
    server: '203.0.113.9',
    l4: 6,
    application: 'TLS',
    details: { host_server_name: 'mail.test', 'tls.alpn': 'h2' },
  },
} as const satisfies Record<string, EventOf>;

export type FlowName = keyof typeof FLOWS;
export const FLOW_NAMES = Object.keys(FLOWS) as FlowName[];

export function viewOf(of: EventOf, names: Names = NAMES_OF_FLOWS): EventView {
  const view = createEventView(names);
  view.set(event(of, names), 0);
  return view;
}
