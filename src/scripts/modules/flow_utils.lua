-- Texts about flows.

local flow_utils = { shortFlowLabel = shortFlowLabel }

-- "10.0.0.1:51514 -> 10.0.0.2:80", with names where they are known
function getFlowLabel(info)
  local function endpoint(name)
    local host, port = info[name .. '.host'], info[name .. '.port'] or 0
    if isEmptyString(host) then host = info[name .. '.ip'] or '?' end
    return port == 0 and host or host .. ':' .. port
  end
  return endpoint('cli') .. ' -> ' .. endpoint('srv')
end
flow_utils.getFlowLabel = getFlowLabel

return flow_utils
