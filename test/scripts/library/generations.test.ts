/** Scripts in the styles of all generations, through the script host: what they find, what they set, and how they are listed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import {
  type Callback,
  E_CLIENT,
  E_DETAIL,
  E_DETAIL_LENGTH,
  E_LENGTH,
  E_RECORD,
  E_SERVER,
  E_TIME,
  E_VERSION,
  EVENT_VERSION,
} from '../../../src/flows/event.ts';
import { FIELDS } from '../../../src/flows/fields.ts';
import {
  DETAIL_ENTRIES,
  FACT_DEVICE_SERVER,
  R_FACTS,
  R_PV,
  R_STATE,
  STATE_CLIENT_UNICAST,
  STATE_NAME_BLACKLISTED,
  STATE_TWH_OK,
} from '../../../src/flows/record.ts';
import { createEventView } from '../../../src/flows/view.ts';
import { DEFAULT_PREFERENCES } from '../../../src/preferences.ts';
import { createScriptCache, type ScriptCache } from '../../../src/scripts/cache.ts';
import { loadLocales } from '../../../src/scripts/locales.ts';
import { eventOf, fieldOf, type Harness, NAMES, start, type Values, VISIT_TIME } from '../support.ts';
import { FLOW_OF_TLS } from './world.ts';

const file = (name: string): string => readFileSync(new URL(`../generations/${name}`, import.meta.url), 'utf8');

const PROTOCOLS = ['Unknown', 'TLS', 'Google', '3', '4', 'DNS', '6', 'HTTP'];

async function run(
  t: TestContext,
  name: string,
  callbacks: readonly Callback[],
  values: Values = FLOW_OF_TLS,
): Promise<Harness & { cache: ScriptCache }> {
  const names = { ...NAMES, protocols: PROTOCOLS, risks: Array.from({ length: 10 }, (_, id) => `risk ${id}`) };
  const cache = createScriptCache({ now: () => VISIT_TIME / 1e6 });
  const harness = await start(
    t,
    { [name]: file(name), 'lib/none.lua': '', 'helpers.lua': file('helpers.lua') },
    {
      fields: FIELDS.map((field) => fieldOf(field.key, field.type)),
      names,
      cache,
      translate: loadLocales().translator('de'),
      preferences: () => ({ ...DEFAULT_PREFERENCES, flow_max_idle: 42 }),
    },
  );
  harness.errors.splice(0, harness.errors.length, ...harness.errors.filter((error) => !error.includes('helpers.lua')));
  // what is read of the record itself: protocol and addresses
  const event = eventOf(values);
  event.set([192, 168, 1, 20], E_CLIENT);
  event.set([203, 0, 113, 7], E_SERVER);
  event[E_RECORD + R_PV] = 6;
  const view = createEventView(names);
  view.set(event, 0);
  for (const callback of callbacks) harness.host.run(view, callback);
  return { ...harness, cache };
}

const report = (harness: Harness, key: string) => {
  const { generation, title, description, prio, callbacks, state, warnings } = harness.reports().find((found) => found.key === key) ?? {};
  return { generation, title, description, prio, callbacks, state, warnings };
};

const alertsOf = (harness: Harness): unknown[] =>
  harness.alerts.map(({ alertType, alertTypeName, severity, severityName, score, status, info }) => [
    `${alertTypeName} ${alertType}`,
    `${severityName} ${severity}`,
    score,
    status,
    info,
  ]);

const changesOf = (harness: Harness): string[] =>
  harness.changes.map(({ status, score }) => (status ? `status ${status.id} ${status.set}` : `${score?.of} ${score?.value}`));

test('2019: getters, scores, alerts', async (t) => {
  const harness = await run(t, 'year_2019.lua', ['protocolDetected']);
  assert.deepEqual(harness.errors, []);
  assert.deepEqual(report(harness, 'year_2019'), {
    generation: '2019',
    title: 'Auf einer Sperrliste',
    description: 'Meldet Flows, deren Endpunkt auf einer Sperrliste steht',
    prio: 0,
    callbacks: ['protocolDetected', 'statusChanged', 'periodicUpdate'],
    state: 'on',
    warnings: [],
  });
  assert.deepEqual(harness.lines, [
    'conf = {"enabled":true}',
    'same info = true',
    'getStatus = {"flow.idle":false,"flow.status":13,"status_map":8192}',
    'getProtocols = {"proto.l4":"TCP","proto.ndpi":"TLS.Google","proto.ndpi_breed":"Safe","proto.ndpi_cat":"Web","proto.ndpi_cat_id":5,"proto.ndpi_id":2}',
    'getBytes = {"bytes":2698,"bytes.last":2698,"goodput_bytes":1952}',
    'getClient2ServerTraffic = {"cli2srv.bytes":856,"cli2srv.packets":6,"cli2srv.pkt_len.max":514}',
    'getServer2ClientTraffic = {"srv2cli.bytes":1842,"srv2cli.packets":5}',
    'getClient2ServerIAT = {"interarrival.cli2srv":{"avg":49.5,"max":195,"min":0,"stddev":35.5}}',
    'getServer2ClientIAT = []',
    'getPackets = {"packets":11}',
    'getTime = {"duration":1,"seen.first":1569859249,"seen.last":1569859250}',
    'getClientIp = {"cli.ip":"192.168.1.20","cli.key":3232235796}',
    'getServerIp = {"srv.ip":"203.0.113.7"}',
    'getClientInfo = {"cli.blacklisted":true,"cli.host":"laptop","cli.mac":"0C:C4:7A:CC:C4:4A","cli.private":true}',
    'getServerInfo = {"srv.blacklisted":false,"srv.host":""}',
    'getSSLInfo = {"protos.ssl.certificate":"www.example.org","protos.ssl_version":771}',
    'getSSHInfo = []',
    'getHTTPInfo = []',
    'getDNSInfo = []',
    'getICMPInfo = []',
    'getTCPInfo = {"cli2srv.lost":0,"cli2srv.out_of_order":1,"cli2srv.retransmissions":3,"srv2cli.lost":0,"srv2cli.out_of_order":0,"srv2cli.retransmissions":0,"srv2cli.tcp_flags":27,"tcp_connecting":false,"tcp_established":true}',
    'getClientPort = {"cli.port":51514}',
    'getServerPort = {"srv.port":443}',
    'getClientGeolocation = {"cli.country":""}',
    'getServerGeolocation = {"srv.country":"IT","srv.latitude":45.5}',
    'unknown getter = nil',
    'ids = [0,18,22]',
    'by id = {"cli.port":51514}',
    'isLocal = false',
    'scores = [0,0]',
    'scores = [65534,20,50]',
    'mud = ["disabled","disabled",false,false]',
    'recorded = ["TCP Google to 203.0.113.7 443"]',
  ]);
  assert.deepEqual(changesOf(harness), ['flow 50', 'client 65534', 'server 20']);
  const [first, ...others] = alertsOf(harness) as [unknown[], ...unknown[][]];
  assert.deepEqual(first.slice(0, 4), ['flow_blacklisted 7', 'error 2', undefined, undefined]);
  assert.deepEqual(JSON.parse(first[4] as string), { ...FLOW_OF_TLS, score: 50 });
  assert.deepEqual(others, [
    ['web_mining 21', 'warning 1', undefined, undefined, '{"why":"test"}'],
    ['malicious_signature 48', 'error 2', undefined, undefined, undefined],
    [
      'new_device 9',
      'info 0',
      undefined,
      undefined,
      '{"action":"store","entity":"host","entity_value":"192.168.1.20@5","params":{"device":"0C:C4:7A:CC:C4:4A"}}',
    ],
  ]);
});

test('2019: helpers, cache, preferences, constants', async (t) => {
  const harness = await run(t, 'year_2019.lua', ['statusChanged']);
  assert.deepEqual(harness.errors, []);
  assert.deepEqual(harness.lines.slice(1), [
    'label = [TCP] 192.168.1.20:51514 -> 203.0.113.7:443 [TLS.Google]',
    'ternary = yes',
    'strings = ["true","true","true","b"]',
    'a = 1',
    'b = 2',
    'a = 2',
    'b = 1',
    'tables = [1,"true",{"a":1,"b":2},[2,3],"true"]',
    'addresses = ["true","true","1.2.3.4@2","laptop","true"]',
    'i18n = Auf einer Sperrliste / 3 flows / x',
    'constants = [0,1,2,3,4,13]',
    'status type = ["Blacklisted",100]',
    'entities = [4,300]',
    'types = ["flow_blacklisted","error",1]',
    'careful',
    'a.b number 1',
    'dirs = /flowpatrol/scripts/callbacks',
    'readdir = {"helpers.lua":"helpers.lua","lib":"lib","year_2019.lua":"year_2019.lua"}',
    'elsewhere = []',
    'path = /flowpatrol/scripts',
    'editions = ["true","true","false"]',
    'missing = ["","","","nil"]',
    'cache = ["5",7,{"a":"a"}]',
    'gone = ',
    'hash = ["v",{"f":"v"},{"f":""}]',
    'set = [["m"],"true"]',
    'list = [3,["0","2","3"],"0","3"]',
    'empty list = nil',
    'prefs = ["1","42",""]',
    'ntop.setPref: ntopng.prefs.host_blacklist is left as it is, a script cannot change it',
    'prefs = ["1","1"]',
    'bits = ["true",8,4]',
    'interface = [3,"eth0","HTTP",5]',
    'io = /tmp/x: a script cannot open files',
    'time = [1569859250,"16:00","number"]',
  ]);
});

test('2019: statuses are set as later scripts do it, and the strongest becomes an alert', async (t) => {
  const harness = await run(t, 'year_2019.lua', ['periodicUpdate']);
  assert.deepEqual(harness.errors, []);
  assert.deepEqual(harness.lines.slice(1), ['set = true', 'is set = ["true","false"]', 'score = 160', 'is set = false']);
  assert.deepEqual(changesOf(harness).slice(0, 4), ['status 12 true', 'flow 10', 'client 20', 'server 30']);
  assert.deepEqual(alertsOf(harness), [['flow_blacklisted 7', 'error 2', 100, 13, '{"ntopng.key":77,"hash_entry_id":5}']]);
});

test('October 2019: one table, the ids of 2019', async (t) => {
  const harness = await run(t, 'october.lua', ['protocolDetected', 'statusChanged', 'idle']);
  assert.deepEqual(harness.errors, []);
  assert.deepEqual(report(harness, 'october'), {
    generation: '4.0',
    title: 'October',
    description: 'The transition',
    prio: 0,
    callbacks: ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle'],
    state: 'on',
    warnings: [],
  });
  assert.deepEqual(harness.lines, [
    'detected 192.168.1.20 8192 13',
    'all [TCP] 192.168.1.20:51514 -> 203.0.113.7:443 [TLS.Google]',
    'ended 203.0.113.7',
  ]);
});

test('4.0: single values, scores, candidates', async (t) => {
  const harness = await run(t, 'version_4_0.lua', ['protocolDetected']);
  assert.deepEqual(harness.errors, []);
  assert.deepEqual(report(harness, 'version_4_0'), {
    generation: '4.0',
    title: 'Länderprüfung',
    description: 'Meldet Verkehr mit den aufgeführten Ländern',
    prio: 0,
    callbacks: ['protocolDetected', 'statusChanged', 'idle'],
    state: 'on',
    warnings: [],
  });
  assert.deepEqual(harness.lines, [
    'loader = ["version_4_0","flow","community"]',
    'now = [1569859250,{"items":["IT","DE"]},"integer"]',
    'info = ["192.168.1.20",443,"Google",true]',
    'full = 64500',
    'unicast = {"cli.broadmulticast":false,"srv.broadmulticast":false}',
    'getStatus = 0',
    'getKey = 77',
    'getHashEntryId = 5',
    'getFirstSeen = 1569859249',
    'getLastSeen = 1569859250',
    'getDuration = 1',
    'getPacketsSent = 6',
    'getPacketsRcvd = 5',
    'getPackets = 11',
    'getBytesSent = 856',
    'getBytesRcvd = 1842',
    'getBytes = 2698',
    'getGoodputBytes = 1952',
    'getClientKey = 192.168.1.20@0',
    'getServerKey = 203.0.113.7@0',
    'isClientUnicast = true',
    'isServerUnicast = true',
    'isUnicast = true',
    'isLocal = false',
    'isRemoteToRemote = false',
    'isLocalToRemote = true',
    'isRemoteToLocal = false',
    'isTwhOK = false',
    'isBidirectional = true',
    'isTCPConnecting = false',
    'isTCPConnectionRefused = false',
    'isBlacklisted = false',
    'getBlacklistedInfo = {"blacklisted.cli":true}',
    'isDeviceProtocolNotAllowed = false',
    'getDeviceProtoAllowedInfo = {"cli.allowed":true,"srv.allowed":true}',
    'getnDPICategoryName = Web',
    'getnDPICategoryId = 5',
    'getnDPIProtocolName = TLS.Google',
    'getnDPIMasterProtoId = 1',
    'getnDPIAppProtoId = 2',
    'getProtoBreed = Safe',
    'getClientTCPIssues = 4',
    'getServerTCPIssues = 0',
    'getTCPStats = {"cli2srv.lost":0,"cli2srv.out_of_order":1,"cli2srv.retransmissions":3,"srv2cli.lost":0,"srv2cli.out_of_order":0,"srv2cli.retransmissions":0}',
    'getServerCipherClass = safe',
    'getTLSVersion = 771',
    'hasMaliciousTlsSignature = false',
    'getDnsQuery = nil',
    'dnsQueryHasInvalidChars = false',
    'getICMPType = nil',
    'getMaxSeenIcmpPayloadSize = 0',
    'getICMPStatusInfo = nil',
    'getClientCountry = nil',
    'getServerCountry = IT',
    'getClient2ServerIAT = {"interarrival.cli2srv":{"avg":49.5,"max":195,"min":0,"stddev":35.5}}',
    'getServer2ClientIAT = []',
    'getTLSInfo = {"protos.tls.client_requested_server_name":"www.example.org","protos.tls.ja3.server_unsafe_cipher":"safe","protos.tls_version":771}',
    'getSSHInfo = []',
    'getHTTPInfo = []',
    'getDNSInfo = []',
    'retrieveExternalAlertInfo = nil',
    'getMUDInfo = {"cli.mac":"0C:C4:7A:CC:C4:4A","cli.mud_recording":"disabled","cli.serialize_by_mac":false,"is_local":false,"srv.mud_recording":"disabled","srv.serialize_by_mac":false}',
    'isNotPurged = false',
    'getScore = 0',
    'getScoreInfo = {"score":0,"status_info":"{}","status_map":0}',
    'getPredominantStatus = 1',
    'set = true',
    'again = false',
    'is set = true',
    'is set = false',
    'score = 5',
  ]);
  assert.deepEqual(changesOf(harness), ['status 30 true', 'flow 5', 'client 5', 'server 1', 'status 30 false']);
});

test('4.0: the strongest candidate becomes the alert, once, unless a stronger one comes, also when the call fails', async (t) => {
  const harness = await run(t, 'version_4_0.lua', ['statusChanged', 'statusChanged', 'idle']);
  assert.deepEqual(harness.lines.slice(1), [
    'status = 134283268', // 2 blacklisted_country, 16 remote_to_remote, 27 web_mining
    'country = true',
    'status = 134283268',
    'country = true',
    'rejected = flow.triggerStatus: the information must be a table or nil, it is a number',
    'l4 = [17,"TCP"]',
    'helper = 42',
    'severity = [2,2]',
  ]);
  assert.deepEqual(alertsOf(harness), [
    ['blacklisted_country 49', 'error 2', 60, 39, '{"ntopng.key":77,"hash_entry_id":5,"cli_blacklisted":true}'],
    ['flow_blacklisted 7', 'error 2', 100, 13, '{"ntopng.key":77,"hash_entry_id":5,"list":"mine"}'],
  ]);
  assert.equal(harness.errors.length, 1);
  assert.match(harness.errors[0] ?? '', /^idle version_4_0: version_4_0\.lua:\d+: after the trigger/);
  assert.ok(changesOf(harness).includes('server 1010'), 'scores of a status are at most 1000');
});

test('4.2: created statuses, severities, events of the configuration', async (t) => {
  const harness = await run(t, 'version_4_2.lua', ['protocolDetected', 'periodicUpdate']);
  harness.write('version_4_2.lua', undefined);
  assert.deepEqual(harness.errors, []);
  assert.deepEqual(harness.lines, [
    'onLoad periodicUpdate = 6',
    'onLoad protocolDetected = 6',
    'onEnable = periodicUpdate',
    'onEnable = protocolDetected',
    'status = 0',
    'risk = ["true","true","false",{"TLS Certificate Expired":9},{"9":"TLS Certificate Expired"}]',
    'issues = [50,0]',
    'addresses = ["false","false"]',
    'packet = {"payload":"","payload_len":0}',
    'time = [5,"integer",1000000]',
    'interface = ["false","nil","true"]',
    'alerted = [0,0]',
    'is set = true',
    'alerted = [33,100]',
    'score = [50,50,50]',
  ]);
  assert.deepEqual(harness.cache.listRange('ends', 0, -1), [
    'onDisable periodicUpdate',
    'onDisable protocolDetected',
    'onUnload periodicUpdate',
    'onUnload protocolDetected',
    'teardown',
  ]);
  assert.deepEqual(alertsOf(harness), [
    [
      'unexpected_dns_server 56',
      'critical 2',
      100,
      35,
      '{"ntopng.key":77,"hash_entry_id":5,"custom_info":"custom","server_ip":"203.0.113.7"}',
    ],
    ['ids_alert 35', 'error 2', 1024, 21, '{"ntopng.key":77,"hash_entry_id":5,"ids":"old form"}'],
  ]);
});

/** An event with a record and one detail, the alert of a detection system, as the engine writes them. */
function realEvent(alert: string): Uint8Array {
  const length = (E_DETAIL + DETAIL_ENTRIES + 4 + alert.length + 7) & ~7;
  const bytes = new Uint8Array(length);
  const data = new DataView(bytes.buffer);
  data.setUint32(E_LENGTH, length, true);
  data.setUint16(E_VERSION, EVENT_VERSION, true);
  data.setFloat64(E_TIME, VISIT_TIME, true);
  data.setUint32(E_DETAIL_LENGTH, DETAIL_ENTRIES + 4 + alert.length, true);
  data.setUint8(E_RECORD + R_PV, 6);
  data.setUint32(E_RECORD + R_STATE, STATE_TWH_OK | STATE_NAME_BLACKLISTED | STATE_CLIENT_UNICAST, true);
  data.setUint32(E_RECORD + R_FACTS, FACT_DEVICE_SERVER, true);
  bytes.set([192, 168, 1, 20], E_CLIENT);
  bytes.set([224, 0, 0, 1], E_SERVER);
  data.setUint16(E_DETAIL, 7, true); // application
  data.setUint16(E_DETAIL + DETAIL_ENTRIES, 0, true); // detail 0
  data.setUint16(E_DETAIL + DETAIL_ENTRIES + 2, alert.length, true);
  bytes.set(Buffer.from(alert), E_DETAIL + DETAIL_ENTRIES + 4);
  return bytes;
}

test('what is read of the record: handshake, lists, devices, alerts of a detection system; and scripts do not hide each other', async (t) => {
  const body = (name: string, score: number): string => `local flow_consts = require("flow_consts")
return { hooks = { periodicUpdate = function(now)
  print("${name}", flow.isTwhOK(), flow.isBlacklisted(), flow.isDeviceProtocolNotAllowed(), flow.getDeviceProtoAllowedInfo()["srv.disallowed_proto"])
  print("${name}", flow.isClientUnicast(), flow.isServerUnicast(), flow.getClientKey(), flow.getnDPIProtocolName(), flow.retrieveExternalAlertInfo())
  flow.triggerStatus(flow_consts.status_types.status_external_alert, nil, ${score})
end } }`;
  const names = { ...NAMES, details: ['ids.alert'], protocols: PROTOCOLS };
  const { host, lines, errors, alerts } = await start(
    t,
    { 'a.lua': body('a', 100), 'b.lua': body('b', 0) },
    { names, fields: FIELDS, cache: createScriptCache({ now: () => 0 }) },
  );
  const view = createEventView(names);
  for (const alert of ['{"severity":1}', '{"severity":1}', '{"severity":2}']) {
    view.set(realEvent(alert), 0);
    host.run(view, 'periodicUpdate');
  }
  assert.deepEqual(errors, []);
  const facts = (name: string): string => `${name}\ttrue\ttrue\ttrue\t7`;
  const ends = (name: string, alert: string): string => `${name}\ttrue\tfalse\t192.168.1.20@0\tHTTP\t${alert}`;
  assert.deepEqual(lines, [
    ...['{"severity":1}', 'nil', '{"severity":2}'].flatMap((alert) => [facts('a'), ends('a', alert), facts('b'), ends('b', alert)]),
  ]);
  assert.deepEqual(
    alerts.map(({ script: key, score, alertTypeName }) => [key, score, alertTypeName]),
    [
      ['a', 100, 'ids_alert'],
      ['b', 0, 'ids_alert'],
    ],
  );
});
