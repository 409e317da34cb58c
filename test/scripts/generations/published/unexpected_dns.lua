-- 4.2: a DNS server that is not one of ours.
local user_scripts = require("user_scripts")
local alert_severities = require "alert_severities"
local flow_consts = require("flow_consts")

local UNEXPECTED_PLUGINS_ENABLED_CACHE_KEY = "ntopng.cache.user_scripts.unexpected_plugins_enabled"

local script = {
   category = user_scripts.script_categories.security,
   prio = -5,
   l7_proto = "dns",

   default_enabled = true,
   default_value = {
      severity = alert_severities.error,
      items = { "192.168.1.1" },
   },

   hooks = {},

   gui = {
      i18n_title = "unexpected_dns.unexpected_dns_title",
      i18n_description = "unexpected_dns.unexpected_dns_description",
      input_builder = "items_list",
      item_list_type = "ip_address",
      input_title = "Servers",
      input_description = "Comma separated",
   }
}

-- #################################################################

function script.onEnable(hook, hook_config)
   ntop.setCache(UNEXPECTED_PLUGINS_ENABLED_CACHE_KEY, "1")
end

function script.onDisable(hook, hook_config)
   ntop.delCache(UNEXPECTED_PLUGINS_ENABLED_CACHE_KEY)
end

function script.hooks.protocolDetected(now, conf)
   if table.len(conf.items) == 0 then return end

   local server_ip = hostkey2hostinfo(flow.getServerKey()).host
   for _, ip in pairs(conf.items) do
      if ip == server_ip then return end
   end

   local expected = flow_consts.status_types.status_unexpected_dns_server.create(conf.severity, flow.getDnsQuery(), server_ip)
   expected.alert_type_params.names = { flow.getInfo()["info"], tostring(flow.dnsQueryHasInvalidChars()) }
   flow.triggerStatus(expected, 100, 100, 100)
end

return script
