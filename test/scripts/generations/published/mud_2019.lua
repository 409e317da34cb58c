-- Records what the hosts of the network speak (MUD).
local mud_utils = require("mud_utils")
local alerts_api = require("alerts_api")
local os_utils = require("os_utils")

local module = {
   key = "mud_2019",
   gui = {
      i18n_title = "flow_callbacks_config.mud",
      i18n_description = "flow_callbacks_config.mud_description",
      input_builder = alerts_api.flow_checkbox_input_builder,
   },
}

function module.setup()
   -- what an administrator would have chosen
   ntop.setPref("ntopng.prefs.mud_recording.192.168.0.30", "general_purpose")
   return mud_utils.isMUDRecordingInProgress(interface.getId())
end

function module.protocolDetected(info)
   if flow.getClientMUDPref() == "disabled" and flow.getServerMUDPref() == "disabled" then return end
   mud_utils.handleFlow(info)
   print(flow.getClientMUDPref(), flow.isLocal(), flow.serializeClientByMac(), interface.getnDPIProtoName(info["proto.ndpi_id"]))
end

function module.idle(info)
   for _, connection in ipairs(ntop.getMembersCache(mud_utils.keyOf(info["cli.ip"]))) do print(connection) end
end

return module
