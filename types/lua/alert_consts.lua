---@meta alert_consts
-- Made by `node docs/generate.ts`. Do not edit.

---Types, severities and entities of alerts, with the numbers of the script's generation.
---@class flowpatrol.modules.alert_consts
---@field alert_types flowpatrol.AlertTypes
---@field alert_severities flowpatrol.Severities
---@field alert_entities table<string, { entity_id: integer, i18n_title: string }>
---@field alerts_granularities table<string, { granularity_id: integer, granularity_seconds: integer }> min, 5mins, hour, day
local alert_consts = {}

---@param severity_id integer
---@return flowpatrol.Severity?
function alert_consts.alertSeverityById(severity_id) end

---its name
---@param severity_id integer
---@return string?
function alert_consts.alertSeverityRaw(severity_id) end

---@param name string
---@return integer?
function alert_consts.alertSeverity(name) end

---@param severity_id integer
---@return string?
function alert_consts.alertSeverityLabel(severity_id) end

---@param alert_id integer
---@return flowpatrol.AlertType?
function alert_consts.alertTypeById(alert_id) end

---its name
---@param alert_id integer
---@return string?
function alert_consts.alertTypeRaw(alert_id) end

---the same as alertTypeRaw
---@param alert_id integer
---@return string?
function alert_consts.getAlertType(alert_id) end

---@param name string
---@return integer?
function alert_consts.alertType(name) end

---@param alert_id integer
---@return string?
function alert_consts.alertTypeLabel(alert_id) end

---@param name string
---@return integer?
function alert_consts.alertEntity(name) end

return alert_consts
