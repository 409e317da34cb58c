-- The style of September and October 2019: functions on the module, everything by its global or by require.

local dirs = ntop.getDirs()
package.path = dirs.installdir .. "/scripts/lua/modules/?.lua;" .. package.path

require "lua_utils"
local json = require("dkjson")
local os_utils = require("os_utils")
local mud_utils = require("mud_utils")

local check_module = {
   key = "year_2019",

   gui = {
      i18n_title = "flow_callbacks_config.blacklisted",
      i18n_description = "flow_callbacks_config.blacklisted_description",
      input_builder = alerts_api.flow_checkbox_input_builder,
   }
}

local function show(name, value)
   if type(value) == "table" then value = json.encode(value) end
   print(name .. " = " .. tostring(value))
end

-- #################################################################

function check_module.setup()
   show("conf", check_module.conf)
   return true
end

-- #################################################################

-- Section 3 of the reference, and the getters of October.
function check_module.protocolDetected(info)
   show("same info", flow.getInfo() == info)
   for _, name in ipairs({ "getStatus", "getProtocols", "getBytes", "getClient2ServerTraffic", "getServer2ClientTraffic",
      "getClient2ServerIAT", "getServer2ClientIAT", "getPackets", "getTime", "getClientIp", "getServerIp", "getClientInfo",
      "getServerInfo", "getSSLInfo", "getSSHInfo", "getHTTPInfo", "getDNSInfo", "getICMPInfo", "getTCPInfo", "getClientPort",
      "getServerPort", "getClientGeolocation", "getServerGeolocation" }) do
      show(name, flow[name]())
   end
   show("unknown getter", flow.getThroughput)

   local ids = flow.methodNamesToIds()
   show("ids", { ids.getStatus, ids.getTCPInfo, ids.getServerGeolocation })
   show("by id", flow.callMethodById(ids.getClientPort))

   show("isLocal", flow.isLocal())
   show("scores", { flow.getClientScore(), flow.getServerScore() })
   flow.setScore(50)
   flow.setClientScore(70000)
   flow.setServerScore(20)
   show("scores", { flow.getClientScore(), flow.getServerScore(), info["score"] })
   show("mud", { flow.getClientMUDPref(), flow.getServerMUDPref(), flow.serializeClientByMac(), flow.serializeServerByMac() })

   ntop.setPref("ntopng.prefs.mud_recording." .. info["cli.ip"], "special_purpose")
   mud_utils.handleFlow(info)
   show("recorded", ntop.getMembersCache(mud_utils.keyOf(info["cli.ip"])))

   if info["cli.blacklisted"] or info["srv.blacklisted"] then
      alerts_api.storeFlowAlert(alert_consts.alert_types.flow_blacklisted, alert_consts.alert_severities.error, info)
   end
   flow.storeAlert(alert_consts.alert_types.web_mining.alert_id, alert_consts.alert_severities.warning.severity_id, json.encode({ why = "test" }))
   flow.storeAlert(48, 2)
   alerts_api.store(alerts_api.hostAlertEntity(info["cli.ip"], 5), {
      alert_type = alert_consts.alert_types.new_device, alert_severity = alert_consts.alert_severities.info,
      alert_type_params = { device = info["cli.mac"] },
   })
end

-- #################################################################

-- Sections 2, 5 and 6.
function check_module.statusChanged(info)
   show("label", shortFlowLabel(info))
   show("ternary", ternary(info["cli.private"], "yes", "no"))
   show("strings", { tostring(isEmptyString("")), tostring(starts("abc", "ab")), tostring(ends("abc", "bc")), string.split("a,b", ",")[2] })
   for key, value in pairsByKeys({ b = 2, a = 1 }) do show(key, value) end
   for key, value in pairsByValues({ b = 1, a = 2 }, rev) do show(key, value) end
   show("tables", { table.len({ a = 1 }), tostring(table.empty({})), table.merge({ a = 1 }, { b = 2 }), table.slice({ 1, 2, 3 }, 2),
      tostring(table.compare({ 1 }, table.clone({ 1 }))) })
   show("addresses", { tostring(isIPv4("1.2.3.4")), tostring(isIPv6("::1")), hostinfo2hostkey({ ip = "1.2.3.4", vlan = 2 }),
      resolveAddress({ ip = info["cli.ip"] }), tostring(isMacAddress("AA:BB:CC:00:11:22")) })
   show("i18n", i18n("flow_callbacks_config.blacklisted") .. " / " .. i18n("%{n} flows", { n = 3 }) .. " / " .. require("i18n").translate("x"))
   show("constants", { TRACE_ERROR, TRACE_WARNING, TRACE_NORMAL, TRACE_INFO, TRACE_DEBUG, flow_consts.status_blacklisted })
   show("status type", { flow_consts.flow_status_types[13].i18n_title, flow_consts.flow_status_types[13].relevance })
   show("entities", { alert_consts.alert_entities.flow.entity_id, alert_consts.alerts_granularities["5mins"].granularity_seconds })
   show("types", { alert_consts.alertTypeRaw(7), alert_consts.alertSeverityRaw(2), alert_consts.alertSeverityById(1).severity_id })
   traceError(TRACE_WARNING, TRACE_CONSOLE, "careful")
   tprint({ a = { b = 1 } })

   show("dirs", dirs.callbacksdir)
   show("readdir", ntop.readdir(dirs.callbacksdir .. "/interface/alerts/flow"))
   show("elsewhere", ntop.readdir("/etc"))
   show("path", os_utils.fixPath(dirs.installdir .. "//scripts"))
   show("editions", { tostring(ntop.isPro()), tostring(ntop.isEnterprise()), tostring(ntop.isnEdge()) })

   show("missing", { ntop.getCache("a"), ntop.getPref("b"), ntop.getHashCache("c", "d"), tostring(ntop.getHashAllCache("c")) })
   ntop.setCache("a", 5, 60)
   show("cache", { ntop.getCache("a"), ntop.incrCache("a", 2), ntop.getKeysCache("a*") })
   ntop.delCache("a")
   show("gone", ntop.getCache("a"))
   ntop.setHashCache("h", "f", "v")
   show("hash", { ntop.getHashCache("h", "f"), ntop.getHashAllCache("h"), ntop.getHashKeysCache("h") })
   ntop.delHashCache("h", "f")
   ntop.setMembersCache("s", "m")
   show("set", { ntop.getMembersCache("s"), tostring(ntop.isMembersCache("s", "m")) })
   ntop.delMembersCache("s", "m")
   ntop.rpushCache("l", 1)
   ntop.rpushCache("l", 2)
   ntop.rpushCache("l", 3, 2)
   ntop.lpushCache("l", 0)
   show("list", { ntop.llenCache("l"), ntop.lrangeCache("l", 0, -1), ntop.lpopCache("l"), ntop.rpopCache("l") })
   ntop.ltrimCache("l", 1, 2)
   show("empty list", tostring(ntop.lpopCache("l")))
   show("prefs", { ntop.getPref("ntopng.prefs.host_blacklist"), ntop.getPref("ntopng.prefs.flow_max_idle"), ntop.getCache("ntopng.prefs.mine") })
   ntop.setPref("ntopng.prefs.host_blacklist", "0")
   ntop.setPref("ntopng.prefs.mine", "1")
   show("prefs", { ntop.getPref("ntopng.prefs.host_blacklist"), ntop.getPref("ntopng.prefs.mine") })
   show("bits", { tostring(ntop.bitmapIsSet(5, 2)), ntop.bitmapSet(0, 3), ntop.bitmapClear(5, 0) })
   show("interface", { interface.getId(), interface.getName(), interface.getnDPIProtoName(7), interface.getnDPIProtoId("DNS") })
   show("io", select(2, io.open("/tmp/x", "w")))
   show("time", { os.time(), os.date("!%H:%M", os.time()), type(os.clock()) })
end

-- #################################################################

-- What 4.x calls works here as well, with the numbers of 2019.
function check_module.periodicUpdate(info)
   show("set", flow.setStatus(flow_consts.status_types.status_remote_to_remote, 10, 20, 30))
   show("is set", { tostring(flow.isStatusSet(12)), tostring(flow.isStatusSet(flow_consts.status_types.status_web_mining_detected)) })
   flow.triggerStatus(flow_consts.status_types.status_web_mining_detected, { pool = "example.org" }, 50, 50, 10)
   flow.triggerStatus(flow_consts.status_types.status_blacklisted, nil, 100, 5, 10)
   show("score", flow.getScore())
   flow.clearStatus(flow_consts.status_types.status_remote_to_remote)
   show("is set", flow.isStatusSet(12))
end

return check_module
