-- JSON (RFC 8259): `json.encode(value)` and `json.decode(text)`.
--
-- Objects are written in the order of their keys. A table is an array when its keys are 1..n (the empty table too), or when
-- its metatable has __jsontype = 'array'. Strings are bytes in Lua: those that are no UTF-8 are written byte by byte as \u00hh.

local json = {
  null = setmetatable({}, {
    __tostring = function() return "null" end,
    __newindex = function() error("json.null cannot be changed", 2) end,
    __metatable = false,
  }),
}

local ESCAPES = { ['"'] = '\\"', ['\\'] = '\\\\', ['\b'] = '\\b', ['\f'] = '\\f', ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t' }

local function escape(character)
  return ESCAPES[character] or ('\\u%04x'):format(character:byte())
end

local function quoted(text)
  local unsafe = utf8.len(text) and '[%c"\\\127]' or '[%c"\\\127-\255]'
  return '"' .. text:gsub(unsafe, escape) .. '"'
end
json.quotestring = quoted

local function is_array(t)
  local metatable = getmetatable(t)
  local kind = type(metatable) == 'table' and metatable.__jsontype
  if kind then return kind == 'array' end
  local count = 0
  for key in pairs(t) do
    if math.type(key) ~= 'integer' or key < 1 then return false end
    count = count + 1
  end
  return count == #t
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return 'null' end
  if math.type(value) == 'integer' then return tostring(value) end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return ('%d'):format(value) end
  local short = ('%.15g'):format(value)
  return tonumber(short) == value and short or ('%.17g'):format(value)
end

-- @param options { indent = true } for one member a line
function json.encode(value, options)
  local indent = options and options.indent
  local parts, open = {}, {}
  local write

  local function put(text) parts[#parts + 1] = text end

  local function line(depth)
    if indent then put('\n' .. ('  '):rep(depth)) end
  end

  local function members(t, depth)
    if is_array(t) then
      put('[')
      for i = 1, #t do
        if i > 1 then put(',') end
        line(depth + 1)
        write(t[i], depth + 1)
      end
      if #t > 0 then line(depth) end
      put(']')
      return
    end
    local keys, named = {}, {}
    for key in pairs(t) do
      local name = tostring(key)
      keys[#keys + 1] = name
      named[name] = key
    end
    table.sort(keys)
    put('{')
    for i, name in ipairs(keys) do
      if i > 1 then put(',') end
      line(depth + 1)
      put(quoted(name))
      put(indent and ': ' or ':')
      write(t[named[name]], depth + 1)
    end
    if #keys > 0 then line(depth) end
    put('}')
  end

  function write(v, depth)
    local kind = type(v)
    if v == nil or v == json.null then put('null')
    elseif kind == 'boolean' then put(tostring(v))
    elseif kind == 'number' then put(number(v))
    elseif kind == 'string' then put(quoted(v))
    elseif kind == 'table' then
      if open[v] then error('json.encode: a table contains itself', 0) end
      open[v] = true
      members(v, depth)
      open[v] = nil
    else
      error('json.encode: a ' .. kind .. ' has no form in JSON', 0)
    end
  end

  write(value, 0)
  return table.concat(parts)
end

local UNESCAPES = { ['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', f = '\f', n = '\n', r = '\r', t = '\t' }
local LITERALS = { ['true'] = true, ['false'] = false }
local DEEPEST = 100

-- @param position where to start, 1 if absent
-- @param null what stands for null, nil if absent
-- @return the value and the position after it; on an error nil, the position and a message
function json.decode(text, position, null)
  local at = position or 1
  local value_at

  local function fail(message) error({ at = at, message = message }, 0) end

  local function blanks() at = text:find('[^ \t\r\n]', at) or #text + 1 end

  local function hex()
    local digits = text:match('^%x%x%x%x', at)
    if not digits then fail('four hexadecimal digits expected') end
    at = at + 4
    return tonumber(digits, 16)
  end

  local function string_at()
    local pieces = {}
    at = at + 1
    while true do
      local plain, stop = text:match('^([^"\\%c]*)()', at)
      pieces[#pieces + 1] = plain
      at = stop
      local c = text:sub(at, at)
      if c == '"' then
        at = at + 1
        return table.concat(pieces)
      elseif c == '\127' then
        pieces[#pieces + 1] = c
        at = at + 1
      elseif c ~= '\\' then
        fail(c == '' and 'the string has no end' or 'control character in a string')
      else
        local escaped = text:sub(at + 1, at + 1)
        at = at + 2
        if escaped == 'u' then
          local code = hex()
          if code >= 0xd800 and code < 0xdc00 and text:sub(at, at + 1) == '\\u' then
            at = at + 2
            local low = hex()
            if low < 0xdc00 or low > 0xdfff then fail('second half of a surrogate pair expected') end
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
          end
          pieces[#pieces + 1] = utf8.char(code)
        else
          if not UNESCAPES[escaped] then fail('unknown escape') end
          pieces[#pieces + 1] = UNESCAPES[escaped]
        end
      end
    end
  end

  local function list_at(depth)
    local list = {}
    at = at + 1
    blanks()
    if text:sub(at, at) == ']' then at = at + 1 return list end
    local count = 0
    while true do
      count = count + 1
      list[count] = value_at(depth + 1)
      blanks()
      local c = text:sub(at, at)
      at = at + 1
      if c == ']' then return list end
      if c ~= ',' then at = at - 1 fail("',' or ']' expected") end
    end
  end

  local function object_at(depth)
    local object = {}
    at = at + 1
    blanks()
    if text:sub(at, at) == '}' then at = at + 1 return object end
    while true do
      blanks()
      if text:sub(at, at) ~= '"' then fail('a key in quotes expected') end
      local key = string_at()
      blanks()
      if text:sub(at, at) ~= ':' then fail("':' expected") end
      at = at + 1
      object[key] = value_at(depth + 1)
      blanks()
      local c = text:sub(at, at)
      at = at + 1
      if c == '}' then return object end
      if c ~= ',' then at = at - 1 fail("',' or '}' expected") end
    end
  end

  function value_at(depth)
    if depth > DEEPEST then fail('nested too deeply') end
    blanks()
    local c = text:sub(at, at)
    if c == '{' then return object_at(depth) end
    if c == '[' then return list_at(depth) end
    if c == '"' then return string_at() end
    local word = text:match('^%a+', at)
    if word then
      if word == 'null' then at = at + 4 return null end
      if LITERALS[word] == nil then fail('unexpected word') end
      at = at + #word
      return LITERALS[word]
    end
    local digits = text:match('^-?%d+%.?%d*[eE]?[+-]?%d*', at)
    if not digits or digits:find('^-?0%d') or not tonumber(digits) or digits:find('%.$') or digits:find('%.[eE]') then
      fail(c == '' and 'a value expected' or 'unexpected character')
    end
    at = at + #digits
    return math.tointeger(tonumber(digits)) and not digits:find('[.eE]') and math.tointeger(tonumber(digits)) or tonumber(digits)
  end

  local ok, value = pcall(value_at, 0)
  if ok then return value, at end
  if type(value) == 'table' and value.message then return nil, value.at, value.message end
  error(value, 0)
end

return json
