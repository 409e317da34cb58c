-- The style of 9 October 2019: a table of hooks whose functions get one table.

local user_scripts = require("user_scripts")
local alert_consts = require("alert_consts")
local flow_consts = require("flow_consts")

local script = {
   key = "october",
   hooks = {},
   gui = {
      i18n_title = "October",
      i18n_description = "The transition",
      input_builder = user_scripts.flow_checkbox_input_builder,
   },
}

function script.hooks.protocolDetected(params)
   print("detected " .. params.flow_info["cli.ip"] .. " " .. flow.getStatus()["status_map"] .. " " .. flow_consts.status_blacklisted)
end

function script.hooks.flowEnd(info)
   print("ended " .. info["srv.ip"])
end

function script.hooks.all(params)
   print("all " .. shortFlowLabel(params.flow_info))
end

return script
