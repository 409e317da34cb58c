---@meta flow_keys
-- Made by `node docs/generate.ts`. Do not edit.

---Numbers of the statuses. In 4.2 a pair: number of the enterprise, number.
---@class flowpatrol.modules.flow_keys
---@field ntopng table<string, integer|integer[]> status_NAME
---@field user table<string, integer|integer[]> status_user_01 to status_user_05
local flow_keys = {}

return flow_keys
