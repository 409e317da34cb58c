-- Who still logs in without encryption?
--
-- FTP, Telnet, POP3, IMAP and HTTP basic authentication send the password so that everyone on the way can read it. nDPI recognises
-- such logins; this script tells them once a day for each client, server and protocol. Anonymous logins have no secret.

local script = {
  key = "clear_text_login",
  gui = {
    i18n_title = "Clear-text login",
    i18n_description = "Alerts when a password crosses the network without encryption",
    input_builder = alerts_api.flow_checkbox_input_builder, -- an on/off switch
  },
}

local DAY = 86400 -- seconds

-- The field that has the user's name, by protocol.
local USER = { FTP_CONTROL = "protos.ftp.user", POP3 = "protos.pop.user", IMAP = "protos.imap.user", SMTP = "protos.smtp.user" }
local NO_SECRET = { anonymous = true, ftp = true }

-- Called once when the script is loaded. True: the script is on.
function script.setup()
  return true
end

local function look(info)
  local risks = info["flow_risk"] -- absent when nDPI found none
  if not risks or not risks["Clear-Text Credentials"] then return end
  local protocol = info["proto.ndpi_app"]
  local user = USER[protocol] and info[USER[protocol]]
  if user and NO_SECRET[user] then return end

  -- What is kept in the cache outlives a restart. With a time to live it goes away by itself, so nothing grows for ever.
  local told = "clear_text_login:" .. info["cli.ip"] .. ":" .. info["srv.ip"] .. ":" .. protocol
  if ntop.getCache(told) ~= "" then return end
  ntop.setCache(told, "1", DAY)
  alerts_api.storeFlowAlert(
    alert_consts.alert_types.potentially_dangerous_protocol,
    alert_consts.alert_severities.warning,
    { protocol = protocol, user = user, server = info["host_server_name"] or info["srv.ip"] } -- kept with the alert, as JSON
  )
end

-- Called once per flow, when its protocol is known. `info` has all fields of the flow.
script.protocolDetected = look
-- Called at the flow's last visit: a login by hand takes longer than detection waits for details.
script.idle = look

return script
