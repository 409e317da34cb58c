-- What a script calls to raise an alert about the flow it was given.
--   alerts_api.storeFlowAlert(alert_consts.alert_types.flow_blacklisted, alert_consts.alert_severities.error, info)

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
function alerts_api.flow_checkbox_input_builder(check_module)
  return ''
end

return alerts_api
