-- Texts in the user's language: i18n("flow_callbacks_config.blacklisted"), i18n("%{n} flows", { n = 3 }).
-- A key that no locale file has is its own text.

local _, world = ...

local function translate(key, params)
  if key == nil then return nil end
  local text = tostring(key)
  text = world.translate(text) or text
  if type(params) ~= 'table' then return text end
  return (text:gsub('%%{([%w_.]+)}', function(name)
    local value = params[name]
    return value ~= nil and tostring(value) or nil
  end))
end

return setmetatable({ translate = translate }, { __call = function(_, key, params) return translate(key, params) end })
