-- What kind of script a file is, and what it says of itself. Trusted chunk, called once per engine.
--
--   2019   functions on the module:     script.protocolDetected(info)
--   4.0    a table of hooks:            script.hooks.protocolDetected(now, conf); in October 2019 with one table: { flow_info = info }
--   4.2    the same with priorities:    script.prio, flow.triggerStatus(status_types.X.create(…), …)
--
--   marks(source) ──► guess ──► the module runs ──► era(module) ──► define ──► Definition (runtime.ts), callbacks
--
-- An era is what the modules look like to a script ('2019', '4.0', '4.2'): scripts of October 2019 have hooks, and the ids of 2019.

local host, base, constants = ...
local type, error, tostring, next, ipairs, setmetatable = type, error, tostring, next, ipairs, setmetatable
local getinfo, getlocal, floor, tointeger = base.debug.getinfo, base.debug.getlocal, math.floor, math.tointeger

local CALLBACKS = { 'protocolDetected', 'statusChanged', 'periodicUpdate', 'idle' }

-- name of a hook -> callbacks
local HOOKS = { flowEnd = { 'idle' }, all = CALLBACKS }
for _, name in ipairs(CALLBACKS) do HOOKS[name] = { name } end

local OTHER_HOOKS = { min = true, ['5mins'] = true, hour = true, day = true }

-- Members of the module that only 4.0 and later know.
local MEMBERS_4 = {
  'category', 'default_value', 'default_enabled', 'l4_proto', 'l7_proto', 'l7_proto_id', 'three_way_handshake_ok',
  'periodic_update_seconds', 'packet_interface_only', 'nedge_only', 'nedge_exclude', 'windows_exclude', 'is_alert', 'prio',
}
local MEMBERS_4_2 = { 'prio', 'l7_proto_id', 'onLoad', 'onUnload', 'onEnable', 'onDisable', 'onUpdateConfig' }

-- What gives it away in the text.
local TEXT_4_2 = {
  '%f[%w_]prio%s*=', 'l7_proto_id%s*=', '%.onLoad%f[%W]', '%.onUnload%f[%W]', '%.onEnable%f[%W]', '%.onDisable%f[%W]',
  '%.onUpdateConfig%f[%W]', 'flow%.hasRisk%f[%W]', 'flow%.getRiskInfo%f[%W]', 'flow%.setCustomInfo%f[%W]',
  'flow%.get%a+RetrPercentage', 'flow%.is%a+NoIP%f[%W]', 'flow%.getAlertedStatus', 'flow%.getnDPIMatchPacket',
  'require%s*%(?%s*["\']status_keys', 'require%s*%(?%s*["\']alert_severities',
}
for _, status in ipairs(constants.statuses) do
  if status.ids['4.2'] and not status.ids['4.0'] then TEXT_4_2[#TEXT_4_2 + 1] = '%f[%w_]' .. status.name4 .. '%f[^%w_]' end
end
local TEXT_4 = { 'status_types', 'flow%.triggerStatus', 'flow%.setStatus', 'flow%.clearStatus', 'script_categories', '%(%s*now%s*[,)]' }

local L4 = {
  icmp = 1, igmp = 2, tcp = 6, udp = 17, ipv6 = 41, rsvp = 46, gre = 47, esp = 50, icmpv6 = 58, ipv6icmp = 58, ospf = 89, pim = 103,
  vrrp = 112, hip = 139,
}
local ALL_L4 = { 1, 2, 6, 17, 41, 46, 47, 50, 58, 89, 103, 112, 139 }

-- Input builders of 4.x are names of templates.
local TEMPLATES = {
  default = true, threshold_cross = true, items_list = true, elephant_flows = true, long_lived = true, flow_mud = true, multi_select = true,
}

-- Finding out ---------------------------------------------------------------------------------------

local function any(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end

-- @return what the text tells: whether it has hooks, what is of 4.0 or 4.2, whether it triggers statuses
local function marks(source)
  local text = source:gsub('%-%-%[%[.-%]%]', ' '):gsub('%-%-[^\n]*', ' ')
  local creates = text:gsub('coroutine%s*%.%s*create', ''):find('%.%s*create%s*%(') ~= nil
  return {
    hooks = text:find('%f[%w_]hooks%s*[=%.%[]') ~= nil,
    of_4 = any(text, TEXT_4),
    of_4_2 = creates or any(text, TEXT_4_2),
    has_key = text:find('%f[%w_]key%s*=%s*["\']') ~= nil,
    triggers = text:find('trigger', 1, true) ~= nil,
  }
end

local function guess(found)
  if not found.hooks then return '2019' end
  if found.of_4_2 then return '4.2' end
  return found.has_key and not found.of_4 and '2019' or '4.0'
end

local function has_any(module, names)
  for _, name in ipairs(names) do
    if module[name] ~= nil then return true end
  end
  return false
end

-- Hooks of October 2019 take one table or nothing, those of later the time first.
local function takes_info(hook)
  if type(hook) ~= 'function' then return false end
  local found = getinfo(hook, 'u')
  return not found.isvararg and found.nparams <= 1 and getlocal(hook, 1) ~= 'now'
end

local function is_october(module, found)
  if type(module.key) ~= 'string' or found.of_4 or has_any(module, MEMBERS_4) then return false end
  for _, hook in next, module.hooks do
    if not takes_info(hook) then return false end
  end
  return true
end

local function era(module, found)
  if type(module.hooks) ~= 'table' then return '2019' end
  if found.of_4_2 or has_any(module, MEMBERS_4_2) then return '4.2' end
  return is_october(module, found) and '2019' or '4.0'
end

-- Misspelt names --------------------------------------------------------------------------------------

-- Insertions, deletions and changes of a character that make one of the other.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local change = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

-- @return the name that was meant, nil if none is near
local function meant(name, names)
  if type(name) ~= 'string' or #name > 40 then return nil end
  local best, least
  for _, candidate in ipairs(names) do
    local d = distance(name:lower(), candidate:lower())
    if d <= 3 and d < #candidate // 2 and (not least or d < least) then best, least = candidate, d end
  end
  return best
end

local HOOK_NAMES = { 'protocolDetected', 'statusChanged', 'periodicUpdate', 'flowEnd', 'idle', 'all' }
local OTHER_NAMES = { 'setup', 'teardown', 'key', 'gui', 'hooks' }

local function sorted_names(t)
  local names = {}
  for name in next, t do -- not pairs: a script's own iterator may have no end
    if type(name) == 'string' then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- Definitions -----------------------------------------------------------------------------------------

local function text_or(value, otherwise)
  return type(value) == 'string' and value or otherwise
end

local MOST_PRIO = 2 ^ 53
local OBJECT = { __jsontype = 'object' }

local function filter_of(module, fail, warn)
  local filter = setmetatable({}, OBJECT)
  local l4 = module.l4_proto
  if l4 == nil then
    filter.l4 = ALL_L4
  else
    local number = type(l4) == 'string' and L4[l4:lower()] or tointeger(l4)
    if not number then
      fail(('l4_proto: there is no protocol %q; there are: %s'):format(tostring(l4), base.table.concat(sorted_names(L4), ', ')))
    end
    filter.l4 = { number }
  end
  local l7 = tointeger(module.l7_proto_id)
  if not l7 and module.l7_proto ~= nil then
    l7 = host.protocol_id(tostring(module.l7_proto))
    if not l7 and host.has_protocols then fail(('l7_proto: detection knows no protocol %q'):format(tostring(module.l7_proto))) end
    if not l7 then
      warn('l7_proto: detection is off, so no flow has the protocol')
      l7 = 65535
    end
  end
  filter.l7 = l7
  if module.three_way_handshake_ok then filter.handshake = true end
  if module.packet_interface_only then filter.packetInterface = true end
  local seconds = module.periodic_update_seconds
  if seconds ~= nil then
    local whole = tointeger(seconds)
    if whole and whole > 0 and whole % 30 == 0 then filter.periodicSeconds = whole
    else warn(('periodic_update_seconds must be a multiple of 30, it is %s; 120 is taken'):format(tostring(seconds))) end
  end
  return filter
end

local function check_gui(module, of_era, env, warn)
  local gui = module.gui
  if type(gui) ~= 'table' then return {} end
  local builder = gui.input_builder
  local known = builder == nil
  if type(builder) == 'function' then
    for _, name in ipairs({ 'alerts_api', 'user_scripts' }) do
      local api = env.require(name)
      known = known or builder == api.flow_checkbox_input_builder or builder == api.checkbox_input_builder
    end
  elseif type(builder) == 'string' then
    known = TEMPLATES[builder] or builder == 'flow_checkbox_input_builder'
  end
  if not known then
    warn(('the input builder %s is unknown; the checkbox is shown'):format(type(builder) == 'string' and builder or 'in gui.input_builder'))
  end
  if of_era ~= '2019' and gui.i18n_title == nil then warn('gui.i18n_title is missing; the list shows the key') end
  return gui
end

-- The callbacks of a module of functions.
local function module_callbacks(module, fail, warn)
  local callbacks = {}
  for _, name in ipairs(CALLBACKS) do
    local callback = module[name]
    if callback ~= nil then
      if type(callback) ~= 'function' then fail(('`%s` must be a function, it is a %s'):format(name, type(callback))) end
      callbacks[name] = callback
    end
  end
  for _, name in ipairs(sorted_names(module)) do
    local right = not callbacks[name] and type(module[name]) == 'function' and not meant(name, OTHER_NAMES)
      and (name == 'flowEnd' and 'idle' or meant(name, CALLBACKS))
    if right and not callbacks[right] then warn(('the function `%s` is never called; did you mean `%s`?'):format(name, right)) end
  end
  return callbacks
end

-- The hooks of a module as callbacks, before they get their arguments.
local function hook_callbacks(module, fail, warn)
  local callbacks, hooks = {}, module.hooks
  for _, name in ipairs(sorted_names(hooks)) do
    local hook = hooks[name]
    if type(hook) ~= 'function' then fail(('the hook `%s` must be a function, it is a %s'):format(name, type(hook))) end
    if HOOKS[name] then
      for _, callback in ipairs(HOOKS[name]) do
        -- one of its own comes before `all`
        if name ~= 'all' or callbacks[callback] == nil then callbacks[callback] = hook end
      end
    elseif OTHER_HOOKS[name] then
      warn(('the hook `%s` is not one of flows; it is never called'):format(name))
    else
      local right = meant(name, HOOK_NAMES)
      warn(('there is no hook `%s`%s'):format(name, right and ('; did you mean `' .. right .. '`?') or ''))
    end
  end
  for _, name in ipairs(CALLBACKS) do
    if type(module[name]) == 'function' then warn(('the function `%s` is never called: put it in `hooks`'):format(name)) end
  end
  return callbacks
end

-- The argument of October 2019: `params.flow_info["cli.ip"]`, and also `info["cli.ip"]`.
local function wrap_info(info)
  return setmetatable({ flow_info = info }, { __index = info, __metatable = false })
end

-- Gives a callback its arguments, and lets the strongest triggered status become an alert at its end, also when it fails.
local function with_arguments(callback, style, conf, ending)
  local guard = setmetatable({}, { __close = ending.settle })
  local time = host.time
  if style == 'info' then
    return function(info)
      local _ <close> = guard
      callback(info)
    end
  end
  if style == 'october' then
    return function(info)
      local _ <close> = guard
      callback(wrap_info(info))
    end
  end
  return function()
    local _ <close> = guard
    callback(floor(time()), conf)
  end
end

-- What 4.x puts into the table of a script.
local function complete(module, file, key)
  local set = { key = key, path = file, subdir = 'flow', plugin = 'flow', edition = 'community', script_type = 'flow' }
  for name, value in next, set do
    if module[name] == nil then module[name] = value end
  end
end

-- @param ending what to do at the end of a callback (world/statuses.lua)
-- @return the definition, the callbacks by name, and a function to call when it is unloaded
local function define(module, file, of_era, found, env, ending)
  local warnings = {}
  local function fail(cause) error(file .. ': ' .. cause, 0) end
  local function warn(cause) warnings[#warnings + 1] = file .. ': ' .. cause end
  local has_hooks = type(module.hooks) == 'table'
  local generation = not has_hooks and '2019' or of_era == '2019' and '4.0' or of_era

  local key = module.key
  if key == nil and has_hooks then key = file:gsub('%.lua$', '') end
  if type(key) ~= 'string' or key == '' then fail('the script has no `key`') end
  if not has_hooks and module.setup == nil then fail('the script has no function `setup`') end
  if module.setup ~= nil and type(module.setup) ~= 'function' then
    fail(('`setup` must be a function, it is a %s'):format(type(module.setup)))
  end
  local gui = check_gui(module, of_era, env, warn)
  local found_callbacks = has_hooks and hook_callbacks(module, fail, warn) or module_callbacks(module, fail, warn)
  local filter = generation == '2019' and setmetatable({}, OBJECT) or filter_of(module, fail, warn)
  if of_era == '2019' then filter.l4 = nil end
  local conf = type(module.default_value) == 'table' and module.default_value or {}
  if has_hooks then complete(module, file, key) end
  if not has_hooks and module.conf == nil then module.conf = { enabled = true } end

  local enabled = module.default_enabled ~= false
  if module.nedge_only then
    enabled = false
    warn('it is for inline systems only (nedge_only)')
  elseif module.is_alert and not host.alerts_on() then
    enabled = false
    warn('it raises alerts, and those are switched off (disable_alerts_generation)')
  end
  if enabled and module.setup then
    local answer = module.setup()
    -- 2019: what is not true is false; later it is there to say no
    if has_hooks then enabled = answer ~= false else enabled = answer and true or false end
  end

  local style = not has_hooks and 'info' or of_era == '2019' and 'october' or 'now'
  -- a plain function of 2019 is called as it is: the guard would cost a third of its call
  ending.deferred = style ~= 'info' or found.triggers
  local callbacks, names = {}, {}
  for _, name in ipairs(CALLBACKS) do
    local callback = found_callbacks[name]
    if callback then
      names[#names + 1] = name
      callbacks[name] = ending.deferred and with_arguments(callback, style, conf, ending) or callback
    end
  end
  if #names == 0 then warn('it defines no callback: protocolDetected, statusChanged, periodicUpdate or idle') end

  local function tell(event)
    if not has_hooks or not enabled or type(module[event]) ~= 'function' then return end
    for _, name in ipairs(sorted_names(module.hooks)) do
      if HOOKS[name] then module[event](name, conf) end
    end
  end
  tell('onLoad')
  tell('onEnable')
  local function finish()
    tell('onDisable')
    tell('onUnload')
    if enabled and type(module.teardown) == 'function' then module.teardown() end
  end

  local definition = {
    key = key,
    title = text_or(gui.i18n_title, text_or(gui.title, key)),
    description = text_or(gui.i18n_description, text_or(gui.description, '')),
    prio = type(module.prio) == 'number' and math.abs(module.prio) < MOST_PRIO and module.prio or 0,
    generation = generation,
    callbacks = names,
    filter = filter,
    enabled = enabled,
    warnings = warnings,
  }
  return definition, callbacks, finish
end

return { callbacks = CALLBACKS, marks = marks, guess = guess, era = era, define = define }
