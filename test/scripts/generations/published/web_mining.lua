-- 4.0: mining of crypto currencies, lists, device policies.
local flow_consts = require("flow_consts")
local user_scripts = require("user_scripts")

local script = {
   category = user_scripts.script_categories.security,
   hooks = {},
   gui = {
      i18n_title = "flow_callbacks_config.web_mining",
      i18n_description = "flow_callbacks_config.web_mining_description",
   },
}

function script.hooks.protocolDetected(now)
   local types = flow_consts.status_types

   if flow.getnDPICategoryName() == "Mining" then
      flow.triggerStatus(types.status_web_mining_detected, nil, 50, 50, 10)
   end
   if flow.isBlacklisted() then
      flow.triggerStatus(types.status_blacklisted, flow.getBlacklistedInfo(), 100, 100, 5)
   end
   if flow.isDeviceProtocolNotAllowed() then
      local info = flow.getDeviceProtoAllowedInfo()
      local score = 80
      local cli_score, srv_score = score, 5
      if info["srv.disallowed_proto"] then cli_score, srv_score = 5, score end
      flow.triggerStatus(types.status_device_protocol_not_allowed,
         { ["cli.devtype"] = info["cli.devtype"], devproto_forbidden_id = info["cli.disallowed_proto"] }, score, cli_score, srv_score)
   end
   local country = flow.getServerCountry() or flow.getClientCountry()
   if country then print("country " .. country) end
   if flow.isNotPurged() then error("it is over") end
   if flow.getProtoBreed() == "Dangerous" or flow.getProtoBreed() == "Potentially_Dangerous" or flow.getProtoBreed() == "Potentially Dangerous" then
      flow.triggerStatus(types.status_potentially_dangerous, { proto = flow.getnDPIProtocolName() }, 10, 10, 10)
   end
end

return script
