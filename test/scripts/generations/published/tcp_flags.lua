-- Counts how TCP flows end for each client, in the cache.
local alert_consts = require("alert_consts")

local script = { key = "tcp_flags" }

script.gui = {
   i18n_title = "TCP flags",
   i18n_description = "Clients whose flows are reset",
   input_builder = require("alerts_api").flow_checkbox_input_builder,
}

local FIN, SYN, RST = 1, 2, 4

local function count(client, what)
   local cache = string.format("ntopng.cache.ifid_%d.tcp_flags.%s", interface.getId(), client)
   local before = tonumber(ntop.getHashCache(cache, what)) or 0
   ntop.setHashCache(cache, what, tostring(before + 1))
   return before + 1, ntop.getHashAllCache(cache)
end

function script.setup()
   local stale = ntop.getKeysCache("ntopng.cache.ifid_" .. interface.getId() .. ".tcp_flags.*")
   for key in pairs(stale or {}) do ntop.delCache(key) end
   return true
end

function script.idle(info)
   if not info["srv2cli.tcp_flags"] then return end

   local flags = info["cli2srv.tcp_flags"] | info["srv2cli.tcp_flags"]
   local how = (flags & RST) ~= 0 and "reset" or (flags & FIN) ~= 0 and "closed" or (flags & SYN) ~= 0 and "open" or "seen"
   local times, all = count(hostinfo2hostkey(info, "cli"), how)

   for name, value in pairsByKeys(all, asc) do
      print(info["cli.ip"] .. ": " .. name .. " " .. value)
   end

   if how == "reset" and times >= 1 then
      flow.storeAlert(alert_consts.alert_types.anomalous_tcp_flags.alert_id, alert_consts.alert_severities.info.severity_id)
   end
   flow.setScore(times)
end

return script
