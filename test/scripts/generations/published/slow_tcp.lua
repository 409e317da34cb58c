-- Slow handshakes and answers, by thresholds that the preferences may change.
package.path = dirs.installdir .. "/scripts/lua/modules/?.lua;" .. package.path
require "lua_utils"

local alerts_api = require "alerts_api"
local alert_consts = require "alert_consts"
local json = require "dkjson"

local mod = {
   key = "slow_tcp",
   gui = {
      i18n_title = "Slow TCP",
      i18n_description = "Handshakes and answers that take long",
      input_builder = alerts_api.flow_checkbox_input_builder,
   },
}

local PREF = "ntopng.prefs.slow_tcp.max_ms"

function mod.setup()
   if isEmptyString(ntop.getPref(PREF)) then ntop.setPref(PREF, "100") end
   return true
end

function mod.statusChanged(info)
   if info["proto.l4"] ~= "TCP" then return end
   local most = tonumber(ntop.getPref(PREF))
   local tcp = flow.getTCPInfo()
   local took = tcp["tcp.nw_latency.client"] + tcp["tcp.nw_latency.server"]

   if took > most or tcp["tcp.appl_latency"] > most * 10 then
      flow.storeAlert(
         alert_consts.alert_types.alert_connection_issues.alert_id,
         alert_consts.alert_severities.warning.severity_id,
         json.encode({ peer = ternary(info["srv.host"] ~= "", info["srv.host"], info["srv.ip"]), over = took > most })
      )
   end
end

mod.idle = mod.statusChanged

return mod
