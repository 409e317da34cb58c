/** What scripts of each generation could name, member by member: it is there, and of the right kind; and what the less common ones do. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FIELDS } from '../../../src/flows/fields.ts';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import { fieldOf, start } from '../support.ts';
import { eventOfTls, GENERATIONS } from './world.ts';

type Generation = keyof typeof GENERATIONS;
const ALL: readonly Generation[] = ['2019', '4.0', '4.2'];
const SINCE_4: readonly Generation[] = ['4.0', '4.2'];

const words = (text: string): string[] => text.trim().split(/\s+/);
const under = (container: string, text: string): string[] => words(text).map((name) => `${container}.${name}`);

/** Generations, kind, expressions. */
const AUDIT: readonly (readonly [readonly Generation[], string, readonly string[]])[] = [
  [
    ALL,
    'table',
    words('flow interface ntop host network alert_consts alerts_api flow_consts package io os string table math utf8 coroutine'),
  ],
  [ALL, 'integer', words('TRACE_ERROR TRACE_WARNING TRACE_NORMAL TRACE_INFO TRACE_DEBUG')],
  [
    ALL,
    'function',
    words(`print require i18n tprint traceError ternary isEmptyString starts ends pairsByKeys isIPv4 isIPv6 hostinfo2hostkey resolveAddress
      shortFlowLabel l4_proto_to_id string.split table.len table.empty table.merge table.clone table.compare table.slice
      os.date os.time os.clock io.open io.write load pcall`),
  ],
  [ALL, 'string', ['package.path', 'TRACE_CONSOLE and tostring(TRACE_CONSOLE)']],
  [
    ALL,
    'function',
    under(
      'flow',
      `getInfo isLocal setScore getClientScore getServerScore setClientScore setServerScore getClientMUDPref getServerMUDPref
      serializeClientByMac serializeServerByMac storeAlert methodNamesToIds callMethodById getStatus getProtocols getBytes
      getClient2ServerTraffic getServer2ClientTraffic getClient2ServerIAT getServer2ClientIAT getPackets getTime getClientIp getServerIp
      getClientInfo getServerInfo getSSLInfo getSSHInfo getHTTPInfo getDNSInfo getICMPInfo getTCPInfo getClientPort getServerPort
      getClientGeolocation getServerGeolocation`,
    ),
  ],
  [
    ALL,
    'function',
    under(
      'require("alerts_api")',
      `storeFlowAlert flow_checkbox_input_builder checkbox_input_builder load_flow_check_modules store_flow_check_modules_benchmarks
      get_flow_check_module_benchmarks store trigger release hostAlertEntity interfaceAlertEntity networkAlertEntity macEntity userEntity
      processEntity hostPoolEntity pingedHostEntity categoryListsEntity`,
    ),
  ],
  [
    ALL,
    'integer',
    words(`info warning error`).flatMap((name) => under(`alert_consts.alert_severities.${name}`, 'severity_id syslog_severity')),
  ],
  [
    ALL,
    'integer',
    under(
      'alert_consts.alert_entities',
      `interface host network snmp_device flow mac host_pool process user influx_db test category_lists pinged_host periodic_activity`,
    ).map((entity) => `${entity}.entity_id`),
  ],
  [
    ALL,
    'integer',
    words('min hour day').flatMap((name) => under(`alert_consts.alerts_granularities.${name}`, 'granularity_id granularity_seconds')),
  ],
  [
    ALL,
    'integer',
    ['alert_consts.alerts_granularities["5mins"].granularity_seconds', 'flow_consts.status_blacklisted', 'flow_consts.max_score'],
  ],
  [ALL, 'string', ['flow_consts.flow_status_types[13].i18n_title', 'alert_consts.alert_types.flow_blacklisted.i18n_title']],
  [ALL, 'string', under('ntop.getDirs()', 'installdir workingdir scriptdir httpdocsdir callbacksdir pcapdir')],
  [
    ALL,
    'function',
    under(
      'ntop',
      `getDirs readdir isPro isEnterprise isnEdge getCache setCache delCache getPref setPref getHashCache setHashCache delHashCache
      getHashAllCache getKeysCache setMembersCache rpushCache lpopCache llenCache bitmapIsSet bitmapSet bitmapClear getDeadline getticks
      gettickspersec`,
    ),
  ],
  [ALL, 'integer', ['interface.getId()']],
  [ALL, 'function', under('interface', 'getId getnDPIProtoName isViewed viewedBy isPacketInterface getnDPIProtoId')],
  [
    ALL,
    'function',
    ['require("mud_utils").handleFlow', 'require("user_scripts").load', 'require("json").encode', 'require("dkjson").decode'],
  ],
  [
    ALL,
    'table',
    ['require("os_utils")', 'require("discover_utils")', 'require("ids_utils")', 'require("flow_utils")', 'require("lua_utils") and {}'],
  ],
  [SINCE_4, 'table', under('require("user_scripts").script_categories', 'other security internals network system')],
  [
    SINCE_4,
    'function',
    under(
      'flow',
      `getFullInfo getUnicastInfo isStatusSet setStatus triggerStatus triggerAlert getAlertedStatus getAlertedStatusScore getKey
      getHashEntryId getFirstSeen getLastSeen getDuration getPacketsSent getPacketsRcvd getBytesSent getBytesRcvd getGoodputBytes
      getClientKey getServerKey isClientUnicast isServerUnicast isUnicast isRemoteToRemote isLocalToRemote isRemoteToLocal isTwhOK
      isBidirectional isTCPConnecting isTCPConnectionRefused isBlacklisted getBlacklistedInfo isDeviceProtocolNotAllowed
      getDeviceProtoAllowedInfo getnDPICategoryName getnDPICategoryId getnDPIProtocolName getnDPIMasterProtoId getnDPIAppProtoId
      getProtoBreed getClientTCPIssues getServerTCPIssues getTCPStats getServerCipherClass getTLSVersion hasMaliciousTlsSignature
      getDnsQuery dnsQueryHasInvalidChars getICMPType getMaxSeenIcmpPayloadSize getICMPStatusInfo getClientCountry getServerCountry
      getTLSInfo retrieveExternalAlertInfo getMUDInfo isNotPurged getScore getScoreInfo clearStatus getPredominantStatus`,
    ),
  ],
  [
    SINCE_4,
    'integer',
    words(`getStatus getBytes getPackets getBytesSent getPacketsRcvd getDuration getnDPICategoryId getTLSVersion getClientTCPIssues
      getFirstSeen getKey getPredominantStatus getAlertedStatus`).map((name) => `flow.${name}()`),
  ],
  [
    SINCE_4,
    'integer',
    under(
      'alert_consts.alert_types',
      `blacklisted_country device_protocol_not_allowed external flow_blacklisted flow_blocked flow_misbehaviour internals
      malicious_signature alert_none potentially_dangerous_protocol remote_to_remote suspicious_activity udp_unidirectional
      user_script_calls_drops web_mining connection_issues suspicious_file_transfer known_proto_on_non_std_port flow_risk
      unexpected_dns_server unexpected_smtp_server unexpected_dhcp_server unexpected_ntp_server`,
    ).map((type) => `${type}.alert_key`),
  ],
  [ALL, 'table', under('flow_consts.status_types.status_blacklisted', 'alert_severity alert_type')],
  [['2019'], 'table', words('getStatus getBytes getPackets').map((name) => `flow.${name}()`)],
  [
    ['4.2'],
    'function',
    under(
      'flow',
      'hasRisk getRiskInfo setCustomInfo getnDPIMatchPacket getClientRetrPercentage getServerRetrPercentage isClientNoIP isServerNoIP',
    ),
  ],
  [
    ['4.2'],
    'integer',
    under('require("alert_severities")', 'debug info notice warning error critical alert emergency').map(
      (severity) => `${severity}.severity_id`,
    ),
  ],
  [['4.2'], 'function', ['flow_consts.status_types.status_flow_risk.create', 'require("plugins_utils").loadModule']],
];

async function said(
  t: TestContext,
  generation: Generation,
  body: string,
  more: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const { lines, errors, host } = await start(
    t,
    { 'a.lua': GENERATIONS[generation](body), ...more },
    { cache: createScriptCache({ now: () => 0 }), fields: FIELDS.map((field) => fieldOf(field.key, field.type)) },
  );
  host.run(eventOfTls(), 'protocolDetected');
  assert.deepEqual(errors, []);
  return lines;
}

const KIND = `
local function kind(value)
  local metatable = type(value) == "table" and getmetatable(value)
  return metatable and metatable.__call and "function" or math.type(value) or type(value)
end
`;

for (const generation of ALL) {
  const expected = AUDIT.filter(([generations]) => generations.includes(generation)).flatMap(([, kind, expressions]) =>
    expressions.map((expression) => [expression, kind] as const),
  );
  test(`${generation}: all that the reference names is there`, async (t) => {
    const body = expected.map(([expression]) => `print((select(2, pcall(function() return kind(${expression}) end))))`);
    const lines = await said(t, generation, KIND + body.join('\n'));
    assert.deepEqual(
      expected.map(([expression], i) => `${expression}: ${lines[i]}`),
      expected.map(([expression, kind]) => `${expression}: ${kind}`),
    );
  });
}

const NUMBERS: Readonly<Record<Generation, string>> = {
  '2019': '0 1 2, 7 6 21 45 48, 13 22 27',
  '4.0': '0 1 2, 8 39 55 28 23, 1 21 13',
  '4.2': '2 4 5, 8 39 55 28 23, 1 21 13',
};
for (const generation of ALL) {
  test(`${generation}: numbers`, async (t) => {
    const none = generation === '2019' ? 'anomalous_tcp_flags' : 'alert_none';
    const lines = await said(
      t,
      generation,
      `local s, a, f = alert_consts.alert_severities, alert_consts.alert_types, flow_consts
print(("%d %d %d, %d %d %d %d %d, %d %d %d"):format(s.info.severity_id, s.warning.severity_id, s.error.severity_id,
  a.flow_blacklisted.alert_id, a.remote_to_remote.alert_id, a.web_mining.alert_id, a.${none}.alert_id, a.malicious_signature.alert_id,
  f.status_blacklisted, f.status_tcp_severe_connection_issues, f.status_malicious_signature))`,
    );
    assert.deepEqual(lines, [NUMBERS[generation]]);
  });
}

/** In the order of their numbers, from 0 on. */
const NUMBERED = {
  alerts2019:
    words(`tcp_syn_flood flows_flood threshold_cross suspicious_activity alert_connection_issues flow_misbehaviour remote_to_remote
    flow_blacklisted flow_blocked new_device device_connection device_disconnection host_pool_connection
    host_pool_disconnection quota_exceeded misconfigured_app too_many_drops mac_ip_association_change port_status_change
    unresponsive_device process_notification web_mining nfq_flushed slow_stats_update alert_device_protocol_not_allowed
    alert_user_activity influxdb_export_failure port_errors test_failed inactivity active_flows_anomaly list_download_failed
    dns_anomaly icmp_anomaly broadcast_domain_too_large ids_alert ip_outsite_dhcp_range port_duplexstatus_change
    port_load_threshold_exceeded ping_issues slow_periodic_activity influxdb_dropped_points login_failed
    potentially_dangerous_protocol request_reply_ratio anomalous_tcp_flags misbehaving_flows_ratio ghost_network
    malicious_signature`),
  statuses2019: words(`normal slow_tcp_connection slow_application_header slow_data_exchange low_goodput suspicious_tcp_syn_probing
    tcp_connection_issues suspicious_tcp_probing flow_when_interface_alerted tcp_connection_refused ssl_certificate_mismatch
    dns_invalid_query remote_to_remote blacklisted blocked web_mining_detected device_protocol_not_allowed
    elephant_local_to_remote elephant_remote_to_local longlived not_purged ids_alert tcp_severe_connection_issues
    ssl_unsafe_ciphers data_exfiltration ssl_old_protocol_version potentially_dangerous malicious_signature`),
  statuses4: words(`normal blacklisted blacklisted_country blocked data_exfiltration device_protocol_not_allowed dns_data_exfiltration
    dns_invalid_query elephant_local_to_remote elephant_remote_to_local external_alert longlived low_goodput
    malicious_signature not_purged potentially_dangerous remote_to_remote suspicious_tcp_probing suspicious_tcp_syn_probing
    tcp_connection_issues tcp_connection_refused tcp_severe_connection_issues tls_certificate_expired
    tls_certificate_mismatch tls_old_protocol_version tls_unsafe_ciphers udp_unidirectional web_mining_detected
    tls_certificate_selfsigned suspicious_file_transfer known_proto_on_non_std_port flow_risk unexpected_dhcp_server
    unexpected_dns_server unexpected_smtp_server unexpected_ntp_server`),
};
const NEW_IN_4_2 = NUMBERED.statuses4.indexOf('tls_certificate_selfsigned');
const ALERTS_4: Readonly<Record<string, number>> = {
  blacklisted_country: 1,
  device_protocol_not_allowed: 5,
  external: 7,
  flow_blacklisted: 8,
  flow_blocked: 9,
  flow_misbehaviour: 10,
  internals: 18,
  malicious_signature: 23,
  none: 28,
  potentially_dangerous_protocol: 36,
  remote_to_remote: 39,
  suspicious_activity: 45,
  udp_unidirectional: 51,
  user_script_calls_drops: 54,
  web_mining: 55,
  connection_issues: 56,
  suspicious_file_transfer: 57,
  known_proto_on_non_std_port: 58,
  flow_risk: 62,
  unexpected_dns_server: 63,
  unexpected_smtp_server: 64,
  unexpected_dhcp_server: 65,
  unexpected_ntp_server: 66,
  user_01: 32768,
  user_05: 32772,
};
const GETTERS_OCTOBER =
  words(`getStatus getProtocols getBytes getClient2ServerTraffic getServer2ClientTraffic getClient2ServerIAT getServer2ClientIAT
    getPackets getTime getClientIp getServerIp getClientInfo getServerInfo getSSLInfo getSSHInfo getHTTPInfo getDNSInfo getICMPInfo
    getTCPInfo getClientPort getServerPort getClientGeolocation getServerGeolocation`);
const numbered = (names: readonly string[]): string[] => names.map((name, id) => `${name} ${id}`);

test('2019: every type of alert, every status and every getter has its number', async (t) => {
  const lines = await said(
    t,
    '2019',
    `local function show(name, id) print(name .. " " .. tostring(id)) end
for name in ("${NUMBERED.alerts2019.join(' ')}"):gmatch("%S+") do show(name, (alert_consts.alert_types[name] or {}).alert_id) end
for name in ("${NUMBERED.statuses2019.join(' ')}"):gmatch("%S+") do show(name, flow_consts["status_" .. name]) end
for name in ("${GETTERS_OCTOBER.join(' ')}"):gmatch("%S+") do show(name, flow.methodNamesToIds()[name]) end`,
  );
  assert.deepEqual(lines, [NUMBERED.alerts2019, NUMBERED.statuses2019, GETTERS_OCTOBER].flatMap(numbered));
});

for (const generation of SINCE_4) {
  test(`${generation}: every type of alert that concerns flows and every status has its number`, async (t) => {
    const lines = await said(
      t,
      generation,
      `local function show(name, id) print(name .. " " .. tostring(id)) end
for name in ("${Object.keys(ALERTS_4).join(' ')}"):gmatch("%S+") do
  show(name, (alert_consts.alert_types["alert_" .. name] or {}).alert_key)
  assert(alert_consts.alert_types[name] == alert_consts.alert_types["alert_" .. name], name)
end
for name in ("${NUMBERED.statuses4.join(' ')}"):gmatch("%S+") do show(name, (flow_consts.status_types["status_" .. name] or {}).status_key) end`,
    );
    const statuses = NUMBERED.statuses4.map((name, id) => `${name} ${generation === '4.0' && id >= NEW_IN_4_2 ? 'nil' : id}`);
    assert.deepEqual(lines, [...Object.entries(ALERTS_4).map(([name, id]) => `${name} ${id}`), ...statuses]);
  });
}

test('getInfo: all fields in 2019, a small table of its own in 4.x, where getFullInfo has all', async (t) => {
  const body = `local names = {}
for name in pairs(flow.getInfo()) do names[#names + 1] = name end
table.sort(names)
print(#names > 50 and "all" or table.concat(names, " "))
print(flow.getInfo() == flow.getInfo(), flow.getInfo()["srv.port"], flow.getFullInfo()["proto.ndpi_id"])
flow.getInfo()["srv.port"] = 1
print(flow.getInfo()["srv.port"])`;
  assert.deepEqual(await said(t, '2019', body), ['all', 'true\t443\t2', '1']);
  for (const generation of SINCE_4) {
    assert.deepEqual(await said(t, generation, body), [
      'cli.ip cli.localhost cli.port cli2srv.bytes cli2srv.packets duration proto.l4 proto.ndpi proto.ndpi_app proto.ndpi_cat srv.ip srv.localhost srv.port srv2cli.bytes srv2cli.packets',
      'false\t443\t2',
      '443',
    ]);
  }
});

test('load_flow_check_modules has a table for each callback, as who goes through them expects', async (t) => {
  const body = `local found = require("alerts_api").load_flow_check_modules(true)
for name, modules in pairsByKeys(found) do print(name, table.len(modules)) end
require("alerts_api").store_flow_check_modules_benchmarks({})
print(require("alerts_api").get_flow_check_module_benchmarks("a"))`;
  assert.deepEqual(await said(t, '2019', body), [
    'all\t0',
    'idle\t0',
    'periodicUpdate\t0',
    'protocolDetected\t0',
    'statusChanged\t0',
    'nil',
  ]);
});

test('mud_utils.handleFlow takes the flow of 2019 as its argument, later the current one', async (t) => {
  for (const generation of ALL) {
    const body = `local mud_utils = require("mud_utils")
mud_utils.handleFlow(${generation === '2019' ? 'info' : 'now'})
ntop.setPref("ntopng.prefs.mud_recording.203.0.113.7", "special_purpose")
mud_utils.handleFlow(${generation === '2019' ? 'info' : 'now'})
print(mud_utils.isMUDRecordingInProgress(), mud_utils.hasRecordedMUD("192.168.1.20"), mud_utils.hasRecordedMUD("203.0.113.7"))
print(mud_utils.getHostMUDRecordingPref(0, "203.0.113.7"), mud_utils.getHostMUDRecordingPref(0, "192.168.1.20"))
print((ntop.getMembersCache(mud_utils.keyOf("203.0.113.7"))[1]:match("from .*$")))`;
    assert.deepEqual(
      await said(t, generation, body),
      ['true\tfalse\ttrue', 'special_purpose\tdisabled', 'from 192.168.1.20 443'],
      generation,
    );
  }
});

test('plugins_utils.loadModule looks in the folder of the plugin, in its modules, then as require does', async (t) => {
  const body = `local load = require("plugins_utils").loadModule
print(load("own", "first").name, load("own", "second").name, load("own", "third").name, load("own", "json") == require("json"))
print((select(2, pcall(load, "own", "fourth")):match("fourth")))
print((select(2, pcall(load, "own", "broken")):match("it is broken")))`;
  const module = (name: string): string => `return { name = "${name}" }`;
  const files = {
    'own/first.lua': module('in the folder'),
    'own/modules/second.lua': module('in its modules'),
    'lib/third.lua': '',
    'third.lua': 'local script = { name = "beside" } return script',
    'own/broken.lua': 'error("it is broken")',
  };
  const { lines, host } = await start(t, { 'a.lua': GENERATIONS['4.2'](body), ...files }, { cache: createScriptCache({ now: () => 0 }) });
  host.run(eventOfTls(), 'protocolDetected');
  assert.deepEqual(lines, ['in the folder\tin its modules\tbeside\ttrue', 'fourth', 'it is broken']);
});

test('texts: shortenString, hostinfo2label, hostinfo2hostkey', async (t) => {
  const body = `print(shortenString("short"), #shortenString(("x"):rep(100)) < 40, shortenString("a longer text", 6))
print(hostinfo2label({ host = "10.0.0.1" }), hostinfo2label({ host = "10.0.0.1", vlan = 5 }), hostinfo2label({ host = "10.0.0.1", name = "nas" }))
print(hostinfo2label("10.0.0.1"), hostinfo2label({ host = "192.168.1.20" }))
print(hostinfo2hostkey({ host = "10.0.0.1", vlan = 5 }), hostinfo2hostkey(flow.getFullInfo(), "cli"), hostinfo2hostkey({ ip = "10.0.0.2" }))`;
  for (const generation of ALL) {
    assert.deepEqual(
      await said(t, generation, body),
      ['short\ttrue\ta long...', '10.0.0.1\t10.0.0.1@5\tnas', '10.0.0.1\tlaptop', '10.0.0.1@5\t192.168.1.20\t10.0.0.2'],
      generation,
    );
  }
});
