-- 4.2: flows with much traffic, flows that last, and what an intrusion detection system says.
local user_scripts = require("user_scripts")
local flow_consts = require("flow_consts")
local alert_consts = require("alert_consts")
local ids_utils = require("ids_utils")
local json = require("dkjson")

local script = {
   category = user_scripts.script_categories.network,
   prio = 1,
   default_value = { l2r_bytes_value = 16384, r2l_bytes_value = 16384, min_duration = 60, severity = alert_consts.alert_severities.warning },
   hooks = {},
   gui = {
      i18n_title = "flow_callbacks_config.elephant_flows",
      i18n_description = "flow_callbacks_config.elephant_flows_description",
      input_builder = "elephant_flows",
   },
}

function script.onLoad(hook, conf) traceError(TRACE_NORMAL, TRACE_CONSOLE, "load " .. hook .. " " .. conf.min_duration) end

function script.hooks.all(now, conf)
   local types = flow_consts.status_types
   local sent, rcvd = flow.getBytesSent(), flow.getBytesRcvd()

   if flow.isLocalToRemote() then
      if sent > conf.l2r_bytes_value then
         flow.triggerStatus(types.status_elephant_local_to_remote.create(conf.severity, { bytes = bytesToSize(sent) }), 20, 20, 20)
      end
      if rcvd > conf.r2l_bytes_value then
         flow.triggerStatus(types.status_elephant_remote_to_local.create(conf.severity, { bytes = bytesToSize(rcvd) }), 20, 20, 20)
      end
   end

   if flow.getDuration() > conf.min_duration and flow.isUnicast() then
      flow.triggerStatus(types.status_longlived.create(conf.severity, secondsToTime(flow.getDuration())), 10, 10, 10)
   end

   local alert = flow.retrieveExternalAlertInfo()
   if alert then
      local flow_score, cli_score, srv_score = ids_utils.computeScore(json.decode(alert))
      flow.triggerStatus(types.status_external_alert.create(conf.severity, json.decode(alert)), flow_score, cli_score, srv_score)
   end
end

return script
