-- Does somebody from outside use a desktop or a shell in here?
--
-- This script has the style of ntopng 4: callbacks in `hooks`, called with the time and the script's configuration; filters as members,
-- so that the script is not even called for other flows; getters of `flow` instead of `info`; an alert by way of a status.

local flow_consts = require "flow_consts"
local user_scripts = require "user_scripts"

local script = {
  key = "remote_access",
  category = user_scripts.script_categories.security,

  l4_proto = "tcp",              -- only TCP,
  three_way_handshake_ok = true, -- and only once the server has taken the connection

  hooks = {},

  gui = {
    i18n_title = "Remote access from outside",
    i18n_description = "Alerts when a remote client opens a desktop or a file share on a local host",
  },
}

-- nDPI names. SSH is not among them: many networks have an SSH server that is meant to be reached.
local REMOTE = { AnyDesk = true, RDP = true, SMBv1 = true, SMBv23 = true, TeamViewer = true, Telnet = true, VNC = true }

local FLOW_SCORE, CLIENT_SCORE, SERVER_SCORE = 100, 50, 100

function script.hooks.protocolDetected(now, conf)
  if not flow.isRemoteToLocal() then return end
  local full = flow.getnDPIProtocolName() -- such as RDP, or TLS.AnyDesk
  local protocol = full:match("[^.]+$")
  if not REMOTE[protocol] then return end
  local info = { protocol = full, country = flow.getClientCountry() }
  flow.triggerStatus(flow_consts.status_types.status_potentially_dangerous, info, FLOW_SCORE, CLIENT_SCORE, SERVER_SCORE)
end

return script
