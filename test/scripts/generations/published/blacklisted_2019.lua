-- Blacklisted hosts, the way it was meant in 2019: the alert api does it all.
local alerts_api = require("alerts_api")
local alert_consts = require("alert_consts")

local check_module = {
   key = "blacklisted_2019",

   gui = {
      i18n_title = "flow_callbacks_config.blacklisted",
      i18n_description = "flow_callbacks_config.blacklisted_description",
      input_builder = alerts_api.flow_checkbox_input_builder,
   }
}

-- #################################################################

function check_module.setup()
   return(true)
end

-- #################################################################

local function check(flow_info)
   if flow_info["cli.blacklisted"] or flow_info["srv.blacklisted"] or flow_info["proto.ndpi_breed"] == "Dangerous" then
      alerts_api.storeFlowAlert(alert_consts.alert_types.flow_blacklisted, alert_consts.alert_severities.error, flow.getClientIp())
   end
   -- not on a list, yet nobody speaks NetBIOS to the whole network without a reason
   if ends(flow_info["srv.ip"], ".255") then
      traceError(TRACE_NORMAL, TRACE_CONSOLE, shortFlowLabel(flow_info))
   end
end

check_module.protocolDetected = check

return check_module
