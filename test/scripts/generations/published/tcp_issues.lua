-- Retransmissions, packets out of order and lost ones, as a part of all packets.
local flow_consts = require("flow_consts")
local user_scripts = require("user_scripts")
local alert_consts = require("alert_consts")

local script = {
   category = user_scripts.script_categories.network,
   l4_proto = "tcp",
   three_way_handshake_ok = false,
   default_value = { percent = 5, severe = 20 },
   hooks = {},
   gui = {
      i18n_title = "flow_callbacks_config.tcp_issues_generic",
      i18n_description = "flow_callbacks_config.tcp_issues_generic_description",
      input_builder = "default",
   },
}

local function percent(issues, packets)
   return packets > 0 and math.floor(issues * 100 / packets) or 0
end

function script.hooks.all(now, conf)
   local cli = percent(flow.getClientTCPIssues(), flow.getPacketsSent())
   local srv = percent(flow.getServerTCPIssues(), flow.getPacketsRcvd())
   local worst = math.max(cli, srv)
   if worst < conf.percent then return end

   local tcp_stats = flow.getTCPStats()
   local lost = tcp_stats["cli2srv.lost"] + tcp_stats["srv2cli.lost"]
   local info = table.merge(tcp_stats, { client = cli, server = srv, any_lost = lost > 0 })
   local severe = worst >= conf.severe
   local status = severe and flow_consts.status_types.status_tcp_severe_connection_issues
      or flow_consts.status_types.status_tcp_connection_issues

   flow.triggerStatus(status, info, math.min(worst, flow_consts.max_score), cli, srv,
      severe and alert_consts.alert_severities.error or nil)
   print("predominant " .. flow.getPredominantStatus() .. ", twh " .. tostring(flow.isTwhOK()) .. ", key " .. math.type(flow.getKey()))
end

return script
