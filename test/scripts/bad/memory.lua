-- Keeps everything.
local script = { key = "memory" }
local kept = {}
function script.setup() return true end
function script.protocolDetected(info)
  for _ = 1, 300 do kept[#kept + 1] = ("x"):rep(10000) .. #kept end
end
return script
