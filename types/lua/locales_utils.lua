---@meta locales_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Texts in the user's language.
---@class flowpatrol.modules.locales_utils
local locales_utils = {}

locales_utils.i18n = i18n

---@return string
function locales_utils.getLocale() end

return locales_utils
