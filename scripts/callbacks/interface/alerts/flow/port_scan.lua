-- Who looks for open doors?
--
-- One failed connection is nothing. A client that fails at 25 ports of one host within five minutes scans its ports; one that
-- fails at the same port of 25 hosts sweeps the network, as worms do. A single flow cannot tell: the cache counts over many.

local script = {
  key = "port_scan",
  gui = {
    i18n_title = "Port scan and host sweep",
    i18n_description = "Alerts when a client fails at many ports of a host, or at one port of many hosts",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local ENOUGH = 25   -- different ports, or hosts
local WINDOW = 300  -- seconds
local SYN = 2       -- bit of the TCP flags

function script.setup()
  return true
end

-- Adds a member to a set that is gone WINDOW seconds after its first one. Returns true when this makes the set large enough.
local function fills(set, member)
  if ntop.getHashCache(set, member) ~= "" then return false end
  local counter = set .. ":count"
  local count = ntop.incrCache(counter)
  if count > ENOUGH then return false end -- told already: the set need not grow any more
  ntop.setHashCache(set, member, "1")
  if count == 1 then
    ntop.expireCache(set, WINDOW)
    ntop.expireCache(counter, WINDOW)
  end
  return count == ENOUGH
end

local function tell(severity, what)
  alerts_api.storeFlowAlert(alert_consts.alert_types.suspicious_activity, alert_consts.alert_severities[severity], what)
end

-- A flow whose protocol stays unknown comes here too, once detection has given up.
function script.protocolDetected(info)
  if info["proto.l4"] ~= "TCP" then return end
  local asked = info["cli2srv.tcp_flags"] & SYN ~= 0
  local taken = info["srv2cli.tcp_flags"] & SYN ~= 0
  if not asked or taken or info["cli2srv.goodput_bytes"] > 0 then return end -- with data it went on, and we see only one direction

  local client, server, port = info["cli.ip"], info["srv.ip"], info["srv.port"]
  if fills("port_scan:ports:" .. client .. ":" .. server, tostring(port)) then
    tell("warning", { scan = "ports", target = server, ports = ENOUGH, within_s = WINDOW })
  end
  if fills("port_scan:hosts:" .. client .. ":" .. port, server) then
    tell("error", { scan = "hosts", port = port, hosts = ENOUGH, within_s = WINDOW })
  end
end

return script
