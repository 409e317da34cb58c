/** `flowpatrol interfaces`: what can follow `-i`; or those of a running flowpatrol, with who sends to them. */
import { ask } from '../api/client.ts';
import { type CaptureInterface, native } from '../native.ts';
import type { InterfaceSnapshot, ProbeSnapshot } from '../patrol-types.ts';
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

/** Interfaces, and below them a table of the probes, exporters and agents of each that has some. @returns lines without line ends */
export function collectorTables(interfaces: readonly InterfaceSnapshot[]): string[] {
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
  const of = interfaces.flatMap(({ name, probes = [], clock }) =>
    probes.length === 0
      ? []
      : [
          '',
          printable(name),
          ...table(
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
        ],
  );
  return [...overview, ...of];
}

/** @throws CommandError when no flowpatrol runs with the directory */
export async function runningInterfaces(directory: string): Promise<string[]> {
  try {
    return collectorTables((await ask<{ interfaces: InterfaceSnapshot[] }>(directory, 'GET', '/interfaces')).interfaces);
  } catch (error) {
    throw controlError(error, directory);
  }
}
