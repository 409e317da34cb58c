-- Numbers of the types of alerts: alert_keys.ntopng.alert_flow_blacklisted. In 4.2 a pair: number of the enterprise, number.

local _, world = ...
local keys = { ntopng = {}, user = {} }
for name, entry in pairs(require('alert_consts').alert_types) do
  local key = world.era == '4.2' and { 0, entry.alert_id } or entry.alert_id
  keys[name:find('user_%d') and 'user' or 'ntopng'][name:find('^alert_') and name or 'alert_' .. name] = key
end
return keys
