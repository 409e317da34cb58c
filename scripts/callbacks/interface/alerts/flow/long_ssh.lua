-- Which SSH sessions never end?
--
-- Forgotten sessions, tunnels and back doors stay open for hours. `periodicUpdate` is called every five minutes on flows that
-- live that long; a session that is over an hour old makes one alert.

local script = {
  key = "long_ssh",
  gui = {
    i18n_title = "Long SSH session",
    i18n_description = "Alerts when an SSH session is open for over an hour",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local LONG = 3600             -- seconds
local MAY = {                 -- servers with which long sessions are usual
  ["203.0.113.250"] = true,   -- the jump host, say
}

-- Variables out here live as long as this version of the script is loaded.
local told = {} -- flow id -> true

function script.setup()
  return true
end

function script.periodicUpdate(info)
  local id = info["flow.id"]
  if info["proto.ndpi_app"] ~= "SSH" or info["duration"] < LONG or MAY[info["srv.ip"]] or told[id] then return end
  told[id] = true
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.warning, {
    minutes = info["duration"] // 60,
    client_software = info["protos.ssh.client_signature"],
    sent_bytes = info["cli2srv.bytes"],
    received_bytes = info["srv2cli.bytes"],
  })
end

-- The flow's last visit: forget it, or the table grows for ever.
function script.idle(info)
  told[info["flow.id"]] = nil
end

return script
