-- An error object that fails when it is shown.
local script = { key = "throws" }
function script.setup() return true end
function script.protocolDetected(info)
  error(setmetatable({}, { __tostring = function() error("no text") end }))
end
return script
