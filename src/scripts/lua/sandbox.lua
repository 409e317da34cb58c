-- The world of one script: its own globals, and nothing that reaches the machine. Trusted chunk.
--
-- Called once per engine with the functions of lua/engine.ts and of lua/info.lua; returns `load_script`.
-- Every script gets its own `_ENV` with copies of the libraries, so no script can change another one's.

local host, lazy, shared = ...
local is_lazy, materialise = lazy.is_lazy, lazy.materialise
local base = {}
for name, value in next, _G do base[name] = value end
local select, type, error, tostring, rawnext, rawpairs = select, type, error, tostring, next, pairs
local concat, pack, floor = table.concat, table.pack, math.floor

-- Tables of a lazy info behave like ordinary ones ------------------------------------------------

local function safe_next(t, key)
  if is_lazy(t) then materialise(t) end
  return rawnext(t, key)
end

local function safe_pairs(t)
  if is_lazy(t) then materialise(t) end
  return rawpairs(t)
end

local function safe_rawget(t, key)
  if is_lazy(t) then return t[key] end
  return base.rawget(t, key)
end

local function safe_rawset(t, key, value)
  if is_lazy(t) then
    t[key] = value
    return t
  end
  return base.rawset(t, key, value)
end

local function safe_getmetatable(value)
  return base.getmetatable(value) or nil
end

local function safe_setmetatable(t, metatable)
  if is_lazy(t) then materialise(t) end
  -- A finaliser would run outside every call, where no budget holds.
  if type(metatable) == 'table' and base.rawget(metatable, '__gc') ~= nil then
    error('a metatable of a script cannot have __gc', 2)
  end
  return base.setmetatable(t, metatable)
end

-- What catches errors passes on the one that ends a call --------------------------------------------

local function caught(ok, ...)
  if not ok and host.exhausted() then error((...), 0) end
  return ok, ...
end

local function safe_pcall(f, ...) return caught(base.pcall(f, ...)) end

-- The handler is not called for the error that ends a call: there the budget would not hold for it.
local function safe_xpcall(f, handler, ...)
  return caught(base.xpcall(f, function(message)
    if host.exhausted() then return message end
    return handler(message)
  end, ...))
end

local function safe_resume(thread, ...) return caught(base.coroutine.resume(thread, ...)) end
local function safe_close(thread) return caught(base.coroutine.close(thread)) end

local function chunk_name(name)
  if name == nil then return nil end
  name = tostring(name)
  return name:find('^[=@]flowpatrol') and '=(load)' or name
end

local LONGEST_STRING = 16 * 1024 * 1024

local string_lib = base.string
local real_rep = string_lib.rep
string_lib.dump = nil

function string_lib.rep(text, count, separator)
  if type(count) == 'number' and (#tostring(text) + #(separator or '')) * count > LONGEST_STRING then
    error('resulting string too large', 2)
  end
  return real_rep(text, count, separator)
end

-- Parts of `text` between the matches of a pattern.
function string_lib.split(text, separator)
  local parts, from = {}, 1
  while true do
    local first, last = text:find(separator, from)
    if not first or last < first then break end
    parts[#parts + 1] = text:sub(from, first - 1)
    from = last + 1
  end
  parts[#parts + 1] = text:sub(from)
  return parts
end

base.getmetatable('').__metatable = false

local function copy(library, names)
  local result = {}
  for name in names:gmatch('%S+') do result[name] = library[name] end
  return result
end

-- Text as `print` would show it, without the arguments' own newline handling.
local function line_of(...)
  local parts = pack(...) -- not select: with many arguments that is quadratic, and no budget holds in here
  for i = 1, parts.n do parts[i] = tostring(parts[i]) end
  return concat(parts, '\t', 1, parts.n)
end

-- New globals of script number `script`.
local function new_environment(script)
  local env = copy(base, 'assert error ipairs rawequal rawlen select tonumber tostring type _VERSION')
  env._G = env
  env.next, env.pairs = safe_next, safe_pairs
  env.rawget, env.rawset = safe_rawget, safe_rawset
  env.getmetatable, env.setmetatable = safe_getmetatable, safe_setmetatable
  env.pcall, env.xpcall = safe_pcall, safe_xpcall

  env.string = {}
  for name, value in rawnext, string_lib do env.string[name] = value end
  env.table = copy(base.table, 'concat insert move pack remove sort unpack')
  env.utf8 = copy(base.utf8, 'char charpattern codepoint codes len offset')
  env.math = {}
  for name, value in rawnext, base.math do env.math[name] = value end
  env.coroutine = copy(base.coroutine, 'create isyieldable running status wrap yield')
  env.coroutine.resume, env.coroutine.close = safe_resume, safe_close

  env.os = copy(base.os, 'clock difftime')
  function env.os.time(t)
    if t == nil then return floor(host.time()) end
    return base.os.time(t)
  end
  function env.os.date(format, time)
    return base.os.date(format or '%c', time or floor(host.time()))
  end

  env.io = {}
  function env.io.open(name) return nil, tostring(name) .. ': a script cannot open files' end
  function env.io.write(...) host.print(script, concat({ ... })) end

  function env.print(...) host.print(script, line_of(...)) end

  function env.collectgarbage(option)
    return option == 'count' and base.collectgarbage('count') or 0
  end

  -- Source text only. Pieces from a function are read here, where an error passes on.
  function env.load(chunk, name, _, ...)
    if type(chunk) == 'function' then
      local pieces = {}
      for piece in chunk do
        if piece == '' then break end
        pieces[#pieces + 1] = piece
      end
      chunk = concat(pieces)
    end
    local target = env
    if select('#', ...) > 0 then target = ... end
    return base.load(chunk, chunk_name(name), 't', target)
  end

  local loaded = {}
  function env.require(name)
    if loaded[name] == nil then
      local source = host.module(tostring(name))
      if not source then error(('module %q does not exist; there are: %s'):format(tostring(name), host.modules), 2) end
      local value = base.assert(base.load(source, '@' .. name .. '.lua', 't', env))(name)
      loaded[name] = value == nil and true or value
    end
    return loaded[name]
  end

  env.interface = {
    getId = function() return host.interface_id end,
    getName = function() return host.interface_name end,
  }

  env.ntop = {
    bitmapIsSet = function(map, bit) return (map >> bit) & 1 == 1 end,
    bitmapSet = function(map, bit) return map | (1 << bit) end,
    bitmapClear = function(map, bit) return map & ~(1 << bit) end,
  }

  local flow = {}
  env.flow = flow
  function flow.getInfo() return shared.info end

  local names -- ids of the constants -> their names
  local function name_of(kind, id)
    if not names then
      local consts = env.require('alert_consts')
      names = { types = {}, severities = {} }
      for name, entry in rawpairs(consts.alert_types) do names.types[entry.alert_id] = name end
      for name, entry in rawpairs(consts.alert_severities) do names.severities[entry.severity_id] = name end
    end
    return names[kind][id]
  end

  -- @param status_info text in JSON, or any value that can become such
  function flow.storeAlert(type_id, severity_id, status_info)
    if math.type(type_id) ~= 'integer' then
      error('flow.storeAlert: the alert type must be a whole number, it is ' .. tostring(type_id), 2)
    end
    if math.type(severity_id) ~= 'integer' then
      error('flow.storeAlert: the severity must be a whole number, it is ' .. tostring(severity_id), 2)
    end
    if not shared.info then error('flow.storeAlert: there is no flow outside a callback', 2) end
    if status_info ~= nil and type(status_info) ~= 'string' then status_info = env.require('json').encode(status_info) end
    host.alert(script, type_id, severity_id, name_of('types', type_id), name_of('severities', severity_id), status_info)
  end

  -- Getters that return a part of info as a table of its own.
  for getter, names_text in rawnext, host.getters do
    flow[getter] = function()
      local info, part = shared.info, {}
      if not info then return nil end
      for name in names_text:gmatch('%S+') do
        local value = info[name]
        if value ~= nil then part[name] = value end
      end
      return part
    end
  end

  env.require('lua_utils')
  for _, name in ipairs({ 'alerts_api', 'alert_consts', 'flow_consts' }) do env[name] = env.require(name) end
  return env
end

-- Loading -----------------------------------------------------------------------------------------

local CALLBACKS = { 'protocolDetected', 'statusChanged', 'periodicUpdate', 'idle' }
local functions = {} -- callback name -> script number -> function
for _, name in ipairs(CALLBACKS) do functions[name] = {} end

local function text_or(value, otherwise)
  return type(value) == 'string' and value or otherwise
end

local function load_module(script, file, source)
  local env = new_environment(script)
  local chunk, syntax_error = base.load(source, '@' .. file, 't', env)
  if not chunk then error(syntax_error, 0) end
  local module = chunk()
  local function fail(cause) error(file .. ': ' .. cause, 0) end

  if type(module) ~= 'table' then fail('the file must return the table of its script, it returns ' .. type(module)) end
  if type(module.key) ~= 'string' or module.key == '' then fail('the script has no `key`') end
  local gui = type(module.gui) == 'table' and module.gui or {}
  if type(module.setup) ~= 'function' then fail('the script has no function `setup`') end
  local enabled = module.setup()
  local found, callbacks = {}, {}
  for _, name in ipairs(CALLBACKS) do
    local callback = module[name]
    if callback ~= nil then
      if type(callback) ~= 'function' then fail(('`%s` must be a function, it is a %s'):format(name, type(callback))) end
      found[name] = callback
      callbacks[#callbacks + 1] = '"' .. name .. '"'
    end
  end
  for name, callback in rawnext, found do functions[name][script] = callback end
  local quote = env.require('json').encode
  return ('{"key":%s,"title":%s,"description":%s,"prio":%s,"generation":"2019","callbacks":[%s],"filter":{},"enabled":%s,"warnings":[]}'):format(
    quote(module.key), quote(text_or(gui.i18n_title, text_or(gui.title, module.key))),
    quote(text_or(gui.i18n_description, text_or(gui.description, ''))), type(module.prio) == 'number' and module.prio or 0,
    concat(callbacks, ','), enabled and 'true' or 'false')
end

-- @return true with a Definition (runtime.ts) as JSON, or false with `file:line: cause`
local function load_script(script, file, source)
  shared[1] = 0
  return base.xpcall(load_module, lazy.describe, script, file, source)
end

local function unload_script(script)
  for _, name in ipairs(CALLBACKS) do functions[name][script] = nil end
end

-- @param order numbers of the scripts that have the callback, as text separated by commas, in calling order
-- @param prepared names of fields, separated by blanks
-- @return the function for an event and the one that goes on after a failed call (lua/info.lua)
local function dispatcher(callback, order, prepared)
  local chosen, names = {}, {}
  for number in order:gmatch('%d+') do chosen[#chosen + 1] = functions[callback][base.math.tointeger(number)] end
  for name in prepared:gmatch('%S+') do names[#names + 1] = name end
  return lazy.dispatcher(names, chosen)
end

return load_script, unload_script, dispatcher, lazy.describe
