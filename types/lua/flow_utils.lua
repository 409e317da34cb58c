---@meta flow_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Texts about flows.
---@class flowpatrol.modules.flow_utils
local flow_utils = {}

flow_utils.shortFlowLabel = shortFlowLabel

flow_utils.getFlowLabel = getFlowLabel

return flow_utils
