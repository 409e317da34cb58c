-- Do our servers answer as fast as we have promised?
--
-- `tcp.appl_latency` is the time from the client's request to the first byte of the answer, seen from here. One late answer is
-- chance; three in five minutes, and half of all that the server gave, break the promise: one alert an hour for each server.

local script = {
  key = "latency_sla",
  gui = {
    i18n_title = "Late answers",
    i18n_description = "Alerts when a local server answers later than it should",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local PROMISE = { HTTP = 500, TLS = 500, MySQL = 200, PostgreSQL = 200, LDAP = 200, Redis = 50 } -- ms, by protocol
local ENOUGH = 3
local WINDOW = 300  -- seconds
local QUIET = 3600  -- seconds without a further alert

function script.setup()
  return true
end

-- Counts in the cache; the counter begins anew WINDOW seconds after its first count.
local function count(counter)
  local number = ntop.incrCache(counter)
  if number == 1 then ntop.expireCache(counter, WINDOW) end
  return number
end

function script.protocolDetected(info)
  local promised, took = PROMISE[info["proto.ndpi_app"]], info["tcp.appl_latency"]
  if not promised or not took or took == 0 or not info["srv.localhost"] then return end

  local server = "latency_sla:" .. info["srv.ip"] .. ":" .. info["srv.port"]
  local all = count(server .. ":all")
  if took <= promised then return end
  local late = count(server .. ":late")
  if late < ENOUGH or late * 2 < all or ntop.getCache(server .. ":told") ~= "" then return end
  ntop.setCache(server .. ":told", "1", QUIET)
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.warning, {
    took_ms = took,
    promised_ms = promised,
    late = late,
    answers = all,
    network_ms = info["tcp.nw_latency.server"], -- how much of it is the way to the server
  })
end

return script
