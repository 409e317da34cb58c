-- UDP that nobody answers; taken back when the answer comes.
local flow_consts = require("flow_consts")
local user_scripts = require("user_scripts")

local UDP_TYPE = flow_consts.status_types.status_udp_unidirectional
local IGNORED = { [53] = true, [67] = true, [68] = true }

local script = {
   key = "udp_one_way_key",
   category = user_scripts.script_categories.network,
   l4_proto = "udp",
   default_enabled = true,
   default_value = { min_packets = 1 },
   periodic_update_seconds = 60,
   hooks = {},
   gui = {
      i18n_title = "UDP one way",
      i18n_description = "UDP that nobody answers",
      input_builder = "threshold_cross",
      input_title = "Packets",
      field_min = 1, field_max = 100, field_operator = "gt",
   },
}

function script.setup()
   return ntop.isPro() or ntop.isEnterprise()
end

local function check(now, conf)
   if not flow.isServerUnicast() then return end
   if IGNORED[flow.getInfo()["srv.port"]] then return end

   if flow.getPacketsRcvd() == 0 and flow.getPacketsSent() >= conf.min_packets then
      flow.setStatus(UDP_TYPE, 10, 10, 10)
      flow.triggerStatus(UDP_TYPE, {
         sent = flow.getBytesSent(),
         proto = flow.getnDPIProtocolName(),
         category = flow.getnDPICategoryName(),
         seconds = flow.getLastSeen() - flow.getFirstSeen(),
         ago = now >= flow.getLastSeen(),
      }, 10, 10, 10)
   elseif flow.isBidirectional() then
      flow.clearStatus(UDP_TYPE)
   end
end

script.hooks.protocolDetected = check
script.hooks.periodicUpdate = check
script.hooks.flowEnd = check

return script
