/** A decoder whose records are kept, and an encoder of our own: what the tests of NetFlow and IPFIX build their messages with. */
import type { FlowRecord, ProbeEvent } from '../../../src/records/flow-record.ts';
import { NETFLOW_COUNTERS, netflowCounter } from '../../../src/records/netflow/counters.ts';
import { createNetflowDecoder, type NetflowDecoderOptions } from '../../../src/records/netflow/decoder.ts';
import { ipv4Text, ipv6Text } from '../../../src/records/netflow/text.ts';

export type Taken = Partial<FlowRecord> & { readonly source: string; readonly destination: string };

/** When datagrams of the tests come, µs. */
export const NOW = 1_700_000_010_000_000;
export const EXPORTER = '203.0.113.1';

export const addressText = (words: Uint32Array, version: number): string => {
  if (version === 4) return ipv4Text(words[0]);
  const bytes = Buffer.alloc(16);
  for (let i = 0; i < 4; i++) bytes.writeUInt32BE(words[i], i * 4);
  return ipv6Text(bytes, 0);
};

/** A copy of a record, without what has its default. */
export function takenFrom(record: FlowRecord): Taken {
  const { src, dst, details, more, ...rest } = record;
  return {
    ...rest,
    details: [...details],
    more: [...more],
    source: addressText(src, record.ipVersion),
    destination: addressText(dst, record.ipVersion),
  };
}

export function createHarness(options: Partial<NetflowDecoderOptions> = {}) {
  const records: Taken[] = [];
  const events: ProbeEvent[] = [];
  const lines: string[] = [];
  const counters = new Float64Array(NETFLOW_COUNTERS.length);
  const decoder = createNetflowDecoder({
    sink: { record: (record) => records.push(takenFrom(record)), event: (event) => events.push(event) },
    counters,
    log: (line) => lines.push(line),
    ...options,
  });
  return {
    decoder,
    records,
    events,
    lines,
    counters,
    send: (bytes: Buffer | string, { address = EXPORTER, port = 5000, at = NOW } = {}): void =>
      decoder.datagram(address, port, typeof bytes === 'string' ? Buffer.from(bytes.replace(/\s/g, ''), 'hex') : bytes, at),
    count: (name: Parameters<typeof netflowCounter>[0]): number => counters[netflowCounter(name)],
    /** The counters that are not zero, without those of messages, records and exporters. */
    troubles: (): Record<string, number> =>
      Object.fromEntries(NETFLOW_COUNTERS.flatMap(({ name, loss }, i) => (loss && counters[i] !== 0 ? [[name, counters[i]]] : []))),
  };
}

export const u8 = (value: number): Buffer => Buffer.from([value]);
export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
export const ip = (text: string): Buffer => Buffer.from(text.split('.').map(Number));
/** RFC 7011, 6.1.9: seconds since 1900 and their fraction. */
export const ntp = (µs: number): Buffer =>
  Buffer.concat([u32(Math.floor(µs / 1e6) + 2_208_988_800), u32(Math.floor(((µs % 1e6) * 2 ** 32) / 1e6))]);

/** A set: id, length, content, and padding to 4 bytes unless the content is wanted as it is. */
export const set = (id: number, content: Buffer, padding = (4 - (content.length % 4)) % 4): Buffer =>
  Buffer.concat([u16(id), u16(4 + content.length + padding), content, Buffer.alloc(padding)]);

/** A field of a template: element, length, enterprise. */
export type FieldOf = readonly [id: number, length: number, enterprise?: number | undefined];

const field = ([id, length, enterprise]: FieldOf): Buffer =>
  enterprise === undefined ? Buffer.concat([u16(id), u16(length)]) : Buffer.concat([u16(id | 0x8000), u16(length), u32(enterprise)]);

export const template = (id: number, fields: readonly FieldOf[]): Buffer =>
  Buffer.concat([u16(id), u16(fields.length), ...fields.map(field)]);

export const v9Options = (id: number, scopes: readonly FieldOf[], fields: readonly FieldOf[]): Buffer =>
  Buffer.concat([u16(id), u16(scopes.length * 4), u16(fields.length * 4), ...[...scopes, ...fields].map(field)]);

export const ipfixOptions = (id: number, scopes: readonly FieldOf[], fields: readonly FieldOf[]): Buffer =>
  Buffer.concat([u16(id), u16(scopes.length + fields.length), u16(scopes.length), ...[...scopes, ...fields].map(field)]);

/** A field of variable length (RFC 7011, 7). @param long three bytes of length even where one would do */
export const variable = (value: Buffer | string, long = false): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([long || bytes.length > 254 ? Buffer.concat([u8(255), u16(bytes.length)]) : u8(bytes.length), bytes]);
};

export interface HeaderOptions {
  /** s since 1970. */
  readonly seconds?: number;
  /** ms. */
  readonly uptime?: number;
  readonly sequence?: number;
  readonly domain?: number;
}

export const v9 = (
  sets: readonly Buffer[],
  { seconds = 1_700_000_010, uptime = 3_600_000, sequence = 0, domain = 7 }: HeaderOptions = {},
): Buffer => Buffer.concat([u16(9), u16(sets.length), u32(uptime), u32(seconds), u32(sequence), u32(domain), ...sets]);

export const ipfix = (sets: readonly Buffer[], { seconds = 1_700_000_010, sequence = 0, domain = 7 }: HeaderOptions = {}): Buffer => {
  const content = Buffer.concat(sets);
  return Buffer.concat([u16(10), u16(16 + content.length), u32(seconds), u32(sequence), u32(domain), content]);
};

/** A record of NetFlow v5. */
export interface V5Flow {
  readonly source?: string;
  readonly destination?: string;
  readonly packets?: number;
  readonly bytes?: number;
  readonly first?: number;
  readonly last?: number;
}

export const v5 = (
  flows: readonly V5Flow[],
  { seconds = 1_700_000_010, uptime = 3_600_000, sequence = 0, engine = 0, sampling = 0, nanoseconds = 0 } = {},
): Buffer =>
  Buffer.concat([
    u16(5),
    u16(flows.length),
    u32(uptime),
    u32(seconds),
    u32(nanoseconds),
    u32(sequence),
    u16(engine),
    u16(sampling),
    ...flows.map(({ source = '192.0.2.10', destination = '198.51.100.20', packets = 1, bytes = 60, first = uptime, last = uptime }) =>
      Buffer.concat([
        ip(source),
        ip(destination),
        u32(0),
        u32(0),
        u32(packets),
        u32(bytes),
        u32(first),
        u32(last),
        u16(51514),
        u16(443),
        Buffer.from([0, 0x18, 6, 0]),
        u32(0),
        u32(0),
      ]),
    ),
  ]);
