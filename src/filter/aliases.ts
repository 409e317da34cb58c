/** Short names beside the keys of `info`: the one declaration of them. fields.ts adds them to what a filter may use. */
import { BREED, CATEGORY, L4, PROTOCOL, STATUS } from './names.ts';
import type { Value } from './operands.ts';

export interface Alias {
  readonly name: string;
  /** Keys of FIELDS, of one kind. Of several one is enough: `ip == x` asks either end. */
  readonly keys: readonly string[];
  readonly doc: string;
  /** What is compared, where that is more than the value of the key. */
  readonly value?: Value;
}

const protocol = (name: string): Alias => ({
  name,
  keys: ['proto.ndpi'],
  doc: 'nDPI protocol: its whole name `Master.App`, or either half',
  value: { kind: 'name', naming: PROTOCOL },
});

export const ALIASES: readonly Alias[] = [
  { name: 'ip', keys: ['cli.ip', 'srv.ip'], doc: 'address of either end' },
  { name: 'client', keys: ['cli.ip'], doc: 'address of the client' },
  { name: 'server', keys: ['srv.ip'], doc: 'address of the server' },
  { name: 'port', keys: ['cli.port', 'srv.port'], doc: 'port of either end' },
  { name: 'mac', keys: ['cli.mac', 'srv.mac'], doc: 'MAC address of either end' },
  { name: 'host', keys: ['cli.host', 'srv.host', 'host_server_name'], doc: 'name of either end, or of the server that was asked for' },
  { name: 'network', keys: ['cli.network', 'srv.network'], doc: 'local network of either end, as it was configured' },
  { name: 'country', keys: ['cli.country', 'srv.country'], doc: 'country of either end, two letters (ISO 3166)' },
  protocol('proto'),
  protocol('protocol'),
  protocol('l7'),
  { name: 'l4', keys: ['proto.l4'], doc: 'IP protocol, by name or number', value: { kind: 'name', naming: L4 } },
  { name: 'category', keys: ['proto.ndpi_cat'], doc: 'nDPI category', value: { kind: 'name', naming: CATEGORY } },
  { name: 'breed', keys: ['proto.ndpi_breed'], doc: 'nDPI breed', value: { kind: 'name', naming: BREED } },
  {
    name: 'status',
    keys: ['status_map'],
    doc: 'statuses that are set, by name, title or number; `normal` is none',
    value: { kind: 'bits', bits: STATUS },
  },
  { name: 'risk', keys: ['flow_risk'], doc: 'nDPI risks, by text or number' },
  { name: 'alerted', keys: ['flow.alerted'], doc: 'the core has raised an alert about the flow' },
  { name: 'first', keys: ['seen.first'], doc: 'first packet' },
  { name: 'last', keys: ['seen.last'], doc: 'last packet' },
  { name: 'goodput', keys: ['goodput_bytes'], doc: 'payload bytes, both directions' },
  { name: 'sent', keys: ['cli2srv.bytes'], doc: 'bytes, client to server' },
  { name: 'received', keys: ['srv2cli.bytes'], doc: 'bytes, server to client' },
  { name: 'throughput', keys: ['throughput_bps'], doc: 'bytes a second since the previous visit, both directions' },
  { name: 'query', keys: ['protos.dns.last_query'], doc: 'name that DNS was asked for' },
  { name: 'url', keys: ['protos.http.last_url'], doc: 'URL of HTTP' },
];
