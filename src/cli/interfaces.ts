/** `flowpatrol interfaces`: what can follow `-i`, as a table. */
import { type CaptureInterface, native } from '../native.ts';
import { table } from './format.ts';

const stateOf = (of: CaptureInterface): string => (!of.up ? 'down' : of.running ? 'up' : 'no carrier');

const descriptionOf = (of: CaptureInterface): string => of.description || (of.loopback ? 'loopback' : of.wireless ? 'wireless' : '');

/** Interfaces that are up come first, otherwise in libpcap's order. @returns lines without line ends */
export function interfacesTable(interfaces: readonly CaptureInterface[] = native.pcapInterfaces()): string[] {
  const sorted = interfaces.toSorted((x, y) => Number(y.up) - Number(x.up));
  const rows = sorted.map((of) => [of.name, stateOf(of), of.addresses.join(' ') || '-', descriptionOf(of)]);
  return table([{ title: 'Name' }, { title: 'State' }, { title: 'Addresses' }, { title: 'Description' }], rows);
}
