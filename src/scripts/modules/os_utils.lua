-- Paths. A script has no files, but may build their names.

local _, world = ...
local os_utils = {}

function os_utils.fixPath(path) return (tostring(path):gsub('//+', '/')) end
function os_utils.getPathDivider() return '/' end
function os_utils.getPathFromComponents(...) return os_utils.fixPath(table.concat({ ... }, '/')) end
function os_utils.isWindows() return false end
function os_utils.mkdir(path) return false end
-- There are no other programs: it returns nothing.
function os_utils.execWithOutput(command) return nil end

return world.open_ended(os_utils, 'os_utils')
