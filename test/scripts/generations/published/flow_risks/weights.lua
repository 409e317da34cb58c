local weights = {}

function weights.of(id) return id >= 20 and 10 or 50 end

return weights
