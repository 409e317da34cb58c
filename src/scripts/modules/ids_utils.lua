-- Alerts of intrusion detection systems, as flow.retrieveExternalAlertInfo() gives them: JSON text.

local _, world = ...
local json = require('json')
local ids_utils = {}

local SCORES = { 100, 50, 20 }

function ids_utils.parse(alert)
  if type(alert) == 'table' then return alert end
  if type(alert) ~= 'string' then return nil end
  local found = json.decode(alert)
  return type(found) == 'table' and found or nil
end

local function rule_of(alert)
  local found = ids_utils.parse(alert)
  return found and (type(found.alert) == 'table' and found.alert or found)
end

-- 1 is the gravest; nil if there is none
function ids_utils.getSeverity(alert)
  local rule = rule_of(alert)
  return rule and math.tointeger(tonumber(rule.severity))
end
-- @return scores of the flow, the client and the server
function ids_utils.computeScore(alert)
  local score = SCORES[ids_utils.getSeverity(alert)] or SCORES[3]
  return score, score, score
end
function ids_utils.formatAlert(alert)
  local rule = rule_of(alert)
  return rule and tostring(rule.signature or rule.category or '') or ''
end

return world.open_ended(ids_utils, 'ids_utils')
