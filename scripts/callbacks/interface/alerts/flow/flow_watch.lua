-- The life of remarkable flows, in one line each: trouble that comes and goes, totals of long flows, how flows end.
--
-- It shows the other three callbacks. In captures they are called with --pcap-callbacks all.

local script = {
  key = "flow_watch",
  prio = -10, -- after the scripts with a higher one; 0 without it
  gui = {
    i18n_title = "Flow watch",
    i18n_description = "Tells changes of status, totals of long flows, refused connections and large uploads",
    input_builder = alerts_api.flow_checkbox_input_builder,
  },
}

local LARGE_UPLOAD = 100 * 1024 * 1024 -- bytes
-- Too common to be remarkable.
local COMMON = { [flow_consts.status_udp_unidirectional] = true, [flow_consts.status_flow_risk] = true }
local before = {} -- flow id -> its statuses when we last saw them change

function script.setup()
  return true
end

-- Names of the statuses that are set in one bitmap but not in the other.
local function added(bitmap, other)
  local names = {}
  for id, status in pairsByKeys(flow_consts.flow_status_types) do
    local news = ntop.bitmapIsSet(bitmap, id) and not ntop.bitmapIsSet(other, id)
    if news and not COMMON[id] then names[#names + 1] = status.i18n_title end
  end
  return names
end

-- Called at each visit that finds other statuses than the visit before.
function script.statusChanged(info)
  local now, was = info["status_map"], before[info["flow.id"]] or 0
  before[info["flow.id"]] = now
  for _, name in ipairs(added(now, was)) do print(name .. ": " .. shortFlowLabel(info)) end
  for _, name in ipairs(added(was, now)) do print("no longer " .. name .. ": " .. shortFlowLabel(info)) end
end

-- Called every few minutes on long-lived flows.
function script.periodicUpdate(info)
  print(("still there after %d min, %d bytes: %s"):format(info["duration"] // 60, info["bytes"], shortFlowLabel(info)))
end

-- Called at the last visit of a flow: these are its final numbers.
function script.idle(info)
  before[info["flow.id"]] = nil
  local sent, received = info["cli2srv.bytes"], info["srv2cli.bytes"]
  if info["proto.l4"] == "TCP" and received == 0 then print("no answer: " .. shortFlowLabel(info)) end
  if sent < LARGE_UPLOAD or sent < 10 * received then return end
  print(("upload of %d MiB: %s"):format(sent // 1048576, shortFlowLabel(info)))
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.warning,
    { bytes = sent, seconds = info["duration"] })
end

return script
