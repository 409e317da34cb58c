/**
 * Makes sFlow version 5 datagrams:
 *
 *   sflow({ agent: '192.0.2.1', sequence: 1 }, [flowSample({ rate: 1000 }, [rawHeader(frame)]), counterSample({}, [genericCounters({})])])
 */
import { address, join, mac } from '../packets.ts';

const words = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value);
  return bytes;
};
const long = (value: number): Uint8Array => words(Math.floor(value / 2 ** 32), value >>> 0);
const padded = (bytes: Uint8Array): Uint8Array => join(bytes, new Uint8Array(-bytes.length & 3));
const xdrAddress = (text: string): Uint8Array => join(words(text.includes(':') ? 2 : 1), address(text));
const record = (format: number, body: Uint8Array): Uint8Array => join(words(format, body.length), body);

export interface SflowDatagram {
  readonly agent?: string;
  readonly subAgent?: number;
  readonly sequence?: number;
  readonly uptime?: number;
  readonly version?: number;
}

export const sflow = (
  { agent = '192.0.2.1', subAgent = 0, sequence = 1, uptime = 1000, version = 5 }: SflowDatagram,
  samples: readonly Uint8Array[],
): Uint8Array => join(words(version), xdrAddress(agent), words(subAgent, sequence, uptime, samples.length), ...samples);

export interface FlowSample {
  readonly sequence?: number;
  readonly source?: number;
  readonly rate?: number;
  readonly pool?: number;
  readonly drops?: number;
  readonly input?: number;
  readonly output?: number;
  readonly expanded?: boolean;
}

export function flowSample(of: FlowSample, records: readonly Uint8Array[]): Uint8Array {
  const { sequence = 1, source = 3, rate = 1, pool = 0, drops = 0, input = 3, output = 5, expanded = false } = of;
  const head = expanded
    ? words(sequence, 0, source, rate, pool, drops, 0, input, 0, output, records.length)
    : words(sequence, source, rate, pool, drops, input, output, records.length);
  return record(expanded ? 3 : 1, join(head, ...records));
}

export const rawHeader = (
  header: Uint8Array,
  { protocol = 1, frame = header.length + 4, stripped = 4 }: { protocol?: number; frame?: number; stripped?: number } = {},
): Uint8Array => record(1, join(words(protocol, frame, stripped, header.length), padded(header)));

export const ethernetFields = (length: number, source: string, destination: string, type: number): Uint8Array =>
  record(2, join(words(length), padded(mac(source)), padded(mac(destination)), words(type)));

export interface IpFields {
  readonly length: number;
  readonly protocol: number;
  readonly from: string;
  readonly to: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly flags?: number;
  readonly tos?: number;
}

export const ipFields = ({ length, protocol, from, to, srcPort, dstPort, flags = 0, tos = 0 }: IpFields): Uint8Array =>
  record(from.includes(':') ? 4 : 3, join(words(length, protocol), address(from), address(to), words(srcPort, dstPort, flags, tos)));

export const switchFields = (sourceVlan: number, destinationVlan: number): Uint8Array =>
  record(1001, words(sourceVlan, 0, destinationVlan, 0));
export const routerFields = (nextHop: string, sourceMask: number, destinationMask: number): Uint8Array =>
  record(1002, join(xdrAddress(nextHop), words(sourceMask, destinationMask)));

export function counterSample(
  { sequence = 1, source = 3, expanded = false }: { sequence?: number; source?: number; expanded?: boolean },
  records: readonly Uint8Array[],
): Uint8Array {
  const head = expanded ? words(sequence, 0, source, records.length) : words(sequence, source, records.length);
  return record(expanded ? 4 : 2, join(head, ...records));
}

export interface GenericCounters {
  readonly index?: number;
  readonly speed?: number;
  readonly status?: number;
  readonly inOctets?: number;
  readonly inPackets?: number;
  readonly outOctets?: number;
  readonly outPackets?: number;
  readonly outErrors?: number;
}

export const genericCounters = (of: GenericCounters): Uint8Array => {
  const { index = 3, speed = 10e9, status = 3, inOctets = 0, inPackets = 0, outOctets = 0, outPackets = 0, outErrors = 0 } = of;
  return record(
    1,
    join(
      words(index, 6),
      long(speed),
      words(1, status),
      long(inOctets),
      words(inPackets, 0, 0, 0, 0, 0),
      long(outOctets),
      words(outPackets, 0, 0, 0, outErrors, 0),
    ),
  );
};

/** A packet that was discarded: counted only. */
export const discardSample = (): Uint8Array => record(5, words(1, 0, 3, 0, 3, 0, 256, 0));
export const unknownSample = (): Uint8Array => record(4300 * 4096 + 9, words(1, 2, 3));
