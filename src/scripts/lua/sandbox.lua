-- The world of one script: its own globals, and nothing that reaches the machine. Trusted chunk.
--
-- Called once per engine with the functions of lua/engine.ts and lua/library.ts (`host`), those of lua/info.lua (`lazy`) and the
-- table that all share (`shared.info`: the current event); returns `load_script`, `unload_script`, `dispatcher`, `describe`.
-- Every script gets its own `_ENV` with copies of the libraries, so no script can change another one's.
--
--   source ──generations.lua: which generation?──► new_environment ──► module ──generations.lua──► Definition, callbacks
--                                                    world/flow.lua, world/ntop.lua, modules/*.lua

local host, lazy, shared = ...
local is_lazy, materialise, located = lazy.is_lazy, lazy.materialise, lazy.located
local base = {}
for name, value in next, _G do base[name] = value end
local type, error, tostring, tonumber, rawnext, rawpairs = type, error, tostring, tonumber, next, pairs
local concat, pack, floor = table.concat, table.pack, math.floor

-- Chunks of ours that scripts may interrupt are named so. No chunk of a script is.
local OURS = '@flowpatrol/'

-- What does not change: names and constants beside the functions.
for name, value in next, host.about() do host[name] = value end

-- Tables of a lazy info behave like ordinary ones ------------------------------------------------

-- Errors name the script's line, not one of ours.
local function check_table(value, name)
  if type(value) ~= 'table' then error(("bad argument #1 to '%s' (table expected, got %s)"):format(name, type(value)), 3) end
end

local function safe_next(t, key)
  check_table(t, 'next')
  if is_lazy(t) then materialise(t) end
  return rawnext(t, key)
end

local function safe_pairs(t)
  check_table(t, 'pairs')
  if is_lazy(t) then materialise(t) end
  return rawpairs(t)
end

local function safe_rawget(t, key)
  check_table(t, 'rawget')
  if is_lazy(t) then return t[key] end
  return base.rawget(t, key)
end

local null -- of json: one for all scripts

local function safe_rawset(t, key, value)
  check_table(t, 'rawset')
  if t == null then error('json.null cannot be changed', 2) end
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
  check_table(t, 'setmetatable')
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

local function safe_pcall(f, ...) return caught(base.xpcall(f, located, ...)) end

-- The handler is not called for the error that ends a call: there the budget would not hold for it.
local function safe_xpcall(f, handler, ...)
  return caught(base.xpcall(f, function(message)
    if host.exhausted() then return message end
    return handler(located(message))
  end, ...))
end

-- What a coroutine has run is a part of the call's budget; it is over when that is used up.
local function resumed(thread, ...)
  host.spent(thread)
  return caught(...)
end

local function cleaned(ok, first, ...)
  if ok then return ok, first, ... end
  return ok, located(first)
end

local function safe_resume(thread, ...) return resumed(thread, cleaned(base.coroutine.resume(thread, ...))) end

local function wrapped(thread, ok, ...)
  host.spent(thread)
  if ok then return ... end
  base.coroutine.close(thread)
  error((...), 0)
end

local function safe_wrap(f)
  local thread = base.coroutine.create(f)
  return function(...) return wrapped(thread, base.coroutine.resume(thread, ...)) end
end
local function safe_close(thread) return caught(base.coroutine.close(thread)) end

local function chunk_name(name)
  if name == nil then return nil end
  name = tostring(name)
  return name:find('^[=@]flowpatrol') and '=(load)' or name
end

-- Functions that would work for a long time without an instruction of the script ---------------------

local LONGEST_STRING = 16 * 1024 * 1024
local MOST_MOVED = 1000000

local string_lib = base.string
local real_rep = string_lib.rep
string_lib.dump = nil

-- `unit` so many times, by doubling: Lua's own copies byte by byte.
local function doubled(unit, times)
  local result = ''
  while true do
    if times & 1 == 1 then result = result .. unit end
    times = times >> 1
    if times == 0 then return result end
    unit = unit .. unit
  end
end

function string_lib.rep(text, count, separator)
  local times = math.tointeger(tonumber(count))
  local is_text = type(text) == 'string' or type(text) == 'number'
  local between = separator == nil and '' or separator
  if not times or times < 2 or not is_text or type(between) ~= 'string' then return real_rep(text, count, separator) end
  text = tostring(text)
  local unit = text .. between
  if unit == '' then return '' end
  if times > LONGEST_STRING // #unit then error('resulting string too large', 2) end
  return doubled(unit, times - 1) .. text
end

local function safe_move(from, first, last, at, ...)
  if math.type(first) == 'integer' and math.type(last) == 'integer' and last - first > MOST_MOVED then
    error('too many elements to move', 2)
  end
  return base.table.move(from, first, last, at, ...)
end

base.getmetatable('').__metatable = false

-- Code of ours ------------------------------------------------------------------------------------

local function copy(library, names)
  local result = {}
  for name in names:gmatch('%S+') do result[name] = library[name] end
  return result
end

-- Globals that cost a script nothing to share: functions.
local function basic_environment()
  local env = copy(base, 'assert error ipairs rawequal rawlen select tonumber tostring type _VERSION')
  env._G = env
  env.next, env.pairs = safe_next, safe_pairs
  env.rawget, env.rawset = safe_rawget, safe_rawset
  env.getmetatable, env.setmetatable = safe_getmetatable, safe_setmetatable
  env.pcall, env.xpcall = safe_pcall, safe_xpcall
  env.string = {}
  for name, value in rawnext, string_lib do env.string[name] = value end
  env.table = copy(base.table, 'concat insert pack remove sort unpack')
  env.table.move = safe_move
  env.utf8 = copy(base.utf8, 'char charpattern codepoint codes len offset')
  env.math = {}
  for name, value in rawnext, base.math do env.math[name] = value end
  return env
end

-- A chunk of ours that is never interrupted: it must not loop over what a script gives it.
local function trusted(path, ...)
  return base.assert(base.load(host.chunk(path), '=flowpatrol ' .. path:match('(%a+)%.lua$'), 't'))(...)
end

-- strings.lua adds to the string library, json.lua is shared by all; both work on what scripts give them, so they can be interrupted.
base.assert(base.load(host.chunk('strings.lua'), OURS .. 'strings.lua', 't'))()
local json = base.assert(base.load(host.module('json'), OURS .. 'json.lua', 't', basic_environment()))('json')
null = json.null

local constants = base.assert(base.load(host.constants(), '=flowpatrol constants', 't', {}))()
local generations = trusted('generations.lua', host, base, constants)
local new_flow = trusted('world/flow.lua', host, shared)
local add_statuses = trusted('world/statuses.lua', host, shared, json, constants, lazy.view)
local new_ntop, new_interface = trusted('world/ntop.lua', host, shared)

-- The environment of a script ---------------------------------------------------------------------

-- Text as `print` would show it, without the arguments' own newline handling.
local function line_of(...)
  local parts = pack(...) -- not select: with many arguments that is quadratic, and no budget holds in here
  for i = 1, parts.n do parts[i] = tostring(parts[i]) end
  return concat(parts, '\t', 1, parts.n)
end

local function add_system(env, script)
  local math_lib = env.math
  -- without a seed Lua takes the time and an address: two runs would differ
  function math_lib.randomseed(...)
    if base.select('#', ...) == 0 then return base.math.randomseed(floor(host.time())) end
    return base.math.randomseed(...)
  end

  env.coroutine = copy(base.coroutine, 'create isyieldable running status yield')
  env.coroutine.resume, env.coroutine.wrap, env.coroutine.close = safe_resume, safe_wrap, safe_close

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
  function env.io.write(...) host.print(script, 'print', concat({ ... })) end
  function env.print(...) host.print(script, 'print', line_of(...)) end

  function env.collectgarbage(option)
    return option == 'count' and base.collectgarbage('count') or 0
  end

  -- Source text only. Pieces from a function are read here, where an error passes on.
  function env.load(chunk, name, _, ...)
    if type(chunk) == 'function' then
      local pieces = {}
      for piece in chunk do
        if type(piece) ~= 'string' then return nil, 'reader function must return a string' end
        if piece == '' then break end
        pieces[#pieces + 1] = piece
      end
      chunk = concat(pieces)
    end
    local target = env
    if base.select('#', ...) > 0 then target = ... end
    return base.load(chunk, chunk_name(name), 't', target)
  end
end

-- `require` of our modules, then of files in the scripts' folders. `package` is there to be read and written, and changes nothing.
local function add_modules(env, script, era)
  local loaded, loading = {}, {}
  env.package = { path = host.package_path, cpath = '', config = '/\n;\n?\n!\n-\n', loaded = loaded, preload = {} }

  -- A module of the original that we have a part of: what else a script calls does nothing, and says so once.
  local function open_ended(module, name)
    return base.setmetatable(module, {
      __index = function(t, member)
        host.print(script, 'warning', ('%s.%s does not exist here; it does nothing'):format(name, tostring(member)))
        local function nothing() end
        base.rawset(t, member, nothing)
        return nothing
      end,
    })
  end

  local context = {
    open_ended = open_ended,
    constants = constants,
    era = era,
    print = function(level, text) host.print(script, level, text) end,
    translate = host.translate,
    protocol_id = host.protocol_id,
    risk_name = host.risk_name,
  }
  local function load_source(source, name, ...)
    local chunk, syntax_error = base.load(source, name, 't', env)
    if not chunk then error(syntax_error, 0) end
    return chunk(...)
  end

  function env.require(name)
    name = tostring(name)
    if loaded[name] ~= nil then return loaded[name] end
    if loading[name] then error(('module %q requires itself'):format(name), 2) end
    local value
    if name == 'json' then
      value = copy(json, 'encode decode null quotestring')
    else
      local source = host.module(name)
      local own, file
      if not source then
        own, file = host.script_module(name)
        if not own then error(('module %q does not exist; there are: %s'):format(name, host.modules), 2) end
      end
      loading[name] = true
      if source then value = load_source(source, OURS .. name .. '.lua', name, context)
      else value = load_source(own, '@' .. file, name) end
      loading[name] = nil
    end
    if value == nil then value = loaded[name] == nil or loaded[name] end
    loaded[name] = value
    return value
  end
end

-- New globals of script number `script` in the form of an era: '2019', '4.0' or '4.2'.
local function new_environment(script, era)
  local env = basic_environment()
  add_system(env, script)
  add_modules(env, script, era)
  env.flow = new_flow(script, era)
  local ending = add_statuses(env.flow, script, era)
  env.ntop = new_ntop(script, era)
  env.interface = new_interface()
  env.host, env.network = {}, {} -- of other kinds of scripts; without a flow's host they have nothing
  env.require('lua_utils')
  for _, name in base.ipairs({ 'alerts_api', 'alert_consts', 'flow_consts' }) do env[name] = env.require(name) end
  return env, ending
end

-- Loading -----------------------------------------------------------------------------------------

local functions = {} -- callback name -> script number -> function
local ends = {}      -- script number -> function to call when it is unloaded
for _, name in base.ipairs(generations.callbacks) do functions[name] = {} end

local function load_module(script, file, source)
  source = source:gsub('^#[^\n]*', '') -- "#!/usr/bin/lua", as Lua itself does
  local marks = generations.marks(source)
  local era, module, env, ending = generations.guess(marks), nil, nil, nil
  -- What a script is, only its table shows; what it finds in our modules it may read before. So a wrong guess is run again.
  for _ = 1, 2 do
    env, ending = new_environment(script, era)
    local chunk, syntax_error = base.load(source, '@' .. file, 't', env)
    if not chunk then error(syntax_error, 0) end
    module = chunk()
    if type(module) ~= 'table' then error(file .. ': the file must return the table of its script, it returns ' .. type(module), 0) end
    local is = generations.era(module, marks)
    if is == era then break end
    era = is
  end
  local definition, callbacks, finish = generations.define(module, file, era, marks, env, ending)
  local text = json.encode(definition)
  for name, callback in rawnext, callbacks do functions[name][script] = callback end
  ends[script] = finish
  return text
end

-- @return true with a Definition (runtime.ts) as JSON, or false with `file:line: cause`
local function load_script(script, file, source)
  shared.info = nil
  return base.xpcall(load_module, lazy.describe, script, file, source)
end

-- Forgets a script, after its `teardown`. @return true, or false with what went wrong in it
local function unload_script(script)
  shared.info = nil
  local finish = ends[script]
  ends[script] = nil
  for _, by_script in rawnext, functions do by_script[script] = nil end
  if not finish then return true end
  return base.xpcall(finish, lazy.describe)
end

-- @param order numbers of the scripts that have the callback, as text separated by commas, in calling order
-- @param prepared names of fields, separated by blanks
-- @return the functions of an event (lua/info.lua)
local function dispatcher(callback, order, prepared)
  local chosen, names = {}, {}
  for number in order:gmatch('%d+') do chosen[#chosen + 1] = functions[callback][base.math.tointeger(number)] end
  for name in prepared:gmatch('%S+') do names[#names + 1] = name end
  return lazy.dispatcher(names, chosen)
end

return load_script, unload_script, dispatcher, lazy.describe
