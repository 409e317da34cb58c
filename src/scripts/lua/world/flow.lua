-- The global `flow`: what a script reads of the current flow. Trusted chunk; what it sets is in statuses.lua.
--
-- 2019 has getters of tables, 4.x of single values. Where they have the same name and mean different things (getStatus, getBytes,
-- getPackets), the era of the script decides; all others are there for everybody. Without a flow each returns nothing.

local host, shared = ...
local type, next = type, next

-- By their number, which `methodNamesToIds` tells.
local METHODS = {
  [0] = 'getStatus', 'getProtocols', 'getBytes', 'getClient2ServerTraffic', 'getServer2ClientTraffic', 'getClient2ServerIAT',
  'getServer2ClientIAT', 'getPackets', 'getTime', 'getClientIp', 'getServerIp', 'getClientInfo', 'getServerInfo', 'getSSLInfo',
  'getSSHInfo', 'getHTTPInfo', 'getDNSInfo', 'getICMPInfo', 'getTCPInfo', 'getClientPort', 'getServerPort', 'getClientGeolocation',
  'getServerGeolocation',
}

-- Getters of one field.
local FIELDS_4 = {
  getFirstSeen = 'seen.first', getLastSeen = 'seen.last', getDuration = 'duration',
  getBytes = 'bytes', getBytesSent = 'cli2srv.bytes', getBytesRcvd = 'srv2cli.bytes', getGoodputBytes = 'goodput_bytes',
  getPackets = 'packets', getPacketsSent = 'cli2srv.packets', getPacketsRcvd = 'srv2cli.packets',
  getKey = 'ntopng.key', getHashEntryId = 'hash_entry_id',
  getnDPIProtocolName = 'proto.ndpi', getnDPIMasterProtoId = 'proto.master_ndpi_id', getnDPIAppProtoId = 'proto.ndpi_id',
  getnDPICategoryName = 'proto.ndpi_cat', getnDPICategoryId = 'proto.ndpi_cat_id', getProtoBreed = 'proto.ndpi_breed',
  getServerCipherClass = 'protos.tls.ja3.server_unsafe_cipher', getDnsQuery = 'protos.dns.last_query',
}

local METHODS_OF_TABLES = { getStatus = true, getBytes = true, getPackets = true }

local tls_fields = {}
for _, name in ipairs(host.fields) do
  if name:find('^protos%.tls[._]') then tls_fields[#tls_fields + 1] = name end
end

-- A table of its own with some fields of the event.
local function part_of(info, names)
  local part = {}
  for i = 1, #names do
    local value = info[names[i]]
    if value ~= nil then part[names[i]] = value end
  end
  return part
end

local function split(text)
  local names = {}
  for name in text:gmatch('%S+') do names[#names + 1] = name end
  return names
end

local function text_or_nil(text) return text ~= '' and text or nil end
local function sum(...)
  local total = 0
  for _, value in ipairs({ ... }) do total = total + value end
  return total
end

local function issues(info, way)
  local found = (info[way .. '.retransmissions'] or 0)
  return sum(found, info[way .. '.out_of_order'] or 0, info[way .. '.lost'] or 0)
end

local function percentage(info, way)
  local packets = info[way .. '.packets'] or 0
  return packets == 0 and 0.0 or (info[way .. '.retransmissions'] or 0) * 100 / packets
end

local function has_address(info, name)
  local ip = info[name .. '.ip']
  return ip ~= '0.0.0.0' and ip ~= '::'
end
local function is_unicast(info, name) return not info[name .. '.broadmulticast'] and has_address(info, name) end
local function host_key(info, name) return info[name .. '.ip'] .. '@' .. (info['vlan'] or 0) end
local function is_local(info, name) return info[name .. '.localhost'] == true end

local DEVICE_INFO = split('cli.devtype srv.devtype')
local TCP_STATS = split('cli2srv.retransmissions cli2srv.out_of_order cli2srv.lost srv2cli.retransmissions srv2cli.out_of_order srv2cli.lost')
local MUD_INFO = split('host_server_name protos.dns.last_query cli.mac srv.mac cli.devtype srv.devtype')
-- getInfo of 4.x; all fields are in getFullInfo, which has statuses and is in statuses.lua
local SMALL_INFO = split('cli.ip srv.ip cli.port srv.port cli.localhost srv.localhost duration proto.l4 proto.ndpi proto.ndpi_app '
  .. 'proto.ndpi_cat cli2srv.bytes srv2cli.bytes cli2srv.packets srv2cli.packets info')
local MALWARE = 100

-- Longest ICMP message: the longest frame without the headers of Ethernet and IP.
local function icmp_length(info)
  local longest = math.max(info['cli2srv.pkt_len.max'] or 0, info['srv2cli.pkt_len.max'] or 0)
  return math.max(0, longest - (info['cli.ip']:find(':', 1, true) and 54 or 34))
end

local GETTERS = {
  isLocal = function(info) return is_local(info, 'cli') and is_local(info, 'srv') end,
  isRemoteToRemote = function(info) return not is_local(info, 'cli') and not is_local(info, 'srv') end,
  isLocalToRemote = function(info) return is_local(info, 'cli') and not is_local(info, 'srv') end,
  isRemoteToLocal = function(info) return not is_local(info, 'cli') and is_local(info, 'srv') end,
  isClientUnicast = function(info) return is_unicast(info, 'cli') end,
  isServerUnicast = function(info) return is_unicast(info, 'srv') end,
  isUnicast = function(info) return is_unicast(info, 'cli') and is_unicast(info, 'srv') end,
  isClientNoIP = function(info) return not has_address(info, 'cli') end,
  isServerNoIP = function(info) return not has_address(info, 'srv') end,
  getUnicastInfo = function(info) return part_of(info, { 'cli.broadmulticast', 'srv.broadmulticast' }) end,
  getClientKey = function(info) return host_key(info, 'cli') end,
  getServerKey = function(info) return host_key(info, 'srv') end,
  getClientCountry = function(info) return text_or_nil(info['cli.country']) end,
  getServerCountry = function(info) return text_or_nil(info['srv.country']) end,

  isTwhOK = function() return host.fact('handshake') end,
  isBidirectional = function(info) return info['cli2srv.packets'] > 0 and info['srv2cli.packets'] > 0 end,
  isTCPConnecting = function(info) return info['tcp_connecting'] == true end,
  isTCPConnectionRefused = function(info)
    return not host.fact('handshake') and (info['srv2cli.tcp_flags'] or 0) & 4 ~= 0
  end,
  getClientTCPIssues = function(info) return issues(info, 'cli2srv') end,
  getServerTCPIssues = function(info) return issues(info, 'srv2cli') end,
  getClientRetrPercentage = function(info) return percentage(info, 'cli2srv') end,
  getServerRetrPercentage = function(info) return percentage(info, 'srv2cli') end,
  getTCPStats = function(info) return part_of(info, TCP_STATS) end,

  isBlacklisted = function(info) return host.fact('blacklisted') or info['proto.ndpi_cat_id'] == MALWARE end,
  getBlacklistedInfo = function(info)
    return {
      ['blacklisted.cli'] = info['cli.blacklisted'] or nil,
      ['blacklisted.srv'] = info['srv.blacklisted'] or nil,
      ['blacklisted.cat'] = info['proto.ndpi_cat_id'] == MALWARE or nil,
    }
  end,
  isDeviceProtocolNotAllowed = function() return host.fact('client_forbidden') or host.fact('server_forbidden') end,
  getDeviceProtoAllowedInfo = function(info)
    local found = part_of(info, DEVICE_INFO)
    for name, fact in next, { cli = 'client_forbidden', srv = 'server_forbidden' } do
      local forbidden = host.fact(fact)
      found[name .. '.allowed'] = not forbidden
      if forbidden then found[name .. '.disallowed_proto'] = info['proto.ndpi_id'] end
    end
    return found
  end,

  getTLSVersion = function(info) return info['protos.tls_version'] or 0 end,
  hasMaliciousTlsSignature = function(info)
    return (info['protos.tls.ja3.client_malicious'] or info['protos.tls.ja3.server_malicious']) == true
  end,
  getTLSInfo = function(info) return part_of(info, tls_fields) end,
  dnsQueryHasInvalidChars = function(info) return info['protos.dns.invalid_chars_in_query'] == true end,
  getICMPType = function(info) return type(info.icmp) == 'table' and info.icmp.type or nil end,
  getICMPStatusInfo = function(info)
    return type(info.icmp) == 'table' and { type = info.icmp.type, code = info.icmp.code } or nil
  end,
  getMaxSeenIcmpPayloadSize = function(info) return info.icmp and icmp_length(info) or 0 end,

  hasRisk = function(info, id)
    if type(info.flow_risk) ~= 'table' then return false end
    for _, risk in next, info.flow_risk do
      if id == nil or risk == id then return true end
    end
    return false
  end,
  getRiskInfo = function(info)
    local risks = {}
    if type(info.flow_risk) == 'table' then
      for name, id in next, info.flow_risk do risks[name] = id end
    end
    return risks
  end,
  setCustomInfo = function(info, text) info['custom_info'] = text end,
  -- The packet that decided the protocol is not kept.
  getnDPIMatchPacket = function() return { payload_len = 0, payload = '' } end,

  isNotPurged = function() return host.is_set(20) end,
  getClientMUDPref = function(info) return host.mud(info['cli.ip']) end,
  getServerMUDPref = function(info) return host.mud(info['srv.ip']) end,
  serializeClientByMac = function() return false end,
  serializeServerByMac = function() return false end,
  getMUDInfo = function(info)
    local found = part_of(info, MUD_INFO)
    found.is_local = is_local(info, 'cli') and is_local(info, 'srv')
    for _, name in ipairs({ 'cli', 'srv' }) do
      found[name .. '.mud_recording'] = host.mud(info[name .. '.ip'])
      found[name .. '.serialize_by_mac'] = false
    end
    return found
  end,
}

-- @param era '2019', '4.0' or '4.2'
return function(script, era)
  local flow = {}
  if era ~= '2019' then
    function flow.getInfo()
      local info = shared.info
      if info then return part_of(info, SMALL_INFO) end
    end
  end

  for name, getter in next, GETTERS do
    flow[name] = function(...)
      local info = shared.info
      if info then return getter(info, ...) end
    end
  end
  for name, field in next, FIELDS_4 do
    flow[name] = function()
      local info = shared.info
      if info then return info[field] end
    end
  end
  for name, text in next, host.getters do
    if era == '2019' or not METHODS_OF_TABLES[name] then
      local names = split(text)
      flow[name] = function()
        local info = shared.info
        if info then return part_of(info, names) end
      end
    end
  end

  -- JSON of a detection system's alert; the same one only once.
  function flow.retrieveExternalAlertInfo()
    if shared.info then return host.external_alert(script) end
  end

  function flow.methodNamesToIds()
    local ids = {}
    for id = 0, #METHODS do ids[METHODS[id]] = id end
    return ids
  end
  function flow.callMethodById(id)
    local method = flow[METHODS[id]]
    if method then return method() end
  end
  return flow
end
