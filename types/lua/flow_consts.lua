---@meta flow_consts
-- Made by `node docs/generate.ts`. Do not edit.

---Statuses of flows, with the numbers of the script's generation. flow_consts.status_NAME is the number.
---@class flowpatrol.modules.flow_consts
---@field max_score integer most that a status adds
---@field status_types flowpatrol.StatusTypes
---@field flow_status_types table<integer, flowpatrol.Status> by number
---@field [string] integer
local flow_consts = {}

---@param id integer
---@return flowpatrol.Status?
function flow_consts.getStatusInfo(id) end

---@param id integer
---@return string?
function flow_consts.getStatusTitle(id) end

---@param id integer
---@return string?
function flow_consts.getStatusDescription(id) end

---its name
---@param id integer
---@return string?
function flow_consts.getStatusType(id) end

return flow_consts
