-- Has a host of ours begun to speak TLS with another country?
--
-- For each local host the cache keeps the countries of its TLS servers. In the first week of a host they are only collected;
-- after that a country that is not among them makes an alert, once. Printers, cameras and servers rarely have reason to.

local script = {
  key = "tls_new_country",
  gui = {
    i18n_title = "TLS to a new country",
    i18n_description = "Alerts when a local host speaks TLS with a country for the first time",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local DAY = 86400                -- seconds
local LEARN, FORGET = 7 * DAY, 60 * DAY
local USUAL = { IT = true }      -- countries that are never news: your own, and those around you

function script.setup()
  return true
end

function script.protocolDetected(info)
  if not info["protos.tls_version"] then return end -- only flows of TLS have it
  if not info["cli.localhost"] or info["srv.localhost"] then return end
  local country = info["srv.country"] -- empty where the address is not known
  if country == "" or USUAL[country] then return end

  -- A hash in the cache: country -> when it was first seen; `since` -> when the host was. All interfaces share the cache.
  local host = "tls_new_country:" .. interface.getId() .. ":" .. info["cli.ip"]
  if ntop.getHashCache(host, country) ~= "" then return end
  local now = info["seen.first"] -- the traffic's time: the script says the same of a capture, whenever it is read
  local since = tonumber(ntop.getHashCache(host, "since")) or now
  ntop.setHashCache(host, "since", tostring(since))
  ntop.setHashCache(host, country, tostring(now))
  ntop.expireCache(host, FORGET)
  if now - since < LEARN then return end

  local name = info["protos.tls.client_requested_server_name"]
  alerts_api.storeFlowAlert(alert_consts.alert_types.suspicious_activity, alert_consts.alert_severities.warning,
    { country = country, server_name = name, days_known = (now - since) // DAY })
end

return script
