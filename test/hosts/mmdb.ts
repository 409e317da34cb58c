/** Writes MMDB files (MaxMind DB format 2.0) out of plain objects, with 32-bit records and without shared values. */
import { parseIPv4, parseIPv6 } from '../../src/hosts/prefixes.ts';

type Value = string | number | { readonly [key: string]: Value };

const TYPE_TEXT = 2;
const TYPE_DOUBLE = 3;
const TYPE_UINT16 = 5;
const TYPE_UINT32 = 6;
const TYPE_MAP = 7;

/** Control byte: type, and the size below 285. */
const control = (type: number, size: number): Buffer =>
  size < 29 ? Buffer.from([(type << 5) | size]) : Buffer.from([(type << 5) | 29, size - 29]);

function encode(value: Value): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8');
    return Buffer.concat([control(TYPE_TEXT, bytes.length), bytes]);
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(Number.isInteger(value) ? 4 : 8);
    if (Number.isInteger(value)) bytes.writeUInt32BE(value);
    else bytes.writeDoubleBE(value);
    return Buffer.concat([control(Number.isInteger(value) ? TYPE_UINT32 : TYPE_DOUBLE, bytes.length), bytes]);
  }
  const entries = Object.entries(value);
  return Buffer.concat([control(TYPE_MAP, entries.length), ...entries.flatMap(([key, member]) => [encode(key), encode(member)])]);
}

const uint16 = (value: number): Buffer => Buffer.concat([control(TYPE_UINT16, 2), Buffer.from([value >> 8, value & 255])]);

/** Bits of a network in the tree: IPv4 lies in the first 32 of the last 128 in a tree for IPv6. */
function bitsOf(network: string, ipVersion: 4 | 6): number[] {
  const [address = '', length = ''] = network.split('/');
  const four = !address.includes(':');
  const bytes = four ? [24, 16, 8, 0].map((shift) => (parseIPv4(address) >>> shift) & 255) : [...parseIPv6(address)];
  const bits = bytes.flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> (7 - bit)) & 1)).slice(0, Number(length));
  return four && ipVersion === 6 ? [...new Array<number>(96).fill(0), ...bits] : bits;
}

export interface MmdbOf {
  readonly type: string;
  readonly ipVersion: 4 | 6;
  /** Network → record. */
  readonly networks: Readonly<Record<string, Value>>;
}

export function mmdbFile({ type, ipVersion, networks }: MmdbOf): Buffer {
  // A side of a node is another node (> 0), nothing (0), or data (< 0: -1 - offset).
  const nodes: [number, number][] = [[0, 0]];
  const data: Buffer[] = [];
  let offset = 0;
  for (const [network, record] of Object.entries(networks)) {
    const bits = bitsOf(network, ipVersion);
    let at = 0;
    for (const bit of bits.slice(0, -1)) {
      const node = nodes[at] as [number, number];
      if (node[bit] === 0) node[bit] = nodes.push([0, 0]) - 1;
      at = node[bit] as number;
    }
    (nodes[at] as [number, number])[bits.at(-1) as number] = -1 - offset;
    const bytes = encode(record);
    data.push(bytes);
    offset += bytes.length;
  }
  const tree = Buffer.alloc(nodes.length * 8);
  for (const [at, sides] of nodes.entries()) {
    for (const [side, to] of sides.entries()) {
      tree.writeUInt32BE(to > 0 ? to : to === 0 ? nodes.length : nodes.length + 16 + (-1 - to), at * 8 + side * 4);
    }
  }
  const metadata = Buffer.concat([
    control(TYPE_MAP, 4),
    ...[encode('database_type'), encode(type)],
    ...[encode('ip_version'), uint16(ipVersion)],
    ...[encode('record_size'), uint16(32)],
    ...[encode('node_count'), encode(nodes.length)],
  ]);
  return Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata]);
}
