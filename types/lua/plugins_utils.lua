---@meta plugins_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Modules that come with a script: files in its folder. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.plugins_utils
local plugins_utils = {}

---PLUGIN/NAME.lua, PLUGIN/modules/NAME.lua or NAME.lua in a folder of scripts
---@param plugin string
---@param name string
---@return any
function plugins_utils.loadModule(plugin, name) end

---@return boolean
function plugins_utils.hasAlerts() end

---@return string
function plugins_utils.getUrl() end

return plugins_utils
