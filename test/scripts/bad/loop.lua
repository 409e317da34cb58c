-- Catches whatever ends its loops, and goes on.
local script = { key = "loop" }
function script.setup() return true end
function script.protocolDetected(info)
  while true do pcall(function() while true do end end) end
end
return script
