---@meta mud_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Records with whom hosts communicate (RFC 8520), for hosts whose preference ntopng.prefs.mud_recording.ADDRESS says so. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.mud_utils
local mud_utils = {}

---@param ip string
---@return boolean
function mud_utils.isRecordingEnabled(ip) end

---of any host
---@return boolean
function mud_utils.isMUDRecordingInProgress() end

---disabled, general_purpose or special_purpose
---@param ifid integer
---@param ip string
---@return string
function mud_utils.getHostMUDRecordingPref(ifid, ip) end

---@param ip string
---@return boolean
function mud_utils.hasRecordedMUD(ip) end

---cache key of the set of the host's connections
---@param ip string
---@return string
function mud_utils.keyOf(ip) end

---records the flow
---@param info? flowpatrol.Info|table
function mud_utils.handleFlow(info) end

return mud_utils
