-- Types, severities and entities of alerts, with the numbers of the script's generation:
-- alert_consts.alert_types.flow_blacklisted.alert_id, alert_consts.alert_severities.error.severity_id

local _, world = ...
local era = world.era

local alert_consts = { alert_types = {}, alert_severities = {}, alert_entities = {}, alerts_granularities = {} }

local LOOKS = {
  debug = { 7, 'label-default' }, info = { 6, 'label-info' }, notice = { 5, 'label-info' }, warning = { 4, 'label-warning' },
  error = { 3, 'label-danger' }, critical = { 2, 'label-danger' }, alert = { 1, 'label-danger' }, emergency = { 0, 'label-danger' },
}

local severities = era == '4.2' and world.constants.severities42 or world.constants.severities
for _, severity in ipairs(severities) do
  local syslog, label = table.unpack(LOOKS[severity.name])
  alert_consts.alert_severities[severity.name] = {
    severity_id = severity.id,
    name = severity.name,
    i18n_title = world.translate('severities.' .. severity.name) or severity.name,
    syslog_severity = syslog,
    label = label,
  }
end

-- 4.x has the names with and without `alert_` in front.
for _, alert in ipairs(world.constants.alerts) do
  local id = alert.id
  if era ~= '2019' then id = alert.id4 end
  if id then
    local entry = { alert_id = id, alert_key = id, i18n_title = alert.title, icon = '' }
    if era == '2019' then
      alert_consts.alert_types[alert.name] = entry
    else
      alert_consts.alert_types[alert.name4] = entry
      alert_consts.alert_types['alert_' .. alert.name4] = entry
      alert_consts.alert_types[alert.name] = entry
    end
  end
end
if era ~= '2019' then
  alert_consts.alert_types.none = { alert_id = 28, alert_key = 28, i18n_title = 'None', icon = '' }
  alert_consts.alert_types.alert_none = alert_consts.alert_types.none
end

local ENTITIES = [[
  interface host network snmp_device flow mac host_pool process user influx_db test category_lists pinged_host periodic_activity]]
local id = 0
for name in ENTITIES:gmatch('%S+') do
  alert_consts.alert_entities[name] = { entity_id = id, i18n_title = name:gsub('_', ' ') }
  id = id + 1
end

for name, numbers in pairs({ min = { 1, 60 }, ['5mins'] = { 2, 300 }, hour = { 3, 3600 }, day = { 4, 86400 } }) do
  alert_consts.alerts_granularities[name] = { granularity_id = numbers[1], granularity_seconds = numbers[2] }
end

local function find(entries, member, value)
  for name, entry in pairsByKeys(entries) do
    if entry[member] == value then return entry, name end
  end
end

-- The entry, or its name, of a number; and the number of a name.
function alert_consts.alertSeverityById(severity_id) return (find(alert_consts.alert_severities, 'severity_id', severity_id)) end
function alert_consts.alertSeverityRaw(severity_id) return (select(2, find(alert_consts.alert_severities, 'severity_id', severity_id))) end
function alert_consts.alertSeverity(name)
  local entry = alert_consts.alert_severities[name]
  return entry and entry.severity_id
end
function alert_consts.alertTypeById(alert_id) return (find(alert_consts.alert_types, 'alert_id', alert_id)) end
function alert_consts.alertTypeRaw(alert_id) return (select(2, find(alert_consts.alert_types, 'alert_id', alert_id))) end
alert_consts.getAlertType = alert_consts.alertTypeRaw
function alert_consts.alertType(name)
  local entry = alert_consts.alert_types[name]
  return entry and entry.alert_id
end
function alert_consts.alertTypeLabel(alert_id)
  local entry = alert_consts.alertTypeById(alert_id)
  return entry and entry.i18n_title
end
function alert_consts.alertSeverityLabel(severity_id)
  local entry = alert_consts.alertSeverityById(severity_id)
  return entry and entry.i18n_title
end
function alert_consts.alertEntity(name)
  local entry = alert_consts.alert_entities[name]
  return entry and entry.entity_id
end

return alert_consts
