-- Does somebody smuggle data out in DNS names?
--
-- Such names are long and look random: the data is in the labels before the domain, as in
-- mzxw6ytboi2dknrtgqzdcmrt.gezdgnbvgy3tqojq.example.com. Three of them below one domain within ten minutes make an alert.

local script = {
  key = "dns_exfiltration",
  gui = {
    i18n_title = "DNS exfiltration",
    i18n_description = "Alerts when a client asks for long, random names below one domain",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local LONG = 40    -- characters before the domain, dots not counted
local RANDOM = 3.6 -- bits per character: words have some 3.5, random hexadecimal digits 4 at most, base 32 up to 5
local ENOUGH = 3   -- names
local WINDOW = 600 -- seconds

function script.setup()
  return true
end

-- Shannon entropy: how many bits one character tells.
local function entropy(text)
  local counts, bits = {}, 0
  for character in text:gmatch(".") do counts[character] = (counts[character] or 0) + 1 end
  for _, count in pairs(counts) do bits = bits - count / #text * math.log(count / #text, 2) end
  return bits
end

function script.protocolDetected(info)
  local name = info["protos.dns.last_query"] -- only flows of DNS have it
  if not name then return end
  local labels, domain = name:lower():match("^(.+)%.([^.]+%.[^.]+)$")
  if not labels or domain == "in-addr.arpa" or domain == "ip6.arpa" then return end
  labels = labels:gsub("%.", "")
  if #labels < LONG or entropy(labels) < RANDOM then return end

  -- A counter in the cache, gone ten minutes after its first name.
  local counter = "dns_exfiltration:" .. info["cli.ip"] .. ":" .. domain
  local names = ntop.incrCache(counter)
  if names == 1 then ntop.expireCache(counter, WINDOW) end
  if names ~= ENOUGH then return end
  alerts_api.storeFlowAlert(alert_consts.alert_types.dns_anomaly, alert_consts.alert_severities.error,
    { domain = domain, query = name, names = names, within_s = WINDOW })
end

return script
