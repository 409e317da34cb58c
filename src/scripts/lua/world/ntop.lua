-- The globals `ntop` and `interface`. Trusted chunk.
--
-- The cache keeps texts, hashes, sets and lists under a key, for as long as flowpatrol has its data directory; what is missing is ''.
-- Preferences (`ntopng.prefs.NAME`) are read from those in force; a script can keep its own, and cannot change flowpatrol's.

local host, shared = ...
local type, error, tostring, next = type, error, tostring, next
local floor, math_type = math.floor, math.type

local ROOT = '/flowpatrol'
local PREFERENCE = '^ntopng%.prefs%.([%w_]+)$'

-- Editions are told by what they can do, and flowpatrol can do it.
local YES = { 'isPro', 'isEnterprise', 'isEnterpriseM', 'isEnterpriseL', 'hasGeoIP', 'hasRadixTree' }
local NO = { 'isnEdge', 'isnEdgeEnterprise', 'isAppliance', 'isWindows', 'isFreeBSD', 'isForcedCommunity', 'isIoTBridge', 'isDemo', 'isLoginDisabled' }

-- A key or value as text. Numbers and booleans are written as Lua writes them.
local function text(value, name, what)
  local kind = type(value)
  if kind == 'string' then return value end
  if kind == 'number' or kind == 'boolean' then return tostring(value) end
  error(('ntop.%s: the %s must be a text or a number, it is %s'):format(name, what, kind), 3)
end

local function new_ntop(script)
  local ntop = {}
  for _, name in next, YES do ntop[name] = function() return true end end
  for _, name in next, NO do ntop[name] = function() return false end end

  -- Texts ------------------------------------------------------------------------------------------------

  function ntop.getCache(key)
    key = text(key, 'getCache', 'key')
    local preference = key:match(PREFERENCE)
    return preference and host.preference(preference) or host.cache_get(key) or ''
  end
  ntop.getPref = ntop.getCache

  -- @param ttl seconds after which it is forgotten
  function ntop.setCache(key, value, ttl)
    key = text(key, 'setCache', 'key')
    local preference = key:match(PREFERENCE)
    if preference and host.preference(preference) then
      host.print(script, 'warning', ('ntop.setPref: %s is left as it is, a script cannot change it'):format(key))
      return false
    end
    host.cache_set(key, text(value, 'setCache', 'value'), type(ttl) == 'number' and ttl or 0)
    return true
  end
  function ntop.setPref(key, value) return ntop.setCache(key, value) end
  ntop.set_preference, ntop.get_preference = ntop.setPref, ntop.getPref

  function ntop.delCache(key) host.cache_delete(text(key, 'delCache', 'key')) return true end
  function ntop.incrCache(key, by) return host.cache_increment(text(key, 'incrCache', 'key'), math_type(by) == 'integer' and by or 1) end
  function ntop.expireCache(key, ttl) host.cache_expire(text(key, 'expireCache', 'key'), type(ttl) == 'number' and ttl or 0) end

  -- Keys that match a pattern with * and ?: a table key -> key.
  function ntop.getKeysCache(pattern)
    local found = {}
    for _, key in next, host.cache_keys(text(pattern, 'getKeysCache', 'pattern')) do found[key] = key end
    return found
  end

  -- Hashes -----------------------------------------------------------------------------------------------

  function ntop.getHashCache(key, field)
    return host.hash_get(text(key, 'getHashCache', 'key'), text(field, 'getHashCache', 'field')) or ''
  end
  function ntop.setHashCache(key, field, value)
    host.hash_set(text(key, 'setHashCache', 'key'), text(field, 'setHashCache', 'field'), text(value, 'setHashCache', 'value'))
    return true
  end
  function ntop.delHashCache(key, field)
    host.hash_delete(text(key, 'delHashCache', 'key'), text(field, 'delHashCache', 'field'))
    return true
  end
  -- A table field -> value, nil if there is nothing.
  function ntop.getHashAllCache(key) return host.hash_all(text(key, 'getHashAllCache', 'key')) end
  -- A table field -> '', nil if there is nothing.
  function ntop.getHashKeysCache(key)
    local all = host.hash_all(text(key, 'getHashKeysCache', 'key'))
    for field in next, all or {} do all[field] = '' end
    return all
  end

  -- Sets -------------------------------------------------------------------------------------------------

  function ntop.setMembersCache(key, member)
    host.set_add(text(key, 'setMembersCache', 'key'), text(member, 'setMembersCache', 'member'))
    return true
  end
  function ntop.delMembersCache(key, member)
    host.set_remove(text(key, 'delMembersCache', 'key'), text(member, 'delMembersCache', 'member'))
    return true
  end
  function ntop.isMembersCache(key, member)
    return host.set_has(text(key, 'isMembersCache', 'key'), text(member, 'isMembersCache', 'member'))
  end
  function ntop.getMembersCache(key) return host.set_members(text(key, 'getMembersCache', 'key')) end

  -- Lists ------------------------------------------------------------------------------------------------

  -- @param trim elements that stay, the newest
  function ntop.rpushCache(key, value, trim)
    host.list_push(text(key, 'rpushCache', 'key'), text(value, 'rpushCache', 'value'), 'right', type(trim) == 'number' and trim or 0)
    return host.list_length(key)
  end
  function ntop.lpushCache(key, value, trim)
    host.list_push(text(key, 'lpushCache', 'key'), text(value, 'lpushCache', 'value'), 'left', type(trim) == 'number' and trim or 0)
    return host.list_length(key)
  end
  -- nil if there is nothing
  function ntop.lpopCache(key) return host.list_pop(text(key, 'lpopCache', 'key'), 'left') end
  function ntop.rpopCache(key) return host.list_pop(text(key, 'rpopCache', 'key'), 'right') end
  function ntop.llenCache(key) return host.list_length(text(key, 'llenCache', 'key')) end
  -- Positions from 0 on, both included; negative ones count from the end.
  function ntop.lrangeCache(key, first, last)
    return host.list_range(text(key, 'lrangeCache', 'key'), math_type(first) == 'integer' and first or 0, math_type(last) == 'integer' and last or -1)
  end
  function ntop.ltrimCache(key, first, last)
    local kept = ntop.lrangeCache(key, first, last)
    host.cache_delete(key)
    for _, value in next, kept do host.list_push(key, value, 'right', 0) end
  end

  -- Bitmaps, time, files -----------------------------------------------------------------------------------

  function ntop.bitmapIsSet(map, bit) return map >> bit & 1 == 1 end
  function ntop.bitmapSet(map, bit) return map | 1 << bit end
  function ntop.bitmapClear(map, bit) return map & ~(1 << bit) end

  -- s since 1970: when the visit has to be over
  function ntop.getDeadline() return floor(host.time()) + host.preference_number('housekeeping_frequency') end
  function ntop.gettimemsec() return host.time() end
  function ntop.getticks() return floor(os.clock() * 1e6) end
  function ntop.gettickspersec() return 1000000 end

  function ntop.getDirs()
    return {
      installdir = ROOT, workingdir = ROOT .. '/data', scriptdir = ROOT .. '/scripts/lua', httpdocsdir = ROOT .. '/httpdocs',
      callbacksdir = ROOT .. '/scripts/callbacks', pcapdir = ROOT .. '/data/pcap',
    }
  end
  -- Names of what is in a folder, as a table name -> name; only the folders of scripts can be read.
  function ntop.readdir(path)
    local found = {}
    for _, name in next, host.read_directory(text(path, 'readdir', 'path')) do found[name] = name end
    return found
  end
  function ntop.exists(path)
    local folder, name = tostring(path):match('^(.*)/([^/]+)$')
    for _, found in next, folder and host.read_directory(folder) or {} do
      if found == name then return true end
    end
    return false
  end
  function ntop.isdir() return false end

  function ntop.getInfo() return { product = 'flowpatrol', version = host.version, ['version.ndpi'] = '' } end
  function ntop.getPrefs()
    local prefs = host.preferences()
    prefs.are_alerts_enabled = not prefs.disable_alerts_generation
    return prefs
  end

  -- The name that is known of an address of the current flow, or the address.
  function ntop.getResolvedName(ip)
    local info = shared.info
    for _, name in next, info and { 'cli', 'srv' } or {} do
      if info[name .. '.ip'] == ip and info[name .. '.host'] ~= '' then return (info[name .. '.host']:gsub(' %[IPv6%]$', '')) end
    end
    return ip
  end
  ntop.resolveAddress, ntop.resolveName = ntop.getResolvedName, ntop.getResolvedName

  return ntop
end

local function new_interface()
  local interface = {}
  function interface.getId() return host.interface_id end
  function interface.getName() return host.interface_name end
  function interface.getIfNames() return { [tostring(host.interface_id)] = host.interface_name } end
  function interface.select() return host.interface_name end
  function interface.isPacketInterface() return host.is_packet_interface end
  function interface.isPcapDumpInterface() return host.is_packet_interface and not host.is_live end
  function interface.isSampledTraffic() return host.is_sampled end
  function interface.isView() return false end
  function interface.isViewed() return false end
  function interface.viewedBy() return nil end
  function interface.getnDPIProtoName(id) return math_type(id) == 'integer' and host.protocol_name(id) or 'Unknown' end
  function interface.getnDPIProtoId(name) return host.protocol_id(tostring(name)) or 0 end
  function interface.getnDPICategoryName(id) return math_type(id) == 'integer' and host.category_name(id) or 'Unspecified' end
  return interface
end

return new_ntop, new_interface
