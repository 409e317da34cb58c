-- Which connections suffer from a bad line?
--
-- flowpatrol follows the sequence numbers of TCP and sets a status where over a third of a direction's segments were sent again, came
-- out of order or got lost. `statusChanged` is called when a flow's statuses change, so this costs nothing while all is well.

local script = {
  key = "bad_line",
  gui = {
    i18n_title = "Bad line",
    i18n_description = "Alerts when a connection loses or repeats over a third of its segments",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local SEVERE = flow_consts.status_tcp_severe_connection_issues
local QUIET = 3600 -- seconds without a further alert about the same two hosts

function script.setup()
  return true
end

-- Percent of a direction's segments that went wrong; `direction` is "cli2srv" or "srv2cli".
local function trouble(info, direction)
  local wrong = info[direction .. ".retransmissions"] + info[direction .. ".out_of_order"] + info[direction .. ".lost"]
  return wrong * 100 // math.max(1, info[direction .. ".packets"])
end

function script.statusChanged(info)
  if not ntop.bitmapIsSet(info["status_map"], SEVERE) then return end
  local told = "bad_line:" .. info["cli.ip"] .. ":" .. info["srv.ip"]
  if ntop.getCache(told) ~= "" then return end
  ntop.setCache(told, "1", QUIET)
  local client, server = trouble(info, "cli2srv"), trouble(info, "srv2cli")
  print(("bad line: %d %% from the client, %d %% from the server: %s"):format(client, server, shortFlowLabel(info))) -- to the log
  alerts_api.storeFlowAlert(alert_consts.alert_types.alert_connection_issues, alert_consts.alert_severities.warning, {
    client_percent = client,
    server_percent = server,
    round_trip_ms = 2 * (info["tcp.nw_latency.client"] + info["tcp.nw_latency.server"]),
    seconds = info["duration"],
  })
end

return script
