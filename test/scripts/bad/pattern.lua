-- A pattern that tries every way to split a text: it runs no instruction that could be counted.
local script = { key = "pattern" }
local calls = 0
function script.setup() return true end
function script.protocolDetected(info)
  calls = calls + 1
  if calls % 20 == 0 then (("a"):rep(30000)):find((".-"):rep(20) .. "b") end
end
return script
