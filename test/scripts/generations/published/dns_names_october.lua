-- October 2019: hooks that get one table, and the getters of tables.
local user_scripts = require("user_scripts")
local alert_consts = require("alert_consts")

local SUSPICIOUS = { ["com"] = false, ["net"] = false, ["xyz"] = true }

local script = {
   key = "dns_names_october",
   hooks = {},
   gui = {
      i18n_title = "DNS names",
      i18n_description = "Questions for names that are long, or of odd domains",
      input_builder = user_scripts.flow_checkbox_input_builder,
   },
}

function script.setup()
   return true
end

script.hooks.protocolDetected = function(params)
   local protocols = flow.getProtocols()
   if not starts(protocols["proto.ndpi"], "DNS") then return end

   local dns = flow.getDNSInfo()
   local query = dns["protos.dns.last_query"] or ""
   local labels = string.split(query, "%.") or { query }
   local tld = labels[#labels]

   print(query, dns["protos.dns.last_query_type"], dns["protos.dns.last_return_code"], flow.getServerPort()["srv.port"])

   if SUSPICIOUS[tld] or query:len() > 30 or dns["protos.dns.last_return_code"] ~= 0 then
      flow.storeAlert(
         alert_consts.alert_types.dns_anomaly.alert_id,
         alert_consts.alert_severities.warning.severity_id,
         '{"query":"' .. query .. '"}'
      )
   end
end

return script
