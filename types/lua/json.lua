---@meta json
-- Made by `node docs/generate.ts`. Do not edit.

---JSON (RFC 8259).
---@class flowpatrol.modules.json
---@field null any
local json = {}

---objects in the order of their keys
---@param value any
---@param options? { indent?: boolean }
---@return string
function json.encode(value, options) end

---the value and the position after it; on an error nil, the position, a message
---@param text string
---@param position? integer
---@param null? any
---@return any
---@return integer
---@return string?
function json.decode(text, position, null) end

---@param text string
---@return string
function json.quotestring(text) end

return json
