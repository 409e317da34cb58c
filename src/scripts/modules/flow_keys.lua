-- Numbers of the statuses: flow_keys.ntopng.status_blacklisted. In 4.2 a pair: number of the enterprise, number.

local _, world = ...
local keys = { ntopng = {}, user = {} }
for name, entry in pairs(require('flow_consts').status_types) do
  local key = world.era == '4.2' and { 0, entry.status_key } or entry.status_key
  keys[name:find('^status_user_') and 'user' or 'ntopng'][name] = key
end
return keys
