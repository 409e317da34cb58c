---@meta alert_keys
-- Made by `node docs/generate.ts`. Do not edit.

---Numbers of the types of alerts. In 4.2 a pair: number of the enterprise, number.
---@class flowpatrol.modules.alert_keys
---@field ntopng table<string, integer|integer[]> alert_NAME
---@field user table<string, integer|integer[]> alert_user_01 to alert_user_05
local alert_keys = {}

return alert_keys
