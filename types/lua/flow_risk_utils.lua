---@meta flow_risk_utils
-- Made by `node docs/generate.ts`. Do not edit.

---The risks that detection finds. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.flow_risk_utils
---@field risks table<integer, { id: integer, name: string, i18n_title: string }>
local flow_risk_utils = {}

---@param id integer
---@return string?
function flow_risk_utils.getRiskName(id) end

---@param id integer
---@return string?
function flow_risk_utils.risk_id_2_i18n(id) end

---@param id integer
---@return string?
function flow_risk_utils.get_risk_name(id) end

---number -> name of the risks of a bitmap, or of the current flow
---@param bitmap? integer
---@return table<integer, string>
function flow_risk_utils.getRisks(bitmap) end

return flow_risk_utils
