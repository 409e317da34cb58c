-- The style of 4.0: hooks of (now, conf), single values, statuses with scores. The key is the name of the file.

local user_scripts = require("user_scripts")
local alert_consts = require("alert_consts")
local flow_consts = require("flow_consts")
local json = require("dkjson")
local plugins_utils = require("plugins_utils")

local script = {
   category = user_scripts.script_categories.security,
   default_enabled = true,
   default_value = { items = { "IT", "DE" } },
   packet_interface_only = true,
   nedge_exclude = true,
   windows_exclude = true,
   is_alert = true,
   periodic_update_seconds = 600,
   hooks = {},
   gui = {
      i18n_title = "flow_callbacks_config.country_check",
      i18n_description = "flow_callbacks_config.country_check_description",
      input_builder = "items_list",
      item_list_type = "country",
      input_title = "flow_callbacks_config.configuration",
      input_description = "flow_callbacks_config.configuration",
   },
}

local BYTES_AT_TOP = math.type(alert_consts.alert_types.alert_flow_blacklisted.alert_key)

local function show(name, value)
   if type(value) == "table" then value = json.encode(value) end
   print(name .. " = " .. tostring(value))
end

function script.setup()
   show("loader", { script.key, script.subdir, script.edition })
   return true
end

function script.teardown()
   ntop.setCache("ended", "yes")
end

function script.hooks.protocolDetected(now, conf)
   show("now", { now, conf, BYTES_AT_TOP })
   local info = flow.getInfo()
   show("info", { info["cli.ip"], info["srv.port"], info["proto.ndpi_app"], info["cli.localhost"] })
   show("full", flow.getFullInfo()["cli.asn"])
   show("unicast", flow.getUnicastInfo())
   for _, name in ipairs({ "getStatus", "getKey", "getHashEntryId", "getFirstSeen", "getLastSeen", "getDuration", "getPacketsSent",
      "getPacketsRcvd", "getPackets", "getBytesSent", "getBytesRcvd", "getBytes", "getGoodputBytes", "getClientKey", "getServerKey",
      "isClientUnicast", "isServerUnicast", "isUnicast", "isLocal", "isRemoteToRemote", "isLocalToRemote", "isRemoteToLocal", "isTwhOK",
      "isBidirectional", "isTCPConnecting", "isTCPConnectionRefused", "isBlacklisted", "getBlacklistedInfo", "isDeviceProtocolNotAllowed",
      "getDeviceProtoAllowedInfo", "getnDPICategoryName", "getnDPICategoryId", "getnDPIProtocolName", "getnDPIMasterProtoId",
      "getnDPIAppProtoId", "getProtoBreed", "getClientTCPIssues", "getServerTCPIssues", "getTCPStats", "getServerCipherClass",
      "getTLSVersion", "hasMaliciousTlsSignature", "getDnsQuery", "dnsQueryHasInvalidChars", "getICMPType", "getMaxSeenIcmpPayloadSize",
      "getICMPStatusInfo", "getClientCountry", "getServerCountry", "getClient2ServerIAT", "getServer2ClientIAT", "getTLSInfo", "getSSHInfo",
      "getHTTPInfo", "getDNSInfo", "retrieveExternalAlertInfo", "getMUDInfo", "isNotPurged", "getScore", "getScoreInfo",
      "getPredominantStatus" }) do
      show(name, flow[name]())
   end

   show("set", flow.setStatus(flow_consts.status_types.status_udp_unidirectional, 5, 5, 1))
   show("again", flow.setStatus(flow_consts.status_types.status_udp_unidirectional, 5, 5, 1))
   show("is set", flow.isStatusSet(flow_consts.status_types.status_udp_unidirectional.status_key))
   flow.clearStatus(flow_consts.status_types.status_udp_unidirectional)
   show("is set", flow.isStatusSet(26))
   show("score", flow.getScore())
end

function script.hooks.statusChanged(now)
   flow.triggerStatus(flow_consts.status_types.status_remote_to_remote, nil, 10, 10, 10)
   flow.triggerStatus(flow_consts.status_types.status_blacklisted_country, { cli_blacklisted = true }, 60, 60, flow_consts.max_score + 5)
   flow.triggerStatus(flow_consts.status_types.status_web_mining_detected, flow.getInfo(), 50, 50, 10, alert_consts.alert_severities.error)
   show("status", flow.getStatus())
   show("country", flow.isStatusSet(flow_consts.status_types.status_blacklisted_country))
end

function script.hooks.flowEnd(now, conf)
   show("rejected", select(2, pcall(flow.triggerStatus, flow_consts.status_types.status_blacklisted, 5, 100, 5, 10)))
   flow.triggerStatus(flow_consts.status_types.status_blacklisted, { list = "mine" }, 100, 5, 10)
   show("l4", { l4_proto_to_id("udp"), l4_proto_to_string(6) })
   show("helper", plugins_utils.loadModule("mine", "helpers").double(21))
   show("severity", { alert_consts.alertSeverityById(2).severity_id, alert_consts.alert_severities.error.severity_id })
   error("after the trigger")
end

return script
