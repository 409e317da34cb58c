-- 4.2: every risk that detection has found, weighed.
local user_scripts = require("user_scripts")
local flow_consts = require("flow_consts")
local alert_severities = require("alert_severities")
local flow_risk_utils = require("flow_risk_utils")
local plugins_utils = require("plugins_utils")
local weights = plugins_utils.loadModule("flow_risks", "weights")

local script = {
   category = user_scripts.script_categories.security,
   prio = -20, -- the others know better
   default_value = { severity = alert_severities.notice },
   hooks = {},
   gui = {
      i18n_title = "flow_risk.flow_risk",
      i18n_description = "flow_risk.flow_risk_descr",
      input_builder = "multi_select",
   },
}

local function check_risks(now, conf)
   if not flow.hasRisk() then return end

   local score, names = 0, {}
   for name, id in pairsByKeys(flow.getRiskInfo()) do
      score = score + weights.of(id)
      names[#names + 1] = flow_risk_utils.getRiskName(id) == name and name or ("? " .. name)
   end

   flow.triggerStatus(
      flow_consts.status_types.status_flow_risk.create(conf.severity, { risks = table.concat(names, ", ") }),
      math.min(score, flow_consts.max_score), score, 0)
end

script.hooks.protocolDetected = check_risks
script.hooks.flowEnd = check_risks

return script
