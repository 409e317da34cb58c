-- Texts of numbers and times; the same functions are global.

return {
  bytesToSize = bytesToSize, bitsToSize = bitsToSize, bitsToSizeMultiplier = bitsToSizeMultiplier, pktsToSize = pktsToSize,
  formatValue = formatValue, formatPackets = formatPackets, formatFlows = formatFlows, secondsToTime = secondsToTime,
  msToTime = msToTime, formatEpoch = formatEpoch, round = round,
}
