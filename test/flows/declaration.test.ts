/**
 * The declaration of the fields against what ntopng has: keys, types, levels and generations are written out here, as facts.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { createTable, databaseColumns } from '../../src/flows/derived/columns.ts';
import { tableColumns } from '../../src/flows/derived/table-columns.ts';
import { E_ALERT } from '../../src/flows/event.ts';
import { flowLine } from '../../src/flows/export.ts';
import { ANY, type FieldType, type FieldValue, type Generation, type Level, type Member } from '../../src/flows/fields/field.ts';
import { DECLARED, FIELDS, type Field, fieldByKey } from '../../src/flows/fields.ts';
import { I_EXTRA, R_IAT, STATE_ALERTED } from '../../src/flows/record.ts';
import { createEventView, type EventView } from '../../src/flows/view.ts';
import { GETTERS } from '../../src/scripts/getters.ts';
import type { Info } from '../../types/info.d.ts';
import { type EventOf, event, NAMES } from '../support/events.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);
const ends = (names: string): string[] => ['cli', 'srv'].flatMap((end) => words(names).map((name) => `${end}.${name}`));
const directions = (names: string): string[] => ['cli2srv', 'srv2cli'].flatMap((way) => words(names).map((name) => `${way}.${name}`));

/** `info` of October 2019 at the highest level. */
const OF_2019: readonly (readonly [FieldType, Level, readonly string[]])[] = [
  ['string', 'normal', ends('ip')],
  ['int', 'normal', ends('key vlan port')],
  ['bool', 'high', ends('allowed_host systemhost blacklisted private')],
  ['string', 'high', ends('host mac quota_source')],
  ['int', 'high', ends('source_id network_id pool_id')],
  ['float', 'higher', ends('latitude longitude')],
  ['string', 'max', ends('country city')],

  ['int', 'normal', words('ntopng.key flow.status status_map flow.alert_rowid')],
  ['bool', 'normal', words('flow.idle flow.alerted')],
  ['int', 'high', words('vlan vrfId seen.first seen.last duration score')],
  ['string', 'high', words('profile status_info')],
  ['bool', 'high', words('verdict.pass')],
  ['int', 'high', words('marker shaper.cli2srv_ingress shaper.cli2srv_egress shaper.srv2cli_ingress shaper.srv2cli_egress')],

  ['string', 'high', words('proto.l4 proto.ndpi proto.ndpi_breed proto.ndpi_cat')],
  ['int', 'high', words('proto.ndpi_id proto.ndpi_cat_id')],

  ['int', 'normal', words('bytes goodput_bytes bytes.last goodput_bytes.last')],
  ['int', 'high', words('packets packets.last throughput_trend_bps throughput_trend_pps')],
  ['int', 'high', directions('bytes goodput_bytes packets last fragments pkt_len.min pkt_len.max pkt_len.avg pkt_len.stddev')],
  ['int', 'higher', directions('goodput_bytes.last')],
  ['bool', 'high', words('flow_goodput.low')],
  ['table', 'high', words('interarrival.cli2srv interarrival.srv2cli')],
  ['float', 'high', words('throughput_bps throughput_cli2srv_bps throughput_srv2cli_bps top_throughput_bps')],
  ['float', 'high', words('throughput_pps throughput_cli2srv_pps throughput_srv2cli_pps top_throughput_pps')],

  ['bool', 'high', words('tcp.seq_problems tcp_established tcp_connecting tcp_closed tcp_reset')],
  ['float', 'high', words('tcp.nw_latency.client tcp.nw_latency.server tcp.appl_latency tcp.max_thpt.cli2srv tcp.max_thpt.srv2cli')],
  ['int', 'high', directions('retransmissions out_of_order lost keep_alive tcp_flags')],

  ['string', 'high', words('host_server_name bittorrent_hash info moreinfo.json')],
  ['string', 'high', words('protos.http.last_method protos.http.last_url protos.http.server_name')],
  ['int', 'high', words('protos.http.last_return_code')],
  ['string', 'high', words('protos.dns.last_query')],
  ['int', 'high', words('protos.dns.last_query_type protos.dns.last_return_code')],
  ['string', 'high', words('protos.ssh.client_signature protos.ssh.server_signature')],
  ['string', 'high', words('protos.ssh.hassh.client_hash protos.ssh.hassh.server_hash')],
  ['int', 'high', words('protos.ssl_version protos.ssl.ja3.server_cipher')],
  ['string', 'high', words('protos.ssl.certificate protos.ssl.server_certificate')],
  ['string', 'high', words('protos.ssl.ja3.client_hash protos.ssl.ja3.server_hash protos.ssl.ja3.server_unsafe_cipher')],
  ['bool', 'high', words('protos.ssl.ja3.client_malicious protos.ssl.ja3.server_malicious')],
  ['table', 'high', words('icmp')],
  ['table', 'high', words('client_process client_container client_tcp_info server_process server_container server_tcp_info')],
];

const LATER: Readonly<Record<Exclude<Generation, '2019'>, readonly (readonly [FieldType, readonly string[]])[]>> = {
  '4.0': [
    ['bool', ends('broadmulticast localhost')],
    ['int', ends('asn devtype')],
    ['string', ends('os')],
    ['int', words('proto.l4_id proto.master_ndpi_id hash_entry_id alerted_status')],
    ['string', words('proto.ndpi_app')],
    ['table', words('status_infos')],
    ['int', words('protos.tls_version protos.tls.ja3.server_cipher protos.tls.notBefore protos.tls.notAfter')],
    ['string', words('protos.tls.client_requested_server_name protos.tls.server_names protos.tls.client_alpn')],
    ['string', words('protos.tls.client_tls_supported_versions')],
    ['string', words('protos.tls.ja3.client_hash protos.tls.ja3.server_hash protos.tls.ja3.server_unsafe_cipher')],
    ['bool', words('protos.tls.ja3.client_malicious protos.tls.ja3.server_malicious protos.dns.invalid_chars_in_query')],
  ],
  '4.2': [
    ['table', words('tos flow_risk entropy iec104')],
    ['string', words('protos.tls.issuerDN protos.tls.subjectDN')],
    ['int', words('src_as dst_as prev_adjacent_as next_adjacent_as device_id in_index out_index alerted_status_score')],
  ],
};

/** What no flow of ours has, and why. */
const ABSENT: Readonly<Record<string, readonly string[]>> = {
  'systems that are inline have it': [
    ...ends('quota_source'),
    ...words('verdict.pass marker shaper.cli2srv_ingress shaper.cli2srv_egress shaper.srv2cli_ingress shaper.srv2cli_egress'),
  ],
  'commercial builds have it': words('profile'),
  'alerts are stored in another thread, after the event': words('flow.alert_rowid'),
  'the record keeps what the visit before saw of both directions together': directions('goodput_bytes.last'),
  'statuses that the core sets have no script and no score': words('status_infos alerted_status_score'),
  'nDPI 4.2 tells one figure for both directions': words('entropy'),
  'nDPI 4.2 finds the protocol and reads nothing of it': words('iec104'),
};

/** Members of the tables that have some of their own, without those of any name. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'interarrival.cli2srv': words('min max avg stddev'),
  'interarrival.srv2cli': words('min max avg stddev'),
  icmp: words('type code unreach unreach.src_ip unreach.dst_ip unreach.src_port unreach.dst_port unreach.protocol'),
  tos: words('client client.DSCP client.ECN server server.DSCP server.ECN'),
  entropy: words('client server'),
  ...Object.fromEntries(
    words('client server').flatMap((end) => [
      [
        `${end}_process`,
        words('pid uid gid actual_memory peak_memory name user_name father_pid father_uid father_gid father_name father_user_name'),
      ],
      [`${end}_container`, words('id k8s.name k8s.pod k8s.ns docker.name')],
      [`${end}_tcp_info`, words('rtt rtt_var')],
    ]),
  ),
};

const declared = new Map(DECLARED.map((field) => [field.key, field]));
const known2019 = OF_2019.flatMap(([type, level, keys]) => keys.map((key) => ({ key, type, level, since: '2019' })));
const knownLater = Object.entries(LATER).flatMap(([since, rows]) =>
  rows.flatMap(([type, keys]) => keys.map((key) => ({ key, type, level: 'high', since }))),
);

const viewOf = (of: EventOf): EventView => {
  const view = createEventView(NAMES);
  view.set(event(of), 0);
  return view;
};
const THEIRS = [...known2019, ...knownLater];

describe('the declaration', () => {
  test('has every key of 2019, 4.0 and 4.2 with its type, level and generation', () => {
    const stated = THEIRS.map(({ key }) => {
      const field = declared.get(key);
      return { key, type: field?.type, level: field?.level ?? 'high', since: field?.since ?? '2019' };
    });
    assert.deepEqual(stated, THEIRS);
    assert.equal(new Set(THEIRS.map(({ key }) => key)).size, THEIRS.length);
  });

  test('has the members of their tables', () => {
    const named = (members: readonly Member[], way = ''): string[] =>
      members.flatMap(({ key, members: inner }) => (key === ANY ? [] : [way + key, ...named(inner ?? [], `${way}${key}.`)]));
    const stated = DECLARED.flatMap(({ key, members }) => {
      const names = named(members ?? []);
      return names.length === 0 ? [] : [[key, names]];
    });
    assert.deepEqual(Object.fromEntries(stated), MEMBERS);
  });

  test('says of the same keys as here that no flow has them', () => {
    const never = DECLARED.filter((field) => field.never === true).map(({ key }) => key);
    assert.deepEqual(never.sort(), Object.values(ABSENT).flat().sort());
  });

  test('calls every other key our own, and none of theirs', () => {
    const theirs = new Set(THEIRS.map(({ key }) => key));
    assert.deepEqual(
      DECLARED.filter(({ key, ours }) => (ours === true) === theirs.has(key)).map(({ key }) => key),
      [],
    );
  });

  test('has no key twice', () => {
    assert.equal(declared.size, DECLARED.length);
  });

  test('says what each value is, in words that fit into a sentence', () => {
    const check = (path: string, { doc, unit, when, type, members }: Member): void => {
      for (const text of [doc, unit, when]) if (text !== undefined) assert.match(text, /^\S(.*[^\s.])?$/, path);
      assert.equal(members !== undefined, type === 'table', `${path}: tables, and nothing else, have members`);
      if (members?.some(({ key }) => key === ANY)) assert.equal(members.length, 1, path);
      for (const member of members ?? []) check(`${path}.${member.key}`, member);
    };
    for (const field of DECLARED) check(field.key, field);
  });

  test('never fields are in no flow, and say where they would be', () => {
    const never = DECLARED.filter((field) => field.never === true);
    assert.ok(never.length > 0);
    for (const field of never) {
      assert.equal(field.read(viewOf({})), undefined);
      assert.notEqual(field.when, undefined);
      assert.equal(fieldByKey.has(field.key), false);
    }
    assert.equal(FIELDS.length + never.length, DECLARED.length);
  });

  test('the keys of an alerted flow', () => {
    const read = (state: number): (FieldValue | undefined)[] => {
      const bytes = event({ seq: 7, state });
      bytes[E_ALERT] = 13;
      const view = createEventView(NAMES);
      view.set(bytes, 0);
      return ['flow.alerted', 'alerted_status', 'hash_entry_id'].map((key) => fieldByKey.get(key)?.read(view));
    };
    assert.deepEqual(read(0), [undefined, undefined, 7]);
    assert.deepEqual(read(STATE_ALERTED), [true, 13, 7]);
  });
});

describe('getters', () => {
  const traffic = 'bytes goodput_bytes packets last pkt_len.min pkt_len.max pkt_len.avg pkt_len.stddev fragments';
  const host = 'host source_id mac systemhost blacklisted network_id pool_id private';
  const place = 'latitude longitude country city';
  const below = (prefix: string, names: string): string[] => words(names).map((name) => `${prefix}.${name}`);
  const GETTERS_OF_2019: Readonly<Record<string, readonly string[]>> = {
    getStatus: words('flow.idle flow.status status_map flow.alerted flow.alert_rowid'),
    getProtocols: words('proto.l4 proto.ndpi proto.ndpi_id proto.ndpi_breed proto.ndpi_cat_id proto.ndpi_cat'),
    getBytes: words('bytes goodput_bytes bytes.last goodput_bytes.last'),
    getClient2ServerTraffic: below('cli2srv', traffic),
    getServer2ClientTraffic: below('srv2cli', traffic),
    getClient2ServerIAT: ['interarrival.cli2srv'],
    getServer2ClientIAT: ['interarrival.srv2cli'],
    getPackets: words('packets packets.last'),
    getTime: words('seen.first seen.last duration'),
    getClientIp: words('cli.ip cli.key cli.vlan'),
    getServerIp: words('srv.ip srv.key srv.vlan'),
    getClientInfo: below('cli', host),
    getServerInfo: below('srv', host),
    getSSLInfo: [
      'protos.ssl_version',
      ...below('protos.ssl', 'certificate server_certificate ja3.client_hash ja3.server_hash ja3.server_cipher'),
      ...below('protos.ssl.ja3', 'server_unsafe_cipher client_malicious server_malicious'),
    ],
    getSSHInfo: below('protos.ssh', 'client_signature server_signature hassh.client_hash hassh.server_hash'),
    getHTTPInfo: below('protos.http', 'last_method last_return_code last_url server_name'),
    getDNSInfo: below('protos.dns', 'last_query last_query_type last_return_code'),
    getICMPInfo: ['icmp'],
    getTCPInfo: [
      ...words('tcp.seq_problems tcp.nw_latency.client tcp.nw_latency.server tcp.appl_latency tcp.max_thpt.cli2srv tcp.max_thpt.srv2cli'),
      ...directions('retransmissions out_of_order lost keep_alive tcp_flags'),
      ...words('tcp_established tcp_connecting tcp_closed tcp_reset'),
    ],
    getClientPort: ['cli.port'],
    getServerPort: ['srv.port'],
    getClientGeolocation: below('cli', place),
    getServerGeolocation: below('srv', place),
  };
  const sorted = (of: Readonly<Record<string, readonly string[]>>): unknown =>
    Object.fromEntries(Object.entries(of).map(([name, keys]) => [name, keys.filter((key) => declared.get(key)?.never !== true).sort()]));

  test('have the keys of October 2019', () => {
    assert.equal(Object.keys(GETTERS_OF_2019).length, 23);
    assert.deepEqual(sorted(GETTERS), sorted(GETTERS_OF_2019));
  });
});

describe('what is derived', () => {
  const echo: EventOf = { l4: 1, risks: [2], record: { u8: { [R_IAT + I_EXTRA]: 0xb9, [R_IAT + I_EXTRA + 2]: 8 } } };

  test('TypeScript reads flow lines by their type', () => {
    const values = (info: Info): unknown[] => [
      info['cli.ip'].length,
      info['proto.l4'],
      info.icmp?.type,
      info.flow_risk?.['Risk 2'],
      info['interarrival.cli2srv']?.avg,
      info.tos.client.ECN,
      info['flow.idle'],
      info['cli.vlan'],
    ];
    assert.deepEqual(values(JSON.parse(flowLine(viewOf(echo))) as Info), [7, 'ICMP', 8, 2, 0, 1, false, undefined]);
  });

  test('a database makes the table of all columns', () => {
    const columns = databaseColumns(FIELDS);
    const database = new DatabaseSync(':memory:');
    database.exec(createTable('flows "1"', columns));
    const made = database.prepare('SELECT name, type, "notnull" AS full FROM pragma_table_info(?)').all('flows "1"');
    assert.deepEqual(
      made.map(({ name, type, full }) => [name, type, full === 0]),
      columns.map(({ name, type, nullable }) => [name, type, nullable]),
    );
    database.close();
    const column = (key: string): unknown[] => columns.filter(({ field }) => field.key === key).map(({ name, type }) => [name, type]);
    assert.deepEqual(column('cli2srv.pkt_len.avg'), [['cli2srv_pkt_len_avg', 'BIGINT']]);
    assert.deepEqual(column('tos'), [['tos', 'JSON']]);
  });

  test('two keys never share a database column', () => {
    const field = fieldByKey.get('bytes') as Field;
    assert.throws(() => databaseColumns([field, { ...field, key: 'BYTES' }]), /bytes and BYTES would share the column BYTES/);
  });

  test('columns of tables for readers', () => {
    const columns = tableColumns(FIELDS);
    assert.equal(new Set(columns.map(({ title }) => title)).size, columns.length);
    for (const { key, title, width } of columns) {
      assert.ok(width > 0 && title.length > 0 && title.length <= 14, key);
    }
    assert.deepEqual(
      columns.find(({ key }) => key === 'bytes'),
      { key: 'bytes', title: 'Bytes', width: 9, shown: true, align: 'right' },
    );
    assert.equal(columns.find(({ key }) => key === 'flow.end_reason')?.shown, false);
  });
});
