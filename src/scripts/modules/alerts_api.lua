-- What a script calls to raise an alert about the flow it was given.
--   alerts_api.storeFlowAlert(alert_consts.alert_types.flow_blacklisted, alert_consts.alert_severities.error, info)

local alert_consts = require('alert_consts')
local alerts_api = {}

local function id_of(value, member, what)
  if type(value) == 'table' then value = value[member] end
  if math.type(value) ~= 'integer' then
    error(('storeFlowAlert: %s must be an entry of alert_consts, it is %s'):format(what, tostring(value)), 3)
  end
  return value
end

-- @param alert_type an entry of alert_consts.alert_types, or its id
-- @param alert_severity an entry of alert_consts.alert_severities, or its id
-- @param flow_info what to keep with the alert: info, a table of your own, or JSON text
function alerts_api.storeFlowAlert(alert_type, alert_severity, flow_info)
  flow.storeAlert(id_of(alert_type, 'alert_id', 'the alert type'), id_of(alert_severity, 'severity_id', 'the severity'), flow_info)
end

-- The value for `gui.input_builder`: the script gets a switch. The pages build it, so calling this returns no HTML.
function alerts_api.flow_checkbox_input_builder(check_module) return '' end
function alerts_api.checkbox_input_builder(gui_conf, input_id, value) return '' end

-- Alerts about others than the flow. They are raised with the flow that the script is called for, and keep the entity they are about.

local function entity(name)
  return function(value, vlan)
    local text = vlan ~= nil and vlan ~= 0 and tostring(value) .. '@' .. tostring(vlan) or tostring(value)
    return { alert_entity = alert_consts.alert_entities[name], alert_entity_name = name, alert_entity_val = text }
  end
end
for member, name in pairs({
  hostAlertEntity = 'host', interfaceAlertEntity = 'interface', networkAlertEntity = 'network', macEntity = 'mac', userEntity = 'user',
  processEntity = 'process', hostPoolEntity = 'host_pool', pingedHostEntity = 'pinged_host', categoryListsEntity = 'category_lists',
  snmpDeviceEntity = 'snmp_device', snmpInterfaceEntity = 'snmp_device', influxdbEntity = 'influx_db',
  periodicActivityEntity = 'periodic_activity', flowAlertEntity = 'flow',
}) do
  alerts_api[member] = entity(name)
end

local function raise(action, about, type_info)
  if type(about) ~= 'table' or type(type_info) ~= 'table' or type_info.alert_type == nil or not areAlertsEnabled() then return false end
  local severity = type_info.alert_severity or type_info.alert_type.alert_severity or alert_consts.alert_severities.warning
  alerts_api.storeFlowAlert(type_info.alert_type, severity, {
    action = action,
    entity = about.alert_entity_name,
    entity_value = about.alert_entity_val,
    subtype = type_info.alert_subtype,
    params = type_info.alert_type_params,
  })
  return true
end

-- @return whether it was raised
function alerts_api.store(about, type_info) return raise('store', about, type_info) end
-- Of the engaged alerts, the same one is raised once until it is released.
local engaged = {}
local function name_of(about, type_info)
  local alert_type = type_info.alert_type
  return table.concat({
    tostring(about.alert_entity_name), tostring(about.alert_entity_val),
    tostring(type(alert_type) == 'table' and alert_type.alert_id or alert_type), tostring(type_info.alert_subtype),
  }, ' ')
end
function alerts_api.trigger(about, type_info)
  if type(about) ~= 'table' or type(type_info) ~= 'table' then return false end
  local name = name_of(about, type_info)
  if engaged[name] then return false end
  engaged[name] = raise('engage', about, type_info)
  return engaged[name]
end
function alerts_api.release(about, type_info)
  if type(about) ~= 'table' or type(type_info) ~= 'table' then return false end
  local name = name_of(about, type_info)
  if not engaged[name] then return false end
  engaged[name] = nil
  return raise('release', about, type_info)
end

-- flowpatrol loads and measures the scripts by itself: there is nothing to hand out.
function alerts_api.load_flow_check_modules(enabled_only)
  return { protocolDetected = {}, statusChanged = {}, periodicUpdate = {}, idle = {}, all = {} }
end
function alerts_api.store_flow_check_modules_benchmarks(benchmarks) end
function alerts_api.get_flow_check_module_benchmarks(key) return nil end

-- The second argument of `store`, by kind of alert: alerts_api.newDeviceType(params) for alert_types.new_device.
-- One table is what the alert keeps, several values are a list.
local function builder(alert_type)
  return function(...)
    local params = ...
    if select('#', ...) ~= 1 or type(params) ~= 'table' then params = { values = { ... } } end
    return { alert_type = alert_type, alert_severity = alert_consts.alert_severities.warning, alert_type_params = params }
  end
end

return setmetatable(alerts_api, {
  __index = function(_, member)
    local kind = type(member) == 'string' and member:match('^(%l%w*)Type$')
    local name = kind and kind:gsub('%u', function(capital) return '_' .. capital:lower() end)
    local alert_type = name and (rawget(alert_consts.alert_types, name) or rawget(alert_consts.alert_types, 'alert_' .. name))
    return alert_type and builder(alert_type)
  end,
})
