---@meta i18n
-- Made by `node docs/generate.ts`. Do not edit.

---Texts in the user's language: i18n(key, params). A key that no locale file has is its own text.
---@class flowpatrol.modules.i18n
---@overload fun(key: string?, params?: table<string, any>): string?
local i18n = {}

---%{name} is replaced by params.name
---@param key string?
---@param params? table<string, any>
---@return string?
function i18n.translate(key, params) end

return i18n
