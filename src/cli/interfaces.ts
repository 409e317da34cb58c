/** `flowpatrol interfaces`: what can follow `-i`; or those of a running flowpatrol, with who sends to them. */
import { ask } from '../api/client.ts';
import { type CaptureInterface, native } from '../native.ts';
import type { ExporterInterfaceSnapshot, InterfaceSnapshot, ListeningSnapshot, ProbeSnapshot, RejectedSnapshot } from '../patrol-types.ts';
import { bytes, count, duration, printable, table } from './format.ts';
import { controlError } from './prefs.ts';

const stateOf = (of: CaptureInterface): string => (!of.up ? 'down' : of.running ? 'up' : 'no carrier');

const descriptionOf = (of: CaptureInterface): string => of.description || (of.loopback ? 'loopback' : of.wireless ? 'wireless' : '');

/** Interfaces that are up come first, otherwise in libpcap's order. @returns lines without line ends */
export function interfacesTable(interfaces: readonly CaptureInterface[] = native.pcapInterfaces()): string[] {
  const sorted = interfaces.toSorted((x, y) => Number(y.up) - Number(x.up));
  const rows = sorted.map((of) => [of.name, stateOf(of), of.addresses.join(' ') || '-', descriptionOf(of)]);
  return table([{ title: 'Name' }, { title: 'State' }, { title: 'Addresses' }, { title: 'Description' }], rows);
}

const INTERFACES = [
  { title: 'Interface' },
  { title: 'Kind' },
  { title: 'State' },
  { title: 'flows', right: true },
  { title: 'bytes', right: true },
  { title: 'time-outs' },
];
const PROBES = [
  { title: 'From' },
  { title: 'Name' },
  { title: 'Version' },
  { title: 'messages', right: true },
  { title: 'records', right: true },
  { title: 'lost', right: true },
  { title: 'time-outs' },
  { title: 'sampling', right: true },
  { title: 'last heard' },
];

/** As the options of probes are written. */
const timeoutsOf = (active: number | undefined, idle: number | undefined): string =>
  [active === undefined ? '' : `-t ${active}`, idle === undefined ? '' : `-d ${idle}`].filter((text) => text !== '').join(' ') || '-';

function heard({ lastContact, silentSince, problem }: ProbeSnapshot, clock: number): string {
  if (problem !== undefined) return printable(problem);
  if (lastContact === 0) return 'never';
  const ago = `${duration(Math.max(0, clock - lastContact) / 1e6)} ago`;
  return silentSince === undefined ? ago : `${ago}: silent`;
}

const EXPORTER_INTERFACES = [
  { title: 'Exporter' },
  { title: 'Index', right: true },
  { title: 'Name' },
  { title: 'State' },
  { title: 'speed', right: true },
  { title: 'in', right: true },
  { title: 'out', right: true },
  { title: 'errors', right: true },
];
const LISTENING = [{ title: 'Host' }, { title: 'listens on' }];
const REJECTED = [
  { title: 'Could not be read' },
  { title: 'From' },
  { title: 'When' },
  { title: 'bytes', right: true },
  { title: 'Begin, in hexadecimal' },
];
/** Of what may be thousands; `--json` has more. */
const MOST_LINES = 100;
const HEX = 64;

type Row = readonly string[];

const titled = (title: string, columns: Parameters<typeof table>[0], rows: readonly Row[]): string[] => {
  if (rows.length === 0) return [];
  const more = rows.length - MOST_LINES;
  return [
    '',
    printable(title),
    ...table(
      columns,
      rows.slice(0, MOST_LINES).map((row) => [...row]),
    ),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
};

const figure = (value: string | number | undefined, show: (number: number) => string): string =>
  typeof value === 'number' ? show(value) : '-';

function exporterRow({ exporter, index, name, values }: ExporterInterfaceSnapshot): Row {
  const { ifSpeed, ifAdminStatus, ifOperStatus, ifInOctets, ifOutOctets, ifInErrors = 0, ifOutErrors = 0 } = values;
  const state = ifAdminStatus === 'Down' ? 'switched off' : String(ifOperStatus ?? '-').toLowerCase();
  return [
    printable(exporter),
    String(index),
    printable(name) || '-',
    printable(state),
    figure(ifSpeed, (speed) => `${count(speed / 1e6)} Mbit/s`),
    figure(ifInOctets, bytes),
    figure(ifOutOctets, bytes),
    count(Number(ifInErrors) + Number(ifOutErrors)),
  ];
}

const listeningRow = ({ address, ports }: ListeningSnapshot): Row => [
  printable(address),
  ports
    .map(
      ({ protocol, port, process: program }) =>
        `${port}/${protocol === 6 ? 'tcp' : 'udp'}${program === '' ? '' : ` ${printable(program)}`}`,
    )
    .join(', '),
];

const rejectedRow = ({ reason, from, time, length, header = '', bytes: hex }: RejectedSnapshot): Row => [
  reason,
  printable(from),
  new Date(time / 1000).toISOString(),
  count(length),
  `${header === '' ? '' : `${header} `}${hex.length > HEX ? `${hex.slice(0, HEX)}…` : hex}`,
];

/**
 * Interfaces, and below them tables of the probes, exporters and agents of each that has some, and of what these tell.
 * @returns lines without line ends
 */
export function collectorTables(interfaces: readonly InterfaceSnapshot[], { samples = false } = {}): string[] {
  const overview = table(
    INTERFACES,
    interfaces.map(({ name, kind, state, counters, timeouts }) => [
      printable(name),
      kind,
      state,
      count(counters['flows.created'] ?? 0),
      bytes(counters.bytes ?? 0),
      timeoutsOf(timeouts?.active, timeouts?.idle),
    ]),
  );
  const of = interfaces.flatMap(({ name, probes = [], collected, clock }) => [
    ...titled(
      name,
      PROBES,
      probes.map((probe) => [
        printable(probe.source),
        printable(probe.name ?? ''),
        printable(probe.version ?? ''),
        count(probe.messages),
        count(probe.records),
        count(probe.lost),
        timeoutsOf(probe.activeTimeout, probe.idleTimeout),
        probe.samplingRate === undefined ? '-' : `1:${probe.samplingRate}`,
        heard(probe, clock),
      ]),
    ),
    ...titled(`${name}: interfaces of exporters`, EXPORTER_INTERFACES, collected?.interfaces.map(exporterRow) ?? []),
    ...titled(`${name}: listening ports`, LISTENING, collected?.listening.map(listeningRow) ?? []),
    ...(samples ? titled(`${name}: rejected`, REJECTED, collected?.rejected.map(rejectedRow) ?? []) : []),
  ]);
  return [...overview, ...of];
}

/** @throws CommandError when no flowpatrol runs with the directory */
export async function runningInterfaces(
  directory: string,
  { samples, json }: { readonly samples: boolean; readonly json: boolean },
): Promise<string[]> {
  try {
    const { interfaces } = await ask<{ interfaces: InterfaceSnapshot[] }>(directory, 'GET', '/interfaces');
    return json ? [JSON.stringify(interfaces, undefined, 2)] : collectorTables(interfaces, { samples });
  } catch (error) {
    throw controlError(error, directory);
  }
}
