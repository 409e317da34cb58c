-- Statuses of flows, with the numbers of the script's generation: flow_consts.status_blacklisted, or
-- flow_consts.status_types.status_blacklisted.status_key, .alert_severity, .alert_type, .create(severity, ...)

local _, world = ...
local alert_consts = require('alert_consts')
local era = world.era

local flow_consts = {
  flow_status_types = {}, status_types = {},
  max_score = era == '4.2' and 1024 or 1000,
}

local function is_severity(value)
  return type(value) == 'table' and value.severity_id ~= nil or type(value) == 'number' and alert_consts.alertSeverityById(value) ~= nil
end

-- What flow.triggerStatus takes in 4.2. The severity may be left out; one table more is what the alert keeps, several values are a list.
local function creator(entry)
  return function(...)
    local values = table.pack(...)
    local first = 1
    local severity = entry.alert_severity
    if is_severity(values[1]) or values[1] == nil and values.n > 0 then
      severity, first = values[1] or severity, 2
    end
    local params = {}
    if values.n == first and type(values[first]) == 'table' then params = values[first]
    elseif values.n >= first then params = { values = table.pack(table.unpack(values, first, values.n)) } end
    if params.values then params.values.n = nil end
    return { status_type = entry, alert_severity = severity, alert_type_params = params }
  end
end

for _, status in ipairs(world.constants.statuses) do
  local id = status.ids[era]
  if id then
    local severity = era == '4.2' and status.severity42 or status.severity
    local alert = era == '2019' and status.alert or status.alert4
    local entry = {
      status_key = id,
      status_id = id,
      name = status.name4,
      i18n_title = status.title,
      alert_severity = alert_consts.alert_severities[severity],
      alert_type = alert_consts.alert_types[alert],
      relevance = status.relevance or 0,
    }
    entry.create = creator(entry)
    flow_consts.flow_status_types[id] = entry
    for _, name in ipairs({ status.name, status.name4 }) do
      flow_consts[name] = id
      flow_consts.status_types[name] = entry
    end
  end
end

function flow_consts.getStatusInfo(id) return flow_consts.flow_status_types[id] end
function flow_consts.getStatusTitle(id)
  local entry = flow_consts.flow_status_types[id]
  return entry and (world.translate('statuses.' .. entry.name) or entry.i18n_title)
end
function flow_consts.getStatusDescription(id) return flow_consts.getStatusTitle(id) end
-- The name of a number.
function flow_consts.getStatusType(id)
  local entry = flow_consts.flow_status_types[id]
  return entry and entry.name
end

return flow_consts
