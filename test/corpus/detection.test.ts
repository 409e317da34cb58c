/**
 * What detection says of the flows of the corpus, against ndpiReader 4.2 (../shared/corpus, README there): protocol, category, risks, server
 * name, JA3 of both ends, as many details as both have.
 *
 * Enters: the captures without a special tag. Leaves: a table of figures, and a failure when one is below its threshold. Run by
 * `npm run test:corpus`.
 *
 * Two rates each: over all flows, and over those for which ndpiReader or we say something ("said"), which the silent majority cannot
 * improve. A flow that our idle rule split is put together again: protocol and category of the part with most packets, risks of all parts,
 * the first of everything else.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { address } from '../support/packets.ts';
import { exportCapture, type RunOptions } from '../support/run-capture.ts';
import { corpusCaptures, corpusPath, type FlowLine } from './corpus-support.ts';

/** A flow as `expected/` has it. */
interface Expected {
  readonly cli_ip: string;
  readonly cli_port: number;
  readonly srv_ip: string;
  readonly srv_port: number;
  readonly proto: number;
  readonly vlan?: number;
  readonly ndpi: string;
  readonly cat: string;
  readonly conf: string;
  readonly host?: string;
  readonly ja3c?: string;
  readonly ja3s?: string;
  readonly risk?: readonly string[];
  readonly score?: number;
}

const HANDSHAKES = ['protos.tls', 'protos.quic', 'protos.dtls', 'protos.mail_tls'];
/** Where ndpiReader's one host name is in ours. */
const HOSTS = [
  'host_server_name',
  'protos.dns.last_query',
  'protos.mdns.query',
  'protos.llmnr.query',
  'protos.dhcp.host_name',
  'protos.ssh.client_signature',
];

const end = (ip: string, port: number, ported: boolean): string => `${Buffer.from(address(ip)).toString('hex')}/${ported ? port : 0}`;

function flowKey(client: string, clientPort: number, server: string, serverPort: number, proto: number, vlan: number): string {
  const ported = proto === 6 || proto === 17;
  return [vlan, proto, ...[end(client, clientPort, ported), end(server, serverPort, ported)].sort()].join(' ');
}

const keyOfOurs = (flow: FlowLine): string =>
  flowKey(
    flow['cli.ip'] as string,
    flow['cli.port'] as number,
    flow['srv.ip'] as string,
    flow['srv.port'] as number,
    flow['proto.l4_id'] as number,
    flow.vlan as number,
  );

/** The first of the keys that one of the parts has. */
function firstOf(parts: readonly FlowLine[], keys: readonly string[]): unknown {
  for (const key of keys) for (const part of parts) if (part[key] !== undefined) return part[key];
  return undefined;
}

const printable = (name: unknown): string => String(name ?? '').replace(/[^\x20-\x7e]/g, '?');

interface Rate {
  flows: number;
  right: number;
  said: number;
  saidRight: number;
  readonly wrong: string[];
}

function measure(options: RunOptions): ReadonlyMap<string, Rate> {
  const rates = new Map<string, Rate>();
  const note = (what: string, expected: unknown, ours: unknown, where: string): void => {
    let rate = rates.get(what);
    if (rate === undefined) {
      rate = { flows: 0, right: 0, said: 0, saidRight: 0, wrong: [] };
      rates.set(what, rate);
    }
    const said = expected !== '' || ours !== '';
    const right = expected === ours;
    rate.flows++;
    if (right) rate.right++;
    else rate.wrong.push(`${what}: ${where}: expected '${expected}', is '${ours}'`);
    if (said) rate.said++;
    if (said && right) rate.saidRight++;
  };

  for (const { capture, special } of corpusCaptures()) {
    if (special.length > 0) continue;
    const ours = new Map<string, FlowLine[]>();
    for (const line of exportCapture(corpusPath(`captures/${capture}`), options).flows) {
      const flow = JSON.parse(line) as FlowLine;
      const parts = ours.get(keyOfOurs(flow));
      if (parts === undefined) ours.set(keyOfOurs(flow), [flow]);
      else parts.push(flow);
    }
    const { flows } = JSON.parse(readFileSync(corpusPath(`expected/${capture}.json`), 'utf8')) as { flows: Expected[] };
    for (const flow of flows) {
      const key = flowKey(flow.cli_ip, flow.cli_port, flow.srv_ip, flow.srv_port, flow.proto, flow.vlan ?? 0);
      const parts = ours.get(key) ?? [];
      const main = parts.reduce((most, part) => ((part.packets as number) > (most.packets as number) ? part : most), parts[0] ?? {});
      const where = `${capture} ${key} (${flow.ndpi})`;
      const risks = new Set(parts.flatMap((part) => Object.keys((part.flow_risk as object | undefined) ?? {})));
      note('protocol', flow.ndpi, main['proto.ndpi'] ?? '', where);
      note('category', flow.cat, main['proto.ndpi_cat'] ?? '', where);
      note('confidence', flow.conf, main['proto.ndpi_confidence'] ?? '', where);
      note('risks', [...(flow.risk ?? [])].sort().join(', '), [...risks].sort().join(', '), where);
      note('host', printable(flow.host), printable(firstOf(parts, HOSTS)), where);
      for (const [what, expected, hash] of [
        ['JA3 client', flow.ja3c, 'client_hash'],
        ['JA3 server', flow.ja3s, 'server_hash'],
      ] as const) {
        const keys = HANDSHAKES.map((prefix) => `${prefix}.ja3.${hash}`);
        note(what, expected ?? '', firstOf(parts, keys) ?? '', where);
      }
      if (parts.length === 1) note('risk score', flow.score ?? 0, main['flow_risk.score'] ?? 0, where);
    }
  }
  return rates;
}

const percent = (part: number, whole: number): number => (whole === 0 ? 100 : (100 * part) / whole);

/** @param least per cent that must be right: of all flows, and of those of which something is said */
function check(t: TestContext, options: RunOptions, least: Readonly<Record<string, readonly [number, number]>>): void {
  const rates = measure(options);
  const below: string[] = [];
  const table: string[] = [];
  for (const [what, rate] of rates) {
    const all = percent(rate.right, rate.flows);
    const said = percent(rate.saidRight, rate.said);
    table.push(`${what.padEnd(12)} ${all.toFixed(2)} % of ${rate.flows} flows, ${said.toFixed(2)} % of ${rate.said} said`);
    const [leastAll, leastSaid] = least[what] ?? [0, 0];
    if (all < leastAll || said < leastSaid)
      below.push(`${table.at(-1)}: less than ${leastAll} or ${leastSaid}`, ...rate.wrong.slice(0, 20));
  }
  t.diagnostic(table.join('\n'));
  for (const what of Object.keys(least)) assert.ok(rates.has(what), what);
  assert.deepEqual(below, []);
}

describe('detection', () => {
  it('says what ndpiReader says, with as many packets', (t) => {
    check(
      t,
      { dpiPackets: { tcp: 80, udp: 24 } },
      {
        protocol: [99.8, 99.8],
        category: [99.8, 99.8],
        confidence: [99.2, 99.2],
        risks: [99.7, 99.0],
        'risk score': [99.5, 0],
        host: [99.8, 99.5],
        'JA3 client': [99.8, 99.6],
        'JA3 server': [99.9, 99.7],
      },
    );
  });

  it('says nearly the same with the documented 12 packets', (t) => {
    check(
      t,
      {},
      {
        protocol: [99.5, 99.5],
        category: [99.5, 99.5],
        confidence: [99.0, 99.0],
        risks: [99.4, 98.3],
        'risk score': [99.0, 0],
        host: [99.8, 99.5],
        'JA3 client': [99.8, 99.5],
        'JA3 server': [99.8, 99.2],
      },
    );
  });
});
