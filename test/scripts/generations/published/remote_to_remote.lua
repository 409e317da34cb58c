-- A flow between two remote hosts: somebody routes through us, or the local networks are incomplete.
local user_scripts = require("user_scripts")
local flow_consts = require("flow_consts")

local script = {
   category = user_scripts.script_categories.network,

   packet_interface_only = true,
   nedge_exclude = true,

   hooks = {},

   gui = {
      i18n_title = "flow_callbacks_config.remote_to_remote",
      i18n_description = "flow_callbacks_config.remote_to_remote_description",
   }
}

-- #################################################################

function script.hooks.protocolDetected(now)
   if flow.isRemoteToRemote() and flow.isClientUnicast() and flow.isServerUnicast() then
      local info = flow.getInfo()
      local score = 10

      if info["proto.ndpi_cat"] == "Network" then score = 5 end
      if flow.setStatus(flow_consts.status_types.status_remote_to_remote, score, score, score) then
         traceError(TRACE_NORMAL, TRACE_CONSOLE, "first to say so")
      end
      if not flow.isStatusSet(flow_consts.status_types.status_remote_to_remote.status_id) then error("it is set") end
      flow.triggerStatus(flow_consts.status_types.status_user_01, { cli = flow.getClientKey(), srv = flow.getServerKey() }, score, score, score)
   end
end

-- #################################################################

return script
