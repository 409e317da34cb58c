---@meta ntop_utils
-- Made by `node docs/generate.ts`. Do not edit.

---Its functions are global.
return true
