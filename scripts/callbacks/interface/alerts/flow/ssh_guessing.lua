-- Does somebody try passwords at an SSH server?
--
-- The login itself is encrypted, but a refused one ends soon and is small. Ten short SSH flows from one client to one server within
-- five minutes make an alert, if the server is ours. `idle` is called at a flow's last visit, so its numbers are final.

local script = {
  key = "ssh_guessing",
  gui = {
    i18n_title = "SSH password guessing",
    i18n_description = "Alerts when a client makes many short SSH connections to a local server",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local SHORT, SMALL = 30, 20000 -- seconds and bytes of a login that was refused
local ENOUGH = 10
local WINDOW = 300             -- seconds

function script.setup()
  return true
end

function script.idle(info)
  if info["proto.ndpi_app"] ~= "SSH" or not info["srv.localhost"] then return end
  if info["duration"] > SHORT or info["bytes"] > SMALL then return end

  local counter = "ssh_guessing:" .. info["cli.ip"] .. ":" .. info["srv.ip"]
  local tries = ntop.incrCache(counter)
  if tries == 1 then ntop.expireCache(counter, WINDOW) end
  if tries ~= ENOUGH then return end
  alerts_api.storeFlowAlert(alert_consts.alert_types.login_failed, alert_consts.alert_severities.error, {
    tries = tries,
    within_s = WINDOW,
    client_software = info["protos.ssh.client_signature"],
    client_country = info["cli.country"],
  })
end

return script
