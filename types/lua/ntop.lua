---@meta _
-- Made by `node docs/generate.ts`. Do not edit.

---Cache, preferences, bitmaps, folders.
---@class flowpatrol.Ntop
ntop = {}

---'' if there is none
---@param key string|number|boolean
---@return string
function ntop.getCache(key) end

---ttl: s after which it is forgotten, never without it
---@param key string|number|boolean
---@param value string|number|boolean
---@param ttl? number
---@return boolean
function ntop.setCache(key, value, ttl) end

---@param key string|number|boolean
---@return boolean
function ntop.delCache(key) end

---adds to a whole number; a missing one is 0
---@param key string|number|boolean
---@param by? integer
---@return integer
function ntop.incrCache(key, by) end

---forgotten in so many s
---@param key string|number|boolean
---@param ttl number
function ntop.expireCache(key, ttl) end

---keys that match a pattern with * and ?, as keys and values
---@param pattern string
---@return table<string, string>
function ntop.getKeysCache(pattern) end

---ntopng.prefs.NAME: a preference in force, or one that scripts keep
---@param key string|number|boolean
---@return string
function ntop.getPref(key) end

---false for flowpatrol's own, which a script cannot change
---@param key string|number|boolean
---@param value string|number|boolean
---@return boolean
function ntop.setPref(key, value) end

ntop.get_preference = ntop.getPref

ntop.set_preference = ntop.setPref

---'' if there is none
---@param key string|number|boolean
---@param field string|number|boolean
---@return string
function ntop.getHashCache(key, field) end

---@param key string|number|boolean
---@param field string|number|boolean
---@param value string|number|boolean
---@return boolean
function ntop.setHashCache(key, field, value) end

---@param key string|number|boolean
---@param field string|number|boolean
---@return boolean
function ntop.delHashCache(key, field) end

---nil if it is empty
---@param key string|number|boolean
---@return table<string, string>?
function ntop.getHashAllCache(key) end

---field -> ''; nil if it is empty
---@param key string|number|boolean
---@return table<string, string>?
function ntop.getHashKeysCache(key) end

---adds to a set
---@param key string|number|boolean
---@param member string|number|boolean
---@return boolean
function ntop.setMembersCache(key, member) end

---@param key string|number|boolean
---@param member string|number|boolean
---@return boolean
function ntop.delMembersCache(key, member) end

---@param key string|number|boolean
---@param member string|number|boolean
---@return boolean
function ntop.isMembersCache(key, member) end

---sorted
---@param key string|number|boolean
---@return string[]
function ntop.getMembersCache(key) end

---adds to the end of a list, of which the newest `trim` stay; its length
---@param key string|number|boolean
---@param value string|number|boolean
---@param trim? integer
---@return integer
function ntop.rpushCache(key, value, trim) end

---adds to the beginning
---@param key string|number|boolean
---@param value string|number|boolean
---@param trim? integer
---@return integer
function ntop.lpushCache(key, value, trim) end

---takes the first
---@param key string|number|boolean
---@return string?
function ntop.lpopCache(key) end

---takes the last
---@param key string|number|boolean
---@return string?
function ntop.rpopCache(key) end

---@param key string|number|boolean
---@return integer
function ntop.llenCache(key) end

---positions from 0 on, both included; negative ones count from the end
---@param key string|number|boolean
---@param first? integer
---@param last? integer
---@return string[]
function ntop.lrangeCache(key, first, last) end

---keeps that range only
---@param key string|number|boolean
---@param first integer
---@param last integer
function ntop.ltrimCache(key, first, last) end

---bits are numbered from 0
---@param map integer
---@param bit integer
---@return boolean
function ntop.bitmapIsSet(map, bit) end

---@param map integer
---@param bit integer
---@return integer
function ntop.bitmapSet(map, bit) end

---@param map integer
---@param bit integer
---@return integer
function ntop.bitmapClear(map, bit) end

---Unix s at which the visit has to be over
---@return integer
function ntop.getDeadline() end

---Unix s of the traffic's clock, with fraction
---@return number
function ntop.gettimemsec() end

---CPU time, in ticks
---@return integer
function ntop.getticks() end

---@return integer
function ntop.gettickspersec() end

---@return { installdir: string, workingdir: string, scriptdir: string, httpdocsdir: string, callbacksdir: string, pcapdir: string }
function ntop.getDirs() end

---name -> name; only folders of scripts can be read, others are empty
---@param path string
---@return table<string, string>
function ntop.readdir(path) end

---in a folder of scripts
---@param path string
---@return boolean
function ntop.exists(path) end

---always false
---@param path string
---@return boolean
function ntop.isdir(path) end

---@return { product: string, version: string, ["version.ndpi"]: string }
function ntop.getInfo() end

---the preferences in force, by name
---@return table<string, any>
function ntop.getPrefs() end

---the name that is known of an end of the current flow, or its address
---@param ip string
---@return string
function ntop.getResolvedName(ip) end

ntop.resolveName = ntop.getResolvedName

ntop.resolveAddress = ntop.getResolvedName

---true: flowpatrol has what the editions had
---@return boolean
function ntop.isPro() end

---@return boolean
function ntop.isEnterprise() end

---@return boolean
function ntop.isEnterpriseM() end

---@return boolean
function ntop.isEnterpriseL() end

---@return boolean
function ntop.hasGeoIP() end

---@return boolean
function ntop.hasRadixTree() end

---always false, as are the others below
---@return boolean
function ntop.isnEdge() end

---@return boolean
function ntop.isnEdgeEnterprise() end

---@return boolean
function ntop.isAppliance() end

---@return boolean
function ntop.isWindows() end

---@return boolean
function ntop.isFreeBSD() end

---@return boolean
function ntop.isForcedCommunity() end

---@return boolean
function ntop.isIoTBridge() end

---@return boolean
function ntop.isDemo() end

---@return boolean
function ntop.isLoginDisabled() end
