-- The script of the benchmark: reads five fields in every callback and counts, so that no read is for nothing.
local check_module = {
   key = "bench_one",
   gui = { i18n_title = "Benchmark", i18n_description = "Reads five fields in every callback" },
}

local calls, bytes, from_lan = 0, 0, 0
local protocols = {}

local function read(info)
   calls = calls + 1
   bytes = bytes + info["cli2srv.bytes"] + info["srv2cli.bytes"]
   local protocol = info["proto.ndpi"]
   protocols[protocol] = (protocols[protocol] or 0) + 1
   if info["cli.ip"] ~= info["srv.ip"] then from_lan = from_lan + 1 end
end

function check_module.setup()
   return true
end

check_module.protocolDetected = read
check_module.statusChanged = read
check_module.periodicUpdate = read
check_module.idle = read

return check_module
