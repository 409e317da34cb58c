/**
 * Where the corpus of captures is, and how our flow lines become what its comparison reads. Used by the tests beside it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const corpus = fileURLToPath(new URL('../../../shared/corpus/', import.meta.url));

/** @throws when the corpus is not there: these tests are nothing without it */
export function corpusPath(name: string): string {
  const path = `${corpus}${name}`;
  if (!existsSync(path)) throw new Error(`the corpus is missing: it belongs beside the project, as ../shared/corpus (looked for ${name})`);
  return path;
}

/** A capture of `expected/index.json`. */
export interface CorpusCapture {
  readonly capture: string;
  readonly packets: number;
  readonly flows: number;
  readonly special: readonly string[];
}

export const corpusCaptures = (): CorpusCapture[] => JSON.parse(readFileSync(corpusPath('expected/index.json'), 'utf8')) as CorpusCapture[];

export type FlowLine = Readonly<Record<string, unknown>>;

/** Where ndpiReader's one host name is in ours, in this order. */
const HOSTS = ['host_server_name', 'protos.dns.last_query', 'protos.ssh.client_signature'];

/** One of our flow lines in the words of compare_flows.py. */
export function comparable(line: string): string {
  const flow = JSON.parse(line) as FlowLine;
  return JSON.stringify({
    cli_ip: flow['cli.ip'],
    cli_port: flow['cli.port'],
    srv_ip: flow['srv.ip'],
    srv_port: flow['srv.port'],
    proto: flow['proto.l4_id'],
    vlan: flow.vlan,
    cli2srv_pkts: flow['cli2srv.packets'],
    srv2cli_pkts: flow['srv2cli.packets'],
    cli2srv_bytes: flow['cli2srv.bytes'],
    srv2cli_bytes: flow['srv2cli.bytes'],
    ndpi_proto: flow['proto.ndpi'],
    category: flow['proto.ndpi_cat'],
    host: HOSTS.map((key) => flow[key]).find((host) => host !== undefined),
    ...(flow['proto.l4_id'] === 6
      ? {
          tcp_retx: [flow['cli2srv.retransmissions'], flow['srv2cli.retransmissions']],
          tcp_ooo: [flow['cli2srv.out_of_order'], flow['srv2cli.out_of_order']],
          tcp_lost: [flow['cli2srv.lost'], flow['srv2cli.lost']],
        }
      : {}),
  });
}

/** What is known of hosts beside their traffic: the test's own runs have no book of hosts. */
const OF_BOOK = /^(?:(?:cli|srv)\.(?:host|country|city|latitude|longitude|asn|as_name|vendor|pool|systemhost)|src_as|dst_as)$/;

/** The line without what no two runs have in common, and without the book of hosts. */
export const withoutId = (line: string): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(JSON.parse(line) as FlowLine).filter(([key]) => key !== 'flow.id' && !OF_BOOK.test(key))),
  );
