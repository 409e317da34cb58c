-- 4.2: certificates that are over, self-signed ones, and versions that nobody should speak any more.
local user_scripts = require("user_scripts")
local flow_consts = require("flow_consts")
local alert_severities = require("alert_severities")
local status_types = flow_consts.status_types

local VERSIONS = { [0x0300] = "SSL 3.0", [0x0301] = "TLS 1.0", [0x0302] = "TLS 1.1" }

local script = {
   category = user_scripts.script_categories.security,
   prio = 10,
   l4_proto = "tcp",
   three_way_handshake_ok = true,
   default_value = { severity = alert_severities.warning },
   hooks = {},
   gui = { i18n_title = "TLS that is old", i18n_description = "Certificates and versions" },
}

function script.hooks.protocolDetected(now, conf)
   local name = VERSIONS[flow.getTLSVersion()]
   if name then
      local status = status_types.status_tls_old_protocol_version.create(conf.severity, name)
      flow.triggerStatus(status, 50, 10, 40)
   end

   local tls = flow.getTLSInfo()
   local notAfter = tls["protos.tls.notAfter"]
   if notAfter and notAfter < now then
      local status = status_types.status_tls_certificate_expired.create(
         alert_severities.error, { notBefore = tls["protos.tls.notBefore"], notAfter = notAfter })
      flow.triggerStatus(status, 100, 0, 100)
   end
   if tls["protos.tls.issuerDN"] and tls["protos.tls.issuerDN"] == tls["protos.tls.subjectDN"] then
      flow.triggerStatus(status_types.status_tls_certificate_selfsigned.create(), 100, 0, 100)
   end
   if flow.getServerCipherClass() == "weak" or flow.getServerCipherClass() == "insecure" then
      flow.setCustomInfo("cipher " .. flow.getServerCipherClass())
   end
   print(flow.getAlertedStatus(), flow.getAlertedStatusScore(), tostring(flow.hasMaliciousTlsSignature()), flow.getProtoBreed())
end

return script
