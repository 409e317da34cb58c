---@meta alert_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Texts of alerts are made where they are shown. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.alert_utils
local alert_utils = {}

return alert_utils
