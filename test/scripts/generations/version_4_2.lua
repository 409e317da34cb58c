-- The style of 4.2: priorities, statuses that are created, events of the configuration.

local user_scripts = require("user_scripts")
local alert_consts = require("alert_consts")
local alert_severities = require("alert_severities")
local flow_consts = require("flow_consts")
local flow_risk_utils = require("flow_risk_utils")
local ids_utils = require("ids_utils")
local json = require("dkjson")

local script = {
   category = user_scripts.script_categories.security,
   prio = -20,
   default_value = { severity = alert_severities.critical },
   hooks = {},
   gui = {
      i18n_title = "Version 4.2",
      i18n_description = "Everything of 4.2",
      input_builder = "multi_select",
   },
}

local function show(name, value)
   if type(value) == "table" then value = json.encode(value) end
   print(name .. " = " .. tostring(value))
end

function script.onLoad(hook, conf) show("onLoad " .. hook, conf.severity.severity_id) end
function script.onEnable(hook, conf) show("onEnable", hook) end
function script.onDisable(hook, conf) ntop.rpushCache("ends", "onDisable " .. hook) end
function script.onUnload(hook, conf) ntop.rpushCache("ends", "onUnload " .. hook) end
function script.teardown() ntop.rpushCache("ends", "teardown") end

function script.hooks.protocolDetected(now, conf)
   show("status", flow.getStatus())
   show("risk", { tostring(flow.hasRisk()), tostring(flow.hasRisk(9)), tostring(flow.hasRisk(3)), flow.getRiskInfo(), flow_risk_utils.getRisks() })
   show("issues", { flow.getClientRetrPercentage(), flow.getServerRetrPercentage() })
   show("addresses", { tostring(flow.isClientNoIP()), tostring(flow.isServerNoIP()) })
   show("packet", flow.getnDPIMatchPacket())
   show("time", { ntop.getDeadline() - now, math.type(ntop.getticks()), ntop.gettickspersec() })
   show("interface", { tostring(interface.isViewed()), tostring(interface.viewedBy()), tostring(interface.isPacketInterface()) })
   show("alerted", { flow.getAlertedStatus(), flow.getAlertedStatusScore() })

   local issues = flow_consts.status_types.status_tcp_connection_issues
   local info = issues.create(issues.alert_severity, flow.getTCPStats(), flow.getPacketsSent())
   flow.triggerStatus(info, 10, 10, 10)
   flow.setCustomInfo("custom")
   local unexpected = flow_consts.status_types.status_unexpected_dns_server.create(conf.severity, { server_ip = flow.getInfo()["srv.ip"] })
   flow.triggerStatus(unexpected, 100, 0, 100)
   show("is set", flow.isStatusSet(33))
end

function script.hooks.periodicUpdate(now, conf)
   show("alerted", { flow.getAlertedStatus(), flow.getAlertedStatusScore() })
   flow.triggerStatus(flow_consts.status_types.status_low_goodput.create(alert_consts.alert_severities.notice), 10, 10, 10)
   flow.triggerStatus(flow_consts.status_types.status_external_alert, { ids = "old form" }, flow_consts.max_score * 2, 0, 0)
   show("score", { ids_utils.computeScore('{"alert":{"severity":2}}') })
end

return script
