---@meta dkjson
-- Made by `node docs/generate.ts`. Do not edit.

---The name under which scripts often require JSON.
return require("json")
