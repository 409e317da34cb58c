-- Modules that come with a script of 4.x: files in its folder.

local _, world = ...
local plugins_utils = {}

function plugins_utils.loadModule(plugin, name) return require(tostring(name)) end
function plugins_utils.hasAlerts() return true end
function plugins_utils.getUrl() return '' end

return world.open_ended(plugins_utils, 'plugins_utils')
