/**
 * The bytes of a lifecycle event out of a plain object:
 *
 *   event({ client: '10.0.0.1', server: '10.0.0.2', clientPort: 4000, serverPort: 53, l4: 17, details: { host_server_name: 'a.example' } })
 *
 * What is left out is 0. `record` writes single numbers at offsets of record.ts, for all that has no name here.
 */
import {
  CALLBACK_BIT,
  type Callback,
  E_CALLBACKS,
  E_CLIENT,
  E_CLIENT_PORT,
  E_DETAIL,
  E_DETAIL_LENGTH,
  E_END,
  E_INTERFACE,
  E_LENGTH,
  E_RECORD,
  E_SCORE,
  E_SEQ,
  E_SERVER,
  E_SERVER_PORT,
  E_STATUS_BEFORE,
  E_TIME,
  E_VERSION,
  E_VISIT,
  END_REASONS,
  type EndReason,
  EVENT_VERSION,
} from '../../src/flows/event.ts';
import { NO_SCORE } from '../../src/flows/overrides.ts';
import {
  D_BYTES,
  D_FRAGMENTS,
  D_GOODPUT,
  D_LEN_SQUARES,
  D_MAX_LEN,
  D_MIN_LEN,
  D_PACKETS,
  D_TCP_FLAGS,
  D_WINDOW,
  DETAIL_APP,
  DETAIL_BREED,
  DETAIL_CATEGORY,
  DETAIL_CONFIDENCE,
  DETAIL_ENTRIES,
  DETAIL_MASTER,
  DETAIL_RISKS,
  R_DIR,
  R_DIR_BYTES,
  R_FIRST,
  R_LAST,
  R_MAC0,
  R_MAC1,
  R_NET0,
  R_NET1,
  R_PV,
  R_SEQ,
  R_STATE,
  R_STATUS,
} from '../../src/flows/record.ts';
import type { DetailName, Names } from '../../src/flows/view.ts';
import { PV_IPV6 } from '../../src/packet/batch.ts';
import { address, mac } from './packets.ts';

/** One direction of a flow. `lengths` are the frames: bytes, packets, shortest, longest and squares follow from them. */
export interface DirectionOf {
  readonly lengths?: readonly number[];
  readonly goodput?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly fragments?: number;
}

/** A number of the record by its type: `{ u32: { [R_SYN]: 1 } }`. */
export interface RecordNumbers {
  readonly u8?: Readonly<Record<number, number>>;
  readonly u16?: Readonly<Record<number, number>>;
  readonly u32?: Readonly<Record<number, number>>;
  readonly f32?: Readonly<Record<number, number>>;
  readonly f64?: Readonly<Record<number, number>>;
}

export interface EventOf {
  readonly callbacks?: readonly Callback[];
  readonly end?: EndReason;
  /** µs since 1970. */
  readonly time?: number;
  readonly visit?: number;
  readonly interfaceId?: number;
  readonly seq?: number;
  /** That scripts gave it. */
  readonly score?: number;
  readonly status?: number;
  readonly statusBefore?: number;
  readonly client?: string;
  readonly server?: string;
  readonly clientPort?: number;
  readonly serverPort?: number;
  readonly l4?: number;
  readonly vlan?: number;
  readonly state?: number;
  /** µs since 1970. */
  readonly first?: number;
  readonly last?: number;
  readonly clientMac?: string;
  readonly serverMac?: string;
  /** Numbers of the local networks; absent = remote. */
  readonly clientNetwork?: number;
  readonly serverNetwork?: number;
  readonly cli2srv?: DirectionOf;
  readonly srv2cli?: DirectionOf;
  readonly record?: RecordNumbers;
  readonly application?: string;
  readonly master?: string;
  readonly category?: string;
  readonly breed?: string;
  readonly confidence?: string;
  /** nDPI risk ids. */
  readonly risks?: readonly number[];
  /** Texts (UTF-8, or bytes as they are) and numbers. With any of these, or an application, there is a detail block. */
  readonly details?: Readonly<Partial<Record<DetailName, string | number | Uint8Array>>>;
}

/** Details by id, in an order of the tests' own: fields find them by name. */
export const DETAILS: readonly DetailName[] = [
  'bittorrent.hash',
  'dhcp.class',
  'dhcp.fingerprint',
  'dns.query_type',
  'dns.reply_code',
  'entropy',
  'host_server_name',
  'http.content_type',
  'http.method',
  'http.return_code',
  'http.url',
  'http.user_agent',
  'ssh.client_signature',
  'ssh.hassh_client',
  'ssh.hassh_server',
  'ssh.server_signature',
  'tls.alpn',
  'tls.issuer',
  'tls.ja3_client',
  'tls.ja3_server',
  'tls.not_after',
  'tls.not_before',
  'tls.server_cipher',
  'tls.server_names',
  'tls.sha1',
  'tls.subject',
  'tls.supported_versions',
  'tls.unsafe_cipher',
  'tls.version',
];

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'Unknown',
  5: 'DNS',
  7: 'HTTP',
  18: 'DHCP',
  37: 'BitTorrent',
  81: 'ICMP',
  91: 'TLS',
  92: 'SSH',
  126: 'Google',
};

export const NAMES: Names = {
  protocols: Array.from({ length: 127 }, (_, id) => PROTOCOLS[id] ?? `Protocol${id}`),
  categories: ['Unspecified', 'Media', 'VPN', 'Email', 'DataTransfer', 'Web'],
  breeds: ['Safe', 'Acceptable', 'Fun', 'Unsafe', 'Potentially Dangerous', 'Tracker/Ads', 'Dangerous', 'Unrated'],
  risks: Array.from({ length: 40 }, (_, id) => (id === 0 ? '' : `Risk ${id}`)),
  confidences: ['Unknown', 'Match by port', 'Match by IP', 'DPI (cache)', 'DPI'],
  details: DETAILS,
  localNetworks: ['10.0.0.0/8', '192.168.0.0/16'],
  interfaceName: 'eth0',
  run: 'k3x9',
  packetInterface: true,
  sampled: false,
};

const idOf = (names: readonly string[], name: string | undefined): number => {
  if (name === undefined) return 0;
  const id = names.indexOf(name);
  if (id < 0) throw new Error(`no name ${name}`);
  return id;
};

function detailBlock(of: EventOf, names: Names): Uint8Array {
  if (
    of.details === undefined &&
    of.application === undefined &&
    of.master === undefined &&
    of.category === undefined &&
    of.risks === undefined
  ) {
    return new Uint8Array(0);
  }
  const entries = Object.entries(of.details ?? {}).map(([name, value]): [number, Uint8Array] => {
    const bytes =
      typeof value === 'number'
        ? new Uint8Array(Float64Array.of(value).buffer)
        : typeof value === 'string'
          ? new TextEncoder().encode(value)
          : value;
    return [idOf(names.details, name), bytes];
  });
  const block = new Uint8Array(entries.reduce((sum, [, bytes]) => sum + 4 + bytes.length, DETAIL_ENTRIES));
  const data = new DataView(block.buffer);
  data.setUint16(DETAIL_APP, idOf(names.protocols, of.application), true);
  data.setUint16(DETAIL_MASTER, idOf(names.protocols, of.master), true);
  data.setUint16(DETAIL_CATEGORY, idOf(names.categories, of.category), true);
  block[DETAIL_BREED] = idOf(names.breeds, of.breed);
  block[DETAIL_CONFIDENCE] = idOf(names.confidences, of.confidence);
  data.setBigUint64(
    DETAIL_RISKS,
    (of.risks ?? []).reduce((bits, id) => bits | (1n << BigInt(id)), 0n),
    true,
  );
  let at = DETAIL_ENTRIES;
  for (const [id, bytes] of entries) {
    data.setUint16(at, id, true);
    data.setUint16(at + 2, bytes.length, true);
    block.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  return block;
}

export function event(of: EventOf, names: Names = NAMES): Uint8Array {
  const detail = detailBlock(of, names);
  const length = (E_DETAIL + detail.length + 7) & ~7;
  const bytes = new Uint8Array(length);
  const data = new DataView(bytes.buffer);
  data.setUint32(E_LENGTH, length, true);
  data.setUint16(E_VERSION, EVENT_VERSION, true);
  bytes[E_CALLBACKS] = (of.callbacks ?? []).reduce((bits, name) => bits | CALLBACK_BIT[name], 0);
  bytes[E_END] = END_REASONS.indexOf(of.end ?? '');
  data.setFloat64(E_TIME, of.time ?? 0, true);
  data.setUint32(E_VISIT, of.visit ?? 0, true);
  data.setUint16(E_INTERFACE, of.interfaceId ?? 0, true);
  data.setUint16(E_SCORE, of.score ?? NO_SCORE, true);
  data.setFloat64(E_SEQ, of.seq ?? 0, true);
  const bitmap = (at: number, value: number): void => {
    data.setUint32(at, value % 2 ** 32, true);
    data.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  };
  bitmap(E_STATUS_BEFORE, of.statusBefore ?? 0);
  bytes.set(address(of.client ?? '0.0.0.0'), E_CLIENT);
  bytes.set(address(of.server ?? '0.0.0.0'), E_SERVER);
  data.setUint32(E_DETAIL_LENGTH, detail.length, true);
  data.setUint16(E_CLIENT_PORT, of.clientPort ?? 0, true);
  data.setUint16(E_SERVER_PORT, of.serverPort ?? 0, true);
  bytes.set(detail, E_DETAIL);

  const at = (offset: number): number => E_RECORD + offset;
  const ipv6 = (of.client ?? of.server ?? '').includes(':') ? PV_IPV6 : 0;
  data.setInt32(at(R_PV), (of.l4 ?? 0) | ((of.vlan ?? 0) << 8) | ipv6, true);
  data.setInt32(at(R_STATE), of.state ?? 0, true);
  data.setFloat64(at(R_FIRST), of.first ?? 0, true);
  data.setFloat64(at(R_LAST), of.last ?? of.first ?? 0, true);
  bitmap(at(R_STATUS), of.status ?? 0);
  data.setFloat64(at(R_SEQ), of.seq ?? 0, true);
  if (of.clientMac !== undefined) bytes.set(mac(of.clientMac), at(R_MAC0));
  if (of.serverMac !== undefined) bytes.set(mac(of.serverMac), at(R_MAC1));
  bytes[at(R_NET0)] = (of.clientNetwork ?? -1) + 1;
  bytes[at(R_NET1)] = (of.serverNetwork ?? -1) + 1;
  for (const [index, direction] of [of.cli2srv, of.srv2cli].entries()) {
    if (direction === undefined) continue;
    const line = at(R_DIR + index * R_DIR_BYTES);
    const lengths = direction.lengths ?? [];
    data.setFloat64(
      line + D_BYTES,
      lengths.reduce((sum, n) => sum + n, 0),
      true,
    );
    data.setFloat64(
      line + D_LEN_SQUARES,
      lengths.reduce((sum, n) => sum + n * n, 0),
      true,
    );
    data.setUint32(line + D_PACKETS, lengths.length, true);
    data.setUint16(line + D_MIN_LEN, lengths.length === 0 ? 0 : Math.min(...lengths), true);
    data.setUint16(line + D_MAX_LEN, lengths.length === 0 ? 0 : Math.max(...lengths), true);
    data.setFloat64(line + D_GOODPUT, direction.goodput ?? 0, true);
    data.setUint16(line + D_TCP_FLAGS, direction.flags ?? 0, true);
    data.setUint32(line + D_WINDOW, direction.window ?? 0, true);
    data.setUint32(line + D_FRAGMENTS, direction.fragments ?? 0, true);
  }
  const { u8 = {}, u16 = {}, u32 = {}, f32 = {}, f64 = {} } = of.record ?? {};
  for (const [offset, value] of Object.entries(u8)) data.setUint8(at(Number(offset)), value);
  for (const [offset, value] of Object.entries(u16)) data.setUint16(at(Number(offset)), value, true);
  for (const [offset, value] of Object.entries(u32)) data.setUint32(at(Number(offset)), value, true);
  for (const [offset, value] of Object.entries(f32)) data.setFloat32(at(Number(offset)), value, true);
  for (const [offset, value] of Object.entries(f64)) data.setFloat64(at(Number(offset)), value, true);
  return bytes;
}
