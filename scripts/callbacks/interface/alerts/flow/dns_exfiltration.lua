-- Does somebody smuggle data out in DNS names?
--
-- The data is in the labels before the domain, as in mzxw6ytboi2dknrtgqzdcmrt.gezdgnbvgy3tqojq.example.com: long, with letters and
-- digits that alternate as in no name that people give, and never the same twice. Five different ones below one domain within
-- ten minutes make an alert.

local script = {
  key = "dns_exfiltration",
  gui = {
    i18n_title = "DNS exfiltration",
    i18n_description = "Alerts when a client asks for many long, random names below one domain",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local LONG = 40       -- characters before the domain, dots not counted
local TANGLED = 0.12  -- of all neighbours, a letter beside a digit: base 32 has 0.30, hexadecimal 0.47, load balancers of clouds 0.05
local ENOUGH = 5      -- names
local WINDOW = 600    -- seconds

-- Domains in whose names data travels on purpose: those of virus scanners, say.
local MAY = { ["scanner.example"] = true }

function script.setup()
  return true
end

-- How often a letter stands beside a digit, 0 to 1.
local function tangled(text)
  local _, up = text:gsub("%f[%d]%d+", "")  -- runs of digits
  local _, edge = text:gsub("^%d", "")      -- one that has nothing before it
  return (2 * up - edge) / #text
end

function script.protocolDetected(info)
  local name = info["protos.dns.last_query"] -- only flows of DNS have it
  if not name then return end
  local labels, domain = name:lower():match("^(.+)%.([^.]+%.[^.]+)$")
  if not labels or MAY[domain] or domain == "in-addr.arpa" or domain == "ip6.arpa" then return end
  labels = labels:gsub("[.-]", "")
  if #labels < LONG or tangled(labels) < TANGLED then return end

  -- A hash in the cache holds the names; both it and the counter are gone ten minutes after the first.
  local names = "dns_exfiltration:" .. info["cli.ip"] .. ":" .. domain
  if ntop.getHashCache(names, labels) ~= "" then return end
  local count = ntop.incrCache(names .. ":count")
  if count > ENOUGH then return end -- told already
  ntop.setHashCache(names, labels, "1")
  if count == 1 then
    ntop.expireCache(names, WINDOW)
    ntop.expireCache(names .. ":count", WINDOW)
  end
  if count < ENOUGH then return end
  alerts_api.storeFlowAlert(alert_consts.alert_types.dns_anomaly, alert_consts.alert_severities.error,
    { domain = domain, query = name, names = count, within_s = WINDOW })
end

return script
