---@meta discover_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Types of devices, as cli.devtype and srv.devtype number them. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.discover_utils
local discover_utils = {}

---@param devtype integer
---@return string
function discover_utils.devtype2string(devtype) end

---@param name string
---@return integer
function discover_utils.devtype2id(name) end

---always ''
---@param devtype integer
---@return string
function discover_utils.devtype2icon(devtype) end

return discover_utils
