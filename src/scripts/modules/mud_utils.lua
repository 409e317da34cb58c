-- Records with whom hosts communicate (MUD, RFC 8520). A host is recorded when its preference says so:
--   ntop.setPref("ntopng.prefs.mud_recording.192.168.1.20", "general_purpose")
-- The connections are the members of the set that mud_utils.keyOf(host) names.

local _, world = ...
local mud_utils = {}

local PREFERENCE = 'ntopng.prefs.mud_recording.'
local RECORDED = { general_purpose = true, special_purpose = true }

function mud_utils.isRecordingEnabled(ip) return RECORDED[ntop.getPref(PREFERENCE .. ip)] == true end
function mud_utils.isMUDRecordingInProgress()
  for _, key in pairs(ntop.getKeysCache(PREFERENCE .. '*')) do
    if RECORDED[ntop.getPref(key)] then return true end
  end
  return false
end
function mud_utils.getHostMUDRecordingPref(ifid, ip)
  local pref = ntop.getPref(PREFERENCE .. ip)
  return RECORDED[pref] and pref or 'disabled'
end
function mud_utils.hasRecordedMUD(ip) return #ntop.getMembersCache(mud_utils.keyOf(ip)) > 0 end
function mud_utils.keyOf(ip) return ('ntopng.cache.mud.ifid_%d.%s'):format(interface.getId(), ip) end

-- "TCP DNS 192.168.1.1 53 …" with what is known of names and fingerprints
local function connection(info, own, peer)
  local parts = {
    info['proto.l4'], interface.getnDPIProtoName(info['proto.ndpi_id'] or 0), peer == 'srv' and 'to' or 'from', info[peer .. '.ip'],
    tostring(peer == 'srv' and info['srv.port'] or info[own .. '.port']),
  }
  local names = {
    'host_server_name', 'protos.dns.last_query', 'protos.ssl.ja3.client_hash', 'protos.ssl.ja3.server_hash',
    'protos.ssh.hassh.client_hash', 'protos.ssh.hassh.server_hash',
  }
  for _, name in ipairs(names) do
    if not isEmptyString(info[name]) then parts[#parts + 1] = name .. '=' .. info[name] end
  end
  return table.concat(parts, ' ')
end

-- In 4.x called with the time of the hook: the flow is the current one.
function mud_utils.handleFlow(info)
  if type(info) ~= 'table' or info['proto.l4'] == nil then info = flow.getFullInfo() end
  if info['proto.l4'] ~= 'TCP' and info['proto.l4'] ~= 'UDP' then return end
  for own, peer in pairs({ cli = 'srv', srv = 'cli' }) do
    local ip = info[own .. '.ip']
    if mud_utils.isRecordingEnabled(ip) then ntop.setMembersCache(mud_utils.keyOf(ip), connection(info, own, peer)) end
  end
end

return world.open_ended(mud_utils, 'mud_utils')
