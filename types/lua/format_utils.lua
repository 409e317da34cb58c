---@meta format_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Texts of numbers and times; the same functions are global.
---@class flowpatrol.modules.format_utils
local format_utils = {}

format_utils.bytesToSize = bytesToSize

format_utils.bitsToSize = bitsToSize

format_utils.bitsToSizeMultiplier = bitsToSizeMultiplier

format_utils.pktsToSize = pktsToSize

format_utils.formatValue = formatValue

format_utils.formatPackets = formatPackets

format_utils.formatFlows = formatFlows

format_utils.secondsToTime = secondsToTime

format_utils.msToTime = msToTime

format_utils.formatEpoch = formatEpoch

format_utils.round = round

return format_utils
