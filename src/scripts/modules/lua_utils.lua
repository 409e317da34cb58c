-- Helper functions that are global in every script.

TRACE_ERROR, TRACE_WARNING, TRACE_NORMAL, TRACE_INFO, TRACE_DEBUG = 0, 1, 2, 3, 4
TRACE_CONSOLE = 'console'
local LEVELS = { [0] = 'error', 'warning', 'normal', 'info', 'debug' }

-- Texts are in English only: a key without a translation is its own text. `%{name}` is replaced from `params`.
function i18n(text, params)
  if text == nil or not params then return text end
  return (tostring(text):gsub('%%{([%w_.]+)}', function(name)
    local value = params[name]
    return value ~= nil and tostring(value) or nil
  end))
end

-- Prints one line; levels above TRACE_NORMAL are not shown.
function traceError(level, console, message)
  if level <= TRACE_NORMAL then print('[' .. LEVELS[level] .. '] ' .. tostring(message)) end
end

local function compare(a, b)
  if type(a) == type(b) and (type(a) == 'number' or type(a) == 'string') then return a < b end
  return tostring(a) < tostring(b)
end

-- Like pairs, in the order of the keys; `order` compares two keys as in table.sort.
function pairsByKeys(t, order)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, order or compare)
  local i = 0
  return function()
    i = i + 1
    if keys[i] ~= nil then return keys[i], t[keys[i]] end
  end
end

-- Prints any value with its type; the members of a table one a line, nested keys joined by dots.
function tprint(value)
  local printed = {}
  local function show(path, v)
    if type(v) ~= 'table' then
      local text = type(v) == 'string' and '"' .. v .. '"' or tostring(v)
      print((path == '' and '' or path .. ' ') .. type(v) .. ' ' .. text)
    elseif printed[v] then
      print(path .. ' table (shown above)')
    else
      printed[v] = true
      local empty = true
      for key, member in pairsByKeys(v) do
        empty = false
        show(path == '' and tostring(key) or path .. '.' .. tostring(key), member)
      end
      if empty then print((path == '' and '' or path .. ' ') .. 'table {}') end
    end
  end
  show('', value)
end

function ternary(condition, yes, no)
  if condition then return yes end
  return no
end

function isEmptyString(text)
  return text == nil or text == ''
end

function starts(text, beginning)
  return text:sub(1, #beginning) == beginning
end

function ends(text, ending)
  return ending == '' or text:sub(-#ending) == ending
end

function isIPv4(text)
  if type(text) ~= 'string' then return false end
  local a, b, c, d = text:match('^(%d+)%.(%d+)%.(%d+)%.(%d+)$')
  if not a then return false end
  for _, part in ipairs({ a, b, c, d }) do
    if #part > 3 or tonumber(part) > 255 then return false end
  end
  return true
end

function isIPv6(text)
  return type(text) == 'string' and text:find('^[%x:.]+$') ~= nil and text:find(':', 1, true) ~= nil
    and not text:find(':::', 1, true)
end

-- "ip@vlan", or "ip" without a VLAN.
function hostinfo2hostkey(host)
  local ip = host.ip or host.host or host['cli.ip'] or ''
  local vlan = host.vlan or host['cli.vlan'] or 0
  return vlan ~= 0 and ip .. '@' .. vlan or ip
end

-- "[TCP] 10.0.0.1:51514 -> 10.0.0.2:80 [HTTP]"
function shortFlowLabel(info)
  local function endpoint(name)
    local ip, port = info[name .. '.ip'] or '?', info[name .. '.port'] or 0
    if port == 0 then return ip end
    return (ip:find(':', 1, true) and '[' .. ip .. ']' or ip) .. ':' .. port
  end
  return ('[%s] %s -> %s [%s]'):format(info['proto.l4'] or '?', endpoint('cli'), endpoint('srv'), info['proto.ndpi'] or '?')
end

function table.len(t)
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  return count
end

function table.empty(t)
  return t == nil or next(t) == nil
end

-- A new table with the members of both; those of `b` win.
function table.merge(a, b)
  local merged = {}
  for key, value in pairs(a or {}) do merged[key] = value end
  for key, value in pairs(b or {}) do merged[key] = value end
  return merged
end

-- A copy, nested tables included.
function table.clone(t)
  local copies = {}
  local function copy(value)
    if type(value) ~= 'table' then return value end
    if not copies[value] then
      local new = {}
      copies[value] = new
      for key, member in pairs(value) do new[copy(key)] = copy(member) end
    end
    return copies[value]
  end
  return copy(t)
end

-- Whether both have the same members, nested tables included.
function table.compare(a, b)
  if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end
  for key, value in pairs(a) do
    if not table.compare(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

function table.slice(t, first, last, step)
  local slice = {}
  for i = first or 1, last or #t, step or 1 do slice[#slice + 1] = t[i] end
  return slice
end

return true
