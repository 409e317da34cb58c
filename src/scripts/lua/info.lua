-- The lazy `info` table. Trusted chunk: scripts never see what is in here.
--
--   host.fetch(field, bytes or nil) -> value or nil     one field of the current event, or of a kept copy of another
--   host.all(bytes or nil)          -> table            all present fields
--
-- An info table starts with the fields that were seen to be used (its `set`), plus the bytes of its event under a secret
-- key. `__index` fetches any other field and keeps it; what was fetched or written once is listed under a second secret
-- key, so that a field a script removed stays removed. Whatever looks at the table as a whole materialises it first:
-- then it is an ordinary table without a metatable.

local host, shared = ...
local rawget, rawset, rawnext, setmetatable = rawget, rawset, next, setmetatable
local getmeta, setmeta = debug.getmetatable, debug.setmetatable
local fetch, all = host.fetch, host.all

local BYTES, SEEN = {}, {}
local sets = {}    -- metatable of lazy tables -> names of the fields those were made with
local fields = {}  -- name -> number of the field
for number, name in ipairs(host.fields) do fields[name] = number end

local function seen_of(info)
  local seen = rawget(info, SEEN)
  if not seen then
    seen = {}
    rawset(info, SEEN, seen)
  end
  return seen
end

local function new_metatable(set)
  local metatable = { __metatable = false }

  function metatable.__index(info, key)
    local field = fields[key]
    if not field or set[key] then return nil end
    local seen = seen_of(info)
    if seen[key] then return nil end
    seen[key] = true
    local value = fetch(field, info ~= shared.info and rawget(info, BYTES) or nil)
    if value ~= nil then rawset(info, key, value) end
    return value
  end

  function metatable.__newindex(info, key, value)
    if fields[key] and not set[key] then seen_of(info)[key] = true end
    rawset(info, key, value)
  end

  sets[metatable] = set
  return metatable
end

local function is_lazy(value)
  local metatable = getmeta(value)
  return metatable ~= nil and sets[metatable] ~= nil
end

local function materialise(info)
  local set = sets[getmeta(info)]
  local bytes, seen = rawget(info, BYTES), rawget(info, SEEN)
  local values = all(info ~= shared.info and bytes or nil)
  rawset(info, BYTES, nil)
  rawset(info, SEEN, nil)
  setmeta(info, nil)
  for key, value in rawnext, values do
    if not set[key] and not (seen and seen[key]) then info[key] = value end
  end
end

-- Makes the function that calls one callback of all scripts; anew when the used fields change.
--   prepared   names of the fields that come as arguments, in order
--   functions  the callback of each script, in calling order
-- The calls share one protected call (that of the engine): when one fails, shared[1] says which, and the engine goes on
-- behind it with `rest`. That costs a fifth of a protected call for each.
local function dispatcher(prepared, functions)
  local set, parameters, entries = {}, {}, {}
  for i, name in ipairs(prepared) do
    set[name] = true
    parameters[i] = 'v' .. i
    entries[i] = ('[%q] = v%d'):format(name, i)
  end
  -- The loops keep what they need in locals: an upvalue costs an instruction each time, and the count hook doubles it.
  local source = ([[
    local shared, functions, metatable, BYTES, started, ended, setmetatable = ...
    local count = #functions
    local function rest(timed, info, from)
      local shared, functions = shared, functions
      if not timed then
        for i = from, count do
          shared[1] = i
          functions[i](info)
        end
        return
      end
      started()
      for i = from, count do
        shared[1] = i
        functions[i](info)
        ended(i)
      end
    end
    return function(timed, bytes, PARAMETERS)
      local shared, functions = shared, functions
      local info = setmetatable({ [BYTES] = bytes, ENTRIES }, metatable)
      shared.info, shared[1] = info, 0
      if timed then return rest(timed, info, 1) end
      for i = 1, count do
        shared[1] = i
        functions[i](info)
      end
    end, function(timed, from)
      return rest(timed, shared.info, from)
    end]]):gsub('PARAMETERS', #parameters > 0 and table.concat(parameters, ', ') or '_')
    :gsub('ENTRIES', function() return table.concat(entries, ', ') end)
  local make = assert(load(source, '=flowpatrol dispatch', 't'))
  return make(shared, functions, new_metatable(set), BYTES, host.started, host.ended, setmetatable)
end

-- Message handler: makes `file:line: message` of any error value.
local function describe(value)
  local text = tostring(value):gsub('^flowpatrol %a+:%d+: ', '')
  if type(value) == 'string' and text:find('^[^\n:]+:%d+: ') then return text end
  for level = 2, 20 do
    local at = debug.getinfo(level, 'Sl')
    if not at then break end
    if at.source:sub(1, 1) == '@' and at.currentline > 0 then
      return ('%s:%d: %s'):format(at.short_src, at.currentline, text)
    end
  end
  return text
end

return { is_lazy = is_lazy, materialise = materialise, dispatcher = dispatcher, describe = describe }
