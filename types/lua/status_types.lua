---@meta status_types
-- Made by `node docs/generate.ts`. Do not edit.

---The statuses alone.
return require("flow_consts").status_types
