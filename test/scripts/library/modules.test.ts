/** The modules and helper functions of Lua scripts. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import { loadLocales } from '../../../src/scripts/locales.ts';
import { NAMES, script, start } from '../support.ts';

async function printed(t: TestContext, body: string, prelude = ''): Promise<string[]> {
  const { lines, errors, run } = await start(
    t,
    { 'a.lua': `${prelude}\n${script('a', 'idle', body)}` },
    {
      cache: createScriptCache({ now: () => 0 }),
      translate: loadLocales().translator('it'),
      names: { ...NAMES, risks: ['none', 'Possible XSS', 'SQL injection'] },
    },
  );
  run('idle');
  assert.deepEqual(errors, []);
  return lines;
}

test('texts of numbers, times and hosts', async (t) => {
  const lines = await printed(
    t,
    `print(bytesToSize(0), bytesToSize(1023), bytesToSize(1536), bytesToSize(5 << 30), bytesToSize(2 ^ 60))
print(bitsToSize(1500), bitsToSizeMultiplier(1024, 1024), pktsToSize(2.5e6), formatPackets(1234567), formatFlows(12), formatValue(-1234.5))
print(secondsToTime(0), secondsToTime(59), secondsToTime(61), secondsToTime(3600), secondsToTime(93784), secondsToTime(200000), msToTime(1.5), msToTime(61000))
print(round(2.345, 2), round(2.5), truncate(-2.5), tolongint("7"), tolongint("x"), toboolean("true"), toboolean(0), toboolean("maybe"))
print(trimSpace("  a b "), firstToUpper("abc"), table.concat(split("a;b", ";"), "|"), ("abc"):contains("b"), string.starts("abc", "a"), ("abc"):ends("c"))
print(formatEpoch(0) == "", #formatEpoch(1569859250))
print(l4_proto_to_id("TCP"), l4_proto_to_id("IPv6-ICMP"), l4_proto_to_id("42"), l4_proto_to_id("none"), l4_proto_to_string(58), l4_proto_to_string(250))
local host = hostkey2hostinfo("10.0.0.1@7")
print(host.host, host.vlan, hostkey2hostinfo("fe80::1").vlan, hostinfo2hostkey({ ["cli.ip"] = "10.0.0.1", ["cli.vlan"] = 2 }, "cli"), hostinfo2hostkey({ ip = "1.1.1.1" }, nil, true))
print(isMacAddress("AA:BB:CC:DD:EE:0F"), isMacAddress("x"), isBroadcastMulticast("224.0.0.1"), isBroadcastMulticast("255.255.255.255"), isBroadcastMulticast("10.0.0.1"), isBroadcastMulticast("FF02::1"))
print(ipv4ToInt("10.0.0.1"), ipv4ToInt("x"), intToIPv4(167772161), getInterfaceName(3), areAlertsEnabled())
print(table.contains({ 1, 2 }, 2), hasKey("a", { a = 1 }), getFlowLabel and "global" or "after require", require("flow_utils").getFlowLabel(info))`,
  );
  assert.deepEqual(lines, [
    '0 Bytes\t1023 Bytes\t1.5 KB\t5 GB\t1024 PB',
    '1.5 Kbps\t1 Kbps\t2.5 Mpps\t1,234,567 Pkts\t12 Flows\t-1,234.5',
    '< 1 sec\t59 sec\t01:01\t01:00:00\t1 giorno, 02:03:04\t2 giorni, 07:33:20\t1.5 ms\t01:01',
    '2.35\t3.0\t-2\t7\t0\ttrue\tfalse\tnil',
    'a b\tAbc\ta|b\ttrue\ttrue\ttrue',
    'true\t19',
    '6\t58\t42\tnil\tICMPV6\t250',
    '10.0.0.1\t7\t0\t10.0.0.1@2\t1.1.1.1@0',
    'true\tfalse\ttrue\ttrue\tfalse\ttrue',
    '167772161\tnil\t10.0.0.1\teth0\ttrue',
    'true\ttrue\tafter require\t192.168.1.20:51514 -> 203.0.113.7:80',
  ]);
});

test('modules that are a part of the original say what they do not have, once, and go on', async (t) => {
  const lines = await printed(
    t,
    `local mud_utils, discover = require("mud_utils"), require("discover_utils")
print(mud_utils.neverHeardOf(1), mud_utils.neverHeardOf(2))
print(discover.devtype2string(0), discover.devtype2string(3))
print(mud_utils.isMUDRecordingInProgress(), mud_utils.getHostMUDRecordingPref(0, "10.0.0.1"))
ntop.setPref("ntopng.prefs.mud_recording.10.0.0.1", "general_purpose")
print(mud_utils.isMUDRecordingInProgress(), mud_utils.getHostMUDRecordingPref(0, "10.0.0.1"), mud_utils.hasRecordedMUD("10.0.0.1"))`,
  );
  assert.deepEqual(lines, [
    'mud_utils.neverHeardOf does not exist here; it does nothing',
    'nil',
    'sconosciuto\ttype 3',
    'false\tdisabled',
    'true\tgeneral_purpose\tfalse',
  ]);
});

test('alerts of detection systems, risks, keys', async (t) => {
  const lines = await printed(
    t,
    `local ids, risks, json = require("ids_utils"), require("flow_risk_utils"), require("json")
print(ids.getSeverity('{"alert":{"severity":1,"signature":"bad"}}'), ids.formatAlert('{"alert":{"signature":"bad"}}'), ids.computeScore("no json"))
print(risks.getRiskName(1), risks.getRiskName(60), json.encode(risks.getRisks(6)))
print(require("flow_keys").ntopng.status_blacklisted, require("alert_keys").ntopng.alert_flow_blacklisted, require("alert_keys").user.alert_user_01)
print(require("status_types") == flow_consts.status_types, require("alert_severities") == alert_consts.alert_severities, require("status_keys") == require("flow_keys"))
print(flow_consts.getStatusTitle(13), flow_consts.getStatusType(13), flow_consts.getStatusInfo(13).alert_type.alert_id, flow_consts.max_score)
print(alert_consts.alertSeverity("error"), alert_consts.alertType("web_mining"), alert_consts.alertTypeLabel(21), alert_consts.alertSeverityLabel(1), alert_consts.alertEntity("flow"))
print(alert_consts.alertTypeById(7).i18n_title, alert_consts.alertTypeById(99999), alert_consts.alertSeverityRaw(9))
local created = flow_consts.status_types.status_blacklisted.create(nil, 1, 2)
print(created.status_type.status_key, created.alert_severity.severity_id, json.encode(created.alert_type_params))
print(json.encode(flow_consts.status_types.status_blacklisted.create({ a = 1 }).alert_type_params), json.encode(flow_consts.status_types.status_blacklisted.create().alert_type_params))`,
  );
  assert.deepEqual(lines, [
    '1\tbad\t20\t20\t20',
    'Possible XSS\tnil\t["Possible XSS","SQL injection"]',
    '13\t7\t32768',
    'true\ttrue\ttrue',
    'In lista nera\tstatus_blacklisted\t7\t1000',
    '2\t21\tWeb mining\tAttenzione\t4',
    'Flow blacklisted\tnil\tnil',
    '13\t2\t{"values":[1,2]}',
    '{"a":1}\t[]',
  ]);
});

test('an engaged alert is raised once until it is released', async (t) => {
  const { alerts, lines, errors, run } = await start(
    t,
    {
      'a.lua': script(
        'a',
        'idle',
        `local info = { alert_type = alert_consts.alert_types.new_device, alert_severity = alert_consts.alert_severities.warning }
local host = alerts_api.hostAlertEntity("10.0.0.1")
print(alerts_api.trigger(host, info), alerts_api.trigger(host, info), alerts_api.release(host, info), alerts_api.release(host, info), alerts_api.store(host))`,
      ),
    },
    { cache: createScriptCache({ now: () => 0 }) },
  );
  run('idle');
  assert.deepEqual(errors, []);
  assert.deepEqual(lines, ['true\tfalse\ttrue\tfalse\tfalse']);
  assert.deepEqual(
    alerts.map(({ info }) => info),
    ['{"action":"engage","entity":"host","entity_value":"10.0.0.1"}', '{"action":"release","entity":"host","entity_value":"10.0.0.1"}'],
  );
});

test('outside a callback there is no flow', async (t) => {
  const lines = await printed(
    t,
    'print("called")',
    `print(flow.getInfo(), flow.getBytes(), flow.isLocal(), (flow.getScore()))
print(select(2, pcall(flow.setStatus, 13)))
print(select(2, pcall(flow.storeAlert, 1, 1)))
print(select(2, pcall(flow.setScore, 5)))
print(os.time(), i18n("severities.error"), pcall(ntop.setCache, "k", nil))`,
  );
  assert.deepEqual(lines, [
    'nil\tnil\tnil\tnil',
    'flow.setStatus: there is no flow outside a callback',
    'flow.storeAlert: there is no flow outside a callback',
    'flow.setScore: there is no flow outside a callback',
    '0\tErrore\tfalse\tntop.setCache: the value must be a text or a number, it is nil',
    'called',
  ]);
});

test('wrong arguments are errors that name the line of the script', async (t) => {
  const bodies = [
    ['flow.setStatus("no such status")', /a\.lua:4: flow\.setStatus: there is no status no such status/],
    ['flow.isStatusSet(0)', /a\.lua:4: flow\.isStatusSet: there is no status 0/],
    ['flow.storeAlert("x", 1)', /a\.lua:4: flow\.storeAlert: the alert type must be a whole number from 0 to 65535, it is x/],
    ['ntop.setCache({}, 1)', /a\.lua:4: ntop\.setCache: the key must be a text or a number, it is table/],
    ['ntop.setCache("k", "x") ntop.setHashCache("k", "f", "v")', /a\.lua:4: the cache key 'k' holds a text, not a hash/],
    ['ntop.bitmapIsSet(nil, 1)', /a\.lua:4: attempt to perform bitwise operation on a nil value/],
    ['pairs(nil)', /a\.lua:4: bad argument #1 to 'pairs' \(table expected, got nil\)/],
    ['json = require("json") json.encode(print)', /a\.lua:4: json\.encode: a function has no form in JSON/],
    ['interface.neverHeardOf()', /a\.lua:4: attempt to call a nil value \(field 'neverHeardOf'\)/],
  ] as const;
  for (const [body, message] of bodies) {
    const { errors, run } = await start(t, { 'a.lua': script('a', 'idle', body) }, { cache: createScriptCache({ now: () => 0 }) });
    run('idle');
    assert.match(errors[0] ?? '', message, body);
  }
});
