-- Types of devices, as the numbers in cli.devtype and srv.devtype name them. flowpatrol's come from a file of the user's.

local _, world = ...
local discover = {}

function discover.devtype2string(devtype)
  if (tonumber(devtype) or 0) == 0 then return i18n('format.unknown') end
  return 'type ' .. tostring(devtype)
end
function discover.devtype2id(name) return math.tointeger(tonumber(tostring(name):match('%d+'))) or 0 end
function discover.devtype2icon() return '' end

return world.open_ended(discover, 'discover_utils')
