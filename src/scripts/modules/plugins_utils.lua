-- Modules that come with a script of 4.x: files in its folder.

local _, world = ...
local plugins_utils = {}

-- PLUGIN/NAME.lua, PLUGIN/modules/NAME.lua, or NAME.lua as `require` finds it.
function plugins_utils.loadModule(plugin, name)
  name = tostring(name)
  for _, path in ipairs({ tostring(plugin) .. '.' .. name, tostring(plugin) .. '.modules.' .. name }) do
    local ok, found = pcall(require, path)
    if ok then return found end
    if not tostring(found):find(('module %q does not exist'):format(path), 1, true) then error(found, 0) end
  end
  return require(name)
end
function plugins_utils.hasAlerts() return true end
function plugins_utils.getUrl() return '' end

return world.open_ended(plugins_utils, 'plugins_utils')
