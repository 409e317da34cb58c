---@meta ids_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Alerts of intrusion detection systems, as flow.retrieveExternalAlertInfo() gives them. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.ids_utils
local ids_utils = {}

---@param alert string|table|nil
---@return table?
function ids_utils.parse(alert) end

---1 is the gravest
---@param alert string|table|nil
---@return integer?
function ids_utils.getSeverity(alert) end

---of the flow, the client, the server
---@param alert string|table|nil
---@return integer
---@return integer
---@return integer
function ids_utils.computeScore(alert) end

---@param alert string|table|nil
---@return string
function ids_utils.formatAlert(alert) end

return ids_utils
