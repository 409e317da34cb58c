---@meta alert_severities
-- Made by `node docs/generate.ts`. Do not edit.

---The severities alone.
return require("alert_consts").alert_severities
