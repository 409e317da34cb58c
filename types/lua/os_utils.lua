---@meta os_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Paths. A script has no files, but may build their names. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.os_utils
local os_utils = {}

---@param path string
---@return string
function os_utils.fixPath(path) end

---@return string
function os_utils.getPathDivider() end

---@param ... string
---@return string
function os_utils.getPathFromComponents(...) end

---@return boolean
function os_utils.isWindows() end

---always false
---@param path string
---@return boolean
function os_utils.mkdir(path) end

---always nil: there are no other programs
---@param command string
function os_utils.execWithOutput(command) end

return os_utils
