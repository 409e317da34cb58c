-- Who still logs in without encryption?
--
-- FTP, Telnet, POP3 and IMAP send the password as it is, and nDPI recognises other clear-text credentials (HTTP basic
-- authentication, for one) by itself. One line and one alert for each client, server and protocol.

local script = {
  key = "clear_text_login",
  gui = {
    i18n_title = "Clear-text login",
    i18n_description = "Alerts when a login crosses the network without encryption",
    input_builder = alerts_api.flow_checkbox_input_builder, -- an on/off switch
  },
}

local LOGIN_PROTOCOLS = { FTP_CONTROL = "FTP", Telnet = "Telnet", POP3 = "POP3", IMAP = "IMAP" }

-- Variables out here live as long as the program runs: this remembers what was told already.
local told = {}

-- Called once when the script is loaded. True: the script is on.
function script.setup()
  return true
end

-- The protocol by whose login the flow gives a password away, or nil.
local function clear_text_protocol(info)
  local known = LOGIN_PROTOCOLS[info["proto.ndpi"]]
  if known then return known end
  for risk in pairs(info["flow_risk"] or {}) do
    if risk:lower():find("clear.text credentials") then return info["proto.ndpi"] end
  end
end

-- Called once per flow, when its protocol is known. `info` has all fields of the flow.
function script.protocolDetected(info)
  local protocol = clear_text_protocol(info)
  if not protocol then return end
  local who = info["cli.ip"] .. " " .. info["srv.ip"] .. " " .. protocol
  if told[who] then return end
  told[who] = true
  print(protocol .. " sends passwords in clear text: " .. shortFlowLabel(info))
  alerts_api.storeFlowAlert(
    alert_consts.alert_types.potentially_dangerous_protocol,
    alert_consts.alert_severities.warning,
    { protocol = protocol, server_name = info["host_server_name"] } -- kept with the alert, as JSON
  )
end

return script
