local script = { key = "good" }
function script.setup() return true end
for _, callback in ipairs { "protocolDetected", "statusChanged", "periodicUpdate", "idle" } do
  script[callback] = function(info)
    alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.info, { count = ntop.incrCache("good.calls") })
  end
end
return script
