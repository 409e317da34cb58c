-- Helper functions that are global in every script.

local _, world = ...

TRACE_ERROR, TRACE_WARNING, TRACE_NORMAL, TRACE_INFO, TRACE_DEBUG = 0, 1, 2, 3, 4
TRACE_CONSOLE = 'console'
local LEVELS = { [0] = 'error', 'warning', 'normal', 'info', 'debug' }

dirs = ntop.getDirs()
i18n = require('i18n')

-- One line of the log; who runs flowpatrol chooses the levels that are shown.
function traceError(level, console, message)
  world.print(LEVELS[level] or 'normal', tostring(message))
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

-- Like pairs, in the order of the values.
function pairsByValues(t, order)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return (order or compare)(t[a], t[b]) end)
  local i = 0
  return function()
    i = i + 1
    if keys[i] ~= nil then return keys[i], t[keys[i]] end
  end
end

-- Orders for the functions above.
function asc(a, b) return a < b end
function rev(a, b) return a > b end
function asc_insensitive(a, b) return tostring(a):lower() < tostring(b):lower() end
function rev_insensitive(a, b) return tostring(a):lower() > tostring(b):lower() end

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

function starts(text, beginning) return string.starts(text, beginning) end
function ends(text, ending) return string.ends(text, ending) end
function split(text, separator) return string.split(text, separator) end
function trimSpace(text) return (tostring(text):match('^%s*(.-)%s*$')) end
trimString = trimSpace
function firstToUpper(text) return (tostring(text):gsub('^%l', string.upper)) end

function shortenString(text, most)
  text, most = tostring(text), most or 24
  return #text > most and text:sub(1, most) .. '...' or text
end

function toboolean(value)
  if value == 'true' or value == '1' or value == 1 or value == true then return true end
  if value == 'false' or value == '0' or value == 0 or value == false then return false end
  return nil
end
function tolongint(value) return math.tointeger(tonumber(value) or 0) or 0 end
function round(number, decimals)
  local factor = 10 ^ (decimals or 0)
  return math.floor(number * factor + 0.5) / factor
end
function truncate(number) return number < 0 and math.ceil(number) or math.floor(number) end
function hasKey(key, t) return t ~= nil and t[key] ~= nil end

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

function table.contains(t, value)
  for _, member in pairs(t) do
    if member == value then return true end
  end
  return false
end

-- Texts of numbers and times ------------------------------------------------------------------------

local function scaled(value, units, base)
  local number, unit = tonumber(value) or 0, 1
  while math.abs(number) >= base and unit < #units do
    number, unit = number / base, unit + 1
  end
  local text = unit == 1 and ('%d'):format(truncate(number)) or ('%.2f'):format(number):gsub('%.?0+$', '')
  return text .. ' ' .. units[unit]
end

function bytesToSize(bytes) return scaled(bytes, { 'Bytes', 'KB', 'MB', 'GB', 'TB', 'PB' }, 1024) end
function bitsToSize(bits) return scaled(bits, { 'bps', 'Kbps', 'Mbps', 'Gbps', 'Tbps' }, 1000) end
function bitsToSizeMultiplier(bits, base) return scaled(bits, { 'bps', 'Kbps', 'Mbps', 'Gbps', 'Tbps' }, base or 1000) end
function pktsToSize(packets) return scaled(packets, { 'pps', 'Kpps', 'Mpps', 'Gpps' }, 1000) end

-- 1234567 -> "1,234,567"
function formatValue(value)
  local sign, digits, rest = tostring(value):match('^(-?)(%d+)(.*)$')
  if not digits then return tostring(value) end
  return sign .. digits:reverse():gsub('(%d%d%d)', '%1,'):gsub(',$', ''):reverse() .. rest
end
function formatPackets(packets) return formatValue(packets) .. ' Pkts' end
function formatFlows(flows) return formatValue(flows) .. ' Flows' end

-- 93784 -> "1 day, 02:03:04"
function secondsToTime(seconds)
  local left = truncate(tonumber(seconds) or 0)
  if left < 1 then return '< 1 sec' end
  if left < 60 then return left .. ' sec' end
  local days = left // 86400
  local text = left >= 3600 and ('%02d:%02d:%02d'):format(left % 86400 // 3600, left % 3600 // 60, left % 60)
    or ('%02d:%02d'):format(left // 60, left % 60)
  if days == 0 then return text end
  return ('%d %s, %s'):format(days, i18n(days == 1 and 'format.day' or 'format.days'), text)
end
function msToTime(ms)
  if (tonumber(ms) or 0) >= 1000 then return secondsToTime(ms / 1000) end
  return ('%.2f ms'):format(tonumber(ms) or 0):gsub('%.?0+ ms', ' ms')
end
function formatEpoch(epoch)
  if epoch == nil or epoch == 0 then return '' end
  return os.date('%d/%m/%Y %H:%M:%S', math.tointeger(epoch) or truncate(epoch))
end

-- Hosts ---------------------------------------------------------------------------------------------

-- "ip@vlan", or "ip" without a VLAN.
function hostinfo2hostkey(host, side, with_vlan)
  local prefix = side and side .. '.' or ''
  local ip = host[prefix .. 'ip'] or host.ip or host.host or host['cli.ip'] or ''
  local vlan = host[prefix .. 'vlan'] or host.vlan or host['cli.vlan'] or 0
  return (vlan ~= 0 or with_vlan) and ip .. '@' .. vlan or ip
end

-- "10.0.0.1@5" -> { host = "10.0.0.1", vlan = 5 }
function hostkey2hostinfo(key)
  local ip, vlan = tostring(key):match('^(.-)@(%d+)$')
  return { host = ip or tostring(key), vlan = math.tointeger(tonumber(vlan) or 0) }
end

-- The name that is known of an end of the current flow, or its address.
function getResolvedAddress(host)
  local found = type(host) == 'table' and (host.host or host.ip or host['cli.ip']) or host
  return ntop.getResolvedName(tostring(found))
end
resolveAddress, getHostName = getResolvedAddress, getResolvedAddress

function hostinfo2label(host)
  if type(host) ~= 'table' then return getResolvedAddress(host) end
  local label = isEmptyString(host.name) and getResolvedAddress(host) or host.name
  local vlan = math.tointeger(tonumber(host.vlan)) or 0
  return vlan == 0 and label or label .. '@' .. vlan
end

function isMacAddress(text)
  return type(text) == 'string' and text:find('^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$') ~= nil
end
function isBroadcastMulticast(ip)
  if ip == '255.255.255.255' then return true end
  local first = tonumber(tostring(ip):match('^(%d+)%.'))
  if first then return first >= 224 and first < 240 end
  return tostring(ip):lower():find('^ff') ~= nil
end
function ipv4ToInt(ip)
  local a, b, c, d = tostring(ip):match('^(%d+)%.(%d+)%.(%d+)%.(%d+)$')
  if not a then return nil end
  return tonumber(a) << 24 | tonumber(b) << 16 | tonumber(c) << 8 | tonumber(d)
end
function intToIPv4(number)
  return ('%d.%d.%d.%d'):format(number >> 24 & 255, number >> 16 & 255, number >> 8 & 255, number & 255)
end

function getInterfaceName(id) return interface.getIfNames()[tostring(id)] or '' end
function areAlertsEnabled() return ntop.getPrefs().are_alerts_enabled end

-- Protocols -----------------------------------------------------------------------------------------

local L4 = {
  icmp = 1, igmp = 2, tcp = 6, udp = 17, ipv6 = 41, rsvp = 46, gre = 47, esp = 50, ah = 51, ['ipv6-icmp'] = 58, icmpv6 = 58, ospf = 89,
  pim = 103, vrrp = 112, sctp = 132, hip = 139,
}

-- @param name as in `proto.l4`, in any case; nil for one that is not known
function l4_proto_to_id(name)
  return L4[tostring(name):lower()] or math.tointeger(tonumber(name))
end
function l4_proto_to_string(id)
  for name, number in pairsByKeys(L4) do
    if number == id then return name:upper() end
  end
  return tostring(id)
end
l4_proto_to_name = l4_proto_to_string

-- "[TCP] 10.0.0.1:51514 -> 10.0.0.2:80 [HTTP]"
function shortFlowLabel(info)
  local function endpoint(name)
    local ip, port = info[name .. '.ip'] or '?', info[name .. '.port'] or 0
    if port == 0 then return ip end
    return (ip:find(':', 1, true) and '[' .. ip .. ']' or ip) .. ':' .. port
  end
  return ('[%s] %s -> %s [%s]'):format(info['proto.l4'] or '?', endpoint('cli'), endpoint('srv'), info['proto.ndpi'] or '?')
end

return true
