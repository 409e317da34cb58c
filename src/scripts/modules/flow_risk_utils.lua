-- The risks that detection finds: numbers, names, scores.

local _, world = ...
local flow_risk_utils = { risks = {} }

for id = 1, 63 do
  local name = world.risk_name(id)
  if name then flow_risk_utils.risks[id] = { id = id, name = name, i18n_title = name } end
end

function flow_risk_utils.getRiskName(id) return flow_risk_utils.risks[id] and flow_risk_utils.risks[id].name end
flow_risk_utils.risk_id_2_i18n, flow_risk_utils.get_risk_name = flow_risk_utils.getRiskName, flow_risk_utils.getRiskName

-- The risks of a bitmap, or of the current flow: number -> name.
function flow_risk_utils.getRisks(bitmap)
  local found = {}
  if bitmap == nil then
    for name, id in pairs(flow.getRiskInfo() or {}) do found[id] = name end
    return found
  end
  for id, risk in pairs(flow_risk_utils.risks) do
    if ntop.bitmapIsSet(bitmap, id) then found[id] = risk.name end
  end
  return found
end

return world.open_ended(flow_risk_utils, 'flow_risk_utils')
