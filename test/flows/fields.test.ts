import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CALLBACKS, EVENT_HEADER_BYTES } from '../../src/flows/event.ts';
import { eventLine, flowLine, properText } from '../../src/flows/export.ts';
import { FIELDS, type FieldValue, fieldByKey } from '../../src/flows/fields.ts';
import { detailNames } from '../../src/flows/own-details.ts';
import {
  I_COUNT,
  I_EXTRA,
  I_MAX,
  I_MIN,
  I_SQUARES,
  I_SUM,
  P_KEEP_ALIVE,
  P_LOST,
  R_ACK,
  R_ANSWER,
  R_BPS0,
  R_BPS1,
  R_DIR,
  R_IAT,
  R_IAT_BYTES,
  R_PREV_BYTES0,
  R_PREV_GOODPUT,
  R_PREV_PACKETS1,
  R_PROBLEMS,
  R_PROBLEMS_BYTES,
  R_SYN,
  R_SYN_ACK,
  R_TOP_BPS,
  R_TREND_BPS,
  RECORD_BYTES,
  STATE_CLIENT_BLACKLISTED,
  STATE_CLIENT_UNICAST,
  STATE_IDLE,
  STATE_SERVER_UNICAST,
} from '../../src/flows/record.ts';
import { createEventView, type DetailName, type KnownProtocol, type Names } from '../../src/flows/view.ts';
import { native } from '../../src/native.ts';
import { DETAILS, type EventOf, event, NAMES } from '../support/events.ts';

const viewOf = (of: EventOf, names: Names = NAMES): ReturnType<typeof createEventView> => {
  const view = createEventView(names);
  view.set(event(of, names), 0);
  return view;
};
const infoOf = (of: EventOf, names?: Names): Record<string, FieldValue> =>
  Object.fromEntries(
    FIELDS.flatMap((field) => {
      const value = field.read(viewOf(of, names));
      return value === undefined ? [] : [[field.key, value]];
    }),
  );
const pick = (of: EventOf, ...keys: string[]): (FieldValue | undefined)[] => keys.map((key) => fieldByKey.get(key)?.read(viewOf(of)));

/** A finished HTTP exchange: three-way handshake, request, answer, both FIN. */
const EXCHANGE: EventOf = {
  callbacks: ['protocolDetected', 'idle'],
  end: 'idle',
  time: 1_569_859_270_000_000,
  visit: 4,
  seq: 17,
  client: '192.168.1.20',
  server: '203.0.113.7',
  clientPort: 51514,
  serverPort: 80,
  l4: 6,
  state: STATE_IDLE | STATE_CLIENT_UNICAST | STATE_SERVER_UNICAST,
  first: 1_569_859_250_400_000,
  last: 1_569_859_251_100_000,
  clientMac: 'aa:00:0b:cc:dd:ee',
  serverMac: '02:00:00:00:00:01',
  clientNetwork: 1,
  cli2srv: { lengths: [74, 66, 514, 66, 66, 70], goodput: 448, flags: 27, window: 502 },
  srv2cli: { lengths: [74, 66, 1566, 66, 70], goodput: 1504, flags: 27, window: 1000 },
  application: 'HTTP',
  category: 'Web',
  breed: 'Acceptable',
  confidence: 'DPI',
  details: { host_server_name: 'www.example.org', 'http.url': 'www.example.org/', 'http.method': 'GET', 'http.return_code': 200 },
  record: {
    u32: {
      [R_SYN]: 1,
      [R_SYN_ACK]: 20_001,
      [R_ACK]: 50_001,
      [R_ANSWER]: 1_861,
      [R_IAT + I_COUNT]: 2,
      [R_IAT + I_MIN]: 10,
      [R_IAT + I_MAX]: 30,
    },
    f64: { [R_IAT + I_SUM]: 40, [R_IAT + I_SQUARES]: 1000 },
    u8: { [R_IAT + I_EXTRA]: 0xb9, [R_IAT + I_EXTRA + 1]: 0x02 },
  },
};

describe('fields', () => {
  test('keys are unique, and every group and type is used', () => {
    assert.equal(fieldByKey.size, FIELDS.length);
    assert.equal(new Set(FIELDS.map((field) => field.group)).size, 6);
    assert.equal(new Set(FIELDS.map((field) => field.type)).size, 5);
  });

  test('the whole info of an HTTP exchange', () => {
    assert.deepEqual(infoOf(EXCHANGE), {
      'cli.ip': '192.168.1.20',
      'cli.key': 3232235796,
      'cli.port': 51514,
      'cli.allowed_host': true,
      'cli.host': '',
      'cli.source_id': 0,
      'cli.mac': 'AA:00:0B:CC:DD:EE',
      'cli.systemhost': false,
      'cli.vendor': '',
      'cli.os': '',
      'cli.devtype': 0,
      'cli.pool': 'Default',
      'cli.country': '',
      'cli.city': '',
      'cli.latitude': 0,
      'cli.longitude': 0,
      'cli.asn': 0,
      'cli.as_name': '',
      'cli.broadmulticast': false,
      'cli.blacklisted': false,
      'cli.network_id': 1,
      'cli.network': '192.168.0.0/16',
      'cli.localhost': true,
      'cli.pool_id': 0,
      'cli.private': true,
      'srv.ip': '203.0.113.7',
      'srv.key': 3405803783,
      'srv.port': 80,
      'srv.allowed_host': true,
      'srv.host': '',
      'srv.source_id': 0,
      'srv.mac': '02:00:00:00:00:01',
      'srv.systemhost': false,
      'srv.vendor': '',
      'srv.os': '',
      'srv.devtype': 0,
      'srv.pool': 'Default',
      'srv.country': '',
      'srv.city': '',
      'srv.latitude': 0,
      'srv.longitude': 0,
      'srv.asn': 0,
      'srv.as_name': '',
      'srv.broadmulticast': false,
      'srv.blacklisted': false,
      'srv.network_id': -1,
      'srv.localhost': false,
      'srv.pool_id': 0,
      'srv.private': false,
      'flow.id': 'k3x9-0-17',
      hash_entry_id: 17,
      // 0x3ac9 + 0x5000 + 6 + both host keys
      'ntopng.key': (15049 + 20480 + 6 + 3232235796 + 3405803783) % 2 ** 32,
      vlan: 0,
      'seen.first': 1569859250,
      'seen.last': 1569859251,
      duration: 1,
      'flow.idle': true,
      'flow.end_reason': 'idle',
      'flow.status': 0,
      status_map: 0,
      status_info: '{"cli.devtype":0,"srv.devtype":0,"ntopng.key":2343107818}',
      score: -1,
      'proto.l4': 'TCP',
      'proto.l4_id': 6,
      'proto.ndpi': 'HTTP',
      'proto.ndpi_app': 'HTTP',
      'proto.ndpi_id': 7,
      'proto.master_ndpi_id': 0,
      'proto.ndpi_breed': 'Acceptable',
      'proto.ndpi_cat_id': 5,
      'proto.ndpi_cat': 'Web',
      'proto.ndpi_confidence': 'DPI',
      bytes: 2698,
      'bytes.last': 2698,
      goodput_bytes: 1952,
      'goodput_bytes.last': 1952,
      packets: 11,
      'packets.last': 11,
      'cli2srv.bytes': 856,
      'cli2srv.goodput_bytes': 448,
      'cli2srv.packets': 6,
      'cli2srv.last': 856,
      'cli2srv.pkt_len.min': 66,
      'cli2srv.pkt_len.max': 514,
      'cli2srv.pkt_len.avg': 142,
      'cli2srv.pkt_len.stddev': 166,
      'cli2srv.fragments': 0,
      'srv2cli.bytes': 1842,
      'srv2cli.goodput_bytes': 1504,
      'srv2cli.packets': 5,
      'srv2cli.last': 1842,
      'srv2cli.pkt_len.min': 66,
      'srv2cli.pkt_len.max': 1566,
      'srv2cli.pkt_len.avg': 368,
      'srv2cli.pkt_len.stddev': 598,
      'srv2cli.fragments': 0,
      'flow_goodput.low': false,
      'interarrival.cli2srv': { min: 10, max: 30, avg: 20, stddev: 10 },
      'interarrival.srv2cli': { min: 0, max: 0, avg: 0, stddev: 0 },
      throughput_bps: 0,
      throughput_cli2srv_bps: 0,
      throughput_srv2cli_bps: 0,
      throughput_pps: 0,
      throughput_cli2srv_pps: 0,
      throughput_srv2cli_pps: 0,
      top_throughput_bps: 0,
      top_throughput_pps: 0,
      throughput_trend_bps: 0,
      throughput_trend_pps: 0,
      tos: { client: { DSCP: 46, ECN: 1 }, server: { DSCP: 0, ECN: 2 } },
      'tcp.seq_problems': false,
      'tcp.nw_latency.client': 15,
      'tcp.nw_latency.server': 10,
      'tcp.appl_latency': 1.86,
      'tcp.max_thpt.cli2srv': 160_000, // 1000 bytes in 50 ms
      'tcp.max_thpt.srv2cli': 80_320,
      'cli2srv.retransmissions': 0,
      'cli2srv.out_of_order': 0,
      'cli2srv.lost': 0,
      'cli2srv.keep_alive': 0,
      'cli2srv.tcp_flags': 27,
      'srv2cli.retransmissions': 0,
      'srv2cli.out_of_order': 0,
      'srv2cli.lost': 0,
      'srv2cli.keep_alive': 0,
      'srv2cli.tcp_flags': 27,
      tcp_established: false,
      tcp_connecting: false,
      tcp_closed: true,
      tcp_reset: false,
      host_server_name: 'www.example.org',
      info: 'www.example.org/',
      'moreinfo.json': '{}',
      'protos.http.last_method': 'GET',
      'protos.http.last_return_code': 200,
      'protos.http.last_url': 'www.example.org/',
      'protos.http.server_name': 'www.example.org',
    });
  });

  test('no packets, and one packet', () => {
    const none = infoOf({ l4: 17 });
    assert.equal(none.packets, 0);
    assert.equal(none['cli2srv.pkt_len.avg'], 0);
    assert.equal(none['cli2srv.pkt_len.stddev'], 0);
    assert.equal(none['proto.ndpi'], 'Unknown');
    assert.equal(none['proto.ndpi_breed'], 'Unrated');
    assert.equal(none.info, '');
    assert.equal('tcp.seq_problems' in none, false);
    const one = infoOf({ l4: 17, cli2srv: { lengths: [1514] } });
    assert.deepEqual(
      [one['cli2srv.pkt_len.min'], one['cli2srv.pkt_len.avg'], one['cli2srv.pkt_len.stddev'], one.duration],
      [1514, 1514, 0, 0],
    );
  });

  test('huge counters stay exact', () => {
    const huge: EventOf = {
      l4: 6,
      record: {
        f64: { [R_DIR]: 2 ** 52 + 1, [R_DIR + 8]: 2 ** 50, [R_DIR + 16]: 2 ** 62, [R_PREV_BYTES0]: 2 ** 52 },
        u32: { [R_DIR + 32]: 0xffffffff, [R_PREV_PACKETS1]: 5 },
      },
    };
    assert.deepEqual(pick(huge, 'bytes', 'bytes.last', 'packets', 'packets.last', 'goodput_bytes'), [
      2 ** 52 + 1,
      1,
      0xffffffff,
      0xffffffff,
      2 ** 50,
    ]);
    assert.equal(Number.isSafeInteger(pick(huge, 'cli2srv.pkt_len.stddev')[0]), true);
  });

  test('numbers of a damaged event are read as 0', () => {
    const damaged: EventOf = { l4: 6, record: { f64: { [R_DIR]: Number.NaN, [R_PREV_GOODPUT]: -1 / 0 }, f32: { [R_BPS0]: Number.NaN } } };
    assert.deepEqual(pick(damaged, 'bytes', 'goodput_bytes.last', 'throughput_bps'), [0, 0, 0]);
  });

  test('throughput in single precision reads as its shortest decimal', () => {
    const flow: EventOf = { record: { f32: { [R_BPS0]: 49.6, [R_BPS1]: 0.25, [R_TOP_BPS]: 123456.789 }, u8: { [R_TREND_BPS]: 3 } } };
    assert.deepEqual(
      pick(flow, 'throughput_cli2srv_bps', 'throughput_bps', 'top_throughput_bps', 'throughput_trend_bps'),
      [49.6, 49.85, 123456.79, 3],
    );
  });

  test('inter-arrival times only where packets were seen one by one', () => {
    const iat = R_IAT + R_IAT_BYTES;
    const flow: EventOf = {
      record: { u32: { [iat + I_COUNT]: 3, [iat + I_MIN]: 1, [iat + I_MAX]: 3 }, f64: { [iat + I_SUM]: 5, [iat + I_SQUARES]: 11 } },
    };
    assert.deepEqual(pick(flow, 'interarrival.srv2cli')[0], {
      min: 1,
      max: 3,
      avg: 1.6666666,
      stddev: 0.94280905,
    });
    assert.equal('interarrival.cli2srv' in infoOf(flow, { ...NAMES, sampled: true }), false);
    assert.equal('interarrival.cli2srv' in infoOf(flow, { ...NAMES, packetInterface: false }), false);
  });

  test('low goodput: a minute, 40 %, not UDP', () => {
    const flow = (l4: number, goodput: number, seconds: number): EventOf => ({
      l4,
      first: 0,
      last: seconds * 1e6,
      cli2srv: { lengths: [1000], goodput },
    });
    assert.deepEqual(pick(flow(6, 399, 60), 'flow_goodput.low'), [true]);
    assert.deepEqual(pick(flow(6, 401, 60), 'flow_goodput.low'), [false]);
    assert.deepEqual(pick(flow(6, 100, 59), 'flow_goodput.low'), [false]);
    assert.deepEqual(pick(flow(17, 100, 60), 'flow_goodput.low'), [false]);
  });

  test('latencies: over 5 s, or without a step of the handshake, are 0', () => {
    const keys = ['tcp.nw_latency.server', 'tcp.nw_latency.client', 'tcp.max_thpt.cli2srv', 'tcp.appl_latency'];
    const flow = (syn: number, synAck: number, ack: number): EventOf => ({
      l4: 6,
      srv2cli: { window: 1000 },
      record: { u32: { [R_SYN]: syn, [R_SYN_ACK]: synAck, [R_ACK]: ack } },
    });
    assert.deepEqual(pick(flow(1, 10_000_001, 10_000_003), ...keys), [5000, 0.001, 799.9998, 0]);
    assert.deepEqual(pick(flow(1, 10_000_003, 10_000_005), ...keys), [0, 0.001, 0, 0]);
    assert.deepEqual(pick(flow(0, 5, 7), ...keys), [0, 0.001, 0, 0]);
    assert.deepEqual(pick(flow(0, 0, 0), ...keys), [0, 0, 0, 0]);
    const sampled = infoOf(
      { ...flow(1, 9, 17), record: { u32: { [R_SYN]: 1, [R_SYN_ACK]: 9, [R_ACK]: 17, [R_ANSWER]: 5 } } },
      { ...NAMES, sampled: true },
    );
    assert.deepEqual(
      keys.map((key) => sampled[key]),
      [0, 0, 0, 0],
      'samples have no times',
    );
  });

  test('TCP states', () => {
    const states = (client: number, server: number): (FieldValue | undefined)[] =>
      pick(
        { l4: 6, cli2srv: { flags: client }, srv2cli: { flags: server } },
        'tcp_established',
        'tcp_connecting',
        'tcp_closed',
        'tcp_reset',
      );
    assert.deepEqual(states(2, 0), [false, true, false, false]);
    assert.deepEqual(states(0xc2, 0x52), [false, true, false, false]);
    assert.deepEqual(states(26, 26), [true, false, false, false]);
    assert.deepEqual(states(27, 26), [true, false, false, false]);
    assert.deepEqual(states(27, 31), [false, false, true, false]);
    assert.deepEqual(states(2, 20), [false, false, false, true]);
    assert.deepEqual(states(16, 16), [false, false, false, false]);
  });

  test('sequence problems per direction', () => {
    const flow: EventOf = { l4: 6, record: { u32: { [R_PROBLEMS + P_LOST]: 2, [R_PROBLEMS + R_PROBLEMS_BYTES + P_KEEP_ALIVE]: 1 } } };
    assert.deepEqual(pick(flow, 'tcp.seq_problems', 'cli2srv.lost', 'srv2cli.lost', 'srv2cli.keep_alive'), [true, 2, 0, 1]);
  });

  test('protocol names, other IP protocols, risks', () => {
    const name = (master: string | undefined, application: string | undefined): FieldValue | undefined =>
      pick({ ...(master && { master }), ...(application && { application }), details: {} }, 'proto.ndpi')[0];
    assert.equal(name('TLS', 'Google'), 'TLS.Google');
    assert.equal(name('TLS', 'TLS'), 'TLS');
    assert.equal(name('TLS', undefined), 'TLS');
    assert.equal(name(undefined, 'Google'), 'Google');
    assert.equal(name(undefined, undefined), 'Unknown');
    assert.deepEqual(pick({ l4: 132 }, 'proto.l4', 'flow_risk'), ['132', undefined]);
    assert.deepEqual(pick({ risks: [2, 31, 39, 63] }, 'flow_risk'), [{ 'Risk 2': 2, 'Risk 31': 31, 'Risk 39': 39, 63: 63 }]);
  });

  test('IPv6 endpoints', () => {
    const flow: EventOf = { client: '2001:db8::1', server: 'fe80::2', l4: 17, vlan: 100, clientNetwork: 0 };
    // words in memory of 2001:db8::1: b80d0120 and 01000000
    assert.deepEqual(pick(flow, 'cli.ip', 'cli.key', 'cli.vlan', 'srv.vlan', 'cli.private'), ['2001:db8::1', 0xb90d0120, 100, 100, false]);
  });

  test('private addresses', () => {
    const isPrivate = (client: string): FieldValue | undefined => pick({ client, server: '1.1.1.1' }, 'cli.private')[0];
    for (const yes of ['10.0.0.1', '172.16.0.1', '172.31.255.1', '192.168.9.9', '127.0.0.1']) assert.equal(isPrivate(yes), true, yes);
    for (const no of ['11.0.0.1', '172.32.0.1', '192.169.0.1', '8.8.8.8', '169.254.0.1']) assert.equal(isPrivate(no), false, no);
  });

  test('blacklisted: status, flag, reason', () => {
    const flow: EventOf = { state: STATE_CLIENT_BLACKLISTED, status: 2 ** 13 + 2 ** 12 };
    assert.deepEqual(pick(flow, 'cli.blacklisted', 'srv.blacklisted', 'flow.status', 'status_map'), [true, false, 13, 12288]);
    assert.deepEqual(JSON.parse(String(pick(flow, 'status_info')[0]))['blacklisted.cli'], true);
  });

  test('DNS', () => {
    const flow: EventOf = {
      l4: 17,
      application: 'Google',
      master: 'DNS',
      details: { host_server_name: 'a\x01b\u00e9.example', 'dns.query_type': 28, 'dns.reply_code': 3 },
    };
    assert.deepEqual(
      pick(flow, 'host_server_name', 'protos.dns.last_query', 'protos.dns.last_query_type', 'protos.dns.last_return_code', 'info'),
      [undefined, 'a?b??.example', 28, 3, 'a?b??.example'],
    );
  });

  test('HTTP: path alone, long, cut, port, method', () => {
    const http = (details: NonNullable<EventOf['details']>, ...keys: string[]): (FieldValue | undefined)[] =>
      pick({ l4: 6, application: 'HTTP', details }, ...keys);
    assert.deepEqual(
      http({ host_server_name: 'h.example:8080', 'http.url': '/a b\u00e9c' }, 'protos.http.last_url', 'protos.http.server_name'),
      ['h.example/a b', 'h.example'],
    );
    assert.equal(String(http({ 'http.url': `/${'x'.repeat(600)}` }, 'protos.http.last_url')[0]).length, 512);
    assert.deepEqual(http({ 'http.url': '/', 'http.method': 'DELETE' }, 'protos.http.last_method', 'protos.http.last_return_code'), [
      undefined,
      0,
    ]);
    assert.deepEqual(http({ 'http.method': 'GET' }, 'protos.http.last_method', 'protos.http.last_url', 'info'), [undefined, undefined, '']);
  });

  test('details of every other protocol, by the names of the addon', () => {
    const dpi = native.dpiCreate(1);
    const names: Names = { ...NAMES, protocols: native.dpiProtocols(dpi), details: detailNames(native.dpiDetailNames()) };
    native.dpiClose(dpi);
    const read = (application: KnownProtocol, details: Partial<Record<DetailName, string | number>>, ...prefixes: string[]): unknown =>
      Object.fromEntries(
        Object.entries(infoOf({ l4: 6, application, details }, names)).filter(([key]) => prefixes.some((prefix) => key.startsWith(prefix))),
      );
    const hello = {
      host_server_name: 'a.example',
      'tls.version': 772,
      'tls.alpn': 'h3',
      'tls.ja3_client': 'c'.repeat(32),
      'tls.ja4': 'q13d',
    };
    assert.deepEqual(read('QUIC', { ...hello, 'quic.version': 1, 'http.user_agent': 'x', 'tls.ja3_server': 'no' }, 'protos.', 'host_'), {
      host_server_name: 'a.example',
      'protos.quic.version': 1,
      'protos.quic.tls_version': 772,
      'protos.quic.client_requested_server_name': 'a.example',
      'protos.quic.client_alpn': 'h3',
      'protos.quic.ja3.client_hash': 'c'.repeat(32),
      'protos.quic.ja4': 'q13d',
      'protos.quic.user_agent': 'x',
    });
    assert.deepEqual(read('DTLS', { 'tls.version': 65277, 'tls.ja3_server': 's'.repeat(32), 'tls.server_cipher': 5 }, 'protos.'), {
      'protos.dtls.version': 65277,
      'protos.dtls.ja3.server_hash': 's'.repeat(32),
      'protos.dtls.ja3.server_cipher': 5,
      'protos.dtls.ja3.server_unsafe_cipher': 'safe',
    });
    assert.deepEqual(read('POPS', { 'tls.version': 771, 'login.user': 'ann', 'login.state': 5 }, 'protos.'), {
      'protos.mail_tls.version': 771,
      'protos.pop.user': 'ann',
      'protos.pop.auth_failed': false,
      'protos.pop.auth_tls': true,
      'protos.pop.auth_done': false,
    });
    assert.deepEqual(read('FTP_CONTROL', { 'login.state': 11 }, 'protos.'), {
      'protos.ftp.auth_failed': true,
      'protos.ftp.auth_tls': false,
      'protos.ftp.auth_done': true,
    });
    assert.deepEqual(read('Kerberos', { 'kerberos.username': 'u', 'kerberos.domain': 'd', 'kerberos.hostname': 'h' }, 'protos.'), {
      'protos.kerberos.hostname': 'h',
      'protos.kerberos.domain': 'd',
      'protos.kerberos.username': 'u',
    });
    assert.deepEqual(read('Telnet', { 'telnet.username': 'root' }, 'protos.'), { 'protos.telnet.user': 'root' });
    assert.deepEqual(read('DHCP', { host_server_name: 'laptop' }, 'protos.', 'host_'), { 'protos.dhcp.host_name': 'laptop' });
    assert.deepEqual(read('NTP', { 'ntp.version': 4, 'ntp.request_code': 42 }, 'protos.'), {
      'protos.ntp.version': 4,
      'protos.ntp.request_code': 42,
    });
    const announced = { host_server_name: '_x._tcp.local', 'dns.query_type': 12, 'dns.num_answers': 2, 'dns.answer_address': '10.0.0.1' };
    assert.deepEqual(read('MDNS', announced, 'protos.', 'host_', 'info'), {
      host_server_name: '_x._tcp.local',
      info: '_x._tcp.local',
      'protos.mdns.query': '_x._tcp.local',
      'protos.mdns.query_type': 12,
      'protos.mdns.num_answers': 2,
      'protos.mdns.answer_address': '10.0.0.1',
    });
    assert.deepEqual(read('DNS', { 'dns.query_type': 12, 'dns.invalid_chars': 1, 'dns.answer_type': 12 }, 'protos.'), {
      'protos.dns.last_query_type': 12,
      'protos.dns.last_return_code': 0,
      'protos.dns.invalid_chars_in_query': true,
      'protos.dns.answer_type': 12,
    });
    assert.deepEqual(read('DNS', { 'dns.reply_code': 0, 'dns.num_answers': 0 }, 'protos.dns.last', 'protos.dns.invalid'), {});
    assert.deepEqual(read('HTTP', { 'http.request_version': 0, 'http.nat_ip': '10.1.2.3', 'http.os': 'Plan 9' }, 'protos.'), {
      'protos.http.version': '1.0',
      'protos.http.os': 'Plan 9',
      'protos.http.nat_ip': '10.1.2.3',
    });
    assert.deepEqual(read('TLS', { risk_score: 150, 'risk_score.client': 135, 'risk_score.server': 15 }, 'flow_risk'), {
      'flow_risk.score': 150,
      'flow_risk.score_client': 135,
      'flow_risk.score_server': 15,
    });
  });

  test('TLS, SSH, ICMP', () => {
    const tls: EventOf = {
      l4: 6,
      master: 'TLS',
      application: 'Google',
      details: {
        host_server_name: 'www.example.org',
        'tls.version': 771,
        'tls.subject': 'C=IT, O=Example, CN=*.example.org',
        'tls.ja3_server': 'a'.repeat(32),
        'tls.server_cipher': 49199,
        'tls.unsafe_cipher': 1,
        'tls.not_after': 1_600_000_000,
      },
    };
    assert.deepEqual(
      pick(
        tls,
        'info',
        'protos.ssl_version',
        'protos.ssl.certificate',
        'protos.ssl.server_certificate',
        'protos.ssl.ja3.server_cipher',
        'protos.tls.ja3.server_unsafe_cipher',
        'protos.ssl.ja3.client_hash',
        'protos.tls.notAfter',
      ),
      ['www.example.org', 771, 'www.example.org', '*.example.org', 49199, 'weak', undefined, 1_600_000_000],
    );
    const ssh: EventOf = {
      l4: 6,
      application: 'SSH',
      details: { 'ssh.client_signature': 'SSH-2.0-a', 'ssh.server_signature': 'SSH-2.0-b' },
    };
    assert.deepEqual(pick(ssh, 'info', 'protos.ssh.client_signature', 'protos.ssl_version'), ['SSH-2.0-b', 'SSH-2.0-a', undefined]);
    const icmp: EventOf = { l4: 58, record: { u8: { [R_IAT + I_EXTRA + 2]: 128, [R_IAT + I_EXTRA + 3]: 0 } } };
    assert.deepEqual(pick(icmp, 'icmp', 'proto.l4'), [{ type: 128, code: 0 }, 'IPv6-ICMP']);
    assert.deepEqual(pick(tls, 'icmp'), [undefined]);
  });
});

describe('JSON lines', () => {
  test('a flow line is the info', () => {
    assert.deepEqual(JSON.parse(flowLine(viewOf(EXCHANGE))), infoOf(EXCHANGE));
    assert.deepEqual(Object.keys(JSON.parse(flowLine(viewOf(EXCHANGE)))), Object.keys(infoOf(EXCHANGE)));
  });

  test('an event line has the callback in front', () => {
    const line = eventLine(viewOf({ ...EXCHANGE, statusBefore: 64, time: 1_569_859_251_000_042 }), 'idle');
    const start = '{"callback":"idle","visit":4,"time":1569859251.000042,"interface":"eth0","status_before":64,"cli.ip":"192.168.1.20",';
    assert.equal(line.slice(0, start.length), start);
    JSON.parse(line);
  });

  test('UTF-8 where it is valid, Latin-1 elsewhere', () => {
    assert.equal(properText('caf\xc3\xa9'), 'café');
    assert.equal(properText('caf\xe9'), 'café');
    assert.equal(properText('\xed\xa0\x80'), '\xed\xa0\x80'); // a surrogate is no UTF-8
    const agent = (bytes: Uint8Array): unknown =>
      JSON.parse(flowLine(viewOf({ application: 'HTTP', details: { 'http.user_agent': bytes } })))['protos.http.user_agent'];
    assert.equal(agent(Uint8Array.of(0xe2, 0x82, 0xac, 0x22, 0x5c, 0x0a)), '€"\\\n');
    assert.equal(agent(Uint8Array.of(0xff, 0x00, 0x7f)), '\xff\x00\x7f');
  });

  test('what an intrusion detection system says beyond Latin-1, beside a name in UTF-8', () => {
    const said = '{"alert":{"signature":"Łódź 日本 \\u00e9\\u65e5"}}';
    const details = { 'ids.alert': Buffer.from(said), host_server_name: Buffer.from('café.example'), 'tls.subject': 'CN=other.example' };
    const names: Names = { ...NAMES, details: [...NAMES.details, 'ids.alert'] };
    const line = JSON.parse(flowLine(viewOf({ l4: 6, application: 'TLS', status: 2 ** 21 + 2 ** 10, details }, names)));
    assert.deepEqual(JSON.parse(line.status_info), {
      'cli.devtype': 0,
      'srv.devtype': 0,
      'ntopng.key': line['ntopng.key'],
      ids_alert: { alert: { signature: 'Łódź 日本 é日' } },
      'ssl_crt.cli': 'café.example',
      'ssl_crt.srv': 'other.example',
    });
  });

  test('names of interfaces beyond Latin-1', () => {
    const view = viewOf({ seq: 1 }, { ...NAMES, interfaceName: 'жук/a.pcap' });
    assert.equal(JSON.parse(eventLine(view, 'idle')).interface, 'жук/a.pcap');
  });

  test('any bytes give valid JSON with declared keys of the declared types', () => {
    const view = createEventView(NAMES);
    const typeOf = { int: 'number', float: 'number', string: 'string', bool: 'boolean', table: 'object' } as const;
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: EVENT_HEADER_BYTES + RECORD_BYTES, maxLength: EVENT_HEADER_BYTES + RECORD_BYTES }),
        fc.array(
          fc.tuple(fc.constantFrom(...DETAILS), fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.double(), fc.string({ unit: 'binary' }))),
        ),
        fc.constantFrom('HTTP', 'DNS', 'TLS', 'SSH', 'DHCP', 'Google'),
        fc.constantFrom(...CALLBACKS),
        (numbers, details, application, callback) => {
          const bytes = event({ application, details: Object.fromEntries(details) });
          const length = bytes.slice(72, 76);
          bytes.set(numbers);
          bytes.set(length, 72);
          view.set(bytes, 0);
          for (const [key, value] of Object.entries(JSON.parse(flowLine(view)))) {
            const field = fieldByKey.get(key);
            assert.ok(field, key);
            assert.equal(typeof value, typeOf[field.type], key);
            if (field.type === 'int') assert.ok(Number.isSafeInteger(value), `${key} ${value}`);
          }
          JSON.parse(eventLine(view, callback));
        },
      ),
      { numRuns: 300 },
    );
  });
});
