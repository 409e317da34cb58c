-- What a script sets: alerts, statuses and scores of the current flow. Trusted chunk.
--
--   flow.storeAlert(type, severity, info)                             at once
--   flow.setStatus(type, flow, client, server), flow.clearStatus      the bit, and the scores it adds
--   flow.triggerStatus(type, info, flow, client, server [, severity]) the same, and a candidate for the alert
--   flow.triggerStatus(status_info, flow, client, server)             4.2: status_info = status_types.X.create(severity, …)
--
-- Numbers of statuses, severities and alert types are those of the script's era; what leaves here has ours. Of the candidates of one
-- call the one with the highest score becomes an alert at its end, if its score is above that of the script's present alert about the
-- flow. The original compares those of all scripts; here what a script raises does not depend on who else runs.

local host, shared, json, constants, view = ...
local type, error, tostring, ipairs, next = type, error, tostring, ipairs, next
local tointeger, math_type, floor, max, min = math.tointeger, math.type, math.floor, math.max, math.min
local encode = json.encode

local MOST_SCORE = { ['2019'] = 1000, ['4.0'] = 1000, ['4.2'] = 1024 }
local MOST_OF_HOST = 65534 -- 65535 = no score
local MOST_TYPE, MOST_SEVERITY = 65535, 255
-- fields with numbers of statuses
local OF_STATUSES = { 'status_map', 'flow.status', 'alerted_status' }

-- Era -> what its numbers and names mean.
local function numbering(era)
  local of_4 = era ~= '2019'
  local found = { statuses = {}, numbers = {}, by_name = {}, alerts = {}, alert_names = {}, severities = {}, severity_names = {} }
  for _, status in ipairs(constants.statuses) do
    local id = status.ids[era]
    if id then
      found.statuses[id], found.numbers[status.id] = status, id
      found.by_name[status.name], found.by_name[status.name4] = status, status
    end
  end
  for _, alert in ipairs(constants.alerts) do
    local id = alert.id
    if of_4 then id = alert.id4 end
    if id then found.alerts[id] = alert end
    found.alert_names[alert.name], found.alert_names[alert.name4] = alert, alert
  end
  for _, severity in ipairs(era == '4.2' and constants.severities42 or constants.severities) do
    found.severities[severity.id], found.severity_names[severity.name] = severity, severity
  end
  return found
end

local eras = { ['2019'] = numbering('2019'), ['4.0'] = numbering('4.0'), ['4.2'] = numbering('4.2') }

-- A whole number from 0 to `most`.
local function whole(value, most)
  if type(value) ~= 'number' or value ~= value then return 0 end
  return floor(max(0, min(most, value)))
end

local function in_flow(name)
  if not shared.info then error(name .. ': there is no flow outside a callback', 3) end
end

local function as_json(info)
  if info == nil or type(info) == 'string' then return info end
  return encode(info)
end

-- What goes with every alert of 4.x, in front of the script's own members.
local function alert_info(info)
  local event = shared.info
  local text = info == nil and '{}' or type(info) == 'string' and info or encode(info)
  if text == '[]' or text:find('^{%s*}%s*$') then text = '{}' end
  if text:sub(1, 1) ~= '{' then text = '{"info":' .. (type(info) == 'string' and encode(info) or text) .. '}' end
  if type(info) == 'table' and info['ntopng.key'] ~= nil then return text end
  local head = ('{"ntopng.key":%d,"hash_entry_id":%d'):format(event['ntopng.key'] or 0, event['hash_entry_id'] or 0)
  if type(event.icmp) == 'table' then
    head = head .. (',"icmp":%s'):format(encode({ type = event.icmp.type, code = event.icmp.code }))
  end
  if event['custom_info'] ~= nil then head = head .. ',"custom_info":' .. encode(tostring(event['custom_info'])) end
  return head .. (text == '{}' and '}' or ',' .. text:sub(2))
end

-- Adds the functions to `flow`. @return what to do at the end of each callback
return function(flow, script, era)
  local of = eras[era]
  local most = MOST_SCORE[era]
  local candidate

  local function status_of(value, name)
    local key = value
    -- the third is a pair of flow_keys of 4.2
    if type(value) == 'table' then key = value.status_key or value.status_id or value[2] end
    local status = of.statuses[tointeger(key) or -1] or of.by_name[key]
    if not status or status.name == 'status_normal' then
      error(('%s: there is no status %s'):format(name, tostring(key)), 3)
    end
    return status
  end

  local function severity_of(value, otherwise)
    local key = value
    if type(value) == 'table' then key = value.severity_id end
    return of.severities[tointeger(key) or -1] or of.severity_names[key] or otherwise
  end

  local function score_of(value) return whole(value, most) end

  local function add_score(whose, value)
    if value == 0 then return end
    host.score(script, whose, min(MOST_OF_HOST, (host.score_of(whose) or 0) + value))
  end

  -- @return false when the status was set already
  local function set_status(status, flow_score, client_score, server_score)
    if host.is_set(status.id) then return false end
    host.status(script, status.id, true)
    add_score('flow', score_of(flow_score))
    add_score('client', score_of(client_score))
    add_score('server', score_of(server_score))
    return true
  end

  function flow.isStatusSet(status)
    in_flow('flow.isStatusSet')
    return host.is_set(status_of(status, 'flow.isStatusSet').id)
  end

  function flow.setStatus(status, flow_score, client_score, server_score)
    in_flow('flow.setStatus')
    return set_status(status_of(status, 'flow.setStatus'), flow_score, client_score, server_score)
  end

  function flow.clearStatus(status)
    in_flow('flow.clearStatus')
    local id = status_of(status, 'flow.clearStatus').id
    if host.is_set(id) then host.status(script, id, false) end
  end

  -- `deferred`: somebody calls `settle` at the end of a callback, also when it fails
  local ending = { deferred = false }
  function ending.settle()
    local alert = candidate
    if not alert then return end
    candidate = nil
    local kind, severity = alert.kind, alert.severity
    host.alert(script, kind.id, severity.severity, kind.name, severity.name, alert.info, alert.score, alert.status.id)
    host.remember_alert(script, alert.score, alert.status.id)
  end

  -- The stronger one: by score, then by the lower id.
  local function beats(score, status)
    if candidate then
      if score ~= candidate.score then return score > candidate.score end
      return status.ids[era] < candidate.status.ids[era]
    end
    local present = host.alerted(script)
    return not present or score > present
  end

  function flow.triggerStatus(first, ...)
    in_flow('flow.triggerStatus')
    local kind, info, flow_score, client_score, server_score, severity
    if type(first) == 'table' and first.status_type ~= nil then
      kind, info, severity = first.status_type, first.alert_type_params, first.alert_severity
      flow_score, client_score, server_score = ...
    else
      kind = first
      info, flow_score, client_score, server_score, severity = ...
      if info ~= nil and type(info) ~= 'table' and type(info) ~= 'string' then
        error('flow.triggerStatus: the information must be a table or nil, it is a ' .. type(info), 2)
      end
    end
    local status = status_of(kind, 'flow.triggerStatus')
    set_status(status, flow_score, client_score, server_score)
    local score = score_of(flow_score)
    if not beats(score, status) then return end
    local of_status = era == '4.2' and status.severity42 or status.severity
    candidate = {
      status = status,
      score = score,
      kind = of.alert_names[era == '2019' and status.alert or status.alert4] or of.alert_names.suspicious_activity,
      severity = severity_of(severity, of.severity_names[of_status] or of.severity_names.warning),
      info = alert_info(info),
    }
    if not ending.deferred then ending.settle() end
  end

  -- Numbers that name no type and no severity are kept as they are, within what the original has room for.
  -- @param status_info text in JSON, or any value that can become such
  local function check_number(what, value, largest)
    if math_type(value) == 'integer' and value >= 0 and value <= largest then return end
    error(('flow.storeAlert: the %s must be a whole number from 0 to %d, it is %s'):format(what, largest, tostring(value)), 3)
  end

  function flow.storeAlert(type_id, severity_id, status_info)
    check_number('alert type', type_id, MOST_TYPE)
    check_number('severity', severity_id, MOST_SEVERITY)
    in_flow('flow.storeAlert')
    local kind, severity = of.alerts[type_id], of.severities[severity_id]
    host.alert(script, kind and kind.id or type_id, severity and severity.severity or severity_id, kind and kind.name,
      severity and severity.name, as_json(status_info))
  end
  flow.triggerAlert = flow.storeAlert

  -- Scores ---------------------------------------------------------------------------------------------

  for name, whose in next, { Client = 'client', Server = 'server' } do
    flow['get' .. name .. 'Score'] = function()
      if shared.info then return host.score_of(whose) or 0 end
    end
    flow['set' .. name .. 'Score'] = function(score)
      in_flow('flow.set' .. name .. 'Score')
      host.score(script, whose, whole(score, MOST_OF_HOST))
    end
  end

  function flow.setScore(score)
    in_flow('flow.setScore')
    local number = whole(score, MOST_OF_HOST)
    host.score(script, 'flow', number)
    shared.info['score'] = number
  end

  function flow.getScore()
    if shared.info then return host.score_of('flow') or 0 end
  end

  -- The bitmap in the numbers of the era, with what scripts have set and cleared at this event.
  local function bitmap()
    local ours, map = host.bitmap(), 0
    if ours == 0 then return 0 end
    for internal, id in next, of.numbers do
      if ours >> internal & 1 == 1 then map = map | 1 << id end
    end
    return map
  end

  -- The strongest status that the era knows: the strongest of all may be none of them.
  local function predominant(info)
    local strongest = of.numbers[info['flow.status']]
    if strongest then return strongest end
    for _, internal in ipairs(constants.priority) do
      local id = of.numbers[internal]
      if id and info['status_map'] >> internal & 1 == 1 then return id end
    end
    return 0
  end

  -- The status of the present alert, nil without one.
  local function alerted(info)
    local _, status = host.alerted(script)
    return of.numbers[status or info['alerted_status']]
  end

  function flow.getScoreInfo()
    local info = shared.info
    if info then return { status_map = bitmap(), score = host.score_of('flow') or 0, status_info = info['status_info'] } end
  end

  function flow.getPredominantStatus()
    if shared.info then return predominant(shared.info) end
  end

  function flow.getAlertedStatus()
    if shared.info then return alerted(shared.info) or 0 end
  end

  function flow.getAlertedStatusScore()
    if shared.info then return (host.alerted(script)) or 0 end
  end

  if era == '2019' then
    function flow.getFullInfo() return shared.info end
    flow.getInfo = flow.getFullInfo
  else
    function flow.getStatus()
      if shared.info then return bitmap() end
    end

    -- `flow.status` is what the alert was raised for in 4.2.
    function flow.getFullInfo()
      local info = shared.info
      if not info then return nil end
      local status = alerted(info)
      return view(info, {
        ['status_map'] = bitmap(),
        ['flow.status'] = era == '4.2' and (status or 0) or predominant(info),
        ['alerted_status'] = status,
      }, OF_STATUSES)
    end
  end

  return ending
end
