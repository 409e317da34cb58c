-- Does a host in the LAN serve something new?
--
-- The cache keeps the TCP ports at which each local host has accepted a connection. On the first day they are only collected; later
-- each further port makes one alert: a service that somebody has started, a back door, or a change that nobody told you about.

local script = {
  key = "new_server_port",
  gui = {
    i18n_title = "New server port in the LAN",
    i18n_description = "Alerts when a local host accepts connections at a port for the first time",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local LEARN = 86400      -- seconds
local EPHEMERAL = 32768  -- ports from here on come and go with every file transfer
local SYN, ACK = 2, 16   -- bits of the TCP flags

function script.setup()
  return true
end

function script.protocolDetected(info)
  if info["proto.l4"] ~= "TCP" or not info["srv.localhost"] then return end
  local port = info["srv.port"]
  if port >= EPHEMERAL then return end
  -- SYN and ACK in one of the server's packets: it took the connection. A refused one has RST and no SYN.
  if info["srv2cli.tcp_flags"] & (SYN | ACK) ~= SYN | ACK then return end

  -- All interfaces share the cache: each has keys of its own here, for each has a network, and a clock, of its own.
  local here = "new_server_port:" .. interface.getId() .. ":"
  local now = info["seen.first"]
  local since = tonumber(ntop.getCache(here .. "since"))
  if not since then
    since = now
    ntop.setCache(here .. "since", tostring(now)) -- no time to live: for ever
  end

  local ports = here .. info["srv.ip"] -- a hash: port -> when it was first seen
  if ntop.getHashCache(ports, tostring(port)) ~= "" then return end
  ntop.setHashCache(ports, tostring(port), tostring(now))
  if now - since < LEARN then return end
  alerts_api.storeFlowAlert(alert_consts.alert_types.suspicious_activity, alert_consts.alert_severities.warning,
    { host = info["srv.ip"], port = port, protocol = info["proto.ndpi"], first_client = info["cli.ip"] })
end

return script
