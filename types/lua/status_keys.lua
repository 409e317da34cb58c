---@meta status_keys
-- Made by `node docs/generate.ts`. Do not edit.

---Numbers of the statuses.
return require("flow_keys")
