/**
 * Reads one lifecycle event (event.ts) in place: bytes in, numbers and strings out.
 *
 *   ring, recording, broker ──bytes──► EventView ──► fields.ts (keys of `info`), export.ts (JSON lines)
 *
 * A view is made once per interface and moved from event to event by `set`; nothing is decoded before it is asked for.
 * Strings are in Latin-1 form: one character is one byte as nDPI gave it (export.ts makes proper text of them).
 */
import { EMPTY_BOOK, type HostBook, type HostFacts, type Pool } from '../hosts/book.ts';
import { PV_IPV6 } from '../packet/batch.ts';
import {
  CALLBACK_BIT,
  CALLBACKS,
  type Callback,
  E_ALERT,
  E_ALERT_NOW,
  E_CALLBACKS,
  E_CLIENT,
  E_CLIENT_DEVICE,
  E_CLIENT_PORT,
  E_DETAIL,
  E_DETAIL_LENGTH,
  E_ELEPHANT_DOWN,
  E_ELEPHANT_UP,
  E_END,
  E_FLOW,
  E_INTERFACE,
  E_LENGTH,
  E_RECORD,
  E_SCORE,
  E_SEQ,
  E_SERVER,
  E_SERVER_DEVICE,
  E_SERVER_PORT,
  E_STATUS_BEFORE,
  E_TIME,
  E_VISIT,
  END_REASONS,
  type EndReason,
} from './event.ts';
import type { EXPORTED_DETAILS } from './exported-details.ts';
import type { OWN_DETAILS } from './own-details.ts';
import {
  DETAIL_APP,
  DETAIL_BREED,
  DETAIL_CATEGORY,
  DETAIL_CONFIDENCE,
  DETAIL_ENTRIES,
  DETAIL_MASTER,
  DETAIL_RISKS,
  R_MAC0,
  R_MAC1,
  R_PV,
  R_STATE,
  R_STATUS,
  RECORD_BYTES,
  readNumber,
} from './record.ts';

/** What the numbers of an interface's events stand for. Structured-clone-able; made by `namesOf` (dpi/names.ts). */
export interface Names {
  /** nDPI's names by id; empty without detection. */
  readonly protocols: readonly string[];
  readonly categories: readonly string[];
  readonly breeds: readonly string[];
  readonly risks: readonly string[];
  readonly confidences: readonly string[];
  /** Names of the details, by the ids used in detail blocks. */
  readonly details: readonly string[];
  /** Local networks in CIDR notation, by network id. */
  readonly localNetworks: readonly string[];
  readonly interfaceName: string;
  /** Unique per start of the program: part of flow ids. */
  readonly run: string;
  /** Packets were seen, not flow records. */
  readonly packetInterface: boolean;
  /** Counters are scaled from samples. */
  readonly sampled: boolean;
}

/** Details that fields read: names as the addon lists them. */
export type DetailName =
  | (typeof OWN_DETAILS)[number]
  | (typeof EXPORTED_DETAILS)[number]
  | 'host_server_name'
  | 'http.method'
  | 'http.url'
  | 'http.return_code'
  | 'http.user_agent'
  | 'http.content_type'
  | 'dns.query_type'
  | 'dns.reply_code'
  | 'tls.version'
  | 'tls.server_names'
  | 'tls.alpn'
  | 'tls.supported_versions'
  | 'tls.issuer'
  | 'tls.subject'
  | 'tls.not_before'
  | 'tls.not_after'
  | 'tls.sha1'
  | 'tls.ja3_client'
  | 'tls.ja3_server'
  | 'tls.server_cipher'
  | 'tls.unsafe_cipher'
  | 'ssh.client_signature'
  | 'ssh.server_signature'
  | 'ssh.hassh_client'
  | 'ssh.hassh_server'
  | 'bittorrent.hash'
  | 'dhcp.fingerprint'
  | 'dhcp.class'
  | 'entropy'
  | 'flow_info'
  | 'http.request_content_type'
  | 'http.request_version'
  | 'http.os'
  | 'http.nat_ip'
  | 'dns.num_answers'
  | 'dns.answer_type'
  | 'dns.answer_address'
  | 'dns.invalid_chars'
  | 'tls.esni'
  | 'tls.esni_cipher'
  | 'tls.browser'
  | 'kerberos.hostname'
  | 'kerberos.domain'
  | 'kerberos.username'
  | 'telnet.username'
  | 'login.user'
  | 'login.state'
  | 'ntp.version'
  | 'ntp.request_code'
  | 'ubntac2.version'
  | 'risk_score'
  | 'risk_score.client'
  | 'risk_score.server';

/** Protocols whose fields are read only for flows of that protocol (nDPI 4.2 names). */
const KNOWN_PROTOCOLS = [
  ...(['HTTP', 'DNS', 'MDNS', 'LLMNR', 'TLS', 'QUIC', 'DTLS', 'SSH', 'DHCP', 'SSDP', 'NTP', 'UBNTAC2'] as const),
  ...(['Kerberos', 'Telnet', 'FTP_CONTROL', 'SMTP', 'SMTPS', 'POP3', 'POPS', 'IMAP', 'IMAPS'] as const),
] as const;
export type KnownProtocol = (typeof KNOWN_PROTOCOLS)[number];

export interface EventView {
  readonly names: Names;
  /** Moves the view to the event at `offset` of `bytes`. Values read before stay as they are. */
  set(bytes: Uint8Array, offset: number): void;
  /** Where the view stands: the event's bytes start at `offset()` of `bytes()`. */
  bytes(): Uint8Array;
  offset(): number;
  /** Of the whole event, in bytes. */
  length(): number;

  /** Numbers of the flow record; `at` is an offset of record.ts. */
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
  f32(at: number): number;
  f64(at: number): number;

  /** µs since 1970: the visit's time. */
  time(): number;
  visit(): number;
  interfaceId(): number;
  /** The callbacks that are due, in the order in which they are called. */
  callbacks(): readonly Callback[];
  /** `''` while the flow lives. */
  endReason(): EndReason;
  /** Status bitmap at the previous visit, exact below 2^53. */
  statusBefore(): number;
  /** Status bitmap now: the whole (exact below 2^53), and its halves as unsigned 32-bit numbers. */
  status(): number;
  statusLow(): number;
  statusHigh(): number;

  /** Status for which the core raised its alert about the flow, 0 = it raised none. */
  alertedStatus(): number;
  /** Bytes from which on a transfer was an elephant at this visit. */
  elephantUpload(): number;
  elephantDownload(): number;
  /** Types of the devices by the user's policy (hosts/devices.ts), 0 = unknown. */
  clientDevice(): number;
  serverDevice(): number;
  /** Did it do so at this visit? */
  alertedNow(): boolean;

  /** Number of the flow on its interface, from 1 on. */
  seq(): number;
  /** Its place in the table while it lives. */
  place(): number;
  /** Score that scripts gave it, -1 = none. */
  score(): number;
  /** `run-interface-seq`: unique over interfaces and restarts. */
  flowId(): string;
  /** STATE_* bits. */
  state(): number;
  isIpv6(): boolean;
  /** Addresses as text: dotted IPv4, RFC 5952 IPv6. */
  client(): string;
  server(): string;
  /** Address bytes: the first IPv4 number (host order), or 32-bit word `index` of an IPv6 address as it lies in memory (little-endian). */
  clientWord(index: number): number;
  serverWord(index: number): number;
  clientPort(): number;
  serverPort(): number;
  /** What the book of hosts knows of an end. */
  clientFacts(): HostFacts;
  serverFacts(): HostFacts;
  clientPool(): Pool;
  serverPool(): Pool;
  clientVendor(): string;
  serverVendor(): string;
  /** IP protocol number. */
  l4(): number;
  vlan(): number;

  /** Head of the detail block; 0 where nothing was found. */
  application(): number;
  master(): number;
  category(): number;
  breed(): number;
  confidence(): number;
  risksLow(): number;
  risksHigh(): number;
  /** False: detection has not spoken yet, or is off. */
  hasDetail(): boolean;
  /** Is it the application or the master protocol? */
  is(protocol: KnownProtocol): boolean;
  /** Text of a detail in Latin-1 form; undefined where the flow has none. */
  text(detail: DetailName): string | undefined;
  /** Number of a detail; undefined where the flow has none, or none that JSON could say. */
  number(detail: DetailName): number | undefined;
}

/** One list per set of callback bits, so that reading them makes nothing. */
const CALLBACK_SETS: readonly (readonly Callback[])[] = Array.from({ length: 1 << CALLBACKS.length }, (_, bits) =>
  CALLBACKS.filter((name) => (bits & CALLBACK_BIT[name]) !== 0),
);

const DECIMALS = Array.from({ length: 256 }, (_, byte) => String(byte));
const DOTTED = DECIMALS.map((text) => `.${text}`);

function ipv4Text(data: DataView, at: number): string {
  const first = DECIMALS[data.getUint8(at)] as string;
  const second = DOTTED[data.getUint8(at + 1)] as string;
  return first + second + (DOTTED[data.getUint8(at + 2)] as string) + (DOTTED[data.getUint8(at + 3)] as string);
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero words as `::`, mapped IPv4 dotted. */
function ipv6Text(data: DataView, at: number): string {
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && data.getUint16(at + end * 2) === 0) end++;
    if (end - i > bestLength) {
      bestStart = i;
      bestLength = end - i;
    }
    i = end + 1;
  }
  if (bestStart === 0 && bestLength === 5 && data.getUint16(at + 10) === 0xffff) {
    return `::ffff:${ipv4Text(data, at + 12)}`;
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === bestStart) {
      text += '::';
      i += bestLength - 1;
    } else {
      if (text !== '' && !text.endsWith(':')) text += ':';
      text += data.getUint16(at + i * 2).toString(16);
    }
  }
  return text;
}

/** An address of 4 bytes, or of 16, as text. */
export const addressText = (data: DataView, at: number, ipv6: boolean): string => (ipv6 ? ipv6Text(data, at) : ipv4Text(data, at));

/** Where the parts of live flows lie: nothing is copied to look at them. */
export interface TableParts {
  /** Room for the header of one event, which is written when something of it is asked for. */
  readonly header: Uint8Array;
  readonly records: Uint8Array;
  readonly details: Uint8Array;
  /** Writes the header of a flow to `header`. */
  writeHeader(id: number): void;
  /** These two questions ask for alone, without the rest of the header: the flow's number, and words as `clientWord`. */
  sequenceOf(id: number): number;
  word(id: number, ofServer: boolean, index: number): number;
}

/** A view of live flows where they are. `bytes` are those of the header alone. */
export interface TableView extends EventView {
  /** @param block offset of the flow's detail block, 0 = it has none */
  at(id: number, block: number): void;
}

export function createEventView(names: Names, hosts: HostBook = EMPTY_BOOK): EventView {
  return createView(names, hosts, undefined);
}

export function createTableView(names: Names, parts: TableParts, hosts: HostBook = EMPTY_BOOK): TableView {
  return createView(names, hosts, parts);
}

const dataViewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);

function createView(names: Names, hosts: HostBook, table: TableParts | undefined): TableView {
  const detailIds = new Map<string, number>(names.details.map((name, id) => [name, id]));
  const known = Object.fromEntries(KNOWN_PROTOCOLS.map((name) => [name, names.protocols.indexOf(name)])) as Record<KnownProtocol, number>;
  const starts = new Int32Array(names.details.length);
  const lengths = new Int32Array(names.details.length);
  // texts read so far: several fields share one
  const texts: (string | undefined)[] = names.details.map(() => undefined);

  // an event has its three parts in one place; those of a live flow lie apart
  let source: Uint8Array = table?.header ?? new Uint8Array(E_DETAIL);
  let headerData = dataViewOf(source);
  let recordBytes = table?.records ?? source;
  let data = dataViewOf(recordBytes);
  let block = table === undefined ? data : dataViewOf(table.details);
  let strings = bufferOf(table?.details ?? source);
  let base = 0;
  let record = table === undefined ? E_RECORD : 0;
  let detail = 0; // offset of the detail block, 0 = none
  let scanned = false; // starts and lengths are those of this event
  let pending = 0; // flow whose header is not written yet, 0 = it is

  const header = (): DataView => {
    if (pending !== 0) {
      (table as TableParts).writeHeader(pending);
      pending = 0;
    }
    return headerData;
  };

  const isIpv6 = (): boolean => data.getInt32(record + R_PV, true) >= PV_IPV6;
  const address = (at: number): string => addressText(header(), at, isIpv6());

  /** Finds the block's entries; one that reaches beyond the block ends the search. */
  const scan = (): void => {
    lengths.fill(-1);
    texts.fill(undefined);
    scanned = true;
    const end = Math.min(detail + header().getUint32(base + E_DETAIL_LENGTH, true), block.byteLength);
    for (let at = detail + DETAIL_ENTRIES; at + 4 <= end; ) {
      const id = block.getUint16(at, true);
      const length = block.getUint16(at + 2, true);
      if (at + 4 + length > end) return;
      if (id < lengths.length && lengths[id] === -1) {
        starts[id] = at + 4;
        lengths[id] = length;
      }
      at += 4 + length;
    }
  };

  /** Id of a detail that this event has, or -1. */
  const find = (name: DetailName): number => {
    if (detail === 0) return -1;
    if (!scanned) scan();
    const id = detailIds.get(name);
    return id === undefined || lengths[id] === -1 ? -1 : id;
  };

  const bitmap = (of: DataView, at: number): number => of.getUint32(at, true) + of.getUint32(at + 4, true) * 2 ** 32;
  const word = (ofServer: boolean, index: number): number => {
    if (pending !== 0) return (table as TableParts).word(pending, ofServer, index);
    return headerData.getUint32(base + (ofServer ? E_SERVER : E_CLIENT) + index * 4, data.getInt32(record + R_PV, true) >= PV_IPV6);
  };
  const head16 = (at: number): number => (detail === 0 ? 0 : block.getUint16(detail + at, true));
  const head8 = (at: number): number => (detail === 0 ? 0 : block.getUint8(detail + at));
  const head32 = (at: number): number => (detail === 0 ? 0 : block.getUint32(detail + at, true));

  /** The bytes that addresses lie in. */
  const written = (): Uint8Array => {
    header();
    return source;
  };
  const facts = (at: number): HostFacts => hosts.facts(written(), base + at, isIpv6());
  /** The MAC address stands in the record, which need not lie with the header. */
  const macBytes = new Uint8Array(16 + 6);
  function pool(at: number, mac: number): Pool {
    if (recordBytes === source) return hosts.pool(source, base + at, isIpv6(), record + mac);
    macBytes.set(written().subarray(base + at, base + at + 16));
    macBytes.set(recordBytes.subarray(record + mac, record + mac + 6), 16);
    return hosts.pool(macBytes, 0, isIpv6(), 16);
  }

  return {
    names,
    set(bytes, offset) {
      if (bytes !== recordBytes) {
        source = bytes;
        recordBytes = bytes;
        headerData = data = block = dataViewOf(bytes);
        strings = bufferOf(bytes);
      }
      base = offset;
      record = offset + E_RECORD;
      detail = data.getUint32(offset + E_DETAIL_LENGTH, true) >= DETAIL_ENTRIES ? offset + E_DETAIL : 0;
      scanned = false;
      pending = 0;
    },
    at(id, blockAt) {
      record = id * RECORD_BYTES;
      detail = blockAt;
      scanned = false;
      pending = id;
    },
    bytes: written,
    offset: () => base,
    length: () => header().getUint32(base + E_LENGTH, true),
    u8: (at) => data.getUint8(record + at),
    u16: (at) => data.getUint16(record + at, true),
    u32: (at) => data.getUint32(record + at, true),
    f32: (at) => data.getFloat32(record + at, true),
    f64: (at) => data.getFloat64(record + at, true),

    time: () => header().getFloat64(base + E_TIME, true),
    visit: () => header().getUint32(base + E_VISIT, true),
    interfaceId: () => header().getUint16(base + E_INTERFACE, true),
    callbacks: () => CALLBACK_SETS[header().getUint8(base + E_CALLBACKS) & (CALLBACK_SETS.length - 1)] as readonly Callback[],
    endReason: () => END_REASONS[header().getUint8(base + E_END)] ?? '',
    statusBefore: () => bitmap(header(), base + E_STATUS_BEFORE),
    status: () => bitmap(data, record + R_STATUS),
    statusLow: () => data.getUint32(record + R_STATUS, true),
    statusHigh: () => data.getUint32(record + R_STATUS + 4, true),

    alertedStatus: () => header().getUint8(base + E_ALERT),
    elephantUpload: () => header().getFloat64(base + E_ELEPHANT_UP, true),
    elephantDownload: () => header().getFloat64(base + E_ELEPHANT_DOWN, true),
    clientDevice: () => header().getUint8(base + E_CLIENT_DEVICE),
    serverDevice: () => header().getUint8(base + E_SERVER_DEVICE),
    alertedNow: () => header().getUint8(base + E_ALERT_NOW) !== 0,

    place: () => (pending === 0 ? headerData.getUint32(base + E_FLOW, true) : pending),
    score() {
      const score = header().getUint16(base + E_SCORE, true);
      return score === 0xffff ? -1 : score;
    },
    seq: () => (pending === 0 ? headerData.getFloat64(base + E_SEQ, true) : (table as TableParts).sequenceOf(pending)),
    flowId: () => `${names.run}-${header().getUint16(base + E_INTERFACE, true)}-${header().getFloat64(base + E_SEQ, true)}`,
    state: () => data.getInt32(record + R_STATE, true),
    isIpv6,
    clientFacts: () => facts(E_CLIENT),
    serverFacts: () => facts(E_SERVER),
    clientPool: () => pool(E_CLIENT, R_MAC0),
    serverPool: () => pool(E_SERVER, R_MAC1),
    clientVendor: () => hosts.vendor(recordBytes, record + R_MAC0),
    serverVendor: () => hosts.vendor(recordBytes, record + R_MAC1),
    client: () => address(base + E_CLIENT),
    server: () => address(base + E_SERVER),
    clientWord: (index) => word(false, index),
    serverWord: (index) => word(true, index),
    clientPort: () => header().getUint16(base + E_CLIENT_PORT, true),
    serverPort: () => header().getUint16(base + E_SERVER_PORT, true),
    l4: () => data.getUint8(record + R_PV),
    vlan: () => data.getUint16(record + R_PV + 1, true),

    application: () => head16(DETAIL_APP),
    master: () => head16(DETAIL_MASTER),
    category: () => head16(DETAIL_CATEGORY),
    breed: () => head8(DETAIL_BREED),
    confidence: () => head8(DETAIL_CONFIDENCE),
    risksLow: () => head32(DETAIL_RISKS),
    risksHigh: () => head32(DETAIL_RISKS + 4),
    hasDetail: () => detail !== 0,
    is(protocol) {
      if (detail === 0) return false;
      const id = known[protocol];
      return block.getUint16(detail + DETAIL_APP, true) === id || block.getUint16(detail + DETAIL_MASTER, true) === id;
    },
    text(name) {
      const id = find(name);
      if (id < 0) return undefined;
      const start = starts[id] as number;
      return (texts[id] ??= strings.toString('latin1', start, start + (lengths[id] as number)));
    },
    number(name) {
      const id = find(name);
      const value = id < 0 ? undefined : readNumber(block, starts[id] as number, lengths[id] as number);
      return Number.isFinite(value) ? value : undefined;
    },
  };
}
