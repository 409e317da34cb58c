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
local max = math.max

local BYTES, SEEN = {}, {}
-- metatable of lazy tables -> names of the fields those were made with; a metatable is made anew with each dispatcher
local sets = setmetatable({}, { __mode = 'k' })
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

-- A view shows what an info has, and some fields in another way. The info is under a secret key; a key that was read or written is seen.
local SOURCE = {}
local VIEW = { __metatable = false }

function VIEW.__index(view, key)
  if key == nil or seen_of(view)[key] then return nil end
  local value = rawget(view, SOURCE)[key]
  if value ~= nil then
    seen_of(view)[key] = true
    rawset(view, key, value)
  end
  return value
end

function VIEW.__newindex(view, key, value)
  rawset(view, key, value)
  seen_of(view)[key] = true
end

-- @param own what the view shows of the fields `names` in place of the info's; becomes the view
local function view(info, own, names)
  local seen = {}
  for i = 1, #names do seen[names[i]] = true end
  own[SOURCE], own[SEEN] = info, seen
  return setmetatable(own, VIEW)
end

local function is_lazy(value)
  local metatable = getmeta(value)
  return metatable ~= nil and (metatable == VIEW or sets[metatable] ~= nil)
end

local materialise

local function materialise_view(view)
  local source, seen = rawget(view, SOURCE), rawget(view, SEEN)
  if is_lazy(source) then materialise(source) end
  rawset(view, SOURCE, nil)
  rawset(view, SEEN, nil)
  setmeta(view, nil)
  for key, value in rawnext, source do
    if not seen[key] then view[key] = value end
  end
end

function materialise(info)
  if getmeta(info) == VIEW then return materialise_view(info) end
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

local started, ended, starting, byte = host.started, host.ended, host.starting, string.byte

-- Calls the scripts at the chosen positions from the `first` of them on.
local function some(functions, timed, chosen, first)
  local info = shared.info
  if timed then started() end
  for k = first, chosen and #chosen or #functions do
    starting()
    functions[chosen and byte(chosen, k) or k](info)
    if timed then ended() end
  end
end

-- Makes the functions that call one callback of all scripts; anew when the used fields change.
--   prepared   names of the fields that come as arguments, in order
--   functions  the callback of each script, in calling order
-- @return one for all scripts: (bytes, fields…);
--         one for a part of them: (timed, chosen, bytes, fields…), `chosen` = a byte per position, nil = all;
--         one that goes on behind a failed call: (timed, chosen, first)
-- The calls share one protected call (that of the engine), which costs a fifth of one for each. The engine counts them: `starting` tells
-- it, and through it other threads, that the next one begins.
local function dispatcher(prepared, functions)
  local set, parameters, entries = {}, {}, {}
  for i, name in ipairs(prepared) do
    set[name] = true
    parameters[i] = 'v' .. i
    entries[i] = ('[%q] = v%d'):format(name, i)
  end
  -- The loop keeps what it needs in locals: an upvalue costs an instruction each time, and the count hook doubles it.
  local source = ([[
    local shared, functions, metatable, BYTES, setmetatable, some, starting = ...
    local count = #functions
    return function(bytes, PARAMETERS)
      local functions, starting = functions, starting
      local info = setmetatable({ [BYTES] = bytes, ENTRIES }, metatable)
      shared.info = info
      for i = 1, count do
        starting()
        functions[i](info)
      end
    end, function(timed, chosen, bytes, PARAMETERS)
      shared.info = setmetatable({ [BYTES] = bytes, ENTRIES }, metatable)
      return some(functions, timed, chosen, 1)
    end, function(timed, chosen, first)
      return some(functions, timed, chosen, first)
    end]]):gsub('PARAMETERS', #parameters > 0 and table.concat(parameters, ', ') or '_')
    :gsub('ENTRIES', function() return table.concat(entries, ', ') end)
  local make = assert(load(source, '=flowpatrol dispatch', 't'))
  return make(shared, functions, new_metatable(set), BYTES, setmetatable, some, starting)
end

local MOST_LINES = 40

-- `file:line: in name` where the level is one of a script's code.
local function line_at(level)
  local at = debug.getinfo(level + 1, 'Sln')
  if not at then return nil, true end
  if not at.source:find('^@') or at.source:find('^@flowpatrol/') or at.currentline <= 0 then return nil end
  return ('%s:%d: in %s'):format(at.short_src, at.currentline, at.name or 'the script')
end

-- The outermost level of the stack, which lies beyond `low`. Asking for a level takes time in proportion to it.
local function outermost(low)
  local high = low * 2
  while debug.getinfo(high, 'l') do low, high = high, high * 2 end
  while high - low > 1 do
    local middle = (low + high) // 2
    if debug.getinfo(middle, 'l') then low = middle else high = middle end
  end
  return low
end

-- Where an error came from: the lines of scripts, innermost first, one per line.
local function lines_of_scripts()
  local lines = {}
  for level = 3, MOST_LINES do
    local line, past = line_at(level)
    if past then return lines end
    lines[#lines + 1] = line
  end
  if lines[1] then return lines end
  -- deep in a recursion of ours: the script is at the other end
  local last = outermost(MOST_LINES)
  for level = last, max(MOST_LINES + 1, last - 8), -1 do
    lines[1] = line_at(level)
    if lines[1] then break end
  end
  return lines
end

local OURS = '^flowpatrol[ /][%w_.]+:%d+: '

-- A message that names a line of ours names the line of the script that came there.
local function located(message)
  if type(message) ~= 'string' or not message:find(OURS) then return message end
  local line = lines_of_scripts()[1]
  return (line and line:match('^.-:%d+: ') or '') .. message:gsub(OURS, '')
end

-- Message handler: makes `file:line: message` of any error value, and behind a zero byte the lines it came from.
local function describe(value)
  -- tostring calls a script's own __tostring, which may fail or say nothing useful
  local ok, text = pcall(tostring, value)
  text = (ok and text or 'an error whose __tostring fails'):gsub(OURS, ''):gsub('%z', ' ')
  local lines = lines_of_scripts()
  if not (type(value) == 'string' and text:find('^[^\n:]+:%d+: ')) and lines[1] then
    text = lines[1]:match('^.-:%d+: ') .. text
  end
  return text .. '\0' .. table.concat(lines, '\n')
end

return { is_lazy = is_lazy, materialise = materialise, view = view, dispatcher = dispatcher, describe = describe, located = located }
